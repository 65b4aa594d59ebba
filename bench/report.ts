// `npm run bench:report -- FILE.json`: writes FILE.md, a table, and FILE.svg, a chart, beside a result file of the harness.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { type Chart, drawChart } from './chart.ts'
import { UsageError } from './options.ts'
import { type Conditions, shortNumber } from './results.ts'
import type { ResultFile, Row } from './rows.ts'
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

const conditionWords = ({ date, cpu, cores, node, suts }: Report): string =>
  `${date}, ${cores} cores of ${cpu}, Node ${node.replace(/^v/, '')}; ` +
  Object.entries(suts)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ')

export function toMarkdown(report: Report): string {
  const suts = Object.keys(report.suts)
  const [own = '', ...others] = suts
  const lines = [
    `${conditionWords(report)}.`,
    '',
    `${CPU} of each program: the median of its runs, and (largest - smallest) / median.`,
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
      const spread = row!.runs.length > 1 ? ` ± ${Math.round(row!.spread * 100)} %` : ''
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
    'Rate, time from when a request was due to its answer (to the sink in brackets), memory, what was lost or came twice, and the',
    'cores that the router, the load, the sink and all other programs took.',
    '',
    '| case | program | items/s | p50 / p99 / p99.9 ms | peak MiB (thirds of the run) | lost | twice | refused | cores |',
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

export function toChart(report: Report): Chart {
  const suts = Object.keys(report.suts)
  return {
    title: `${CPU}, less is better`,
    subtitle: conditionWords(report),
    groups: compared(report.rows).map(({ words, bySut }) => ({
      label: words,
      bars: suts.map((sut) => {
        const row = bySut.get(sut)
        const missing = absence(report, sut, row)
        if (missing !== undefined) return { series: sut, words: missing }
        const cpu = row!.runs.map((run) => run.cpuSecondsPerMillionItems)
        const value = row!.median.cpuSecondsPerMillionItems
        return { series: sut, value, least: Math.min(...cpu), most: Math.max(...cpu), words: value.toFixed(2) }
      }),
    })),
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
