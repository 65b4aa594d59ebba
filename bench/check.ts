// `npm run bench:check`: has the router become dearer? A short set of cases against baseline.json, as ratios, so that a
// faster or slower machine does not matter:
//
//   to the check   CPU of a case / CPU of the function case check/traces-1000, measured before each case
//   to otelcol     CPU of a case / CPU of the Collector in the same case, where it is installed
//
// Of each figure the least of all rounds counts: what else a machine does can only add to it. A case is dearer when each
// ratio at hand says so: what disturbs a run seldom disturbs both.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { caseNames, loadCase } from './cases/index.ts'
import { DISTURBED_CORES } from './compare.ts'
import { listFunctions, QUICK_OPTIONS, runFunction } from './functions/run.ts'
import { type HarnessOptions, parseCommandLine, pickSuts, settingsOf, UsageError, whole } from './options.ts'
import { conditions } from './results.ts'
import { endOnSignals } from './rig/processes.ts'
import { runOnce, type Setting } from './run.ts'
import { findSut, isMissing, type Sut } from './suts.ts'
import { rowWords } from './table.ts'

/** What two runs of the same commit may differ by, on a machine that others use too. */
export const TOLERANCE = 0.25
/** So many times the tolerance, in both ratios, is more than other programs can do. */
const CERTAIN = 2

const SET: readonly string[] = [
  '--case=passthrough --items=1000,100,10',
  '--case=plant --items=100',
  '--case=gzip',
  '--case=attributes',
]
const DURATION = '--duration=2s --warm-up=1500ms'
const CHECK = /^check\/traces-1000$/
const PEER = 'otelcol'

const HELP = `Has Millrace become dearer than bench/baseline.json says?

  npm run bench:check -- [flags]

  --sut millrace    leaves the Collector out (default millrace,otelcol)
  --repeats N       rounds (default 3)
  --write           renews the baseline

The exit code is 1 when a case is dearer, and 3 when it seems so while other programs took the machine.
`

/** CPU-seconds for a million items in each round. */
export interface Rounds {
  readonly own: readonly number[]
  /** Before this case and all others: what a machine can do shows in the best of many. */
  readonly check: readonly number[]
  readonly peer?: readonly number[]
  /** Cores that other programs took. */
  readonly others: readonly number[]
}

export interface Ratio {
  readonly name: string
  readonly now: number
}

export function ratiosOf({ own, check, peer }: Rounds): Ratio[] {
  const to = (name: string, others: readonly number[]): Ratio => {
    const now = Math.min(...own) / Math.min(...others)
    return { name, now }
  }
  return [to('to the check', check), ...(peer === undefined ? [] : [to(`to ${PEER}`, peer)])]
}

/** (largest - smallest) / smallest. */
export const spreadOf = (figures: readonly number[]): number => Math.max(...figures) / Math.min(...figures) - 1

export interface Baseline {
  readonly [fact: string]: unknown
  /** Ratios by their names, by the row's words. */
  readonly rows: Readonly<Record<string, Readonly<Record<string, number>>>>
}

export interface Verdict {
  readonly row: string
  readonly dearer: boolean
  /** Every round was disturbed by other programs, and the change is no more than they could have done. */
  readonly disturbed: boolean
  /** Of Millrace's own rounds. */
  readonly spread: number
  readonly figures: readonly (Ratio & { readonly before: number })[]
}

/** Ratios that the baseline lacks do not count. */
export function judge(row: string, rounds: Rounds, before: Baseline['rows'][string], tolerance = TOLERANCE): Verdict {
  const figures = ratiosOf(rounds)
    .filter(({ name }) => before[name] !== undefined)
    .map((ratio) => ({ ...ratio, before: before[ratio.name]! }))
  const isAbove = (share: number): boolean => figures.every(({ now, before }) => now > before * (1 + share))
  const dearer = figures.length > 0 && isAbove(tolerance)
  const isCertain = figures.length > 1 && isAbove(tolerance * CERTAIN)
  const disturbed = !isCertain && Math.min(...rounds.others) > DISTURBED_CORES
  return { row, figures, dearer, disturbed, spread: spreadOf(rounds.own) }
}

export function verdictLine({ row, dearer, disturbed, spread, figures }: Verdict): string {
  const words = figures.map(({ name, now, before }) => {
    const change = Math.round((now / before - 1) * 100)
    return `${name} ${now.toFixed(2)}, was ${before.toFixed(2)} (${change > 0 ? '+' : ''}${change} %)`
  })
  words.push(figures.length === 0 ? 'not in the baseline' : `spread of rounds ${Math.round(spread * 100)} %`)
  const verdict = figures.length === 0 ? 'new' : !dearer ? 'ok' : disturbed ? 'UNSURE' : 'DEARER'
  return `${verdict.padEnd(8)}${row.padEnd(24)}${words.join('; ')}`
}

