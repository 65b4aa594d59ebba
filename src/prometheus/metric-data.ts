// The data of a Metric: which kind counts, where its pieces are, and what sums and histograms say about all of their points.
//
//   Metric = ... | gauge 5 | sum 7 | histogram 9 | exponential_histogram 10 | summary 11      (one of: the last on the wire)
//   each   = data_points 1 | aggregation_temporality 2 | is_monotonic 3

import { GAUGE, SUM } from '../otlp/fields.ts'
import { isMetricData, METRIC_TYPE, type MetricType } from '../otlp/metric.ts'
import { Cursor } from '../wire/cursor.ts'
import { empty } from '../wire/empty.ts'
import { varintLow } from '../wire/varint.ts'

export const TEMPORALITY = { DELTA: 1, CUMULATIVE: 2 } as const

export class MetricData {
  type: MetricType = METRIC_TYPE.EMPTY
  /** Start and end of each. */
  readonly pieces: number[] = []
  /** 0 for gauges and summaries. */
  temporality = 0
  /** Of a sum. */
  isMonotonic = false
  readonly #cursor = new Cursor()

  /** Of the Metric in `bytes[start, end)`. */
  read(bytes: Uint8Array, start: number, end: number): this {
    const { pieces } = this
    empty(pieces)
    let type = 0
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2 || !isMetricData(c.field)) continue
      if (c.field !== type) empty(pieces)
      type = c.field
      pieces.push(c.start, c.end)
    }
    this.type = type as MetricType
    this.temporality = 0
    this.isMonotonic = false
    if (type !== METRIC_TYPE.GAUGE && type !== METRIC_TYPE.SUMMARY) this.#readScalars(bytes)
    return this
  }

  /** How many points there are. */
  countPoints(bytes: Uint8Array): number {
    let points = 0
    for (let i = 0; i < this.pieces.length; i += 2)
      for (const c = this.#cursor.reset(bytes, this.pieces[i]!, this.pieces[i + 1]!); c.find(GAUGE.DATA_POINTS); )
        points++
    return points
  }

  #readScalars(bytes: Uint8Array): void {
    const isSum = this.type === METRIC_TYPE.SUM
    for (let i = 0; i < this.pieces.length; i += 2)
      for (const c = this.#cursor.reset(bytes, this.pieces[i]!, this.pieces[i + 1]!); c.next(); ) {
        if (c.wireType !== 0) continue
        if (c.field === SUM.AGGREGATION_TEMPORALITY) this.temporality = varintLow(bytes, c.start)
        else if (c.field === SUM.IS_MONOTONIC && isSum) this.isMonotonic = varintLow(bytes, c.start) !== 0
      }
  }
}
