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
import type { HeadCache } from './head-cache.ts'
import { InnerAttributes } from './inner-attributes.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import { TimeText } from './line-time.ts'
import { LineWriter } from './lines.ts'
import { NumberWords } from './number-words.ts'
import { addAttributes, type Place, PointTags, sortedTags, writeTag } from './point-tags.ts'
import type { SeriesGuard } from './series-guard.ts'

export type MetricsSchema = 'telegraf-prometheus-v1' | 'telegraf-prometheus-v2' | 'otel-v1'

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const UNSIGNED = 117
const PROMETHEUS = Buffer.from('prometheus')
const TEMPORALITY = ['unspecified', 'delta', 'cumulative'] as const
const CUMULATIVE = 2
/** Numbers that two places are. */
const PLACES = 4

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
  readonly #tags = new PointTags(true)
  readonly #guard: SeriesGuard | undefined
  readonly #unitNanos: number
  readonly #exemplar = new FieldIndex(EXEMPLAR.wireType)
  readonly #exemplarAttributes = new InnerAttributes()
  readonly #cursor = new Cursor()
  readonly #counts: number[] = []
  readonly #bounds: number[] = []
  readonly #start = new TimeText(',start_time_unix_nano=', 'i')
  /** Keys of buckets, by temporality. */
  readonly #bucketKeys: readonly NumberWords[]
  readonly #quantiles = new NumberWords((quantile) => `${plainDecimal(quantile)}=`)
  readonly #leTags = new NumberWords((bound) => `,le=${plainDecimal(bound)}`)
  readonly #quantileTags = new NumberWords((quantile) => `,quantile=${plainDecimal(quantile)}`)
  readonly #heads: HeadCache
  /** In telegraf-prometheus-v2: where in a head that is kept `le` and `quantile` belong, four numbers for each. */
  readonly #places: number[] = []
  /** A head that was made just now. */
  readonly #made = new LineWriter()
  // The current point's head: where it stands, and where in it a tag of its own belongs.
  #head: Words = this.#made.words
  #headFrom = 0
  #headTo = 0
  readonly #le: Place = { from: 0, to: 0 }
  readonly #quantile: Place = { from: 0, to: 0 }
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
    this.#bucketKeys = TEMPORALITY.map(
      (temporality) => new NumberWords((bound) => `${isOtel ? `${temporality}_` : ''}${plainDecimal(bound)}=`),
    )
  }

  begin(): void {
    this.#metricBytes = undefined
    if (this.#heads.begin()) this.#places.length = 0
  }

  enterResource(): void {
    this.#heads.enterResource()
  }

  enterScope(): void {
    this.#heads.enterScope()
    this.#tags.enterScope()
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
    if (counts.length > 0 && counts.length !== bounds.length && counts.length !== bounds.length + 1) return 'buckets'
    if (!this.#openHead(walk)) return 'max_series'
    this.#writeHead(writer)
    this.#totals(walk, writer, point.count(), point.sum(), point.min(), point.max())
    if (this.#schema === 'telegraf-prometheus-v2') {
      this.#end(writer, point)
      let sum = 0
      for (let i = 0; i < counts.length; i++) {
        sum += counts[i]!
        if (!this.#writeHeadWith(writer, this.#leTags.of(this.#bound(i)), this.#le)) return 'max_series'
        this.#nameKey(walk, writer, '_bucket')
        writer.float(sum)
        this.#endLine(writer, point)
      }
    } else {
      this.#buckets(writer)
      this.#end(writer, point)
    }
    if (point.has(HISTOGRAM_DATA_POINT.EXEMPLARS)) this.#exemplars(walk, writer, point, HISTOGRAM_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  /** A field for each bucket: in otel-v1 what is in it, but for the last one; else what is in it and all before it. */
  #buckets(writer: LineWriter): void {
    const counts = this.#counts
    const isOtel = this.#schema === 'otel-v1'
    const keys = this.#bucketKeys[this.#temporality]!
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
        if (!this.#writeHeadWith(writer, this.#quantileTags.of(quantile), this.#quantile)) return 'max_series'
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

  /** Finds or makes measurement and tags of the current point. False when that would be a series too many. */
  #openHead(walk: Walk): boolean {
    const heads = this.#heads
    const metric = this.#metricOf(walk)
    const known = heads.find(walk, metric)
    if (known >= 0) {
      this.#head = heads.words
      this.#headFrom = heads.from(known)
      this.#headTo = heads.to(known)
      if (this.#schema === 'telegraf-prometheus-v2') this.#readPlaces(known * PLACES)
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
    const { le, quantile } = this.#tags
    moveTo(this.#le, le.from, le.to)
    moveTo(this.#quantile, quantile.from, quantile.to)
    const number = heads.add(metric, made.bytes, 0, made.length)
    if (number >= 0 && this.#schema === 'telegraf-prometheus-v2')
      this.#places.push(le.from, le.to, quantile.from, quantile.to)
    return true
  }

  #readPlaces(at: number): void {
    const places = this.#places
    const from = this.#headFrom
    moveTo(this.#le, from + places[at]!, from + places[at + 1]!)
    moveTo(this.#quantile, from + places[at + 2]!, from + places[at + 3]!)
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

  /** The head with that tag at its place. False when that would be a series too many. */
  #writeHeadWith(writer: LineWriter, tag: Words, place: Place): boolean {
    const from = writer.length
    writer.raw(this.#head, this.#headFrom, place.from)
    writer.raw(tag)
    writer.raw(this.#head, place.to, this.#headTo)
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

  #exemplars(walk: Walk, writer: LineWriter, point: PointView, field: number): void {
    if (this.#schema === 'otel-v1') return
    const { metric, bytes } = walk
    for (const c = this.#cursor.reset(bytes, point.start, point.end); c.find(field); ) {
      const exemplar = this.#exemplar.reset(bytes, c.start, c.end)
      const [traceAt, spanAt] = [exemplar.contentsAt(EXEMPLAR.TRACE_ID), exemplar.contentsAt(EXEMPLAR.SPAN_ID)]
      if (traceAt === 0 || spanAt === 0) continue
      const isInt = exemplar.has(EXEMPLAR.AS_INT)
      const value = isInt ? exemplar.sfixed64(EXEMPLAR.AS_INT) : exemplar.double(EXEMPLAR.AS_DOUBLE)
      if (!(isInt || exemplar.has(EXEMPLAR.AS_DOUBLE)) || !Number.isFinite(value)) continue
      const tags = new Map<string, string>()
      addAttributes(tags, this.#exemplarAttributes.of(bytes, c.start, c.end, EXEMPLAR.FILTERED_ATTRIBUTES))
      tags.set('trace_id', hex(bytes, traceAt, 16))
      tags.set('span_id', hex(bytes, spanAt, 8))
      writer.measurement(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
      writer.ascii('_exemplar')
      for (const [name, text] of sortedTags(tags)) writeTag(writer, name, text)
      writer.ascii(' gauge=')
      if (isInt) writer.integer(exemplar.fixedHigh(EXEMPLAR.AS_INT), exemplar.fixedLow(EXEMPLAR.AS_INT))
      else writer.float(value)
      writer.endLine(
        exemplar.fixedHigh(EXEMPLAR.TIME_UNIX_NANO),
        exemplar.fixedLow(EXEMPLAR.TIME_UNIX_NANO),
        this.#unitNanos,
      )
    }
  }
}

const hex = (bytes: Uint8Array, at: number, size: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + at, size).toString('hex')

const hasTime = (point: PointView): boolean => (point.fixedHigh(POINT.TIME) | point.fixedLow(POINT.TIME)) !== 0

function moveTo(place: Place, from: number, to: number): void {
  place.from = from
  place.to = to
}
