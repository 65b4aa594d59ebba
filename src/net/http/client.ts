// An HTTP client for exporters: POSTs a body, reads an answer of bounded size. Connections are undici's, which
// is loaded when the client opens.

import type { Agent, Dispatcher } from 'undici'
import type { ClientTlsOptions } from '../tls/load.ts'

type Undici = typeof import('undici')

/** Of an answer, unless the caller asks for more. The Collector reads no more of one either. */
export const MAX_ANSWER_BYTES = 64 * 1024
const CONNECT_TIMEOUT_MS = 30_000
/** undici knows no endless idle time. */
const LONGEST_IDLE_MS = 24 * 60 * 60 * 1000

export interface HttpClientOptions {
  readonly tls: ClientTlsOptions | undefined
  /** Names in lower case; `host` replaces the URL's. */
  readonly headers: ReadonlyMap<string, string>
  readonly proxyUrl: string | undefined
  /** To one server; 0: no bound. */
  readonly maxConnections: number
  readonly idleTimeoutMs: number
  readonly keepAlive: boolean
  /** Offer HTTP/2 in TLS handshakes. */
  readonly http2: boolean
}

export interface HttpAnswer {
  readonly status: number
  /** By name in lower case; of repeated ones the first. */
  header(name: string): string | undefined
  /** Cut at `maxAnswerBytes` of the request. */
  readonly body: Uint8Array
}

export class HttpClient {
  readonly #options: HttpClientOptions
  readonly #configured: Readonly<Record<string, string>>
  #undici: Undici | undefined
  #dispatcher: Dispatcher | undefined
  /** Those that finish what they had begun with older certificates. */
  readonly #leaving = new Set<Dispatcher>()
  readonly #stops: (() => void)[] = []
  #closed = false

  constructor(options: HttpClientOptions) {
    this.#options = options
    this.#configured = Object.fromEntries(options.headers)
  }

  /** Loads undici; connects to nobody. */
  async open(): Promise<void> {
    this.#undici = await import('undici')
    this.#dispatcher = this.#makeDispatcher(this.#undici, this.#options.tls)
  }

  /** New connections use these options. What is under way ends as it began; connections without a request close. */
  useTls(tls: ClientTlsOptions): void {
    const old = this.#dispatcher
    if (this.#undici === undefined || old === undefined || this.#closed) return
    this.#dispatcher = this.#makeDispatcher(this.#undici, tls)
    this.#leaving.add(old)
    void old.close().then(
      () => this.#leaving.delete(old),
      () => this.#leaving.delete(old),
    )
  }

  /** Called when the client closes: ends what watches over its files. */
  closesWith(stop: () => void): void {
    this.#stops.push(stop)
  }

  #makeDispatcher({ Agent, EnvHttpProxyAgent, ProxyAgent }: Undici, tls: ClientTlsOptions | undefined): Dispatcher {
    const { proxyUrl, maxConnections, idleTimeoutMs, keepAlive, http2 } = this.#options
    const options: Agent.Options = {
      connections: maxConnections === 0 ? null : maxConnections,
      keepAliveTimeout: idleTimeoutMs === 0 ? LONGEST_IDLE_MS : idleTimeoutMs,
      keepAliveMaxTimeout: LONGEST_IDLE_MS,
      pipelining: keepAlive ? 1 : 0,
      // The caller's signal bounds the whole exchange.
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: http2,
      connect: { timeout: CONNECT_TIMEOUT_MS, ...tls },
    }
    if (proxyUrl !== undefined)
      return new ProxyAgent({ ...options, uri: proxyUrl, proxyTunnel: false, ...(tls && { requestTls: tls }) })
    if (proxyInEnvironment()) return new EnvHttpProxyAgent({ ...options, noProxy: withoutProxy() })
    return new Agent(options)
  }

  /** These headers, and in their place or beside them those that the client is configured to send. A map of its own. */
  headersWith(headers: Readonly<Record<string, string>>): Map<string, string> {
    return new Map([...Object.entries(headers), ...this.#options.headers])
  }

  /** Rejects with the signal's reason when it aborts, else with what went wrong on the way. */
  post(
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    return this.request('POST', url, { ...headers, ...this.#configured }, body, signal)
  }

  /** As post, with these headers and no others. */
  request(
    method: 'GET' | 'POST',
    url: URL,
    headers: Readonly<Record<string, string>>,
    body: Uint8Array | null,
    signal: AbortSignal,
    maxAnswerBytes = MAX_ANSWER_BYTES,
  ): Promise<HttpAnswer> {
    const dispatcher = this.#dispatcher
    if (dispatcher === undefined) return Promise.reject(new Error('the client is not open'))
    return new Promise((resolve, reject) => {
      dispatcher.dispatch(
        { origin: url.origin, path: url.pathname + url.search, method, headers, body },
        new Exchange(signal, maxAnswerBytes, resolve, reject),
      )
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    for (const stop of this.#stops) stop()
    await Promise.all([this.#dispatcher?.destroy(), ...Array.from(this.#leaving, (old) => old.destroy())])
  }
}

type ProxyVariable = 'HTTP_PROXY' | 'http_proxy' | 'HTTPS_PROXY' | 'https_proxy'

function proxyInEnvironment(): boolean {
  const names: ProxyVariable[] = ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'https_proxy']
  return names.some((name) => (process.env[name] ?? '') !== '')
}

/** Go's client never asks a proxy for this machine; the environment of a container often has one all the same. */
const withoutProxy = (): string =>
  [process.env.no_proxy ?? process.env.NO_PROXY ?? '', 'localhost', '127.0.0.1', '[::1]']
    .filter((name) => name !== '')
    .join(',')

/** One request and its answer, as undici reports them. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal
  readonly #maxAnswerBytes: number
  readonly #resolve: (answer: HttpAnswer) => void
  readonly #reject: (error: Error) => void
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: Record<string, string | string[] | undefined> = {}
  readonly #chunks: Uint8Array[] = []
  #bytes = 0
  #over = false

  constructor(
    signal: AbortSignal,
    maxAnswerBytes: number,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: Error) => void,
  ) {
    this.#signal = signal
    this.#maxAnswerBytes = maxAnswerBytes
    this.#resolve = resolve
    this.#reject = reject
    signal.addEventListener('abort', this.#aborted)
    if (signal.aborted) this.#aborted()
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('cancelled'))
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Record<string, string | string[] | undefined>,
  ): void {
    this.#status = status
    this.#headers = headers
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    const room = this.#maxAnswerBytes - this.#bytes
    this.#chunks.push(chunk.length <= room ? chunk : chunk.subarray(0, room))
    this.#bytes += Math.min(room, chunk.length)
    if (chunk.length <= room) return
    this.#answer()
    this.#controller?.abort(new Error('the answer is too long'))
  }

  onResponseEnd(): void {
    this.#answer()
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#end()) this.#reject(error)
  }

  readonly #aborted = (): void => {
    const { reason } = this.#signal
    if (this.#end()) this.#reject(reason instanceof Error ? reason : new Error('cancelled', { cause: reason }))
    this.#controller?.abort(new Error('cancelled'))
  }

  #answer(): void {
    if (!this.#end()) return
    const headers = this.#headers
    this.#resolve({
      status: this.#status,
      header(name) {
        const value = headers[name]
        return Array.isArray(value) ? value[0] : value
      },
      body: this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks),
    })
  }

  /** False when it had ended before. */
  #end(): boolean {
    if (this.#over) return false
    this.#over = true
    this.#signal.removeEventListener('abort', this.#aborted)
    return true
  }
}
