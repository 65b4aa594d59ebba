// Sends a batch as one POST, as protobuf bytes or as OTLP/JSON.

import { DeliveryError } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import type { HttpAnswer } from '../../net/http/client.ts'
import { HttpPush, mediaTypeOf, targetLabels } from '../../net/http/push.ts'
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
  readonly #http: HttpPush
  readonly #urls = new Map<Signal, URL>()
  readonly #headers: Record<string, string>
  /** The push to each host, which notes whether that answers. */
  readonly #pushTo = new Map<string, Push>()

  constructor(config: OtlpHttpConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    this.#headers = { 'content-type': config.encoding === 'json' ? JSON_TYPE : PROTOBUF }
    this.#http = new HttpPush(config, context, { words: readStatusMessage })
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
      (signal) => targetLabels(this.#urls.get(signal)!),
    )
  }

  async start(): Promise<void> {
    await this.#http.start(this.#urls.values())
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    await this.#http.close()
  }

  async #push(batch: Batch, signal: AbortSignal): Promise<void> {
    const url = this.#urls.get(batch.signal)!
    const body = this.#config.encoding === 'json' ? [bytesToJsonBytes(batch.signal, batch.parts)] : batch.parts
    const answer = await this.#http.send({ url, headers: this.#headers, body, client: batch.client }, signal)
    this.#readSuccess(batch.signal, answer)
  }

  #readSuccess(signal: Signal, answer: HttpAnswer): void {
    let partial: PartialSuccess | undefined
    try {
      const type = mediaTypeOf(answer)
      if (type === PROTOBUF) partial = readExportResponse(answer.body)
      else if (type === JSON_TYPE) partial = readExportResponseJson(signal, Buffer.from(answer.body).toString())
    } catch (error) {
      throw new DeliveryError('NEXT_HOP_BAD_ANSWER', `the answer is no OTLP response: ${(error as Error).message}`, {
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

/** The message of a google.rpc.Status, where the body is one. */
function readStatusMessage(answer: HttpAnswer): string {
  const type = mediaTypeOf(answer)
  if (type === PROTOBUF) return readRpcStatus(answer.body).message
  if (type === JSON_TYPE) return readRpcStatusJson(Buffer.from(answer.body).toString()).message
  return ''
}
