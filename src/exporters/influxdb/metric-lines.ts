// The Collector's schemas for metrics (reference/otelcol-core.md 4.6):
//
//   telegraf-prometheus-v1   measurement = metric; fields gauge, counter, or count, sum, min, max and one for each bound
//   telegraf-prometheus-v2   measurement `prometheus`; the metric is the field; bounds and quantiles are tags
//   otel-v1                  measurement = name_unit_type; the field tells temporality, monotony and type of the value
//
// An exponential histogram has no place in any of them, a gauge and a summary none in otel-v1.

import { HISTOGRAM_DATA_POINT, METRIC, NUMBER_DATA_POINT } from '../../otlp/fields.ts'
import { METRIC_TYPE, type PointView } from '../../otlp/metric.ts'
import { plainDecimal } from '../../otlp/plain-decimal.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { empty } from '../../wire/empty.ts'
import { ExemplarLines } from './exemplar-lines.ts'
import type { HeadCache } from './head-cache.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import { TimeText } from './line-time.ts'
import type { LineWriter } from './lines.ts'
import { MetricHeads } from './metric-heads.ts'
import { NumberWords } from './number-words.ts'
import type { SeriesGuard } from './series-guard.ts'

export type MetricsSchema = 'telegraf-prometheus-v1' | 'telegraf-prometheus-v2' | 'otel-v1'

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const UNSIGNED = 117
const _PROMETHEUS = Buffer.from('prometheus')
const TEMPORALITY = ['unspecified', 'delta', 'cumulative'] as const
const CUMULATIVE = 2
/** Numbers that two places are. */
const _PLACES = 4

const words = (text: string): Words => wordsOf(Buffer.from(text))
const GAUGE = words('gauge=')
const COUNTER = words('counter=')
const TOTALS = ['count', 'sum', 'min', 'max'] as const
const TOTAL = TOTALS.map((word) => words(`${word}=`))
/** By temporality, monotony and type of the value, as bits. */
const OTEL_VALUE = TEMPORALITY.flatMap((temporality) =>
  ['nonmonotonic', 'monotonic'].flatMap((monotony) =>
    ['double', 'int'].map((type) => words(`value_${temporality}_${monotony}_${type}=`)),
  ),
)

export class MetricLines implements LineSchema {
  readonly #schema: MetricsSchema
  readonly #unitNanos: number
  readonly #exemplars: ExemplarLines
  readonly #counts: number[] = []
  readonly #bounds: number[] = []
  readonly #start = new TimeText(',start_time_unix_nano=', 'i')
  /** Keys of buckets, by temporality. */
  readonly #bucketKeys: readonly NumberWords[]
  readonly #quantiles = new NumberWords((quantile) => `${plainDecimal(quantile)}=`)
  readonly #leTags = new NumberWords((bound) => `,le=${plainDecimal(bound)}`)
  readonly #quantileTags = new NumberWords((quantile) => `,quantile=${plainDecimal(quantile)}`)
  readonly #heads: MetricHeads
  #hasField = false

