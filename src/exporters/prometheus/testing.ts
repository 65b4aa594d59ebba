// For tests: a scrape of a running exporter, and a protobuf exposition as text, read by protobufjs from the .proto file.

import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { labelText } from '../../prometheus/escape.ts'
import { boundText, valueText } from '../../prometheus/number-text.ts'
import type { Prometheus } from './prometheus.ts'

export const PROTOBUF =
  'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;escaping=underscores'
export const OPENMETRICS = 'application/openmetrics-text;version=1.0.0'

export function fetchMetrics(exporter: unknown, headers: Record<string, string> = {}): Promise<Response> {
  const { address } = exporter as Prometheus
  return fetch(`http://127.0.0.1:${address!.port}/metrics`, { headers })
}

const proto = fileURLToPath(new URL('../../../proto/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : proto + target)
root.loadSync('io/prometheus/client/metrics.proto')
const FAMILY = root.lookupType('io.prometheus.client.MetricFamily')

// biome-ignore lint/suspicious/noExplicitAny: what protobufjs has decoded
export type DecodedFamily = any

export function decodeFamilies(bytes: Uint8Array): DecodedFamily[] {
  const families: DecodedFamily[] = []
  for (const reader = protobuf.Reader.create(bytes); reader.pos < reader.len; ) {
    const decoded = FAMILY.decodeDelimited(reader)
    families.push(FAMILY.toObject(decoded, { longs: Number, enums: String, defaults: false }))
  }
  return families
}

/** As the text format would have it. */
export function familiesToText(families: readonly DecodedFamily[]): string {
  const lines: string[] = []
  for (const { name, help = '', type = 'COUNTER', metric = [] } of families) {
    lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`)
    lines.push(`# TYPE ${name} ${type.toLowerCase()}`)
    for (const { label = [], timestampMs, gauge, counter, untyped, summary, histogram } of metric) {
      const line = (suffix: string, value: number, own: readonly (readonly [string, string])[] = []): void => {
        const pairs = label.map((pair: { name: string; value?: string }) => [pair.name, pair.value ?? ''] as const)
        const labels = labelText([...pairs, ...own])
        const time = timestampMs === undefined ? '' : ` ${timestampMs}`
        lines.push(`${name}${suffix}${labels === '' ? '' : `{${labels}}`} ${valueText(value)}${time}`)
      }
      const number = gauge ?? counter ?? untyped
      if (number !== undefined) line('', number.value ?? 0)
      if (summary !== undefined) {
        for (const { quantile, value } of summary.quantile ?? []) line('', value, [['quantile', boundText(quantile)]])
        line('_sum', summary.sampleSum)
        line('_count', summary.sampleCount)
      }
      if (histogram === undefined) continue
      for (const { upperBound, cumulativeCount = 0 } of histogram.bucket ?? [])
        if (upperBound !== Infinity) line('_bucket', cumulativeCount, [['le', boundText(upperBound)]])
      line('_bucket', histogram.sampleCount, [['le', '+Inf']])
      line('_sum', histogram.sampleSum)
      line('_count', histogram.sampleCount)
    }
  }
  return `${lines.join('\n')}\n`
}
