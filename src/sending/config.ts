// The keys that every sending exporter shares: sending_queue, retry_on_failure and timeout (Collector reference 3.1, 3.3).

import {
  bool,
  choice,
  duration,
  extensionId,
  type Field,
  float,
  group,
  type Infer,
  int,
  object,
  section,
  strings,
} from '../config/schema.ts'
import { type Keeps, type ShardPlace, shareOf } from '../graph/component.ts'

const SIZERS = {
  requests: 'Count requests, whatever is in them.',
  items: 'Count spans, metric data points or log records.',
  bytes: 'Count the bytes of the encoded requests.',
} as const

/** Where an exporter's queue differs from what the Collector's exporters have in common. */
export interface QueueDefaults {
  readonly blockOnOverflow?: boolean
  /** The queue joins requests unless told otherwise, to this size in bytes. */
  readonly batch?: { readonly flushTimeout: string; readonly minBytes: number; readonly maxBytes: number }
}

const makeBatchConfig = ({ batch }: QueueDefaults) =>
  object(
    {
      flushTimeoutMs: duration('flush_timeout', {
        default: batch?.flushTimeout ?? '200ms',
        min: '0s',
        doc: 'How long a batch waits for more before it is sent as it is.',
      }),
      minSize: int('min_size', {
        default: batch?.minBytes ?? 8192,
        min: 0,
        doc: 'A batch of this size is sent at once.',
      }),
      maxSize: int('max_size', { default: batch?.maxBytes ?? 0, min: 0, doc: 'Larger batches are cut. 0: never.' }),
      sizer: batchSizerField(batch !== undefined),
      partition: group(
        'partition',
        object({
          metadataKeys: strings('metadata_keys', {
            default: [],
            doc: 'Request headers whose values are kept apart: one batch for each combination.',
          }),
        }),
        { doc: 'Which requests may share a batch.' },
      ),
    },
    {
      check(batch, problem) {
        if (batch.flushTimeoutMs <= 0)
          problem('flush_timeout', 'must be above 0', 'write a duration, for example 200ms')
        if (batch.maxSize > 0 && batch.minSize > batch.maxSize)
          problem(
            'max_size',
            `${batch.maxSize} is below min_size, ${batch.minSize}`,
            `write at least ${batch.minSize}, or 0`,
          )
        const keys = batch.partition.metadataKeys.map((key) => key.toLowerCase())
        if (new Set(keys).size < keys.length)
          problem('partition.metadata_keys', 'names a header twice (case does not count)', 'name each header once')
      },
    },
  )

const BATCH_SIZERS = { items: SIZERS.items, bytes: SIZERS.bytes, requests: 'Not possible here.' } as const

type BatchSizerWord = keyof typeof BATCH_SIZERS

const batchSizerField = (countsBytes: boolean): Field<BatchSizerWord | undefined> =>
  countsBytes
    ? choice('sizer', { default: 'bytes', of: BATCH_SIZERS, doc: 'What min_size and max_size count.' })
    : choice('sizer', {
        optional: true,
        of: BATCH_SIZERS,
        doc: 'What min_size and max_size count: `items`, or what the queue counts where its own `sizer` is written.',
      })

const makeQueueConfig = (defaults: QueueDefaults) =>
  object(
    {
      consumers: int('num_consumers', {
        default: 10,
        min: 1,
        doc: 'How many requests are on their way at the same time, for each signal. Divided between the shards.',
      }),
      queueSize: int('queue_size', {
        default: 1000,
        min: 1,
        doc: 'What the queue of a signal holds, counted by `sizer`. What is on its way still counts. Divided between the shards.',
      }),
      sizer: choice('sizer', { optional: true, of: SIZERS, doc: 'What queue_size counts; `requests` if not given.' }),
      blockOnOverflow: bool('block_on_overflow', {
        default: defaults.blockOnOverflow ?? false,
        doc: 'Let senders wait while the queue is full (as many again as the queue holds) instead of refusing them.',
      }),
      waitForResult: bool('wait_for_result', {
        default: false,
        doc: 'Answer the sender when the request was delivered, not when the queue took it.',
      }),
      storage: extensionId('storage', {
        optional: true,
        role: 'storage',
        doc: 'A storage extension, for example `file_storage`, that keeps the queue on disk: it outlives the process.',
      }),
      batch: section('batch', makeBatchConfig(defaults), {
        optional: defaults.batch === undefined ? 'default' : 'some',
        doc: 'Joins what waits in the queue into larger requests.',
      }),
    },
    {
      check(queue, problem) {
        if (queue.storage !== undefined && queue.waitForResult)
          problem(
            'wait_for_result',
            'cannot be combined with storage: senders are answered when the disk has their request',
            'remove one of the two',
          )
        if (queue.batch === undefined) return
        const sizer = batchSizer(queue.batch.sizer, queue.sizer)
        if (sizer === 'requests')
          problem('batch.sizer', 'a batch cannot be measured in requests', 'write `items` or `bytes`')
        else if (sizer === (queue.sizer ?? 'requests') && queue.batch.minSize > queue.queueSize)
          problem(
            'batch.min_size',
            `${queue.batch.minSize} is more than the queue holds, ${queue.queueSize}`,
            `write at most ${queue.queueSize}, or raise queue_size`,
          )
      },
    },
  )

