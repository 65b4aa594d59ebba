// The four signals of OTLP, and the words and numbers that differ between them.

export const SIGNALS = ['traces', 'metrics', 'logs', 'profiles'] as const
export type Signal = (typeof SIGNALS)[number]

/** The noun that counts a signal's items in metric names and texts (Collector reference 6.3). */
export const ITEM_NOUN = {
  traces: 'spans',
  metrics: 'metric_points',
  logs: 'log_records',
  profiles: 'profile_samples',
} as const satisfies Record<Signal, string>
