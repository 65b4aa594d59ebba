// An HTTP server as the Collector configures one: HTTP/1.1, and HTTP/2 beside it where TLS lets the client choose.
//
// It owns sockets, their bounds and their times, CORS, and the headers that every response carries. What a request
// means is the handler's. Content-Length together with Transfer-Encoding is refused by the parser (RFC 9112 6.1).

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { ServerHttp2Session } from 'node:http2'
import type { Socket } from 'node:net'
import type { Server as TlsServer } from 'node:tls'
import type { Clock } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import { type AuthAttributes, type AuthDecision, AuthRefusal } from '../auth/authenticator.ts'
import { type HttpAuthenticator, httpAuthenticator } from '../auth/http.ts'
import { http2Bounds } from '../http2/flood-watch.ts'
import { type Limits, limitsOfShare } from '../limits.ts'
import { endSocket } from '../linger.ts'
import { type Listening, listen, listenersOf, type PortSharing } from '../listen.ts'
import { GRPC, grpcToHttp } from '../status.ts'
import { loadServerTls, type ServerTlsOptions } from '../tls/load.ts'
import { watchServerTls } from '../tls/reload.ts'
import { corsRules } from './cors.ts'
import { type BadConnection, HttpDoor } from './door.ts'
import type { HttpServerConfig } from './server-config.ts'

/** `auth` is what the authenticator found; undefined where there is none. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse, auth?: AuthAttributes) => void

export interface HttpServerContext {
  readonly log: Logger
  readonly clock: Clock
  /** Needed where the configuration names an authenticator. */
  extension?(id: string): object | undefined
  /** Given by components that run in every shard. */
  readonly shards?: PortSharing
  /** A server that fails while it runs. */
  report(status: 'fatal', error: Error): void
}

export interface HttpServerOptions {
  /** Instead of LIMITS. */
  readonly limits?: Partial<Limits>
  /** Bounds by address hold for loopback too: for tests. */
  readonly countLoopback?: boolean
  /** Bytes that cannot be read as a request, and connections that were refused or ended. */
  onBadConnection?(reason: BadConnection, detail: string): void
  /** Answers a request that the authenticator refused; without it, with plain text. WWW-Authenticate is set already. */
  onRefused?(request: IncomingMessage, response: ServerResponse, refusal: AuthRefusal): void
}

export interface HttpServerHandle extends Listening {
  /** No new connections; requests in progress are answered; when `deadline` aborts, what is left is cut. */
  close(deadline: AbortSignal): Promise<void>
}

/** setTimeout fires at once when it is given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1
/** While closing, how often connections that have become idle are closed. */
const SWEEP_MS = 50

/** Starts listening. Rejects when the address, a certificate or a key cannot be used. */
export async function startHttpServer(
  cfg: HttpServerConfig,
  ctx: HttpServerContext,
  handler: HttpHandler,
  options: HttpServerOptions = {},
): Promise<HttpServerHandle> {
  const { endpoint, transport } = cfg
  const sharing = ctx.shards
  const address = { endpoint, transport, ...(sharing && { sharing }) }
  const limits = { ...limitsOfShare(listenersOf(address)), ...options.limits }
  const headersTimeout = cfg.readHeaderTimeoutMs || cfg.readTimeoutMs || limits.headersMs
  const requestTimeout = Math.max(headersTimeout, cfg.readTimeoutMs || limits.requestMs)
  const settings = {
    maxHeaderSize: limits.headerBytes,
    headersTimeout,
    requestTimeout,
    keepAliveTimeout: cfg.idleTimeoutMs || limits.idleMs,
    connectionsCheckingInterval: Math.min(5000, Math.max(50, headersTimeout / 4)),
    noDelay: true,
  }
  const authenticator = httpAuthenticator(cfg.auth, ctx)
  const secure = cfg.tls !== undefined
  const tls = cfg.tls === undefined ? undefined : loadServerTls(cfg.tls)
  const server = tls === undefined ? createServer(settings) : await secureServer(tls, limits, settings)
  server.maxHeadersCount = limits.headersPerRequest + 1
  const onRefused = (reason: BadConnection, detail: string): void => options.onBadConnection?.(reason, detail)
  const door = new HttpDoor(server, { limits, countLoopback: options.countLoopback ?? false, onRefused })
  const serve = wrap(cfg, ctx.log, door, authenticator, options, handler)
  server.on('session', (session: ServerHttp2Session) => {
    // What requests still run are answered; a client that then does not even read is cut off.
    session.setTimeout(settings.keepAliveTimeout, () => {
      session.close()
      session.setTimeout(settings.keepAliveTimeout, () => session.destroy())
    })
  })
  server.on('request', serve)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) =>
    answerClientError(error, socket, onRefused),
  )
  if (cfg.cors !== undefined && cfg.cors.allowedOrigins.length === 0 && cfg.cors.allowedHeaders.length > 0)
    ctx.log.warn('cors: allowed_headers has no effect without allowed_origins')

  const authenticated = authenticator !== undefined || cfg.tls?.clientCaFile !== undefined
  const bound = await listen(server, { ...address, secure, authenticated }, ctx.log)
  server.on('error', (error) => ctx.report('fatal', error))
  const apply = (options: ServerTlsOptions): void => (server as unknown as TlsServer).setSecureContext(options)
  const watch = tls === undefined ? undefined : watchServerTls(cfg.tls!, tls, apply, ctx)

  let closing: Promise<void> | undefined
  const close = (deadline: AbortSignal): Promise<void> => {
    watch?.stop()
    closing ??= new Promise((resolve) => {
      door.stop()
      const cut = (): void => door.cutAll()
      // A connection whose last request has been answered is idle from then on, and would stay open for its idle time.
      const sweep = setInterval(() => server.closeIdleConnections?.(), SWEEP_MS)
      server.close(() => {
        clearInterval(sweep)
        deadline.removeEventListener('abort', cut)
        resolve()
      })
      server.closeIdleConnections?.()
      door.closeSessions() // which server.close() alone would wait for
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut)
    })
    return closing
  }
  return { ...bound, close }
}

