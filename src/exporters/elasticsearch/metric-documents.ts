// Metrics as documents: one for each group of points, in mode otel or flat (reference 4.7).

import { encodeText } from '../../otlp/encode.ts'
import { METRIC } from '../../otlp/fields.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { METRIC_TYPE, MetricView } from '../../otlp/metric.ts'
import { millis } from '../../otlp/millis.ts'
import { utf8 } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type AttributesJson, readOnlyMap } from './attributes-json.ts'
import type { BulkWriter } from './bulk-body.ts'
import { DocumentText } from './document-text.ts'
import type { FlatDocuments } from './flat-documents.ts'
import { MetricGroups, POINT } from './metric-groups.ts'
import { MetricNamesHash } from './metric-names-hash.ts'
import { type HistogramForm, MetricValues } from './metric-values.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

const AGGREGATE = 'aggregate_metric_double'
const RAW = 'histogram:raw'
const DOC_COUNT = '_doc_count'
const CUMULATIVE = 2

/** What of a group was written. */
interface Written {
  readonly points: number
  readonly without: number
  readonly templates: string
  readonly docCount: number
  readonly hash: string
}

export class MetricDocuments {
  readonly #bulk: BulkWriter
  readonly #attributes: AttributesJson
  readonly #groups = new MetricGroups()
  readonly #values = new MetricValues()
  readonly #metric = new MetricView()
  readonly #hash = new MetricNamesHash()
  readonly #map = readOnlyMap()
  readonly #special = new SpecialAttributes()
  /** The members of `metrics`, while the line above them is not written yet. */
  readonly #scratch = new DocumentText().begin()

  constructor(bulk: BulkWriter, attributes: AttributesJson) {
    this.#bulk = bulk
    this.#attributes = attributes
  }

  /** Before the points of a scope. */
  begin(bytes: Uint8Array): void {
    this.#groups.begin(bytes)
  }

  /** The point that the walk stands at. */
  add(walk: Walk, target: Target): void {
    const { metric } = walk
    // Fields 2 and 3 are the start and the time of points of every kind.
    const point =
      metric.type === METRIC_TYPE.HISTOGRAM
        ? walk.histogram
        : metric.type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM
          ? walk.exponentialHistogram
          : metric.type === METRIC_TYPE.SUMMARY
            ? walk.summary
            : walk.number
    const groups = this.#groups
    const row = groups.add()
    groups.set(row, POINT.METRIC_START, walk.itemStart)
    groups.set(row, POINT.METRIC_END, walk.itemEnd)
    groups.set(row, POINT.NAME_START, metric.from(METRIC.NAME))
    groups.set(row, POINT.NAME_END, metric.to(METRIC.NAME))
    groups.set(row, POINT.UNIT_START, metric.from(METRIC.UNIT))
    groups.set(row, POINT.UNIT_END, metric.to(METRIC.UNIT))
    groups.set(row, POINT.START, walk.recordStart)
    groups.set(row, POINT.END, walk.recordEnd)
    groups.set(row, POINT.ATTRIBUTES, walk.attributesField)
    groups.set(row, POINT.TIME_LOW, point.fixedLow(3))
    groups.set(row, POINT.TIME_HIGH, point.fixedHigh(3))
    groups.set(row, POINT.SINCE_LOW, point.fixedLow(2))
    groups.set(row, POINT.SINCE_HIGH, point.fixedHigh(2))
    groups.join(row, walk.attributes, target)
  }

  /** `templates`: whether the store knows dynamic templates. Returns how many points have no value to write. */
  writeOtel(place: Place, templates: boolean): number {
    let without = 0
    const groups = this.#groups
    const { text } = this.#bulk
    for (let group = 0; group < groups.count; group++) {
      const first = groups.first(group)
      const target = groups.target(group)
      this.#bulk.open(target.action)
      const values = this.#scratch.begin()
      const named = this.#writeValues(first, values, templates && target.dataStream !== undefined)
      without += named.without
      if (named.points === 0) {
        this.#bulk.drop()
        continue
      }
      if (named.templates !== '') text.raw(encodeText(`,"dynamic_templates":{${named.templates}}`))
      this.#bulk.openDocument()
      text.ascii('"@timestamp":')
      this.#time(groups.half(first, POINT.TIME_LOW), groups.half(first, POINT.TIME_HIGH), target)
      const [sinceLow, sinceHigh] = [groups.half(first, POINT.SINCE_LOW), groups.half(first, POINT.SINCE_HIGH)]
      if (sinceLow !== 0 || sinceHigh !== 0) {
        text.ascii('"start_timestamp":')
        this.#time(sinceLow, sinceHigh, target)
      }
      const unit = groups.get(first, POINT.UNIT_START)
      if (groups.get(first, POINT.UNIT_END) > unit) {
        text.ascii('"unit":')
        text.quoted(groups.bytes, unit, groups.get(first, POINT.UNIT_END))
        text.put(CHAR.COMMA)
      }
      text.piece(target.dataStreamJson)
      this.#openAttributes(first)
      this.#attributes.write(text, this.#map, this.#special, true)
      text.piece(place.aroundJson)
      text.ascii('"metrics":{')
      text.raw(values.bytes, 0, values.length)
      text.ascii('},')
      if (named.docCount > 0) text.ascii(`"_doc_count":${named.docCount},`)
      text.ascii(`"_metric_names_hash":"${named.hash}"`)
      this.#bulk.close(named.points)
    }
    return without
  }

