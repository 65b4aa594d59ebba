// What the whole router costs by itself, over all requests' sizes, protocols and encodings: the harness's cases (../cases)
// with Millrace alone. A run that loses a span fails the case.

import { defineCase } from '../case.ts'
import passthrough from '../cases/passthrough.ts'
import plant from '../cases/plant.ts'
import type { BenchResult, MeasureOptions } from '../functions/harness.ts'
import { measured } from '../functions/harness.ts'
import { type HarnessOptions, parseCommandLine, settingsOf } from '../options.ts'
import { median } from '../results.ts'
import { type RunFigures, runOnce } from '../run.ts'
import { findSut, type Sut } from '../suts.ts'

const insert = defineCase({
  summary: 'An attribute is inserted on every span.',
  file: ({ signal, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  attributes: { actions: [ { key: plant, value: north, action: insert } ] }
exporters:
  ${exporterType}: ${exporter()}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [attributes], exporters: [${exporterType}] }
`,
})

const VARIANTS = {
  direct: { definition: passthrough, name: 'passthrough' },
  batched: { definition: plant, name: 'plant' },
  insert: { definition: insert, name: 'insert' },
} as const
type Variant = keyof typeof VARIANTS

/** A run of this many of the harness's rounds: start-up of connections must not count. */
const ROUND_FACTOR = 12
const MOST_ROUNDS = 3

async function measure(
  title: string,
  words: string,
  variant: Variant,
  options: MeasureOptions,
): Promise<BenchResult[]> {
  const { definition, name } = VARIANTS[variant]
  const forMs = [`--duration=${options.roundMs * ROUND_FACTOR}ms`, `--warm-up=${options.warmUpMs * 4}ms`]
  const command = parseCommandLine([`--case=${name}`, '--sut=millrace', ...forMs, ...words.split(' ')], [name])
  const setting = settingsOf(name, definition, command as HarnessOptions)[0]!
  const sut = findSut('millrace', console.error) as Sut
  const runs: RunFigures[] = []
  for (let round = 0; round < Math.max(1, Math.min(MOST_ROUNDS, options.rounds)); round++) {
    const run = await runOnce(sut, setting)
    if (run.lost > 0 || run.unanswered > 0)
      throw new Error(`${title}: ${run.lost} spans lost, ${run.unanswered} requests without an answer`)
    runs.push(run)
  }
  const of = (figure: (run: (typeof runs)[number]) => number): number => median(runs.map(figure))
  const refused = of((run) => run.refused)
  return [
    {
      name: title,
      items: runs.reduce((sum, run) => sum + run.items, 0),
      cpuSecondsPerMillionItems: of((run) => run.cpuSecondsPerMillionItems),
      itemsPerSecond: of((run) => run.itemsPerSecond),
      bytesPerSecond: of((run) => run.bytesPerSecond),
      peakRssBytes: of((run) => run.peakRssBytes),
      allocatedBytesPerItem: of((run) => run.allocatedBytesPerItem ?? Number.NaN),
      notes: {
        lost: 0,
        ...(refused > 0 ? { refused } : {}),
        ...(setting.rate === undefined ? {} : { 'paced spans/s': setting.rate }),
      },
    },
  ]
}

const passing = (protocol: string, items: number, encoding: string, variant: Variant) => {
  const name = `pass-through/${protocol}-${items}-${encoding === 'none' ? 'plain' : encoding}-${variant}`
  const words = `--protocol=${protocol} --items=${items} --compression=${encoding}`
  return measured({ name, measure: (options) => measure(name, words, variant, options) })
}

const over = <Case>(of: (protocol: string, items: number) => Case): Case[] =>
  ['grpc', 'http'].flatMap((protocol) => [10, 100, 1000].map((items) => of(protocol, items)))

export default [
  ...['none', 'gzip', 'zstd'].flatMap((encoding) =>
    over((protocol, items) => passing(protocol, items, encoding, 'direct')),
  ),
  ...(['batched', 'insert'] as const).flatMap((variant) =>
    over((protocol, items) => passing(protocol, items, 'none', variant)),
  ),
]
