// `schema: plant`: a line for each data point, whose measurement, tags and field come from the first rule that the metric's
// name fits.
//
//   head = measurement { , key = value }      made of pieces: those that depend on the metric alone are written once for
//                                             each metric, those that depend on the resource once for each scope
//
// Points that follow one another with the same head and time share a line where the rule names their fields apart: InfluxDB
// would join them anyway.

import { type ByteKeyed, ByteTable } from '../../collections/byte-table.ts'
import { METRIC } from '../../otlp/fields.ts'
import { METRIC_TYPE } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { equalBytes } from '../../wire/varint.ts'
import { readAggregate } from './aggregate.ts'
import type { PlantRuleConfig } from './config.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import { LineWriter } from './lines.ts'
import type { SeriesGuard } from './series-guard.ts'
import { TagSets } from './tag-sets.ts'
import { LEVEL, type Template } from './template.ts'

/** Metrics of which the pieces are kept; then the table is emptied. */
const MAX_METRICS = 20_000

const SPACE = 32
const COMMA = 44
const EQUALS = 61
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** A part of a head: the measurement, or a tag. */
class HeadPart {
  /** Undefined for the measurement. */
  readonly key: Uint8Array | undefined
  readonly template: Template
  /** What it was in the scope of that number, where it depends on no more. */
  rendered: Uint8Array = NO_BYTES
  scope = 0

  constructor(key: Uint8Array | undefined, template: Template) {
    this.key = key
    this.template = template
  }

  /** False when there is nothing to write: a tag is left out then. */
  write(walk: Walk, writer: LineWriter): boolean {
    if (this.key === undefined) return this.template.write(walk, writer, true)
    const before = writer.length
    writer.byte(COMMA)
    writer.key(this.key)
    writer.byte(EQUALS)
    if (this.template.write(walk, writer, false)) return true
    writer.length = before
    return false
  }
}

class Rule {
  readonly fits: (name: string) => boolean
  readonly parts: readonly HeadPart[]
  readonly field: Template
  /** The point's attributes become tags as well. */
  readonly takesOthers: boolean

  constructor({ metrics, measurement, tags, field, otherAttributes }: PlantRuleConfig) {
    this.fits = metrics.length === 0 ? () => true : anyOf(metrics)
    // Sorted, as InfluxDB asks for the best speed.
    const sorted = [...tags].map(([key, template]) => new HeadPart(Buffer.from(key), template))
    sorted.sort((a, b) => Buffer.compare(a.key!, b.key!))
    this.parts = [new HeadPart(undefined, measurement), ...sorted]
    this.field = field
    this.takesOthers = otherAttributes === 'tags'
  }
}

/** Bytes that are always the same, or a part that is not. */
class Piece {
  readonly bytes: Uint8Array
  readonly part: HeadPart | undefined

  constructor(bytes: Uint8Array, part: HeadPart | undefined) {
    this.bytes = bytes
    this.part = part
  }
}

/** What is known of a metric by its name and unit. */
interface KnownMetric extends ByteKeyed {
  readonly rule: Rule | undefined
  readonly pieces: readonly Piece[]
  /** The field's key; empty where it depends on more. */
  readonly field: Uint8Array
  /** Whether its head is the same for all points of a scope. */
  readonly isSettled: boolean
  /** The head in the scope of that number, once a second point has asked for it. */
  head: Uint8Array
  headScope: number
  seenScope: number
}

export class PlantSchema implements LineSchema {
  readonly #rules: readonly Rule[]
  readonly #others = new TagSets()
  readonly #unitNanos: number
  readonly #guard: SeriesGuard | undefined
  #metrics = new ByteTable<KnownMetric>()
  /** The metric of the point before, and where it stands: its points follow one another. */
  #last: KnownMetric | undefined
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

  constructor(rules: readonly PlantRuleConfig[], unitNanos: number, guard: SeriesGuard | undefined) {
    this.#rules = rules.map((rule) => new Rule(rule))
    this.#unitNanos = unitNanos
    this.#guard = guard
  }

  begin(): void {
    this.#lineTo = -1
    this.#lastBytes = NO_BYTES
  }

  enterResource(): void {}

