// The gRPC door on bare sockets with HTTP/2 of our own (src/net/http2): the listening socket, its connections, and one
// sweep that keeps all of their times.

import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import type { Logger } from '../../self/log.ts'
import { guardConnections } from '../admission.ts'
import { type Listening, listen } from '../listen.ts'
import type { TlsWatch } from '../tls/reload.ts'
import type { GrpcServer, GrpcServerOptions } from './engine.ts'
import { Door, LAST_CALL_MS } from './lean-door.ts'
import { sweepMs } from './settings.ts'

export class LeanGrpcServer implements GrpcServer {
  readonly #options: GrpcServerOptions
  readonly #log: Logger
  readonly #server: Server
  readonly #door: Door
  /** TLS handshakes too. */
  readonly #sockets = new Set<Socket>()
  readonly #guard: { stop(): void }
  #tlsWatch: TlsWatch | undefined
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
      server.on('tlsClientError', (error: NodeJS.ErrnoException, socket) => {
        const late = error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT'
        options.onRefused(late ? 'timeout' : 'protocol', error.message)
        socket.destroy()
      })
      this.#server = server
    }
    this.#server.prependListener('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#guard = guardConnections(this.#server, {
      limits: this.#door.limits,
      countLoopback: options.countLoopback ?? false,
      onRefused: options.onRefused,
    })
  }

  async listen(): Promise<Listening> {
    const bound = await listen(this.#server, this.#options.listen, this.#log)
    this.#server.on('error', (error) => this.#options.onError(error))
    this.#tlsWatch = this.#options.watchTls?.((tls) => (this.#server as TlsServer).setSecureContext(tls))
    this.#sweeper = setInterval(() => this.#door.sweep(), sweepMs(this.#options, this.#door.limits)).unref()
    return bound
  }

  close(deadline: AbortSignal): Promise<void> {
    this.#closing ??= this.#close(deadline)
    return this.#closing
  }

  async #close(deadline: AbortSignal): Promise<void> {
    this.#guard.stop()
    this.#tlsWatch?.stop()
    if (!this.#server.listening) {
      clearInterval(this.#sweeper)
      return
    }
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
