// One address of a gRPC target: connects, says when it is ready, and connects again when the connection is lost.
//
//   resting --connect()--> connecting --SETTINGS came--> ready --lost, drained--> connecting (at once) or waiting
//      ^                        \--failed--> waiting --back-off is over--> connecting
//      \---rest(), from any---/

import { connect, isIP, type NetConnectOpts, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Clock, Timer } from '../../graph/clock.ts'
import { ClientSession } from '../http2/client-session.ts'
import type { ClientTlsOptions } from '../tls/load.ts'

// grpc/grpc, doc/connection-backoff.md.
const BACKOFF_BASE_MS = 1_000
const BACKOFF_MULTIPLIER = 1.6
const BACKOFF_JITTER = 0.2
const BACKOFF_MAX_MS = 120_000
const CONNECT_TIMEOUT_MS = 20_000
/**
 * The second connection in a row that did not last this long and brought no answer counts as failed: a server that drops
 * them is not hammered.
 */
const SHORT_LIVED_MS = 1_000
/** What a call that timed out sets off: a ping, and the end of a connection that does not answer it. */
const PROBE_TIMEOUT_MS = 10_000
/** grpc-go's servers end connections that ping often without need. */
const PROBE_AT_MOST_EVERY_MS = 60_000
/** As Go's dialer has it. */
const TCP_KEEPALIVE_MS = 15_000
const READ_CHUNK_BYTES = 64 * 1024

export interface Keepalive {
  readonly timeMs: number
  readonly timeoutMs: number
  readonly permitWithoutStream: boolean
}

export interface ConnectionSettings {
  readonly tls: ClientTlsOptions | undefined
  /** The host that was asked for, which its certificate must name. */
  readonly host: string
  readonly keepalive: Keepalive | undefined
  readonly clock: Clock
  readonly random: () => number
}

export interface Address {
  readonly host?: string
  readonly port?: number
  readonly path?: string
}

export const addressKey = (address: Address): string => address.path ?? `${address.host} ${address.port}`

const addressText = (address: Address): string => address.path ?? `${address.host}:${address.port}`

export interface ConnectionListener {
  /** Calls may be started, more than before. */
  onReady(): void
  /** The address cannot be reached, or was lost; another attempt follows by itself, unless rest() is called. */
  onLost(): void
}

export class Connection {
  readonly address: Address
  readonly #settings: ConnectionSettings
  readonly #listener: ConnectionListener
  #session: ClientSession | undefined
  /** Sessions that finish their calls after a GOAWAY. */
  readonly #leaving = new Set<ClientSession>()
  #socket: Socket | undefined
  #timer: Timer | undefined
  #keepalive: Timer | undefined
  #probe: Timer | undefined
  #probedMs = Number.NEGATIVE_INFINITY
  #failures = 0
  #shortLived = 0
  #openedMs = 0
  /** The back-off is over then. */
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #keepaliveMs: number
  #resting = true
  #closed = false
  /** Why there is no connection; undefined while there is one, or before the first attempt has ended. */
  error: Error | undefined

  constructor(address: Address, settings: ConnectionSettings, listener: ConnectionListener) {
    this.address = address
    this.#settings = settings
    this.#listener = listener
    this.#keepaliveMs = settings.keepalive?.timeMs ?? 0
  }

  /** The session that takes a call now. */
  get free(): ClientSession | undefined {
    const session = this.#session
    return session !== undefined && session.room > 0 ? session : undefined
  }

  get ready(): boolean {
    return this.#session !== undefined
  }

