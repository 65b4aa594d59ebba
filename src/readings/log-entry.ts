// A log record as decoders write it, and as OTLP has it.

import { isUtf8 } from 'node:buffer'
import { encodeBytes, encodeString, encodeStringBytes, encodeText } from '../otlp/encode.ts'
import { LOG_RECORD } from '../otlp/fields.ts'
import { Writer } from '../wire/writer.ts'
import { encodeAttribute } from './naming.ts'

/** OpenTelemetry's severity numbers. */
export const SEVERITY = { UNSPECIFIED: 0, TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 } as const

/** Attributes of points and records. */
export type Marks = readonly (readonly [key: string, value: string | boolean])[]

export interface LogEntry {
  /** Text, or bytes that are no text. */
  readonly body: string | Uint8Array
  /** Bytes that are no text even if they look like some. */
  readonly isBinary?: boolean
  readonly severity?: number
  readonly severityText?: string
  /** The record is an event of that name. */
  readonly event?: string
  readonly attributes?: Marks
}

/**
 * Field 2 of a ScopeLogs. `time` and `trace` are fields of the record, encoded; `further` are attributes besides those of
 * the entry.
 */
export function encodeLogEntry(entry: LogEntry, time: Uint8Array, further: Marks, trace: Uint8Array): Writer {
  const { body, isBinary = false, severity, severityText, event, attributes = [] } = entry
  const record = new Writer().copy(time)
  if (severity !== undefined && severity !== 0) record.tag(LOG_RECORD.SEVERITY_NUMBER, 0).varint(severity)
  if (severityText !== undefined) record.field(LOG_RECORD.SEVERITY_TEXT, encodeText(severityText))
  record.field(LOG_RECORD.BODY, encodeBody(body, isBinary))
  for (const [key, value] of attributes) record.field(LOG_RECORD.ATTRIBUTES, encodeAttribute(key, value))
  for (const [key, value] of further) record.field(LOG_RECORD.ATTRIBUTES, encodeAttribute(key, value))
  record.copy(trace)
  if (event !== undefined) record.field(LOG_RECORD.EVENT_NAME, encodeText(event))
  return new Writer().field(2, record.bytes, 0, record.length)
}

function encodeBody(body: string | Uint8Array, isBinary: boolean): Uint8Array {
  if (typeof body === 'string') return encodeString(body)
  return !isBinary && isUtf8(body) ? encodeStringBytes(body) : encodeBytes(body)
}
