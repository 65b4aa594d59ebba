// Metrics as documents of mode ecs (and of none and raw, where the Collector refuses them): one for each group of points of
// one resource, whatever their scopes.

import { encodeText } from '../../otlp/encode.ts'
import { utf8 } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import type { BulkWriter } from './bulk-body.ts'
import { addAttributes, addDataStream } from './flat-attributes.ts'
import type { FlatDocuments } from './flat-documents.ts'
import type { FlatFields } from './flat-fields.ts'
import { GROUP_BY, POINT } from './metric-groups.ts'
import { MetricPoints } from './metric-points.ts'
import type { Target } from './routing.ts'

/** A histogram without any values: no member of the document. */
const NOTHING = encodeText('{"counts":[],"values":[]}')

export class FlatMetricDocuments {
  readonly #bulk: BulkWriter
  readonly #flat: FlatDocuments
  readonly #points = new MetricPoints(GROUP_BY.DIMENSIONS)

  constructor(bulk: BulkWriter, flat: FlatDocuments) {
    this.#bulk = bulk
    this.#flat = flat
  }

  /** Before the points of a resource. */
  begin(walk: Walk): void {
    this.#points.groups.begin(walk.bytes, walk.resourceAttributes)
  }

  /** The point that the walk stands at. */
  add(walk: Walk, target: Target): void {
    this.#points.add(walk, target)
  }

  /** `templates`: whether the store knows dynamic templates. Returns how many points have no value to write. */
  write(templates: boolean): number {
    let without = 0
    const { groups } = this.#points
    for (let group = 0; group < groups.count; group++) {
      const first = groups.first(group)
      const target = groups.target(group)
      const fields = this.#flat.beginMetrics()
      fields.open('@timestamp').isoTime(groups.half(first, POINT.TIME_LOW), groups.half(first, POINT.TIME_HIGH))
      fields.close()
      addAttributes(fields, '', this.#points.open(first), this.#points.special)
      addDataStream(fields, '', target)
      const named: string[] = []
      let written = 0
      let docCount = 0
      for (let point = first; point >= 0; point = groups.next(point)) {
        const template = this.#writeValue(fields, point)
        if (template === undefined) {
          without++
          continue
        }
        written++
        docCount = this.#points.docCount(point) ?? docCount
        const name = utf8(groups.bytes, groups.get(point, POINT.NAME_START), groups.get(point, POINT.NAME_END))
        named.push(`${JSON.stringify(name)}:"${template}"`)
      }
      if (written === 0) continue
      if (docCount > 0) fields.integer('_doc_count', docCount)
      this.#bulk.open(target.action)
      if (templates && target.dataStream !== undefined)
        this.#bulk.text.raw(encodeText(`,"dynamic_templates":{${named.join(',')}}`))
      this.#bulk.openDocument()
      fields.write(this.#bulk.text, true)
      this.#bulk.close(written)
    }
    return without
  }

  /** The name of the dynamic template; undefined where the point has no value that a document can hold. */
  #writeValue(fields: FlatFields, point: number): string | undefined {
    const { groups } = this.#points
    const before = fields.mark
    const [nameStart, nameEnd] = [groups.get(point, POINT.NAME_START), groups.get(point, POINT.NAME_END)]
    const value = fields.openKey('', groups.bytes, nameStart, nameEnd)
    const template = this.#points.writeValue(value, point)
    if (template === undefined || isNothing(value.bytes, before.values, value.length)) fields.reset(before)
    else fields.close()
    return template === undefined ? undefined : TEMPLATES[template]
  }
}

/** By those of mode otel. */
const TEMPLATES: Readonly<Record<string, string>> = {
  gauge_long: 'double_metrics',
  gauge_double: 'double_metrics',
  counter_long: 'double_metrics',
  counter_double: 'double_metrics',
  histogram: 'histogram_metrics',
  summary: 'summary_metrics',
}

function isNothing(bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== NOTHING.length) return false
  for (let i = 0; i < NOTHING.length; i++) if (bytes[from + i] !== NOTHING[i]) return false
  return true
}
