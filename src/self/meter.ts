// What a component may count. Names are the Collector's without their `otelcol_` prefix (reference 6.3); the label that
// names the component (`receiver`, `processor`, `exporter`, `connector`, `extension`) is added by the meter.
//
// Asking twice for the same name and labels gives the same instrument, so a component need not keep a table of its own.

/** From which service.telemetry.metrics.level on an instrument exists. */
export type MetricLevel = 'basic' | 'normal' | 'detailed'

export interface Counter {
  /** `value` is at least 0. Costs one addition: call it on the hot path. */
  add(value: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  record(value: number): void
}

export type Labels = Readonly<Record<string, string>>

export type Merge = 'add' | 'max' | 'min'

export interface InstrumentOptions {
  /** Bounded values only. */
  readonly labels?: Labels
  /** Further labels that the series carries at level `detailed` alone; below it, series that differ only here are one. */
  readonly detailedLabels?: Labels
  /** Default `basic`. */
  readonly level?: MetricLevel
  /** The series appears with its first value instead of standing at 0 from the start. */
  readonly onceUsed?: boolean
  /** How the same series of several shards become one. Default `add`. */
  readonly merge?: Merge
  /** For observe() alone: what is read never falls, so it is shown as a counter. */
  readonly monotonic?: boolean
}

export interface Meter {
  /** `unit` in UCUM as OpenTelemetry writes it, for example `{span}`, `By`, `s`. Shown as 0 from the start. */
  counter(name: string, unit: string, help: string, options?: InstrumentOptions): Counter
  gauge(name: string, unit: string, help: string, options?: InstrumentOptions): Gauge
  /** Read at each scrape. */
  observe(name: string, unit: string, help: string, read: () => number, options?: InstrumentOptions): void
  /** `buckets` are upper bounds in ascending order; the one up to infinity is added. */
  histogram(
    name: string,
    unit: string,
    help: string,
    buckets: readonly number[],
    options?: InstrumentOptions,
  ): Histogram
}
