// What every exporter and its queue count, for one signal (Collector reference 6.3).
//
// `sent` counts once per finished send, retries included; `failed` once the retries are over.

import { ITEM_NOUN, type Signal } from '../otlp/signal.ts'
import { ITEM_UNIT, ITEM_WORDS } from './item-words.ts'
import type { Counter, Labels, Meter } from './meter.ts'

export interface ExporterMetrics {
  readonly sent: Counter
  /** Items that could not be put into the queue. */
  readonly enqueueFailed: Counter
  /**
   * Counts items whose sending failed for good. `errorType` is a gRPC code's name, `Canceled`, `Deadline_Exceeded`,
   * `Shutdown` or `_OTHER`; it and `permanent` are labels at level detailed. The series appears with the first failure.
   */
  failed(items: number, errorType: string, permanent: boolean): void
}

export interface QueueReadings {
  /** Both in the queue's own unit (its sizer): requests, items or bytes. */
  size(): number
  capacity(): number
  /** Requests on their way. */
  inFlight(): number
}

export type Sizer = 'requests' | 'items' | 'bytes'

const SIZER_UNIT = { requests: '{request}', items: '{item}', bytes: 'By' } as const satisfies Record<Sizer, string>

/** `target` names where an OTLP exporter sends: `server.address`, `server.port`, `url.path`. */
export function exporterMetrics(meter: Meter, signal: Signal, target: Labels = {}): ExporterMetrics {
  const noun = ITEM_NOUN[signal]
  const unit = ITEM_UNIT[signal]
  const words = ITEM_WORDS[signal]
  const failed = (errorType: string, permanent: boolean): Counter =>
    meter.counter(`exporter_send_failed_${noun}`, unit, `Number of ${words} that could not be sent.`, {
      labels: target,
      detailedLabels: { 'error.type': errorType, 'error.permanent': String(permanent) },
      onceUsed: true,
    })
  return {
    sent: meter.counter(`exporter_sent_${noun}`, unit, `Number of ${words} sent to the destination.`, {
      labels: target,
    }),
    enqueueFailed: meter.counter(
      `exporter_enqueue_failed_${noun}`,
      unit,
      `Number of ${words} that could not be added to the sending queue.`,
    ),
    failed: (items, errorType, permanent) => failed(errorType, permanent).add(items),
  }
}

/**
 * Counts items that the next hop took no notice of and said so in a partial success (OTLP, "Partial Success"): they count as
 * sent as well, and nobody sends them again. The series appears with the first.
 */
export const countRejected = (meter: Meter, signal: Signal, items: number): void =>
  meter
    .counter(
      `exporter_rejected_${ITEM_NOUN[signal]}`,
      ITEM_UNIT[signal],
      `Number of ${ITEM_WORDS[signal]} that the destination rejected in a partial success.`,
      { onceUsed: true },
    )
    .add(items)

/** Queue gauges, labelled with `data_type`. */
export function observeQueue(meter: Meter, signal: Signal, sizer: Sizer, queue: QueueReadings): void {
  const unit = SIZER_UNIT[sizer]
  const options = { labels: { data_type: signal } }
  meter.observe('exporter_queue_size', unit, 'Current size of the sending queue.', queue.size, options)
  meter.observe('exporter_queue_capacity', unit, 'Fixed capacity of the sending queue.', queue.capacity, options)
  meter.observe(
    'exporter_in_flight_requests',
    '{request}',
    'Requests that have been sent and not yet been answered.',
    queue.inFlight,
    options,
  )
}
