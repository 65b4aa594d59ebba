// Histograms and summaries as a handful of numbers, for schemas with a field for each.

import { METRIC_TYPE, type PointView } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { NO_RECORDED_VALUE } from './line-schema.ts'
import { NumberWords } from './number-words.ts'

const HISTOGRAM = ['count', 'sum', 'min', 'max'].map((word) => wordsOf(Buffer.from(`_${word}=`)))

/** The numbers of one point; reused. */
export class Aggregate {
  /** How many there are; 0 where the point has no value. */
  count = 0
  /** NaN where the point does not say. */
  readonly values: number[] = []
  /** What stands behind the field's own name, and the equals sign. */
  suffixes: readonly Words[] = HISTOGRAM
  readonly #ofSummary: Words[] = [...HISTOGRAM.slice(0, 2)]
  readonly #quantiles: number[] = []
  readonly #ofQuantile = new NumberWords((quantile) => `_p${Number((quantile * 100).toFixed(4))}=`)

  /** Of the current point, which it returns. */
  read(walk: Walk): PointView {
    if (walk.metric.type === METRIC_TYPE.SUMMARY) return this.#summary(walk)
    const point = walk.metric.type === METRIC_TYPE.HISTOGRAM ? walk.histogram : walk.exponentialHistogram
    const { values } = this
    values[0] = point.count()
    values[1] = point.sum()
    values[2] = point.min()
    values[3] = point.max()
    this.suffixes = HISTOGRAM
    this.count = (point.flags() & NO_RECORDED_VALUE) === 0 ? HISTOGRAM.length : 0
    return point
  }

  #summary(walk: Walk): PointView {
    const point = walk.summary
    const { values } = this
    const quantiles = this.#quantiles
    quantiles.length = 0
    point.quantiles(quantiles)
    values[0] = point.count()
    values[1] = point.sum()
    let count = 2
    for (let i = 0; i < quantiles.length; i += 2) {
      this.#ofSummary[count] = this.#ofQuantile.of(quantiles[i]!)
      values[count++] = quantiles[i + 1]!
    }
    this.suffixes = this.#ofSummary
    this.count = (point.flags() & NO_RECORDED_VALUE) === 0 ? count : 0
    return point
  }
}
