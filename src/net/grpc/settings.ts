// What both engines announce to their clients, and how often they look after them.

import { sweepEveryMs } from '../admission.ts'
import type { Limits } from '../limits.ts'
import type { GrpcServerOptions } from './engine.ts'

export const STREAM_WINDOW_BYTES = 1024 * 1024
/** A connection's share: enough for several streams at once, and a bound on what one sender can have under way. */
export const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024
export const FRAME_BYTES = 1024 * 1024

/** What is not told as it happens (flood-watch.ts) is seen within this time. */
const SWEEP_MOST_MS = 1000

/** Between two looks at all connections. */
export function sweepMs(options: GrpcServerOptions, limits: Limits): number {
  const { keepalive } = options
  const bounds = [
    options.handshakeMs,
    options.bodySilenceMs,
    options.requestMs,
    limits.headersMs,
    keepalive.maxConnectionIdleMs,
    keepalive.maxConnectionAgeMs,
    keepalive.timeMs,
    keepalive.timeoutMs,
  ]
  return sweepEveryMs(Math.min(...bounds.filter((ms) => ms > 0)), SWEEP_MOST_MS)
}
