// Log records as the Collector writes them (reference/otelcol-core.md 4.6): a line of `logs` for each.

import { LOG_RECORD } from '../../otlp/fields.ts'
import { VALUE } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { wordsOf } from '../../wire/copy.ts'
import type { Outcome } from './line-schema.ts'
import type { LineWriter } from './lines.ts'
import { RecordLines } from './record-lines.ts'

const LOGS = wordsOf(Buffer.from('logs'))

export class LogLines extends RecordLines {
  readonly #nowMs: () => number

  constructor(dimensions: readonly string[], unitNanos: number, nowMs: () => number) {
    super(dimensions, unitNanos, false)
    this.#nowMs = nowMs
  }

  write(walk: Walk, writer: LineWriter): Outcome {
    const { log, bytes } = walk
    const traceAt = log.traceIdAt()
    const spanAt = log.spanIdAt()
    // Both, or none of them.
    this.traceId.at = spanAt === 0 ? 0 : traceAt
    this.spanId.at = traceAt === 0 ? 0 : spanAt
    const from = writer.length
    const fields = this.head(walk, writer, LOGS)
    const body = log.body()
    if (body.type === VALUE.STRING) fields.always('body', body.bytes, body.start, body.end)
    else fields.always('body', Buffer.from(body.toText()))
    const severity = log.severityNumber()
    if (severity > 0) fields.integer('severity_number', severity)
    fields.text('severity_text', bytes, log.from(LOG_RECORD.SEVERITY_TEXT), log.to(LOG_RECORD.SEVERITY_TEXT))
    fields.text('event_name', bytes, log.from(LOG_RECORD.EVENT_NAME), log.to(LOG_RECORD.EVENT_NAME))
    const observed = LOG_RECORD.OBSERVED_TIME_UNIX_NANO
    fields.nanos('observed_time_unix_nano', log.fixedHigh(observed), log.fixedLow(observed))
    fields.unsigned('dropped_attributes_count', log.uint32(LOG_RECORD.DROPPED_ATTRIBUTES_COUNT) + fields.hidden)
    if (fields.count === 0) {
      writer.length = from
      return 'no_field'
    }
    this.#end(walk, writer)
    return 'written'
  }

  /** The record's own time, else when it was observed, else now. */
  #end({ log }: Walk, writer: LineWriter): void {
    for (const field of [LOG_RECORD.TIME_UNIX_NANO, LOG_RECORD.OBSERVED_TIME_UNIX_NANO]) {
      const [high, low] = [log.fixedHigh(field), log.fixedLow(field)]
      if ((high | low) === 0) continue
      writer.endLine(high, low, this.unitNanos)
      return
    }
    const nanos = BigInt(Math.floor(this.#nowMs())) * 1_000_000n
    writer.endLine(Number(nanos >> 32n), Number(nanos & 0xffffffffn), this.unitNanos)
  }
}
