// Measures the programs by turns on each row of each case: A B A B A B, so that an hour in which the machine is slow is slow
// for all of them. The figures of a row are the medians of its runs.

import { canRun, wire } from './case.ts'
import { loadCase } from './cases/index.ts'
import { DEFAULT_REPEATS, type HarnessOptions, settingsOf, UsageError } from './options.ts'
import { conditions, median, readResults, writeResults } from './results.ts'
import type { LatencyFigures } from './rig/latencies.ts'
import { type RunFigures, runOnce, type Setting } from './run.ts'
import { findSut, type Sut } from './suts.ts'
import { rowWords, tableHead, tableRow } from './table.ts'

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

export async function compare(options: HarnessOptions, print: (line: string) => void): Promise<number> {
  const suts = options.suts.map((word) => findSut(word, print))
  for (const sut of suts) print('missing' in sut ? `${sut.name}: ${sut.missing}` : `${sut.name}: ${sut.version}`)
  const facts = conditions()
  const rows: Row[] = []
  print(tableHead())
  for (const name of options.cases) {
    const definition = await loadCase(name)
    for (const setting of settingsOf(name, definition, options)) {
      const able = suts.filter(
        (sut): sut is Sut => !('missing' in sut) && canRun(sut.name, definition, setting.variant),
      )
      const measured = await measureRow(able, setting, options, print)
      for (const row of measured) print(tableRow(row, measured[0]))
      rows.push(...measured)
      for (const row of measured) for (const warning of warnings(row)) print(`  ${row.sut}: ${warning}`)
    }
  }
  if (options.save && rows.length > 0) {
    const versions = Object.fromEntries(suts.map((sut) => [sut.name, 'missing' in sut ? sut.missing : sut.version]))
    const set = options.out ?? options.cases.join('-').slice(0, MOST_NAME_LENGTH)
    const before = options.add ? (readResults(set, facts) as ResultFile | undefined) : undefined
    const file = writeResults(set, facts, addRows(before, { suts: versions, rows }))
    print(`\nkept in bench/results/${file}; npm run bench:report -- bench/results/${file} draws it`)
  }
  return rows.length === 0 || rows.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const MOST_NAME_LENGTH = 60

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

async function measureRow(
  suts: readonly Sut[],
  setting: Setting,
  options: HarnessOptions,
  print: (line: string) => void,
): Promise<Row[]> {
  const repeats = options.repeats ?? setting.definition.repeats ?? DEFAULT_REPEATS
  const runs = new Map<string, RunFigures[]>(suts.map(({ name }) => [name, []]))
  const failures = new Map<string, string>()
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const sut of suts) {
      if (failures.has(sut.name)) continue
      const profile = options.profile && sut.profiles ? profilePath(sut, setting) : undefined
      try {
        runs.get(sut.name)!.push(await runOnce(sut, setting, profile))
        if (profile !== undefined) print(`  profile in ${profile}`)
      } catch (error) {
        failures.set(sut.name, (error as Error).message)
        print(`  ${rowWords(setting)}, ${sut.name}: ${(error as Error).message}`)
      }
    }
  }
  return suts.map(({ name }) => toRow(setting, name, runs.get(name)!, failures.get(name)))
}

const profilePath = (sut: Sut, setting: Setting): string =>
  new URL(
    `./results/${[sut.name, setting.case, setting.variant, setting.items].filter((word) => word !== '').join('-')}.cpuprofile`,
    import.meta.url,
  ).pathname

function toRow(setting: Setting, sut: string, runs: readonly RunFigures[], failure: string | undefined): Row {
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

/** A process of the rig that is busy for so much of a core is what bounds the rate, not the router. */
const BUSY_CORES = 0.9
const LATE_MS = 5
/** Of other programs, interrupts of the run itself included. */
export const DISTURBED_CORES = 0.5

export function warnings({ median: figures, rate, sinkItemsPerSecond }: Row): string[] {
  const found: string[] = []
  if (figures.lost > 0) found.push(`${figures.lost} items that were answered OK never came to the sink`)
  if (figures.duplicates > 0) found.push(`${figures.duplicates} items came to the sink again`)
  if (figures.unanswered > 0) found.push(`${figures.unanswered} requests were not answered: the router cut connections`)
  for (const [process, cores] of [
    ['load generator', figures.loadCores],
    ['sink', figures.sinkCores],
  ] as const)
    if (cores >= BUSY_CORES && rate === undefined)
      found.push(
        `the ${process} was busy for ${Math.round(cores * 100)} % of a core: the rate is its limit, not the router's`,
      )
  if (figures.unsent > 0 && sinkItemsPerSecond === undefined)
    found.push(`${figures.unsent} requests were due and could not be sent: the router did not keep up with the rate`)
  if (figures.otherCores > DISTURBED_CORES)
    found.push(`other programs took ${figures.otherCores.toFixed(1)} cores meanwhile: all figures are disturbed`)
  if ((figures.loadDelayP99Ms ?? 0) > LATE_MS)
    found.push(
      `the load generator itself was late by ${figures.loadDelayP99Ms!.toFixed(0)} ms (p99): read latencies with care`,
    )
  return found
}

/** What --print-config shows: one file for each variant, which is the same for all programs. */
export async function printConfigs(options: HarnessOptions, print: (line: string) => void): Promise<void> {
  for (const name of options.cases) {
    const shown = new Set<string>()
    for (const setting of settingsOf(name, await loadCase(name), options)) {
      if (shown.has(setting.variant)) continue
      shown.add(setting.variant)
      const output = Array.from({ length: setting.copies }, (_, lane) => 5317 + lane)
      print(`# ${rowWords(setting)}${setting.definition.file(wire(setting, { input: 4317, metrics: 8888, output }))}`)
    }
  }
}
