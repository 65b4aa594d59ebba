// The table a person reads, and the file that a speed claim links to.

import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import type { BenchResult } from './harness.ts'

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

const COLUMNS: readonly { readonly title: string; readonly text: (result: BenchResult) => string }[] = [
  { title: 'CPU-s/M items', text: ({ cpuSecondsPerMillionItems: v }) => (v === undefined ? '' : v.toFixed(3)) },
  { title: 'items/s', text: ({ itemsPerSecond: v }) => (v === undefined ? '' : shortNumber(v)) },
  { title: 'bytes/s', text: ({ bytesPerSecond: v }) => (v === undefined ? '' : shortNumber(v)) },
  { title: 'peak MiB', text: ({ peakRssBytes: v }) => (v === undefined ? '' : (v / 2 ** 20).toFixed(0)) },
  { title: 'B garbage/item', text: ({ allocatedBytesPerItem: v }) => (v === undefined ? '' : v.toFixed(1)) },
]

export const tableHead = (nameWidth: number): string =>
  'case'.padEnd(nameWidth) + COLUMNS.map(({ title }) => title.padStart(title.length + 2)).join('')

export function tableRow(result: BenchResult, nameWidth: number): string {
  const figures = COLUMNS.map(({ title, text }) => text(result).padStart(title.length + 2)).join('')
  const notes = Object.entries(result.notes ?? {}).map(([key, value]) => `${key} ${value}`)
  return result.name.padEnd(nameWidth) + figures + (notes.length > 0 ? `  ${notes.join(', ')}` : '')
}

/** The commit that was measured, with `+` when files in the tree differ from it; undefined outside a clone. */
function commit(): string | undefined {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
    return git('rev-parse', '--short=12', 'HEAD') + (git('status', '--porcelain', 'src', 'bench') === '' ? '' : '+')
  } catch {
    return undefined
  }
}

/** What a figure depends on, without saying whose machine it was. */
export const conditions = (): Readonly<Record<string, unknown>> => ({
  date: new Date().toISOString().slice(0, 10),
  commit: commit(),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
  cpu: cpus()[0]?.model.trim(),
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
})

/** Writes `<date>-<set>.json` into `folder`, replacing the same day's; returns its name. */
export function writeResults(folder: URL, set: string, results: readonly BenchResult[]): string {
  const facts = conditions()
  const name = `${facts.date}-${set.replaceAll(/[^\w.-]+/g, '-').replaceAll(/^-+|-+$/g, '') || 'all'}.json`
  mkdirSync(folder, { recursive: true })
  writeFileSync(new URL(name, folder), `${JSON.stringify({ ...facts, results }, null, 2)}\n`)
  return name
}
