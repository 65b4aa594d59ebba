// `npm run bench:report -- FILE.json`: writes FILE.md, a table, and FILE.svg, a chart, beside a result file of the harness.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Bar, type Chart, drawChart } from './chart.ts'
import { UsageError } from './options.ts'
import { type Conditions, shortNumber } from './results.ts'
import type { ResultFile, Row } from './rows.ts'
import type { RunFigures } from './run.ts'
import { rowWords } from './table.ts'

export type Report = Conditions & ResultFile

const CPU = 'CPU-seconds for a million items'
const MIB = 2 ** 20

interface Compared {
  readonly words: string
  readonly bySut: ReadonlyMap<string, Row>
}

/** Rows of the same case side by side. */
function compared(rows: readonly Row[]): Compared[] {
  const found = new Map<string, Map<string, Row>>()
  for (const row of rows) {
    const words = rowWords(row)
    const bySut = found.get(words) ?? new Map<string, Row>()
    found.set(words, bySut.set(row.sut, row))
  }
  return [...found].map(([words, bySut]) => ({ words, bySut }))
}

/** Why a program has no figure in a row. */
const absence = (report: Report, sut: string, row: Row | undefined): string | undefined => {
  if (row !== undefined) return row.runs.length === 0 ? 'failed' : undefined
  const version = report.suts[sut] ?? ''
  return version.startsWith('not installed') ? 'not installed' : 'does not run it'
}

const machineWords = ({ date, cpu, cores, memoryGiB, node }: Report): string =>
  `${date}, ${cores} cores of ${cpu}, ${memoryGiB} GiB, Node ${node.replace(/^v/, '')}`

const programWords = ({ suts }: Report): string =>
  Object.entries(suts)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')

export function toMarkdown(report: Report): string {
  const suts = Object.keys(report.suts)
  const [own = '', ...others] = suts
  const lines = [
    `${machineWords(report)}; ${programWords(report)}.`,
    '',
    `${CPU} of each program: the median of its runs, and how far they lie apart: (largest - smallest) / median.`,
    '',
    `| case, items in a request | ${[own, ...others.flatMap((other) => [other, `${other} / ${own}`])].join(' | ')} |`,
    `| --- |${' ---: |'.repeat(1 + 2 * others.length)}`,
  ]
  const rows = compared(report.rows)
  for (const { words, bySut } of rows) {
    const figure = (sut: string): string => {
      const row = bySut.get(sut)
      const missing = absence(report, sut, row)
      if (missing !== undefined) return missing
      const spread = row!.runs.length > 1 ? ` (${Math.round(row!.spread * 100)} %)` : ''
      return row!.median.cpuSecondsPerMillionItems.toFixed(2) + spread
    }
    const ratio = (other: string): string => {
      const [a, b] = [bySut.get(own), bySut.get(other)]
      if (absence(report, own, a) !== undefined || absence(report, other, b) !== undefined) return ''
      return (b!.median.cpuSecondsPerMillionItems / a!.median.cpuSecondsPerMillionItems).toFixed(1)
    }
    lines.push(`| ${[words, figure(own), ...others.flatMap((other) => [figure(other), ratio(other)])].join(' | ')} |`)
  }
  lines.push(
    '',
    'Milliseconds are from when a request was due, or left where there is no rate, to its answer (in brackets: to the sink). Lost are',
    'items that were answered OK and never came, twice those that came again.',
    '',
    '| case | program | items/s | p50 / p99 / p99.9 ms | peak MiB (thirds of the run) | lost | twice | refused | cores: router / load / sink / others |',
    '| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |',
  )
  for (const { words, bySut } of rows)
    for (const [sut, row] of bySut) if (row.runs.length > 0) lines.push(detailLine(words, sut, row))
  return `${lines.join('\n')}\n`
}

function detailLine(words: string, sut: string, { median }: Row): string {
  const { answerMs, arrivalMs, peakRssBytes, rssBytesByThird, routerCores, loadCores, sinkCores, otherCores } = median
  const ms = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1))
  const latency = [answerMs.p50, answerMs.p99, answerMs.p999].map(ms).join(' / ')
  const arrival =
    arrivalMs === undefined ? '' : ` (${[arrivalMs.p50, arrivalMs.p99, arrivalMs.p999].map(ms).join(' / ')})`
  const mib = (bytes: number): string => (bytes / MIB).toFixed(0)
  return `| ${[
    words,
    sut,
    shortNumber(median.itemsPerSecond),
    latency + arrival,
    `${mib(peakRssBytes)} (${rssBytesByThird.map(mib).join(', ')})`,
    ...[median.lost, median.duplicates, median.refused].map(shortNumber),
    [routerCores, loadCores, sinkCores, otherCores].map((cores) => cores.toFixed(2)).join(' / '),
  ].join(' | ')} |`
}

