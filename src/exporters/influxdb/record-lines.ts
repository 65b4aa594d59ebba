// What lines of spans and of log records have in common: ids and dimensions as tags, all other attributes as one field.

import type { Walk } from '../../otlp/walk.ts'
import type { Words } from '../../wire/copy.ts'
import { Fields } from './fields.ts'
import type { LineSchema, Outcome } from './line-schema.ts'
import type { LineWriter } from './lines.ts'
import { IdTag, RecordTags } from './record-tags.ts'

export abstract class RecordLines implements LineSchema {
  protected readonly traceId: IdTag = new IdTag('trace_id', 16)
  protected readonly spanId: IdTag = new IdTag('span_id', 8)
  protected readonly unitNanos: number
  readonly #tags: RecordTags

  /** `keepsRepeated`: see AttributeJson. */
  constructor(dimensions: readonly string[], unitNanos: number, keepsRepeated: boolean) {
    this.#tags = new RecordTags(dimensions, [this.traceId, this.spanId], keepsRepeated)
    this.unitNanos = unitNanos
  }

  begin(): void {}

  enterResource(walk: Walk): void {
    this.#tags.attributes.enterResource(walk)
  }

  enterScope(walk: Walk): void {
    this.#tags.attributes.enterScope(walk)
  }

  abstract write(walk: Walk, writer: LineWriter): Outcome

  /** Measurement, tags and the field `attributes` of the current record; the ids are in place. */
  protected head(walk: Walk, writer: LineWriter, measurement: Words): Fields {
    const json = this.#tags.attributes.ofRecord(walk.attributes)
    writer.raw(measurement)
    this.#tags.write(walk.bytes, writer)
    const fields = new Fields(writer, this.#tags)
    if (json !== undefined) fields.text('attributes', json.bytes, 0, json.length)
    return fields
  }
}
