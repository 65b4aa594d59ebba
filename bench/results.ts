// Files in results/: what was measured, and the conditions it depends on.

import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'

/** The commit that is measured, with `+` when files in the tree differ from it; undefined outside a clone. */
export function commit(): string | undefined {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return (
      git('rev-parse', '--short=12', 'HEAD') +
      (git('status', '--porcelain', 'src', 'bench', ':!bench/results') === '' ? '' : '+')
    )
  } catch {
    return undefined
  }
}

/** What a figure depends on, without saying whose machine it was. */
export const conditions = () => ({
  date: new Date().toISOString().slice(0, 10),
  commit: commit(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model.trim(),
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
})
export type Conditions = ReturnType<typeof conditions>

export const RESULTS_FOLDER = new URL('./results/', import.meta.url)

/** `<date>-<set>.json`. */
export function resultName(set: string, { date }: Conditions): string {
  const words = set.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '')
  return `${date}-${words || 'all'}.json`
}

/** The same day's, undefined where there is none. */
export function readResults(set: string, facts: Conditions): unknown {
  const file = new URL(resultName(set, facts), RESULTS_FOLDER)
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined
}

/** Replaces the same day's; returns its name. */
export function writeResults(set: string, facts: Conditions, rest: Readonly<Record<string, unknown>>): string {
  const name = resultName(set, facts)
  mkdirSync(RESULTS_FOLDER, { recursive: true })
  writeFileSync(new URL(name, RESULTS_FOLDER), `${JSON.stringify({ ...facts, ...rest }, null, 2)}\n`)
  return name
}

const SCALE = ['', 'k', 'M', 'G', 'T']

/** Three digits and a scale: 1234567 becomes `1.23M`. */
export function shortNumber(value: number): string {
  let scale = 0
  while (Math.abs(value) >= 999.5 && scale < SCALE.length - 1) {
    value /= 1000
    scale++
  }
  const digits = Math.abs(value) >= 99.95 || Number.isInteger(value) ? 0 : Math.abs(value) >= 9.995 ? 1 : 2
  return value.toFixed(digits) + SCALE[scale]
}

/** The middle value; of an even number of values, the mean of the two in the middle. NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  if (sorted.length === 0) return Number.NaN
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
