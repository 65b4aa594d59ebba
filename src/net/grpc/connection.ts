// One client's HTTP/2 connection: its age, its idleness, its pings. Times and defaults are gRPC's (grpc-go keepalive;
// grpc/proposal A8 and A9); all are kept by one sweep over the connections instead of timers for each.

import { constants as H2, type IncomingHttpHeaders, type ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { ConnectionBytes } from '../byte-budget.ts'
import { FloodWatch } from '../http2/flood-watch.ts'
import type { Limits } from '../limits.ts'
import type { GrpcServerOptions } from './engine.ts'

/** grpc-go: pings that came too early before the connection is ended. */
const MAX_PING_STRIKES = 2
/** grpc-go: the least time between pings of a client without calls, where it may not ping at all. */
const IDLE_PING_MS = 2 * 3600 * 1000

interface Sweepable {
  sweep(now: number): void
}

export class Connection {
  readonly session: ServerHttp2Session
  readonly calls = new Set<Sweepable>()
  readonly peer: string
  readonly bytes: ConnectionBytes
  readonly #options: GrpcServerOptions
  readonly #watch: FloodWatch
  readonly #openedAt: number
  readonly #ageMs: number
  #ready = false
  #idleSince: number
  #graceUntil = Infinity
  #pingSentAt = 0
  #heardAt: number
  #bytesRead = 0
  #strikes = 0
  #pingedAt = -Infinity

  /** `socket` is the connection's own, not the session's view of it. */
  constructor(
    session: ServerHttp2Session,
    socket: Socket | undefined,
    options: GrpcServerOptions,
    limits: Limits,
    now: number,
  ) {
    this.session = session
    this.#options = options
    this.bytes = options.budget.connection(session)
    this.#openedAt = now
    this.#idleSince = now
    this.#heardAt = now
    const { maxConnectionAgeMs } = options.keepalive
    // grpc-go spreads the ends of connections over a tenth either way, so that clients do not return all at once.
    const spread = 0.9 + 0.2 * options.random()
    this.#ageMs = maxConnectionAgeMs > 0 ? maxConnectionAgeMs * spread : Infinity
    const { remoteAddress, remotePort } = session.socket
    this.peer =
      remoteAddress === undefined
        ? ''
        : `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`
    session.once('remoteSettings', () => {
      this.#ready = true
    })
    this.#watch = new FloodWatch(session, socket, { limits, countPings: false, onFlood: options.onRefused }, now)
    session.on('ping', () => this.#onPing())
    // Reported on the server as sessionError.
    session.on('error', () => {})
  }

  begin(call: Sweepable): void {
    this.calls.add(call)
    this.#watch.requestBegins()
  }

  forget(call: Sweepable, answered: boolean): void {
    if (!this.calls.delete(call)) return
    this.#watch.requestEnds(answered)
    if (this.calls.size === 0) this.#idleSince = performance.now()
  }

  areHeadersTooLarge(headers: IncomingHttpHeaders): boolean {
    return this.#watch.areHeadersTooLarge(headers)
  }

  heard(bytes: number): void {
    this.#watch.bodyPiece(bytes)
  }

  /** Ends the connection: its client costs more than it brings. */
  flood(detail: string): void {
    this.#watch.end('flood', detail)
  }

  /** A client that takes nothing of what it is answered, on a socket that is full. */
  stuck(): void {
    this.#watch.end('timeout', 'the client does not read its answers')
  }

  /** Headers or data go out: the client may ping again. */
  answered(): void {
    this.#strikes = 0
    this.#pingedAt = -Infinity
  }

  sweep(now: number): void {
    const { session } = this
    if (session.destroyed) return
    for (const call of this.calls) call.sweep(now)
    if (!this.#ready) {
      if (now - this.#openedAt > this.#options.handshakeMs) {
        this.#options.onRefused('timeout', 'the connection never spoke HTTP/2')
        session.destroy()
      }
      return
    }
    this.#watch.sweep(now)
    if (session.destroyed) return
    this.#sweepAge(now)
    this.#sweepSilence(now)
  }

  #sweepAge(now: number): void {
    const { keepalive } = this.#options
    if (now > this.#graceUntil) {
      this.session.destroy()
      return
    }
    if (this.session.closed) return
    const idle = keepalive.maxConnectionIdleMs
    const tooIdle = idle > 0 && this.calls.size === 0 && now - this.#idleSince > idle
    if (!tooIdle && now - this.#openedAt <= this.#ageMs) return
    const grace = keepalive.maxConnectionAgeGraceMs
    if (grace > 0) this.#graceUntil = now + grace
    this.session.close()
  }

  /** A client of which nothing was heard for `timeMs` is asked, and after `timeoutMs` more without an answer is gone. */
  #sweepSilence(now: number): void {
    const { timeMs, timeoutMs } = this.#options.keepalive
    const bytesRead = this.session.socket?.bytesRead ?? 0
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead
      this.#heardAt = now
      this.#pingSentAt = 0
    } else if (this.#pingSentAt > 0) {
      if (now - this.#pingSentAt > timeoutMs) this.session.destroy()
    } else if (now - this.#heardAt > timeMs && !this.session.closed) {
      this.#pingSentAt = now
      this.session.ping(() => {
        this.#pingSentAt = 0
        this.#heardAt = performance.now()
      })
    }
  }

  #onPing(): void {
    const { keepalive } = this.#options
    const now = performance.now()
    const least = this.calls.size === 0 && !keepalive.permitWithoutStream ? IDLE_PING_MS : keepalive.minTimeMs
    if (now - this.#pingedAt < least) this.#strikes++
    this.#pingedAt = now
    if (this.#strikes <= MAX_PING_STRIKES) return
    this.#options.onRefused('protocol', 'too many pings')
    this.session.goaway(H2.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from('too_many_pings'))
    this.session.destroy(undefined, H2.NGHTTP2_ENHANCE_YOUR_CALM)
  }
}
