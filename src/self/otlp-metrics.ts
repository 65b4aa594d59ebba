// Own metrics as OTLP: a snapshot as an ExportMetricsServiceRequest in JSON.

import type { Labels } from './meter.ts'
import type { MetricSnapshot, SeriesSnapshot, Snapshot } from './snapshot.ts'

const CUMULATIVE = 2

export interface ReportFacts {
  readonly resource: Labels
  readonly version: string
  /** Milliseconds since 1970: everything counts since then. */
  readonly startedAtMs: number
  readonly nowMs: number
}

/** OTLP/JSON text. */
export function toOtlpJson(snapshot: Snapshot, facts: ReportFacts): string {
  const { resource, version } = facts
  const times = { startTimeUnixNano: toNanos(facts.startedAtMs), timeUnixNano: toNanos(facts.nowMs) }
  const scope = { name: 'millrace', version }
  const metrics = snapshot.metrics.map((metric) => toMetric(metric, times))
  return JSON.stringify({
    resourceMetrics: [{ resource: { attributes: toAttributes(resource) }, scopeMetrics: [{ scope, metrics }] }],
  })
}

interface Times {
  readonly startTimeUnixNano: string
  readonly timeUnixNano: string
}

const toNanos = (ms: number): string => String(BigInt(Math.round(ms)) * 1_000_000n)

/** Protobuf's JSON mapping: what JSON has no number for is a text. */
const toDouble = (value: number): number | string => (Number.isFinite(value) ? value : String(value))

const toAttributes = (labels: Labels): object[] =>
  Object.entries(labels).map(([key, stringValue]) => ({ key, value: { stringValue } }))

function toMetric(metric: MetricSnapshot, times: Times): object {
  const { type, unit, help } = metric
  const facts = { name: `otelcol_${metric.name}`, description: help, unit }
  if (type === 'histogram') {
    const dataPoints = metric.series.map((series) => toHistogramPoint(metric, series, times))
    return { ...facts, histogram: { aggregationTemporality: CUMULATIVE, dataPoints } }
  }
  // Seconds have fractions; whatever else is counted is whole.
  const dataPoints = metric.series.map(({ labels, value }) => ({
    attributes: toAttributes(labels),
    ...times,
    ...(unit === 's' || !Number.isSafeInteger(value) ? { asDouble: toDouble(value) } : { asInt: String(value) }),
  }))
  if (type === 'gauge') return { ...facts, gauge: { dataPoints } }
  return { ...facts, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } }
}

function toHistogramPoint(metric: MetricSnapshot, series: SeriesSnapshot, times: Times): object {
  const counts = series.counts ?? []
  return {
    attributes: toAttributes(series.labels),
    ...times,
    count: String(counts.reduce((sum, count) => sum + count, 0)),
    sum: toDouble(series.value),
    bucketCounts: counts.map(String),
    explicitBounds: metric.bounds ?? [],
  }
}
