// A gRPC client for unary calls with encoded messages: one target, one connection to each of its addresses, calls dealt
// out in turn (round_robin).
//
// A call starts on the next connection that is ready. While none is, it waits as long as one is being made; once all
// have failed it fails at once with UNAVAILABLE, or goes on waiting with `waitForReady`. Addresses are looked up again
// when a connection is lost.

import { lookup } from 'node:dns/promises'
import type { Clock, Timer } from '../../graph/clock.ts'
import { compress, type Encoding } from '../compression.ts'
import { writeU32 } from '../http2/frame.ts'
import type { HeaderList } from '../http2/hpack.ts'
import { GRPC } from '../status.ts'
import type { ClientTlsOptions } from '../tls/load.ts'
import { MESSAGE_HEAD_BYTES, UnaryCall } from './client-call.ts'
import { type Address, addressKey, Connection, type ConnectionSettings, type Keepalive } from './client-connection.ts'
import { GrpcError } from './client-status.ts'
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
  readonly clock: Clock
  readonly random: () => number
}

/** Calls without a connection; more are refused with UNAVAILABLE. Each holds its message. */
export const MAX_WAITING_CALLS = 10_000
/** Sets of headers that the client keeps ready: paths times credentials and tenants. */
const MAX_REMEMBERED_HEADERS = 64
const RESOLVE_AT_MOST_EVERY_MS = 5_000
/** grpc-timeout has at most eight digits (grpc/grpc, doc/PROTOCOL-HTTP2.md). */
const LARGEST_TIMEOUT_MS = 99_999_999

export class GrpcClient {
  readonly #options: GrpcClientOptions
  readonly #settings: ConnectionSettings
  readonly #headers = new Map<string, HeaderList>()
  readonly #connections: Connection[] = []
  #waiting: UnaryCall[] = []
  #turn = 0
  #started = false
  #closed = false
  #resolving = false
  #resolvedMs = Number.NEGATIVE_INFINITY
  #resolveTimer: Timer | undefined
  #resolveError: Error | undefined

