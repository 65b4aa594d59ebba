// The status of a call as a client reads it, and the HTTP and HTTP/2 codes that stand in for one.

import { H2_ERROR } from '../http2/frame.ts'
import { GRPC } from '../status.ts'

/** A call that did not end with OK. */
export class GrpcError extends Error {
  override readonly name = 'GrpcError'
  readonly code: number
  /** `grpc-status-details-bin`: an encoded google.rpc.Status. */
  readonly details: Uint8Array | undefined

  constructor(code: number, message: string, options: { details?: Uint8Array | undefined; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }
}

/** A grpc-status header; what is none of the 17 codes is UNKNOWN (grpc/grpc, doc/statuscodes.md). */
export function readGrpcStatus(value: string): number {
  const code = /^\d{1,2}$/.test(value) ? Number(value) : GRPC.UNKNOWN
  return code <= GRPC.UNAUTHENTICATED ? code : GRPC.UNKNOWN
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
