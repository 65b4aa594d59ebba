// What every processor counts (Collector reference 6.3): what came in and what went on, in items.

import type { Signal } from '../otlp/signal.ts'
import type { Counter, Meter } from './meter.ts'

export interface ProcessorMetrics {
  readonly incoming: Counter
  readonly outgoing: Counter
}

export function processorMetrics(meter: Meter, signal: Signal): ProcessorMetrics {
  const options = { labels: { 'otel.signal': signal } }
  return {
    incoming: meter.counter('processor_incoming_items', '{item}', 'Number of items passed to the processor.', options),
    outgoing: meter.counter('processor_outgoing_items', '{item}', 'Number of items that left the processor.', options),
  }
}
