// The exporter: points become samples in requests, which lanes.ts keeps in order.
//
// The queue hands over batches in their order; each is settled when the requests that hold something of it have ended. A
// request that fails for a reason that may pass is tried again by itself, in its place: what is behind it waits. Samples that
// a store will never take are set aside alone: they count as rejected, and their batch as sent.

import type { DeliveryError } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { HttpPush, HttpRefusal, targetLabels } from '../../net/http/push.ts'
import { type Batch, NO_CLIENT } from '../../otlp/batch.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import type { QueueConfig } from '../../sending/config.ts'
import { stopping } from '../../sending/errors.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sender } from '../../sending/sender.ts'
import { Sending } from '../../sending/sending.ts'
import { PROTOCOL_HEADERS, type RemoteWriteConfig, UNPACKED } from './config.ts'
import { DROPPED, type Dropped, Encoder } from './encoder.ts'
import { Lanes } from './lanes.ts'
import { Message1 } from './message-1.ts'
import { Message2 } from './message-2.ts'
import { encoderOptions, isVersion2 } from './options.ts'
import { readRefusal, refusalWords } from './refusal.ts'
import type { Request } from './request.ts'
import { countSamples } from './samples.ts'

/** Batches that are in requests at the same time, the others wait in the queue as they came. */
const MAX_OPEN_BATCHES = 100
/** Requests that may be spent on finding the bad samples of one that was refused as a whole; then the rest is dropped. */
const MAX_SEARCHES = 64
/** A reason is said in the log with its first point, and then as seldom as this. */
const SAY_EVERY_MS = 60_000

/** The queue that the keys describe; undefined where it is off. */
export function queueOf({ remoteWriteQueue: queue }: RemoteWriteConfig): QueueConfig | undefined {
  if (!queue.enabled) return undefined
  return {
    consumers: MAX_OPEN_BATCHES,
    queueSize: queue.queueSize,
    sizer: 'requests',
    blockOnOverflow: false,
    waitForResult: false,
    storage: queue.storage,
    batch: undefined,
  }
}

export class RemoteWrite implements Exporter {
  readonly #config: RemoteWriteConfig
  readonly #context: ExporterContext
  readonly #http: HttpPush
  readonly #sending: Sending
  readonly #sender: Sender<Request>
  readonly #lanes: Lanes
  readonly #encoder: Encoder
  readonly #message: Message1 | Message2
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #rejected: FailureLog
  readonly #withoutExemplars: FailureLog
  readonly #retried: FailureLog
  readonly #saidAt = new Map<Dropped, number>()