  /** Connects, and stays connected. False where the back-off must be over first. */
  connect(): boolean {
    if (this.#closed) return false
    this.#resting = false
    if (this.#socket !== undefined) return true
    this.#timer?.cancel()
    const { clock } = this.#settings
    const waitMs = this.#notBeforeMs - clock.monotonic()
    if (waitMs > 0) {
      this.#timer = clock.after(waitMs, () => this.connect())
      return false
    }
    const socket = this.#dial()
    this.#socket = socket
    socket.once('error', (error) => this.#failed(socket, error))
    socket.once('close', () => this.#failed(socket, new Error('connection closed')))
    this.#timer = clock.after(CONNECT_TIMEOUT_MS, () => {
      this.#failed(socket, new Error(`no connection within ${CONNECT_TIMEOUT_MS} ms`))
    })
    return true
  }

  /** Lets go of the address until connect(). Calls that run are finished. */
  rest(): void {
    this.#resting = true
    this.#timer?.cancel()
    const socket = this.#socket
    if (this.#session !== undefined) this.#session.drain()
    else if (socket !== undefined) {
      this.#socket = undefined
      socket.destroy()
    }
  }

  /** Ends connections. Calls that run go on until `now`. */
  close(now: boolean): void {
    this.#closed = true
    this.#timer?.cancel()
    this.#keepalive?.cancel()
    this.#probe?.cancel()
    const sessions = this.#session === undefined ? [...this.#leaving] : [this.#session, ...this.#leaving]
    for (const session of sessions) {
      if (now) session.destroy(new Error('the client is closed'))
      else session.drain()
    }
    if (this.#session === undefined) this.#socket?.destroy()
  }

  #dial(): Socket {
    const { tls, host } = this.#settings
    const { address } = this
    let session: ClientSession | undefined
    const greet = (socket: Socket): void => {
      session = this.#greet(socket)
    }
    // Text outside ASCII and IP addresses cannot be a server name (RFC 6066 3).
    if (tls !== undefined) {
      const servername = tls.servername ?? (isIP(host) === 0 ? host : '')
      const socket = connectTls({ ...address, ...tls, servername, ALPNProtocols: ['h2'] })
      socket.setNoDelay(true)
      socket.setKeepAlive(true, TCP_KEEPALIVE_MS)
      socket.once('secureConnect', () => {
        if (socket.alpnProtocol === 'h2') greet(socket)
        else socket.destroy(new Error('the server does not offer HTTP/2 in its TLS handshake'))
      })
      socket.on('data', (chunk: Buffer) => session?.received(chunk))
      return socket
    }
    const onread = {
      buffer: new Uint8Array(READ_CHUNK_BYTES),
      callback: (length: number, buffer: Uint8Array): boolean => {
        session?.received(buffer.subarray(0, length))
        return true
      },
    }
    const to: NetConnectOpts =
      address.path === undefined
        ? {
            host: address.host,
            port: address.port!,
            noDelay: true,
            keepAlive: true,
            keepAliveInitialDelay: TCP_KEEPALIVE_MS,
          }
        : { path: address.path }
    const socket = connect({ ...to, onread })
    socket.resume()
    socket.once('connect', () => greet(socket))
    return socket
  }

  #greet(socket: Socket): ClientSession {
    const session: ClientSession = new ClientSession(socket, {
      onOpen: () => {
        this.#timer?.cancel()
        this.#session = session
        this.error = undefined
        this.#openedMs = this.#settings.clock.monotonic()
        this.#watch(session)
        this.#listener.onReady()
      },
      onRoom: () => this.#listener.onReady(),
      onDraining: (words) => {
        if (this.#session !== session) return
        // grpc/proposal A8: the server said how it likes to be pinged.
        if (words === 'too_many_pings') this.#keepaliveMs *= 2
        this.#leaving.add(session)
        this.#lost(session, new Error('the server is going away'))
      },
      onCancelled: () => this.#probeFor(session),
      onClosed: (reason) => {
        this.#leaving.delete(session)
        if (this.#session === session) this.#lost(session, reason)
        else this.#failed(socket, reason)
      },
    })
    return session
  }

  /** An attempt to connect came to nothing. */
  #failed(socket: Socket, error: Error): void {
    if (this.#socket !== socket || this.#session !== undefined) return
    socket.destroy()
    this.#socket = undefined
    this.#failures++
    this.#retry(error)
  }

  /** A connection that stood is gone. */
  #lost(session: ClientSession, error: Error): void {
    this.#keepalive?.cancel()
    this.#probe?.cancel()
    this.#session = undefined
    this.#socket = undefined
    const lasted = this.#settings.clock.monotonic() - this.#openedMs
    this.#shortLived = lasted < SHORT_LIVED_MS && !session.answered ? this.#shortLived + 1 : 0
    this.#failures = Math.max(0, this.#shortLived - 1)
    this.#retry(error)
  }

  #retry(error: Error): void {
    this.#timer?.cancel()
    this.#notBeforeMs = Number.NEGATIVE_INFINITY
    if (this.#failures > 0) {
      this.error = new Error(`${addressText(this.address)}: ${error.message}`, { cause: error })
      const { clock, random } = this.#settings
      const interval = Math.min(BACKOFF_MAX_MS, BACKOFF_BASE_MS * BACKOFF_MULTIPLIER ** (this.#failures - 1))
      this.#notBeforeMs = clock.monotonic() + interval * (1 - BACKOFF_JITTER + 2 * BACKOFF_JITTER * random())
    }
    if (this.#closed || this.#resting) return
    this.#listener.onLost()
    if (!this.#resting) this.connect()
  }

  /**
   * A peer that lost power or was forgotten by a firewall takes bytes for a quarter of an hour before TCP gives up; a
   * call that got no answer in time is reason to ask whether it lives.
   */
  #probeFor(session: ClientSession): void {
    const { clock, keepalive } = this.#settings
    const now = clock.monotonic()
    if (keepalive !== undefined || this.#session !== session || now - this.#probedMs < PROBE_AT_MOST_EVERY_MS) return
    this.#probedMs = now
    const timer = clock.after(PROBE_TIMEOUT_MS, () => session.destroy(new Error('the server does not answer pings')))
    this.#probe = timer
    session.ping(() => timer.cancel())
  }

  /** Pings while calls run (or always), and gives a connection up that does not answer. */
  #watch(session: ClientSession): void {
    const { keepalive, clock } = this.#settings
    if (keepalive === undefined) return
    const next = (): void => {
      this.#keepalive = clock.after(this.#keepaliveMs, () => {
        if (session.active === 0 && !keepalive.permitWithoutStream) {
          next()
          return
        }
        this.#keepalive = clock.after(keepalive.timeoutMs, () => session.destroy(new Error('keepalive: no answer')))
        session.ping(() => {
          this.#keepalive?.cancel()
          if (this.#session === session) next()
        })
      })
    }
    next()
  }
}
