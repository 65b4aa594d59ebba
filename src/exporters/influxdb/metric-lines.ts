// The Collector's schemas for metrics (reference/otelcol-core.md 4.6):
//
//   telegraf-prometheus-v1   measurement = metric; fields gauge, counter, or count, sum, min, max and one for each bound
//   telegraf-prometheus-v2   measurement `prometheus`; the metric is the field; bounds and quantiles are tags
//   otel-v1                  measurement = name_unit_type; the field tells temporality, monotony and type of the value
//
// An exponential histogram has no place in any of them, a gauge and a summary none in otel-v1.

import { EXEMPLAR, HISTOGRAM_DATA_POINT, METRIC, NUMBER_DATA_POINT } from '../../otlp/fields.ts'
import { METRIC_TYPE, type PointView } from '../../otlp/metric.ts'
import { plainDecimal } from '../../otlp/plain-decimal.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { Cursor } from '../../wire/cursor.ts'
import { empty } from '../../wire/empty.ts'
import { FieldIndex } from '../../wire/field-index.ts'
import { AttributeFields } from './attribute-fields.ts'
import type { HeadCache } from './head-cache.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import { TimeText } from './line-time.ts'
import { LineWriter } from './lines.ts'
import { NumberWords } from './number-words.ts'
import { PointTags } from './point-tags.ts'
import type { SeriesGuard } from './series-guard.ts'

export type MetricsSchema = 'telegraf-prometheus-v1' | 'telegraf-prometheus-v2' | 'otel-v1'

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const UNSIGNED = 117
const PROMETHEUS = Buffer.from('prometheus')
const TEMPORALITY = ['unspecified', 'delta', 'cumulative'] as const
const CUMULATIVE = 2

