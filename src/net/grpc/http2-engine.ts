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
import { guardConnections, sweepEveryMs } from '../admission.ts'
import { http2Bounds } from '../http2/flood-watch.ts'
import { type Limits, limitsWith } from '../limits.ts'
import { endSocket } from '../linger.ts'
import { type Listening, listen } from '../listen.ts'
import type { TlsWatch } from '../tls/reload.ts'
import { Connection } from './connection.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'
import { Call, PackedAnswers } from './http2-call.ts'

const STREAM_WINDOW_BYTES = 1024 * 1024
/** A connection's share: enough for several streams at once, and a bound on what one sender can have under way. */
const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024
const FRAME_BYTES = 1024 * 1024

export class Http2GrpcServer implements GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #limits: Limits
  readonly #log: Logger
  readonly #server: Http2Server
  readonly #connections = new Set<Connection>()
  readonly #connectionOf = new WeakMap<object, Connection>()
  readonly #packed = new PackedAnswers()
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
    this.#sweeper = setInterval(
      () => this.#sweep(),
      sweepEveryMs(shortestMs(this.#options, this.#limits), SWEEP_MOST_MS),
    ).unref()
    return bound
  }

  close(deadline: AbortSignal): Promise<void> {
    this.#tlsWatch?.stop()
    this.#closing ??= this.#close(deadline)
    return this.#closing
  }

  async #close(deadline: AbortSignal): Promise<void> {
    this.#guard.stop()
    if (!this.#server.listening) return
    const cut = (): void => {
      for (const socket of this.#sockets) socket.destroy()
    }
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      // GOAWAY: calls in progress end as they would, new ones go elsewhere.
      for (const connection of this.#connections) connection.session.close()
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut, { once: true })
    })
    deadline.removeEventListener('abort', cut)
    clearInterval(this.#sweeper)
  }

  #onSession(session: ServerHttp2Session): void {
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES)
    const socket = this.#arriving
    const connection = new Connection(session, socket, this.#options, this.#limits, performance.now())
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
    new Call(stream, headers, connection, this.#options, this.#limits, this.#packed).begin()
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of this.#connections) connection.sweep(now)
  }
}

/** What is not told as it happens (flood-watch.ts) is seen within this time. */
const SWEEP_MOST_MS = 1000

function shortestMs(options: GrpcServerOptions, limits: Limits): number {
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
  return Math.min(...bounds.filter((ms) => ms > 0))
}
