// One client's HTTP/2 connection, on whichever engine: its age, its idleness, its pings. Times and defaults are gRPC's
// (grpc-go keepalive; grpc/proposal A8 and A9); all are kept by one sweep over the connections instead of timers for each.

import { Slots } from '../../collections/slots.ts'
import type { ConnectionBytes } from '../byte-budget.ts'
import { FloodWatch, type Watched } from '../http2/flood-watch.ts'
import type { Limits } from '../limits.ts'
import type { GrpcServerOptions } from './engine.ts'

/** grpc-go: pings that came too early before the connection is ended. */
const MAX_PING_STRIKES = 2
/** grpc-go: the least time between pings of a client without calls, where it may not ping at all. */
const IDLE_PING_MS = 2 * 3600 * 1000

/** A call. */
interface Sweepable {
  /** For the connection alone: its place among the calls, -1 when it has none. */
  slot: number
  sweep(now: number): void
}

/** The engine's side of a connection. */
export interface Link extends Watched {
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  /** close() was called. */
  readonly closing: boolean
  /** Politely: calls in progress are answered. */
  close(): void
  destroy(): void
  /** Connection.onPong follows, unless the client is gone. */
  ping(): void
}

export class Connection {
  readonly #link: Link
  readonly calls = new Slots<Sweepable>()
  readonly peer: string
  readonly bytes: ConnectionBytes
  readonly #options: GrpcServerOptions
  readonly watch: FloodWatch
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

  constructor(link: Link, options: GrpcServerOptions, limits: Limits, now: number) {
    this.#link = link
    this.#options = options
    this.bytes = options.budget.connection(link)
    this.#openedAt = now
    this.#idleSince = now
    this.#heardAt = now
    const { maxConnectionAgeMs } = options.keepalive
    // grpc-go spreads the ends of connections over a tenth either way, so that clients do not return all at once.
    const spread = 0.9 + 0.2 * options.random()
    this.#ageMs = maxConnectionAgeMs > 0 ? maxConnectionAgeMs * spread : Infinity
    const { remoteAddress, remotePort } = link
    this.peer =
      remoteAddress === undefined
        ? ''
        : `${remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress}:${remotePort}`
    this.watch = new FloodWatch(link, { limits, countPings: false, onFlood: options.onRefused }, now)
  }

  close(): void {
    this.#link.close()
  }

  /** The client's SETTINGS have come. */
  onOpen(): void {
    this.#ready = true
    this.watch.greeted()
  }

  begin(call: Sweepable): void {
    call.slot = this.calls.add(call)
    this.watch.requestBegins()
  }

  forget(call: Sweepable, answered: boolean): void {
    if (call.slot < 0) return
    this.calls.remove(call.slot)
    call.slot = -1
    this.watch.requestEnds(answered)
    if (this.calls.size === 0) this.#idleSince = performance.now()
  }

  heard(bytes: number): void {
    this.watch.bodyPiece(bytes)
  }

  /** Ends the connection: its client costs more than it brings. */
  flood(detail: string): void {
    this.watch.end('flood', detail)
  }

  /** A client that takes nothing of what it is answered, on a socket that is full. */
  stuck(): void {
    this.watch.end('timeout', 'the client does not read its answers')
  }

  /** Headers or data go out: the client may ping again. */
  answered(): void {
    this.#strikes = 0
    this.#pingedAt = -Infinity
  }

  sweep(now: number): void {
    if (this.#link.destroyed) {
      this.watch.sweep(now)
      return
    }
    this.calls.each((call) => call.sweep(now))
    if (!this.#ready) {
      if (now - this.#openedAt > this.#options.handshakeMs) {
        this.#options.onRefused('timeout', 'the connection never spoke HTTP/2')
        this.#link.destroy()
      }
      return
    }
    this.watch.sweep(now)
    if (this.#link.destroyed) return
    this.#sweepAge(now)
    this.#sweepSilence(now)
  }

  #sweepAge(now: number): void {
    const { keepalive } = this.#options
    if (now > this.#graceUntil) {
      this.#link.destroy()
      return
    }
    if (this.#link.closing) return
    const idle = keepalive.maxConnectionIdleMs
    const tooIdle = idle > 0 && this.calls.size === 0 && now - this.#idleSince > idle
    if (!tooIdle && now - this.#openedAt <= this.#ageMs) return
    const grace = keepalive.maxConnectionAgeGraceMs
    if (grace > 0) this.#graceUntil = now + grace
    this.#link.close()
  }

  /** A client of which nothing was heard for `timeMs` is asked, and after `timeoutMs` more without an answer is gone. */
  #sweepSilence(now: number): void {
    const { timeMs, timeoutMs } = this.#options.keepalive
    const bytesRead = this.#link.bytesRead
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead
      this.#heardAt = now
      this.#pingSentAt = 0
    } else if (this.#pingSentAt > 0) {
      if (now - this.#pingSentAt > timeoutMs) this.#link.destroy()
    } else if (now - this.#heardAt > timeMs && !this.#link.closing) {
      this.#pingSentAt = now
      this.#link.ping()
    }
  }

  onPong(): void {
    this.#pingSentAt = 0
    this.#heardAt = performance.now()
  }

  onPing(): void {
    this.watch.onPing()
    const { keepalive } = this.#options
    const now = performance.now()
    const least = this.calls.size === 0 && !keepalive.permitWithoutStream ? IDLE_PING_MS : keepalive.minTimeMs
    if (now - this.#pingedAt < least) this.#strikes++
    this.#pingedAt = now
    if (this.#strikes <= MAX_PING_STRIKES) return
    this.#options.onRefused('protocol', 'too many pings')
    this.#link.calmDown('too_many_pings')
  }
}
