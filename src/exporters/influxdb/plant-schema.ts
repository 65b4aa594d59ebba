// `schema: plant`: a line for each data point, whose measurement, tags and field come from the first rule that the metric's
// name fits.
//
// Points that follow one another with the same measurement, tags and time share a line where the rule names their fields
// apart: InfluxDB would join them anyway.

import { ByteTable } from '../../collections/byte-table.ts'
import { METRIC } from '../../otlp/fields.ts'
import { METRIC_TYPE } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { readAggregate } from './aggregate.ts'
import type { PlantRuleConfig } from './config.ts'
import { type LineSchema, NO_RECORDED_VALUE, type Outcome, POINT } from './line-schema.ts'
import type { LineWriter } from './lines.ts'
import type { SeriesGuard } from './series-guard.ts'
import { TagSets } from './tag-sets.ts'
import type { Template } from './template.ts'

/** Names whose rule is remembered; of further ones it is looked for each time. */
const MAX_NAMES = 20_000

const SPACE = 32
const COMMA = 44
const EQUALS = 61

class Rule {
  readonly fits: (name: string) => boolean
  readonly measurement: Template
  readonly tags: readonly { readonly key: Uint8Array; readonly template: Template }[]
  readonly field: Template
  readonly templates: readonly Template[]
  /** The point's attributes become tags as well. */
  readonly takesOthers: boolean

  constructor({ metrics, measurement, tags, field, otherAttributes }: PlantRuleConfig) {
    this.fits = metrics.length === 0 ? () => true : anyOf(metrics)
    this.measurement = measurement
    // Sorted, as InfluxDB asks for the best speed.
    this.tags = [...tags]
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([key, template]) => ({ key: Buffer.from(key), template }))
    this.field = field
    this.templates = [measurement, field, ...tags.values()]
    this.takesOthers = otherAttributes === 'tags'
  }
}

interface NamedRule {
  readonly key: Uint8Array
  readonly rule: Rule | undefined
}

export class PlantSchema implements LineSchema {
  readonly #rules: readonly Rule[]
  readonly #templates: readonly Template[]
  readonly #names = new ByteTable<NamedRule>()
  readonly #others = new TagSets()
  readonly #unitNanos: number
  readonly #guard: SeriesGuard | undefined
  // Where the last line's measurement and tags, and its fields, ended; it can be continued while the length is the same.
  #headFrom = 0
  #headTo = 0
  #fieldsTo = 0
  #lineTo = -1
  #high = 0
  #low = 0

  constructor(rules: readonly PlantRuleConfig[], unitNanos: number, guard: SeriesGuard | undefined) {
    this.#rules = rules.map((rule) => new Rule(rule))
    this.#templates = this.#rules.flatMap(({ templates }) => templates)
    this.#unitNanos = unitNanos
    this.#guard = guard
  }

  begin(): void {
    this.#lineTo = -1
  }

  enterResource(walk: Walk): void {
    for (const template of this.#templates) template.enterResource(walk)
  }

  enterScope(walk: Walk): void {
    for (const template of this.#templates) template.enterScope(walk)
  }

  write(walk: Walk, writer: LineWriter): Outcome {
    const rule = this.#ruleOf(walk)
    if (rule === undefined) return 'no_rule'
    const { type } = walk.metric
    if (type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM) return this.#number(walk, writer, rule)
    return this.#aggregated(walk, writer, rule)
  }

  #number(walk: Walk, writer: LineWriter, rule: Rule): Outcome {
    const point = walk.number
    if (point.valueField === 0 || (point.flags() & NO_RECORDED_VALUE) !== 0) return 'nothing'
    const value = point.value()
    if (!Number.isFinite(value)) return 'not_a_number'
    const high = point.fixedHigh(POINT.TIME)
    const low = point.fixedLow(POINT.TIME)
    if ((high | low) === 0) return 'no_time'
    const from = writer.length
    const outcome = this.#head(walk, writer, rule)
    if (outcome !== 'written') return outcome
    if (!this.#goesOn(writer, rule, from, high, low)) writer.byte(SPACE)
    writeField(walk, writer, rule)
    writer.byte(EQUALS)
    writer.float(value)
    this.#fieldsTo = writer.length
    writer.endLine(high, low, this.#unitNanos)
    this.#lineTo = writer.length
    return 'written'
  }

  /** Measurement and tags. */
  #head(walk: Walk, writer: LineWriter, rule: Rule): Outcome {
    const from = writer.length
    if (!rule.measurement.write(walk, writer, true)) return 'no_measurement'
    for (const { key, template } of rule.tags) {
      const before = writer.length
      writer.byte(COMMA)
      writer.key(key)
      writer.byte(EQUALS)
      if (!template.write(walk, writer, false)) writer.length = before
    }
    if (rule.takesOthers) writer.raw(this.#others.ofPoint(walk).bytes)
    if (this.#guard === undefined || this.#guard.admits(writer.bytes, from, writer.length)) return 'written'
    writer.length = from
    return 'max_series'
  }

  /**
   * Whether the head that was just written at `from` is that of the line before, at the same time: then it is taken back
   * and the line opened for another field.
   */
  #goesOn(writer: LineWriter, rule: Rule, from: number, high: number, low: number): boolean {
    const headTo = writer.length
    const same =
      !rule.field.isFixed &&
      this.#lineTo === from &&
      this.#high === high &&
      this.#low === low &&
      isSame(writer.bytes, this.#headFrom, this.#headTo, from, headTo)
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
  #aggregated(walk: Walk, writer: LineWriter, rule: Rule): Outcome {
    const { numbers, point } = readAggregate(walk)
    if (numbers.length === 0) return 'nothing'
    if ((point.fixedHigh(POINT.TIME) | point.fixedLow(POINT.TIME)) === 0) return 'no_time'
    this.#lineTo = -1
    const from = writer.length
    const outcome = this.#head(walk, writer, rule)
    if (outcome !== 'written') return outcome
    let separator = SPACE
    for (const { suffix, value } of numbers) {
      if (!Number.isFinite(value)) continue
      writer.byte(separator)
      separator = COMMA
      writeField(walk, writer, rule)
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

  #ruleOf(walk: Walk): Rule | undefined {
    const { metric, bytes } = walk
    const from = metric.from(METRIC.NAME)
    const to = metric.to(METRIC.NAME)
    const known = this.#names.find(bytes, from, to)
    if (known !== undefined) return known.rule
    const key = bytes.slice(from, to)
    const name = Buffer.from(key).toString()
    const rule = this.#rules.find(({ fits }) => fits(name))
    if (this.#names.size < MAX_NAMES) this.#names.add({ key, rule })
    return rule
  }
}

function writeField(walk: Walk, writer: LineWriter, rule: Rule): void {
  if (!rule.field.write(walk, writer, false)) writer.ascii('value')
}

/** Names, of which a `*` stands for any characters. */
function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const sources = patterns.map((pattern) => pattern.split('*').map(RegExp.escape).join('.*'))
  const expression = new RegExp(`^(?:${sources.join('|')})$`, 's')
  return (name) => expression.test(name)
}

function isSame(bytes: Uint8Array, aFrom: number, aTo: number, bFrom: number, bTo: number): boolean {
  if (aTo - aFrom !== bTo - bFrom) return false
  for (let i = 0; i < aTo - aFrom; i++) if (bytes[aFrom + i] !== bytes[bFrom + i]) return false
  return true
}
