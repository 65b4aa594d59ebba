// Own metrics as OTLP: a snapshot as an ExportMetricsServiceRequest, and its way to an endpoint over HTTP.

import { gzipSync } from 'node:zlib'
import type { Labels } from './meter.ts'
import type { OtlpReaderConfig } from './reader-config.ts'
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
    ...(unit === 's' || !Number.isSafeInteger(value) ? { asDouble: value } : { asInt: String(value) }),
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
    sum: series.value,
    bucketCounts: counts.map(String),
    explicitBounds: metric.bounds ?? [],
  }
}

export class OtlpMetricsSender {
  readonly #config: OtlpReaderConfig
  readonly #url: string
  readonly #userAgent: string

  constructor(config: OtlpReaderConfig, version: string) {
    this.#config = config
    const url = new URL(config.endpoint)
    if (url.pathname === '/') url.pathname = '/v1/metrics'
    this.#url = url.href
    this.#userAgent = `millrace/${version}`
  }

  /** Rejects when the endpoint cannot be reached in time or does not take the report. */
  async send(json: string, deadline: AbortSignal): Promise<void> {
    const { protocol, compression, headers, timeoutMs } = this.#config
    const asJson = protocol === 'http/json'
    let body: Uint8Array<ArrayBuffer> | Buffer<ArrayBuffer> = asJson ? Buffer.from(json) : await toBytes(json)
    if (compression === 'gzip') body = gzipSync(body, { level: 1 })
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: {
        ...Object.fromEntries([...headers].map(([name, value]) => [name, value.reveal()])),
        'content-type': asJson ? 'application/json' : 'application/x-protobuf',
        'user-agent': this.#userAgent,
        ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
      },
      body,
      redirect: 'error',
      signal: AbortSignal.any([deadline, AbortSignal.timeout(timeoutMs)]),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`${new URL(this.#url).host} answered ${response.status}`)
  }
}

async function toBytes(json: string): Promise<Uint8Array<ArrayBuffer>> {
  const { jsonToBytes } = await import('../otlp/json/index.ts')
  return jsonToBytes('metrics', json)
}
