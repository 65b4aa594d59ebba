// google.rpc.Status as bytes, with the one detail that OTLP gives a meaning: RetryInfo.
//
//   Status     { int32 code = 1; string message = 2; repeated Any details = 3; }
//   Any        { string type_url = 1; bytes value = 2; }
//   RetryInfo  { Duration retry_delay = 1; }      Duration { int64 seconds = 1; int32 nanos = 2; }

import { varintSize, writeVarint } from '../wire/varint.ts'
import type { RpcError } from './status.ts'

const RETRY_INFO_URL = 'type.googleapis.com/google.rpc.RetryInfo'

/** The message for an HTTP body or for grpc-status-details-bin. */
export function encodeRpcStatus(error: RpcError): Uint8Array {
  const pieces: Uint8Array[] = []
  if (error.code !== 0) pieces.push(varintField(1, error.code))
  if (error.message !== '') pieces.push(bytesField(2, Buffer.from(error.message)))
  if (error.retryAfterMs !== undefined) {
    const any = [
      bytesField(1, Buffer.from(RETRY_INFO_URL)),
      bytesField(2, bytesField(1, encodeDuration(error.retryAfterMs))),
    ]
    pieces.push(bytesField(3, Buffer.concat(any)))
  }
  return Buffer.concat(pieces)
}

function encodeDuration(ms: number): Uint8Array {
  const whole = Math.floor(ms / 1000)
  const nanos = Math.round((ms - whole * 1000) * 1e6)
  const pieces: Uint8Array[] = []
  if (whole > 0) pieces.push(varintField(1, whole))
  if (nanos > 0) pieces.push(varintField(2, nanos))
  return Buffer.concat(pieces)
}

function varintField(field: number, value: number): Uint8Array {
  const out = new Uint8Array(1 + varintSize(value))
  out[0] = field << 3
  writeVarint(out, 1, value)
  return out
}

function bytesField(field: number, bytes: Uint8Array): Uint8Array {
  const head = new Uint8Array(1 + varintSize(bytes.length))
  head[0] = (field << 3) | 2
  writeVarint(head, 1, bytes.length)
  return Buffer.concat([head, bytes])
}
