// Log records and spans as documents of the modes none, raw and ecs (reference 4.7; contrib,
// exporter/elasticsearchexporter/model.go and internal/encoder/).

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { LOG_RECORD, SPAN, SPAN_EVENT, SPAN_LINK } from '../../otlp/fields.ts'
import type { LogView } from '../../otlp/log.ts'
import { EventView, LinkView, type SpanView } from '../../otlp/span.ts'
import { VALUE } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { FieldIndex } from '../../wire/field-index.ts'
import { readOnlyMap } from './attributes-json.ts'
import type { FlatMode } from './config.ts'
import type { DocumentText } from './document-text.ts'
import { ecsResource, ecsSpecials, LOG_NAMES, SPAN_NAMES } from './ecs-names.ts'
import { FlatFields } from './flat-fields.ts'
import { isSet, isZero } from './otel-documents.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'
import type { SpecialAttributes } from './special-attributes.ts'

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const
const ECS_KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const
const OUTCOMES = ['unknown', 'success', 'failure'] as const
const NO_NAMES: ReadonlyMap<string, string> = new Map()

interface Renamed {
  readonly key: Uint8Array
  readonly name: string
}
const renamed = (names: ReadonlyMap<string, string>): readonly Renamed[] =>
  [...names].map(([key, name]) => ({ key: encodeText(key), name }))
const LOG_RENAMED = renamed(LOG_NAMES)
const SPAN_RENAMED = renamed(SPAN_NAMES)
const NOT_RENAMED = renamed(NO_NAMES)

export class FlatDocuments {
  readonly #text: DocumentText
  readonly #fields = new FlatFields()
  readonly #map = readOnlyMap()
  readonly #event = new EventView()
  readonly #link = new LinkView()
  readonly #messages = new Cursor()
  #mode: FlatMode = 'none'
  #isResourceRead = false
  #resourceMark = this.#fields.mark
  #scopeMark = this.#fields.mark
  readonly #start = this.#fields.mark

  constructor(text: DocumentText) {
    this.#text = text
  }

  enterResource(): void {
    this.#isResourceRead = false
  }

