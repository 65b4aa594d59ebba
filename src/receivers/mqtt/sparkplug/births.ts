// The metrics of births and of data: what each is, and its value.
//
// A birth is read into definitions of its own, which replace those of the device once all of it could be read. A
// definition that says the same as before is kept with what it has encoded.

import type { Readings } from '../../../readings/readings.ts'
import { PAYLOAD_METRIC, PAYLOAD_TEMPLATE } from '../../../sparkplug/fields.ts'
import { MetricView } from '../../../sparkplug/metric-view.ts'
import { TYPE, typeOfField } from '../../../sparkplug/numbers.ts'
import type { PayloadView } from '../../../sparkplug/payload-view.ts'
import { Cursor } from '../../../wire/cursor.ts'
import { equalBytes, varintLow } from '../../../wire/varint.ts'
import type { Reason } from '../complaints.ts'
import { BD_SEQ } from './bd-seq.ts'
import type { SparkplugConfig } from './config.ts'
import { Definition, Definitions, type Device, type EdgeNode } from './edge-node.ts'
import { MetricWriter } from './metric-writer.ts'
import { Properties } from './properties.ts'
import type { Entry } from './topics.ts'

const NO_UNIT = new Uint8Array(0)
const MILLISECONDS = new Uint8Array(Buffer.from('ms'))
const NAME_MAX_BYTES = 1024
/** Not readings: the number of the session, and what we would write to ask for a birth. */
const ABOUT_THE_SESSION = [
  BD_SEQ,
  ...['Node Control/Rebirth', 'Device Control/Rebirth'].map((name) => Buffer.from(name)),
]

export class BirthReader {
  readonly writer: MetricWriter
  readonly #config: SparkplugConfig
  readonly #out: Readings
  readonly #trouble: (reason: Reason, words: string) => void
  readonly #view = new MetricView()
  /** Of templates, by depth. */
  readonly #members: MetricView[] = []
  readonly #properties = new Properties()
  #entry!: Entry
  #definitions!: Definitions
  /** Of the birth before; undefined while data are read. */
  #before: Definitions | undefined
  /** How many more definitions there is room for. */
  #room = 0
  #payloadMs = 0
  /** The time that stands in the readings, as the payload writes it, and whether it may be long ago. */
  #timeMs = Number.NaN
  #timeIsOld = false
  #isUnknown = false

  constructor(config: SparkplugConfig, out: Readings, trouble: (reason: Reason, words: string) => void) {
    this.#config = config
    this.#out = out
    this.#trouble = trouble
    this.writer = new MetricWriter(out, config.maxElements, trouble)
  }

  /** The definitions of a birth; its values are in the readings. `others` are the metrics of the node's other devices. */
  read(device: Device, entry: Entry, payload: PayloadView, receivedMs: number, others: number): Definitions {
    this.#begin(entry, payload, receivedMs)
    this.#before = device.definitions
    this.#definitions = new Definitions()
    this.#room = this.#config.maxMetrics - others
    for (payload.rewind(); payload.next(); ) {
      const view = this.#view.read(payload.bytes, payload.from, payload.to)
      if (!isAboutTheSession(view)) this.#born(view, '', 0)
    }
    this.#before = undefined
    return this.#definitions
  }

  /** The first metric that nobody has told of; all others are in the readings. */
  data(device: Device, entry: Entry, payload: PayloadView, ms: number, node: EdgeNode<Entry>): MetricView | undefined {
    this.#begin(entry, payload, ms)
    const { definitions } = device
    const view = this.#view
    let unknown: MetricView | undefined
    const { words } = entry.rule
    this.#definitions = definitions
    for (payload.rewind(); payload.next(); ) {
      view.read(payload.bytes, payload.from, payload.to)
      const definition = definitions.find(view, device.isKnown)
      if (definition === undefined) {
        if (isAboutTheSession(view)) continue
        if (!this.#told(view, node, '')) unknown ??= copyOf(view)
        continue
      }
      if (view.propertiesTo > 0) this.#quality(definition, view)
      this.#time(view)
      if (definition.datatype === TYPE.Template) {
        this.#isUnknown = false
        this.#template(view, definition.name(), 0)
        if (this.#isUnknown) unknown ??= copyOf(view)
      } else this.writer.write(definition, view, words)
    }
    if (entry.rule.times.isOwn) this.#out.observeClock(entry.rule.times.ms)
    return unknown
  }

  #begin(entry: Entry, payload: PayloadView, receivedMs: number): void {
    this.#entry = entry
    this.#payloadMs = Number.isNaN(payload.timestamp) ? receivedMs : payload.timestamp
    this.#timeMs = Number.NaN
    entry.rule.times.begin(receivedMs)
    entry.oldTimes.begin(receivedMs)
  }

  /** Older publishers give times to the payload only. */
  #time(view: MetricView): void {
    const ms = Number.isNaN(view.timestamp) ? this.#payloadMs : view.timestamp
    const isOld = view.isHistorical || this.#before !== undefined
    if (ms === this.#timeMs && isOld === this.#timeIsOld) return
    this.#timeMs = ms
    this.#timeIsOld = isOld
    ;(isOld ? this.#entry.oldTimes : this.#entry.rule.times).number(ms, this.#out)
  }

  #quality(definition: Definition, view: MetricView): void {
    const { quality } = this.#properties.read(view.bytes, view.propertiesFrom, view.propertiesTo)
    if (quality >= 0) definition.quality = quality
  }

  /** A metric that data name and no birth has: as good as born, if they say what it is. */
  #told(view: MetricView, node: EdgeNode<Entry>, prefix: string): boolean {
    if (!view.hasName) return false
    const datatype = view.datatype > 0 ? view.datatype : typeOfField(view.valueField)
    if (datatype < 0) return false
    this.#room = this.#config.maxMetrics - node.metrics
    this.#born(view, prefix, 0)
    return true
  }

