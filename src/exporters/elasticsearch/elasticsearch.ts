// Sends a batch as documents in `_bulk` requests, one after the other, and what of it may be tried again alone.
//
//   batch --encode--> bodies --request--> every document has an answer
//                        ^                  2xx: done   retry_on_status: kept for the next try   else: set aside
//                        \-------- the next try of the same batch sends what was kept, and nothing twice
//
// Who retries, and when, is src/sending; what is left of a batch between two tries is kept here, by batch.

import { DeliveryError } from '../../delivery/error.ts'
import type { Timer } from '../../graph/clock.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { HttpRefusal, targetLabels } from '../../net/http/push.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import type { BulkBody } from './bulk-body.ts'
import { BulkClient } from './bulk-client.ts'
import { BulkMetrics } from './bulk-metrics.ts'
import type { ElasticsearchConfig } from './config.ts'
import { formatDate } from './date-suffix.ts'
import { Encoder } from './encoder.ts'
import { sayDeprecated, sendingConfigOf } from './older-keys.ts'
import { SetAside } from './set-aside.ts'

type DocumentSignal = Exclude<Signal, 'profiles'>

/** What is left of a batch. */
interface Rest {
  bodies: BulkBody[]
  /** The first part that is not in `bodies` yet. */
  next: number
  tries: number
}

export class ElasticsearchExporter implements Exporter {
  readonly #config: ElasticsearchConfig
  readonly #context: ExporterContext
  readonly #client: BulkClient
  readonly #metrics: BulkMetrics
  readonly #setAside: SetAside
  readonly #sending: Sending
  readonly #encoders = new Map<Signal, Encoder>()
  readonly #rests = new WeakMap<Batch, Rest>()
  readonly #retryStatuses: ReadonlySet<number>
  readonly #maxTries: number
  readonly #discovering = new AbortController()
  #discovery: Timer | undefined

