// One metric and its data points, read in place. Reused: reset() moves a view on; nothing is allocated but by `to*`.
//
//   Metric = name 1 | description 2 | unit 3 | metadata 12
//          | gauge 5 | sum 7 | histogram 9 | exponential_histogram 10 | summary 11      (one of: the last on the wire)
//   each of those five holds its data points in field 1

import { Cursor } from '../wire/cursor.ts'
import { empty } from '../wire/empty.ts'
import { FieldIndex } from '../wire/field-index.ts'
import { readF64, readI64, varintLow } from '../wire/varint.ts'
import {
  EXPONENTIAL_HISTOGRAM_DATA_POINT,
  EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS,
  HISTOGRAM_DATA_POINT,
  METRIC,
  NUMBER_DATA_POINT,
  SUM,
  SUMMARY_DATA_POINT,
  SUMMARY_DATA_POINT_VALUE_AT_QUANTILE,
} from './fields.ts'

/** What kind of data a metric holds, by the field number of the member. */
export const METRIC_TYPE = {
  EMPTY: 0,
  GAUGE: 5,
  SUM: 7,
  HISTOGRAM: 9,
  EXPONENTIAL_HISTOGRAM: 10,
  SUMMARY: 11,
} as const
export type MetricType = (typeof METRIC_TYPE)[keyof typeof METRIC_TYPE]

/** Whether a field of Metric is one of the five kinds of data. */
export const isMetricData = (field: number): boolean => field === 5 || field === 7 || (field >= 9 && field <= 11)

/** The number of the field `attributes` in the points of a kind. */
export const pointAttributes = (type: MetricType): number =>
  type === METRIC_TYPE.HISTOGRAM ? 9 : type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM ? 1 : 7

export class MetricView extends FieldIndex {
  type: MetricType = METRIC_TYPE.EMPTY
  /** The pieces of the data: one, or several of the same kind in a row, which merge. Start, end, start of length. */
  readonly data: number[] = []
  readonly #cursor = new Cursor()

  constructor() {
    super(METRIC.wireType)
  }

  override reset(bytes: Uint8Array, start: number, end: number): this {
    super.reset(bytes, start, end)
    this.type = METRIC_TYPE.EMPTY
    empty(this.data)
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2 || !isMetricData(c.field)) continue
      if (c.field !== this.type) empty(this.data)
      this.type = c.field as MetricType
      this.data.push(c.start, c.end, c.lengthAt)
    }
    return this
  }

  toName(): string {
    return this.text(METRIC.NAME)
  }

  toDescription(): string {
    return this.text(METRIC.DESCRIPTION)
  }

  toUnit(): string {
    return this.text(METRIC.UNIT)
  }

  /** 0 unspecified, 1 delta, 2 cumulative; 0 for gauges and summaries. */
  aggregationTemporality(): number {
    const type = this.type
    const has = type === METRIC_TYPE.SUM || type === METRIC_TYPE.HISTOGRAM || type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM
    return has ? this.#scalar(SUM.AGGREGATION_TEMPORALITY) : 0
  }

  isMonotonic(): boolean {
    return this.type === METRIC_TYPE.SUM && this.#scalar(SUM.IS_MONOTONIC) !== 0
  }

  #scalar(field: number): number {
    let value = 0
    for (let i = 0; i < this.data.length; i += 3)
      for (const c = this.#cursor.reset(this.bytes, this.data[i]!, this.data[i + 1]!); c.next(); )
        if (c.field === field && c.wireType === 0) value = varintLow(this.bytes, c.start)
    return value
  }
}

/** What the points of every kind have: start_time_unix_nano is field 2 and time_unix_nano field 3 in all of them. */
export class PointView extends FieldIndex {
  /** Milliseconds since 1970, NaN when absent. Exact to about 0.3 µs. */
  timeMs(): number {
    return this.has(3) ? this.fixed64(3) / 1e6 : Number.NaN
  }

  startMs(): number {
    return this.has(2) ? this.fixed64(2) / 1e6 : Number.NaN
  }
}

/** Points of gauges and sums. */
export class NumberPointView extends PointView {
  /** Field number of the value that counts: NUMBER_DATA_POINT.AS_DOUBLE, AS_INT, or 0 when there is none. */
  valueField = 0
  #valueAt = 0

  constructor() {
    super(NUMBER_DATA_POINT.wireType)
  }

  override reset(bytes: Uint8Array, start: number, end: number): this {
    super.reset(bytes, start, end)
    const [double, int] = [this.from(NUMBER_DATA_POINT.AS_DOUBLE), this.from(NUMBER_DATA_POINT.AS_INT)]
    // A oneof: the last on the wire is the value.
    this.#valueAt = Math.max(double, int)
    this.valueField = this.#valueAt === 0 ? 0 : double > int ? NUMBER_DATA_POINT.AS_DOUBLE : NUMBER_DATA_POINT.AS_INT
    return this
  }

