// What stands between an exporter's export() and its own push: queue (+ batch) -> telemetry -> retry -> timeout -> push
// (Collector reference 3). One per exporter, with a queue for each signal.
//
//   this.#sending = new Sending(context, config, (batch, signal) => this.#push(batch, signal))
//   export(batch) { this.#sending.send(batch) }
//   start() { return this.#sending.start() }            at the end: what a queue on disk holds is sent from then on
//   stop(deadline) { return this.#sending.stop(deadline) }
//
// Every batch that is sent is settled exactly once: accepted when the queue takes it (unless wait_for_result), then
// delivered or refused when the push has ended for good. Without a queue it is only delivered or refused. A queue on disk
// settles it as delivered, or refused, when the disk has it or not.

import type { DeliveryError } from '../delivery/error.ts'
import type { Timer } from '../graph/clock.ts'
import type { ExporterContext } from '../graph/component.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import { type ExporterMetrics, exporterMetrics, observeQueue } from '../self/exporter-metrics.ts'
import type { Histogram, Labels } from '../self/meter.ts'
import type { RecordQueue } from '../storage/disk-queue.ts'
import { storageOf } from '../storage/storage.ts'
import { type LaneConfig, type SendingConfig, shareOfQueue } from './config.ts'
import { DiskLane } from './disk-lane.ts'
import { DiskQueueReports } from './disk-reports.ts'
import { errorType, stopping } from './errors.ts'
import { FailureLog } from './failure-log.ts'
import { type Lane, type LaneOptions, QueueLane } from './lane.ts'
import { type Push, Sender } from './sender.ts'

export type { Push } from './sender.ts'

/** What an exporter tells its metrics about where a signal goes: `server.address`, `server.port`, `url.path`. */
export type TargetLabels = (signal: Signal) => Labels

const SIZE_BUCKETS = [10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000].concat([
  10_000, 20_000, 30_000, 50_000, 100_000,
])
const BYTE_BUCKETS = Array.from({ length: 18 }, (_, power) => 128 * 2 ** power)

/** For closing queues on disk, once the time for stopping is over. */
const CLOSE_GRACE_MS = 1_000

interface Way {
  readonly sender: Sender
  readonly lane: Lane | undefined
  readonly metrics: ExporterMetrics
  readonly enqueueSize: Histogram | undefined
  readonly enqueueBytes: Histogram | undefined
}

export class Sending {
  readonly #context: ExporterContext
  readonly #ways = new Map<Signal, Way>()
  readonly #queued: boolean
  readonly #storage: string | undefined
  readonly #dropped: FailureLog
  readonly #rejected: FailureLog
  readonly #retried: FailureLog
  #stopped: Promise<void> | undefined

