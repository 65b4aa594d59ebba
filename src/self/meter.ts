// What a component may count. Names are the Collector's without their `otelcol_` prefix (reference 6.3); the label that
// names the component (`receiver`, `processor`, `exporter`, `connector`, `extension`) is added by the meter.

/** From which service.telemetry.metrics.level on an instrument exists. */
export type MetricLevel = 'basic' | 'normal' | 'detailed'

export interface Counter {
  add(value: number): void
}

export interface Gauge {
  set(value: number): void
}

export interface Histogram {
  record(value: number): void
}

export interface InstrumentOptions {
  /** Bounded values only. */
  readonly labels?: Readonly<Record<string, string>>
  /** Default `basic`. */
  readonly level?: MetricLevel
}

export interface Meter {
  /** `unit` in UCUM as OpenTelemetry writes it, for example `{span}`, `By`, `s`. Shown as 0 from the start. */
  counter(name: string, unit: string, help: string, options?: InstrumentOptions): Counter
  gauge(name: string, unit: string, help: string, options?: InstrumentOptions): Gauge
  /** Read at each scrape. */
  observe(name: string, unit: string, help: string, read: () => number, options?: InstrumentOptions): void
  histogram(name: string, unit: string, help: string, buckets: readonly number[], options?: InstrumentOptions): Histogram
}
