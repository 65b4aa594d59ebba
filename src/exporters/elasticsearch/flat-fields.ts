// What becomes of telemetry in documents of the modes none, raw and ecs: attributes and fields of records as fields with dotted
// names. Maps become fields of their own, those in lists objects.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { KeyValueRange } from '../../otlp/key-value.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { FieldIndex } from '../../wire/field-index.ts'
import type { DocumentText } from './document-text.ts'
import { FieldRows } from './field-rows.ts'
import { isZero } from './otel-documents.ts'

const DOT = 0x2e
const EMPTY = { count: 0, names: 0, values: 0 }

export class FlatFields extends FieldRows {
  readonly #views: ValueView[] = []
  readonly #lists: Cursor[] = []
  readonly #entry = new KeyValueRange()
  /** Those of a map in a list. */
  #inner: FlatFields | undefined

  /** Begins a field whose name is ASCII. */
  open(name: string): DocumentText {
    this.begin()
    this.names.ascii(name)
    return this.beginValue()
  }

  /** Begins a field `prefix` (with its dot, or empty) and the key in `source[from, to)`. */
  openKey(prefix: string, source: Uint8Array, from: number, to: number): DocumentText {
    this.begin()
    this.names.ascii(prefix)
    this.names.raw(source, from, to)
    return this.beginValue()
  }

  string(name: string, text: string): void {
    if (text === '') return
    this.open(name).quotedText(text)
    this.close()
  }

  integer(name: string, value: number): void {
    this.open(name).integer(value)
    this.close()
  }

  /** A time of the message that the view stands at. */
  time(name: string, view: FieldIndex, field: number): void {
    this.open(name).isoTime(view.fixedLow(field), view.fixedHigh(field))
    this.close()
  }

  /** An id of `length` bytes at `at`; nothing where it is absent. */
  id(name: string, view: FieldIndex, at: number, length: number): void {
    if (at === 0 || isZero(view.bytes, at, length)) return
    this.open(name).hexOf(view.bytes, at, at + length)
    this.close()
  }

  /** A text of the message; nothing where it is empty. */
  text(name: string, view: FieldIndex, field: number): void {
    const at = view.contentsAt(field)
    if (at === 0) return
    this.open(name).quoted(view.bytes, at, view.to(field))
    this.close()
  }

  /** An attribute; the empty value is none. */
  value(name: string, source: Uint8Array, from: number, to: number): void {
    this.begin()
    this.names.ascii(name)
    this.#value(source, from, to, 0)
  }

  /** Entry `i` of the map, with its own key behind the prefix. */
  entry(prefix: string, map: AttributeMap, i: number): void {
    this.keyValue(prefix, map.source(i), map.keyStart(i), map.keyEnd(i), map, i)
  }

  /** Entry `i` of the map, with the key in `keys[start, end)` behind the prefix. */
  keyValue(prefix: string, keys: Uint8Array, start: number, end: number, map: AttributeMap, i: number): void {
    this.begin()
    this.names.ascii(prefix)
    this.names.raw(keys, start, end)
    this.#value(map.source(i), map.valueStart(i), map.valueEnd(i), 0)
  }

  /** The name is written; the row is not counted yet. */
  #value(source: Uint8Array, from: number, to: number, depth: number): void {
    const view = (this.#views[depth] ??= new ValueView()).reset(source, from, to)
    if (view.type === VALUE.MAP) {
      this.#map(view, depth)
      return
    }
    if (view.type === VALUE.EMPTY) return
    const text = this.beginValue()
    if (view.type !== VALUE.LIST) text.view(view)
    else if (view.start < view.end) this.#list(text, view, depth)
    this.close()
  }

  #map({ bytes, start, end }: ValueView, depth: number): void {
    const { nameStart } = this
    const nameEnd = this.names.length
    for (const c = (this.#lists[depth] ??= new Cursor()).reset(bytes, start, end); c.find(1); ) {
      const { keyStart, keyEnd, valueStart, valueEnd } = this.#entry.reset(bytes, c.start, c.end)
      this.begin()
      this.names.raw(this.names.bytes, nameStart, nameEnd)
      if (nameEnd > nameStart) this.names.put(DOT)
      this.names.raw(bytes, keyStart, keyEnd)
      this.#value(bytes, valueStart, valueEnd, depth + 1)
    }
  }

  #list(text: DocumentText, { bytes, start, end }: ValueView, depth: number): void {
    text.put(CHAR.OPEN_BRACKET)
    let comma = false
    for (const c = (this.#lists[depth] ??= new Cursor()).reset(bytes, start, end); c.find(1); ) {
      if (comma) text.put(CHAR.COMMA)
      comma = true
      const element = (this.#views[depth + 1] ??= new ValueView()).reset(bytes, c.start, c.end)
      if (element.type === VALUE.LIST) this.#list(text, element, depth + 1)
      else if (element.type === VALUE.MAP) this.#object(text, element)
      else text.view(element)
    }
    text.put(CHAR.CLOSE_BRACKET)
  }

  #object(text: DocumentText, map: ValueView): void {
    const inner = (this.#inner ??= new FlatFields())
    inner.fixed = this.fixed
    inner.reset(EMPTY)
    inner.begin()
    inner.#map(map, 0)
    if (inner.count === 0) {
      text.ascii('null')
      return
    }
    text.put(CHAR.OPEN_BRACE)
    inner.write(text, true)
    text.put(CHAR.CLOSE_BRACE)
  }
}