  constructor(schema: MetricsSchema, unitNanos: number, guard: SeriesGuard | undefined, heads: HeadCache) {
    this.#schema = schema
    this.#unitNanos = unitNanos
    this.#exemplars = new ExemplarLines(unitNanos)
    this.#heads = new MetricHeads(schema, guard, heads)
    const isOtel = schema === 'otel-v1'
    this.#bucketKeys = TEMPORALITY.map(
      (temporality) => new NumberWords((bound) => `${isOtel ? `${temporality}_` : ''}${plainDecimal(bound)}=`),
    )
  }

  begin(): void {
    this.#heads.begin()
  }

  enterResource(): void {
    this.#heads.enterResource()
  }

  enterScope(): void {
    this.#heads.enterScope()
  }

  write(walk: Walk, writer: LineWriter): Outcome {
    const from = writer.length
    const lines = writer.lines
    const outcome = this.#point(walk, writer)
    if (outcome !== 'written') {
      writer.length = from
      writer.lines = lines
    }
    return outcome
  }

  #point(walk: Walk, writer: LineWriter): Outcome {
    const { type } = walk.metric
    const isOtel = this.#schema === 'otel-v1'
    if (type === METRIC_TYPE.SUM || (type === METRIC_TYPE.GAUGE && !isOtel)) return this.#number(walk, writer)
    if (type === METRIC_TYPE.HISTOGRAM) return this.#histogram(walk, writer)
    if (type === METRIC_TYPE.SUMMARY && !isOtel) return this.#summary(walk, writer)
    return 'unsupported_type'
  }

  #number(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.number
    if (point.valueField === 0 || (point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const value = point.value()
    if (!Number.isFinite(value)) return 'not_a_number'
    if (!this.#heads.write(walk, writer)) return 'max_series'
    this.#hasField = false
    const isInt = point.valueField === NUMBER_DATA_POINT.AS_INT
    this.#numberKey(walk, writer, isInt)
    if (isInt) writer.integer(point.fixedHigh(NUMBER_DATA_POINT.AS_INT), point.fixedLow(NUMBER_DATA_POINT.AS_INT))
    else writer.float(value)
    this.#end(writer, point)
    if (point.has(NUMBER_DATA_POINT.EXEMPLARS)) this.#writeExemplars(walk, writer, point, NUMBER_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  #numberKey(walk: Walk, writer: LineWriter, isInt: boolean): void {
    const { temporality, isMonotonic } = this.#heads
    if (this.#schema === 'telegraf-prometheus-v2') this.#nameKey(walk, writer, '')
    else if (this.#schema === 'telegraf-prometheus-v1')
      this.#key(writer, isMonotonic && temporality === CUMULATIVE ? COUNTER : GAUGE)
    else this.#key(writer, OTEL_VALUE[temporality * 4 + (isMonotonic ? 2 : 0) + (isInt ? 1 : 0)]!)
  }

  #histogram(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.histogram
    if ((point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const counts = this.#counts
    const bounds = this.#bounds
    empty(counts)
    empty(bounds)
    point.bucketCounts(counts)
    point.explicitBounds(bounds)
    if (counts.length > 0 && counts.length !== bounds.length && counts.length !== bounds.length + 1) return 'buckets'
    if (!this.#heads.write(walk, writer)) return 'max_series'
    this.#hasField = false
    this.#totals(walk, writer, point.count(), point.sum(), point.min(), point.max())
    if (this.#schema === 'telegraf-prometheus-v2') {
      this.#end(writer, point)
      let sum = 0
      for (let i = 0; i < counts.length; i++) {
        sum += counts[i]!
        if (!this.#heads.writeWith(this.#leTags.of(this.#bound(i)), this.#heads.le, writer)) return 'max_series'
        this.#hasField = false
        this.#nameKey(walk, writer, '_bucket')
        writer.float(sum)
        this.#endLine(writer, point)
      }
    } else {
      this.#buckets(writer)
      this.#end(writer, point)
    }
    if (point.has(HISTOGRAM_DATA_POINT.EXEMPLARS))
      this.#writeExemplars(walk, writer, point, HISTOGRAM_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  /** A field for each bucket: in otel-v1 what is in it, but for the last one; else what is in it and all before it. */
  #buckets(writer: LineWriter): void {
    const counts = this.#counts
    const isOtel = this.#schema === 'otel-v1'
    const keys = this.#bucketKeys[this.#heads.temporality]!
    const fields = isOtel ? Math.min(counts.length, this.#bounds.length) : counts.length
    let sum = 0
    for (let i = 0; i < fields; i++) {
      sum += counts[i]!
      this.#field(writer, keys.of(this.#bound(i)), isOtel ? counts[i]! : sum)
      if (isOtel) writer.byte(UNSIGNED)
    }
  }

  #bound(i: number): number {
    return i < this.#bounds.length ? this.#bounds[i]! : Number.POSITIVE_INFINITY
  }

  #summary(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.summary
    if ((point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const quantiles = this.#counts
    empty(quantiles)
    point.quantiles(quantiles)
    if (!this.#heads.write(walk, writer)) return 'max_series'
    this.#hasField = false
    this.#totals(walk, writer, point.count(), point.sum(), Number.NaN, Number.NaN)
    const isV2 = this.#schema === 'telegraf-prometheus-v2'
    if (isV2) this.#end(writer, point)
    for (let i = 0; i < quantiles.length; i += 2) {
      const quantile = quantiles[i]!
      const value = quantiles[i + 1]!
      if (!Number.isFinite(value)) continue
      if (!isV2) this.#field(writer, this.#quantiles.of(quantile), value)
      else {
        if (!this.#heads.writeWith(this.#quantileTags.of(quantile), this.#heads.quantile, writer)) return 'max_series'
        this.#hasField = false
        this.#nameKey(walk, writer, '')
        writer.float(value)
        this.#endLine(writer, point)
      }
    }
    if (!isV2) this.#end(writer, point)
    return 'written'
  }

  /** What is NaN is not there. */
  #totals(walk: Walk, writer: LineWriter, count: number, sum: number, min: number, max: number): void {
    const isOtel = this.#schema === 'otel-v1'
    this.#total(walk, writer, 0, count)
    if (isOtel) writer.byte(UNSIGNED)
    this.#total(walk, writer, 1, sum)
    if (isOtel && (Number.isNaN(min) || Number.isNaN(max))) return
    this.#total(walk, writer, 2, min)
    this.#total(walk, writer, 3, max)
  }

  #total(walk: Walk, writer: LineWriter, which: 0 | 1 | 2 | 3, value: number): void {
    if (!Number.isFinite(value)) return
    if (this.#schema === 'telegraf-prometheus-v2') this.#nameKey(walk, writer, `_${TOTALS[which]}`)
    else this.#key(writer, TOTAL[which]!)
    writer.float(value)
  }

  #separate(writer: LineWriter): void {
    writer.byte(this.#hasField ? COMMA : SPACE)
    this.#hasField = true
  }

  #key(writer: LineWriter, key: Words): void {
    this.#separate(writer)
    writer.raw(key)
  }

  #nameKey({ metric, bytes }: Walk, writer: LineWriter, suffix: string): void {
    this.#separate(writer)
    writer.key(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
    writer.ascii(suffix)
    writer.byte(EQUALS)
  }

  #field(writer: LineWriter, key: Words, value: number): void {
    this.#key(writer, key)
    writer.float(value)
  }

  /** The start time as a field, and the end of the line. Fields stand before it. */
  #end(writer: LineWriter, point: PointView): void {
    const high = point.fixedHigh(POINT.START)
    const low = point.fixedLow(POINT.START)
    if ((high | low) !== 0) writer.time(this.#start.set(high, low, 1))
    this.#endLine(writer, point)
  }

  #endLine(writer: LineWriter, point: PointView): void {
    writer.endLine(point.fixedHigh(POINT.TIME), point.fixedLow(POINT.TIME), this.#unitNanos)
  }

  #writeExemplars(walk: Walk, writer: LineWriter, point: PointView, field: number): void {
    if (this.#schema !== 'otel-v1') this.#exemplars.write(walk, writer, point, field)
  }
}

const hasTime = (point: PointView): boolean => (point.fixedHigh(POINT.TIME) | point.fixedLow(POINT.TIME)) !== 0
