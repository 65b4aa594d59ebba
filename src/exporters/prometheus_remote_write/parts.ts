// The series of one histogram or summary: `_sum`, `_count`, and one for each bound or quantile.

import { plainDecimal } from '../../otlp/plain-decimal.ts'
import { type Family, makeTrack, type Series, type SeriesBook, type Track } from './series-book.ts'
import { type LabelMap, METRIC_NAME, sortedLabels } from './series-labels.ts'

/** In which the series of one point differ. */
const APART = [METRIC_NAME, 'le', 'quantile']
/** Where the series stand. */
export const PART = { SUM: 0, COUNT: 1, FIRST: 2 } as const

export class Parts {
  /** From PART.FIRST on one for each bound, ascending, and one for +Inf; or one for each quantile. */
  series: Series[]
  /** Of all of them in this order; undefined where other points have some of them too, and with others. */
  track: Track | undefined
  /** Those that the series stand for. */
  bounds: readonly number[] = []
  #isGathered = false
  readonly #book: SeriesBook
  readonly #family: Family
  readonly #labels: LabelMap

  constructor(book: SeriesBook, family: Family, labels: LabelMap) {
    this.#book = book
    this.#family = family
    this.#labels = labels
    this.series = [this.#one('_sum'), this.#one('_count')]
  }

  /** Of a histogram. */
  setBounds(bounds: readonly number[]): void {
    if (this.#isGathered && isSame(bounds, this.bounds)) return
    this.bounds = bounds.filter((bound) => bound !== Infinity)
    this.#gather([...this.bounds, Infinity].map((bound) => this.#one('_bucket', 'le', plainDecimal(bound))))
  }

  /** Of a summary: quantile, value, quantile, value ... */
  setQuantiles(pairs: readonly number[]): void {
    const { bounds } = this
    const isKnown = pairs.length === 2 * bounds.length && bounds.every((bound, i) => bound === pairs[2 * i])
    if (isKnown && this.#isGathered) return
    this.bounds = pairs.filter((_, i) => i % 2 === 0)
    this.#gather(this.bounds.map((quantile) => this.#one('', 'quantile', plainDecimal(quantile))))
  }

  #gather(others: readonly Series[]): void {
    this.#isGathered = true
    this.series.length = PART.FIRST
    this.series.push(...others)
    const fresh = [...new Set(this.series)].filter(({ track }) => track === undefined)
    if (fresh.length > 0) makeTrack(fresh)
    const { track } = this.series[0]!
    this.track = isSame(track!.series, this.series) ? track : undefined
  }

  #one(suffix: string, name = '', value = ''): Series {
    const label = [METRIC_NAME, this.#family.name + suffix] as const
    const labels = name === '' ? sortedLabels(this.#labels, label) : sortedLabels(this.#labels, [name, value], label)
    return this.#book.series(labels, this.#family, APART)
  }
}

const isSame = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
