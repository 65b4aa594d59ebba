// Spans as the Collector writes them (reference/otelcol-core.md 4.6): a line of `spans` for each, one of `logs` for each of
// its events, one of `span-links` for each of its links.

import { SPAN, SPAN_EVENT, SPAN_LINK } from '../../otlp/fields.ts'
import { EventView, LinkView, type SpanView } from '../../otlp/span.ts'
import type { Walk } from '../../otlp/walk.ts'
import { wordsOf } from '../../wire/copy.ts'
import { AttributeJson } from './attribute-fields.ts'
import { Fields } from './fields.ts'
import { InnerAttributes } from './inner-attributes.ts'
import type { Outcome } from './line-schema.ts'
import type { LineWriter } from './lines.ts'
import { RecordLines } from './record-lines.ts'
import { writeHex } from './record-tags.ts'

const SPANS = wordsOf(Buffer.from('spans'))
const KINDS = ['', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] as const
const STATUSES = ['', 'Ok', 'Error'] as const

export class SpanLines extends RecordLines {
  readonly #event = new EventView()
  readonly #link = new LinkView()
  readonly #inner = new InnerAttributes()
  readonly #innerJson = new AttributeJson([], false)

  constructor(dimensions: readonly string[], unitNanos: number) {
    super(dimensions, unitNanos, true)
  }

  write(walk: Walk, writer: LineWriter): Outcome {
    const { span, bytes } = walk
    this.traceId.at = span.traceIdAt()
    this.spanId.at = span.spanIdAt()
    if (this.traceId.at === 0 || this.spanId.at === 0) return 'no_id'
    const [high, low] = [span.fixedHigh(SPAN.START_TIME_UNIX_NANO), span.fixedLow(SPAN.START_TIME_UNIX_NANO)]
    if ((high | low) === 0) return 'no_time'
    const from = writer.length
    const fields = this.head(walk, writer, SPANS)
    this.#fields(span, bytes, fields)
    if (fields.count === 0) {
      writer.length = from
      return 'no_field'
    }
    writer.endLine(high, low, this.unitNanos)
    this.#events(span, bytes, writer)
    this.#links(span, bytes, writer, high, low)
    return 'written'
  }

  #fields(span: SpanView, bytes: Uint8Array, fields: Fields): void {
    fields.text('trace_state', bytes, span.from(SPAN.TRACE_STATE), span.to(SPAN.TRACE_STATE))
    fields.hex('parent_span_id', bytes, span.parentSpanIdAt(), 8)
    fields.text('span.name', bytes, span.from(SPAN.NAME), span.to(SPAN.NAME))
    const kind = KINDS[span.kind()] ?? ''
    if (kind !== '') fields.word('span.kind', kind)
    const duration = span.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO)
    if (span.has(SPAN.END_TIME_UNIX_NANO)) {
      fields.nanos(
        'end_time_unix_nano',
        span.fixedHigh(SPAN.END_TIME_UNIX_NANO),
        span.fixedLow(SPAN.END_TIME_UNIX_NANO),
      )
      if (Number.isSafeInteger(duration)) fields.integer('duration_nano', duration)
    }
    const status = STATUSES[span.statusCode()] ?? ''
    if (status !== '') fields.word('otel.status_code', status)
    fields.text('otel.status_description', bytes, span.statusMessageStart(), span.statusMessageEnd())
    fields.unsigned('dropped_attributes_count', span.uint32(SPAN.DROPPED_ATTRIBUTES_COUNT) + fields.hidden)
    fields.unsigned('dropped_events_count', span.uint32(SPAN.DROPPED_EVENTS_COUNT))
    fields.unsigned('dropped_links_count', span.uint32(SPAN.DROPPED_LINKS_COUNT))
  }

  #events(span: SpanView, bytes: Uint8Array, writer: LineWriter): void {
    if (!span.has(SPAN.EVENTS)) return
    for (const c = span.events(); c.find(SPAN.EVENTS); ) {
      const event = this.#event.reset(bytes, c.start, c.end)
      const from = writer.length
      this.#head(writer, bytes, 'logs')
      const fields = new Fields(writer)
      fields.text('event.name', bytes, event.from(SPAN_EVENT.NAME), event.to(SPAN_EVENT.NAME))
      this.#attributes(bytes, c.start, c.end, SPAN_EVENT.ATTRIBUTES, fields)
      fields.unsigned('dropped_attributes_count', event.uint32(SPAN_EVENT.DROPPED_ATTRIBUTES_COUNT))
      if (fields.count === 0) writer.length = from
      else
        writer.endLine(
          event.fixedHigh(SPAN_EVENT.TIME_UNIX_NANO),
          event.fixedLow(SPAN_EVENT.TIME_UNIX_NANO),
          this.unitNanos,
        )
    }
  }

  #links(span: SpanView, bytes: Uint8Array, writer: LineWriter, high: number, low: number): void {
    if (!span.has(SPAN.LINKS)) return
    for (const c = span.events(); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(bytes, c.start, c.end)
      const [traceAt, spanAt] = [link.traceIdAt(), link.spanIdAt()]
      if (traceAt === 0 || spanAt === 0) continue
      const from = writer.length
      writer.ascii('span-links,linked_span_id=')
      writeHex(writer, bytes, spanAt, 8)
      writer.ascii(',linked_trace_id=')
      writeHex(writer, bytes, traceAt, 16)
      this.#ids(writer, bytes)
      const fields = new Fields(writer)
      fields.text('trace_state', bytes, link.from(SPAN_LINK.TRACE_STATE), link.to(SPAN_LINK.TRACE_STATE))
      this.#attributes(bytes, c.start, c.end, SPAN_LINK.ATTRIBUTES, fields)
      fields.unsigned('dropped_attributes_count', link.uint32(SPAN_LINK.DROPPED_ATTRIBUTES_COUNT))
      if (fields.count === 0) writer.length = from
      else writer.endLine(high, low, this.unitNanos)
    }
  }

  #head(writer: LineWriter, bytes: Uint8Array, measurement: string): void {
    writer.ascii(measurement)
    this.#ids(writer, bytes)
  }

  #ids(writer: LineWriter, bytes: Uint8Array): void {
    writer.ascii(',span_id=')
    writeHex(writer, bytes, this.spanId.at, 8)
    writer.ascii(',trace_id=')
    writeHex(writer, bytes, this.traceId.at, 16)
  }

  #attributes(bytes: Uint8Array, from: number, to: number, field: number, fields: Fields): void {
    const json = this.#innerJson.ofRecord(this.#inner.of(bytes, from, to, field))
    if (json !== undefined) fields.text('attributes', json.bytes, 0, json.length)
  }
}
