// Topics that are made for each item:
//
//   devices/%{resource.attributes.device.id}/data
//   plant/%{resource.attributes.manufacturing.line:-unknown}/%{metric.name}
//
// What comes from the data never makes a level or a wildcard of its own: /, +, # and control characters are written as
// %2F, %2B, %23, and so on, and % as %25, so that different values stay different topics.

import { attributeOf, type Reference, TemplateError, templatePieces } from '../../config/template.ts'
import { Attributes } from '../../otlp/attributes.ts'
import { RESOURCE } from '../../otlp/fields.ts'
import type { MergedView } from '../../otlp/resource.ts'
import type { Signal } from '../../otlp/signal.ts'
import { VALUE, type ValueView } from '../../otlp/value.ts'
import type { Writer } from '../../wire/writer.ts'

/** Longer topics are not published: brokers differ in what they take, and the protocol itself ends at 65,535. */
export const TOPIC_MAX_BYTES = 1024

type Source = 'resource' | 'item' | 'metric'

export interface TopicPiece {
  /** Undefined: `literal` as it is. */
  readonly source: Source | undefined
  readonly key: Uint8Array
  readonly literal: Uint8Array
  /** In place of what is absent or empty; undefined: such an item has no topic. */
  readonly otherwise: Uint8Array | undefined
}

export interface TopicTemplate {
  readonly text: string
  readonly pieces: readonly TopicPiece[]
}

const NOTHING = new Uint8Array(0)
/** Stands in the text until the signal is known. */
const SIGNAL = 'signal'

/** Throws TemplateError, in words for whoever wrote it. */
export function parseTemplate(text: string): TopicTemplate {
  if (text === '') throw new TemplateError('the topic is empty')
  if (Buffer.byteLength(text) > TOPIC_MAX_BYTES) throw new TemplateError(`longer than ${TOPIC_MAX_BYTES} bytes`)
  const pieces = templatePieces(text).map((piece) => (typeof piece === 'string' ? literal(piece) : placeholder(piece)))
  return { text, pieces }
}

function literal(text: string): TopicPiece {
  const wild = /[+#\0]/.exec(text)
  if (wild !== null)
    throw new TemplateError(`${wild[0] === '\0' ? 'NUL' : wild[0]} cannot stand in a topic that is published`)
  return { source: undefined, key: NOTHING, literal: Buffer.from(text), otherwise: undefined }
}

function placeholder({ name, fallback, written }: Reference): TopicPiece {
  if (fallback !== undefined && /[+#\0]/.test(fallback))
    throw new TemplateError(`the default of %{${name}} has a character that cannot stand in a topic`)
  const piece = (source: Source, key: string): TopicPiece => {
    const otherwise = fallback === undefined || fallback === '' ? undefined : Buffer.from(fallback)
    return { source, key: Buffer.from(key), literal: NOTHING, otherwise }
  }
  if (name === 'metric.name') return piece('metric', name)
  if (name === SIGNAL) return { ...piece('metric', SIGNAL), source: undefined }
  const attribute = attributeOf(name)
  if (attribute !== undefined) return piece(attribute.of, attribute.key)
  throw new TemplateError(
    /^(resource\.)?attributes\.$/.test(name) ? `%{${written}} names no attribute` : `%{${written}} means nothing`,
  )
}

export type NoTopic = 'absent_attribute' | 'topic_too_long'

/** Writes topics of one signal. It is told of each resource, and where items stand; valid for one batch at a time. */
export class TopicWriter {
  /** Whether items of one resource can have different topics. */
  readonly variesInside: boolean
  /** Whether points of one metric can. */
  readonly variesByItem: boolean
  readonly #pieces: readonly TopicPiece[]
  readonly #fromResource: (Uint8Array | undefined)[]
  readonly #attributes = new Attributes()
  readonly #scratch: Writer

  constructor(template: TopicTemplate, signal: Signal, scratch: Writer) {
    this.#scratch = scratch
    this.#pieces = template.pieces.map((piece) =>
      piece.source === undefined && piece.key.length > 0 ? { ...piece, literal: Buffer.from(signal) } : piece,
    )
    this.#fromResource = this.#pieces.map(() => undefined)
    this.variesByItem = this.#pieces.some(({ source }) => source === 'item')
    this.variesInside = this.variesByItem || this.#pieces.some(({ source }) => source === 'metric')
  }

  /** Whether every item has the same topic. */
  get isFixed(): boolean {
    return this.#pieces.every(({ source }) => source === undefined)
  }

  resource(view: MergedView): void {
    const scratch = this.#scratch
    for (let i = 0; i < this.#pieces.length; i++) {
      const piece = this.#pieces[i]!
      if (piece.source !== 'resource') continue
      const value = this.#attributes.ofPieces(view, RESOURCE.ATTRIBUTES).find(piece.key)
      const from = scratch.length
      if (value !== undefined) writeValue(scratch, value)
      this.#fromResource[i] = scratch.length > from ? scratch.toBytes(from) : piece.otherwise
      scratch.length = from
    }
  }

  /**
   * Appends the topic of an item to `out`; why not, where it has none. `bytes[nameFrom, nameTo)` is the metric's name, and
   * the item's attributes are field `field` of `bytes[from, to)`.
   */
  write(
    out: Writer,
    bytes: Uint8Array,
    nameFrom: number,
    nameTo: number,
    from: number,
    to: number,
    field: number,
  ): NoTopic | undefined {
    const start = out.length
    for (let i = 0; i < this.#pieces.length; i++) {
      const { source, literal, key, otherwise } = this.#pieces[i]!
      if (source === undefined) {
        out.copy(literal)
        continue
      }
      if (source === 'resource') {
        const value = this.#fromResource[i]
        if (value === undefined) return 'absent_attribute'
        out.copy(value)
        continue
      }
      const before = out.length
      if (source === 'metric') writeEscaped(out, bytes, nameFrom, nameTo)
      else {
        const value = this.#attributes.of(bytes, from, to, field).find(key)
        if (value !== undefined) writeValue(out, value)
      }
      if (out.length > before) continue
      if (otherwise === undefined) return 'absent_attribute'
      out.copy(otherwise)
    }
    return out.length - start > TOPIC_MAX_BYTES ? 'topic_too_long' : undefined
  }
}

function writeValue(out: Writer, value: ValueView): void {
  if (value.type === VALUE.STRING) writeEscaped(out, value.bytes, value.start, value.end)
  else {
    const text = Buffer.from(value.toText())
    writeEscaped(out, text, 0, text.length)
  }
}

const HEX = Buffer.from('0123456789ABCDEF')
const PERCENT = 0x25

function writeEscaped(out: Writer, source: Uint8Array, from: number, to: number): void {
  const bytes = out.reserve((to - from) * 3)
  let at = out.length
  for (let i = from; i < to; i++) {
    const char = source[i]!
    // MQTT 5.0, 1.5.4 and 4.7.1: control characters should not, and / + # must not be taken for text.
    if (
      char > 0x2f ? char === 0x7f : char < 0x20 || char === PERCENT || char === 0x23 || char === 0x2b || char === 0x2f
    ) {
      bytes[at++] = PERCENT
      bytes[at++] = HEX[char >> 4]!
      bytes[at++] = HEX[char & 15]!
    } else bytes[at++] = char
  }
  out.length = at
}
