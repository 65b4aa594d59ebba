// Metrics as documents: one for each group of points, in mode otel or flat (reference 4.7).

import { encodeText } from '../../otlp/encode.ts'
import { METRIC } from '../../otlp/fields.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { METRIC_TYPE, MetricView } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type AttributesJson, readOnlyMap } from './attributes-json.ts'
import type { BulkWriter } from './bulk-body.ts'
import { DocumentText } from './document-text.ts'
import type { FlatDocuments } from './flat-documents.ts'
import { type Group, MetricGroups, type PointPlace } from './metric-groups.ts'
import { MetricValues } from './metric-values.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

const AGGREGATE = 'aggregate_metric_double'
const DOC_COUNT = '_doc_count'

export class MetricDocuments {
  readonly #bulk: BulkWriter
  readonly #attributes: AttributesJson
  readonly #groups = new MetricGroups()
  readonly #values = new MetricValues()
  readonly #metric = new MetricView()
  readonly #map = readOnlyMap()
  readonly #special = new SpecialAttributes()
  /** The members of `metrics`, while the line above them is not written yet. */
  readonly #scratch = new DocumentText().begin()

  constructor(bulk: BulkWriter, attributes: AttributesJson) {
    this.#bulk = bulk
    this.#attributes = attributes
  }

  begin(): void {
    this.#groups.clear()
  }

  /** The point that the walk stands at. */
  add(walk: Walk, target: Target): void {
    const { bytes, metric } = walk
    // Fields 2 and 3 are the start and the time of points of every kind.
    const point =
      metric.type === METRIC_TYPE.HISTOGRAM
        ? walk.histogram
        : metric.type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM
          ? walk.exponentialHistogram
          : metric.type === METRIC_TYPE.SUMMARY
            ? walk.summary
            : walk.number
    const place: PointPlace = {
      bytes,
      metricStart: walk.itemStart,
      metricEnd: walk.itemEnd,
      nameStart: metric.from(METRIC.NAME),
      nameEnd: metric.to(METRIC.NAME),
      unitStart: metric.from(METRIC.UNIT),
      unitEnd: metric.to(METRIC.UNIT),
      pointStart: walk.recordStart,
      pointEnd: walk.recordEnd,
      attributesField: walk.attributesField,
      timeLow: point.fixedLow(3),
      timeHigh: point.fixedHigh(3),
      startLow: point.fixedLow(2),
      startHigh: point.fixedHigh(2),
    }
    this.#groups.add(place, walk.attributes, target)
  }

  /** `templates`: whether the store knows dynamic templates. Returns how many points have no value to write. */
  writeOtel(place: Place, templates: boolean): number {
    let without = 0
    for (const group of this.#groups.groups) {
      const { first, target } = group
      const { text } = this.#bulk
      this.#bulk.open(target.action)
      const values = this.#scratch.begin()
      const named = this.#writeValues(group, values, templates && target.dataStream !== undefined)
      without += group.points.length - named.points
      if (named.points === 0) {
        this.#bulk.drop()
        continue
      }
      if (named.templates !== '') text.raw(encodeText(`,"dynamic_templates":{${named.templates}}`))
      this.#bulk.openDocument()
      this.#time('"@timestamp":', first.timeLow, first.timeHigh, target)
      text.put(CHAR.COMMA)
      if (first.startLow !== 0 || first.startHigh !== 0) {
        this.#time('"start_timestamp":', first.startLow, first.startHigh, target)
        text.put(CHAR.COMMA)
      }
      if (first.unitEnd > first.unitStart) {
        text.ascii('"unit":')
        text.quoted(first.bytes, first.unitStart, first.unitEnd)
        text.put(CHAR.COMMA)
      }
      text.piece(target.dataStreamJson)
      this.#openAttributes(first)
      this.#attributes.write(text, this.#map, this.#special, true)
      text.raw(place.aroundJson)
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
    for (const { first, target, points } of this.#groups.groups) {
      const { text } = this.#bulk
      const fields = flat.beginMetrics(target)
      fields.open('@timestamp').isoTime(first.timeLow, first.timeHigh)
      fields.close()
      this.#openAttributes(first)
      for (let i = 0; i < this.#map.count; i++) {
        if (this.#special.isHidden(i)) continue
        const [from, to] = [this.#map.valueStart(i), this.#map.valueEnd(i)]
        fields.keyValue('', this.#map.source(i), this.#map.keyStart(i), this.#map.keyEnd(i), from, to)
      }
      let written = 0
      for (const point of points) {
        const before = fields.mark
        const value = fields.openKey('', point.bytes, point.nameStart, point.nameEnd)
        if (this.#writeValue(value, point) === undefined) fields.reset(before)
        else {
          fields.close()
          written++
        }
      }
      without += points.length - written
      if (written === 0) continue
      this.#bulk.open(target.action)
      this.#bulk.openDocument()
      fields.write(text, true)
      this.#bulk.close(written)
    }
    return without
  }

  #openAttributes({ bytes, attributesField, pointStart, pointEnd }: PointPlace): void {
    this.#map.open(bytes, attributesField)
    this.#map.piece(pointStart, pointEnd)
    this.#special.read(this.#map)
  }

  #writeValue(text: DocumentText, point: PointPlace): string | undefined {
    const { bytes, pointStart, pointEnd } = point
    const metric = this.#metric.reset(bytes, point.metricStart, point.metricEnd) as MetricView
    this.#openAttributes(point)
    const form = this.#special.has('HINTS', AGGREGATE) ? 'aggregate' : 'centroids'
    return this.#values.write(text, metric.type, metric.isMonotonic(), form, bytes, pointStart, pointEnd)
  }

  #writeValues(
    { points }: Group,
    values: DocumentText,
    withTemplates: boolean,
  ): { readonly points: number; readonly templates: string; readonly docCount: number; readonly hash: string } {
    const names: string[] = []
    const templates: string[] = []
    let docCount = 0
    for (const point of points) {
      const { bytes, nameStart, nameEnd } = point
      const before = values.length
      if (before > 0) values.put(CHAR.COMMA)
      values.quoted(bytes, nameStart, nameEnd)
      values.put(CHAR.COLON)
      const template = this.#writeValue(values, point)
      if (template === undefined) {
        values.cut(before)
        continue
      }
      const name = Buffer.from(bytes.subarray(nameStart, nameEnd)).toString()
      names.push(name)
      if (withTemplates) templates.push(`${JSON.stringify(`metrics.${name}`)}:"${template}"`)
      if (this.#special.has('HINTS', DOC_COUNT))
        docCount = this.#values.count(this.#metric.type, bytes, point.pointStart, point.pointEnd)
    }
    return { points: names.length, templates: templates.join(','), docCount, hash: hashOfNames(names) }
  }

  #time(key: string, low: number, high: number, target: Target): void {
    const { text } = this.#bulk
    text.ascii(key)
    if (target.dataStream === undefined) text.isoTime(low, high)
    else text.epochMillis(low, high)
  }
}

/** FNV-1a in 32 bits over the sorted names: keeps documents of different metrics apart in a time series data stream. */
function hashOfNames(names: string[]): string {
  let hash = 0x811c9dc5
  for (const name of names.sort()) for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return (hash >>> 0).toString(16)
}
