// `schema: plant`: a line for each data point, whose measurement, tags and field come from the first rule that the metric's
// name fits.
//
//   head = measurement { , key = value }      made of pieces: those that depend on the metric alone are written once for
//                                             each metric; and kept for the series as a whole
//
// Points that follow one another with the same head and time share a line where the rule names their fields apart: InfluxDB
// would join them anyway.

import { ByteTable } from '../../collections/byte-table.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import { METRIC_TYPE } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { equalBytes } from '../../wire/varint.ts'
import { Aggregate } from './aggregate.ts'
import type { PlantRuleConfig } from './config.ts'
import type { HeadCache } from './head-cache.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import type { LineWriter } from './lines.ts'
import { type KnownMetric, learnMetric, Rule } from './plant-rule.ts'
import { PointTags } from './point-tags.ts'
import type { SeriesGuard } from './series-guard.ts'
import { LEVEL } from './template.ts'

/** Metrics of which the pieces are kept; then the table is emptied. */
const MAX_METRICS = 20_000

const SPACE = 32
const COMMA = 44
const EQUALS = 61
const NO_BYTES: Uint8Array = new Uint8Array(0)

export class PlantSchema implements LineSchema {
  readonly #rules: readonly Rule[]
  readonly #inScope: boolean
  readonly #others = new PointTags(false)
  readonly #unitNanos: number
  readonly #guard: SeriesGuard | undefined
  readonly #aggregate = new Aggregate()
  readonly #heads: HeadCache
  readonly #key = new KeyRange()
  /** By their numbers in the cache of heads. */
  readonly #byNumber: KnownMetric[] = []
  #metrics = new ByteTable<KnownMetric>()
  /** The metric of the point before, its number, and where it stands: its points follow one another. */
  #last: KnownMetric | undefined
  #lastNumber = -1
  #lastBytes: Uint8Array = NO_BYTES
  #lastItem = -1
  /** Counts scopes, so that what was rendered for one is not taken for another's. */
  #scope = 0
  // Where the last line's head and its fields ended; it can be continued while nothing else was written.
  #headFrom = 0
  #headTo = 0
  #fieldsTo = 0
  #lineTo = -1
  #high = 0
  #low = 0

  constructor(rules: readonly PlantRuleConfig[], unitNanos: number, guard: SeriesGuard | undefined, heads: HeadCache) {
    this.#rules = rules.map((rule) => new Rule(rule))
    this.#inScope = this.#rules.some(({ inScope }) => inScope)
    this.#unitNanos = unitNanos
    this.#guard = guard
    this.#heads = heads
  }

