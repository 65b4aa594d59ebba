// InfluxDB line protocol, written into one growing array.
//
//   line = measurement { , tag key = tag value } SP field key = field value { , field key = field value } SP time LF
//
// (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/.) A measurement escapes commas and spaces; keys
// and tag values the equals sign as well; texts in quotes escape quotes and backslashes. A line feed ends a line anywhere
// but in quotes, so outside of them it is written as `\n`. A backslash at the end of a key or value would escape what
// follows: it is left out.

import { writeTime } from './line-time.ts'

const FIRST_BYTES = 16 * 1024
// A larger array than this is given back, so that one unusual batch does not hold memory for ever.
const KEEP_MAX_BYTES = 16 * 1024 * 1024

// Up to here a loop is faster than a call.
const LONG_BYTES = 64

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const QUOTE = 34
const BACKSLASH = 92
const LF = 10
const MINUS = 45
const POINT = 46

const IN_MEASUREMENT = 1
const IN_KEY = 2
const IN_QUOTES = 4
const ESCAPED = new Uint8Array(256)
ESCAPED[COMMA] = IN_MEASUREMENT | IN_KEY
ESCAPED[SPACE] = IN_MEASUREMENT | IN_KEY
ESCAPED[EQUALS] = IN_KEY
ESCAPED[QUOTE] = IN_QUOTES
ESCAPED[BACKSLASH] = IN_QUOTES
for (const control of [LF, 13, 9]) ESCAPED[control] = IN_MEASUREMENT | IN_KEY
const LETTER = new Uint8Array(256)
for (let byte = 0; byte < 256; byte++) LETTER[byte] = byte
LETTER[LF] = 110
LETTER[13] = 114
LETTER[9] = 116

/** Lines that go into one request. */
export interface Payload {
  readonly bytes: Uint8Array
  /** Where each line ends, behind its line feed. */
  readonly ends: Int32Array
}

export class LineWriter {
  /** What was written is in `bytes[0, length)`; the array changes when it grows. */
  bytes = new Uint8Array(FIRST_BYTES)
  length = 0
  /** Complete lines. */
  lines = 0
  #ends = new Int32Array(1024)
  /** The digits of the time before. */
  readonly #time = new Uint8Array(24)
  #timeSize = 0
  #high = -1
  #low = -1
  #unitNanos = 0

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const grown = new Uint8Array(Math.max(this.length + more, this.bytes.length * 2))
    grown.set(this.bytes.subarray(0, this.length))
    this.bytes = grown
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** As it is. */
  raw(source: Uint8Array, from = 0, to = source.length): void {
    this.reserve(to - from)
    const { bytes } = this
    let at = this.length
    if (to - from > LONG_BYTES) bytes.set(source.subarray(from, to), at)
    else for (let i = from; i < to; i++) bytes[at + i - from] = source[i]!
    at += to - from
    this.length = at
  }

  /** Characters that need no escape, such as digits. */
  ascii(text: string): void {
    this.reserve(text.length)
    const { bytes } = this
    let at = this.length
    for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
    this.length = at
  }

  measurement(source: Uint8Array, from = 0, to = source.length): void {
    this.#escaped(IN_MEASUREMENT, source, from, to)
  }

  /** A tag's key or value, or a field's key. Returns false, and writes nothing, when nothing would be left of it. */
  key(source: Uint8Array, from = 0, to = source.length): boolean {
    const before = this.length
    this.#escaped(IN_KEY, source, from, to)
    return this.length > before
  }

  /** A text field's value. */
  quoted(source: Uint8Array, from = 0, to = source.length): void {
    this.byte(QUOTE)
    this.#escape(IN_QUOTES, source, from, to)
    this.byte(QUOTE)
  }

  /** What stands in the quotes of a text field, for values that are written piece by piece. */
  inQuotes(source: Uint8Array, from = 0, to = source.length): void {
    this.#escape(IN_QUOTES, source, from, to)
  }

