// What every receiver counts, for one signal and transport (Collector reference 6.3). Items, never requests.

import { ITEM_NOUN, type Signal } from '../otlp/signal.ts'
import { ITEM_UNIT, ITEM_WORDS } from './item-words.ts'
import type { Counter, Meter } from './meter.ts'

export interface ReceiverMetrics {
  /** Items that the pipeline took. */
  readonly accepted: Counter
  /** Items that the pipeline refused. */
  readonly refused: Counter
  /** Items that the receiver itself could not handle. The Collector leaves it at 0 unless a feature gate is on. */
  readonly failed: Counter
}

/** `transport` as the Collector labels it: `grpc` or `http` for OTLP. */
export function receiverMetrics(meter: Meter, signal: Signal, transport: string): ReceiverMetrics {
  const noun = ITEM_NOUN[signal]
  const unit = ITEM_UNIT[signal]
  const words = ITEM_WORDS[signal]
  const options = { labels: { transport } }
  return {
    accepted: meter.counter(
      `receiver_accepted_${noun}`,
      unit,
      `Number of ${words} that the pipeline accepted.`,
      options,
    ),
    refused: meter.counter(`receiver_refused_${noun}`, unit, `Number of ${words} that the pipeline refused.`, options),
    failed: meter.counter(
      `receiver_failed_${noun}`,
      unit,
      `Number of ${words} that the receiver could not handle because of an error of its own.`,
      options,
    ),
  }
}