  constructor(config: RemoteWriteConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    const { log, clock, meter, random } = context
    this.#url = new URL(config.endpoint)
    this.#headers = HEADERS[config.protobufMessage]
    const headers = new Map([...config.headers].filter(([name]) => !PROTOCOL_HEADERS.has(name.toLowerCase())))
    this.#http = new HttpPush({ ...config, ...UNPACKED, headers }, context, {
      words: refusalWords,
      isRetryable: (status) => status >= 500 || (status === 429 && config.retryOn429),
    })
    this.#rejected = new FailureLog(log, clock, 'warn', 'The store does not take samples: they are dropped.', 'samples')
    this.#withoutExemplars = new FailureLog(
      log,
      clock,
      'info',
      'The store has written all samples, and not all of their exemplars.',
      'requests',
    )
    this.#retried = new FailureLog(
      log,
      clock,
      'info',
      'Exporting failed. Will retry the request after interval.',
      'retried_series',
    )
    const health = new RemoteHealth(context)
    health.observe(meter, this.#url.origin)
    this.#sender = new Sender<Request>({
      push: health.watch((request: Request, signal) => this.#write(request, signal)),
      retry: config.retry,
      timeoutMs: config.timeoutMs,
      clock,
      random,
      onSent: () => {},
      onFailed: () => {},
      onRetry: (request, error, waitMs) =>
        this.#retried.report(error, request.series.length, { interval: `${(waitMs / 1000).toFixed(3)}s` }),
    })
    const count = config.maxBatchRequestParallelism ?? config.remoteWriteQueue.numConsumers
    this.#lanes = new Lanes({ count, maxBytes: config.maxBatchSizeBytes, sender: this.#sender })
    this.#message = isVersion2(config) ? new Message2() : new Message1(config.sendMetadata)
    this.#encoder = new Encoder(
      encoderOptions(config, {
        gates: context.gates,
        seed: Math.floor(random() * 2 ** 32),
        onDropped: (reason, points, name) => this.#dropped(reason, points, name),
      }),
    )
    this.#sending = new Sending(
      context,
      { queue: queueOf(config), retry: undefined, timeoutMs: 0, retriesInPush: config.retry !== undefined },
      (batch, signal) => this.#push(batch, signal),
      () => targetLabels(this.#url),
    )
    meter.observe(
      'exporter_prometheus_remote_write_series',
      '{series}',
      'Series whose labels are kept.',
      () => this.#encoder.series,
    )
    for (const reason of Object.values(DROPPED)) this.#droppedPoints(reason)
  }

  async start(): Promise<void> {
    const { wal, remoteWriteQueue: queue } = this.#config
    if (wal !== undefined && queue.storage === undefined)
      this.#context.log.warn(
        'wal keeps nothing: until it is sent, everything is in memory. Name a storage extension in remote_write_queue.storage.',
      )
    await this.#http.start([this.#url])
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline?: AbortSignal): Promise<void> {
    this.#sender.stopRetries()
    const abort = (): void => this.#lanes.abort()
    deadline?.addEventListener('abort', abort, { once: true })
    await this.#sending.stop(deadline)
    deadline?.removeEventListener('abort', abort)
    await this.#http.close()
    this.#rejected.flush()
    this.#withoutExemplars.flush()
    this.#retried.flush()
  }

  #push(batch: Batch, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      // One more than its requests, until all of them are known.
      let open = 1
      let failure: DeliveryError | undefined
      const share = {
        requestEnded(error: DeliveryError | undefined): void {
          failure ??= error
          if (--open > 0) return
          if (failure === undefined) resolve()
          else reject(failure)
        },
      }
      signal.addEventListener('abort', () => reject(stopping()), { once: true })
      this.#lanes.begin(this.#config.auth === undefined ? NO_CLIENT : batch.client)
      this.#encoder.encode(batch, this.#lanes, share, () => open++)
      this.#lanes.flush()
      share.requestEnded(undefined)
    })
  }

  /** From left to right, so that what is sent again begins where the store has nothing yet. */
  async #write(request: Request, signal: AbortSignal): Promise<void> {
    request.sort()
    let searches = MAX_SEARCHES
    const write = async (from: number, to: number): Promise<void> => {
      if (to <= request.settledSeries) return
      const start = Math.max(from, request.settledSeries)
      try {
        await this.#post(request, start, to, signal)
      } catch (error) {
        if (!(error instanceof HttpRefusal) || error.retry !== 'never') throw error
        const { kind, written } = readRefusal(error.answer)
        if (kind === 'all') throw error
        if (written === undefined && to - start > 1 && searches > 0) {
          searches -= 2
          const middle = (start + to) >> 1
          await write(start, middle)
          await write(middle, to)
          return
        }
        if (written === undefined) this.#reject(error, pointsOf(request, start, to))
        else this.#rejectRest(error, samplesOf(request, start, to) - written)
      }
      request.settledSeries = to
    }
    await write(0, request.series.length)
  }

  async #post(request: Request, from: number, to: number, signal: AbortSignal): Promise<void> {
    const now = this.#context.clock.now()
    const isWhole = from === 0 && to === request.series.length
    const body = (isWhole ? request.message : undefined) ?? this.#message.write(request, from, to, now)
    if (isWhole) request.message = body
    await this.#http.send({ url: this.#url, headers: this.#headers, body: [body], client: request.client }, signal)
  }

  #reject(error: DeliveryError, lost: number): void {
    countRejected(this.#context.meter, 'metrics', lost)
    this.#rejected.report(error, lost)
  }

  /** What the store has not written of a request of 2.0: samples, or exemplars alone. */
  #rejectRest(error: DeliveryError, lost: number): void {
    if (lost > 0) this.#reject(error, lost)
    else this.#withoutExemplars.report(error, 1)
  }

  #dropped(reason: Dropped, points: number, name: () => string): void {
    if (points === 0) return
    this.#droppedPoints(reason).add(points)
    const now = this.#context.clock.monotonic()
    if (now - (this.#saidAt.get(reason) ?? -Infinity) < SAY_EVERY_MS) return
    this.#saidAt.set(reason, now)
    this.#context.log.warn(`Points are not sent: ${WORDS[reason]}.`, { reason, metric: name() })
  }

  #droppedPoints(reason: Dropped) {
    return this.#context.meter.counter(
      'exporter_prometheus_remote_write_dropped_points',
      '{datapoint}',
      'Number of metric points that cannot be written, by reason.',
      { labels: { reason } },
    )
  }
}

/** Of series each of which may hold what the store refused: of several series of a point one counts all of its points. */
function pointsOf(request: Request, from: number, to: number): number {
  let points = 0
  for (let i = from; i < to; i++) points += Math.max(1, request.points[i]!)
  return points
}

function samplesOf(request: Request, from: number, to: number): number {
  let samples = 0
  for (let i = from; i < to; i++) samples += countSamples(request, i)
  return samples
}

const HEADERS = {
  'prometheus.WriteRequest': {
    'content-type': 'application/x-protobuf',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '0.1.0',
  },
  'io.prometheus.write.v2.Request': {
    'content-type': 'application/x-protobuf;proto=io.prometheus.write.v2.Request',
    'content-encoding': 'snappy',
    'x-prometheus-remote-write-version': '2.0.0',
  },
} as const

const WORDS: Readonly<Record<Dropped, string>> = {
  [DROPPED.NAME]: 'nothing of the name is left in the letters of Prometheus',
  [DROPPED.LABEL]: 'nothing of the name of a label is left in the letters of Prometheus',
  [DROPPED.TEMPORALITY]: 'sums and histograms must be cumulative',
  [DROPPED.TIME]: 'they have no time',
  [DROPPED.SCALE]: 'Prometheus has no histograms of a scale below -4',
}