const BASELINE = new URL('./baseline.json', import.meta.url)

async function measureCheck(): Promise<number> {
  const [listed] = await listFunctions(CHECK)
  const [result] = await runFunction(listed!, { ...QUICK_OPTIONS, rounds: 7 })
  return result!.cpuSecondsPerMillionItems!
}

async function settings(): Promise<Setting[]> {
  const found: Setting[] = []
  for (const words of SET) {
    const options = parseCommandLine(`${words} ${DURATION}`.split(' '), caseNames()) as HarnessOptions
    for (const name of options.cases) found.push(...settingsOf(name, await loadCase(name), options))
  }
  return found
}

async function measure(suts: readonly Sut[], repeats: number): Promise<Map<string, Rounds>> {
  const measured = new Map<string, { own: number[]; peer: number[]; others: number[] }>()
  const check: number[] = []
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const setting of await settings()) {
      const row = measured.get(rowWords(setting)) ?? { own: [], peer: [], others: [] }
      measured.set(rowWords(setting), row)
      check.push(await measureCheck())
      for (const sut of suts) {
        const run = await runOnce(sut, setting)
        if (run.lost > 0) throw new Error(`${rowWords(setting)}, ${sut.name}: ${run.lost} items lost`)
        row.others.push(run.otherCores)
        row[sut.name === PEER ? 'peer' : 'own'].push(run.cpuSecondsPerMillionItems)
      }
      const words = Object.entries({ check, millrace: row.own, [PEER]: row.peer })
        .filter(([, values]) => values.length > 0)
        .map(([name, values]) => `${name} ${values.at(-1)!.toFixed(2)}`)
      console.log(`round ${repeat + 1} of ${repeats}: ${rowWords(setting).padEnd(24)}${words.join(', ')}`)
    }
  }
  return new Map(
    [...measured].map(([row, { peer, ...rounds }]) => [
      row,
      { ...rounds, check, ...(peer.length === 0 ? {} : { peer }) },
    ]),
  )
}

function parseFlags() {
  try {
    return parseArgs({
      options: {
        write: { type: 'boolean', default: false },
        sut: { type: 'string', default: `millrace,${PEER}` },
        repeats: { type: 'string', default: '3' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }).values
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split(/\.\s/, 1)[0]}; --help tells the flags`)
  }
}

async function main(): Promise<number> {
  const values = parseFlags()
  if (values.help) {
    console.log(HELP)
    return 0
  }
  const repeats = whole('--repeats', values.repeats)
  const suts = pickSuts(values.sut).map((word) => findSut(word, console.log))
  for (const sut of suts) console.log(`${sut.name}: ${isMissing(sut) ? sut.missing : sut.version}`)
  const [first, peer = { name: PEER }, ...others] = suts
  if (first?.name !== 'millrace' || peer.name !== PEER || others.length > 0)
    throw new UsageError(`--sut ${values.sut}: write millrace,${PEER}, or millrace for it alone`)
  console.log('CPU-seconds for a million items, of each round:')
  const rounds = await measure(
    suts.filter((sut): sut is Sut => !isMissing(sut)),
    repeats,
  )
  if (values.write) {
    const rows = Object.fromEntries(
      [...rounds].map(([row, figures]) => [
        row,
        Object.fromEntries(ratiosOf(figures).map(({ name, now }) => [name, Number(now.toPrecision(4))])),
      ]),
    )
    writeFileSync(BASELINE, `${JSON.stringify({ ...conditions(), rows }, null, 2)}\n`)
  }
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
  console.log(
    `\nagainst bench/baseline.json of ${baseline.date}, ${baseline.commit}; dearer above +${TOLERANCE * 100} %`,
  )
  const verdicts = [...rounds].map(([row, figures]) => judge(row, figures, baseline.rows[row] ?? {}))
  for (const verdict of verdicts) console.log(verdictLine(verdict))
  const dearer = verdicts.filter((verdict) => verdict.dearer)
  if (dearer.some(({ disturbed }) => disturbed))
    console.log('UNSURE: other programs took too much of the machine; try again')
  return dearer.length === 0 ? 0 : dearer.some(({ disturbed }) => !disturbed) ? 1 : 3
}

if (import.meta.main) {
  endOnSignals()
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(`bench:check: ${(error as Error).message}`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}
