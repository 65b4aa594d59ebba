// Sends a batch as one POST, as protobuf bytes or as OTLP/JSON.

import { DeliveryError, type Retry } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { type ClientAuthenticator, findClientAuthenticator, orAborted } from '../../net/auth/authenticator.ts'
import { compress } from '../../net/compression.ts'
import type { HttpAnswer, HttpClient } from '../../net/http/client.ts'
import { makeHttpClient, type Packing, packingOf } from '../../net/http/client-config.ts'
import { readRetryAfterMs } from '../../net/http/retry-after.ts'
import { httpToGrpc, isRetryableHttp } from '../../net/status.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJsonBytes } from '../../otlp/json/index.ts'
import {
  type PartialSuccess,
  readExportResponse,
  readExportResponseJson,
  readRpcStatus,
  readRpcStatusJson,
} from '../../otlp/response.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import type { Labels } from '../../self/meter.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { type Push, Sending } from '../../sending/sending.ts'
import type { OtlpHttpConfig } from './config.ts'

const PATH = {
  traces: 'v1/traces',
  metrics: 'v1/metrics',
  logs: 'v1/logs',
  profiles: 'v1development/profiles',
} as const satisfies Record<Signal, string>

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

export class OtlpHttpExporter implements Exporter {
  readonly #config: OtlpHttpConfig
  readonly #context: ExporterContext
  readonly #sending: Sending
  readonly #packing: Packing | undefined
  readonly #urls = new Map<Signal, URL>()
  readonly #headers: Record<string, string>
  /** The push to each host, which notes whether that answers. */
  readonly #pushTo = new Map<string, Push>()
  #client: HttpClient | undefined
  #auth: ClientAuthenticator | undefined

