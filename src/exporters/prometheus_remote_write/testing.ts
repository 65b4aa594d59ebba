// For tests: requests of both versions as text that a person can read, decoded by protobufjs from the .proto files.

import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { labelText } from '../../prometheus/escape.ts'
import { valueText } from '../../prometheus/number-text.ts'

const proto = fileURLToPath(new URL('../../../proto/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : proto + target)
root.loadSync(['prometheus/remote.proto', 'io/prometheus/write/v2/types.proto'])
const V1 = root.lookupType('prometheus.WriteRequest')
const V2 = root.lookupType('io.prometheus.write.v2.Request')

export interface ReadSeries {
  /** `name{labels}`. */
  readonly name: string
  readonly samples: readonly { readonly value: number; readonly time: number; readonly start?: number }[]
  /** As text. */
  readonly lines: readonly string[]
}

// biome-ignore lint/suspicious/noExplicitAny: what protobufjs has decoded
type Decoded = any

/** The series of a request, and what else it tells. */
export function readRequest(body: Uint8Array, version: string): { series: ReadSeries[]; metadata: string[] } {
  const isV2 = version.startsWith('2')
  const type = isV2 ? V2 : V1
  const message: Decoded = type.toObject(type.decode(body), { longs: Number, enums: String, defaults: false })
  const symbols: string[] = message.symbols ?? []
  const pairsOf = (refs: number[] = []): (readonly [string, string])[] =>
    refs.flatMap((ref, i) => (i % 2 === 0 ? [[symbols[ref]!, symbols[refs[i + 1]!]!] as const] : []))
  const labelsOf = (one: Decoded): (readonly [string, string])[] =>
    isV2 ? pairsOf(one.labelsRefs) : (one.labels ?? []).map((pair: Decoded) => [pair.name, pair.value])
  const metadata = (message.metadata ?? []).map(
    (one: Decoded) => `# ${one.metricFamilyName} ${one.type} ${one.unit ?? '-'} ${one.help ?? '-'}`,
  )
  const series = (message.timeseries ?? []).map((one: Decoded): ReadSeries => {
    const labels = labelsOf(one)
    const name = labels.find(([key]) => key === '__name__')?.[1] ?? ''
    const rest = labels.filter(([key]) => key !== '__name__')
    const shown = rest.length === 0 ? name : `${name}{${labelText(rest)}}`
    const startOf = (start?: number): string => (start === undefined ? '' : ` since ${start}`)
    const lines = (one.samples ?? []).map(
      ({ value = 0, timestamp, startTimestamp }: Decoded) =>
        `${shown} ${valueText(value)} @${timestamp}${startOf(startTimestamp)}`,
    )
    for (const { timestamp, startTimestamp, ...fields } of one.histograms ?? [])
      lines.push(`${shown} ${JSON.stringify(fields)} @${timestamp}${startOf(startTimestamp)}`)
    for (const exemplar of one.exemplars ?? [])
      lines.push(`  # {${labelText(labelsOf(exemplar))}} ${valueText(exemplar.value ?? 0)} @${exemplar.timestamp}`)
    if (one.metadata !== undefined) {
      const { type: word = '-', helpRef = 0, unitRef = 0 } = one.metadata
      lines.push(
        `  # ${word.replace('METRIC_TYPE_', '').toLowerCase()} ${symbols[unitRef]} ${symbols[helpRef]}`.trimEnd(),
      )
    }
    const samples = (one.samples ?? []).map(({ value = 0, timestamp, startTimestamp }: Decoded) => ({
      value,
      time: timestamp,
      ...(startTimestamp === undefined ? {} : { start: startTimestamp }),
    }))
    return { name: shown, samples, lines }
  })
  return { series, metadata }
}

export function requestText(body: Uint8Array, version: string): string {
  const { series, metadata } = readRequest(body, version)
  return `${[...metadata, ...series.flatMap(({ lines }) => lines)].join('\n')}\n`
}
