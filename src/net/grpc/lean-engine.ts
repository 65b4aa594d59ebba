// The gRPC door on bare sockets with HTTP/2 of our own (src/net/http2): the listening socket, its connections, and one
// sweep that keeps all of their times.

import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket } from 'node:tls'
import type { Logger } from '../../self/log.ts'
import { H2_ERROR } from '../http2/frame.ts'
import type { RequestHead } from '../http2/request-head.ts'
import {
  type ControlFrame,
  greeting,
  ServerSession,
  type ServerSessionOwner,
  type ServerSessionSettings,
} from '../http2/server-session.ts'
import type { ServerStream } from '../http2/server-stream.ts'
import { Slabs } from '../http2/slabs.ts'
import { LIMITS } from '../limits.ts'
import { type Listening, listen } from '../listen.ts'
import { Call, type CallServices, callServices } from './call.ts'
import { Connection, type Link } from './connection.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'
import { LeanWire, PackedHeads } from './lean-wire.ts'
import { CONNECTION_WINDOW_BYTES, FRAME_BYTES, STREAM_WINDOW_BYTES, sweepEveryMs } from './settings.ts'

/** When the door closes, a client has so long to say that it knows. */
const LAST_CALL_MS = 1000

export class LeanGrpcServer implements GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #log: Logger
  readonly #server: Server
  readonly #door: Door
  /** TLS handshakes too. */
  readonly #sockets = new Set<Socket>()
  #sweeper: NodeJS.Timeout | undefined
  #closing: Promise<void> | undefined

  constructor(options: GrpcServerOptions, log: Logger) {
    this.#options = options
    this.#log = log
    this.#door = new Door(options)
    const { tls, handshakeMs } = options
    if (tls === undefined) this.#server = createServer({ noDelay: true }, (socket) => this.#door.enter(socket))
    else {
      const server = createTlsServer({ ...tls, ALPNProtocols: ['h2'], handshakeTimeout: handshakeMs })
      server.on('secureConnection', (socket) => this.#onSecure(socket))
      server.on('tlsClientError', (error, socket) => {
        options.onRefused('protocol', error.message)
        // After a handshake that took too long it would stay open.
        socket.destroy()
      })
      this.#server = server
    }
    this.#server.maxConnections = options.maxConnections
    this.#server.prependListener('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  async listen(): Promise<Listening> {
    const bound = await listen(this.#server, this.#options.listen, this.#log)
    this.#server.on('error', (error) => this.#options.onError(error))
    this.#sweeper = setInterval(() => this.#door.sweep(), sweepEveryMs(this.#options)).unref()
    return bound
  }

  close(deadline: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(deadline)
    return this.#closing
  }

  async #close(deadline: AbortSignal): Promise<void> {
    if (!this.#server.listening) return
    const cut = (): void => {
      for (const socket of this.#sockets) socket.destroy()
    }
    const lastCall = setTimeout(() => this.#door.lastCall(), LAST_CALL_MS)
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#door.close()
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut, { once: true })
    })
    deadline.removeEventListener('abort', cut)
    clearTimeout(lastCall)
    clearInterval(this.#sweeper)
    this.#door.stop()
  }

  #onSecure(socket: TLSSocket): void {
    if (socket.alpnProtocol === 'h2') {
      socket.setNoDelay(true)
      this.#door.enter(socket)
      return
    }
    this.#options.onRefused('protocol', 'the client did not agree on HTTP/2')
    socket.on('error', () => {})
    socket.destroy()
  }
}

/** What the connections of one server share. */
class Door {
  readonly options: GrpcServerOptions
  readonly services: CallServices
  readonly heads = new PackedHeads()
  readonly settings: ServerSessionSettings
  readonly hello: Buffer
  readonly slabs = new Slabs()
  readonly clients = new Set<Client>()
  #closing = false

  constructor(options: GrpcServerOptions) {
    this.options = options
    this.services = callServices(options)
    this.settings = {
      maxStreams: options.maxConcurrentStreams,
      maxHeaderListBytes: LIMITS.headerBytes,
      maxFrameBytes: FRAME_BYTES,
      streamWindowBytes: STREAM_WINDOW_BYTES,
      connectionWindowBytes: CONNECTION_WINDOW_BYTES,
    }
    this.hello = greeting(this.settings)
  }

  enter(socket: Socket): void {
    this.clients.add(new Client(socket, this))
  }

  sweep(): void {
    const now = performance.now()
    for (const client of this.clients) client.sweep(now)
  }

  close(): void {
    if (this.#closing) return
    this.#closing = true
    for (const client of this.clients) client.connection.close()
  }

  lastCall(): void {
    for (const client of this.clients) client.session.lastCall()
  }

  stop(): void {
    this.services.deadlines.stop()
  }
}

/** One connection: what its session tells goes to its calls and to the keeper of its times. */
class Client implements ServerSessionOwner, Link {
  readonly #socket: Socket
  readonly #door: Door
  readonly session: ServerSession
  readonly connection: Connection
  readonly remoteAddress: string | undefined
  readonly remotePort: number | undefined
  #closingSince = Infinity

  constructor(socket: Socket, door: Door) {
    this.#socket = socket
    this.#door = door
    this.remoteAddress = socket.remoteAddress
    this.remotePort = socket.remotePort
    this.connection = new Connection(this, door.options, performance.now())
    this.session = new ServerSession(socket, door.settings, door.hello, this, door.slabs)
    socket.on('data', (chunk: Buffer) => this.session.received(chunk))
  }

  sweep(now: number): void {
    if (now - this.#closingSince > LAST_CALL_MS) this.session.lastCall()
    this.connection.sweep(now)
  }

  // ---- the session's owner

  onRequest(stream: ServerStream, head: RequestHead): void {
    const call = new Call(new LeanWire(stream, this.#door.heads), head, this.connection, this.#door.services)
    stream.listener = call
    call.begin()
  }

  onOpen(): void {
    this.connection.onOpen()
  }

  onControlFrame(frame: ControlFrame): void {
    if (frame === 'PING') this.connection.onPing()
  }

  onPong(): void {
    this.connection.onPong()
  }

  onMalformed(detail: string): void {
    this.#door.options.onRefused('bad_request', detail)
  }

  onFailed(error: Error): void {
    this.#door.options.onRefused('protocol', error.message)
  }

  onClosed(): void {
    this.#door.clients.delete(this)
  }

  // ---- the connection's link

  get bytesRead(): number {
    return this.#socket.bytesRead
  }

  get destroyed(): boolean {
    return this.session.closed
  }

  get closing(): boolean {
    return this.session.closing
  }

  close(): void {
    this.#closingSince = Math.min(this.#closingSince, performance.now())
    this.session.close()
  }

  destroy(): void {
    this.session.destroy(H2_ERROR.NO_ERROR)
  }

  ping(): void {
    this.session.ping()
  }

  calmDown(words: string): void {
    this.session.destroy(H2_ERROR.ENHANCE_YOUR_CALM, words)
  }
}
