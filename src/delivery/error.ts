// Why a batch was not delivered, in a closed set that queues and doors can act on.
//
// A component refuses with a DeliveryError; what a client of ours is told (gRPC code, HTTP status) is decided at the
// door alone, by src/net/status.ts.

import type { DeliveryCode } from './codes.ts'

/** Whether sending the same bytes again can help: never, after a back-off of the sender's, or not before `afterMs`. */
export type Retry = 'never' | 'backoff' | { readonly afterMs: number }

/**
 * Where a bound is reached (memory, queue, disk) clients are asked to come again after this long, as RetryInfo or
 * Retry-After. A well-behaved one then waits at least so long, however eager its own back-off is.
 */
export const ROOM_AFTER_MS = 1_000
export const WHEN_THERE_IS_ROOM: Retry = { afterMs: ROOM_AFTER_MS }

export interface DeliveryErrorOptions {
  readonly retry: Retry
  /** The gRPC status code that the next hop answered, or that its HTTP status stands for; the door passes it on. */
  readonly grpcCode?: number
  readonly cause?: unknown
}

export class DeliveryError extends Error {
  /** Stable, in capitals. */
  readonly code: DeliveryCode
  readonly retry: Retry
  readonly grpcCode: number | undefined

  constructor(code: DeliveryCode, message: string, options: DeliveryErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'DeliveryError'
    this.code = code
    this.retry = options.retry
    this.grpcCode = options.grpcCode
  }
}
