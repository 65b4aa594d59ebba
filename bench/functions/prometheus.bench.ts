// What the prometheus exporter costs: putting points into series that are known, and a scrape of all of them, which has the
// event loop in slices.

import { Accumulator } from '../../src/exporters/prometheus/accumulator.ts'
import { ChunkPool } from '../../src/exporters/prometheus/chunks.ts'
import type { Choice } from '../../src/exporters/prometheus/format.ts'
import { scrape } from '../../src/exporters/prometheus/scrape.ts'
import { systemClock } from '../../src/graph/clock.ts'
import { seriesRequests } from '../rig/series.ts'
import { bench } from './harness.ts'

const POINTS = 1000

interface Shown {
  readonly accumulator: Accumulator
  readonly requests: readonly Uint8Array[]
}

function setup(series: number): Shown {
  const accumulator = new Accumulator({
    naming: { suffixes: true, utf8: false, namespace: '' },
    labels: { utf8: false, collapses: false },
    constLabels: [],
    withoutScopeInfo: false,
    takesAttribute: undefined,
    maxSeries: 0,
    seed: 1,
    onDropped: (reason) => {
      throw new Error(`a point was dropped: ${reason}`)
    },
  })
  const requests = seriesRequests(series, POINTS)
  for (const request of requests) accumulator.take(request, 0)
  return { accumulator, requests }
}

const taking = (series: number) =>
  bench({
    name: `prometheus/take/series-${series}`,
    items: series,
    bytes: ({ requests }: Shown) => requests.reduce((sum, { length }) => sum + length, 0),
    setup: () => setup(series),
    run: ({ accumulator, requests }) => {
      for (const request of requests) accumulator.take(request, 0)
      return accumulator.series.size
    },
  })

const TEXT: Choice = { form: 'text', escaping: 'underscores' }
const CHOICES: Readonly<Record<string, Choice>> = {
  text: TEXT,
  openmetrics: { form: 'openmetrics', version: '1.0.0', escaping: 'underscores' },
  protobuf: { form: 'protobuf', escaping: 'underscores' },
}

const pool = new ChunkPool()

async function shown({ accumulator }: Shown, choice: Choice): Promise<number> {
  let bytes = 0
  const options = { choice, timestamps: false, targetName: 'target_info' }
  await scrape(accumulator, systemClock, pool, options, {
    begin() {},
    write: (chunk, whenRead) => {
      bytes += chunk.length
      whenRead()
      return true
    },
  })
  return bytes
}

const scraping = (form: keyof typeof CHOICES, series: number) =>
  bench({
    name: `prometheus/scrape/${form}-${series}`,
    items: series,
    // Some 170 bytes a line.
    bytes: 170 * series,
    setup: () => setup(series),
    run: (state) => shown(state, CHOICES[form]!),
    iterations: 3,
  })

export default [taking(10_000), taking(100_000), ...Object.keys(CHOICES).map((form) => scraping(form, 100_000))]
