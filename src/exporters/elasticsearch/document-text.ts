// JSON of documents, written from encoded telemetry: strings, ids and numbers are copied out of its bytes.
//
// One array for a whole `_bulk` body. Resource and scope are written once, kept as bytes, and copied into each document.

import { encodeText } from '../../otlp/encode.ts'
import { JsonText } from '../../otlp/json/json-text.ts'
import { plain } from '../../otlp/json/shape.ts'
import { CHAR } from '../../otlp/json/text.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { readF64, varintHigh, varintLow } from '../../wire/varint.ts'

const MS_NANOS = 1_000_000
// 2^32 = 4294 * 10^6 + 967296, so that every step stays an exact double.
const HIGH_MS = 4294
const HIGH_REST = 967_296

const DAY_MS = 86_400_000
const LETTER_T = 0x54
const LETTER_Z = 0x5a

const FIRST_BYTES = 16 * 1024

/** Text that is JSON already, with its view. */
export class Piece {
  readonly bytes: Uint8Array
  readonly view: DataView

  constructor(text: string) {
    this.bytes = plain(encodeText(text))
    this.view = viewOf(this.bytes)
  }
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

// Of each of four bytes.
const SPACES = 0x20202020
const QUOTES = 0x22222222
const BACKSLASHES = 0x5c5c5c5c
const ONES = 0x01010101
const HIGH_BITS = 0x80808080

export class DocumentText extends JsonText {
  // Strings and pieces are copied by four bytes, which takes half of the time that single ones take.
  #viewed: Uint8Array = new Uint8Array(0)
  #view: DataView = viewOf(this.#viewed)
  #outViewed: Uint8Array = new Uint8Array(0)
  #outView: DataView = viewOf(this.#outViewed)
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

  /** An empty text with room for `bytes`. */
  begin(bytes = FIRST_BYTES): this {
    this.to = 0
    if (this.out.length < bytes) this.out = new Uint8Array(Buffer.allocUnsafeSlow(bytes).buffer)
    return this
  }

  /** What was written, which is the caller's from now on. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.out.subarray(0, this.to)
    this.out = new Uint8Array(0)
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

  piece({ bytes, view }: Piece): void {
    const { length } = bytes
    this.reserve(length)
    const outView = this.#viewOfOut()
    const out = this.out
    let to = this.to
    let i = 0
    for (; i + 4 <= length; i += 4, to += 4) outView.setInt32(to, view.getInt32(i, true), true)
    for (; i < length; i++) out[to++] = bytes[i]!
    this.to = to
  }

  #viewOfOut(): DataView {
    if (this.out !== this.#outViewed) {
      this.#outViewed = this.out
      this.#outView = viewOf(this.out)
    }
    return this.#outView
  }

  /** RFC 8259, chapter 7, as the base has it: four bytes at once, where there is nothing to escape. */
  protected override string(from: number, to: number): void {
    const { source } = this
    this.reserve(to - from + 2)
    const out = this.out
    const start = this.to
    const end = copyPlain(source, this.#viewOfSource(), from, to, out, this.#viewOfOut(), start + 1)
    if (end < 0) {
      super.string(from, to)
      return
    }
    out[start] = CHAR.QUOTE
    out[end] = CHAR.QUOTE
    this.to = end + 1
  }

  /** `"KEY":VALUE,` of an attribute whose AnyValue is `source[from, to)`. */
  member(source: Uint8Array, keyStart: number, keyEnd: number, from: number, to: number, flatMaps: boolean): void {
    this.source = source
    // The usual one has a short string without anything to escape, and so is its key.
    if (to - from >= 2 && source[from] === 10 && source[from + 1]! < 0x80 && from + 2 + source[from + 1]! === to) {
      this.reserve(keyEnd - keyStart + to - from + 6)
      const out = this.out
      const view = this.#viewOfSource()
      const outView = this.#viewOfOut()
      const start = this.to
      const key = copyPlain(source, view, keyStart, keyEnd, out, outView, start + 1)
      const end = key < 0 ? key : copyPlain(source, view, from + 2, to, out, outView, key + 3)
      if (end >= 0) {
        out[start] = CHAR.QUOTE
        out[key] = CHAR.QUOTE
        out[key + 1] = CHAR.COLON
        out[key + 2] = CHAR.QUOTE
        out[end] = CHAR.QUOTE
        out[end + 1] = CHAR.COMMA
        this.to = end + 2
        return
      }
    }
    this.string(keyStart, keyEnd)
    this.byte(CHAR.COLON)
    this.value(source, from, to, flatMaps)
    this.byte(CHAR.COMMA)
  }

  #viewOfSource(): DataView {
    if (this.source !== this.#viewed) {
      this.#viewed = this.source
      this.#view = viewOf(this.source)
    }
    return this.#view
  }

  /** ASCII without anything to escape. */
  ascii(text: string): void {
    this.text(text)
  }

