// A message for each log record. As text: its body. As JSON: one flat object,
//
//   {"timestamp": "2026-01-01T00:00:00Z", "device_id": "cnc-01", "severity": "WARN", "event": "...", "message": "...",
//    ...attributes..., "trace_id": "...", "span_id": "..."}
//
// where attributes stand under their own names: a record with rule_id, metric_name and value is an alert as MES systems
// know it, one with command and parameters a command. An attribute that is called as one of ours takes its place. What is
// not there is left out.

import { Attributes } from '../../../otlp/attributes.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { LOG_RECORD, RESOURCE } from '../../../otlp/fields.ts'
import type { LogView } from '../../../otlp/log.ts'
import { VALUE } from '../../../otlp/value.ts'
import { Walk } from '../../../otlp/walk.ts'
import { type Encoder, type EncoderOptions, type Packed, Packing } from './packing.ts'
import { Pen } from './pen.ts'

const DEVICE_ID = Buffer.from('device.id')
const NAMES = {
  timestamp: Buffer.from('timestamp'),
  device: Buffer.from('device_id'),
  severity: Buffer.from('severity'),
  event: Buffer.from('event'),
  message: Buffer.from('message'),
  trace: Buffer.from('trace_id'),
  span: Buffer.from('span_id'),
} as const
/** By SeverityNumber, four of each (OpenTelemetry, Logs Data Model, "Displaying Severity"). */
const SEVERITIES = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL']
const NO_TRACE = new Uint8Array(16)

export class RecordEncoder implements Encoder {
  readonly #options: EncoderOptions
  readonly #isText: boolean
  readonly #walk = new Walk('logs')
  readonly #attributes = new Attributes()
  readonly #pen = new Pen()
  readonly #device = new Pen()

  constructor(options: EncoderOptions, form: 'text' | 'json') {
    this.#options = options
    this.#isText = form === 'text'
  }

  encode(batch: Batch): Packed {
    const { topic, traceContext } = this.#options
    const packing = new Packing(this.#options, batch.byteLength)
    const { text } = packing.list
    for (const part of batch.parts) {
      const walk = this.#walk.open(part)
      while (walk.nextResource()) {
        topic.resource(walk.resource)
        this.#readDevice()
        while (walk.nextScope())
          while (walk.nextItem()) {
            const { log, recordStart, recordEnd } = walk
            const reason = packing.topic(part, 0, 0, recordStart, recordEnd, LOG_RECORD.ATTRIBUTES)
            if (reason !== undefined) {
              packing.leave(reason, 1)
              continue
            }
            const from = text.length
            if (this.#isText) this.#writeBody(log, packing)
            else {
              this.#writeObject(log)
              this.#pen.copyTo(text)
            }
            const traceAt = traceContext ? traceIdAt(log) : 0
            const spanAt = traceAt === 0 ? 0 : log.spanIdAt()
            if (spanAt === 0) packing.add(from, 1)
            else packing.addTraced(part, traceAt, spanAt, log.flags(), from)
          }
      }
    }
    return packing
  }

  #readDevice(): void {
    const value = this.#attributes.ofPieces(this.#walk.resource, RESOURCE.ATTRIBUTES).find(DEVICE_ID)
    this.#device.clear()
    if (value !== undefined) this.#device.value(value)
  }

  #writeBody(log: LogView, packing: Packing): void {
    const body = log.body()
    const { text } = packing.list
    if (body.type === VALUE.STRING || body.type === VALUE.BYTES) text.copy(body.bytes, body.start, body.end)
    else text.copy(Buffer.from(body.toText()))
  }

  #writeObject(log: LogView): void {
    const pen = this.#pen.clear()
    const { attributes, bytes } = this.#walk
    pen.ascii('{')
    const timeField = log.has(LOG_RECORD.TIME_UNIX_NANO)
      ? LOG_RECORD.TIME_UNIX_NANO
      : LOG_RECORD.OBSERVED_TIME_UNIX_NANO
    if (log.fixed64(timeField) > 0 && this.#begin(NAMES.timestamp))
      pen.time(log.fixedLow(timeField), log.fixedHigh(timeField))
    if (this.#device.length > 0 && this.#begin(NAMES.device)) this.#device.copyInto(pen, 0, this.#device.length)
    const severity = log.severityNumber()
    const hasText = log.contentsAt(LOG_RECORD.SEVERITY_TEXT) > 0
    if ((hasText || (severity > 0 && severity <= 24)) && this.#begin(NAMES.severity)) {
      if (hasText) pen.quoted(bytes, log.from(LOG_RECORD.SEVERITY_TEXT), log.to(LOG_RECORD.SEVERITY_TEXT))
      else pen.ascii(`"${SEVERITIES[(severity - 1) >> 2]}"`)
    }
    if (log.contentsAt(LOG_RECORD.EVENT_NAME) > 0 && this.#begin(NAMES.event))
      pen.quoted(bytes, log.from(LOG_RECORD.EVENT_NAME), log.to(LOG_RECORD.EVENT_NAME))
    const body = log.body()
    if (body.type !== VALUE.EMPTY && this.#begin(NAMES.message)) pen.value(body)
    for (let i = 0; i < attributes.count; i++) {
      this.#comma()
      pen.quoted(attributes.source(i), attributes.keyStart(i), attributes.keyEnd(i))
      pen.ascii(':')
      pen.value(attributes.value(i))
    }
    const traceAt = traceIdAt(log)
    if (traceAt > 0 && this.#begin(NAMES.trace)) pen.hexOf(bytes, traceAt, traceAt + 16)
    const spanAt = log.spanIdAt()
    if (spanAt > 0 && this.#begin(NAMES.span)) pen.hexOf(bytes, spanAt, spanAt + 8)
    pen.ascii('}')
  }

  /** Writes a name of ours; false where an attribute has it. */
  #begin(name: Uint8Array): boolean {
    if (this.#walk.attributes.find(name) >= 0) return false
    this.#comma()
    this.#pen.quoted(name, 0, name.length)
    this.#pen.ascii(':')
    return true
  }

  #comma(): void {
    if (this.#pen.length > 1) this.#pen.ascii(',')
  }
}

/** 0 where there is none, or only zeros. */
function traceIdAt(log: LogView): number {
  const at = log.traceIdAt()
  return at === 0 || NO_TRACE.every((zero, i) => log.bytes[at + i] === zero) ? 0 : at
}
