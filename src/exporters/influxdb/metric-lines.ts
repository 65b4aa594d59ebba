// The Collector's schemas for metrics (reference/otelcol-core.md 4.6):
//
//   telegraf-prometheus-v1   measurement = metric; fields gauge, counter, or count, sum, min, max and one for each bound
//   telegraf-prometheus-v2   measurement `prometheus`; the metric is the field; bounds and quantiles are tags
//   otel-v1                  measurement = name_unit_type; the field tells temporality, monotony and type of the value
//
// An exponential histogram has no place in any of them, a gauge and a summary none in otel-v1.

import { EXEMPLAR, HISTOGRAM_DATA_POINT, METRIC, NUMBER_DATA_POINT } from '../../otlp/fields.ts'
import { METRIC_TYPE, type NumberPointView, type PointView } from '../../otlp/metric.ts'
import { plainDecimal } from '../../otlp/plain-decimal.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { FieldIndex } from '../../wire/field-index.ts'
import { InnerAttributes } from './inner-attributes.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import { writeTime } from './line-time.ts'
import type { LineWriter } from './lines.ts'
import type { SeriesGuard } from './series-guard.ts'
import { addAttributes, sortedTags, type TagSet, TagSets, writeTag } from './tag-sets.ts'

export type MetricsSchema = 'telegraf-prometheus-v1' | 'telegraf-prometheus-v2' | 'otel-v1'

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const PROMETHEUS = Buffer.from('prometheus')
const TEMPORALITY = ['unspecified', 'delta', 'cumulative'] as const
const CUMULATIVE = 2

export class MetricLines implements LineSchema {
  readonly #schema: MetricsSchema
  readonly #tagSets = new TagSets()
  readonly #guard: SeriesGuard | undefined
  readonly #unitNanos: number
  readonly #exemplar = new FieldIndex(EXEMPLAR.wireType)
  readonly #exemplarAttributes = new InnerAttributes()
  readonly #cursor = new Cursor()
  readonly #counts: number[] = []
  readonly #bounds: number[] = []
  #lineFrom = 0
  #hasField = false

  constructor(schema: MetricsSchema, unitNanos: number, guard: SeriesGuard | undefined) {
    this.#schema = schema
    this.#unitNanos = unitNanos
    this.#guard = guard
  }

  begin(): void {}

  enterResource(): void {}

