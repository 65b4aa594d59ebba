// Sockets of the broker: TCP, TLS and WebSocket, each as a stream of MQTT bytes.

import { createServer as createHttpServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls'
import type { WebSocket, WebSocketServer } from 'ws'
import type { Clock } from '../../graph/clock.ts'
import { guardConnections } from '../../net/admission.ts'
import { limitsWith } from '../../net/limits.ts'
import { type Listening, listen } from '../../net/listen.ts'
import type { TlsServerConfig } from '../../net/tls/config.ts'
import { loadServerTls } from '../../net/tls/load.ts'
import { watchServerTls } from '../../net/tls/reload.ts'
import type { Logger } from '../../self/log.ts'
import type { BrokerLimits, MqttBrokerConfig } from './config.ts'

export interface ListenerContext {
  readonly log: Logger
  readonly clock: Clock
  readonly limits: BrokerLimits
  /** Others cannot connect without a name and a password. */
  readonly authenticated: boolean
  onStream(stream: Duplex, request?: IncomingMessage): void
  onRefused(reason: string, detail: string): void
  onFailed(error: Error): void
}

export interface Listener extends Listening {
  /** No new connections. The broker has ended those that it knows; what has not said anything yet is cut. */
  close(): Promise<void>
}

type WebSocketConfig = NonNullable<MqttBrokerConfig['ws']>

/** Rejects when the address, a certificate or a key cannot be used. */
export function startTcp({ endpoint }: { readonly endpoint: string }, context: ListenerContext): Promise<Listener> {
  const server = createServer({ noDelay: true }, (socket) => context.onStream(socket))
  return open(server, { endpoint, tls: undefined }, context)
}

export function startTls(config: NonNullable<MqttBrokerConfig['tls']>, context: ListenerContext): Promise<Listener> {
  const { connectTimeoutMs: handshakeTimeout } = context.limits
  const server = createTlsServer({ ...loadServerTls(config), noDelay: true, handshakeTimeout }, (socket) =>
    context.onStream(socket),
  )
  server.on('tlsClientError', (error) => context.onRefused('tls', error.message))
  return open(server, { endpoint: config.endpoint, tls: config }, context)
}

export async function startWebSocket(config: WebSocketConfig, context: ListenerContext): Promise<Listener> {
  const { createWebSocketStream, WebSocketServer } = await import('ws')
  const { maxPacketBytes, connectTimeoutMs } = context.limits
  const settings = { noDelay: true, headersTimeout: connectTimeoutMs, requestTimeout: connectTimeoutMs }
  const server =
    config.tls === undefined
      ? createHttpServer(settings)
      : createHttpsServer({ ...settings, ...loadServerTls(config.tls), handshakeTimeout: connectTimeoutMs })
  const sockets: WebSocketServer = new WebSocketServer({
    noServer: true,
    // A frame may carry several packets, or part of one (MQTT-6.0.0-2); the guard bounds the packets.
    maxPayload: Math.max(maxPacketBytes + 5, 64 * 1024),
    perMessageDeflate: false,
    handleProtocols: (offered) => [...offered].find((name) => /^mqtt(v3\.1)?$/.test(name)) ?? false,
  })
  server.on('request', (_request, response) => {
    response.writeHead(426, { upgrade: 'websocket', connection: 'close' }).end()
  })
  server.on('tlsClientError', (error: Error) => context.onRefused('tls', error.message))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const wrong = whyNot(request, config)
    if (wrong !== undefined) {
      context.onRefused('websocket', wrong.detail)
      socket.end(`HTTP/1.1 ${wrong.status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`)
      return
    }
    sockets.handleUpgrade(request, socket, head, (ws: WebSocket) => {
      const stream = createWebSocketStream(ws)
      // A packet is written in pieces; without this each of them would be a frame.
      stream._writev = (pieces, done) => ws.send(Buffer.concat(pieces.map(({ chunk }) => chunk)), done)
      context.onStream(stream, request)
    })
  })
  const listener = await open(server, { endpoint: config.endpoint, tls: config.tls }, context)
  return {
    ...listener,
    close: () => {
      for (const ws of sockets.clients) ws.terminate()
      return listener.close()
    },
  }
}

/** A page of any site may open a WebSocket to this machine: only its origin tells (RFC 6455 10.2). */
function whyNot(request: IncomingMessage, { path, allowedOrigins }: WebSocketConfig) {
  const { origin, host } = request.headers
  if (request.url?.split('?', 1)[0] !== path) return { status: '404 Not Found', detail: `no such path: ${request.url}` }
  if (origin === undefined || allowedOrigins.includes('*') || allowedOrigins.includes(origin)) return undefined
  if (URL.canParse(origin) && new URL(origin).host === host) return undefined
  return { status: '403 Forbidden', detail: `the origin ${origin} is not in allowed_origins` }
}

async function open(
  server: Server,
  { endpoint, tls }: { readonly endpoint: string; readonly tls: TlsServerConfig | undefined },
  context: ListenerContext,
): Promise<Listener> {
  const { log, limits, onRefused } = context
  const guard = guardConnections(server, {
    limits: limitsWith({ maxConnections: limits.maxConnections, firstByteMs: limits.connectTimeoutMs }),
    onRefused,
  })
  const sockets = new Set<Duplex>()
  server.prependListener('connection', (socket: Duplex) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const authenticated = context.authenticated || tls?.clientCaFile !== undefined
  const bound = await listen(server, { endpoint, transport: 'tcp', secure: tls !== undefined, authenticated }, log)
  server.on('error', context.onFailed)
  const watch =
    tls === undefined
      ? undefined
      : watchServerTls(tls, loadServerTls(tls), (options) => (server as TlsServer).setSecureContext(options), context)
  return {
    ...bound,
    close: () => {
      watch?.stop()
      guard.stop()
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return closed
    },
  }
}