  constructor(context: ExporterContext, config: SendingConfig, push: Push, target: TargetLabels = () => ({})) {
    this.#context = context
    this.#queued = config.queue !== undefined
    this.#storage = config.queue?.storage
    const { log, clock } = context
    const hint = failureHint(config)
    this.#dropped = new FailureLog(log, clock, 'error', `Exporting failed. Dropping data.${hint}`, 'dropped_items')
    this.#rejected = new FailureLog(log, clock, 'error', `Exporting failed. Rejecting data.${hint}`, 'rejected_items')
    this.#retried = new FailureLog(
      log,
      clock,
      'info',
      'Exporting failed. Will retry the request after interval.',
      'retried_items',
    )
    for (const signal of context.signals) this.#ways.set(signal, this.#way(signal, config, push, target(signal)))
  }

  /** Opens queues on disk. Rejects with words when one cannot be opened; then none is. */
  async start(): Promise<void> {
    if (this.#storage === undefined) return
    const storage = storageOf(this.#context, this.#storage)
    const opened: (() => void)[] = []
    const queues: RecordQueue[] = []
    try {
      for (const [signal, { lane }] of this.#ways) {
        if (!(lane instanceof DiskLane)) continue
        const events = new DiskQueueReports(this.#context, signal, lane)
        const queue = await storage.openQueue({ owner: this.#context, signal, events })
        queues.push(queue)
        opened.push(() => lane.open(queue))
      }
    } catch (error) {
      await Promise.all(queues.map((queue) => queue.close()))
      throw error
    }
    for (const open of opened) open()
  }

  /** Takes the batch over and settles it, now or later. */
  send(batch: Batch): void {
    const way = this.#ways.get(batch.signal)
    if (way === undefined) throw new Error(`invariant: exporter ${this.#context.id} was not made for ${batch.signal}`)
    if (way.lane !== undefined) {
      way.enqueueSize?.record(batch.items)
      way.enqueueBytes?.record(batch.byteLength)
      way.lane.offer(batch)
    } else if (this.#stopped === undefined) way.sender.send(batch, nothing)
    else this.#refuse(way, batch, stopping())
  }

  /**
   * Ends what waits in back-off, sends what the queues hold once, and resolves when every batch is settled. When
   * `deadline` aborts, what is left is refused.
   */
  stop(deadline?: AbortSignal): Promise<void> {
    this.#stopped ??= this.#drain(deadline)
    return this.#stopped
  }

  /** What waits in back-off is refused, and nothing is tried twice from here on; batches are still taken. */
  endRetries(): void {
    for (const { sender } of this.#ways.values()) sender.stopRetries()
  }

  /**
   * Instead of stop(), for a destination that is given up while others go on: refuses at once what waits in queues and in
   * back-off, so that it can go elsewhere. Resolves when what is on its way has ended.
   */
  handBack(): Promise<void> {
    this.#stopped ??= this.#drain(undefined, true)
    return this.#stopped
  }

  async #drain(deadline: AbortSignal | undefined, handBack = false): Promise<void> {
    const ways = [...this.#ways.values()]
    // What is in back-off would make room for the next.
    for (const { lane } of ways) if (lane instanceof DiskLane) lane.hold()
    for (const { sender } of ways) sender.stopRetries()
    const abort = (): void => {
      for (const { lane, sender } of ways) {
        lane?.abort()
        sender.abort()
      }
    }
    deadline?.addEventListener('abort', abort, { once: true })
    const idle = ways.map(({ lane, sender }) => (lane === undefined ? sender.whenIdle() : stopLane(lane)))
    if (deadline?.aborted) abort()
    if (handBack) for (const { lane } of ways) lane?.abort()
    await Promise.all(idle)
    await this.#closeQueues(deadline)
    deadline?.removeEventListener('abort', abort)
    for (const log of [this.#dropped, this.#rejected, this.#retried]) log.flush()
  }

  /** A disk that does not answer holds nobody up for long once the time is over: what it has is safe without this. */
  async #closeQueues(deadline: AbortSignal | undefined): Promise<void> {
    const lanes = [...this.#ways.values()].flatMap(({ lane }) => (lane instanceof DiskLane ? [lane] : []))
    if (lanes.length === 0) return
    const closed = Promise.all(lanes.map((lane) => lane.close()))
    let grace: Timer | undefined
    let begin = (): void => {}
    const over = new Promise<void>((resolve) => {
      begin = () => {
        grace = this.#context.clock.after(CLOSE_GRACE_MS, resolve)
      }
    })
    if (deadline?.aborted) begin()
    else deadline?.addEventListener('abort', begin, { once: true })
    await Promise.race([closed, over])
    deadline?.removeEventListener('abort', begin)
    grace?.cancel()
  }

  #way(signal: Signal, config: SendingConfig, push: Push, labels: Labels): Way {
    const { clock, random, meter } = this.#context
    const metrics = exporterMetrics(meter, signal, labels)
    const sender = new Sender({
      push,
      retry: config.retry,
      timeoutMs: config.timeoutMs,
      clock,
      random,
      onSent: (batch) => metrics.sent.add(batch.items),
      onFailed: (batch, error) => {
        const lane = this.#ways.get(signal)?.lane
        if (lane instanceof DiskLane && lane.isKept(error)) return
        metrics.failed(batch.items, errorType(error), error.retry === 'never')
        const log = this.#queued || batch.delivery.accepted ? this.#dropped : this.#rejected
        log.report(error, batch.items)
      },
      onRetry: (batch, error, waitMs) =>
        this.#retried.report(error, batch.items, { interval: `${(waitMs / 1000).toFixed(3)}s` }),
    })
    const { queue } = config
    if (queue === undefined)
      return { sender, lane: undefined, metrics, enqueueSize: undefined, enqueueBytes: undefined }
    return { sender, metrics, ...this.#queue(signal, shareOfQueue(queue, this.#context.shards), sender, metrics) }
  }

  #queue(signal: Signal, queue: LaneConfig, sender: Sender, metrics: ExporterMetrics): Omit<Way, 'sender' | 'metrics'> {
    const { clock, meter } = this.#context
    const detailed = { level: 'detailed' } as const
    const batched =
      queue.batch === undefined
        ? undefined
        : meter.histogram(
            'exporter_queue_batch_send_size',
            '{unit}',
            'Items in a batch that was sent.',
            SIZE_BUCKETS,
            detailed,
          )
    const batchedBytes =
      queue.batch === undefined
        ? undefined
        : meter.histogram(
            'exporter_queue_batch_send_size_bytes',
            'By',
            'Bytes in a batch that was sent.',
            BYTE_BUCKETS,
            detailed,
          )
    const options: LaneOptions = {
      config: queue,
      sender,
      clock,
      onRejected: (batch, error) => {
        metrics.enqueueFailed.add(batch.items)
        this.#rejected.report(error, batch.items)
      },
      onBatched: (batch) => {
        batched?.record(batch.items)
        batchedBytes?.record(batch.byteLength)
      },
    }
    const lane = queue.storage === undefined ? new QueueLane(options) : new DiskLane({ ...options, signal })
    observeQueue(meter, signal, queue.sizer ?? 'requests', {
      size: () => lane.size,
      capacity: () => queue.queueSize,
      inFlight: () => lane.inFlight,
    })
    return {
      lane,
      enqueueSize: meter.histogram(
        'exporter_enqueue_size',
        '{unit}',
        'Items in a request offered to the queue.',
        SIZE_BUCKETS,
        detailed,
      ),
      enqueueBytes: meter.histogram(
        'exporter_enqueue_size_bytes',
        'By',
        'Bytes in a request offered to the queue.',
        BYTE_BUCKETS,
        detailed,
      ),
    }
  }

  #refuse(way: Way, batch: Batch, error: DeliveryError): void {
    way.metrics.failed(batch.items, errorType(error), false)
    this.#rejected.report(error, batch.items)
    batch.delivery.refuse(error)
  }
}

function failureHint(config: SendingConfig): string {
  if (config.retry === undefined && config.retriesInPush !== true)
    return ' Try enabling retry_on_failure config option to retry on retryable errors.'
  return config.queue === undefined ? ' Try enabling sending_queue to survive temporary failures.' : ''
}

const stopLane = (lane: Lane): Promise<void> => new Promise((resolve) => lane.stop(resolve))
const nothing = (): void => {}
