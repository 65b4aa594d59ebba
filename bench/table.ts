// The harness's table in the terminal.

import { shortNumber } from './results.ts'
import { ATTRIBUTES } from './rig/payloads.ts'
import type { Row } from './rows.ts'
import type { Setting } from './run.ts'

/** What a row is, in a few words: `passthrough 1000, gzip`. */
export function rowWords(row: RowIdentity): string {
  const { case: name, variant, items, attributes, compression, input, format, rate } = row
  const words = [`${name} ${items}`]
  // A case that is named for it need not say so twice.
  const say = (word: string): void => void (word.toLowerCase() === name || words.push(word))
  if (variant !== '') words.push(variant)
  if (attributes !== ATTRIBUTES) words.push(`${attributes} attributes`)
  if (input !== 'grpc') say(format === 'json' ? 'JSON' : 'HTTP')
  if (compression !== 'none') say(compression)
  if (rate !== undefined) words.push(`${shortNumber(rate)}/s`)
  return words.join(', ')
}
type RowIdentity = Pick<
  Setting,
  'case' | 'variant' | 'items' | 'attributes' | 'compression' | 'input' | 'format' | 'rate'
>

const milliseconds = (value: number | undefined): string =>
  value === undefined || Number.isNaN(value) ? '' : value >= 100 ? value.toFixed(0) : value.toFixed(1)

interface Column {
  readonly title: string
  readonly text: (row: Row, first: Row) => string
}

const COLUMNS: readonly Column[] = [
  { title: 'CPU-s/M', text: ({ median }) => median.cpuSecondsPerMillionItems.toFixed(2) },
  { title: 'spread', text: ({ spread, runs }) => (runs.length > 1 ? `${Math.round(spread * 100)}%` : '') },
  {
    title: 'ratio',
    text: ({ median }, first) => (median.cpuSecondsPerMillionItems / first.median.cpuSecondsPerMillionItems).toFixed(2),
  },
  { title: 'items/s', text: ({ median }) => shortNumber(median.itemsPerSecond) },
  { title: 'p50 ms', text: ({ median }) => milliseconds(median.answerMs.p50) },
  { title: 'p99', text: ({ median }) => milliseconds(median.answerMs.p99) },
  { title: 'p99.9', text: ({ median }) => milliseconds(median.answerMs.p999) },
  { title: 'arrive p99', text: ({ median }) => milliseconds(median.arrivalMs?.p99) },
  { title: 'MiB', text: ({ median }) => (median.peakRssBytes / 2 ** 20).toFixed(0) },
  { title: 'lost', text: ({ median }) => shortNumber(median.lost) },
  { title: 'again', text: ({ median }) => shortNumber(median.duplicates) },
  { title: 'refused', text: ({ median }) => shortNumber(median.refused) },
  { title: 'cores: router', text: ({ median }) => median.routerCores.toFixed(2) },
  { title: 'load', text: ({ median }) => median.loadCores.toFixed(2) },
  { title: 'sink', text: ({ median }) => median.sinkCores.toFixed(2) },
  { title: 'others', text: ({ median }) => median.otherCores.toFixed(2) },
]

const NAME_WIDTH = 34
const SUT_WIDTH = 11
const padded = ({ title }: Column, text: string): string => text.padStart(Math.max(title.length, 5) + 2)

export const tableHead = (): string =>
  'case, items in a request'.padEnd(NAME_WIDTH) +
  ''.padEnd(SUT_WIDTH) +
  COLUMNS.map((column) => padded(column, column.title)).join('')

export function tableRow(row: Row, first: Row = row): string {
  const name = `${(row === first ? rowWords(row) : '').padEnd(NAME_WIDTH - 1)} ${row.sut.padEnd(SUT_WIDTH - 1)} `
  if (row.runs.length === 0) return `${name}  failed`
  return name + COLUMNS.map((column) => padded(column, column.text(row, first))).join('')
}