  /** A float field's value. Only for finite numbers: the protocol has no other ones. */
  float(value: number): void {
    const size = value < 0 ? -value : value
    const scaled = Math.round(size * 1e6)
    // What a sensor sends has few decimals. A quotient of whole numbers below 2^53 is the double nearest to those digits.
    if (size < 1e9 && scaled / 1e6 === size) this.#decimals(value < 0, Math.floor(scaled / 1e6), scaled)
    else this.ascii(String(value))
  }

  /** An integer field's value. `exact` is asked for its text where a double cannot hold it. */
  integer(value: number, exact: () => bigint): void {
    if (Number.isSafeInteger(value)) this.float(value)
    else this.ascii(String(exact()))
    this.byte(105)
  }

  /** Ends the line. The time is that of a fixed64 in nanoseconds, in units of `unitNanos`. */
  endLine(high: number, low: number, unitNanos: number): void {
    this.reserve(24)
    const { bytes } = this
    let at = this.length
    bytes[at++] = SPACE
    // Lines that follow one another are mostly of the same moment.
    if (high !== this.#high || low !== this.#low || unitNanos !== this.#unitNanos) {
      this.#timeSize = writeTime(this.#time, 0, high, low, unitNanos)
      this.#high = high
      this.#low = low
      this.#unitNanos = unitNanos
    }
    for (let i = 0; i < this.#timeSize; i++) bytes[at++] = this.#time[i]!
    bytes[at++] = LF
    this.length = at
    if (this.lines === this.#ends.length) {
      const grown = new Int32Array(this.#ends.length * 2)
      grown.set(this.#ends)
      this.#ends = grown
    }
    this.#ends[this.lines++] = this.length
  }

  /** Takes the last line's end back: more fields follow. `length` is where its fields ended. */
  reopenLine(length: number): void {
    this.lines--
    this.length = length
  }

  /** The complete lines, in an array of their own. The writer is empty afterwards. */
  take(): Payload {
    const payload = { bytes: this.bytes.slice(0, this.length), ends: this.#ends.slice(0, this.lines) }
    this.clear()
    return payload
  }

  clear(): void {
    this.length = 0
    this.lines = 0
    if (this.bytes.length > KEEP_MAX_BYTES) this.bytes = new Uint8Array(FIRST_BYTES)
  }

  #escaped(where: number, source: Uint8Array, from: number, to: number): void {
    let end = to
    while (end > from && source[end - 1] === BACKSLASH) end--
    this.#escape(where, source, from, end)
  }

  #escape(where: number, source: Uint8Array, from: number, to: number): void {
    this.reserve(2 * (to - from))
    const { bytes } = this
    let at = this.length
    for (let i = from; i < to; i++) {
      const byte = source[i]!
      if ((ESCAPED[byte]! & where) !== 0) {
        bytes[at++] = BACKSLASH
        bytes[at++] = LETTER[byte]!
      } else bytes[at++] = byte
    }
    this.length = at
  }

  #decimals(isNegative: boolean, whole: number, millionths: number): void {
    this.reserve(20)
    const { bytes } = this
    if (isNegative) bytes[this.length++] = MINUS
    let digits = 1
    for (let bound = 10; whole >= bound; bound *= 10) digits++
    this.#digits(whole | 0, digits)
    let fraction = (millionths - whole * 1e6) | 0
    if (fraction === 0) return
    let places = 6
    for (; fraction % 10 === 0; places--) fraction = (fraction / 10) | 0
    bytes[this.length++] = POINT
    this.#digits(fraction, places)
  }

  #digits(value: number, digits: number): void {
    const { bytes } = this
    this.length += digits
    let rest = value
    for (let at = this.length - 1; at >= this.length - digits; at--) {
      const next = (rest / 10) | 0
      bytes[at] = 48 + rest - next * 10
      rest = next
    }
  }
}