  constructor(options: GrpcClientOptions) {
    this.#options = options
    this.#settings = {
      tls: options.tls,
      host: options.target.host,
      keepalive: options.keepalive,
      clock: options.clock,
      random: options.random,
    }
  }

  /** Whether a connection stands. */
  get ready(): boolean {
    return this.#connections.some((connection) => connection.ready)
  }

  /** Begins to connect; the first call does so too. */
  connect(): void {
    if (this.#started || this.#closed) return
    this.#started = true
    const { kind, host, port, path } = this.#options.target
    if (kind === 'unix') this.#use([{ path }])
    else if (kind === 'passthrough') this.#use([{ host, port }])
    else this.#resolve()
  }

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
  ): Promise<Uint8Array> {
    const { compression, compressionLevel } = this.#options
    let parts = message
    let length = byteLength
    if (compression !== undefined) {
      const packed = compress(compression, message, compressionLevel)
      parts = [packed]
      length = packed.length
    }
    const head = Buffer.allocUnsafe(MESSAGE_HEAD_BYTES)
    head[0] = compression === undefined ? 0 : 1
    writeU32(head, 1, length)
    const framed = [head, ...parts]
    return new Promise((resolve, reject) => {
      const call = new UnaryCall(
        headers === undefined ? this.#headersOf(path) : this.#headersWith(path, headers),
        framed,
        length + MESSAGE_HEAD_BYTES,
        signal,
        this.#dispatch,
        resolve,
        reject,
      )
      if (signal?.aborted) call.fail(new GrpcError(GRPC.CANCELLED, 'cancelled', { cause: signal.reason }))
      else this.#dispatch(call)
    })
  }

  /** What the client is configured to send, names in lower case: a map of its own, for an authenticator to write into. */
  headers(): Map<string, string> {
    return new Map(Array.from(this.#options.headers ?? [], ([name, value]) => [name.toLowerCase(), value]))
  }

  /** Ends everything: calls that have not ended fail with CANCELLED. */
  close(): void {
    this.#closed = true
    this.#options.onClose?.()
    this.#resolveTimer?.cancel()
    const waiting = this.#waiting
    this.#waiting = []
    for (const connection of this.#connections) connection.close(true)
    for (const call of waiting) call.fail(closed())
  }

  readonly #dispatch = (call: UnaryCall): void => {
    if (this.#closed) {
      call.fail(closed())
      return
    }
    this.connect()
    const session = this.#pick()
    if (session !== undefined) {
      call.start(session)
      return
    }
    const error = this.#unavailable()
    if (error !== undefined && this.#options.waitForReady !== true) call.fail(error)
    else if (this.#waiting.length >= MAX_WAITING_CALLS)
      call.fail(new GrpcError(GRPC.UNAVAILABLE, `${MAX_WAITING_CALLS} calls wait for a connection already`))
    else this.#waiting.push(call)
  }

  #pick() {
    const { length } = this.#connections
    for (let step = 0; step < length; step++) {
      const at = (this.#turn + step) % length
      const session = this.#connections[at]!.free
      if (session === undefined) continue
      this.#turn = (at + 1) % length
      return session
    }
    return undefined
  }

  /** The reason when there is neither a connection nor the prospect of a first one. */
  #unavailable(): GrpcError | undefined {
    if (this.#connections.length === 0)
      return this.#resolveError === undefined ? undefined : new GrpcError(GRPC.UNAVAILABLE, this.#resolveError.message)
    let error: Error | undefined
    for (const connection of this.#connections) {
      if (connection.error === undefined) return undefined
      error = connection.error
    }
    return new GrpcError(GRPC.UNAVAILABLE, `connection error: ${error!.message}`, { cause: error })
  }

  readonly #serveWaiting = (): void => {
    if (this.#waiting.length === 0) return
    let served = 0
    for (; served < this.#waiting.length; served++) {
      const call = this.#waiting[served]!
      if (call.over) continue
      const session = this.#pick()
      if (session === undefined) break
      call.start(session)
    }
    this.#waiting = this.#waiting.slice(served)
  }

  readonly #lost = (): void => {
    if (this.#closed) return
    if (this.#options.target.kind === 'dns') this.#resolve()
    const error = this.#unavailable()
    if (error === undefined) return
    this.#failWaiting(error)
  }

  #failWaiting(error: GrpcError): void {
    if (this.#options.waitForReady === true) {
      this.#waiting = this.#waiting.filter((call) => !call.over)
      return
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const call of waiting) call.fail(error)
  }

  #resolve(): void {
    if (this.#resolving || this.#closed) return
    const { clock, target } = this.#options
    const dueMs = this.#resolvedMs + RESOLVE_AT_MOST_EVERY_MS - clock.monotonic()
    this.#resolving = true
    if (dueMs > 0) {
      this.#resolveTimer = clock.after(dueMs, () => {
        this.#resolving = false
        this.#resolve()
      })
      return
    }
    this.#resolvedMs = clock.monotonic()
    lookup(target.host, { all: true }).then(
      (found) => {
        this.#resolving = false
        if (!this.#closed) this.#use(found.map(({ address }) => ({ host: address, port: target.port })))
      },
      (error: Error) => {
        this.#resolving = false
        if (this.#closed) return
        this.#resolveError = new Error(`${target.host} cannot be resolved: ${error.message}`, { cause: error })
        if (this.#connections.length === 0) {
          this.#failWaiting(new GrpcError(GRPC.UNAVAILABLE, this.#resolveError.message))
          this.#resolve()
        }
      },
    )
  }

  /** Connects to addresses that are new, and lets go of those that are no longer named. */
  #use(addresses: readonly Address[]): void {
    this.#resolveError = undefined
    const wanted = new Map(addresses.map((address) => [addressKey(address), address]))
    for (let at = this.#connections.length - 1; at >= 0; at--) {
      const connection = this.#connections[at]!
      if (wanted.delete(addressKey(connection.address))) continue
      this.#connections.splice(at, 1)
      connection.close(false)
    }
    for (const address of wanted.values()) {
      const listener = { onReady: this.#serveWaiting, onLost: this.#lost }
      const connection = new Connection(address, this.#settings, listener)
      this.#connections.push(connection)
      connection.connect()
    }
  }

  #headersOf(path: string): HeaderList {
    let headers = this.#headers.get(path)
    if (headers === undefined) {
      headers = this.#makeHeaders(path)
      this.#headers.set(path, headers)
    }
    return headers
  }

  /** One list for each set of headers, so that the connection knows its block again. */
  #headersWith(path: string, own: ReadonlyMap<string, string>): HeaderList {
    let key = path
    for (const [name, value] of own) key += `\n${name}:${value}`
    let headers = this.#headers.get(key)
    if (headers === undefined) {
      if (this.#headers.size >= MAX_REMEMBERED_HEADERS) this.#headers.clear()
      headers = this.#makeHeaders(path, own)
      this.#headers.set(key, headers)
    }
    return headers
  }

  #makeHeaders(path: string, own: Iterable<readonly [string, string]> = this.#options.headers ?? []): HeaderList {
    const { target, tls, authority, userAgent, compression, timeoutMs = 0 } = this.#options
    const headers: [string, string][] = [
      [':method', 'POST'],
      [':scheme', tls === undefined ? 'http' : 'https'],
      [':path', path],
      [':authority', authority ?? tls?.servername ?? target.authority],
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['user-agent', userAgent],
      ['grpc-accept-encoding', 'identity,gzip'],
    ]
    if (compression !== undefined) headers.push(['grpc-encoding', compression])
    if (timeoutMs > 0) headers.push(['grpc-timeout', `${Math.min(LARGEST_TIMEOUT_MS, Math.ceil(timeoutMs))}m`])
    for (const [name, value] of own) headers.push([name.toLowerCase(), value])
    return headers
  }
}

const closed = (): GrpcError => new GrpcError(GRPC.CANCELLED, 'the client is closed')