  constructor(config: OtlpHttpConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    this.#packing = packingOf(config)
    this.#headers = { 'content-type': config.encoding === 'json' ? JSON_TYPE : PROTOBUF }
    if (this.#packing !== undefined) this.#headers['content-encoding'] = this.#packing.encoding
    for (const signal of context.signals) this.#urls.set(signal, urlOf(config, signal))
    for (const { origin } of this.#urls.values()) {
      if (this.#pushTo.has(origin)) continue
      const health = new RemoteHealth(context)
      health.observe(context.meter, origin)
      this.#pushTo.set(
        origin,
        health.watch((batch, signal) => this.#push(batch, signal)),
      )
    }
    this.#sending = new Sending(
      context,
      config,
      (batch, signal) => this.#pushTo.get(this.#urls.get(batch.signal)!.origin)!(batch, signal),
      (signal) => labelsOf(this.#urls.get(signal)!),
    )
  }

  async start(): Promise<void> {
    const { auth } = this.#config
    if (auth !== undefined) this.#auth = findClientAuthenticator(this.#context, auth.authenticator)
    const secure = [...this.#urls.values()].some((url) => url.protocol === 'https:')
    this.#client = makeHttpClient(this.#config, secure, this.#context)
    await this.#client.open()
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    await this.#client?.close()
  }

  async #push(batch: Batch, signal: AbortSignal): Promise<void> {
    const client = this.#client
    if (client === undefined)
      throw new DeliveryError('EXPORTER_NOT_STARTED', 'the exporter has not been started', { retry: 'backoff' })
    const url = this.#urls.get(batch.signal)!
    const body = this.#body(batch)
    let headers: Map<string, string> | undefined
    if (this.#auth !== undefined) {
      headers = client.headersWith(this.#headersFor(url))
      const wait = this.#auth.authorize(headers, batch.client)
      if (wait !== undefined) await orAborted(wait, signal)
    }
    let answer: HttpAnswer
    try {
      answer = await (headers === undefined
        ? client.post(url, this.#headersFor(url), body, signal)
        : client.request('POST', url, Object.fromEntries(headers), body, signal))
    } catch (error) {
      if (error instanceof DeliveryError) throw error
      throw new DeliveryError('OTLP_NO_ANSWER', `failed to make an HTTP request to ${shown(url)}: ${wordsOf(error)}`, {
        retry: 'backoff',
        cause: error,
      })
    }
    if (answer.status >= 200 && answer.status <= 299) this.#readSuccess(batch.signal, answer)
    else {
      const again = headers !== undefined && answer.status === 401 && this.#auth?.rejected?.(headers) === true
      throw refusal(url, answer, this.#context.clock.now(), again)
    }
  }

  #body(batch: Batch): Uint8Array {
    const parts = this.#config.encoding === 'json' ? [bytesToJsonBytes(batch.signal, batch.parts)] : batch.parts
    if (this.#packing !== undefined) return compress(this.#packing.encoding, parts, this.#packing.level)
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts, batch.byteLength)
  }

  /** A name and password in the URL travel as Basic authentication, as Go's client sends them. */
  #headersFor(url: URL): Record<string, string> {
    if (url.username === '' && url.password === '') return this.#headers
    const pair = `${unescaped(url.username)}:${unescaped(url.password)}`
    return { ...this.#headers, authorization: `Basic ${Buffer.from(pair).toString('base64')}` }
  }

  #readSuccess(signal: Signal, answer: HttpAnswer): void {
    let partial: PartialSuccess | undefined
    try {
      const type = mediaType(answer)
      if (type === PROTOBUF) partial = readExportResponse(answer.body)
      else if (type === JSON_TYPE) partial = readExportResponseJson(signal, Buffer.from(answer.body).toString())
    } catch (error) {
      throw new DeliveryError('OTLP_BAD_ANSWER', `the answer is no OTLP response: ${wordsOf(error)}`, {
        retry: 'never',
        cause: error,
      })
    }
    if (partial === undefined) return
    // OTLP, "Partial Success": the same bytes must not be sent again.
    if (partial.rejected > 0) countRejected(this.#context.meter, signal, partial.rejected)
    this.#context.log.warn('Partial success response', { message: partial.message, dropped_items: partial.rejected })
  }
}

/** The signal's own endpoint as it is, or the base with the signal's path. */
function urlOf(config: OtlpHttpConfig, signal: Signal): URL {
  const own = config[`${signal}Endpoint`]
  if (own !== undefined && own !== '') return new URL(own)
  if (config.endpoint === undefined || config.endpoint === '')
    throw new Error(`endpoint or ${signal}_endpoint must be given: a pipeline sends ${signal}`)
  return new URL(config.endpoint.replace(/\/?$/, `/${PATH[signal]}`))
}

function labelsOf(url: URL): Labels {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port
  return { 'server.address': url.hostname, 'server.port': port, 'url.path': url.pathname }
}

/**
 * OTLP/HTTP, "Failures": four statuses may be tried again, and the server may say when. `again`: the credential was
 * refused, and there will be another one.
 */
function refusal(url: URL, answer: HttpAnswer, nowMs: number, again: boolean): DeliveryError {
  const { status } = answer
  const said = saidBy(answer)
  const message = `error exporting items, request to ${shown(url)} responded with HTTP Status Code ${status}${said === '' ? '' : `, Message=${said}`}`
  let retry: Retry = again ? 'backoff' : 'never'
  if (isRetryableHttp(status)) {
    const afterMs = status === 429 || status === 503 ? readRetryAfterMs(answer.header('retry-after'), nowMs) : 0
    retry = afterMs > 0 ? { afterMs } : 'backoff'
  }
  return new DeliveryError('OTLP_REFUSED', message, { retry, grpcCode: httpToGrpc(status) })
}

/** The message of a google.rpc.Status, where the body is one. */
function saidBy(answer: HttpAnswer): string {
  if (answer.body.length === 0) return ''
  try {
    const type = mediaType(answer)
    if (type === PROTOBUF) return readRpcStatus(answer.body).message
    if (type === JSON_TYPE) return readRpcStatusJson(Buffer.from(answer.body).toString()).message
  } catch {
    // A body that is no Status adds nothing to the HTTP status.
  }
  return ''
}

const mediaType = (answer: HttpAnswer): string =>
  (answer.header('content-type') ?? '').split(';', 1)[0]!.trim().toLowerCase()

/** Without what may be secret in it. */
const shown = (url: URL): string => url.origin + url.pathname

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
