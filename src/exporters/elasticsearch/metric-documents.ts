// Metrics as documents of mode otel: one for each group of points below one scope (reference 4.7).

import { encodeText } from '../../otlp/encode.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { millis } from '../../otlp/millis.ts'
import { utf8 } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import type { AttributesJson } from './attributes-json.ts'
import type { BulkWriter } from './bulk-body.ts'
import { DocumentText } from './document-text.ts'
import { GROUP_BY, POINT } from './metric-groups.ts'
import { MetricNamesHash } from './metric-names-hash.ts'
import { MetricPoints } from './metric-points.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'

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
  readonly #points = new MetricPoints(GROUP_BY.SERIES)
  readonly #hash = new MetricNamesHash()
  /** The members of `metrics`, while the line above them is not written yet. */
  readonly #scratch = new DocumentText().begin()

  constructor(bulk: BulkWriter, attributes: AttributesJson) {
    this.#bulk = bulk
    this.#attributes = attributes
  }

  /** Before the points of a scope. */
  begin(bytes: Uint8Array): void {
    this.#points.groups.begin(bytes)
  }

  /** The point that the walk stands at. */
  add(walk: Walk, target: Target): void {
    this.#points.add(walk, target)
  }

  /** `templates`: whether the store knows dynamic templates. Returns how many points have no value to write. */
  write(place: Place, templates: boolean): number {
    let without = 0
    const { groups } = this.#points
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
      this.#attributes.write(text, this.#points.open(first), this.#points.special, true)
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

  #writeValues(first: number, values: DocumentText, withTemplates: boolean): Written {
    const { groups } = this.#points
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
      const template = this.#points.writeValue(values, point)
      if (template === undefined) {
        values.cut(before)
        without++
        continue
      }
      const name = utf8(bytes, nameStart, nameEnd)
      names.push(name)
      if (withTemplates) templates += `${templates === '' ? '' : ','}${JSON.stringify(`metrics.${name}`)}:"${template}"`
      docCount = this.#points.docCount(point) ?? docCount
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
