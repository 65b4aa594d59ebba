// `npm run bench:check`: has the router become dearer? A short set of cases against baseline.json, as ratios, so that a
// faster or slower machine does not matter:
//
//   to the check   CPU of a case / CPU of the function case check/traces-1000, measured in the same round
//   to otelcol     CPU of a case / CPU of the Collector in the same case and round, where it is installed
//
// A case is dearer when each ratio at hand says so: what disturbs a run seldom disturbs both. `--write` renews the baseline,
// `--sut millrace` leaves the Collector out, `--repeats N` takes more rounds.

import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { caseNames, loadCase } from './cases/index.ts'
import { listFunctions, QUICK_OPTIONS, runFunction } from './functions/run.ts'
import { type HarnessOptions, parseCommandLine, settingsOf, UsageError } from './options.ts'
import { conditions, median } from './results.ts'
import { runOnce, type Setting } from './run.ts'
import { findSut, type Sut } from './suts.ts'
import { rowWords } from './table.ts'

/** Of the medians: what two runs of the same commit differ by at most, on a machine that others use too. */
export const TOLERANCE = 0.2

const SET: readonly string[] = [
  '--case=passthrough --items=1000,100,10',
  '--case=plant --items=100',
  '--case=gzip',
  '--case=attributes',
]
const DURATION = '--duration=2s --warm-up=1500ms'
const UNIT = /^check\/traces-1000$/
const PEER = 'otelcol'

/** By the ratio's name. */
export type Ratios = Readonly<Record<string, number>>
export interface Baseline {
  readonly [fact: string]: unknown
  /** By the row's words. */
  readonly rows: Readonly<Record<string, Ratios>>
}

export interface Verdict {
  readonly row: string
  readonly dearer: boolean
  readonly figures: readonly {
    readonly ratio: string
    readonly now: number
    readonly before: number
    readonly spread: number
  }[]
}

/** `rounds` holds the ratios of each round of a row. Ratios that the baseline lacks do not count. */
export function judge(row: string, rounds: readonly Ratios[], before: Ratios, tolerance = TOLERANCE): Verdict {
  const figures = Object.keys(rounds[0] ?? {})
    .filter((ratio) => before[ratio] !== undefined)
    .map((ratio) => {
      const values = rounds.map((round) => round[ratio]!)
      const now = median(values)
      return { ratio, now, before: before[ratio]!, spread: (Math.max(...values) - Math.min(...values)) / now }
    })
  return {
    row,
    figures,
    dearer: figures.length > 0 && figures.every((figure) => figure.now > figure.before * (1 + tolerance)),
  }
}

export function verdictLine({ row, dearer, figures }: Verdict): string {
  const words = figures.map(({ ratio, now, before, spread }) => {
    const change = Math.round((now / before - 1) * 100)
    return `${ratio} ${now.toFixed(2)}, was ${before.toFixed(2)} (${change > 0 ? '+' : ''}${change} %, spread ${Math.round(spread * 100)} %)`
  })
  const verdict = figures.length === 0 ? 'new' : dearer ? 'DEARER' : 'ok'
  return `${verdict.padEnd(8)}${row.padEnd(24)}${words.join('; ') || 'not in the baseline'}`
}

const BASELINE = new URL('./baseline.json', import.meta.url)

async function measureUnit(): Promise<number> {
  const [listed] = await listFunctions(UNIT)
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

async function measure(suts: readonly Sut[], repeats: number): Promise<Map<string, Ratios[]>> {
  const rows = new Map<string, Ratios[]>()
  for (let repeat = 0; repeat < repeats; repeat++) {
    const unit = await measureUnit()
    console.log(`round ${repeat + 1} of ${repeats}: check/traces-1000 takes ${unit.toFixed(3)} CPU-s/M`)
    for (const setting of await settings()) {
      const cpu = new Map<string, number>()
      for (const sut of suts) {
        const run = await runOnce(sut, setting)
        if (run.lost > 0) throw new Error(`${rowWords(setting)}, ${sut.name}: ${run.lost} items lost`)
        cpu.set(sut.name, run.cpuSecondsPerMillionItems)
      }
      const own = cpu.get('millrace')!
      const peer = cpu.get(PEER)
      const ratios = { 'to the check': own / unit, ...(peer === undefined ? {} : { [`to ${PEER}`]: own / peer }) }
      rows.set(rowWords(setting), [...(rows.get(rowWords(setting)) ?? []), ratios])
    }
  }
  return rows
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      write: { type: 'boolean', default: false },
      sut: { type: 'string', default: `millrace,${PEER}` },
      repeats: { type: 'string', default: '3' },
    },
  })
  const suts = values.sut.split(',').map((word) => findSut(word, console.log))
  for (const sut of suts) console.log(`${sut.name}: ${'missing' in sut ? sut.missing : sut.version}`)
  const rounds = await measure(
    suts.filter((sut): sut is Sut => !('missing' in sut)),
    Number(values.repeats),
  )
  if (values.write) {
    const rows = Object.fromEntries(
      [...rounds].map(([row, ratios]) => [
        row,
        Object.fromEntries(
          Object.keys(ratios[0]!).map((name) => [
            name,
            Number(median(ratios.map((round) => round[name]!)).toPrecision(4)),
          ]),
        ),
      ]),
    )
    writeFileSync(BASELINE, `${JSON.stringify({ ...conditions(), rows }, null, 2)}\n`)
  }
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
  console.log(
    `\nagainst bench/baseline.json of ${baseline.date}, ${baseline.commit}; dearer above +${TOLERANCE * 100} %`,
  )
  const verdicts = [...rounds].map(([row, ratios]) => judge(row, ratios, baseline.rows[row] ?? {}))
  for (const verdict of verdicts) console.log(verdictLine(verdict))
  return verdicts.some(({ dearer }) => dearer) ? 1 : 0
}

if (import.meta.main) {
  try {
    process.exitCode = await main()
  } catch (error) {
    console.error(`bench:check: ${(error as Error).message}`)
    process.exitCode = error instanceof UsageError ? 2 : 1
  }
}
