// The state of instruments as plain data: what a shard hands to the supervisor, and how several become one.
//
// A snapshot survives structured clone. Names and label names are OpenTelemetry's (`otel.signal`); each way out
// (Prometheus text, OTLP) spells them as its format wants.

import type { Labels, Merge } from './meter.ts'

export type InstrumentType = 'counter' | 'gauge' | 'histogram'

export interface SeriesSnapshot {
  readonly labels: Labels
  /** Of a histogram: the sum of what was recorded. */
  readonly value: number
  /** Of a histogram: how many values fell into each bucket (not cumulative); the last one goes up to infinity. */
  readonly counts?: readonly number[]
}

export interface MetricSnapshot {
  /** Without the `otelcol_` prefix. */
  readonly name: string
  readonly type: InstrumentType
  readonly unit: string
  readonly help: string
  readonly merge: Merge
  /** Of a histogram: ascending upper bounds, without infinity. */
  readonly bounds?: readonly number[]
  readonly series: readonly SeriesSnapshot[]
}

export interface Snapshot {
  readonly metrics: readonly MetricSnapshot[]
}

/** A text that is equal for equal label sets, whatever the order of their names. */
export function labelKey(labels: Labels): string {
  return JSON.stringify(
    Object.keys(labels)
      .sort()
      .map((name) => [name, labels[name]]),
  )
}

/** Two values of one series as one. */
export function mergeValues(merge: Merge, a: number, b: number): number {
  if (merge === 'add') return a + b
  return merge === 'max' ? Math.max(a, b) : Math.min(a, b)
}

/**
 * One snapshot of all: series with equal name and labels add up, or give their greatest or least where the metric says so.
 * Metrics come out in order of their names, series in order of their labels.
 */
export function mergeSnapshots(snapshots: readonly Snapshot[]): Snapshot {
  const merged = new Map<string, { metric: MetricSnapshot; series: Map<string, SeriesSnapshot> }>()
  for (const snapshot of snapshots) {
    for (const metric of snapshot.metrics) {
      let entry = merged.get(metric.name)
      if (entry === undefined) merged.set(metric.name, (entry = { metric, series: new Map() }))
      for (const series of metric.series) {
        const key = labelKey(series.labels)
        const other = entry.series.get(key)
        entry.series.set(key, other === undefined ? series : mergeSeries(other, series, metric.merge))
      }
    }
  }
  const metrics = [...merged.values()].map(({ metric, series }) => ({
    ...metric,
    series: [...series].sort(byKey).map(([, value]) => value),
  }))
  metrics.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { metrics }
}

const byKey = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number => (a < b ? -1 : 1)

function mergeSeries(a: SeriesSnapshot, b: SeriesSnapshot, merge: Merge): SeriesSnapshot {
  const value = mergeValues(merge, a.value, b.value)
  if (a.counts === undefined || b.counts === undefined) return { labels: a.labels, value }
  const others = b.counts
  return { labels: a.labels, value, counts: a.counts.map((count, index) => count + (others[index] ?? 0)) }
}

/**
 * Keeps counters from falling when a shard dies and starts again: what the dead one had counted is added to what its
 * successor counts. Gauges of the dead are gone.
 */
export class ShardTotals {
  readonly #latest = new Map<number, Snapshot>()
  /** The last words of shards that died: they may be handed in again until the successor speaks. */
  readonly #lastWords = new Map<number, Snapshot>()
  #departed: Snapshot = { metrics: [] }

  /** The newest snapshot of a shard. */
  update(shard: number, snapshot: Snapshot): void {
    if (snapshot !== this.#lastWords.get(shard)) this.#latest.set(shard, snapshot)
  }

  /** `last` is the newest snapshot if it was not handed to update(). What was counted after it is unknown and lost. */
  died(shard: number, last = this.#latest.get(shard)): void {
    this.#latest.delete(shard)
    if (last === undefined || last === this.#lastWords.get(shard)) return
    this.#lastWords.set(shard, last)
    const counted = last.metrics.filter((metric) => metric.type !== 'gauge')
    this.#departed = mergeSnapshots([this.#departed, { metrics: counted }])
  }

  /** What all shards, living and dead, have counted. */
  snapshots(): readonly Snapshot[] {
    return [this.#departed, ...this.#latest.values()]
  }
}
