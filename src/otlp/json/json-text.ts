// JSON text in bytes: numbers and strings as they are written.

import { plain } from './shape.ts'
import { CHAR } from './text.ts'

const TWO_32 = 2 ** 32

export class JsonText {
  protected out: Uint8Array<ArrayBuffer> = new Uint8Array(0)
  /** The same bytes. */
  protected outWords: DataView<ArrayBuffer> = new DataView(this.out.buffer)
  protected to = 0
  /** What strings and ids are copied from. */
  protected source: Uint8Array = new Uint8Array(0)

  protected byte(byte: number): void {
    if (this.to === this.out.length) this.#grow(1)
    this.out[this.to++] = byte
  }

  protected reserve(more: number): void {
    if (this.to + more > this.out.length) this.#grow(more)
  }

  #grow(more: number): void {
    const old = this.out
    this.use(new Uint8Array(Math.max(this.to + more, old.length * 2)))
    this.out.set(old.subarray(0, this.to))
  }

  /** Writes into this array from now on. */
  protected use(out: Uint8Array<ArrayBuffer>): void {
    this.out = out
    this.outWords = new DataView(out.buffer, out.byteOffset, out.byteLength)
  }

  protected text(text: string): void {
    const { length } = text
    this.reserve(length)
    const out = this.out
    let to = this.to
    for (let i = 0; i < length; i++) out[to++] = text.charCodeAt(i)
    this.to = to
  }

  protected double(value: number): void {
    if (Number.isFinite(value)) this.text(Object.is(value, -0) ? '-0' : String(value))
    else this.text(`"${value}"`)
  }

  /** A whole number within ±2^53. */
  protected decimal(value: number): void {
    this.reserve(20)
    let rest = value
    if (rest < 0) {
      this.out[this.to++] = CHAR.MINUS
      rest = -rest
    }
    this.digits(rest, 1)
  }

  /** The digits of a whole number up to 2^53, with zeros in front where there are fewer than `least`. Reserve before. */
  protected digits(value: number, least: number): void {
    if (value >= 1e9) {
      const head = Math.floor(value / 1e9)
      this.digits(head, least - 9)
      this.digits(value - head * 1e9, 9)
      return
    }
    const out = this.out
    let length = 1
    for (let bound = 10; bound <= value; bound *= 10) length++
    if (length < least) length = least
    let rest = value | 0
    for (let p = this.to + length - 1; p >= this.to; p--) {
      const tenth = (rest / 10) | 0
      out[p] = CHAR.ZERO + rest - tenth * 10
      rest = tenth
    }
    this.to += length
  }

  /** Two halves as a quoted decimal. */
  protected decimal64(low: number, high: number, signed: boolean): void {
    this.byte(CHAR.QUOTE)
    this.integer64(low, high, signed)
    this.byte(CHAR.QUOTE)
  }

  /** Two halves as a bare decimal. */
  protected integer64(low: number, high: number, signed: boolean): void {
    this.reserve(20)
    let l = low
    let h = high
    if (signed && h > 0x7fffffff) {
      this.out[this.to++] = CHAR.MINUS
      h = l === 0 ? -h >>> 0 : ~h >>> 0
      l = -l >>> 0
    }
    if (h < 0x200000) this.digits(h * TWO_32 + l, 1)
    else {
      // Division by 10^6 keeps each step an exact double: a remainder below 2^20 before 32 more bits.
      const headHigh = Math.floor(h / 1e6)
      const rest = (h - headHigh * 1e6) * TWO_32 + l
      const headLow = Math.floor(rest / 1e6)
      this.digits(headHigh * TWO_32 + headLow, 1)
      this.digits(rest - headLow * 1e6, 6)
    }
  }

  protected hex(from: number, to: number): void {
    this.reserve((to - from) * 2 + 2)
    const source = this.source
    const out = this.out
    let p = this.to
    out[p++] = CHAR.QUOTE
    for (let i = from; i < to; i++) {
      const byte = source[i]!
      out[p++] = HEX_DIGITS[byte >> 4]!
      out[p++] = HEX_DIGITS[byte & 15]!
    }
    out[p++] = CHAR.QUOTE
    this.to = p
  }

  /** RFC 8259, chapter 7: only quotes, backslashes and control characters need an escape. */
  protected string(from: number, to: number): void {
    this.reserve(to - from + 2)
    const source = this.source
    let out = this.out
    let p = this.to
    out[p++] = CHAR.QUOTE
    for (let i = from; i < to; i++) {
      const char = source[i]!
      if (IS_PLAIN[char] === 1) {
        out[p++] = char
        continue
      }
      this.to = p
      this.reserve(to - i + 8)
      out = this.out
      out[p++] = CHAR.BACKSLASH
      const short = SHORT_ESCAPES[char]
      if (short !== undefined) out[p++] = short
      else {
        out[p++] = 0x75
        out[p++] = CHAR.ZERO
        out[p++] = CHAR.ZERO
        out[p++] = HEX_DIGITS[char >> 4]!
        out[p++] = HEX_DIGITS[char & 15]!
      }
    }
    out[p++] = CHAR.QUOTE
    this.to = p
  }
}

const HEX_DIGITS = plain(Buffer.from('0123456789abcdef'))

// One load instead of three comparisons for each byte.
const IS_PLAIN = new Uint8Array(256).fill(1, 0x20)
IS_PLAIN[CHAR.QUOTE] = 0
IS_PLAIN[CHAR.BACKSLASH] = 0

const SHORT_ESCAPES: readonly (number | undefined)[] = Object.assign(
  new Array<number | undefined>(93).fill(undefined),
  {
    8: 0x62,
    9: 0x74,
    10: 0x6e,
    12: 0x66,
    13: 0x72,
    34: CHAR.QUOTE,
    92: CHAR.BACKSLASH,
  },
)
