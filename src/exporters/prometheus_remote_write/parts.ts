// The series of one histogram or summary: `_sum`, `_count`, and one for each bound or quantile.

import type { HistogramPointView, SummaryPointView } from '../../otlp/metric.ts'
import { plainDecimal } from '../../otlp/plain-decimal.ts'
import type { Family, Series, SeriesBook } from './series-book.ts'
import { type LabelMap, METRIC_NAME, sortedLabels } from './series-labels.ts'

/** In which the series of one point differ. */
const APART = [METRIC_NAME, 'le', 'quantile']

export class Parts {
  readonly sum: Series
  readonly count: Series
  /** One more than bounds, for +Inf; of a summary one for each quantile. */
  buckets: Series[] = []
  /** Of a histogram; not cumulative. Of a summary: the values of its quantiles. */
  readonly counts: number[] = []
  bounds: number[] = []
  readonly #read: number[] = []
  readonly #book: SeriesBook
  readonly #family: Family
  readonly #labels: LabelMap

  constructor(book: SeriesBook, family: Family, labels: LabelMap) {
    this.#book = book
    this.#family = family
    this.#labels = labels
    this.sum = this.#series('_sum')
    this.count = this.#series('_count')
  }

  setBounds(point: HistogramPointView): void {
    this.counts.length = 0
    point.bucketCounts(this.counts)
    const bounds = this.#read
    bounds.length = 0
    point.explicitBounds(bounds)
    if (this.buckets.length > 0 && isSame(bounds, this.bounds)) return
    this.bounds = [...bounds]
    this.buckets = [...bounds.filter((bound) => bound !== Infinity), Infinity].map((bound) =>
      this.#series('_bucket', 'le', plainDecimal(bound)),
    )
    this.bounds.length = this.buckets.length - 1
  }

  setQuantiles(point: SummaryPointView): void {
    const pairs = this.#read
    pairs.length = 0
    point.quantiles(pairs)
    const isKnown = pairs.length === 2 * this.bounds.length && this.bounds.every((bound, i) => bound === pairs[2 * i])
    this.counts.length = 0
    for (let i = 1; i < pairs.length; i += 2) this.counts.push(pairs[i]!)
    if (isKnown) return
    this.bounds = pairs.filter((_, i) => i % 2 === 0)
    this.buckets = this.bounds.map((quantile) => this.#series('', 'quantile', plainDecimal(quantile)))
  }

  #series(suffix: string, name = '', value = ''): Series {
    const label = [METRIC_NAME, this.#family.name + suffix] as const
    const labels = name === '' ? sortedLabels(this.#labels, label) : sortedLabels(this.#labels, [name, value], label)
    return this.#book.series(labels, this.#family, APART)
  }
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((value, i) => value === b[i])