  writeFlat(flat: FlatDocuments): number {
    let without = 0
    const groups = this.#groups
    const { text } = this.#bulk
    for (let group = 0; group < groups.count; group++) {
      const first = groups.first(group)
      const target = groups.target(group)
      const fields = flat.beginMetrics(target)
      fields.open('@timestamp').isoTime(groups.half(first, POINT.TIME_LOW), groups.half(first, POINT.TIME_HIGH))
      fields.close()
      this.#openAttributes(first)
      for (let i = 0; i < this.#map.count; i++) {
        if (this.#special.isHidden(i)) continue
        const [from, to] = [this.#map.valueStart(i), this.#map.valueEnd(i)]
        fields.keyValue('', this.#map.source(i), this.#map.keyStart(i), this.#map.keyEnd(i), from, to)
      }
      let written = 0
      for (let point = first; point >= 0; point = groups.next(point)) {
        const before = fields.mark
        const [nameStart, nameEnd] = [groups.get(point, POINT.NAME_START), groups.get(point, POINT.NAME_END)]
        const value = fields.openKey('', groups.bytes, nameStart, nameEnd)
        if (this.#writeValue(value, point) === undefined) {
          fields.reset(before)
          without++
        } else {
          fields.close()
          written++
        }
      }
      if (written === 0) continue
      this.#bulk.open(target.action)
      this.#bulk.openDocument()
      fields.write(text, true)
      this.#bulk.close(written)
    }
    return without
  }

  #openAttributes(point: number): void {
    this.#special.read(this.#groups.open(point, this.#map))
  }

  #writeValue(text: DocumentText, point: number): string | undefined {
    const groups = this.#groups
    const { bytes } = groups
    const [from, to] = [groups.get(point, POINT.METRIC_START), groups.get(point, POINT.METRIC_END)]
    const metric = this.#metric.reset(bytes, from, to) as MetricView
    this.#openAttributes(point)
    const isCounter = metric.isMonotonic() && metric.aggregationTemporality() === CUMULATIVE
    const [start, end] = [groups.get(point, POINT.START), groups.get(point, POINT.END)]
    return this.#values.write(text, metric.type, isCounter, this.#form(), bytes, start, end)
  }

  #form(): HistogramForm {
    if (this.#special.has('HINTS', AGGREGATE)) return 'aggregate'
    return this.#special.has('HINTS', RAW) ? 'raw' : 'centroids'
  }

  #writeValues(first: number, values: DocumentText, withTemplates: boolean): Written {
    const groups = this.#groups
    const { bytes } = groups
    const names: string[] = []
    let templates = ''
    let docCount = 0
    let without = 0
    for (let point = first; point >= 0; point = groups.next(point)) {
      const [nameStart, nameEnd] = [groups.get(point, POINT.NAME_START), groups.get(point, POINT.NAME_END)]
      const before = values.length
      if (before > 0) values.put(CHAR.COMMA)
      values.quoted(bytes, nameStart, nameEnd)
      values.put(CHAR.COLON)
      const template = this.#writeValue(values, point)
      if (template === undefined) {
        values.cut(before)
        without++
        continue
      }
      const name = utf8(bytes, nameStart, nameEnd)
      names.push(name)
      if (withTemplates) templates += `${templates === '' ? '' : ','}${JSON.stringify(`metrics.${name}`)}:"${template}"`
      if (this.#special.has('HINTS', DOC_COUNT))
        docCount = this.#values.count(
          this.#metric.type,
          bytes,
          groups.get(point, POINT.START),
          groups.get(point, POINT.END),
        )
    }
    return { points: names.length, without, templates, docCount, hash: this.#hash.of(names) }
  }

  /** With a comma behind it. In data streams of metrics times are whole milliseconds. */
  #time(low: number, high: number, target: Target): void {
    const { text } = this.#bulk
    if (target.dataStream === undefined) text.isoTime(low, high)
    else text.integer(millis(low, high))
    text.put(CHAR.COMMA)
  }
}
