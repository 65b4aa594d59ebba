// The connections of the lean gRPC door: each has a session that speaks HTTP/2, a keeper of its times, and its calls.

import type { Socket } from 'node:net'
import { H2_ERROR } from '../http2/frame.ts'
import type { RequestHead } from '../http2/request-head.ts'
import { ServerSession } from '../http2/server-session.ts'
import {
  type ControlFrame,
  greeting,
  type ServerSessionOwner,
  type ServerSessionSettings,
} from '../http2/server-settings.ts'
import type { ServerStream } from '../http2/server-stream.ts'
import { Slabs } from '../http2/slabs.ts'
import { type Limits, limitsWith } from '../limits.ts'
import { Call, type CallServices, callServices } from './call.ts'
import { Connection, type Link } from './connection.ts'
import type { GrpcServerOptions } from './engine.ts'
import { LeanWire, PackedHeads } from './lean-wire.ts'
import { CONNECTION_WINDOW_BYTES, FRAME_BYTES, STREAM_WINDOW_BYTES } from './settings.ts'

/** When a connection is to end, its client has so long to say that it knows. */
export const LAST_CALL_MS = 1000

/** What the connections of one server share. */
export class Door {
  readonly options: GrpcServerOptions
  readonly limits: Limits
  readonly services: CallServices
  readonly heads = new PackedHeads()
  readonly settings: ServerSessionSettings
  readonly hello: Buffer
  readonly slabs = new Slabs()
  readonly clients = new Set<LeanClient>()
  #closing = false

  constructor(options: GrpcServerOptions) {
    this.options = options
    this.limits = limitsWith({ ...options.limits, maxConnections: options.maxConnections })
    this.services = callServices(options, this.limits)
    this.settings = {
      maxStreams: options.maxConcurrentStreams,
      maxHeaderListBytes: this.limits.headerBytes,
      maxHeaders: this.limits.headersPerRequest + 4, // `:method` and the like come on top
      maxFrameBytes: FRAME_BYTES,
      streamWindowBytes: STREAM_WINDOW_BYTES,
      connectionWindowBytes: CONNECTION_WINDOW_BYTES,
    }
    this.hello = greeting(this.settings)
  }

  enter(socket: Socket): LeanClient {
    const client = new LeanClient(socket, this)
    this.clients.add(client)
    return client
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
export class LeanClient implements ServerSessionOwner, Link {
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
    this.connection = new Connection(this, door.options, door.limits, performance.now())
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
    else if (frame === 'SETTINGS') this.connection.watch.onSettings()
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

  get unsentBytes(): number {
    return this.#socket.writableLength
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
