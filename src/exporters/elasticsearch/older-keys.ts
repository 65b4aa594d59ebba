// Keys that the Collector still reads and no longer wants: `flush` and `num_workers` count where `sending_queue` says
// nothing else, and each of them is said once.

import type { Logger } from '../../self/log.ts'
import type { SendingConfig } from '../../sending/config.ts'
import type { ElasticsearchConfig } from './config.ts'

const QUEUE_CONSUMERS = 10
const BATCH_MAX_BYTES = 5_000_000
const BATCH_FLUSH_MS = 10_000
/** Requests that ask for different mappings cannot share a batch. */
const MODE_HEADER = 'x-elastic-mapping-mode'

export function sendingConfigOf(config: ElasticsearchConfig): SendingConfig {
  const { queue, retry, flush, numWorkers, timeoutMs } = config
  return {
    // A request has its own time; what waits for the next try has that of `retry`.
    timeoutMs,
    retry: retry && { ...retry, multiplier: 2, randomizationFactor: 0.5 },
    queue: queue && {
      ...queue,
      consumers: numWorkers !== undefined && queue.consumers === QUEUE_CONSUMERS ? numWorkers : queue.consumers,
      batch: queue.batch && batchOf(queue.batch, flush, config.metadataKeys),
    },
  }
}

type QueueBatch = NonNullable<NonNullable<ElasticsearchConfig['queue']>['batch']>

function batchOf(batch: QueueBatch, flush: ElasticsearchConfig['flush'], metadataKeys: readonly string[]): QueueBatch {
  const { bytes, intervalMs } = flush
  const maxSize = bytes !== undefined && batch.maxSize === BATCH_MAX_BYTES ? bytes : batch.maxSize
  const keys = new Set([...batch.partition.metadataKeys, ...metadataKeys].map((key) => key.toLowerCase()))
  return {
    ...batch,
    maxSize,
    minSize: maxSize > 0 ? Math.min(batch.minSize, maxSize) : batch.minSize,
    flushTimeoutMs:
      intervalMs !== undefined && batch.flushTimeoutMs === BATCH_FLUSH_MS ? intervalMs : batch.flushTimeoutMs,
    partition: { metadataKeys: [...keys.add(MODE_HEADER)] },
  }
}

export function sayDeprecated({ flush, numWorkers, retry, mapping }: ElasticsearchConfig, log: Logger): void {
  const old: [boolean, string, string][] = [
    [flush.bytes !== undefined, 'flush.bytes', 'write sending_queue: {batch: {max_size: ...}}'],
    [flush.intervalMs !== undefined, 'flush.interval', 'write sending_queue: {batch: {flush_timeout: ...}}'],
    [numWorkers !== undefined, 'num_workers', 'write sending_queue: {num_consumers: ...}'],
    [retry?.maxRequests !== undefined, 'retry.max_requests', 'write retry: {max_retries: ...}, one less'],
    [
      mapping.mode !== undefined,
      'mapping.mode',
      'the Collector ignores it since 0.147, it counts here; scopes may have the attribute elastic.mapping.mode',
    ],
  ]
  for (const [used, key, fix] of old) if (used) log.warn(`The key ${key} is deprecated: ${fix}.`)
}
