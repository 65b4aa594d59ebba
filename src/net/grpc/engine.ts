// The gRPC door as a receiver sees it. Which engine moves the bytes is known to createGrpcServer alone.
//
// The engine owns sockets, HTTP/2, framing, compression, deadlines, message sizes, keep-alive and every bound on them.
// A handler gets whole messages of unary calls, and answers each call once, now or later. An answer to a client that
// has gone away in the meantime is thrown away quietly.

import type { AuthAttributes, ServerAuthenticator } from '../auth/authenticator.ts'
import type { ByteBudget } from '../byte-budget.ts'
import type { Encoding } from '../compression.ts'
import type { Limits } from '../limits.ts'
import type { Listening, ListenSettings } from '../listen.ts'
import type { RpcError } from '../status.ts'
import type { ServerTlsOptions } from '../tls/load.ts'
import type { TlsWatch } from '../tls/reload.ts'
import type { UnpackLine } from '../unpack-line.ts'

export interface GrpcCall {
  /** `/package.Service/Method`. */
  readonly path: string
  /** The request, unpacked, in a buffer that belongs to whoever takes it: no pool, offset 0. */
  readonly message: Uint8Array<ArrayBuffer>
  /** Address of the client, `10.0.0.7:51234`. */
  readonly peer: string
  /** What the authenticator found; undefined where there is none. */
  readonly auth: AuthAttributes | undefined
  /** Headers of the request by lower-case name, `:authority` also as `host`. Makes a new map at each call. */
  metadata(): Map<string, string[]>
  /** Answers with OK and this message. Packed as the request was, when it was. */
  respond(message: Uint8Array): void
  /** Answers with an error; `retryAfterMs` adds RetryInfo. */
  fail(code: number, message: string, retryAfterMs?: number): void
}

export type GrpcHandler = (call: GrpcCall) => void

/** Takes a message as it came, packed unless `encoding` is undefined, and answers the call. The bytes are its own. */
export type GrpcTaker = (call: GrpcCall, encoding: Encoding | undefined, message: Uint8Array<ArrayBuffer>) => void

/** Why the engine itself refused a call or a connection; a bounded set, for a counter's label. */
export type GrpcRefusal =
  | 'auth'
  | 'bad_request'
  | 'content_type'
  | 'method'
  | 'unknown_method'
  | 'encoding'
  | 'too_large'
  | 'malformed'
  | 'overload'
  | 'timeout'
  | 'protocol'
  | 'too_many_connections'
  | 'connection_rate'
  | 'flood'

/** Zero means without a bound, as in gRPC's own settings. */
export interface GrpcKeepalive {
  readonly maxConnectionIdleMs: number
  readonly maxConnectionAgeMs: number
  readonly maxConnectionAgeGraceMs: number
  readonly timeMs: number
  readonly timeoutMs: number
  readonly minTimeMs: number
  readonly permitWithoutStream: boolean
}

export interface GrpcServerOptions {
  readonly listen: ListenSettings
  readonly tls?: ServerTlsOptions
  /** Begins to watch the files behind `tls`, and calls `apply` with what new connections are to use. */
  watchTls?(apply: (options: ServerTlsOptions) => void): TlsWatch
  /** Asked with the headers, ahead of the message; while it thinks, what comes is kept and counts against the budget. */
  readonly authenticator?: ServerAuthenticator | undefined
  readonly handlers: ReadonlyMap<string, GrpcHandler>
  /** Asked for each call whose message has come, ahead of unpacking: who takes it as it came, instead of the handler. */
  findTaker?(): GrpcTaker | undefined
  readonly maxMessageBytes: number
  readonly maxConcurrentStreams: number
  readonly maxConnections: number
  /** A connection that never becomes HTTP/2 ends after this. */
  readonly handshakeMs: number
  /** A request that has begun and then stays silent this long ends, and so does a call whose answer is not taken. */
  readonly bodySilenceMs: number
  /** A request that takes longer than this to arrive ends. */
  readonly requestMs: number
  readonly keepalive: GrpcKeepalive
  /** What all doors of one receiver may hold of requests without an answer. */
  readonly budget: ByteBudget
  /** Where packed messages wait to be unpacked, shared in the same way. */
  readonly unpacking: UnpackLine
  /** Bounds that have no option of their own here; left out: LIMITS. */
  readonly limits?: Partial<Limits>
  /** Bounds by address hold for loopback too: for tests. */
  readonly countLoopback?: boolean
  /** Uniform in [0, 1). */
  random(): number
  /** google.rpc.Status as bytes, for answers that carry RetryInfo. */
  encodeStatus(error: RpcError): Uint8Array
  /** A call or connection that no handler sees. */
  onRefused(reason: GrpcRefusal, detail: string): void
  /** The listening socket failed while running. */
  onError(error: Error): void
}

export interface GrpcServer {
  /** Rejects when the address cannot be used. */
  listen(): Promise<Listening>
  /** No new calls; those in progress are answered; when `deadline` aborts, what is left is cut. Safe to call twice. */
  close(deadline: AbortSignal): Promise<void>
}