  constructor(config: ElasticsearchConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    this.#metrics = new BulkMetrics(context.meter)
    this.#client = new BulkClient(config, context, this.#metrics)
    this.#setAside = new SetAside(config, context, this.#metrics)
    this.#retryStatuses = new Set(config.retry?.retryOnStatus)
    const { maxRetries = 0, maxRequests } = config.retry ?? {}
    this.#maxTries = maxRequests ?? (maxRetries === 0 ? Number.POSITIVE_INFINITY : maxRetries + 1)
    const sending = sendingConfigOf(config)
    for (const signal of context.signals) this.#encoders.set(signal, this.#makeEncoder(signal, sending.queue?.batch))
    const health = new RemoteHealth(context)
    health.observe(context.meter, this.#client.urls.map(({ origin }) => origin).join(','))
    const push = health.watch((batch, signal) => this.#push(batch, signal))
    this.#sending = new Sending(context, sending, push, () => targetLabels(this.#client.urls[0]!))
  }

  async start(): Promise<void> {
    sayDeprecated(this.#config, this.#context.log)
    await this.#client.start()
    const { onStart, intervalMs } = this.#config.discover
    const discover = (): void => void this.#client.discover(this.#discovering.signal)
    if (onStart) discover()
    if (intervalMs > 0) this.#discovery = this.#context.clock.every(intervalMs, discover)
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    this.#discovery?.cancel()
    this.#discovering.abort(new Error('the exporter is shutting down'))
    await this.#sending.stop(deadline)
    this.#setAside.stop()
    await this.#client.close()
  }

  async #push(batch: Batch, signal: AbortSignal): Promise<void> {
    const rest = this.#rests.get(batch) ?? { bodies: [], next: 0, tries: 0 }
    this.#rests.set(batch, rest)
    rest.tries++
    const again: BulkBody[] = []
    try {
      await this.#pushRest(batch, rest, again, signal)
    } catch (error) {
      rest.bodies.unshift(...again)
      throw this.#isLastTry(rest) ? noMoreTries(error) : error
    }
    if (again.length === 0) {
      this.#rests.delete(batch)
      return
    }
    rest.bodies = again
    let documents = 0
    for (const body of again) documents += body.documents
    this.#metrics.retried(documents)
    const words = `${documents} documents were not taken for a reason that may pass`
    throw new DeliveryError('ELASTICSEARCH_REFUSED', words, { retry: this.#isLastTry(rest) ? 'never' : 'backoff' })
  }

  #isLastTry({ tries }: Rest): boolean {
    return tries >= this.#maxTries
  }

  /** Takes a body out of `rest` once the server has answered for its documents. */
  async #pushRest(batch: Batch, rest: Rest, again: BulkBody[], signal: AbortSignal): Promise<void> {
    const encoder = this.#encoders.get(batch.signal)!
    for (;;) {
      const body = rest.bodies[0]
      if (body === undefined) {
        if (rest.next >= batch.parts.length) return
        const made = encoder.encode(batch, rest.next, this.#suffix(), this.#client.isElasticsearch)
        rest.bodies = made.bodies
        rest.next = made.next
        for (const { documents } of made.bodies) this.#metrics.received(documents)
        continue
      }
      try {
        const { failures, failureStore } = await this.#client.send(
          body,
          batch.client,
          this.#wantsStreams(batch),
          signal,
        )
        rest.bodies.shift()
        for (const [word, documents] of failureStore) this.#metrics.processed(`failure_store_${word}`, documents)
        this.#metrics.processed('success', body.documents - failures.length)
        // The server has read it, or could not have answered for its documents.
        if (failures.length === 0) {
          encoder.recycle(body)
          continue
        }
        const kept = failures.filter(({ status }) => this.#retryStatuses.has(status))
        if (kept.length > 0) again.push(body.subset(kept.map(({ document }) => document)))
        const refused = failures.filter(({ status }) => !this.#retryStatuses.has(status))
        const letters = this.#setAside.refused(batch.signal, body, refused)
        if (letters !== undefined) rest.bodies.push(letters)
      } catch (error) {
        // Too large for the server, or for a proxy in front of it.
        if (!(error instanceof HttpRefusal) || error.answer.status !== 413 || body.documents === 1) throw error
        rest.bodies.splice(0, 1, ...body.halves())
      }
    }
  }

  /** An index that the configuration names need not be a data stream. */
  #wantsStreams({ signal }: Batch): boolean {
    const { logstash, mapping } = this.#config
    return (mapping.mode ?? 'otel') === 'otel' && this.#index(signal as DocumentSignal) === '' && !logstash.enabled
  }

  #suffix(): string {
    const { enabled, prefixSeparator, dateFormat } = this.#config.logstash
    return enabled ? prefixSeparator + formatDate(dateFormat, this.#context.clock.now()) : ''
  }

  #index(signal: DocumentSignal): string {
    return this.#config[`${signal}Index`]
  }

  #makeEncoder(
    signal: Signal,
    batch: { readonly maxSize: number; readonly sizer?: string | undefined } | undefined,
  ): Encoder {
    if (signal === 'profiles') throw new Error('profiles cannot be sent to Elasticsearch')
    const { mapping, logsDynamicId, tracesDynamicId, logsDynamicPipeline } = this.#config
    return new Encoder(
      {
        signal,
        mode: mapping.mode ?? 'otel',
        allowedModes: new Set(mapping.allowedModes),
        index: this.#index(signal),
        takesIds: signal === 'logs' ? logsDynamicId.enabled : signal === 'traces' && tracesDynamicId.enabled,
        takesPipelines: signal === 'logs' && logsDynamicPipeline.enabled,
        maxBytes: batch?.sizer === 'bytes' ? batch.maxSize : 0,
      },
      (items, why) => this.#setAside.unfit(signal, items, why),
    )
  }
}

function noMoreTries(error: unknown): unknown {
  if (!(error instanceof DeliveryError) || error.retry === 'never') return error
  const { code, message, grpcCode } = error
  return new DeliveryError(code, `no more retries left: ${message}`, {
    retry: 'never',
    cause: error,
    ...(grpcCode === undefined ? {} : { grpcCode }),
  })
}
