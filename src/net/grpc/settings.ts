// What both engines announce to their clients, and how often they look after them.

import type { GrpcServerOptions } from './engine.ts'

export const STREAM_WINDOW_BYTES = 1024 * 1024
/** A connection's share: enough for several streams at once, and a bound on what one sender can have under way. */
export const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024
export const FRAME_BYTES = 1024 * 1024

/** Often enough that the shortest of the bounds is kept within a quarter. */
export function sweepEveryMs(options: GrpcServerOptions): number {
  const { keepalive } = options
  const bounds = [
    options.handshakeMs,
    options.bodySilenceMs,
    options.requestMs,
    keepalive.maxConnectionIdleMs,
    keepalive.maxConnectionAgeMs,
    keepalive.timeMs,
    keepalive.timeoutMs,
  ]
  const shortest = Math.min(...bounds.filter((ms) => ms > 0))
  return Math.min(5000, Math.max(20, shortest / 4))
}
