// Requests of an exporter to an HTTP server: the client, its authenticator, packing, and what an answer that is no success
// means for the delivery. Shared by every exporter that speaks HTTP: what such an exporter adds is its body, its URL, and
// how it reads a success.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { type ClientAuthenticator, findClientAuthenticator, orAborted } from '../auth/authenticator.ts'
import { compress } from '../compression.ts'
import { httpToGrpc, isRetryableHttp } from '../status.ts'
import type { HttpAnswer, HttpClient } from './client.ts'
import { type HttpClientConfig, makeHttpClient, type Packing, packingOf } from './client-config.ts'
import { readRetryAfterMs } from './retry-after.ts'

export interface HttpRequest {
  /** POST where it is left out. */
  readonly method?: 'GET' | 'POST'
  /** A name and password in it travel as Basic authentication, as Go's client sends them. */
  readonly url: URL
  /** Names in lower case. What the configuration sets takes their place. */
  readonly headers: Readonly<Record<string, string>>
  /** Joined in this order, packed where the configuration says so, and not kept. Empty: no body. */
  readonly body: readonly Uint8Array[]
  /** Whose data they are, for authenticators that look at it. */
  readonly client: ClientInfo
}

export interface HttpPushOptions {
  /** What a server said in an answer that is no success; `''` where the body says nothing. May throw. */
  readonly words?: (answer: HttpAnswer) => string
  /** Statuses after which the same request may be sent again; OTLP's four (429, 502, 503, 504) where it is left out. */
  readonly isRetryable?: (status: number) => boolean
  /** How much of an answer is read; 64 KiB where it is left out. */
  readonly maxAnswerBytes?: number
}

/** An answer that is no success. */
export class HttpRefusal extends DeliveryError {
  readonly answer: HttpAnswer

  constructor(answer: HttpAnswer, message: string, retry: Retry) {
    super('NEXT_HOP_REFUSED', message, { retry, grpcCode: httpToGrpc(answer.status) })
    this.answer = answer
  }
}

export class HttpPush {
  readonly #config: HttpClientConfig
  readonly #context: ExporterContext
  readonly #packing: Packing | undefined
  readonly #words: (answer: HttpAnswer) => string
  readonly #isRetryable: (status: number) => boolean
  readonly #maxAnswerBytes: number | undefined
  #client: HttpClient | undefined
  #auth: ClientAuthenticator | undefined

  /** Opens nothing. */
  constructor(config: HttpClientConfig, context: ExporterContext, options: HttpPushOptions = {}) {
    this.#config = config
    this.#context = context
    this.#packing = packingOf(config)
    this.#words = options.words ?? (() => '')
    this.#isRetryable = options.isRetryable ?? isRetryableHttp
    this.#maxAnswerBytes = options.maxAnswerBytes
  }

  /** Reads certificates where a URL asks for TLS; connects to nobody. Rejects with words that name what cannot be read. */
  async start(urls: Iterable<URL>): Promise<void> {
    const { auth } = this.#config
    if (auth !== undefined) this.#auth = findClientAuthenticator(this.#context, auth.authenticator)
    const secure = [...urls].some((url) => url.protocol === 'https:')
    this.#client = makeHttpClient(this.#config, secure, this.#context)
    await this.#client.open()
  }

  async close(): Promise<void> {
    await this.#client?.close()
  }

  /**
   * Resolves with an answer of status 2xx. Rejects with an HttpRefusal for any other one, and with a DeliveryError when
   * there was none.
   */
  async send(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    const client = this.#client
    if (client === undefined)
      throw new DeliveryError('EXPORTER_NOT_STARTED', 'the exporter has not been started', { retry: 'backoff' })
    const { method = 'POST', url } = request
    const body = request.body.length === 0 ? null : this.#pack(request.body)
    const headers = client.headersWith(this.#headersOf(request))
    if (this.#auth !== undefined) {
      const wait = this.#auth.authorize(headers, request.client)
      if (wait !== undefined) await orAborted(wait, signal)
    }
    let answer: HttpAnswer
    try {
      answer = await client.request(method, url, Object.fromEntries(headers), body, signal, this.#maxAnswerBytes)
    } catch (error) {
      if (error instanceof DeliveryError) throw error
      throw new DeliveryError(
        'NEXT_HOP_NO_ANSWER',
        `failed to make an HTTP request to ${shownUrl(url)}: ${wordsOf(error)}`,
        { retry: 'backoff', cause: error },
      )
    }
    if (answer.status >= 200 && answer.status <= 299) return answer
    throw this.#refusal(url, answer, headers)
  }

  #pack(parts: readonly Uint8Array[]): Uint8Array {
    if (this.#packing !== undefined) return compress(this.#packing.encoding, parts, this.#packing.level)
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  }

  #headersOf({ url, headers, body }: HttpRequest): Record<string, string> {
    const all: Record<string, string> = { ...headers }
    if (this.#packing !== undefined && body.length > 0) all['content-encoding'] = this.#packing.encoding
    if (url.username !== '' || url.password !== '') {
      const pair = `${unescaped(url.username)}:${unescaped(url.password)}`
      all.authorization = `Basic ${Buffer.from(pair).toString('base64')}`
    }
    return all
  }

  #refusal(url: URL, answer: HttpAnswer, headers: ReadonlyMap<string, string>): HttpRefusal {
    const { status } = answer
    const said = this.#said(answer)
    const message = `error exporting items, request to ${shownUrl(url)} responded with HTTP Status Code ${status}${said === '' ? '' : `, Message=${said}`}`
    // Where the credential was refused, there may be another one.
    let retry: Retry = status === 401 && this.#auth?.rejected?.(headers) === true ? 'backoff' : 'never'
    if (this.#isRetryable(status)) {
      const now = this.#context.clock.now()
      const afterMs = status === 429 || status === 503 ? readRetryAfterMs(answer.header('retry-after'), now) : 0
      retry = afterMs > 0 ? { afterMs } : 'backoff'
    }
    return new HttpRefusal(answer, message, retry)
  }

  #said(answer: HttpAnswer): string {
    if (answer.body.length === 0) return ''
    try {
      return this.#words(answer)
    } catch {
      // A body that cannot be read adds nothing to the status.
      return ''
    }
  }
}

/** In lower case, without parameters; `''` where there is none. */
export const mediaTypeOf = (answer: HttpAnswer): string =>
  (answer.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()

/** Without what may be secret in it. */
export const shownUrl = (url: URL): string => url.origin + url.pathname

/** What the metrics of an exporter say about where it sends to. */
export function targetLabels(url: URL): Record<'server.address' | 'server.port' | 'url.path', string> {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return { 'server.address': url.hostname, 'server.port': port, 'url.path': url.pathname }
}

const wordsOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error)
  // Several addresses that all failed come as one error without words of its own.
  if (error instanceof AggregateError && error.message === '') return error.errors.map(wordsOf).join('; ')
  return error.message
}

/** A `%` that was not written as %25 stands for itself. */
function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
