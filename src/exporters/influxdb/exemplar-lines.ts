// Exemplars of data points, a line for each in the measurement `NAME_exemplar`: those that name a span.

import { EXEMPLAR, METRIC } from '../../otlp/fields.ts'
import type { PointView } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { FieldIndex } from '../../wire/field-index.ts'
import { InnerAttributes } from './inner-attributes.ts'
import type { LineWriter } from './lines.ts'
import { addAttributes, sortedTags, writeTag } from './point-tags.ts'

export class ExemplarLines {
  readonly #unitNanos: number
  readonly #exemplar = new FieldIndex(EXEMPLAR.wireType)
  readonly #attributes = new InnerAttributes()
  readonly #cursor = new Cursor()

  constructor(unitNanos: number) {
    this.#unitNanos = unitNanos
  }

  /** Those in field `field` of the current point. */
  write({ metric, bytes }: Walk, writer: LineWriter, point: PointView, field: number): void {
    for (const c = this.#cursor.reset(bytes, point.start, point.end); c.find(field); ) {
      const exemplar = this.#exemplar.reset(bytes, c.start, c.end)
      const [traceAt, spanAt] = [exemplar.contentsAt(EXEMPLAR.TRACE_ID), exemplar.contentsAt(EXEMPLAR.SPAN_ID)]
      if (traceAt === 0 || spanAt === 0) continue
      const isInt = exemplar.has(EXEMPLAR.AS_INT)
      const value = isInt ? exemplar.sfixed64(EXEMPLAR.AS_INT) : exemplar.double(EXEMPLAR.AS_DOUBLE)
      if (!(isInt || exemplar.has(EXEMPLAR.AS_DOUBLE)) || !Number.isFinite(value)) continue
      const tags = new Map<string, string>()
      addAttributes(tags, this.#attributes.of(bytes, c.start, c.end, EXEMPLAR.FILTERED_ATTRIBUTES))
      tags.set('trace_id', hex(bytes, traceAt, 16))
      tags.set('span_id', hex(bytes, spanAt, 8))
      writer.measurement(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
      writer.ascii('_exemplar')
      for (const [name, text] of sortedTags(tags)) writeTag(writer, name, text)
      writer.ascii(' gauge=')
      if (isInt) writer.integer(exemplar.fixedHigh(EXEMPLAR.AS_INT), exemplar.fixedLow(EXEMPLAR.AS_INT))
      else writer.float(value)
      writer.endLine(
        exemplar.fixedHigh(EXEMPLAR.TIME_UNIX_NANO),
        exemplar.fixedLow(EXEMPLAR.TIME_UNIX_NANO),
        this.#unitNanos,
      )
    }
  }
}

const hex = (bytes: Uint8Array, at: number, size: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString('hex')