  /** The value; ints exact within ±2^53, else the nearest double. NaN when absent. */
  value(): number {
    if (this.valueField === 0) return Number.NaN
    if (this.valueField === NUMBER_DATA_POINT.AS_DOUBLE) return readF64(this.bytes, this.#valueAt)
    return readI64(this.bytes, this.#valueAt)
  }

  /** DataPointFlags; bit 0: there is no recorded value. */
  flags(): number {
    return this.uint32(NUMBER_DATA_POINT.FLAGS)
  }
}

export class HistogramPointView extends PointView {
  constructor() {
    super(HISTOGRAM_DATA_POINT.wireType)
  }

  count(): number {
    return this.fixed64(HISTOGRAM_DATA_POINT.COUNT)
  }

  /** NaN when absent, as are min() and max(). */
  sum(): number {
    return this.double(HISTOGRAM_DATA_POINT.SUM)
  }

  min(): number {
    return this.double(HISTOGRAM_DATA_POINT.MIN)
  }

  max(): number {
    return this.double(HISTOGRAM_DATA_POINT.MAX)
  }

  /** Appends the counts of the buckets. */
  bucketCounts(into: number[]): void {
    this.fixed64List(HISTOGRAM_DATA_POINT.BUCKET_COUNTS, into)
  }

  /** Appends the upper bounds of all buckets but the last. */
  explicitBounds(into: number[]): void {
    this.doubleList(HISTOGRAM_DATA_POINT.EXPLICIT_BOUNDS, into)
  }

  flags(): number {
    return this.uint32(HISTOGRAM_DATA_POINT.FLAGS)
  }
}

export class ExponentialHistogramPointView extends PointView {
  readonly #buckets = new FieldIndex(EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS.wireType)
  readonly #cursor = new Cursor()

  constructor() {
    super(EXPONENTIAL_HISTOGRAM_DATA_POINT.wireType)
  }

  count(): number {
    return this.fixed64(EXPONENTIAL_HISTOGRAM_DATA_POINT.COUNT)
  }

  /** NaN when absent, as are min() and max(). */
  sum(): number {
    return this.double(EXPONENTIAL_HISTOGRAM_DATA_POINT.SUM)
  }

  min(): number {
    return this.double(EXPONENTIAL_HISTOGRAM_DATA_POINT.MIN)
  }

  max(): number {
    return this.double(EXPONENTIAL_HISTOGRAM_DATA_POINT.MAX)
  }

  scale(): number {
    return this.sint32(EXPONENTIAL_HISTOGRAM_DATA_POINT.SCALE)
  }

  zeroCount(): number {
    return this.fixed64(EXPONENTIAL_HISTOGRAM_DATA_POINT.ZERO_COUNT)
  }

  /** 0 when absent. */
  zeroThreshold(): number {
    const field = EXPONENTIAL_HISTOGRAM_DATA_POINT.ZERO_THRESHOLD
    return this.has(field) ? this.double(field) : 0
  }

  /** Appends the counts of the buckets for positive (or negative) values and returns the offset of the first. */
  positive(into: number[]): number {
    return this.#read(EXPONENTIAL_HISTOGRAM_DATA_POINT.POSITIVE, into)
  }

  negative(into: number[]): number {
    return this.#read(EXPONENTIAL_HISTOGRAM_DATA_POINT.NEGATIVE, into)
  }

  flags(): number {
    return this.uint32(EXPONENTIAL_HISTOGRAM_DATA_POINT.FLAGS)
  }

  #read(field: number, into: number[]): number {
    let offset = 0
    for (const c = this.#cursor.reset(this.bytes, this.start, this.end); c.find(field); ) {
      const buckets = this.#buckets.reset(c.bytes, c.start, c.end)
      if (buckets.has(EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS.OFFSET))
        offset = buckets.sint32(EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS.OFFSET)
      buckets.uint64List(EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS.BUCKET_COUNTS, into)
    }
    return offset
  }
}

export class SummaryPointView extends PointView {
  readonly #quantile = new FieldIndex(SUMMARY_DATA_POINT_VALUE_AT_QUANTILE.wireType)
  readonly #cursor = new Cursor()

  constructor() {
    super(SUMMARY_DATA_POINT.wireType)
  }

  count(): number {
    return this.fixed64(SUMMARY_DATA_POINT.COUNT)
  }

  /** 0 when absent. */
  sum(): number {
    return this.has(SUMMARY_DATA_POINT.SUM) ? this.double(SUMMARY_DATA_POINT.SUM) : 0
  }

  /** Appends quantile, value, quantile, value ... */
  quantiles(into: number[]): void {
    const quantile = this.#quantile
    for (const c = this.#cursor.reset(this.bytes, this.start, this.end); c.find(SUMMARY_DATA_POINT.QUANTILE_VALUES); ) {
      quantile.reset(c.bytes, c.start, c.end)
      into.push(orZero(quantile.double(SUMMARY_DATA_POINT_VALUE_AT_QUANTILE.QUANTILE), quantile, 1))
      into.push(orZero(quantile.double(SUMMARY_DATA_POINT_VALUE_AT_QUANTILE.VALUE), quantile, 2))
    }
  }

  flags(): number {
    return this.uint32(SUMMARY_DATA_POINT.FLAGS)
  }
}

const orZero = (value: number, index: FieldIndex, field: number): number => (index.has(field) ? value : 0)