const words = (text: string): Words => wordsOf(Buffer.from(text))
const GAUGE = words('gauge=')
const COUNTER = words('counter=')
const INFINITY = words('+Inf=')
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
  readonly #tags: PointTags
  readonly #guard: SeriesGuard | undefined
  readonly #unitNanos: number
  readonly #scope = new AttributeFields()
  readonly #exemplar = new FieldIndex(EXEMPLAR.wireType)
  readonly #cursor = new Cursor()
  readonly #counts: number[] = []
  readonly #bounds: number[] = []
  readonly #start = new TimeText(',start_time_unix_nano=', 'i')
  /** Keys of buckets, by temporality. */
  readonly #buckets: readonly NumberWords[]
  readonly #quantiles = new NumberWords((quantile) => `${plainDecimal(quantile)}=`)
  readonly #leTags = new NumberWords((bound) => `,le=${plainDecimal(bound)}`)
  readonly #quantileTags = new NumberWords((quantile) => `,quantile=${plainDecimal(quantile)}`)
  readonly #heads: HeadCache
  /** Where in a head that is kept `le` and `quantile` belong, by its number. */
  readonly #leAt: number[] = []
  readonly #quantileAt: number[] = []
  /** A head that was made just now. */
  readonly #made = new LineWriter()
  // The current point's head: where it stands, and where in it a tag of its own belongs.
  #head: Words = this.#made.words
  #headFrom = 0
  #headTo = 0
  #headLeAt = 0
  #headQuantileAt = 0
  // The metric of the point before: its points follow one another.
  #metricBytes: Uint8Array | undefined
  #metricItem = -1
  #metric = -1
  #temporality = 0
  #isMonotonic = false
  #hasField = false

  constructor(schema: MetricsSchema, unitNanos: number, guard: SeriesGuard | undefined, heads: HeadCache) {
    this.#schema = schema
    this.#unitNanos = unitNanos
    this.#guard = guard
    this.#heads = heads
    const isOtel = schema === 'otel-v1'
    this.#tags = new PointTags({ resource: true, scope: !isOtel, pointWins: isOtel })
    this.#buckets = TEMPORALITY.map(
      (temporality) => new NumberWords((bound) => `${isOtel ? `${temporality}_` : ''}${plainDecimal(bound)}=`),
    )
  }

  begin(): void {
    this.#metricBytes = undefined
    if (!this.#heads.begin()) return
    this.#leAt.length = 0
    this.#quantileAt.length = 0
  }

  enterResource(): void {
    this.#heads.enterResource()
  }

  enterScope(walk: Walk): void {
    this.#heads.enterScope()
    this.#tags.enterScope()
    if (this.#schema === 'otel-v1') this.#scope.ofScope(walk)
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
    if (!this.#openHead(walk)) return 'max_series'
    this.#writeHead(writer)
    const isInt = point.valueField === NUMBER_DATA_POINT.AS_INT
    this.#numberKey(walk, writer, isInt)
    if (isInt) writer.integer(point.fixedHigh(NUMBER_DATA_POINT.AS_INT), point.fixedLow(NUMBER_DATA_POINT.AS_INT))
    else writer.float(value)
    this.#end(writer, point)
    if (point.has(NUMBER_DATA_POINT.EXEMPLARS)) this.#exemplars(walk, writer, point, NUMBER_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  #numberKey(walk: Walk, writer: LineWriter, isInt: boolean): void {
    const temporality = this.#temporality
    if (this.#schema === 'telegraf-prometheus-v2') this.#nameKey(walk, writer, '')
    else if (this.#schema === 'telegraf-prometheus-v1')
      this.#key(writer, this.#isMonotonic && temporality === CUMULATIVE ? COUNTER : GAUGE)
    else this.#key(writer, OTEL_VALUE[temporality * 4 + (this.#isMonotonic ? 2 : 0) + (isInt ? 1 : 0)]!)
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
    if (!this.#openHead(walk)) return 'max_series'
    this.#writeHead(writer)
    this.#totals(walk, writer, point.count(), point.sum(), point.min(), point.max())
    if (this.#schema === 'telegraf-prometheus-v2') {
      this.#end(writer, point)
      let sum = 0
      for (let i = 0; i < bounds.length; i++) {
        sum += counts[i] ?? 0
        if (!this.#writeHeadWith(writer, this.#leTags.of(bounds[i]!), this.#headLeAt)) return 'max_series'
        this.#nameKey(walk, writer, '_bucket')
        writer.float(sum)
        this.#end(writer, point)
      }
    } else {
      this.#bounded(writer, point.count())
      this.#end(writer, point)
    }
    if (point.has(HISTOGRAM_DATA_POINT.EXEMPLARS)) this.#exemplars(walk, writer, point, HISTOGRAM_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  /** A field for each bound: in otel-v1 what is in its bucket, else what is below it. */
  #bounded(writer: LineWriter, count: number): void {
    const counts = this.#counts
    const bounds = this.#bounds
    const isOtel = this.#schema === 'otel-v1'
    const keys = this.#buckets[this.#temporality]!
    let sum = 0
    for (let i = 0; i < bounds.length; i++) {
      const inBucket = counts[i] ?? 0
      sum += inBucket
      this.#field(writer, keys.of(bounds[i]!), isOtel ? inBucket : sum)
      if (isOtel) writer.byte(UNSIGNED)
    }
    if (!isOtel && counts.length > 0) this.#field(writer, INFINITY, count)
  }

  #summary(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.summary
    if ((point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const quantiles = this.#counts
    empty(quantiles)
    point.quantiles(quantiles)
    if (!this.#openHead(walk)) return 'max_series'
    this.#writeHead(writer)
    this.#totals(walk, writer, point.count(), point.sum(), Number.NaN, Number.NaN)
    const isV2 = this.#schema === 'telegraf-prometheus-v2'
    if (isV2) this.#end(writer, point)
    for (let i = 0; i < quantiles.length; i += 2) {
      const quantile = quantiles[i]!
      const value = quantiles[i + 1]!
      if (!Number.isFinite(value)) continue
      if (!isV2) this.#field(writer, this.#quantiles.of(quantile), value)
      else {
        if (!this.#writeHeadWith(writer, this.#quantileTags.of(quantile), this.#headQuantileAt)) return 'max_series'
        this.#nameKey(walk, writer, '')
        writer.float(value)
        this.#end(writer, point)
      }
    }
    if (!isV2) this.#end(writer, point)
    return 'written'
  }

  #totals(walk: Walk, writer: LineWriter, count: number, sum: number, min: number, max: number): void {
    this.#total(walk, writer, 0, count)
    if (this.#schema === 'otel-v1') writer.byte(UNSIGNED)
    this.#total(walk, writer, 1, sum)
    this.#total(walk, writer, 2, min)
    this.#total(walk, writer, 3, max)
  }

  #total(walk: Walk, writer: LineWriter, which: 0 | 1 | 2 | 3, value: number): void {
    if (!Number.isFinite(value)) return
    if (this.#schema === 'telegraf-prometheus-v2') this.#nameKey(walk, writer, `_${TOTALS[which]}`)
    else this.#key(writer, TOTAL[which]!)
    writer.float(value)
  }

  /** Finds or makes measurement and tags of the current point. False when that would be a series too many. */
  #openHead(walk: Walk): boolean {
    const heads = this.#heads
    const metric = this.#metricOf(walk)
    const known = heads.find(walk, metric)
    if (known >= 0) {
      this.#head = heads.words
      this.#headFrom = heads.from(known)
      this.#headTo = heads.to(known)
      this.#headLeAt = this.#headFrom + this.#leAt[known]!
      this.#headQuantileAt = this.#headFrom + this.#quantileAt[known]!
      return true
    }
    const made = this.#made
    made.clear()
    this.#measurement(walk, made)
    this.#tags.write(walk, made)
    if (this.#guard !== undefined && !this.#guard.admits(made.bytes, 0, made.length)) return false
    this.#head = made.words
    this.#headFrom = 0
    this.#headTo = made.length
    this.#headLeAt = this.#tags.leAt
    this.#headQuantileAt = this.#tags.quantileAt
    const number = heads.add(metric, made.bytes, 0, made.length)
    if (number >= 0) {
      this.#leAt[number] = this.#headLeAt
      this.#quantileAt[number] = this.#headQuantileAt
    }
    return true
  }

  #measurement({ metric, bytes }: Walk, into: LineWriter): void {
    if (this.#schema === 'telegraf-prometheus-v2') into.measurement(PROMETHEUS)
    else into.measurement(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
    if (this.#schema !== 'otel-v1') return
    into.byte(95)
    into.measurement(bytes, metric.from(METRIC.UNIT), metric.to(METRIC.UNIT))
    into.ascii(metric.type === METRIC_TYPE.SUM ? '_sum' : '_histogram')
  }

  /** The number of the current metric among the heads: of what the measurement is made of. */
  #metricOf(walk: Walk): number {
    const { bytes, itemStart } = walk
    if (bytes === this.#metricBytes && itemStart === this.#metricItem) return this.#metric
    this.#metricBytes = bytes
    this.#metricItem = itemStart
    const { metric } = walk
    this.#temporality = TEMPORALITY[metric.aggregationTemporality()] === undefined ? 0 : metric.aggregationTemporality()
    this.#isMonotonic = metric.isMonotonic()
    this.#metric =
      this.#schema === 'telegraf-prometheus-v2'
        ? this.#heads.anyMetric(walk)
        : this.#heads.metric(walk, true, metric.type === METRIC_TYPE.SUM ? 1 : 0)
    return this.#metric
  }

  #writeHead(writer: LineWriter): void {
    writer.raw(this.#head, this.#headFrom, this.#headTo)
    this.#hasField = false
  }

  /** The head with one tag more, at its place. False when that would be a series too many. */
  #writeHeadWith(writer: LineWriter, tag: Words, at: number): boolean {
    const from = writer.length
    writer.raw(this.#head, this.#headFrom, at)
    writer.raw(tag)
    writer.raw(this.#head, at, this.#headTo)
    this.#hasField = false
    return this.#guard === undefined || this.#guard.admits(writer.bytes, from, writer.length)
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

  /** The start time as a field, those of the scope in otel-v1, and the end of the line. Fields stand before it. */
  #end(writer: LineWriter, point: PointView): void {
    const high = point.fixedHigh(POINT.START)
    const low = point.fixedLow(POINT.START)
    if ((high | low) !== 0) writer.time(this.#start.set(high, low, 1))
    if (this.#schema === 'otel-v1') writer.raw(this.#scope.words)
    writer.endLine(point.fixedHigh(POINT.TIME), point.fixedLow(POINT.TIME), this.#unitNanos)
  }

  #exemplars(walk: Walk, writer: LineWriter, point: PointView, field: number): void {
    if (this.#schema === 'otel-v1') return
    const { metric, bytes } = walk
    for (const c = this.#cursor.reset(bytes, point.start, point.end); c.find(field); ) {
      const exemplar = this.#exemplar.reset(bytes, c.start, c.end)
      const value = exemplar.has(EXEMPLAR.AS_DOUBLE)
        ? exemplar.double(EXEMPLAR.AS_DOUBLE)
        : exemplar.sfixed64(EXEMPLAR.AS_INT)
      if (!Number.isFinite(value)) continue
      writer.measurement(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
      writer.ascii('_exemplar')
      for (const [tag, id, size] of [
        [',span_id=', EXEMPLAR.SPAN_ID, 8],
        [',trace_id=', EXEMPLAR.TRACE_ID, 16],
      ] as const) {
        const at = exemplar.contentsAt(id)
        if (at === 0) continue
        writer.ascii(tag)
        writer.ascii(Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString('hex'))
      }
      writer.ascii(' gauge=')
      writer.float(value)
      writer.endLine(
        exemplar.fixedHigh(EXEMPLAR.TIME_UNIX_NANO),
        exemplar.fixedLow(EXEMPLAR.TIME_UNIX_NANO),
        this.#unitNanos,
      )
    }
  }
}

const hasTime = (point: PointView): boolean => (point.fixedHigh(POINT.TIME) | point.fixedLow(POINT.TIME)) !== 0
