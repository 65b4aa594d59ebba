// What a door answers and what an exporter reads: export responses and google.rpc.Status, in protobuf and in JSON.
//
// OTLP, "OTLP/HTTP Response": 200 with an Export*ServiceResponse, everything else with a Status, in the request's
// encoding. The Collector always writes an empty partial success (reference 2.3); an empty body means the same.

import { Cursor, MalformedBytes } from '../wire/cursor.ts'
import { varintLow, varintSigned } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'
import {
  ANY,
  DURATION,
  EXPORT_LOGS_PARTIAL_SUCCESS,
  EXPORT_LOGS_SERVICE_RESPONSE,
  EXPORT_METRICS_PARTIAL_SUCCESS,
  EXPORT_PROFILES_PARTIAL_SUCCESS,
  EXPORT_TRACE_PARTIAL_SUCCESS,
  RETRY_INFO,
  RPC_STATUS,
} from './fields.ts'
import { MalformedOtlp } from './malformed.ts'
import type { Signal } from './signal.ts'

/** What a server says of a request that it took in part, or wants to warn about. */
export interface PartialSuccess {
  readonly rejected: number
  readonly message: string
}

/** google.rpc.Status as OTLP uses it. */
export interface RpcStatus {
  readonly code: number
  readonly message: string
  /** From a RetryInfo detail: not before so many milliseconds, 0 to LONGEST_RETRY_DELAY_MS. */
  readonly retryAfterMs?: number
}

/** The longest google.protobuf.Duration, some 10,000 years: a longer one is cut to it, a negative one is none. */
export const LONGEST_RETRY_DELAY_MS = 315_576_000_000_000

const PARTIAL_SUCCESS = {
  traces: EXPORT_TRACE_PARTIAL_SUCCESS,
  metrics: EXPORT_METRICS_PARTIAL_SUCCESS,
  logs: EXPORT_LOGS_PARTIAL_SUCCESS,
  profiles: EXPORT_PROFILES_PARTIAL_SUCCESS,
} as const

// In all four signals these are 1, 1 and 2.
const PARTIAL = EXPORT_LOGS_SERVICE_RESPONSE.PARTIAL_SUCCESS
const REJECTED = EXPORT_LOGS_PARTIAL_SUCCESS.REJECTED_LOG_RECORDS
const MESSAGE = EXPORT_LOGS_PARTIAL_SUCCESS.ERROR_MESSAGE

const rejectedName = (signal: Signal): string => PARTIAL_SUCCESS[signal].fields[0].json

const RETRY_INFO_URL = `type.googleapis.com/${RETRY_INFO.message}`

/** An Export*ServiceResponse; the same bytes for every signal. */
export function encodeExportResponse(partial?: PartialSuccess): Uint8Array<ArrayBuffer> {
  const inner = new Writer()
  if (partial !== undefined && partial.rejected !== 0) inner.tag(REJECTED, 0).signedVarint(partial.rejected)
  if (partial !== undefined && partial.message !== '') inner.field(MESSAGE, Buffer.from(partial.message))
  return new Writer().field(PARTIAL, inner.toBytes()).toBytes()
}

export function exportResponseToJson(signal: Signal, partial?: PartialSuccess): string {
  const partialSuccess: Record<string, string> = {}
  if (partial !== undefined && partial.rejected !== 0) partialSuccess[rejectedName(signal)] = String(partial.rejected)
  if (partial !== undefined && partial.message !== '') partialSuccess.errorMessage = partial.message
  return JSON.stringify({ partialSuccess })
}

/** The partial success in a response, or undefined where everything was taken without a word. Throws MalformedOtlp. */
export const readExportResponse = (bytes: Uint8Array): PartialSuccess | undefined =>
  reading(() => {
    let rejected = 0
    let message = ''
    eachField(bytes, (outer) => {
      if (outer.field !== PARTIAL || outer.wireType !== 2) return
      eachField(bytes.subarray(outer.start, outer.end), (field, inside) => {
        if (field.field === REJECTED && field.wireType === 0) rejected = varintSigned(inside, field.start)
        if (field.field === MESSAGE && field.wireType === 2) message = text(inside, field)
      })
    })
    return rejected === 0 && message === '' ? undefined : { rejected, message }
  })

/** The same from JSON. Throws MalformedOtlp. */
export function readExportResponseJson(signal: Signal, json: string): PartialSuccess | undefined {
  if (json.trim() === '') return undefined
  const partial = asRecord(asRecord(parse(json)).partialSuccess)
  const rejected = asWhole(partial[rejectedName(signal)], 2 ** 63)
  const message = asText(partial.errorMessage)
  return rejected === 0 && message === '' ? undefined : { rejected, message }
}

export function encodeRpcStatus(status: RpcStatus): Uint8Array<ArrayBuffer> {
  const writer = new Writer()
  if (status.code !== 0) writer.tag(RPC_STATUS.CODE, 0).signedVarint(status.code)
  if (status.message !== '') writer.field(RPC_STATUS.MESSAGE, Buffer.from(status.message))
  if (status.retryAfterMs !== undefined) {
    const { seconds, nanos } = durationOf(status.retryAfterMs)
    const delay = new Writer()
    if (seconds !== 0) delay.tag(DURATION.SECONDS, 0).signedVarint(seconds)
    if (nanos !== 0) delay.tag(DURATION.NANOS, 0).signedVarint(nanos)
    const info = new Writer().field(RETRY_INFO.RETRY_DELAY, delay.toBytes())
    const any = new Writer().field(ANY.TYPE_URL, Buffer.from(RETRY_INFO_URL)).field(ANY.VALUE, info.toBytes())
    writer.field(RPC_STATUS.DETAILS, any.toBytes())
  }
  return writer.toBytes()
}

