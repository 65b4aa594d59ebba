// The words and UCUM units of a signal's items in our own metrics.

import type { Signal } from '../otlp/signal.ts'

export const ITEM_UNIT = {
  traces: '{span}',
  metrics: '{datapoint}',
  logs: '{record}',
  profiles: '{sample}',
} as const satisfies Record<Signal, string>

export const ITEM_WORDS = {
  traces: 'spans',
  metrics: 'metric points',
  logs: 'log records',
  profiles: 'profile samples',
} as const satisfies Record<Signal, string>
