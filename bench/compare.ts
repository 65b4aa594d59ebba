// Measures the programs by turns on each row of each case: A B A B A B, so that an hour in which the machine is slow is slow
// for all of them. The figures of a row are the medians of its runs.

import { canRun, wire } from './case.ts'
import { loadCase } from './cases/index.ts'
import { DEFAULT_REPEATS, type HarnessOptions, settingsOf, UsageError } from './options.ts'
import { conditions, readResults, writeResults } from './results.ts'
import { addRows, type ResultFile, type Row, toRow } from './rows.ts'
import { type RunFigures, runOnce, type Setting } from './run.ts'
import { findSut, isMissing, type MissingSut, type Sut } from './suts.ts'
import { rowWords, tableHead, tableRow } from './table.ts'

type Print = (line: string) => void

export async function compare(options: HarnessOptions, print: Print): Promise<number> {
  const found = options.suts.map((word) => findSut(word, print))
  for (const sut of found) print(`${sut.name}: ${versionOrAbsence(sut)}`)
  const suts = found.filter((sut): sut is Sut => !isMissing(sut))
  if (suts.length === 0)
    throw new UsageError('none of these programs is here: write --sut millrace, or NAME=COMMAND for another one')
  const keep = options.save ? keeper(options, found) : undefined
  let kept = ''
  const rows: Row[] = []
  print(tableHead())
  for (const name of options.cases) {
    const definition = await loadCase(name)
    for (const setting of settingsOf(name, definition, options)) {
      const able = suts.filter((sut) => canRun(sut.name, definition, setting.variant))
      for (const sut of suts) if (!able.includes(sut)) print(`  ${rowWords(setting)}: not for ${sut.name}`)
      const measured = await measureRow(able, setting, options, print)
      for (const row of measured) print(tableRow(row, measured[0]))
      for (const row of measured) for (const warning of warnings(row)) print(`  ${row.sut}: ${warning}`)
      rows.push(...measured)
      if (keep !== undefined && rows.length > 0) kept = keep(rows)
    }
  }
  if (kept !== '') print(`\nkept in bench/results/${kept}; npm run bench:report -- bench/results/${kept} draws it`)
  return rows.length === 0 || rows.some(({ failure }) => failure !== undefined) ? 1 : 0
}

const versionOrAbsence = (sut: Sut | MissingSut): string => (isMissing(sut) ? sut.missing : sut.version)

const MOST_NAME_LENGTH = 60

/** Writes the result file with the rows so far, so that a comparison that is broken off leaves what it had; returns its name. */
function keeper(options: HarnessOptions, found: readonly (Sut | MissingSut)[]): (rows: readonly Row[]) => string {
  const facts = conditions()
  const suts = Object.fromEntries(found.map((sut) => [sut.name, versionOrAbsence(sut)]))
  const set = options.out ?? options.cases.join('-').slice(0, MOST_NAME_LENGTH)
  const before = options.add ? (readResults(set, facts) as ResultFile | undefined) : undefined
  // What cannot be added is said before anything is measured.
  addRows(before, { suts, rows: [] })
  return (rows) => writeResults(set, facts, addRows(before, { suts, rows }))
}

async function measureRow(
  suts: readonly Sut[],
  setting: Setting,
  options: HarnessOptions,
  print: Print,
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

/** A process of the rig that is busy for so much of a core is what bounds the rate, not the router. */
const BUSY_CORES = 0.9
const LATE_MS = 5
/** A p99 of fewer is the slowest one. */
const LEAST_REQUESTS = 100
/** Of other programs, interrupts of the run itself included. */
export const DISTURBED_CORES = 0.5

export function warnings({ median: figures, rate, items, sinkItemsPerSecond }: Row): string[] {
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
  if (rate !== undefined && figures.items / items < LEAST_REQUESTS)
    found.push(
      `${Math.round(figures.items / items)} requests a run are too few for percentiles: write a longer --duration`,
    )
  if (figures.otherCores > DISTURBED_CORES)
    found.push(`other programs took ${figures.otherCores.toFixed(1)} cores meanwhile: all figures are disturbed`)
  if ((figures.loadDelayP99Ms ?? 0) > LATE_MS)
    found.push(
      `the load generator itself was late by ${figures.loadDelayP99Ms!.toFixed(0)} ms (p99): read latencies with care`,
    )
  return found
}

/** What --print-config shows: one file for each variant, which is the same for all programs. */
export async function printConfigs(options: HarnessOptions, print: Print): Promise<void> {
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
