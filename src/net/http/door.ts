// What an HTTP server holds against those who misuse it, beside what node:http and node:http2 do of themselves: requests
// piled up on one connection, answers that are never read, floods of HTTP/2 frames.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants as H2, type Http2ServerRequest, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Server, Socket } from 'node:net'
import { guardConnections, sweepEveryMs } from '../admission.ts'
import { type FloodWatch, setWatch, watchOf, watchSession } from '../http2/flood-watch.ts'
import type { Limits } from '../limits.ts'
import { endSocket } from '../linger.ts'

/** Why a connection, or bytes that never became a request, were refused; a bounded set, for a counter's label. */
export type BadConnection =
  | 'malformed'
  | 'headers_too_large'
  | 'timeout'
  | 'protocol'
  | 'too_many_connections'
  | 'connection_rate'
  | 'flood'

export interface HttpDoorOptions {
  readonly limits: Limits
  readonly countLoopback: boolean
  onRefused(reason: BadConnection, detail: string): void
}

interface Client {
  /** HTTP/1: requests without an answer. */
  requests: number
  /** Bytes of answers that the kernel took, and since when they are the same. */
  taken: number
  takenAt: number
}

interface Session {
  readonly watch: FloodWatch
  /** Requests without the end of their answer, and when a look found that only the client kept it from ending. */
  readonly streams: Map<ServerHttp2Stream, number>
}

const UNREAD = 'the client does not read its answers'
/** What is not told as it happens (flood-watch.ts) is seen within this time. */
const SWEEP_MOST_MS = 1000

export class HttpDoor {
  readonly #options: HttpDoorOptions
  readonly #sockets = new Set<Socket>()
  readonly #clients = new Map<Socket, Client>()
  readonly #sessions = new Map<ServerHttp2Session, Session>()
  /** The socket whose session is about to be announced. */
  #arriving: Socket | undefined
  readonly #stops: (() => void)[] = []

  /** Before `server` listens. */
  constructor(server: Server, options: HttpDoorOptions) {
    this.#options = options
    server.prependListener('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      this.#meet(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    server.prependListener('secureConnection', (socket: Socket) => this.#meet(socket))
    server.on('session', (session: ServerHttp2Session) => this.#onSession(session))
    server.on('sessionError', (error: Error) => options.onRefused('protocol', error.message))
    const guard = guardConnections(server, options)
    const { bodySilenceMs, headersMs } = options.limits
    const timer = setInterval(() => this.#sweep(), sweepEveryMs(Math.min(bodySilenceMs, headersMs), SWEEP_MOST_MS))
    timer.unref()
    this.#stops.push(
      () => guard.stop(),
      () => clearInterval(timer),
    )
  }

  /** The door's watches end; connections stay as they are. */
  stop(): void {
    for (const stop of this.#stops) stop()
  }

  cutAll(): void {
    for (const socket of this.#sockets) socket.destroy()
  }

  closeSessions(): void {
    for (const session of this.#sessions.keys()) session.close()
  }

  /** False when it was refused, and answered where that makes sense. */
  admit(request: IncomingMessage, response: ServerResponse): boolean {
    const { limits, onRefused } = this.#options
    if (request.httpVersionMajor >= 2) {
      const { stream } = request as unknown as Http2ServerRequest
      if (stream.session === undefined || watchOf(stream.session)?.areHeadersTooLarge(request.headers) !== true)
        return true
      onRefused('headers_too_large', `more than ${limits.headerBytes} bytes of headers`)
      stream.close(H2.NGHTTP2_ENHANCE_YOUR_CALM)
      return false
    }
    // node:http forgets the headers beyond its count without a word, so it is asked for one more.
    if (request.rawHeaders.length > 2 * limits.headersPerRequest) {
      onRefused('headers_too_large', `more than ${limits.headersPerRequest} headers`)
      const text = '431 Request Header Fields Too Large'
      response.writeHead(431, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' }).end(text)
      endSocket(request.socket)
      return false
    }
    const client = this.#clients.get(request.socket)
    if (client === undefined) return false // gone
    if (++client.requests > limits.streamsPerConnection) {
      onRefused('flood', `more than ${limits.streamsPerConnection} requests wait on one connection`)
      this.#clients.delete(request.socket)
      request.socket.destroy()
      return false
    }
    response.once('close', () => client.requests--)
    return true
  }

  #meet(socket: Socket): void {
    this.#clients.set(socket, { requests: 0, taken: 0, takenAt: performance.now() })
    this.#arriving = socket
    socket.once('close', () => this.#clients.delete(socket))
  }

  #onSession(session: ServerHttp2Session): void {
    const { limits, onRefused } = this.#options
    const settings = { limits, countPings: true, onFlood: onRefused }
    const watch = watchSession(session, this.#arriving, settings, performance.now())
    setWatch(session, watch)
    const streams = new Map<ServerHttp2Stream, number>()
    this.#sessions.set(session, { watch, streams })
    session.on('error', () => {})
    session.on('stream', (stream: ServerHttp2Stream) => {
      watch.requestBegins()
      streams.set(stream, Infinity)
      stream.once('close', () => {
        streams.delete(stream)
        watch.requestEnds(stream.writableFinished)
      })
    })
    session.once('close', () => this.#sessions.delete(session))
  }

  #sweep(): void {
    const now = performance.now()
    const { bodySilenceMs } = this.#options.limits
    for (const { watch, streams } of this.#sessions.values()) {
      watch.sweep(now)
      for (const [stream, since] of streams) {
        if (!stream.writableEnded) continue
        if (since === Infinity) streams.set(stream, now)
        else if (now - since > bodySilenceMs) stream.close(H2.NGHTTP2_CANCEL)
        if (now - since > 2 * bodySilenceMs) watch.end('timeout', UNREAD)
      }
    }
    for (const [socket, client] of this.#clients) {
      const taken = socket.bytesWritten - socket.writableLength
      if (socket.writableLength === 0 || taken !== client.taken) {
        client.taken = taken
        client.takenAt = now
      } else if (now - client.takenAt > bodySilenceMs) {
        this.#options.onRefused('timeout', UNREAD)
        socket.destroy()
      }
    }
  }
}
