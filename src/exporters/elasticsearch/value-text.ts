// Values of telemetry as JSON: strings, ids and numbers are copied out of its bytes.

import { encodeText } from '../../otlp/encode.ts'
import { JsonText } from '../../otlp/json/json-text.ts'
import { plain } from '../../otlp/json/shape.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { copyUnescaped } from '../../otlp/json/unescaped.ts'
import { KeyValueRange } from '../../otlp/key-value.ts'
import { isShortText, VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { writeSmall } from '../../wire/digit-triples.ts'
import { HEX_PAIRS } from '../../wire/hex-pairs.ts'
import { PIECE_OVERRUN } from '../../wire/piece.ts'
import { readF64, varintHigh, varintLow } from '../../wire/varint.ts'

/** What is written by words may reach so far beyond its end. */
export const OVERRUN = PIECE_OVERRUN
/** Below it, ints are written by a table. */
export const SMALL_INTS = 1_000_000

export class ValueText extends JsonText {
  /** Views the source. */
  protected sourceWords: DataView = new DataView(this.source.buffer)
  readonly #views: ValueView[] = []
  readonly #lists: Cursor[] = []
  readonly #entry = new KeyValueRange()

  /** RFC 8259, chapter 7, as the base has it: by words, where there is nothing to escape. */
  protected override string(from: number, to: number): void {
    this.reserve(to - from + 2 + OVERRUN)
    const start = this.to
    const end = copyUnescaped(this.sourceWords, from, to, this.outWords, start + 1)
    if (end < 0) {
      super.string(from, to)
      return
    }
    this.out[start] = CHAR.QUOTE
    this.out[end] = CHAR.QUOTE
    this.to = end + 1
  }

  protected read(source: Uint8Array): void {
    if (source === this.source) return
    this.source = source
    this.sourceWords = new DataView(source.buffer, source.byteOffset, source.byteLength)
  }

  quoted(source: Uint8Array, from: number, to: number): void {
    this.read(source)
    this.string(from, to)
  }

  /** For what is not written for every document. */
  quotedText(text: string): void {
    const bytes = plain(encodeText(text))
    this.quoted(bytes, 0, bytes.length)
  }

  /** In quotes. */
  hexOf(source: Uint8Array, from: number, to: number): void {
    this.reserve(2 * (to - from) + 2)
    this.out[this.to++] = CHAR.QUOTE
    this.to = this.hexDigits(source, from, to, this.to)
    this.out[this.to++] = CHAR.QUOTE
  }

  protected hexDigits(source: Uint8Array, from: number, to: number, at: number): number {
    const words = this.outWords
    let p = at
    for (let i = from; i < to; i++, p += 2) words.setUint16(p, HEX_PAIRS[source[i]!]!, true)
    return p
  }

  /** A whole number within ±2^53. */
  integer(value: number): void {
    if (value >= 0 && value < SMALL_INTS) {
      this.reserve(8)
      this.to = writeSmall(this.outWords, this.to, value)
    } else this.decimal(value)
  }

  int64(low: number, high: number): void {
    this.integer64(low, high, true)
  }

  /** Always with a point, so that dynamic mapping sees a floating-point number; what JSON has no word for is null. */
  float(value: number): void {
    if (!Number.isFinite(value)) this.text('null')
    else if (Number.isInteger(value)) this.text(wholeFloat(value))
    else this.text(String(value))
  }

  /** The AnyValue in `source[from, to)`. With `flatMaps`, a map is written as the text of its JSON. */
  value(source: Uint8Array, from: number, to: number, flatMaps = false, depth = 0): void {
    if (isShortText(source, from, to)) {
      this.read(source)
      this.string(from + 2, to)
      return
    }
    const view = (this.#views[depth] ??= new ValueView()).reset(source, from, to)
    this.view(view, flatMaps, depth)
  }

  view(view: ValueView, flatMaps = false, depth = 0): void {
    const { bytes, start, end } = view
    switch (view.type) {
      case VALUE.STRING:
        this.quoted(bytes, start, end)
        return
      case VALUE.BOOL:
        this.text(view.bool() ? 'true' : 'false')
        return
      case VALUE.INT:
        this.integer64(varintLow(bytes, start), varintHigh(bytes, start), true)
        return
      case VALUE.DOUBLE:
        this.float(readF64(bytes, start))
        return
      case VALUE.BYTES:
        this.hexOf(bytes, start, end)
        return
      case VALUE.LIST:
        this.#list(bytes, start, end, flatMaps, depth)
        return
      case VALUE.MAP:
        if (flatMaps) this.quotedText(view.toText())
        else this.#map(bytes, start, end, depth)
        return
      default:
        this.text('null')
    }
  }

  #list(bytes: Uint8Array, start: number, end: number, flatMaps: boolean, depth: number): void {
    this.byte(CHAR.OPEN_BRACKET)
    let comma = false
    for (const c = (this.#lists[depth] ??= new Cursor()).reset(bytes, start, end); c.find(1); ) {
      if (comma) this.byte(CHAR.COMMA)
      comma = true
      this.value(bytes, c.start, c.end, flatMaps, depth + 1)
    }
    this.byte(CHAR.CLOSE_BRACKET)
  }

  #map(bytes: Uint8Array, start: number, end: number, depth: number): void {
    this.byte(CHAR.OPEN_BRACE)
    let comma = false
    for (const c = (this.#lists[depth] ??= new Cursor()).reset(bytes, start, end); c.find(1); ) {
      const { keyStart, keyEnd, valueStart, valueEnd } = this.#entry.reset(bytes, c.start, c.end)
      if (comma) this.byte(CHAR.COMMA)
      comma = true
      this.quoted(bytes, keyStart, keyEnd)
      this.byte(CHAR.COLON)
      this.value(bytes, valueStart, valueEnd, false, depth + 1)
    }
    this.byte(CHAR.CLOSE_BRACE)
  }
}

function wholeFloat(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  const exponent = text.indexOf('e')
  if (exponent < 0) return `${text}.0`
  return text.includes('.') ? text : `${text.slice(0, exponent)}.0${text.slice(exponent)}`
}
