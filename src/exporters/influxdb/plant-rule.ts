// The rules of `schema: plant`, and what one of them makes of a metric: pieces of a head that are the same for all of its points,
// between those that are not.

import type { ByteKeyed } from '../../collections/byte-table.ts'
import type { Walk } from '../../otlp/walk.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import type { PlantRuleConfig } from './config.ts'
import { LineWriter } from './lines.ts'
import { LEVEL, type Template } from './template.ts'

const SPACE = 32
const COMMA = 44
const EQUALS = 61
const NO_WORDS = wordsOf(new Uint8Array(0))

/** A part of a head: the measurement, or a tag. */
class HeadPart {
  /** Undefined for the measurement. */
  readonly key: Uint8Array | undefined
  readonly template: Template
  /** What it was in the scope of that number; they count from 1. */
  #rendered: Words = NO_WORDS
  #renderedScope = 0
  #seenScope = 0

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

  /** The same, for what depends on the scope at most: kept when it is asked for again in the scope of that number. */
  writeOfScope(walk: Walk, writer: LineWriter, scope: number): void {
    if (this.#renderedScope === scope) {
      writer.raw(this.#rendered)
      return
    }
    const from = writer.length
    this.write(walk, writer)
    if (this.#seenScope === scope) {
      this.#rendered = wordsOf(writer.bytes.slice(from, writer.length))
      this.#renderedScope = scope
    }
    this.#seenScope = scope
  }
}

export class Rule {
  readonly fits: (name: string) => boolean
  readonly parts: readonly HeadPart[]
  readonly field: Template
  /** The point's attributes become tags as well. */
  readonly takesOthers: boolean
  /** Keys of the point's attributes that its heads depend on; undefined: on all of them. */
  readonly attributes: readonly Uint8Array[] | undefined
  /** Whether its heads may depend on resource or scope. */
  readonly inScope: boolean
  /** Whether points may share a line. */
  readonly joins: boolean

  constructor({ metrics, measurement, tags, field, otherAttributes }: PlantRuleConfig) {
    this.fits = metrics.length === 0 ? () => true : anyOf(metrics)
    // Sorted, as InfluxDB asks for the best speed.
    const sorted = [...tags].map(([key, template]) => new HeadPart(Buffer.from(key), template))
    sorted.sort((a, b) => Buffer.compare(a.key!, b.key!))
    this.parts = [new HeadPart(undefined, measurement), ...sorted]
    this.field = field
    this.takesOthers = otherAttributes === 'tags'
    const templates = this.parts.map(({ template }) => template)
    this.attributes = this.takesOthers ? undefined : distinct(templates.flatMap(({ attributes }) => attributes))
    this.inScope = templates.some(({ level }) => level >= LEVEL.SCOPE)
    this.joins = field.level !== LEVEL.FIXED
  }
}

const distinct = (keys: readonly Uint8Array[]): Uint8Array[] =>
  keys.filter((key, i) => !keys.slice(0, i).some((before) => Buffer.compare(before, key) === 0))

/** Bytes that are always the same, or a part that is not. */
class Piece {
  readonly bytes: Words
  readonly part: HeadPart | undefined

  constructor(bytes: Words, part: HeadPart | undefined) {
    this.bytes = bytes
    this.part = part
  }
}

/** What is known of a metric by all of it but its data. */
export interface KnownMetric extends ByteKeyed {
  readonly rule: Rule | undefined
  readonly pieces: readonly Piece[]
  /** ` key` and `,key` of its field; undefined where the key depends on more. */
  readonly firstField: Words | undefined
  readonly nextField: Words | undefined
}

/** `key` is that of what is returned. */
export function learnMetric(walk: Walk, rules: readonly Rule[], key: Uint8Array): KnownMetric {
  const name = walk.metric.toName()
  const rule = rules.find(({ fits }) => fits(name))
  if (rule === undefined) return { key, rule, pieces: [], firstField: undefined, nextField: undefined }
  const pieces: Piece[] = []
  const line = new LineWriter()
  const endFixed = (): void => {
    if (line.length > 0) pieces.push(new Piece(line.toWords(), undefined))
    line.clear()
  }
  for (const part of rule.parts) {
    if (part.template.level > LEVEL.METRIC) {
      endFixed()
      pieces.push(new Piece(NO_WORDS, part))
      continue
    }
    part.write(walk, line)
    // An empty measurement has to be seen as one.
    if (part.key === undefined && line.length === 0) pieces.push(new Piece(NO_WORDS, undefined))
  }
  endFixed()
  return { key, rule, pieces, firstField: fixedField(walk, rule, SPACE), nextField: fixedField(walk, rule, COMMA) }
}

/** The field's key, with the separator before it, where it is the same for all points of the metric. */
function fixedField(walk: Walk, { field }: Rule, separator: number): Words | undefined {
  if (field.level > LEVEL.METRIC) return undefined
  const line = new LineWriter()
  line.byte(separator)
  return field.write(walk, line, false) ? line.toWords() : undefined
}

/** Names, of which a `*` stands for any characters. */
function anyOf(patterns: readonly string[]): (name: string) => boolean {
  const sources = patterns.map((pattern) => pattern.split('*').map(RegExp.escape).join('.*'))
  const expression = new RegExp(`^(?:${sources.join('|')})$`, 's')
  return (name) => expression.test(name)
}
