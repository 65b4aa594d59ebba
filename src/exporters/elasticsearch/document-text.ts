// JSON of documents, written from encoded telemetry: strings, ids and numbers are copied out of its bytes.
//
// One array for a whole `_bulk` body. What documents have in common stands ready in pieces.

import { encodeText } from '../../otlp/encode.ts'
import { JsonText } from '../../otlp/json/json-text.ts'
import { plain } from '../../otlp/json/shape.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { copyUnescaped } from '../../otlp/json/unescaped.ts'
import { isShortText, VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { writeSmall } from '../../wire/digit-triples.ts'
import { HEX_PAIRS } from '../../wire/hex-pairs.ts'
import { PIECE_OVERRUN, type Piece } from '../../wire/piece.ts'
import { readF64, varintHigh, varintLow } from '../../wire/varint.ts'
import type { AttributePaths } from './attribute-paths.ts'
import { TIME_ROOM, TimeText } from './time-text.ts'

const FIRST_BYTES = 16 * 1024
/** What is written by words may reach so far beyond its end. */
const OVERRUN = PIECE_OVERRUN

const INT_TAG = 0x18
const QUOTE_COMMA = CHAR.QUOTE | (CHAR.COMMA << 8)
const SMALL_INTS = 1_000_000

export class DocumentText extends JsonText {
  /** Views the source. */
  #words: DataView = new DataView(this.source.buffer)
  readonly #epoch = new TimeText('epoch')
  readonly #iso = new TimeText('iso')
  readonly #views: ValueView[] = []
  readonly #lists: Cursor[] = []
  readonly #entries: Cursor[] = []

  get length(): number {
    return this.to
  }

  /** What was written so far; until the next write. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.out
  }

  /** An empty text with room for `bytes`, in `spare` where that is large enough. */
  begin(bytes = FIRST_BYTES, spare?: Uint8Array<ArrayBuffer>): this {
    this.to = 0
    if (spare !== undefined && spare.length >= bytes) this.use(spare)
    else if (this.out.length < bytes) this.use(new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer))
    return this
  }

  /** What was written, which is the caller's from now on. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.out.subarray(0, this.to)
    this.use(new Uint8Array(0))
    this.to = 0
    return taken
  }

  /** A copy of what was written since `from`. */
  copyFrom(from: number): Uint8Array<ArrayBuffer> {
    return this.out.slice(from, this.to)
  }

  /** Forgets what was written behind `length`. */
  cut(length: number): void {
    this.to = length
  }

  put(byte: number): void {
    this.byte(byte)
  }

  /** Bytes that are JSON already. */
  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.reserve(to - from)
    const out = this.out
    let at = this.to
    if (to - from > 64) out.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), at)
    else for (let i = from; i < to; i++) out[at++] = bytes[i]!
    this.to += to - from
  }

  piece(piece: Piece): void {
    this.reserve(piece.length + OVERRUN)
    this.to = piece.write(this.out, this.outWords, this.to)
  }

  /** RFC 8259, chapter 7, as the base has it: by words, where there is nothing to escape. */
  protected override string(from: number, to: number): void {
    this.reserve(to - from + 2 + OVERRUN)
    const start = this.to
    const end = copyUnescaped(this.#words, from, to, this.outWords, start + 1)
    if (end < 0) {
      super.string(from, to)
      return
    }
    this.out[start] = CHAR.QUOTE
    this.out[end] = CHAR.QUOTE
    this.to = end + 1
  }

  #read(source: Uint8Array): void {
    if (source === this.source) return
    this.source = source
    this.#words = new DataView(source.buffer, source.byteOffset, source.byteLength)
  }

  /** `PIECE TEXT",` where the piece ends with the quote before the text in `source[from, to)`. */
  textMember(piece: Piece, source: Uint8Array, from: number, to: number): void {
    this.#read(source)
    this.reserve(piece.length + to - from + 2 + OVERRUN)
    const words = this.outWords
    const start = piece.write(this.out, words, this.to)
    const end = copyUnescaped(this.#words, from, to, words, start)
    if (end < 0) {
      this.to = start - 1
      super.string(from, to)
      this.byte(CHAR.COMMA)
      return
    }
    words.setInt16(end, QUOTE_COMMA, true)
    this.to = end + 2
  }

  /** `"KEY":VALUE,` of each attribute that was followed in `source`. */
  members(paths: AttributePaths, source: Uint8Array): void {
    this.#read(source)
    const { count } = paths
    let out = this.out
    let words = this.outWords
    let to = this.to
    for (let i = 0; i < count; i++) {
      const key = paths.keyJson(i)
      const start = paths.valueStart(i)
      const end = paths.valueEnd(i)
      // Room for the usual ones: a short text and a short number.
      const room = key.length + end - start + OVERRUN
      if (to + room > out.length) {
        this.to = to
        this.reserve(room)
        out = this.out
        words = this.outWords
      }
      to = key.write(out, words, to)
      if (isShortText(source, start, end)) {
        const behind = copyUnescaped(this.#words, start + 2, end, words, to)
        if (behind >= 0) {
          words.setInt16(behind, QUOTE_COMMA, true)
          to = behind + 2
          continue
        }
      } else if (source[start] === INT_TAG && end - start >= 2 && end - start <= 4) {
        const value = varintLow(source, start + 1)
        if (value < SMALL_INTS) {
          to = writeSmall(words, to - 1, value)
          out[to++] = CHAR.COMMA
          continue
        }
      }
      this.to = to - 1
      this.value(source, start, end)
      this.byte(CHAR.COMMA)
      out = this.out
      words = this.outWords
      to = this.to
    }
    this.to = to
  }

  /** ASCII without anything to escape. */
  ascii(text: string): void {
    this.text(text)
  }

  quoted(source: Uint8Array, from: number, to: number): void {
    this.#read(source)
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
    this.to = this.#hex(source, from, to, this.to)
    this.out[this.to++] = CHAR.QUOTE
  }

  /** `PIECE DIGITS",` where the piece ends with the quote before the digits of `source[from, to)`. */
  hexMember(piece: Piece, source: Uint8Array, from: number, to: number): void {
    this.reserve(piece.length + 2 * (to - from) + OVERRUN)
    const end = this.#hex(source, from, to, piece.write(this.out, this.outWords, this.to))
    this.outWords.setInt16(end, QUOTE_COMMA, true)
    this.to = end + 2
  }

  #hex(source: Uint8Array, from: number, to: number, at: number): number {
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

  uint64(low: number, high: number): void {
    this.integer64(low, high, false)
  }

  /** Always with a point, so that dynamic mapping sees a floating-point number; what JSON has no word for is null. */
  float(value: number): void {
    if (!Number.isFinite(value)) this.text('null')
    else if (Number.isInteger(value)) this.text(wholeFloat(value))
    else this.text(String(value))
  }

  /** As TimeText has it. */
  epochMillis(low: number, high: number): void {
    this.reserve(TIME_ROOM)
    this.to = this.#epoch.write(this.out, this.outWords, this.to, low, high)
  }

  isoTime(low: number, high: number): void {
    this.reserve(TIME_ROOM)
    this.to = this.#iso.write(this.out, this.outWords, this.to, low, high)
  }

  /** The AnyValue in `source[from, to)`. With `flatMaps`, a map is written as the text of its JSON. */
  value(source: Uint8Array, from: number, to: number, flatMaps = false, depth = 0): void {
    if (isShortText(source, from, to)) {
      this.#read(source)
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
      let keyStart = c.start
      let keyEnd = c.start
      let from = c.start
      let to = c.start
      for (const entry = (this.#entries[depth] ??= new Cursor()).reset(bytes, c.start, c.end); entry.next(); ) {
        if (entry.wireType !== 2) continue
        if (entry.field === 1) [keyStart, keyEnd] = [entry.start, entry.end]
        else if (entry.field === 2) [from, to] = [entry.start, entry.end]
      }
      if (comma) this.byte(CHAR.COMMA)
      comma = true
      this.quoted(bytes, keyStart, keyEnd)
      this.byte(CHAR.COLON)
      this.value(bytes, from, to, false, depth + 1)
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
