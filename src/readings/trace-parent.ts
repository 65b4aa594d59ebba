// A W3C traceparent as the fields of what belongs to its span.

import { EXEMPLAR, LOG_RECORD } from '../otlp/fields.ts'
import { writeU32 } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'

export interface EncodedTrace {
  /** Fields of an Exemplar. */
  readonly exemplar: Uint8Array
  /** Fields of a LogRecord. */
  readonly record: Uint8Array
}

export const NO_TRACE: EncodedTrace = { exemplar: new Uint8Array(0), record: new Uint8Array(0) }

/** Undefined for what is no traceparent. */
export function encodedTrace(traceparent: string): EncodedTrace | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent)
  if (match === null || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!) || traceparent.startsWith('ff'))
    return undefined
  const traceId = Buffer.from(match[1]!, 'hex')
  const spanId = Buffer.from(match[2]!, 'hex')
  const flags = new Uint8Array(4)
  writeU32(flags, 0, Number.parseInt(match[3]!, 16))
  const record = new Writer().field(LOG_RECORD.TRACE_ID, traceId).field(LOG_RECORD.SPAN_ID, spanId)
  return {
    exemplar: new Writer().field(EXEMPLAR.SPAN_ID, spanId).field(EXEMPLAR.TRACE_ID, traceId).toBytes(),
    record: record.tag(LOG_RECORD.FLAGS, 5).copy(flags).toBytes(),
  }
}
