// What a client is told when the pipeline refuses its batch, and what an exporter may do with such an answer.
// Everything that turns a DeliveryError into a number, or one kind of number into another, stands here.
//
// An error from the pipeline, as seen by the client (Collector reference 2.4):
//
//   error                                                  gRPC code          HTTP
//   carries the status of the next hop                     that code          by the table below
//   permanent (retry: 'never'), no status                  13 Internal        500
//   anything else (memory limiter, queue full, no answer)  14 Unavailable     503
//
// gRPC code to HTTP status, and whether an OTLP client may send the same bytes again:
//
//   gRPC code                                              HTTP   may retry
//   1 Canceled, 4 DeadlineExceeded, 10 Aborted,            503    yes
//   11 OutOfRange, 14 Unavailable, 15 DataLoss             503    yes
//   8 ResourceExhausted                                    429    yes; over gRPC only with RetryInfo
//   3 InvalidArgument                                      400    no
//   16 Unauthenticated                                     401    no
//   7 PermissionDenied                                     403    no
//   12 Unimplemented                                       404    no
//   all others                                             500    no
//
// HTTP status to gRPC code: 400 -> 3, 401 -> 16, 403 -> 7, 404 -> 12, 429 -> 8, 502 503 504 -> 14, else 2 Unknown.

import type { DeliveryError } from '../delivery/error.ts'

/** The status codes of gRPC (grpc/grpc, doc/statuscodes.md). */
export const GRPC = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const

/** What a refused call is answered with. `retryAfterMs` becomes RetryInfo over gRPC and Retry-After over HTTP. */
export interface RpcError {
  readonly code: number
  readonly message: string
  readonly retryAfterMs?: number
}

export function grpcToHttp(code: number): number {
  switch (code) {
    case GRPC.OK:
      return 200
    case GRPC.CANCELLED:
    case GRPC.DEADLINE_EXCEEDED:
    case GRPC.ABORTED:
    case GRPC.OUT_OF_RANGE:
    case GRPC.UNAVAILABLE:
    case GRPC.DATA_LOSS:
      return 503
    case GRPC.RESOURCE_EXHAUSTED:
      return 429
    case GRPC.INVALID_ARGUMENT:
      return 400
    case GRPC.UNAUTHENTICATED:
      return 401
    case GRPC.PERMISSION_DENIED:
      return 403
    case GRPC.UNIMPLEMENTED:
      return 404
    default:
      return 500
  }
}

export function httpToGrpc(status: number): number {
  switch (status) {
    case 400:
      return GRPC.INVALID_ARGUMENT
    case 401:
      return GRPC.UNAUTHENTICATED
    case 403:
      return GRPC.PERMISSION_DENIED
    case 404:
      return GRPC.UNIMPLEMENTED
    case 429:
      return GRPC.RESOURCE_EXHAUSTED
    case 502:
    case 503:
    case 504:
      return GRPC.UNAVAILABLE
    default:
      return GRPC.UNKNOWN
  }
}

/** OTLP specification, "OTLP/gRPC Response": which codes let a client send the same request again. */
export function isRetryableGrpc(code: number, hasRetryInfo: boolean): boolean {
  if (code === GRPC.RESOURCE_EXHAUSTED) return hasRetryInfo
  return grpcToHttp(code) === 503
}

/** OTLP specification, "Retryable Response Codes": these four are retried; every other 4xx or 5xx is final. */
export const isRetryableHttp = (status: number): boolean => status === 429 || (status >= 502 && status <= 504)

/** What the client of a refused batch hears: the first table above. */
export function errorToGrpc(error: DeliveryError): RpcError {
  const code = error.grpcCode ?? (error.retry === 'never' ? GRPC.INTERNAL : GRPC.UNAVAILABLE)
  if (typeof error.retry === 'string') return { code, message: error.message }
  return { code, message: error.message, retryAfterMs: error.retry.afterMs }
}