  quoted(source: Uint8Array, from: number, to: number): void {
    this.source = source
    this.string(from, to)
  }

  /** For what is not written for every document. */
  quotedText(text: string): void {
    const bytes = plain(encodeText(text))
    this.quoted(bytes, 0, bytes.length)
  }

  hexOf(source: Uint8Array, from: number, to: number): void {
    this.source = source
    this.hex(from, to)
  }

  integer(value: number): void {
    this.decimal(value)
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

  /**
   * Nanoseconds since 1970 as `"MILLISECONDS.NANOS"`, which Elasticsearch reads as epoch_millis: the fraction is of a
   * millisecond, so it has six digits.
   */
  epochMillis(low: number, high: number): void {
    this.reserve(24)
    this.out[this.to++] = CHAR.QUOTE
    const rest = high * HIGH_REST + low
    const whole = Math.floor(rest / MS_NANOS)
    this.digits(high * HIGH_MS + whole, 1)
    this.out[this.to++] = CHAR.DOT
    this.digits(rest - whole * MS_NANOS, 6)
    this.out[this.to++] = CHAR.QUOTE
  }

  /** Nanoseconds since 1970 as `"2026-01-02T03:04:05.000000006Z"`. */
  isoTime(low: number, high: number): void {
    const rest = high * HIGH_REST + low
    const whole = Math.floor(rest / MS_NANOS)
    const ms = high * HIGH_MS + whole
    const day = Math.floor(ms / DAY_MS)
    this.reserve(34)
    this.out[this.to++] = CHAR.QUOTE
    this.#date(day)
    const out = this.out
    const inDay = ms - day * DAY_MS
    const seconds = (inDay / 1000) | 0
    const minutes = (seconds / 60) | 0
    const hours = (minutes / 60) | 0
    this.#two(hours)
    out[this.to++] = CHAR.COLON
    this.#two(minutes - hours * 60)
    out[this.to++] = CHAR.COLON
    this.#two(seconds - minutes * 60)
    out[this.to++] = CHAR.DOT
    this.digits((inDay - seconds * 1000) * MS_NANOS + (rest - whole * MS_NANOS), 9)
    out[this.to++] = LETTER_Z
    out[this.to++] = CHAR.QUOTE
  }

  /** `2026-01-02T`, of days since 1970: years of 365.2425 days that begin in March, so that leap days come last. */
  #date(day: number): void {
    const shifted = day + 719_468
    const era = Math.floor(shifted / 146_097)
    const ofEra = shifted - era * 146_097
    const year = ((ofEra - ((ofEra / 1460) | 0) + ((ofEra / 36_524) | 0) - ((ofEra / 146_096) | 0)) / 365) | 0
    const ofYear = ofEra - (365 * year + ((year / 4) | 0) - ((year / 100) | 0))
    const month = ((5 * ofYear + 2) / 153) | 0
    this.digits(era * 400 + year + (month < 10 ? 0 : 1), 4)
    this.out[this.to++] = CHAR.MINUS
    this.#two(month < 10 ? month + 3 : month - 9)
    this.out[this.to++] = CHAR.MINUS
    this.#two(ofYear - (((153 * month + 2) / 5) | 0) + 1)
    this.out[this.to++] = LETTER_T
  }

  #two(value: number): void {
    const tens = (value / 10) | 0
    this.out[this.to++] = CHAR.ZERO + tens
    this.out[this.to++] = CHAR.ZERO + value - tens * 10
  }

  /** The AnyValue in `source[from, to)`. With `flatMaps`, a map is written as the text of its JSON. */
  value(source: Uint8Array, from: number, to: number, flatMaps = false, depth = 0): void {
    // The usual value is one short string and nothing else.
    if (to - from >= 2 && source[from] === 10 && source[from + 1]! < 0x80 && from + 2 + source[from + 1]! === to) {
      this.source = source
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

/**
 * Copies `source[from, to)` to `out[at]` and returns where that ends; -1 where something has to be escaped. `out` has room
 * for it.
 */
function copyPlain(
  source: Uint8Array,
  view: DataView,
  from: number,
  to: number,
  out: Uint8Array,
  outView: DataView,
  at: number,
): number {
  let i = from
  let p = at
  for (; i + 4 <= to; i += 4, p += 4) {
    const word = view.getInt32(i, true)
    // The high bit of each byte that is below a space, a quote or a backslash; perhaps of others behind such a one.
    const quote = word ^ QUOTES
    const backslash = word ^ BACKSLASHES
    const special = ((word - SPACES) & ~word) | ((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash)
    if ((special & HIGH_BITS) !== 0) return -1
    outView.setInt32(p, word, true)
  }
  for (; i < to; i++) {
    const char = source[i]!
    if (char < 0x20 || char === CHAR.QUOTE || char === CHAR.BACKSLASH) return -1
    out[p++] = char
  }
  return p
}