export function rpcStatusToJson(status: RpcStatus): string {
  const { code, message, retryAfterMs } = status
  return JSON.stringify({
    ...(code === 0 ? {} : { code }),
    ...(message === '' ? {} : { message }),
    // Protocol Buffers, "ProtoJSON Format": a duration is seconds with a suffix.
    ...(retryAfterMs === undefined
      ? {}
      : { details: [{ '@type': RETRY_INFO_URL, retryDelay: durationText(retryAfterMs) }] }),
  })
}

const boundedDelayMs = (delayMs: number): number => Math.min(LONGEST_RETRY_DELAY_MS, Math.max(0, delayMs))

function durationOf(delayMs: number): { seconds: number; nanos: number } {
  const boundedMs = boundedDelayMs(delayMs)
  const seconds = Math.floor(boundedMs / 1000)
  const nanos = Math.round((boundedMs - seconds * 1000) * 1e6)
  return nanos === 1e9 ? { seconds: seconds + 1, nanos: 0 } : { seconds, nanos }
}

function durationText(delayMs: number): string {
  const { seconds, nanos } = durationOf(delayMs)
  return nanos === 0 ? `${seconds}s` : `${seconds}.${String(nanos).padStart(9, '0').replace(/0+$/, '')}s`
}

/** Throws MalformedOtlp. Details other than RetryInfo are passed over. */
export const readRpcStatus = (bytes: Uint8Array): RpcStatus =>
  reading(() => {
    let code = 0
    let message = ''
    let retryAfterMs: number | undefined
    eachField(bytes, (field) => {
      if (field.field === RPC_STATUS.CODE && field.wireType === 0) code = varintLow(bytes, field.start) | 0
      if (field.field === RPC_STATUS.MESSAGE && field.wireType === 2) message = text(bytes, field)
      if (field.field === RPC_STATUS.DETAILS && field.wireType === 2) {
        retryAfterMs = readRetryInfo(bytes.subarray(field.start, field.end)) ?? retryAfterMs
      }
    })
    return { code, message, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  })

function readRetryInfo(any: Uint8Array): number | undefined {
  let url = ''
  let value: Uint8Array | undefined
  eachField(any, (field) => {
    if (field.field === ANY.TYPE_URL && field.wireType === 2) url = text(any, field)
    if (field.field === ANY.VALUE && field.wireType === 2) value = any.subarray(field.start, field.end)
  })
  if (!url.endsWith(`/${RETRY_INFO.message}`) || value === undefined) return undefined
  let found = false
  let seconds = 0
  let nanos = 0
  eachField(value, (outer, info) => {
    if (outer.field !== RETRY_INFO.RETRY_DELAY || outer.wireType !== 2) return
    found = true
    eachField(info.subarray(outer.start, outer.end), (field, delay) => {
      if (field.wireType !== 0) return
      if (field.field === DURATION.SECONDS) seconds = varintSigned(delay, field.start)
      if (field.field === DURATION.NANOS) nanos = varintLow(delay, field.start) | 0
    })
  })
  return found ? boundedDelayMs(seconds * 1000 + nanos / 1e6) : undefined
}

/** The same from JSON. Throws MalformedOtlp. */
export function readRpcStatusJson(json: string): RpcStatus {
  const status = asRecord(parse(json))
  const details = Array.isArray(status.details) ? status.details.map(asRecord) : []
  const info = details.find((detail) => asText(detail['@type']).endsWith(`/${RETRY_INFO.message}`))
  const seconds = /^(-?\d+(?:\.\d+)?)s$/.exec(asText(info?.retryDelay))?.[1]
  return {
    code: asWhole(status.code, 2 ** 31 - 1),
    message: asText(status.message),
    ...(seconds === undefined ? {} : { retryAfterMs: boundedDelayMs(Number(seconds) * 1000) }),
  }
}

function eachField(bytes: Uint8Array, visit: (field: Cursor, bytes: Uint8Array) => void): void {
  for (const cursor = new Cursor().reset(bytes); cursor.next(); ) visit(cursor, bytes)
}

const text = (bytes: Uint8Array, field: Cursor): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + field.start, field.end - field.start).toString()

function reading<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    throw new MalformedOtlp(error.message, error.offset)
  }
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new MalformedOtlp(`not JSON: ${(error as Error).message}`, 0)
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) throw new MalformedOtlp('expected an object', 0)
  return value as Record<string, unknown>
}

/** A whole number from -limit to limit, or one in quotes. */
function asWhole(value: unknown, limit: number): number {
  if (value === undefined || value === null) return 0
  const number = typeof value === 'string' && value !== '' ? Number(value) : value
  if (typeof number !== 'number' || !Number.isInteger(number) || Math.abs(number) > limit)
    throw new MalformedOtlp('expected a whole number', 0)
  return number + 0 // no -0
}

function asText(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new MalformedOtlp('expected a string', 0)
  return value
}
