// The rows of a result file: what was decided, each run, and the median of every figure.

import { UsageError } from './options.ts'
import { median } from './results.ts'
import type { LatencyFigures } from './rig/latencies.ts'
import type { RunFigures, Setting } from './run.ts'
import { rowWords } from './table.ts'

/** A row of a result file: a case with all that was decided, a program, and its runs. */
export interface Row extends Omit<Setting, 'definition'> {
  readonly sut: string
  readonly runs: readonly RunFigures[]
  readonly median: RunFigures
  /** (largest - smallest) / median of the CPU-seconds. */
  readonly spread: number
  /** Why the program was not measured, or a run of it failed. */
  readonly failure?: string
}

export interface ResultFile {
  readonly suts: Readonly<Record<string, string>>
  readonly rows: readonly Row[]
}

/** Rows of the same programs only: what another commit did stays another file's. */
export function addRows(
  before: ResultFile | undefined,
  measured: ResultFile,
): ResultFile & Readonly<Record<string, unknown>> {
  if (before === undefined) return { ...measured }
  for (const [name, version] of Object.entries(measured.suts))
    if ((before.suts[name] ?? version) !== version)
      throw new UsageError(`--add: the file has ${name} ${before.suts[name]}, this is ${version}; take another --out`)
  const isNew = (row: Row): boolean =>
    !measured.rows.some((other) => other.sut === row.sut && rowWords(other) === rowWords(row))
  return { suts: { ...before.suts, ...measured.suts }, rows: [...before.rows.filter(isNew), ...measured.rows] }
}

export function toRow(setting: Setting, sut: string, runs: readonly RunFigures[], failure: string | undefined): Row {
  const { definition: _, ...decided } = setting
  const cpu = runs.map((run) => run.cpuSecondsPerMillionItems)
  return {
    ...decided,
    sut,
    runs,
    median: medians(runs),
    spread: (Math.max(...cpu) - Math.min(...cpu)) / median(cpu),
    ...(failure === undefined ? {} : { failure }),
  }
}

/** Of each figure on its own. */
export function medians(runs: readonly RunFigures[]): RunFigures {
  const of = (figure: (run: RunFigures) => number | undefined): number =>
    median(runs.map(figure).filter((value) => value !== undefined))
  const latency = (figures: (run: RunFigures) => LatencyFigures | undefined): LatencyFigures => ({
    p50: of((run) => figures(run)?.p50),
    p99: of((run) => figures(run)?.p99),
    p999: of((run) => figures(run)?.p999),
  })
  const has = (figure: keyof RunFigures): boolean => runs.some((run) => run[figure] !== undefined)
  return {
    cpuSecondsPerMillionItems: of((run) => run.cpuSecondsPerMillionItems),
    itemsPerSecond: of((run) => run.itemsPerSecond),
    bytesPerSecond: of((run) => run.bytesPerSecond),
    answerMs: latency((run) => run.answerMs),
    ...(has('arrivalMs') ? { arrivalMs: latency((run) => run.arrivalMs) } : {}),
    peakRssBytes: of((run) => run.peakRssBytes),
    rssBytesByThird: [0, 1, 2].map((third) => of((run) => run.rssBytesByThird[third])) as [number, number, number],
    ...(has('allocatedBytesPerItem') ? { allocatedBytesPerItem: of((run) => run.allocatedBytesPerItem) } : {}),
    items: of((run) => run.items),
    // Whatever was lost in any run counts.
    lost: runs.reduce((sum, run) => sum + run.lost, 0),
    duplicates: runs.reduce((sum, run) => sum + run.duplicates, 0),
    refused: of((run) => run.refused),
    unanswered: of((run) => run.unanswered),
    unsent: of((run) => run.unsent),
    routerCores: of((run) => run.routerCores),
    loadCores: of((run) => run.loadCores),
    sinkCores: of((run) => run.sinkCores),
    otherCores: of((run) => run.otherCores),
    ...(has('loadDelayP99Ms') ? { loadDelayP99Ms: of((run) => run.loadDelayP99Ms) } : {}),
  }
}
