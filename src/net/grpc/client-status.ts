// The status of a call as a client reads it: HTTP and HTTP/2 codes that stand in for one, the percent-encoded message,
// and google.rpc.Status with its RetryInfo.
//
//   Status    { int32 code = 1; string message = 2; repeated Any details = 3 }
//   Any       { string type_url = 1; bytes value = 2 }
//   RetryInfo { Duration retry_delay = 1 }         Duration { int64 seconds = 1; int32 nanos = 2 }

import { H2_ERROR } from '../http2/frame.ts'
import { GRPC } from '../status.ts'

/** A call that did not end with OK. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  /** From RetryInfo: not before this many milliseconds. */
  readonly retryAfterMs: number | undefined

  constructor(code: number, message: string, retryAfterMs?: number, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryAfterMs = retryAfterMs
  }
}

export interface RpcStatus {
  readonly code: number
  readonly message: string
  readonly retryAfterMs?: number
}

/** grpc/grpc, doc/http-grpc-status-mapping.md: for answers that did not come from a gRPC server. */
export function codeOfHttpStatus(status: number): number {
  switch (status) {
    case 400:
      return GRPC.INTERNAL
    case 401:
      return GRPC.UNAUTHENTICATED
    case 403:
      return GRPC.PERMISSION_DENIED
    case 404:
      return GRPC.UNIMPLEMENTED
    case 429:
    case 502:
    case 503:
    case 504:
      return GRPC.UNAVAILABLE
    default:
      return GRPC.UNKNOWN
  }
}

/** grpc/grpc, doc/PROTOCOL-HTTP2.md, "Errors": a stream that was reset. */
export function codeOfReset(h2Code: number): number {
  switch (h2Code) {
    case H2_ERROR.REFUSED_STREAM:
      return GRPC.UNAVAILABLE
    case H2_ERROR.CANCEL:
      return GRPC.CANCELLED
    case H2_ERROR.ENHANCE_YOUR_CALM:
      return GRPC.RESOURCE_EXHAUSTED
    case H2_ERROR.INADEQUATE_SECURITY:
      return GRPC.PERMISSION_DENIED
    default:
      return GRPC.INTERNAL
  }
}

/** `grpc-message` is percent-encoded UTF-8; what does not decode is shown as it came. */
export function decodeMessage(text: string): string {
  if (!text.includes('%')) return text
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Undefined when the bytes are no Status; what is odd inside is passed over. */
export function readStatus(bytes: Uint8Array): RpcStatus | undefined {
  let code = 0
  let message = ''
  let retryAfterMs: number | undefined
  const whole = eachField(bytes, (field, value, content) => {
    if (field === 1) code = value
    else if (field === 2 && content !== undefined) message = new TextDecoder().decode(content)
    else if (field === 3 && content !== undefined) retryAfterMs = readRetryInfo(content) ?? retryAfterMs
  })
  if (!whole) return undefined
  return retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs }
}

function readRetryInfo(any: Uint8Array): number | undefined {
  let type = ''
  let content: Uint8Array | undefined
  let ms: number | undefined
  eachField(any, (field, _, bytes) => {
    if (field === 1 && bytes !== undefined) type = new TextDecoder().decode(bytes)
    else if (field === 2) content = bytes
  })
  if (!type.endsWith('/google.rpc.RetryInfo') || content === undefined) return undefined
  eachField(content, (field, _, delay) => {
    if (field !== 1 || delay === undefined) return
    ms = 0
    eachField(delay, (part, value) => {
      if (part === 1) ms! += value * 1000
      else if (part === 2) ms! += value / 1e6
    })
  })
  // A delay that is not positive asks for nothing.
  return ms !== undefined && ms > 0 ? ms : undefined
}

/** Walks the fields of one message; varints as numbers, lengths as ranges. False when the bytes are cut or wrong. */
function eachField(
  bytes: Uint8Array,
  visit: (field: number, value: number, content: Uint8Array | undefined) => void,
): boolean {
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1, count = 0; count < 10; scale *= 128, count++) {
      const byte = bytes[at++]
      if (byte === undefined) return Number.NaN
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < bytes.length) {
    const tag = varint()
    const field = Math.floor(tag / 8)
    let length = 0
    switch (tag % 8) {
      case 0: {
        const value = varint()
        if (Number.isNaN(value)) return false
        visit(field, value, undefined)
        continue
      }
      case 1:
        length = 8
        break
      case 2:
        length = varint()
        break
      case 5:
        length = 4
        break
      default:
        return false
    }
    if (!(at + length <= bytes.length)) return false
    visit(field, 0, bytes.subarray(at, at + length))
    at += length
  }
  return true
}
