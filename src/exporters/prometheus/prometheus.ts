// The exporter: takes points into series, and shows them to whoever scrapes /metrics.
//
// Only one shard has it: the others hand their batches over, so that there is one answer and no series twice.

import type { IncomingMessage, ServerResponse } from 'node:http'
import { constants, createGzip } from 'node:zlib'
import type { Timer } from '../../graph/clock.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { type HttpServerHandle, startHttpServer } from '../../net/http/server.ts'
import type { Listening } from '../../net/listen.ts'
import type { Batch } from '../../otlp/batch.ts'
import { labelName, TRANSLATIONS } from '../../prometheus/names.ts'
import { type ExporterMetrics, exporterMetrics } from '../../self/exporter-metrics.ts'
import { Accumulator } from './accumulator.ts'
import { ChunkPool } from './chunks.ts'
import type { PrometheusConfig } from './config.ts'
import { chooseFormat, takesGzip } from './format.ts'
import { takenAttributes } from './resource-attributes.ts'
import { scrape } from './scrape.ts'
import { DROPPED, type Dropped } from './stream.ts'

const NOT_FOUND = '404 page not found\n'
const PATH = '/metrics'
/** With zlib's own, 16 KiB, 21 MB cost the event loop 8 ms rather than 6. */
const PACKED_CHUNK_BYTES = 64 * 1024
const COLLAPSES_GATE = 'pkg.translator.prometheus.PermissiveLabelSanitization'
/** A reason is said in the log with its first point, and then as seldom as this. */
const SAY_EVERY_MS = 60_000

export class Prometheus implements Exporter {
  readonly #config: PrometheusConfig
  readonly #context: ExporterContext
  readonly #accumulator: Accumulator
  readonly #metrics: ExporterMetrics
  readonly #targetName: string
  readonly #chunks = new ChunkPool()
  readonly #saidAt = new Map<Dropped, number>()
  #server: HttpServerHandle | undefined
  #timer: Timer | undefined

  constructor(config: PrometheusConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    this.#metrics = exporterMetrics(context.meter, 'metrics')
    const { namespace } = config
    const translation = TRANSLATIONS[config.translationStrategy]
    const labels = { utf8: translation.utf8, collapses: context.gates.has(COLLAPSES_GATE) }
    const prefix = namespace === '' ? undefined : labelName(namespace, labels)
    this.#targetName = prefix === undefined ? 'target_info' : `${prefix}_target_info`
    this.#accumulator = new Accumulator({
      naming: { ...translation, namespace },
      labels,
      constLabels: [...config.constLabels],
      withoutScopeInfo: config.withoutScopeInfo,
      takesAttribute: takenAttributes(config),
      maxSeries: config.maxSeries,
      seed: Math.floor(context.random() * 2 ** 32),
      onDropped: (reason, points, name) => this.#dropped(reason, points, name),
    })
    const { series } = this.#accumulator
    context.meter.observe('exporter_prometheus_series', '{series}', 'Series that a scrape shows.', () => series.size)
    for (const reason of Object.values(DROPPED)) this.#droppedPoints(reason)
  }

  /** Where it listens, once started. */
  get address(): Listening | undefined {
    return this.#server
  }

  async start(): Promise<void> {
    const { metricExpirationMs } = this.#config
    this.#server = await startHttpServer(this.#config, this.#context, (request, response) =>
      this.#answer(request, response),
    )
    const { host, port } = this.#server
    this.#context.log.info('prometheus listens.', { endpoint: `${host}:${port}` })
    // Without a scraper nobody else would look.
    if (metricExpirationMs > 0) this.#timer = this.#context.clock.every(metricExpirationMs, () => this.#expire())
  }

  export(batch: Batch): void {
    const now = this.#context.clock.monotonic()
    for (const part of batch.parts) this.#accumulator.take(part, now)
    this.#metrics.sent.add(batch.items)
    batch.delivery.deliver()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#timer?.cancel()
    await this.#server?.close(deadline)
  }

  #expire(): void {
    this.#accumulator.series.expire(this.#context.clock.monotonic() - this.#config.metricExpirationMs)
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    request.resume()
    if ((request.url ?? '').split('?', 1)[0] !== PATH) {
      response.writeHead(404, {
        'content-type': 'text/plain; charset=utf-8',
        'x-content-type-options': 'nosniff',
        'content-length': NOT_FOUND.length,
      })
      response.end(request.method === 'HEAD' ? undefined : NOT_FOUND)
      return
    }
    void this.#scrape(request, response).catch((error: Error) => {
      this.#context.log.error('A scrape could not be answered.', { error: error.message })
      response.destroy()
    })
  }

  async #scrape(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#expire()
    const { accept = '', 'accept-encoding': encodings = '' } = request.headers
    const choice = chooseFormat(accept, this.#config.enableOpenMetrics)
    const isPacked = takesGzip(String(encodings))
    const gzip = isPacked ? createGzip({ level: constants.Z_BEST_SPEED, chunkSize: PACKED_CHUNK_BYTES }) : undefined
    gzip?.on('error', () => response.destroy())
    const target = gzip ?? response
    // Whoever waits for room has to hear of a reader that has left.
    response.once('close', () => gzip?.destroy())
    const options = { choice, timestamps: this.#config.sendTimestamps, targetName: this.#targetName }
    await scrape(this.#accumulator, this.#context.clock, this.#chunks, options, {
      begin(contentType) {
        response.writeHead(200, {
          'content-type': contentType,
          ...(isPacked ? { 'content-encoding': 'gzip' } : {}),
        })
        gzip?.pipe(response)
      },
      write(bytes, whenRead) {
        if (response.destroyed || request.method === 'HEAD') return false
        const onRead = (error?: Error | null): void => {
          if (!error) whenRead()
        }
        if (target.write(bytes, onRead)) return true
        return new Promise((resolve) => {
          const settle = (): void => {
            target.off('drain', settle)
            response.off('close', settle)
            resolve(!response.destroyed)
          }
          target.once('drain', settle)
          response.once('close', settle)
        })
      },
    })
    target.end()
  }

  #dropped(reason: Dropped, points: number, name: () => string): void {
    if (points === 0) return
    this.#droppedPoints(reason).add(points)
    // A late point is everyday life.
    if (reason === DROPPED.OLD) return
    const now = this.#context.clock.monotonic()
    if (now - (this.#saidAt.get(reason) ?? -Infinity) < SAY_EVERY_MS) return
    this.#saidAt.set(reason, now)
    this.#context.log.warn(`Points are not shown: ${WORDS[reason]}.`, { reason, metric: name() })
  }

  #droppedPoints(reason: Dropped) {
    return this.#context.meter.counter(
      'exporter_prometheus_dropped_points',
      '{datapoint}',
      'Number of metric points that no scrape shows, by reason.',
      { labels: { reason } },
    )
  }
}

const WORDS: Readonly<Record<Dropped, string>> = {
  [DROPPED.LABEL]: 'two of their labels have one name, or one that Prometheus keeps for itself',
  [DROPPED.NAME]: 'nothing of the name is left in the letters of Prometheus',
  [DROPPED.TYPE]: 'a metric of that name has another type',
  [DROPPED.TEMPORALITY]: 'a sum with delta temporality must be monotonic, and no temporality may be unspecified',
  [DROPPED.SERIES]: 'there are max_series series',
  [DROPPED.OLD]: 'there is a newer one',
  [DROPPED.MISALIGNED]: 'a histogram with delta temporality begins before the end of the one before it',
  [DROPPED.COUNTS]: 'the buckets of an exponential histogram hold more or less than its count',
}
