// A snapshot as Prometheus text, with the Collector's names (reference 6.1): `otelcol_` in front, and neither type nor
// unit behind unless a reader asks for them.
//
// prom-client's registry writes the text. Only that file of it is loaded, with the first scrape: 2 ms, where the whole
// package takes 40 ms and 18 MB.

import { createRequire } from 'node:module'
import type { Registry } from 'prom-client'
import { labelName, metricName, TRANSLATIONS, unitWords } from '../prometheus/names.ts'
import type { Labels } from './meter.ts'
import type { MetricSnapshot, SeriesSnapshot, Snapshot } from './snapshot.ts'

export const EXPOSITION_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

const OLD_LETTERS = TRANSLATIONS.UnderscoreEscapingWithoutSuffixes

const PREFIX = 'otelcol_'
/** The Collector ends the HELP of its metrics with their stability. */
const HELP_SUFFIX = ' [Alpha]'

export interface ExpositionOptions {
  /** Resource attributes: shown by target_info. */
  readonly resource: Labels
  /** The router's, for otel_scope_version. */
  readonly version: string
  /** Resource attributes that every series carries too, by their OpenTelemetry names. */
  readonly constantLabels?: Labels
  /** False adds `_seconds`, `_bytes` and the like to names. */
  readonly withoutUnits?: boolean
  /** False adds `_total` to counters. */
  readonly withoutTypeSuffix?: boolean
  /** False adds otel_scope_name, otel_scope_version and otel_scope_schema_url to every series. */
  readonly withoutScopeInfo?: boolean
  /** Scrapes that could not be answered, for promhttp_metric_handler_errors_total. */
  readonly errors?: { readonly gathering: number; readonly encoding: number }
}

interface TextSeries {
  readonly metricName: string
  readonly labels: Labels
  readonly value: number
}

interface TextMetric {
  readonly name: string
  readonly help: string
  readonly type: string
  readonly values: readonly TextSeries[]
}

/** The whole page; metrics stand in the order of the snapshot, which mergeSnapshots sorts by name. */
export async function toExposition(snapshot: Snapshot, options: ExpositionOptions): Promise<string> {
  const shared = { ...sanitizeLabels(options.constantLabels ?? {}), ...scopeLabels(options) }
  const metrics = snapshot.metrics.map((metric) => toTextMetric(metric, shared, options))
  metrics.push(handlerErrors(options.errors ?? { gathering: 0, encoding: 0 }), targetInfo(options.resource))
  const TextRegistry = createRequire(import.meta.url)('prom-client/lib/registry') as typeof Registry
  const registry = new TextRegistry()
  // A registry asks a metric for nothing but its name and get(); its own aggregate() registers such objects too.
  for (const metric of metrics) registry.registerMetric({ name: metric.name, get: () => metric } as never)
  return await registry.metrics()
}

function toTextMetric(metric: MetricSnapshot, shared: Labels, options: ExpositionOptions): TextMetric {
  const name = textName(metric, options)
  const values = metric.series.flatMap((series) => toTextSeries(metric, series, name, shared))
  return { name, help: metric.help + HELP_SUFFIX, type: metric.type, values }
}

function toTextSeries(metric: MetricSnapshot, series: SeriesSnapshot, name: string, shared: Labels): TextSeries[] {
  const labels = { ...sanitizeLabels(series.labels), ...shared }
  if (series.counts === undefined) return [{ metricName: name, labels, value: series.value }]
  const lines: TextSeries[] = []
  let count = 0
  series.counts.forEach((one, index) => {
    count += one
    const le = index < (metric.bounds?.length ?? 0) ? String(metric.bounds![index]) : '+Inf'
    lines.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: count })
  })
  lines.push({ metricName: `${name}_sum`, labels, value: series.value })
  lines.push({ metricName: `${name}_count`, labels, value: count })
  return lines
}

function textName(metric: MetricSnapshot, options: ExpositionOptions): string {
  let name = PREFIX + metricName(metric.name, '', 'other', { ...OLD_LETTERS, namespace: '' })
  const unit = unitWords(metric.unit).main
  if (options.withoutUnits === false && unit !== '' && !name.endsWith(`_${unit}`)) name += `_${unit}`
  if (options.withoutTypeSuffix === false && metric.type === 'counter' && !name.endsWith('_total')) name += '_total'
  return name
}

function scopeLabels(options: ExpositionOptions): Labels {
  if (options.withoutScopeInfo !== false) return {}
  return {
    otel_scope_name: 'millrace',
    otel_scope_schema_url: '',
    otel_scope_version: options.version,
  }
}

function handlerErrors(errors: { readonly gathering: number; readonly encoding: number }): TextMetric {
  const name = 'promhttp_metric_handler_errors_total'
  return {
    name,
    help: 'Scrapes of this page that failed, by what failed.',
    type: 'counter',
    values: [
      { metricName: name, labels: { cause: 'encoding' }, value: errors.encoding },
      { metricName: name, labels: { cause: 'gathering' }, value: errors.gathering },
    ],
  }
}

function targetInfo(resource: Labels): TextMetric {
  const values = [{ metricName: 'target_info', labels: sanitizeLabels(resource), value: 1 }]
  return { name: 'target_info', help: 'Target metadata', type: 'gauge', values }
}

function sanitizeLabels(labels: Labels): Labels {
  const sanitized: Record<string, string> = {}
  for (const key of Object.keys(labels).sort()) {
    const name = labelName(key, { ...OLD_LETTERS, collapses: false })
    if (name !== undefined) sanitized[name] = labels[key]!
  }
  return sanitized
}