  enterScope(): void {
    this.#scope++
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
    if (!this.#goesOn(writer, rule, from, high, low)) writer.byte(SPACE)
    this.#fieldKey(walk, writer, metric, rule)
    writer.byte(EQUALS)
    writer.float(value)
    this.#fieldsTo = writer.length
    writer.endLine(high, low, this.#unitNanos)
    this.#lineTo = writer.length
    return 'written'
  }

  #head(walk: Walk, writer: LineWriter, metric: KnownMetric, rule: Rule): Outcome {
    if (metric.headScope === this.#scope) {
      writer.raw(metric.head)
      return 'written'
    }
    const from = writer.length
    const outcome = this.#wholeHead(walk, writer, metric, rule)
    if (metric.isSettled && outcome === 'written') {
      if (metric.seenScope === this.#scope) {
        metric.head = writer.bytes.slice(from, writer.length)
        metric.headScope = this.#scope
      }
      metric.seenScope = this.#scope
    }
    return outcome
  }

  #wholeHead(walk: Walk, writer: LineWriter, metric: KnownMetric, rule: Rule): Outcome {
    const from = writer.length
    const { pieces } = metric
    for (let i = 0; i < pieces.length; i++) {
      const { bytes, part } = pieces[i]!
      if (part === undefined) writer.raw(bytes)
      else if (part.template.level === LEVEL.SCOPE) {
        if (part.scope !== this.#scope) this.#render(walk, writer, part)
        writer.raw(part.rendered)
      } else part.write(walk, writer)
      if (i === 0 && writer.length === from) return 'no_measurement'
    }
    if (rule.takesOthers) writer.raw(this.#others.ofPoint(walk).bytes)
    if (this.#guard === undefined || this.#guard.admits(writer.bytes, from, writer.length)) return 'written'
    writer.length = from
    return 'max_series'
  }

  #render(walk: Walk, writer: LineWriter, part: HeadPart): void {
    const from = writer.length
    part.write(walk, writer)
    part.rendered = writer.bytes.slice(from, writer.length)
    part.scope = this.#scope
    writer.length = from
  }

  #fieldKey(walk: Walk, writer: LineWriter, { field }: KnownMetric, rule: Rule): void {
    if (field.length > 0) writer.raw(field)
    else if (!rule.field.write(walk, writer, false)) writer.ascii('value')
  }

  /**
   * Whether the head that was just written at `from` is that of the line before, at the same time: then it is taken back
   * and the line opened for another field.
   */
  #goesOn(writer: LineWriter, rule: Rule, from: number, high: number, low: number): boolean {
    const headTo = writer.length
    const { bytes } = writer
    const same =
      rule.field.level !== LEVEL.FIXED &&
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
    writer.byte(COMMA)
    return true
  }

  /** Histograms and summaries: the rule's field with a word behind it for each number. */
  #aggregated(walk: Walk, writer: LineWriter): Outcome {
    const { numbers, point } = readAggregate(walk)
    if (numbers.length === 0) return 'nothing'
    if ((point.fixedHigh(POINT.TIME) | point.fixedLow(POINT.TIME)) === 0) return 'no_time'
    const metric = this.#metricOf(walk)
    const { rule } = metric
    if (rule === undefined) return 'no_rule'
    this.#lineTo = -1
    const from = writer.length
    const outcome = this.#head(walk, writer, metric, rule)
    if (outcome !== 'written') return outcome
    let separator = SPACE
    for (const { suffix, value } of numbers) {
      if (!Number.isFinite(value)) continue
      writer.byte(separator)
      separator = COMMA
      this.#fieldKey(walk, writer, metric, rule)
      writer.ascii(suffix)
      writer.byte(EQUALS)
      writer.float(value)
    }
    if (separator === SPACE) {
      writer.length = from
      return 'not_a_number'
    }
    writer.endLine(point.fixedHigh(POINT.TIME), point.fixedLow(POINT.TIME), this.#unitNanos)
    return 'written'
  }

  /** Known by the bytes that hold its name and its unit, whatever stands between them. */
  #metricOf(walk: Walk): KnownMetric {
    const { metric, bytes, itemStart } = walk
    if (bytes === this.#lastBytes && itemStart === this.#lastItem) return this.#last!
    this.#lastBytes = bytes
    this.#lastItem = itemStart
    const nameFrom = metric.from(METRIC.NAME)
    const unitFrom = metric.from(METRIC.UNIT)
    const from = unitFrom === 0 || (nameFrom > 0 && nameFrom < unitFrom) ? nameFrom : unitFrom
    const to = Math.max(metric.to(METRIC.NAME), metric.to(METRIC.UNIT))
    let known = this.#metrics.find(bytes, from, to)
    if (known === undefined) {
      if (this.#metrics.size >= MAX_METRICS) this.#metrics = new ByteTable()
      known = this.#metrics.add(this.#learn(walk, bytes.slice(from, to)))
    }
    this.#last = known
    return known
  }

  #learn(walk: Walk, key: Uint8Array): KnownMetric {
    const name = walk.metric.toName()
    const rule = this.#rules.find(({ fits }) => fits(name))
    const unseen = { head: NO_BYTES, headScope: -1, seenScope: -1 }
    if (rule === undefined) return { key, rule, pieces: [], field: NO_BYTES, isSettled: false, ...unseen }
    const pieces: Piece[] = []
    const line = new LineWriter()
    const endFixed = (): void => {
      if (line.length > 0) pieces.push(new Piece(line.bytes.slice(0, line.length), undefined))
      line.clear()
    }
    for (const part of rule.parts) {
      if (part.template.level <= LEVEL.METRIC) {
        part.write(walk, line)
        // An empty measurement has to be seen as one.
        if (part.key === undefined && line.length === 0) pieces.push(new Piece(NO_BYTES, undefined))
      } else {
        endFixed()
        pieces.push(new Piece(NO_BYTES, part))
      }
    }
    endFixed()
    let field = NO_BYTES
    if (rule.field.level <= LEVEL.METRIC && rule.field.write(walk, line, false))
      field = line.bytes.slice(0, line.length)
    const isSettled =
      !rule.takesOthers &&
      this.#guard === undefined &&
      rule.parts.every(({ template }) => template.level !== LEVEL.POINT)
    return { key, rule, pieces, field, isSettled, ...unseen }
  }
}

/** Names, of which a `*` stands for any characters. */
function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const sources = patterns.map((pattern) => pattern.split('*').map(RegExp.escape).join('.*'))
  const expression = new RegExp(`^(?:${sources.join('|')})$`, 's')
  return (name) => expression.test(name)
}
