// Texts with references to what a data point belongs to (config/template.ts), written without making strings.
//
//   name = resource.attributes.KEY | attributes.KEY | metric.name | metric.unit | scope.name

import { attributeOf, type Reference, TemplateError, templatePieces } from '../../config/template.ts'
import { METRIC } from '../../otlp/fields.ts'
import { VALUE } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import type { LineWriter } from './lines.ts'

const NO_BYTES: Uint8Array = new Uint8Array(0)

const TEXT = 0
const RESOURCE_ATTRIBUTE = 1
const ATTRIBUTE = 2
const METRIC_NAME = 3
const METRIC_UNIT = 4
const SCOPE_NAME = 5

/** How far down a request one has to be to know a value: each knows what those before it know. */
export const LEVEL = { FIXED: 0, METRIC: 1, SCOPE: 2, POINT: 3 } as const
export type Level = (typeof LEVEL)[keyof typeof LEVEL]

const LEVEL_OF = [LEVEL.FIXED, LEVEL.SCOPE, LEVEL.POINT, LEVEL.METRIC, LEVEL.METRIC, LEVEL.SCOPE] as const

class Part {
  readonly kind: number
  /** The text, or the key of an attribute. */
  readonly bytes: Uint8Array
  readonly fallback: Uint8Array
  /** Where the attribute's value stands. */
  source: Uint8Array = NO_BYTES
  from = 0
  to = 0

  constructor(kind: number, bytes: Uint8Array, fallback: Uint8Array) {
    this.kind = kind
    this.bytes = bytes
    this.fallback = fallback
  }
}

export class Template {
  /** As it was written. */
  readonly text: string
  /** What its value depends on at most. */
  readonly level: Level
  /** Keys of the data point's attributes that it refers to. */
  readonly attributes: readonly Uint8Array[]
  readonly #parts: readonly Part[]

  /** Throws TemplateError. */
  constructor(text: string) {
    this.text = text
    this.#parts = parse(text)
    this.attributes = this.#parts.filter(({ kind }) => kind === ATTRIBUTE).map(({ bytes }) => bytes)
    this.level = Math.max(LEVEL.FIXED, ...this.#parts.map(({ kind }) => LEVEL_OF[kind]!)) as Level
  }

  /** Writes it for the current data point, as a measurement or as a key or value. False when nothing was written. */
  write(walk: Walk, writer: LineWriter, isMeasurement: boolean): boolean {
    const before = writer.length
    for (const part of this.#parts) {
      let { source, from, to } = part
      switch (part.kind) {
        case TEXT:
          source = part.bytes
          from = 0
          to = source.length
          break
        case RESOURCE_ATTRIBUTE:
        case ATTRIBUTE:
          readAttribute(part, part.kind === ATTRIBUTE ? walk.attributes : walk.resourceAttributes, part.bytes)
          source = part.source
          from = part.from
          to = part.to
          break
        case METRIC_NAME:
        case METRIC_UNIT: {
          const field = part.kind === METRIC_NAME ? METRIC.NAME : METRIC.UNIT
          source = walk.bytes
          from = walk.metric.from(field)
          to = walk.metric.to(field)
          break
        }
        case SCOPE_NAME:
          source = Buffer.from(walk.scope.toName())
          from = 0
          to = source.length
      }
      if (from === to) {
        source = part.fallback
        from = 0
        to = source.length
      }
      if (isMeasurement) writer.measurement(source, from, to)
      else writer.key(source, from, to)
    }
    return writer.length > before
  }
}

function readAttribute(part: Part, attributes: Walk['attributes'], key: Uint8Array): void {
  const i = attributes.find(key)
  part.from = 0
  part.to = 0
  if (i < 0) return
  const value = attributes.value(i)
  if (value.type === VALUE.STRING) {
    part.source = value.bytes
    part.from = value.start
    part.to = value.end
  } else {
    part.source = Buffer.from(value.toText())
    part.to = part.source.length
  }
}

function parse(text: string): Part[] {
  return templatePieces(text).map((piece) =>
    typeof piece === 'string' ? new Part(TEXT, Buffer.from(piece), NO_BYTES) : reference(piece),
  )
}

function reference({ name, fallback, written }: Reference): Part {
  const otherwise = fallback === undefined ? NO_BYTES : Buffer.from(fallback)
  if (name === 'metric.name') return new Part(METRIC_NAME, NO_BYTES, otherwise)
  if (name === 'metric.unit') return new Part(METRIC_UNIT, NO_BYTES, otherwise)
  if (name === 'scope.name') return new Part(SCOPE_NAME, NO_BYTES, otherwise)
  const attribute = attributeOf(name)
  if (attribute === undefined) throw new TemplateError(`%{${written}} names nothing of a data point`)
  const kind = attribute.of === 'resource' ? RESOURCE_ATTRIBUTE : ATTRIBUTE
  return new Part(kind, Buffer.from(attribute.key), otherwise)
}

/** Words for a fix. */
export const REFERENCES =
  '%{metric.name}, %{metric.unit}, %{resource.attributes.KEY}, %{attributes.KEY} or %{scope.name}, each with :-fallback'