  #born(view: MetricView, prefix: string, depth: number): void {
    if (!view.hasName && view.alias === -1) {
      this.#trouble('bad_name', 'a metric without a name')
      return
    }
    const name = view.bytes.slice(view.nameFrom, view.nameTo)
    const key = prefix === '' ? name : new Uint8Array(Buffer.concat([Buffer.from(`${prefix}/`), name]))
    if (key.length === 0 || key.length > NAME_MAX_BYTES) {
      this.#trouble('bad_name', `a metric with a name of ${key.length} bytes`)
      return
    }
    const datatype = view.datatype > 0 ? view.datatype : typeOfField(view.valueField)
    if (datatype < 0) {
      this.#trouble('wrong_type', `${Buffer.from(key)} has no data type`)
      return
    }
    let unit: Uint8Array | undefined
    let quality = 0
    if (view.propertiesTo > 0) {
      const said = this.#properties.read(view.bytes, view.propertiesFrom, view.propertiesTo)
      unit = said.unit
      quality = Math.max(0, said.quality)
    }
    unit ??= datatype === TYPE.DateTime ? MILLISECONDS : NO_UNIT
    const definition = this.#define(key, view, datatype, unit)
    if (definition === undefined) return
    definition.quality = quality
    this.#time(view)
    if (datatype === TYPE.Template) this.#template(view, definition.name(), depth)
    else this.writer.write(definition, view, this.#entry.rule.words)
  }

  /** Undefined: there is no room for it. */
  #define(key: Uint8Array, view: MetricView, datatype: number, unit: Uint8Array): Definition | undefined {
    const twice = this.#definitions.byName.find(key)
    if (twice !== undefined) return twice
    if (this.#room-- <= 0) {
      this.#trouble('too_many_metrics', `${Buffer.from(key)}: a metric beyond max_metrics`)
      return undefined
    }
    const before = this.#before?.byName.find(key)
    const isSame =
      before?.datatype === datatype &&
      before.alias === view.alias &&
      equalBytes(before.unit, 0, before.unit.length, unit)
    return this.#definitions.add(isSame ? before : new Definition(key, view.alias, datatype, unit))
  }

  /** Its members, each under the template's name and its own. A definition of templates has no values. */
  #template(view: MetricView, name: string, depth: number): void {
    if (view.valueField !== PAYLOAD_METRIC.TEMPLATE_VALUE) {
      if (view.valueField !== 0) this.#trouble('wrong_type', `${name} is no template`)
      return
    }
    if (depth >= this.#config.maxTemplateDepth) {
      this.#trouble('too_deep', `${name} has templates deeper than max_template_depth`)
      return
    }
    const { bytes, valueFrom, valueTo } = view
    const cursor = new Cursor()
    for (const c = cursor.reset(bytes, valueFrom, valueTo); c.next(); )
      if (c.field === PAYLOAD_TEMPLATE.IS_DEFINITION && c.wireType === 0 && varintLow(bytes, c.start) !== 0) return
    this.#members[depth] ??= new MetricView()
    const member = this.#members[depth]!
    cursor.reset(bytes, valueFrom, valueTo)
    while (cursor.find(PAYLOAD_TEMPLATE.METRICS)) {
      member.read(bytes, cursor.start, cursor.end)
      if (this.#before !== undefined) this.#born(member, name, depth + 1)
      else this.#member(member, name, depth + 1)
    }
  }

  #member(view: MetricView, prefix: string, depth: number): void {
    const definition = view.hasName
      ? this.#definitions.byName.find(Buffer.from(`${prefix}/${view.name()}`))
      : this.#definitions.byAlias(view.alias)
    if (definition === undefined) {
      this.#isUnknown = true
      return
    }
    if (view.propertiesTo > 0) this.#quality(definition, view)
    this.#time(view)
    if (definition.datatype === TYPE.Template) this.#template(view, definition.name(), depth)
    else this.writer.write(definition, view, this.#entry.rule.words)
  }
}

const copyOf = (view: MetricView): MetricView =>
  Object.assign(new MetricView(), {
    alias: view.alias,
    bytes: view.bytes,
    nameFrom: view.nameFrom,
    nameTo: view.nameTo,
  })

const isAboutTheSession = ({ bytes, nameFrom, nameTo }: MetricView): boolean =>
  nameTo > nameFrom && ABOUT_THE_SESSION.some((name) => equalBytes(bytes, nameFrom, nameTo, name))
