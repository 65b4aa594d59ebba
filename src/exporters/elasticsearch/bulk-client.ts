// One `_bulk` request: to which server, with which credentials, and what the answer means.
//
// Two dialects. Elasticsearch knows `require_data_stream` (so that a document for a data stream never makes an index by
// mistake) and dynamic templates in the action line; OpenSearch refuses both by name, and is spoken to without them from
// then on.

import { DeliveryError } from '../../delivery/error.ts'
import type { ExporterContext } from '../../graph/component.ts'
import type { HttpAnswer } from '../../net/http/client.ts'
import { HttpPush, HttpRefusal, mediaTypeOf } from '../../net/http/push.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { type BulkOutcome, readBulkAnswer } from './bulk-answer.ts'
import type { BulkBody } from './bulk-body.ts'
import type { BulkMetrics } from './bulk-metrics.ts'
import { parseCloudId } from './cloud-id.ts'
import type { ElasticsearchConfig } from './config.ts'
import { Endpoints } from './endpoints.ts'

/** Of five million bytes of small documents every one has a line in the answer. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const NO_BODY: readonly Uint8Array[] = []
/** Of a request or answer in the debug log. */
const SHOWN_BYTES = 10_000
/** Enough for the statuses and the reasons of those that fail. */
const FILTER =
  'errors,items.*.status,items.*.failure_store,items.*.error.type,items.*.error.reason,items.*.error.caused_by.reason'
const UNREACHABLE = new Set([502, 503, 504])
const NO_ELASTICSEARCH =
  'The server is no Elasticsearch: data streams and dynamic templates are left to its own templates.'
const FOREIGN = /require_data_stream|dynamic_templates/

export class BulkClient {
  readonly #config: ElasticsearchConfig
  readonly #context: ExporterContext
  readonly #http: HttpPush
  readonly #endpoints: Endpoints
  readonly #headers: Record<string, string>
  readonly #metrics: BulkMetrics
  /** False once a server has said that it is no Elasticsearch. */
  isElasticsearch = true

  constructor(config: ElasticsearchConfig, context: ExporterContext, metrics: BulkMetrics) {
    this.#config = config
    this.#context = context
    this.#metrics = metrics
    const statuses = new Set(config.retry?.retryOnStatus)
    this.#http = new HttpPush(config, context, {
      words: readError,
      isRetryable: (status) => statuses.has(status),
      maxAnswerBytes: MAX_ANSWER_BYTES,
    })
    this.#endpoints = new Endpoints(urlsOf(config), context.clock)
    this.#headers = { 'content-type': 'application/x-ndjson', accept: 'application/json', ...credentials(config) }
  }

  get urls(): readonly URL[] {
    return this.#endpoints.urls
  }

  async start(): Promise<void> {
    await this.#http.start(this.#endpoints.urls)
  }

  async close(): Promise<void> {
    await this.#http.close()
  }

  /**
   * Rejects where the request as a whole was not taken: an HttpRefusal, or any other DeliveryError. `isPlain`: there is
   * nothing in it that OpenSearch does not know.
   */
  async send(
    body: BulkBody,
    client: ClientInfo,
    wantsDataStreams: boolean,
    signal: AbortSignal,
    isPlain = false,
  ): Promise<BulkOutcome> {
    const dataStreams = wantsDataStreams && this.isElasticsearch && !body.isDeadLetters
    let answer: HttpAnswer
    try {
      answer = await this.#sendAnywhere(body, client, dataStreams, signal)
    } catch (error) {
      // Others may have been on their way when the first one learned it.
      if (isPlain || !(error instanceof HttpRefusal) || error.answer.status !== 400) throw error
      if (!FOREIGN.test(error.message)) throw error
      if (this.isElasticsearch) this.#context.log.info(NO_ELASTICSEARCH)
      this.isElasticsearch = false
      return this.send(withoutTemplates(body), client, false, signal, true)
    }
    this.#debug('logResponseBody', 'Answer of a bulk request.', answer.body)
    try {
      return readBulkAnswer(answer.body, body.documents)
    } catch (error) {
      const words = `the answer is none of a bulk request: ${(error as Error).message}`
      throw new DeliveryError('NEXT_HOP_BAD_ANSWER', words, { retry: 'backoff', cause: error })
    }
  }

  /** Asks the cluster for its nodes, and sends to those from then on. Never rejects. */
  async discover(signal: AbortSignal): Promise<void> {
    const from = this.#endpoints.next()
    try {
      const url = withPath(from, '/_nodes/http')
      const request = { method: 'GET', url, headers: this.#headers, body: NO_BODY, client: {} } as const
      const answer = await this.#http.send(request, signal)
      const { nodes } = JSON.parse(Buffer.from(answer.body).toString()) as {
        readonly nodes: Readonly<Record<string, { readonly http?: { readonly publish_address?: string } }>>
      }
      const urls: URL[] = []
      for (const { http } of Object.values(nodes)) {
        // `name/address:port` where the node has been given a name.
        const address = http?.publish_address?.split('/')
        if (address === undefined) continue
        const port = address.at(-1)!.slice(address.at(-1)!.lastIndexOf(':'))
        const host = address.length > 1 ? address[0] + port : address[0]!
        if (URL.canParse(`${from.protocol}//${host}`)) urls.push(new URL(`${from.protocol}//${host}`))
      }
      this.#endpoints.replace(urls)
      this.#context.log.debug('Nodes of the cluster.', { endpoints: urls.map(({ origin }) => origin).join(', ') })
    } catch (error) {
      this.#context.log.warn('The nodes of the cluster could not be found out.', { error: (error as Error).message })
    }
  }

  /** One that cannot be reached is left out, and the next one tried, until there is none left. */
  async #sendAnywhere(
    body: BulkBody,
    client: ClientInfo,
    dataStreams: boolean,
    signal: AbortSignal,
  ): Promise<HttpAnswer> {
    this.#debug('logRequestBody', 'Bulk request.', body.bytes)
    for (;;) {
      const endpoint = this.#endpoints.next()
      const url = this.#bulkUrl(endpoint, dataStreams)
      const began = this.#context.clock.monotonic()
      try {
        const request = { url, headers: this.#headers, body: [body.bytes], client }
        const answer = await this.#http.send(request, signal)
        this.#endpoints.answered(endpoint)
        this.#metrics.request('success', answer.status, body.bytes.length, this.#context.clock.monotonic() - began)
        return answer
      } catch (error) {
        const status = error instanceof HttpRefusal ? error.answer.status : 0
        this.#metrics.request(outcomeOf(status), status, body.bytes.length, this.#context.clock.monotonic() - began)
        const isAway =
          status === 0 ? error instanceof DeliveryError && error.retry !== 'never' : UNREACHABLE.has(status)
        if (!isAway) throw error
        this.#endpoints.failed(endpoint)
        if (signal.aborted || this.#endpoints.alive === 0) throw error
      }
    }
  }

  #bulkUrl(endpoint: URL, dataStreams: boolean): URL {
    const url = withPath(endpoint, '/_bulk')
    const { pipeline, bulkResponseFilterPath, includeSourceOnError } = this.#config
    const set = (key: string, value: string): void => {
      if (!url.searchParams.has(key)) url.searchParams.set(key, value)
    }
    set('filter_path', bulkResponseFilterPath === '' ? FILTER : `errors,${bulkResponseFilterPath}`)
    if (pipeline !== '') set('pipeline', pipeline)
    if (dataStreams) set('require_data_stream', 'true')
    if (includeSourceOnError !== undefined) set('include_source_on_error', String(includeSourceOnError))
    return url
  }

  #debug(what: 'logRequestBody' | 'logResponseBody', message: string, body: Uint8Array): void {
    if (!this.#config.telemetry[what] || !this.#context.log.enabled('debug')) return
    this.#context.log.debug(message, { body: Buffer.from(body.subarray(0, SHOWN_BYTES)).toString() })
  }
}