  begin(): void {
    this.#lineTo = -1
    this.#lastBytes = NO_BYTES
    if (this.#heads.begin()) this.#byNumber.length = 0
  }

  enterResource(): void {
    this.#heads.enterResource()
  }

  enterScope(): void {
    this.#scope++
    this.#heads.enterScope()
  }

  write(walk: Walk, writer: LineWriter): Outcome {
    const { type } = walk.metric
    if (type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM) return this.#number(walk, writer)
    return this.#aggregated(walk, writer)
  }

  #number(walk: Walk, writer: LineWriter): Outcome {
    const point = walk.number
    if (point.valueField === 0 || (point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    const value = point.value()
    if (!Number.isFinite(value)) return 'not_a_number'
    const high = point.fixedHigh(POINT.TIME)
    const low = point.fixedLow(POINT.TIME)
    if ((high | low) === 0) return 'no_time'
    const metric = this.#metricOf(walk)
    const { rule } = metric
    if (rule === undefined) return 'no_rule'
    const from = writer.length
    const outcome = this.#head(walk, writer, metric, rule)
    if (outcome !== 'written') return outcome
    const goesOn = rule.joins && this.#goesOn(writer, from, high, low)
    this.#fieldKey(walk, writer, metric, rule, goesOn ? COMMA : SPACE)
    writer.byte(EQUALS)
    writer.float(value)
    this.#fieldsTo = writer.length
    writer.endLine(high, low, this.#unitNanos)
    this.#lineTo = writer.length
    return 'written'
  }

  /** Measurement and tags, as they are kept or made anew. */
  #head(walk: Walk, writer: LineWriter, metric: KnownMetric, rule: Rule): Outcome {
    const heads = this.#heads
    const known = heads.find(walk, this.#lastNumber, rule.attributes)
    if (known >= 0) {
      writer.raw(heads.words, heads.from(known), heads.to(known))
      return 'written'
    }
    const from = writer.length
    const { pieces } = metric
    for (let i = 0; i < pieces.length; i++) {
      const { bytes, part } = pieces[i]!
      if (part === undefined) writer.raw(bytes)
      else if (part.template.level === LEVEL.SCOPE) part.writeOfScope(walk, writer, this.#scope)
      else part.write(walk, writer)
      if (i === 0 && writer.length === from) return 'no_measurement'
    }
    if (rule.takesOthers) this.#others.write(walk, writer)
    if (this.#guard !== undefined && !this.#guard.admits(writer.bytes, from, writer.length)) {
      writer.length = from
      return 'max_series'
    }
    heads.add(this.#lastNumber, writer.bytes, from, writer.length)
    return 'written'
  }

  #fieldKey(walk: Walk, writer: LineWriter, metric: KnownMetric, rule: Rule, separator: number): void {
    const known = separator === SPACE ? metric.firstField : metric.nextField
    if (known !== undefined) {
      writer.raw(known)
      return
    }
    writer.byte(separator)
    if (!rule.field.write(walk, writer, false)) writer.ascii('value')
  }

  /**
   * Whether the head that was just written at `from` is that of the line before, at the same time: then it is taken back
   * and the line opened for another field.
   */
  #goesOn(writer: LineWriter, from: number, high: number, low: number): boolean {
    const headTo = writer.length
    const { bytes } = writer
    const same =
      this.#lineTo === from &&
      this.#high === high &&
      this.#low === low &&
      equalBytes(bytes, from, headTo, bytes.subarray(this.#headFrom, this.#headTo))
    if (!same) {
      this.#headFrom = from
      this.#headTo = headTo
      this.#high = high
      this.#low = low
      return false
    }
    writer.reopenLine(this.#fieldsTo)
    return true
  }

  /** Histograms and summaries: the rule's field with a word behind it for each number. */
  #aggregated(walk: Walk, writer: LineWriter): Outcome {
    const aggregate = this.#aggregate
    const point = aggregate.read(walk)
    if (aggregate.count === 0) return 'nothing'
    const high = point.fixedHigh(POINT.TIME)
    const low = point.fixedLow(POINT.TIME)
    if ((high | low) === 0) return 'no_time'
    const metric = this.#metricOf(walk)
    const { rule } = metric
    if (rule === undefined) return 'no_rule'
    this.#lineTo = -1
    const from = writer.length
    const outcome = this.#head(walk, writer, metric, rule)
    if (outcome !== 'written') return outcome
    let separator = SPACE
    for (let i = 0; i < aggregate.count; i++) {
      const value = aggregate.values[i]!
      if (!Number.isFinite(value)) continue
      this.#fieldKey(walk, writer, metric, rule, separator)
      writer.raw(aggregate.suffixes[i]!)
      writer.float(value)
      separator = COMMA
    }
    if (separator === SPACE) {
      writer.length = from
      return 'not_a_number'
    }
    writer.endLine(high, low, this.#unitNanos)
    return 'written'
  }

  #metricOf(walk: Walk): KnownMetric {
    const { bytes, itemStart } = walk
    if (bytes === this.#lastBytes && itemStart === this.#lastItem) return this.#last!
    this.#lastBytes = bytes
    this.#lastItem = itemStart
    const number = this.#heads.metric(walk, this.#inScope, 0)
    let known = number < 0 ? undefined : this.#byNumber[number]
    if (known === undefined) {
      known = this.#knownBy(walk)
      if (number >= 0) this.#byNumber[number] = known
    }
    this.#last = known
    this.#lastNumber = number
    return known
  }

  #knownBy(walk: Walk): KnownMetric {
    const { bytes, from, to } = this.#key.ofMetric(walk.bytes, walk.words, walk.itemStart, walk.itemEnd)
    const known = this.#metrics.find(bytes, from, to)
    if (known !== undefined) return known
    if (this.#metrics.size >= MAX_METRICS) this.#metrics = new ByteTable()
    return this.#metrics.add(learnMetric(walk, this.#rules, bytes.slice(from, to)))
  }
}
