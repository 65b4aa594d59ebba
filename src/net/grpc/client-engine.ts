// The gRPC client as exporters see it: unary calls with encoded messages to one target. Which engine moves the bytes is
// known to createGrpcClient alone.

import type { Clock } from '../../graph/clock.ts'
import type { Encoding } from '../compression.ts'
import type { ClientTlsOptions } from '../tls/load.ts'
import type { BalancerName } from './client-balancer.ts'
import type { Keepalive } from './client-connection.ts'
import type { Lookup } from './client-resolver.ts'
import type { Target } from './client-target.ts'

export interface GrpcClientOptions {
  readonly target: Target
  /** Read anew for each connection. */
  readonly tls?: ClientTlsOptions | undefined
  /** Ends what watches over the files behind `tls`. */
  onClose?(): void
  /** Instead of the target's own. */
  readonly authority?: string | undefined
  readonly userAgent: string
  /** Sent with every call. */
  readonly headers?: Iterable<readonly [name: string, value: string]>
  readonly compression?: Encoding | undefined
  readonly compressionLevel?: number | undefined
  /** Told to the server as grpc-timeout; keeping it is the caller's, through the call's signal. 0: none. */
  readonly timeoutMs?: number
  readonly waitForReady?: boolean
  readonly keepalive?: Keepalive | undefined
  /** How calls are spread over the addresses of the target; round_robin where nothing is said. */
  readonly balancer?: BalancerName
  /** Instead of the system's resolver. */
  readonly lookup?: Lookup | undefined
  readonly clock: Clock
  readonly random: () => number
}

export interface GrpcClient {
  /** Whether a connection stands. */
  readonly ready: boolean
  /** Begins to connect; the first call does so too. */
  connect(): void
  /**
   * Calls `path` with the message whose parts lie side by side; they must not change until the promise is settled.
   * Resolves with the answer's message, rejects with a GrpcError: CANCELLED, its cause the signal's reason, when the
   * signal aborts. `headers`, names in lower case, go in the place of those that the client is configured to send.
   */
  call(
    path: string,
    message: readonly Uint8Array[],
    byteLength: number,
    signal?: AbortSignal,
    headers?: ReadonlyMap<string, string>,
  ): Promise<Uint8Array>
  /** What the client is configured to send, names in lower case: a map of its own, for an authenticator to write into. */
  headers(): Map<string, string>
  /** Ends everything: calls that have not ended fail with CANCELLED. */
  close(): void
}

/** What `options` say is sent with every call. */
export const configuredHeaders = ({ headers = [] }: GrpcClientOptions): Map<string, string> =>
  new Map(Array.from(headers, ([name, value]) => [name.toLowerCase(), value]))