  enterScope(walk: Walk): void {
    this.#tagSets.enterScope(walk)
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
    const tags = this.#tagSets.ofPoint(walk)
    if (!this.#head(walk, writer, tags)) return 'max_series'
    this.#numberKey(walk, writer, point)
    writer.byte(EQUALS)
    if (point.valueField === NUMBER_DATA_POINT.AS_INT)
      writer.integer(value, () => exactInt(point, NUMBER_DATA_POINT.AS_INT))
    else writer.float(value)
    this.#end(writer, point)
    if (point.has(NUMBER_DATA_POINT.EXEMPLARS)) this.#exemplars(walk, writer, point, NUMBER_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  #numberKey(walk: Walk, writer: LineWriter, point: NumberPointView): void {
    const { metric } = walk
    const isSum = metric.type === METRIC_TYPE.SUM
    const temporality = metric.aggregationTemporality()
    const isMonotonic = metric.isMonotonic()
    if (this.#schema === 'telegraf-prometheus-v1')
      this.#key(writer, isSum && isMonotonic && temporality === CUMULATIVE ? 'counter' : 'gauge')
    else if (this.#schema === 'telegraf-prometheus-v2') this.#nameKey(walk, writer, '')
    else {
      const type = point.valueField === NUMBER_DATA_POINT.AS_INT ? 'int' : 'double'
      const monotony = isMonotonic ? 'monotonic' : 'nonmonotonic'
      this.#key(writer, `value_${TEMPORALITY[temporality] ?? TEMPORALITY[0]}_${monotony}_${type}`)
    }
  }

  #histogram(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.histogram
    if ((point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const counts = this.#counts
    const bounds = this.#bounds
    counts.length = 0
    bounds.length = 0
    point.bucketCounts(counts)
    point.explicitBounds(bounds)
    if (counts.length > 0 && counts.length !== bounds.length && counts.length !== bounds.length + 1) return 'buckets'
    const tags = this.#tagSets.ofPoint(walk)
    if (!this.#head(walk, writer, tags)) return 'max_series'
    this.#totals(walk, writer, point.count(), point.sum(), point.min(), point.max())
    if (this.#schema === 'telegraf-prometheus-v2') {
      this.#end(writer, point)
      let sum = 0
      for (let i = 0; i < counts.length; i++) {
        sum += counts[i]!
        if (!this.#head(walk, writer, tags, 'le', this.#bound(i))) return 'max_series'
        this.#nameKey(walk, writer, '_bucket')
        writer.byte(EQUALS)
        writer.float(sum)
        this.#endLine(writer, point)
      }
    } else {
      this.#buckets(walk, writer)
      this.#end(writer, point)
    }
    if (point.has(HISTOGRAM_DATA_POINT.EXEMPLARS)) this.#exemplars(walk, writer, point, HISTOGRAM_DATA_POINT.EXEMPLARS)
    return 'written'
  }

  /** A field for each bucket: in otel-v1 what is in it, but for the last one; else what is in it and all before it. */
  #buckets(walk: Walk, writer: LineWriter): void {
    const counts = this.#counts
    const isOtel = this.#schema === 'otel-v1'
    const prefix = isOtel ? `${TEMPORALITY[walk.metric.aggregationTemporality()] ?? TEMPORALITY[0]}_` : ''
    const fields = isOtel ? Math.min(counts.length, this.#bounds.length) : counts.length
    let sum = 0
    for (let i = 0; i < fields; i++) {
      sum += counts[i]!
      this.#field(writer, prefix + this.#bound(i), isOtel ? counts[i]! : sum, isOtel ? 'u' : '')
    }
  }

  #bound(i: number): string {
    return i < this.#bounds.length ? plainDecimal(this.#bounds[i]!) : '+Inf'
  }

  #summary(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.summary
    if ((point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    if (!hasTime(point)) return 'no_time'
    const quantiles = this.#counts
    quantiles.length = 0
    point.quantiles(quantiles)
    const tags = this.#tagSets.ofPoint(walk)
    if (!this.#head(walk, writer, tags)) return 'max_series'
    this.#totals(walk, writer, point.count(), point.sum(), Number.NaN, Number.NaN)
    const isV2 = this.#schema === 'telegraf-prometheus-v2'
    if (isV2) this.#end(writer, point)
    for (let i = 0; i < quantiles.length; i += 2) {
      const quantile = plainDecimal(quantiles[i]!)
      const value = quantiles[i + 1]!
      if (!Number.isFinite(value)) continue
      if (!isV2) this.#field(writer, quantile, value)
      else {
        if (!this.#head(walk, writer, tags, 'quantile', quantile)) return 'max_series'
        this.#nameKey(walk, writer, '')
        writer.byte(EQUALS)
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
    const hasExtremes = !isOtel || !(Number.isNaN(min) || Number.isNaN(max))
    for (const [word, value] of [
      ['count', count],
      ['sum', sum],
      ['min', hasExtremes ? min : Number.NaN],
      ['max', hasExtremes ? max : Number.NaN],
    ] as const) {
      if (!Number.isFinite(value)) continue
      if (this.#schema !== 'telegraf-prometheus-v2')
        this.#field(writer, word, value, isOtel && word === 'count' ? 'u' : '')
      else {
        this.#nameKey(walk, writer, `_${word}`)
        writer.byte(EQUALS)
        writer.float(value)
      }
    }
  }

  /** Measurement and tags, one tag more among them. False when that would be a series too many. */
  #head(walk: Walk, writer: LineWriter, tags: TagSet, tag?: 'le' | 'quantile', value = ''): boolean {
    this.#lineFrom = writer.length
    this.#hasField = false
    const { metric, bytes } = walk
    const [from, to] = [metric.from(METRIC.NAME), metric.to(METRIC.NAME)]
    if (this.#schema === 'telegraf-prometheus-v2') writer.measurement(PROMETHEUS)
    else writer.measurement(bytes, from, to)
    if (this.#schema === 'otel-v1') {
      writer.byte(95)
      writer.measurement(bytes, metric.from(METRIC.UNIT), metric.to(METRIC.UNIT))
      writer.ascii(metric.type === METRIC_TYPE.SUM ? '_sum' : '_histogram')
    }
    if (tag === undefined) writer.raw(tags.bytes)
    else {
      const { from, to } = tags[tag]
      writer.raw(tags.bytes, 0, from)
      writer.ascii(`,${tag}=${value}`)
      writer.raw(tags.bytes, to)
    }
    return this.#guard === undefined || this.#guard.admits(writer.bytes, this.#lineFrom, writer.length)
  }

  #separate(writer: LineWriter): void {
    writer.byte(this.#hasField ? COMMA : SPACE)
    this.#hasField = true
  }

  #key(writer: LineWriter, key: string): void {
    this.#separate(writer)
    writer.ascii(key)
  }

  #nameKey({ metric, bytes }: Walk, writer: LineWriter, suffix: string): void {
    this.#separate(writer)
    writer.key(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
    writer.ascii(suffix)
  }

  #field(writer: LineWriter, key: string, value: number, suffix = ''): void {
    this.#key(writer, key)
    writer.byte(EQUALS)
    writer.float(value)
    writer.ascii(suffix)
  }

  /** The start time as a field, and the end of the line. */
  #end(writer: LineWriter, point: PointView): void {
    const [high, low] = [point.fixedHigh(POINT.START), point.fixedLow(POINT.START)]
    if ((high | low) !== 0) {
      this.#key(writer, 'start_time_unix_nano=')
      writer.reserve(24)
      writer.length = writeTime(writer.bytes, writer.length, high, low, 1)
      writer.ascii('i')
    }
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
      if (isInt) writer.integer(value, () => exactInt(exemplar, EXEMPLAR.AS_INT))
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

const exactInt = (message: FieldIndex, field: number): bigint =>
  BigInt.asIntN(64, (BigInt(message.fixedHigh(field)) << 32n) | BigInt(message.fixedLow(field)))