function withPath(endpoint: URL, path: string): URL {
  const url = new URL(endpoint)
  url.pathname = endpoint.pathname.replace(/\/*$/, path)
  return url
}

const outcomeOf = (status: number): string =>
  status === 0 ? 'timeout' : status === 429 ? 'too_many' : status >= 500 ? 'failed_server' : 'failed_client'

function urlsOf({ endpoint, endpoints, cloudId }: ElasticsearchConfig): URL[] {
  if (endpoint !== undefined && endpoint !== '') return [new URL(endpoint)]
  if (endpoints.length > 0) return endpoints.map((url) => new URL(url))
  if (cloudId !== undefined && cloudId !== '') return [parseCloudId(cloudId)!]
  const fromEnvironment = (process.env.ELASTICSEARCH_URL ?? '').split(',').map((url) => url.trim())
  const urls = fromEnvironment.filter((url) => URL.canParse(url)).map((url) => new URL(url))
  if (urls.length === 0)
    throw new Error('one of endpoint, endpoints and cloudid must be given: there is no server to send to')
  return urls
}

function credentials({ user, password, apiKey }: ElasticsearchConfig): Record<string, string> {
  if (apiKey !== undefined) return { authorization: `ApiKey ${apiKey.reveal()}` }
  if (user === '') return {}
  return { authorization: `Basic ${Buffer.from(`${user}:${password?.reveal() ?? ''}`).toString('base64')}` }
}

function readError(answer: HttpAnswer): string {
  if (mediaTypeOf(answer) !== 'application/json') return ''
  const { error } = JSON.parse(Buffer.from(answer.body).toString()) as {
    readonly error?: string | { readonly type?: string; readonly reason?: string }
  }
  if (error === undefined || typeof error === 'string') return error ?? ''
  return `${error.type}: ${error.reason}`
}

/** The same documents with no dynamic templates. Once in the life of a router, so it may parse lines. */
function withoutTemplates(body: BulkBody): BulkBody {
  return body.withActions((line) => {
    const { create } = JSON.parse(line) as { create: Record<string, unknown> }
    delete create.dynamic_templates
    return JSON.stringify({ create })
  })
}
