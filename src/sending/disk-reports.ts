// What a queue on disk tells of itself: its bytes, what recovery cut off, what could not be read back.

import type { ExporterContext } from '../graph/component.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Logger } from '../self/log.ts'
import type { Counter } from '../self/meter.ts'
import type { QueueEvents } from '../storage/disk-queue.ts'
import type { Cut, Loss } from '../storage/recovery.ts'
import type { DiskLane } from './disk-lane.ts'

export class DiskQueueReports implements QueueEvents {
  readonly #log: Logger
  readonly #signal: Signal
  readonly #lane: DiskLane
  readonly #cutBytes: Counter
  readonly #lostRequests: Counter
  readonly #lostItems: Counter

  constructor({ log, meter }: ExporterContext, signal: Signal, lane: DiskLane) {
    this.#log = log
    this.#signal = signal
    this.#lane = lane
    const options = { labels: { data_type: signal } }
    this.#cutBytes = meter.counter(
      'exporter_queue_disk_cut_bytes',
      'By',
      'Bytes that were cut off the end of queue files at the start: a write that never ended.',
      options,
    )
    this.#lostRequests = meter.counter(
      'exporter_queue_disk_lost_requests',
      '{request}',
      'Requests of the queue that could not be read back from disk.',
      options,
    )
    this.#lostItems = meter.counter(
      'exporter_queue_disk_lost_items',
      '{item}',
      'Items in requests of the queue that could not be read back from disk, as far as known.',
      options,
    )
    meter.observe(
      'exporter_queue_disk_size',
      'By',
      'Bytes that the files of the queue take on disk.',
      () => lane.diskBytes,
      options,
    )
    meter.observe(
      'exporter_queue_disk_capacity',
      'By',
      'Bytes that the files of the queue may take on disk.',
      () => lane.diskMaxBytes,
      options,
    )
  }

  onReady(): void {
    this.#lane.sendNext()
  }

  onCut({ path, offset, bytes }: Cut): void {
    this.#cutBytes.add(bytes)
    this.#log.warn('The end of a queue file was cut off: its write never ended, and nobody was told that it had', {
      data_type: this.#signal,
      path,
      offset,
      bytes,
    })
  }

  onLost(loss: Loss): void {
    const { path, records, items, bytes, why } = loss
    this.#lostRequests.add(records)
    this.#lostItems.add(items)
    this.#lane.lost(loss)
    this.#log.error('Requests of the queue cannot be read back from disk. Dropping data.', {
      data_type: this.#signal,
      path,
      error: why,
      lost_requests: records,
      dropped_items: items,
      bytes,
    })
  }
}
