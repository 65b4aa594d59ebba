import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { axis, drawChart } from './chart.ts'
import { type Report, readReport, toChart, toMarkdown } from './report.ts'
import { medians, type Row } from './rows.ts'
import type { RunFigures } from './run.ts'

const LATENCY = { p50: 1.25, p99: 18, p999: 131.5 }

const run = (cpu: number, more: Partial<RunFigures> = {}): RunFigures => ({
  cpuSecondsPerMillionItems: cpu,
  itemsPerSecond: 450_000 / cpu,
  bytesPerSecond: 190e6 / cpu,
  answerMs: LATENCY,
  peakRssBytes: 200 * 2 ** 20,
  rssBytesByThird: [180 * 2 ** 20, 190 * 2 ** 20, 190 * 2 ** 20],
  items: 1_000_000,
  lost: 0,
  duplicates: 0,
  refused: 0,
  unanswered: 0,
  unsent: 0,
  routerCores: 0.9,
  loadCores: 0.1,
  sinkCores: 0.3,
  otherCores: 0.02,
  ...more,
})

function row(name: string, sut: string, runs: readonly RunFigures[], more: Partial<Row> = {}): Row {
  const cpu = runs.map((one) => one.cpuSecondsPerMillionItems)
  return {
    case: name,
    variant: '',
    signal: 'traces',
    input: 'grpc',
    output: 'grpc',
    format: 'protobuf',
    compression: 'none',
    items: 1000,
    attributes: 10,
    copies: 1,
    kept: 1,
    connections: 1,
    inFlight: 16,
    durationMs: 10_000,
    warmUpMs: 3_000,
    sut,
    runs,
    median: medians(runs),
    spread: (Math.max(...cpu) - Math.min(...cpu)) / medians(runs).cpuSecondsPerMillionItems,
    ...more,
  }
}

const paced = { rate: 20_000, items: 100 }
const arriving = { arrivalMs: { p50: 101, p99: 212.4, p999: 250 } }
const REPORT: Report = {
  date: '2026-11-26',
  commit: '0123456789ab',
  node: 'v26.10.0',
  platform: 'linux x64',
  cpu: 'Some <Processor>',
  cores: 2,
  memoryGiB: 24,
  suts: { millrace: '0123456789ab', otelcol: '0.155.0', vector: 'not installed (no vector on the PATH)' },
  rows: [
    row('passthrough', 'millrace', [run(0.6), run(0.66), run(0.63)]),
    row('passthrough', 'otelcol', [run(3.1), run(3.2), run(3.6)]),
    row('plant-pace', 'millrace', [run(1.6, arriving)], paced),
    row('plant-pace', 'otelcol', [run(6.6, { ...arriving, lost: 1200, duplicates: 100, refused: 3000 })], paced),
    row('shards', 'millrace', [run(2)], { variant: 'two' }),
    row('broken', 'millrace', [run(2)]),
    row('broken', 'otelcol', [], { failure: 'the router ended with 1' }),
  ],
}

function equalsGolden(name: string, actual: string): void {
  const file = new URL(`./golden/${name}`, import.meta.url)
  if (process.env.GOLDEN === 'write') writeFileSync(file, actual)
  assert.equal(actual, readFileSync(file, 'utf8'))
}

test('a result file becomes a table in which programs stand side by side', () => {
  equalsGolden('report.golden.md', toMarkdown(REPORT))
})

test('a result file becomes a chart with the spread of its runs', () => {
  equalsGolden('report.golden.svg', drawChart(toChart(REPORT)))
})

test('a chart of nothing but failures is still a chart', () => {
  assert.match(drawChart(toChart({ ...REPORT, rows: [REPORT.rows.at(-1)!] })), /failed[\s\S]*<\/svg>/)
})

test('the axis has round steps and ends behind the longest bar', () => {
  assert.deepEqual(axis(9.9), { step: 2, end: 10 })
  assert.deepEqual(axis(0.6), { step: 0.1, end: 0.6 })
  assert.deepEqual(axis(0), { step: 1, end: 1 })
})

test('a file of function cases is refused in words', () => {
  const file = new URL('./results/2026-11-21-engine.json', import.meta.url)
  assert.throws(() => readReport(file.pathname), /has no rows: it is not of routers/)
})