export const queueConfig = makeQueueConfig({})

/** `items`, unless the batch says otherwise or the queue's own sizer was written. */
export const batchSizer = <S extends string>(own: S | undefined, queue: S | undefined): S | 'items' =>
  own ?? queue ?? 'items'

/** Where an exporter's retries differ from what the Collector's exporters have in common. */
export interface RetryDefaults {
  readonly initialInterval?: string
  readonly maxInterval?: string
  readonly maxElapsedTime?: string
}

export const retryConfigWith = (defaults: RetryDefaults) =>
  object(
    {
      initialIntervalMs: duration('initial_interval', {
        default: defaults.initialInterval ?? '5s',
        min: '0s',
        doc: 'How long to wait after the first failure.',
      }),
      randomizationFactor: float('randomization_factor', {
        default: 0.5,
        min: 0,
        max: 1,
        doc: 'Each wait is the interval times a random number between 1 minus this and 1 plus this.',
      }),
      multiplier: float('multiplier', {
        default: 1.5,
        min: 0,
        doc: 'By how much the interval grows from one try to the next.',
      }),
      maxIntervalMs: duration('max_interval', {
        default: defaults.maxInterval ?? '30s',
        min: '0s',
        doc: 'The interval grows no further than this.',
      }),
      maxElapsedMs: duration('max_elapsed_time', {
        default: defaults.maxElapsedTime ?? '5m',
        min: '0s',
        doc: 'A request is given up when its next try would come later than this. 0: never.',
      }),
    },
    {
      check(retry, problem) {
        if (retry.maxElapsedMs === 0) return
        if (retry.maxElapsedMs < retry.initialIntervalMs)
          problem('max_elapsed_time', 'is below initial_interval', 'write at least initial_interval, or 0')
        if (retry.maxElapsedMs < retry.maxIntervalMs)
          problem('max_elapsed_time', 'is below max_interval', 'write at least max_interval, or 0')
      },
    },
  )

export const retryConfig = retryConfigWith({})

export const queueFieldWith = (defaults: QueueDefaults): Field<QueueConfig | undefined> =>
  section('sending_queue', makeQueueConfig(defaults), {
    optional: 'some',
    doc: 'Keeps requests until they are delivered, in memory or on disk, so that a slow destination does not hold up who sends to us.',
  })

export const queueField = queueFieldWith({})

export const retryField = section('retry_on_failure', retryConfig, {
  optional: 'some',
  checkedWhenOff: true,
  doc: 'Sends again what failed for a reason that may pass.',
})

/** Spread it into an exporter's `object({...})`. */
export const sendingFields = {
  queue: queueField,
  retry: retryField,
  timeoutMs: duration('timeout', { default: '5s', min: '0s', doc: 'How long one try may take. 0: no limit.' }),
}

export type QueueConfig = Infer<typeof queueConfig>
export type BatchConfig = NonNullable<QueueConfig['batch']>
export type RetryConfig = Infer<typeof retryConfig>

/** A queue as one shard has it. */
export interface LaneConfig extends QueueConfig {
  /** The largest request, in the queue's unit: one that is larger than `queueSize` gets in when nothing else is there. */
  readonly requestMaxSize: number
}

/**
 * The share of one shard in a queue that the configuration describes for the whole router. What would fit into the whole
 * fits into a share, and a batch that is joined in it can reach its size.
 */
export function shareOfQueue(queue: QueueConfig, place: ShardPlace): LaneConfig {
  const { batch, sizer = 'requests', consumers, queueSize } = queue
  const joined = batch !== undefined && batchSizer(batch.sizer, queue.sizer) === sizer ? batch.minSize : 0
  return {
    ...queue,
    consumers: shareOf(consumers, place),
    queueSize: Math.max(shareOf(queueSize, place), joined),
    requestMaxSize: queueSize,
  }
}

/** What an exporter that sends through `Sending` keeps where. */
export function keepsOf(queue: QueueConfig | undefined): Keeps {
  if (queue === undefined || queue.waitForResult) return 'direct'
  return queue.storage === undefined ? 'memory' : 'disk'
}

export interface SendingConfig {
  readonly queue: QueueConfig | undefined
  readonly retry: RetryConfig | undefined
  readonly timeoutMs: number
  /** The push itself tries again what may pass, and only then rejects: it gets neither `retry` nor a timeout. */
  readonly retriesInPush?: boolean
}
