// InfluxDB line protocol, written into one growing array.
//
//   line = measurement { , tag key = tag value } SP field key = field value { , field key = field value } SP time LF
//
// (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/.) A measurement escapes commas and spaces; keys
// and tag values the equals sign as well; texts in quotes escape quotes and backslashes. A line feed ends a line anywhere
// but in quotes, so outside of them it is written as `\n`. A backslash at the end of a key or value would escape what
// follows: it is left out.

import { copyRange, type Words, wordsOf } from '../../wire/copy.ts'
import { DECIMAL_MAX_BYTES, writeDecimal } from '../../wire/digits.ts'
import { TimeText } from './line-time.ts'

const FIRST_BYTES = 16 * 1024
// A larger array than this is given back, so that one unusual batch does not hold memory for ever.
const KEEP_MAX_BYTES = 16 * 1024 * 1024

const COMMA = 44
const SPACE = 32
const EQUALS = 61
const QUOTE = 34
const BACKSLASH = 92
const LF = 10
const INTEGER = 105

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

/** Two halves of a sfixed64, as a number: exact within ±2^53. */
const signed = (high: number, low: number): number => (high | 0) * 0x100000000 + low

export class LineWriter {
  /** What was written is in `bytes[0, length)`; the array changes when it grows. */
  bytes = new Uint8Array(FIRST_BYTES)
  length = 0
  /** Complete lines. */
  lines = 0
  #words: Words = wordsOf(this.bytes)
  #ends = new Int32Array(1024)
  readonly #time = new TimeText(' ', '\n')

  /** `bytes`, with a view of them. */
  get words(): Words {
    return this.#words
  }

  /** Makes room for `more` bytes. */
  reserve(more: number): void {
    if (this.length + more > this.bytes.length) this.#grow(more)
  }

  #grow(more: number): void {
    const old = this.bytes
    this.#renew(Math.max(this.length + more, old.length * 2))
    this.bytes.set(old.subarray(0, this.length))
  }

  #renew(size: number): void {
    this.bytes = new Uint8Array(size)
    this.#words = wordsOf(this.bytes)
  }

  byte(value: number): void {
    this.reserve(1)
    this.bytes[this.length++] = value
  }

  /** As it is. */
  raw(source: Words, from = 0, to = source.bytes.length): void {
    this.reserve(to - from)
    this.length = copyRange(source, from, to, this.#words, this.length)
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
    this.reserve(DECIMAL_MAX_BYTES)
    const end = writeDecimal(this.bytes, this.length, value)
    if (end > 0) this.length = end
    else this.ascii(String(value))
  }

  /** An integer field's value: that of an int64 in halves. */
  integer(high: number, low: number): void {
    const value = signed(high, low)
    if (Number.isSafeInteger(value)) this.float(value)
    else this.ascii(String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))))
    this.byte(INTEGER)
  }

  /** A time with what stands around it. */
  time(text: TimeText): void {
    this.raw(text.words, 0, text.length)
  }

  /** Ends the line. The time is that of a fixed64 in nanoseconds, in units of `unitNanos`. */
  endLine(high: number, low: number, unitNanos: number): void {
    this.time(this.#time.set(high, low, unitNanos))
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

  /** What was written, in an array of its own. */
  toWords(): Words {
    return wordsOf(this.bytes.slice(0, this.length))
  }

  clear(): void {
    this.length = 0
    this.lines = 0
    if (this.bytes.length > KEEP_MAX_BYTES) this.#renew(FIRST_BYTES)
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
}
