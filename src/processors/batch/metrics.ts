// What the batch processor counts (reference/otelcol-core.md 6.3), and what it lost, which the Collector does not count.

import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import type { Counter, Histogram, Meter } from '../../self/meter.ts'

const ITEM_BUCKETS = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000,
  100000,
]
/** 128 B to 16 MiB in powers of two. */
const BYTE_BUCKETS = Array.from({ length: 18 }, (_, i) => 2 ** (7 + i))

export class BatchMetrics {
  readonly #size: Counter
  readonly #timeout: Counter
  readonly #items: Histogram
  readonly #bytes: Histogram
  readonly #dropped: Counter

  constructor(meter: Meter, signal: Signal, combinations: () => number) {
    const level = 'normal'
    this.#size = meter.counter(
      'processor_batch_batch_size_trigger_send',
      '{times}',
      'Number of times a batch was sent because it was large enough.',
      { level },
    )
    this.#timeout = meter.counter(
      'processor_batch_timeout_trigger_send',
      '{times}',
      'Number of times a batch was sent because its time was over.',
      { level },
    )
    this.#items = meter.histogram(
      'processor_batch_batch_send_size',
      '{units}',
      'Number of items in the batches that were sent.',
      ITEM_BUCKETS,
      { level },
    )
    this.#bytes = meter.histogram(
      'processor_batch_batch_send_size_bytes',
      'By',
      'Number of bytes in the batches that were sent.',
      BYTE_BUCKETS,
      { level: 'detailed' },
    )
    meter.observe(
      'processor_batch_metadata_cardinality',
      '{combinations}',
      'Number of combinations of metadata values that batches are kept apart by.',
      combinations,
      // The same ones come to every shard.
      { level, merge: 'max' },
    )
    this.#dropped = meter.counter(
      'processor_batch_dropped_items',
      '{item}',
      'Number of items lost because the next component refused them after the sender had its answer.',
      { labels: { 'otel.signal': signal } },
    )
  }

  sent(trigger: 'size' | 'timeout', batch: Batch): void {
    if (trigger === 'size') this.#size.add(1)
    else this.#timeout.add(1)
    this.#items.record(batch.items)
    this.#bytes.record(batch.byteLength)
  }

  dropped(items: number): void {
    this.#dropped.add(items)
  }
}