async function secureServer(tls: ServerTlsOptions, limits: Limits, settings: object): Promise<Server> {
  const { createSecureServer } = await import('node:http2')
  const h2 = {
    maxConcurrentStreams: limits.streamsPerConnection,
    initialWindowSize: 1024 * 1024,
    maxHeaderListSize: limits.headerBytes,
  }
  const server = createSecureServer({
    ...settings,
    ...http2Bounds(limits),
    ...tls,
    allowHTTP1: true,
    handshakeTimeout: limits.headersMs,
    settings: h2,
  })
  // Both kinds of request carry the same methods and events, as far as handlers use them.
  return server as unknown as Server
}

function wrap(
  cfg: HttpServerConfig,
  log: Logger,
  door: HttpDoor,
  authenticator: HttpAuthenticator | undefined,
  options: HttpServerOptions,
  handler: HttpHandler,
): HttpHandler {
  const cors = corsRules(cfg.cors)
  const added = [...cfg.responseHeaders]
  const { keepAlivesEnabled, writeTimeoutMs } = cfg
  /** True when it has answered already. */
  const prepare = (request: IncomingMessage, response: ServerResponse): boolean => {
    for (const [name, value] of added) response.setHeader(name, value)
    if (!keepAlivesEnabled && request.httpVersionMajor === 1) response.setHeader('connection', 'close')
    if (writeTimeoutMs > 0) {
      const timer = setTimeout(() => request.socket.destroy(), Math.min(LONGEST_TIMER_MS, writeTimeoutMs))
      response.once('close', () => clearTimeout(timer))
    }
    if (cors === undefined) return false
    const answer = cors(request.method ?? '', request.headers)
    for (const name in answer.headers) response.setHeader(name, answer.headers[name]!)
    if (answer.preflight) response.writeHead(204).end()
    return answer.preflight
  }
  const guarded = (response: ServerResponse, run: () => void): void => {
    try {
      run()
    } catch (error) {
      log.error('a request could not be handled', { error: (error as Error).message })
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' })
      response.end()
    }
  }
  const decide = (request: IncomingMessage, response: ServerResponse, decision: AuthDecision): void => {
    if (!(decision instanceof AuthRefusal)) {
      handler(request, response, decision)
      return
    }
    if (decision.code === GRPC.UNAUTHENTICATED) response.setHeader('www-authenticate', authenticator!.challenge)
    if (options.onRefused !== undefined) options.onRefused(request, response, decision)
    else refusePlainly(request, response, decision)
  }
  return (request, response) => {
    guarded(response, () => {
      if (!door.admit(request, response) || prepare(request, response)) return
      if (authenticator === undefined) {
        handler(request, response)
        return
      }
      // The body stays where it is until somebody is let in.
      const decision = authenticator.authenticate(request)
      if (!(decision instanceof Promise)) decide(request, response, decision)
      else
        void decision.then((late) => {
          if (!response.destroyed) guarded(response, () => decide(request, response, late))
        })
    })
  }
}

function refusePlainly(request: IncomingMessage, response: ServerResponse, refusal: AuthRefusal): void {
  request.resume()
  const body = `${refusal.message}\n`
  response.writeHead(grpcToHttp(refusal.code), {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    ...(request.httpVersionMajor === 1 ? { connection: 'close' } : {}),
  })
  response.end(body)
}

function answerClientError(
  error: NodeJS.ErrnoException,
  socket: Socket,
  onRefused: (reason: BadConnection, detail: string) => void,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  // Of TLS: there is nothing to answer on, and the end of a stream would wait for the handshake for ever.
  if (error.code?.startsWith('HPE_') !== true && error.code !== 'ERR_HTTP_REQUEST_TIMEOUT') {
    onRefused(error.code === 'ERR_TLS_HANDSHAKE_TIMEOUT' ? 'timeout' : 'protocol', error.message)
    socket.destroy()
    return
  }
  const [status, reason] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? (['431 Request Header Fields Too Large', 'headers_too_large'] as const)
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? (['408 Request Timeout', 'timeout'] as const)
        : (['400 Bad Request', 'malformed'] as const)
  onRefused(reason, `not an HTTP request: ${error.message}`)
  // As Go's server words it.
  socket.end(`HTTP/1.1 ${status}\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n${status}`)
  endSocket(socket)
}