  /** Metrics are written as in mode ecs, whichever of these modes it is. */
  enterScope(walk: Walk, place: Place, wanted: FlatMode, isMetrics: boolean): void {
    const fields = this.#fields
    const mode = isMetrics ? 'ecs' : wanted
    if (!this.#isResourceRead || mode !== this.#mode) {
      this.#isResourceRead = true
      this.#mode = mode
      fields.reset(this.#start)
      if (mode === 'ecs') {
        ecsResource(fields, walk.resourceAttributes, place.resourceSpecial)
        if (!isMetrics) ecsSpecials(fields, walk.resourceAttributes)
      } else this.#attributes('Resource.', walk.resourceAttributes, place.resourceSpecial, NOT_RENAMED)
      this.#resourceMark = fields.mark
    }
    fields.reset(this.#resourceMark)
    if (mode === 'ecs') this.#attributes('', walk.scopeAttributes, place.scopeSpecial, NOT_RENAMED)
    else {
      fields.string('Scope.name', place.scopeName)
      fields.string('Scope.version', place.scopeVersion)
      this.#attributes('Scope.', walk.scopeAttributes, place.scopeSpecial, NOT_RENAMED)
    }
    this.#scopeMark = fields.mark
  }

  log(walk: Walk, place: Place, target: Target): void {
    this.#begin(target)
    if (this.#mode === 'ecs') this.#ecsLog(walk, place)
    else this.#plainLog(walk, place)
    this.#fields.write(this.#text, this.#mode === 'ecs')
  }

  span(walk: Walk, place: Place, target: Target): void {
    this.#begin(target)
    if (this.#mode === 'ecs') this.#ecsSpan(walk, place)
    else this.#plainSpan(walk, place)
    this.#fields.write(this.#text, this.#mode === 'ecs')
  }

  /** The fields of resource and scope, to which a document of metrics adds its own. */
  beginMetrics(target: Target): FlatFields {
    this.#begin(target)
    return this.#fields
  }

  #begin({ dataStream }: Target): void {
    this.#fields.reset(this.#scopeMark)
    if (dataStream === undefined) return
    const prefix = this.#mode === 'none' ? 'Attributes.data_stream.' : 'data_stream.'
    this.#fields.string(`${prefix}type`, dataStream.type)
    this.#fields.string(`${prefix}dataset`, dataStream.dataset)
    this.#fields.string(`${prefix}namespace`, dataStream.namespace)
  }

  #plainLog(walk: Walk, place: Place): void {
    const fields = this.#fields
    const { log } = walk
    this.#time('@timestamp', log, logTime(log))
    this.#id('TraceId', log, log.traceIdAt(), 16)
    this.#id('SpanId', log, log.spanIdAt(), 8)
    this.#integer('TraceFlags', log.flags())
    this.#string('SeverityText', log, LOG_RECORD.SEVERITY_TEXT)
    this.#integer('SeverityNumber', log.severityNumber())
    this.#string('EventName', log, LOG_RECORD.EVENT_NAME)
    if (log.has(LOG_RECORD.BODY) && !log.isRepeated(LOG_RECORD.BODY))
      fields.value('Body', log.bytes, log.from(LOG_RECORD.BODY), log.to(LOG_RECORD.BODY))
    this.#attributes(this.#mode === 'raw' ? '' : 'Attributes.', walk.attributes, place.recordSpecial, NOT_RENAMED)
  }

  #ecsLog(walk: Walk, place: Place): void {
    const { log } = walk
    this.#attributes('', walk.attributes, place.recordSpecial, LOG_RENAMED)
    this.#time('@timestamp', log, logTime(log))
    this.#id('trace.id', log, log.traceIdAt(), 16)
    this.#id('span.id', log, log.spanIdAt(), 8)
    if (log.severityNumber() !== 0) this.#integer('event.severity', log.severityNumber())
    this.#string('log.level', log, LOG_RECORD.SEVERITY_TEXT)
    this.#string('event.action', log, LOG_RECORD.EVENT_NAME)
    const body = log.body()
    if (body.type !== VALUE.STRING) return
    this.#fields.open('message').quoted(body.bytes, body.start, body.end)
    this.#fields.close()
  }

  #plainSpan(walk: Walk, place: Place): void {
    const { span } = walk
    this.#time('@timestamp', span, SPAN.START_TIME_UNIX_NANO)
    this.#time('EndTimestamp', span, SPAN.END_TIME_UNIX_NANO)
    this.#spanIds(span, 'TraceId', 'SpanId', 'ParentSpanId')
    this.#string('Name', span, SPAN.NAME)
    this.#fields.string('Kind', `SPAN_KIND_${KINDS[span.kind()] ?? 'UNSPECIFIED'}`)
    this.#integer('TraceStatus', span.statusCode())
    if (span.statusMessageEnd() > span.statusMessageStart()) {
      this.#fields.open('TraceStatusDescription').quoted(span.bytes, span.statusMessageStart(), span.statusMessageEnd())
      this.#fields.close()
    }
    this.#fields.string('Link', JSON.stringify(this.#links(span)))
    this.#attributes(this.#mode === 'raw' ? '' : 'Attributes.', walk.attributes, place.recordSpecial, NOT_RENAMED)
    this.#events(span)
    const nanos = span.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO)
    this.#integer('Duration', Number.isNaN(nanos) ? 0 : Math.trunc(nanos / 1000))
  }

  #ecsSpan(walk: Walk, place: Place): void {
    const { span } = walk
    const fields = this.#fields
    this.#attributes('', walk.attributes, place.recordSpecial, SPAN_RENAMED)
    this.#time('@timestamp', span, SPAN.START_TIME_UNIX_NANO)
    this.#spanIds(span, 'trace.id', 'span.id', 'parent.id')
    this.#string('span.name', span, SPAN.NAME)
    fields.string('span.kind', ECS_KINDS[span.kind()] ?? '')
    fields.string('event.outcome', OUTCOMES[span.statusCode()] ?? 'unknown')
    const nanos = span.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO)
    this.#integer('event.duration', nanos > 0 ? nanos : 0)
    const links = this.#links(span)
    if (links.length === 0) return
    const list = links.map((link) => ({ trace: { id: link.traceID }, span: { id: link.spanID } }))
    fields.open('span.links').ascii(JSON.stringify(list))
    fields.close()
  }

  #attributes(prefix: string, map: AttributeMap, special: SpecialAttributes, names: readonly Renamed[]): void {
    for (let i = 0; i < map.count; i++) {
      if (special.isHidden(i)) continue
      const source = map.source(i)
      const name = names.length === 0 ? undefined : names.find(({ key }) => map.keyEquals(i, key))?.name
      if (name !== undefined) this.#fields.value(name, source, map.valueStart(i), map.valueEnd(i))
      else this.#fields.keyValue(prefix, source, map.keyStart(i), map.keyEnd(i), map.valueStart(i), map.valueEnd(i))
    }
  }

  /** `Events.NAME.time` and `Events.NAME.KEY`; mode raw leaves `Events.` out. */
  #events(span: SpanView): void {
    const prefix = this.#mode === 'raw' ? '' : 'Events.'
    for (const c = this.#messages.reset(span.bytes, span.start, span.end); c.find(SPAN.EVENTS); ) {
      const event = this.#event.reset(c.bytes, c.start, c.end)
      const name = encodeText(`${event.toName()}.`)
      const time = this.#fields.openKey(prefix, Buffer.concat([name, TIME]), 0, name.length + TIME.length)
      time.isoTime(event.fixedLow(SPAN_EVENT.TIME_UNIX_NANO), event.fixedHigh(SPAN_EVENT.TIME_UNIX_NANO))
      this.#fields.close()
      this.#map.open(event.bytes, SPAN_EVENT.ATTRIBUTES)
      this.#map.piece(event.start, event.end)
      for (let i = 0; i < this.#map.count; i++) {
        const key = Buffer.concat([name, this.#map.source(i).subarray(this.#map.keyStart(i), this.#map.keyEnd(i))])
        const [from, to] = [this.#map.valueStart(i), this.#map.valueEnd(i)]
        this.#fields.keyValueOf(prefix, key, 0, key.length, this.#map.source(i), from, to)
      }
    }
  }

  #links(span: SpanView): { attribute: Record<string, string>; spanID: string; traceID: string }[] {
    const links: { attribute: Record<string, string>; spanID: string; traceID: string }[] = []
    for (const c = this.#messages.reset(span.bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(c.bytes, c.start, c.end)
      this.#map.open(link.bytes, SPAN_LINK.ATTRIBUTES)
      this.#map.piece(link.start, link.end)
      const attribute: Record<string, string> = {}
      for (let i = 0; i < this.#map.count; i++) attribute[this.#map.keyText(i)] = this.#map.value(i).toText()
      links.push({ attribute, spanID: hex(link, link.spanIdAt(), 8), traceID: hex(link, link.traceIdAt(), 16) })
    }
    return links
  }

  #spanIds(span: SpanView, trace: string, own: string, parent: string): void {
    this.#id(trace, span, span.traceIdAt(), 16)
    this.#id(own, span, span.spanIdAt(), 8)
    this.#id(parent, span, span.parentSpanIdAt(), 8)
  }

  #time(name: string, view: FieldIndex, field: number): void {
    this.#fields.open(name).isoTime(view.fixedLow(field), view.fixedHigh(field))
    this.#fields.close()
  }

  #id(name: string, view: FieldIndex, at: number, length: number): void {
    if (at === 0 || isZero(view.bytes, at, length)) return
    this.#fields.open(name).hexOf(view.bytes, at, at + length)
    this.#fields.close()
  }

  #string(name: string, view: FieldIndex, field: number): void {
    const at = view.contentsAt(field)
    if (at === 0) return
    this.#fields.open(name).quoted(view.bytes, at, view.to(field))
    this.#fields.close()
  }

  #integer(name: string, value: number): void {
    this.#fields.open(name).integer(value)
    this.#fields.close()
  }
}

const TIME = encodeText('time')

const hex = ({ bytes }: FieldIndex, at: number, length: number): string =>
  at === 0 ? '' : Buffer.from(bytes.subarray(at, at + length)).toString('hex')

/** The record's own time, or the one at which it was seen. */
const logTime = (log: LogView): number =>
  isSet(log, LOG_RECORD.TIME_UNIX_NANO) ? LOG_RECORD.TIME_UNIX_NANO : LOG_RECORD.OBSERVED_TIME_UNIX_NANO
