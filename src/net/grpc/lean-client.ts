// The gRPC client on HTTP/2 of our own (src/net/http2).
//
// A call starts on the next connection that is ready (client-balancer.ts). While none is, it waits as long as one is being
// made; once all have failed it fails at once with UNAVAILABLE, or goes on waiting with `waitForReady`. Addresses are
// looked up again when a connection is lost (client-resolver.ts).

import { compress } from '../compression.ts'
import { writeU32 } from '../http2/frame.ts'
import type { HeaderList } from '../http2/hpack.ts'
import { GRPC } from '../status.ts'
import { type Balancer, createBalancer } from './client-balancer.ts'
import { MESSAGE_HEAD_BYTES, UnaryCall } from './client-call.ts'
import { configuredHeaders, type GrpcClient, type GrpcClientOptions } from './client-engine.ts'
import { TargetResolver } from './client-resolver.ts'
import { GrpcError } from './client-status.ts'

/** Calls without a connection; more are refused with UNAVAILABLE. Each holds its message. */
export const MAX_WAITING_CALLS = 10_000
/** Sets of headers that the client keeps ready: paths times credentials and tenants. */
const MAX_REMEMBERED_HEADERS = 64
/** grpc-timeout has at most eight digits (grpc/grpc, doc/PROTOCOL-HTTP2.md). */
const LARGEST_TIMEOUT_MS = 99_999_999

export class LeanGrpcClient implements GrpcClient {
  readonly #options: GrpcClientOptions
  readonly #balancer: Balancer
  readonly #resolver: TargetResolver
  readonly #headers = new Map<string, HeaderList>()
  #waiting: UnaryCall[] = []
  #started = false
  #closed = false
  #resolved = false
  #resolveError: Error | undefined

  constructor(options: GrpcClientOptions) {
    const { target, tls, keepalive, clock, random } = options
    this.#options = options
    this.#balancer = createBalancer(
      options.balancer ?? 'round_robin',
      { tls, host: target.host, keepalive, clock, random },
      { onReady: () => this.#serveWaiting(), onLost: () => this.#lost() },
    )
    this.#resolver = new TargetResolver(target, options.lookup, clock, {
      onAddresses: (addresses) => {
        this.#resolved = true
        this.#balancer.use(addresses)
      },
      onUnresolved: (error) => {
        this.#resolveError = error
        this.#failWaiting()
      },
    })
  }

  get ready(): boolean {
    return this.#balancer.ready
  }

  connect(): void {
    if (this.#started || this.#closed) return
    this.#started = true
    this.#resolver.start()
  }

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

  headers(): Map<string, string> {
    return configuredHeaders(this.#options)
  }

  close(): void {
    this.#closed = true
    this.#options.onClose?.()
    this.#resolver.stop()
    const waiting = this.#waiting
    this.#waiting = []
    this.#balancer.close(true)
    for (const call of waiting) call.fail(closed())
  }

  readonly #dispatch = (call: UnaryCall): void => {
    if (this.#closed) {
      call.fail(closed())
      return
    }
    this.connect()
    const session = this.#balancer.pick()
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

  /** The reason when there is neither a connection nor the prospect of a first one. */
  #unavailable(): GrpcError | undefined {
    // Addresses that were found once are used for as long as the name cannot be resolved again.
    if (!this.#resolved)
      return this.#resolveError === undefined ? undefined : new GrpcError(GRPC.UNAVAILABLE, this.#resolveError.message)
    const { error } = this.#balancer
    return error && new GrpcError(GRPC.UNAVAILABLE, `connection error: ${error.message}`, { cause: error })
  }

  #serveWaiting(): void {
    if (this.#waiting.length === 0) return
    let served = 0
    for (; served < this.#waiting.length; served++) {
      const call = this.#waiting[served]!
      if (call.over) continue
      const session = this.#balancer.pick()
      if (session === undefined) break
      call.start(session)
    }
    this.#waiting = this.#waiting.slice(served)
  }

  #lost(): void {
    if (this.#closed) return
    this.#resolver.again()
    this.#failWaiting()
  }

  #failWaiting(): void {
    const error = this.#unavailable()
    if (error === undefined) return
    const waiting = this.#waiting
    this.#waiting = this.#options.waitForReady === true ? waiting.filter((call) => !call.over) : []
    if (this.#options.waitForReady !== true) for (const call of waiting) call.fail(error)
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
