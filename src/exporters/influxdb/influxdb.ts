// The exporter: a batch becomes lines, the lines one request or several.
//
// A request that fails for a reason that may pass makes the sending queue try the whole batch again: what was stored
// already is written over with the same values. What a server will never take is set aside alone: it counts as rejected,
// and the batch as sent.

import type { DeliveryError } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { HttpPush, HttpRefusal, targetLabels } from '../../net/http/push.ts'
import type { Batch, ClientInfo } from '../../otlp/batch.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import type { Counter } from '../../self/meter.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import type { InfluxConfig } from './config.ts'
import { LineEncoder } from './encoder.ts'
import { DROP_REASONS, type DropReason } from './line-schema.ts'
import type { Payload } from './lines.ts'
import { readRejection, rejectionWords } from './rejection.ts'
import { createDatabaseUrl, writeHeaders, writeUrl } from './write-api.ts'

/** InfluxDB 3 names every line that it does not take. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024
/** Requests that may be spent on finding the bad lines of one that was refused as a whole; then the rest is dropped. */
const MAX_SEARCHES = 64

export class InfluxExporter implements Exporter {
  readonly #config: InfluxConfig
  readonly #context: ExporterContext
  readonly #http: HttpPush
  readonly #sending: Sending
  readonly #encoder: LineEncoder
  readonly #url: URL
  readonly #headers: Record<string, string>
  readonly #rejected: FailureLog
  readonly #dropped = new Map<DropReason, Counter>()
  #databaseMade: boolean

  constructor(config: InfluxConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    this.#url = writeUrl(config)
    this.#headers = writeHeaders(config)
    this.#databaseMade = !(config.v1.enabled && config.v1.create)
    this.#encoder = new LineEncoder(config, context.clock, Math.floor(context.random() * 2 ** 32))
    this.#http = new HttpPush(config, context, {
      words: rejectionWords,
      isRetryable: (status) => status === 429 || status >= 500,
      maxAnswerBytes: MAX_ANSWER_BYTES,
    })
    const { log, clock, meter } = context
    this.#rejected = new FailureLog(log, clock, 'warn', 'InfluxDB does not take lines: they are dropped.', 'lines')
    const health = new RemoteHealth(context)
    health.observe(meter, this.#url.origin)
    const push = health.watch((batch, signal) => this.#push(batch, signal))
    this.#sending = new Sending(context, config, push, () => targetLabels(this.#url))
    if (config.maxSeries > 0)
      meter.observe(
        'exporter_influxdb_series',
        '{series}',
        'Different series of metrics that were written since the start.',
        () => this.#encoder.series,
      )
  }

  async start(): Promise<void> {
    await this.#http.start([this.#url])
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    await this.#sending.stop(deadline)
    await this.#http.close()
    this.#rejected.flush()
  }

  async #push(batch: Batch, signal: AbortSignal): Promise<void> {
    await this.#makeDatabase(batch.client, signal)
    const { payloads, dropped } = this.#encoder.encode(batch)
    let rejected = 0
    for (const payload of payloads) rejected += await this.#write(payload, batch.client, signal)
    if (rejected > 0) countRejected(this.#context.meter, batch.signal, rejected)
    for (const [reason, items] of dropped) this.#drop(reason, items)
  }

  async #makeDatabase(client: ClientInfo, signal: AbortSignal): Promise<void> {
    if (this.#databaseMade) return
    const url = createDatabaseUrl(this.#config)
    const { body } = await this.#http.send({ url, headers: this.#headers, body: [], client }, signal)
    this.#databaseMade = true
    // An answer of status 200 may hold an error, as where the database has another policy: lines can be written all the same.
    const error = /"error":"((?:[^"\\]|\\.)*)"/.exec(Buffer.from(body).toString())
    if (error !== null) this.#context.log.warn('The database is not as it should be.', { error: error[1]! })
  }

  /** Returns how many lines the server will never take. */
  async #write(payload: Payload, client: ClientInfo, signal: AbortSignal): Promise<number> {
    let searches = MAX_SEARCHES
    const write = async (from: number, to: number): Promise<number> => {
      const { bytes, ends } = payload
      const body = bytes.subarray(from === 0 ? 0 : ends[from - 1]!, ends[to - 1]!)
      try {
        await this.#http.send({ url: this.#url, headers: this.#headers, body: [body], client }, signal)
        return 0
      } catch (error) {
        if (!(error instanceof HttpRefusal) || error.retry !== 'never') throw error
        const { kind, lines } = readRejection(error.answer)
        if (kind === 'none') throw error
        if (kind === 'partial' || to - from === 1 || searches <= 0)
          return this.#report(error, kind === 'partial' ? Math.min(lines, to - from) : to - from)
        searches -= 2
        const middle = (from + to) >> 1
        return (await write(from, middle)) + (await write(middle, to))
      }
    }
    return write(0, payload.ends.length)
  }

  #report(error: DeliveryError, lines: number): number {
    this.#rejected.report(error, lines)
    return lines
  }

  #drop(reason: DropReason, items: number): void {
    let counter = this.#dropped.get(reason)
    if (counter === undefined) {
      this.#context.log.warn('Something cannot be written as a line: it is dropped.', {
        reason: DROP_REASONS[reason],
        items,
      })
      counter = this.#context.meter.counter(
        'exporter_influxdb_dropped',
        '{item}',
        'Records and data points that cannot be written as a line, by reason.',
        { labels: { reason } },
      )
      this.#dropped.set(reason, counter)
    }
    counter.add(items)
  }
}
