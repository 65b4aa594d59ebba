// Histograms and summaries as a handful of numbers, for schemas with a field for each.

import { METRIC_TYPE, type PointView } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { NO_RECORDED_VALUE } from './line-schema.ts'

export interface NamedNumber {
  /** Behind the field's own name. */
  readonly suffix: string
  readonly value: number
}

/** Of the current point; NaN where it does not say. Empty where it has no value. */
export function readAggregate(walk: Walk): { readonly point: PointView; readonly numbers: readonly NamedNumber[] } {
  if (walk.metric.type === METRIC_TYPE.SUMMARY) {
    const point = walk.summary
    const quantiles: number[] = []
    point.quantiles(quantiles)
    const numbers = [
      { suffix: '_count', value: point.count() },
      { suffix: '_sum', value: point.sum() },
    ]
    for (let i = 0; i < quantiles.length; i += 2)
      numbers.push({ suffix: `_p${Number((quantiles[i]! * 100).toFixed(4))}`, value: quantiles[i + 1]! })
    return { point, numbers: (point.flags() & NO_RECORDED_VALUE) === 0 ? numbers : [] }
  }
  const point = walk.metric.type === METRIC_TYPE.HISTOGRAM ? walk.histogram : walk.exponentialHistogram
  const numbers = [
    { suffix: '_count', value: point.count() },
    { suffix: '_sum', value: point.sum() },
    { suffix: '_min', value: point.min() },
    { suffix: '_max', value: point.max() },
  ]
  return { point, numbers: (point.flags() & NO_RECORDED_VALUE) === 0 ? numbers : [] }
}
