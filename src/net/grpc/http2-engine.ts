// The gRPC door on node:http2: the listening socket, its connections, and one sweep that keeps all of their times.

import {
  createSecureServer,
  createServer,
  constants as H2,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2'
import type { Server, Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import type { Logger } from '../../self/log.ts'
import { guardConnections } from '../admission.ts'
import { endSession, http2Bounds, tellWatch, unsentBytes } from '../http2/flood-watch.ts'
import { type Limits, limitsWith } from '../limits.ts'
import { endSocket } from '../linger.ts'
import { type Listening, listen } from '../listen.ts'
import type { TlsWatch } from '../tls/reload.ts'
import { Call, type CallServices, callServices } from './call.ts'
import { Connection, type Link } from './connection.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'
import { Http2Head, Http2Wire } from './http2-wire.ts'
import { CONNECTION_WINDOW_BYTES, FRAME_BYTES, STREAM_WINDOW_BYTES, sweepMs } from './settings.ts'

export class Http2GrpcServer implements GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #limits: Limits
  readonly #log: Logger
  readonly #server: Http2Server
  readonly #connections = new Set<Connection>()
  readonly #connectionOf = new WeakMap<object, Connection>()
  readonly #services: CallServices
  readonly #sockets = new Set<Socket>()
  /** The socket whose session is about to be announced. */
  #arriving: Socket | undefined
  #sweeper: NodeJS.Timeout | undefined
  #tlsWatch: TlsWatch | undefined
  readonly #guard: { stop(): void }
  #closing: Promise<void> | undefined

  constructor(options: GrpcServerOptions, log: Logger) {
    this.#options = options
    this.#log = log
    this.#limits = limitsWith({ ...options.limits, maxConnections: options.maxConnections })
    this.#services = callServices(options, this.#limits)
    const settings = {
      ...http2Bounds(this.#limits),
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxFrameSize: FRAME_BYTES,
        maxConcurrentStreams: options.maxConcurrentStreams,
        maxHeaderListSize: this.#limits.headerBytes,
      },
    }
    const { tls } = options
    this.#server =
      tls === undefined
        ? createServer(settings)
        : (createSecureServer({ ...settings, ...tls, handshakeTimeout: options.handshakeMs }) as unknown as Http2Server)
    // A session shows its socket as a proxy that cannot be destroyed, and node:http2 leaves the socket of a session that
    // ends with an error open until the client closes it.
    this.#server.prependListener('connection', (socket: Socket) => {
      this.#arriving = socket
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.prependListener('secureConnection', (socket: Socket) => {
      this.#arriving = socket
    })
    this.#server.on('session', (session) => this.#onSession(session))
    this.#server.on('stream', (stream, headers) => this.#onStream(stream as ServerHttp2Stream, headers))
    this.#server.on('sessionError', (error) => {
      options.onRefused('protocol', error.message)
    })
    // A TLS client that offers no h2, and one whose certificate is refused.
    this.#server.on('unknownProtocol', (socket) => {
      options.onRefused('protocol', 'the client did not agree on HTTP/2')
      socket.destroy()
    })
    this.#server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: Socket) => {
      const late = error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT'
      options.onRefused(late ? 'timeout' : 'protocol', error.message)
      socket.destroy()
    })
    this.#guard = guardConnections(this.#server as unknown as Server, {
      limits: this.#limits,
      countLoopback: options.countLoopback ?? false,
      onRefused: options.onRefused,
    })
  }

  async listen(): Promise<Listening> {
    const bound = await listen(this.#server as unknown as Server, this.#options.listen, this.#log)
    this.#server.on('error', (error) => this.#options.onError(error))
    this.#tlsWatch = this.#options.watchTls?.((tls) => (this.#server as unknown as TlsServer).setSecureContext(tls))
    this.#sweeper = setInterval(() => this.#sweep(), sweepMs(this.#options, this.#limits)).unref()
    return bound
  }

  close(deadline: AbortSignal): Promise<void> {
    this.#tlsWatch?.stop()
    this.#closing ??= this.#close(deadline)
    return this.#closing
  }

  async #close(deadline: AbortSignal): Promise<void> {
    this.#guard.stop()
    if (!this.#server.listening) {
      clearInterval(this.#sweeper)
      return
    }
    const cut = (): void => {
      for (const socket of this.#sockets) socket.destroy()
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      // GOAWAY: calls in progress end as they would, new ones go elsewhere.
      for (const connection of this.#connections) connection.close()
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut, { once: true })
    })
    deadline.removeEventListener('abort', cut)
    clearInterval(this.#sweeper)
    this.#services.deadlines.stop()
  }

  #onSession(session: ServerHttp2Session): void {
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    const socket = this.#arriving
    const link = new SessionLink(session, socket)
    const connection = new Connection(link, this.#options, this.#limits, performance.now())
    link.connection = connection
    session.once('remoteSettings', () => connection.onOpen())
    session.on('ping', () => connection.onPing())
    tellWatch(session, connection.watch)
    this.#connections.add(connection)
    this.#connectionOf.set(session, connection)
    session.on('error', () => {
      if (socket !== undefined) endSocket(socket)
    })
    session.on('close', () => this.#connections.delete(connection))
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    const connection = this.#connectionOf.get(stream.session!)
    if (connection === undefined) {
      stream.close(H2.NGHTTP2_REFUSED_STREAM)
      return
    }
    if (connection.watch.areHeadersTooLarge(headers)) {
      this.#options.onRefused('bad_request', `more than ${this.#limits.headerBytes} bytes of headers`)
      stream.on('error', () => {})
      stream.close(H2.NGHTTP2_ENHANCE_YOUR_CALM)
      return
    }
    const wire = new Http2Wire(stream)
    const call = new Call(wire, new Http2Head(headers), connection, this.#services)
    wire.listen(call)
    call.begin()
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of this.#connections) connection.sweep(now)
  }
}

class SessionLink implements Link {
  readonly #session: ServerHttp2Session
  readonly #socket: Socket | undefined
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  connection: Connection | undefined

  /** `socket` is the connection's own, not the session's view of it. */
  constructor(session: ServerHttp2Session, socket: Socket | undefined) {
    this.#session = session
    this.#socket = socket
    this.remoteAddress = session.socket.remoteAddress
    this.remotePort = session.socket.remotePort
  }

  get bytesRead(): number {
    return this.#socket?.bytesRead ?? 0
  }

  get destroyed(): boolean {
    return this.#session.destroyed
  }

  get unsentBytes(): number {
    return unsentBytes(this.#socket)
  }

  get closing(): boolean {
    return this.#session.closed
  }

  close(): void {
    this.#session.close()
  }

  destroy(): void {
    this.#session.destroy()
  }

  ping(): void {
    this.#session.ping(() => this.connection?.onPong())
  }

  calmDown(words: string): void {
    if (words !== '' && !this.#session.destroyed) {
      // Its words reach the client only where nothing ends the socket in the same turn.
      this.#session.goaway(H2.NGHTTP2_ENHANCE_YOUR_CALM, 0, Buffer.from(words))
      this.#session.destroy(undefined, H2.NGHTTP2_ENHANCE_YOUR_CALM)
      return
    }
    endSession(this.#session)
    // The session leaves the socket of a client that does not close it open.
    if (this.#socket !== undefined) endSocket(this.#socket)
  }
}