/** What a bar shows: CPU, or memory where the sink takes less than comes and memory is the question. */
interface Figure {
  readonly title: string
  readonly of: (run: RunFigures) => number
  readonly words: (value: number) => string
  readonly asks: (row: Row) => boolean
}

const FIGURES: readonly Figure[] = [
  {
    title: `${CPU}, less is better`,
    of: (run) => run.cpuSecondsPerMillionItems,
    words: (value) => value.toFixed(2),
    asks: ({ sinkItemsPerSecond }) => sinkItemsPerSecond === undefined,
  },
  {
    title: 'Largest memory in MiB while the sink takes less than what comes, less is better',
    of: (run) => run.peakRssBytes / MIB,
    words: (value) => value.toFixed(0),
    asks: ({ sinkItemsPerSecond }) => sinkItemsPerSecond !== undefined,
  },
]

export function toChart(report: Report): Chart {
  const suts = Object.keys(report.suts)
  // One that is not here at all is said to be so once, beside its name.
  const drawn = suts.filter((sut) => report.rows.some((row) => row.sut === sut))
  const figures = FIGURES.filter(({ asks }) => report.rows.some(asks))
  const panels = figures.map((figure, index) => ({
    // The first one's is the chart's.
    title: index === 0 ? '' : figure.title,
    groups: compared(report.rows.filter(figure.asks)).map(({ words, bySut }) => ({
      label: words,
      bars: drawn.map((sut) => toBar(report, figure, sut, bySut)),
    })),
  }))
  return {
    title: figures[0]?.title ?? CPU,
    subtitle: machineWords(report),
    series: Object.entries(report.suts).map(([name, version]) => ({ name, words: version })),
    panels,
    notes: [
      'Behind a case stand the items in a request, and the rate where there is one. A bar is the median of the runs, the line in',
      `it goes from the smallest to the largest; × is how many times as much as ${suts[0]}.`,
    ],
  }
}

function toBar(report: Report, { of, words }: Figure, series: string, bySut: Compared['bySut']): Bar {
  const row = bySut.get(series)
  const missing = absence(report, series, row)
  if (missing !== undefined) return { series, words: missing }
  const runs = row!.runs.map(of)
  const value = of(row!.median)
  const own = Object.keys(report.suts)[0]!
  const first = bySut.get(own)
  const isCompared = series !== own && absence(report, own, first) === undefined
  return {
    series,
    value,
    least: Math.min(...runs),
    most: Math.max(...runs),
    words: words(value),
    ...(isCompared ? { strong: `${(value / of(first!.median)).toFixed(1)} ×` } : {}),
  }
}

/** Result files of function cases have `results` instead of rows. */
export function readReport(file: string): Report {
  if (!existsSync(file)) throw new UsageError(`there is no file ${file}`)
  let report: Report
  try {
    report = JSON.parse(readFileSync(file, 'utf8')) as Report
  } catch {
    throw new UsageError(`${file} is no JSON; write the name of a result file, bench/results/*.json`)
  }
  if (!Array.isArray(report.rows))
    throw new UsageError(`${file} has no rows: it is not of routers, or not a result file`)
  return report
}

function main(files: readonly string[]): void {
  if (files.length === 0)
    throw new UsageError('which result file? For example npm run bench:report -- bench/results/FILE.json')
  for (const file of files) {
    const report = readReport(file)
    const base = file.replace(/\.json$/, '')
    writeFileSync(`${base}.md`, toMarkdown(report))
    writeFileSync(`${base}.svg`, drawChart(toChart(report)))
    console.log(`${toMarkdown(report)}\nwrote ${base}.md and ${base}.svg`)
  }
}

if (import.meta.main) {
  try {
    main(process.argv.slice(2))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    console.error(`bench:report: ${error.message}`)
    process.exitCode = 2
  }
}
