// The table of function cases.

import { shortNumber } from '../results.ts'
import type { BenchResult } from './harness.ts'

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
