// The usual attribute, which makes up most of a request, read in one go:
//
//   {"key":"...","value":{"stringValue":"..."}}        or   "intValue":"200"   "boolValue":true   "doubleValue":12.5
//
// compact, as JSON writers make it, shorter than 128 bytes in protobuf, texts without escapes, numbers of at most fifteen
// digits and not negative. The words between are compared four bytes at a time. Whatever else an attribute may be is left
// to the reader of all values, which begins again at its brace.

import { writeVarint } from '../../wire/varint.ts'
import { ScalarReader } from './scalar-reader.ts'
import { CHAR, POWERS_OF_TEN } from './text.ts'

/** What an attribute, its key and its value may have for a length of one byte. */
const SHORT_MAX_BYTES = 127
const DIGITS_MAX = 15
/** The longest piece that is read without asking again whether it is there. */
const AHEAD_BYTES = 16

const word = (text: string): number => Buffer.from(text).readInt32LE(0)
const half = (text: string): number => Buffer.from(text).readUInt16LE(0)
const OPEN_KEY = [word('{"ke'), word('y":"')] as const
const TO_VALUE = [word(',"va'), word('lue"'), word('":{"')] as const
const STRING_VALUE = [word('stri'), word('ngVa'), word('lue"'), half(':"')] as const
const INT_VALUE = [word('intV'), word('alue'), half('":')] as const
const BOOL_VALUE = [word('bool'), word('Valu'), word('ue":')] as const
const DOUBLE_VALUE = [word('doub'), word('leVa'), word('lue"')] as const
const TRUE = word('true')
const ALSE = word('alse')
const CLOSE_BOTH = half('}}')

export class AttributeReader extends ScalarReader {
  /** Writes the attribute that begins here as a field with `tag`; false, and nothing done, where it is not a usual one. */
  protected tryAttribute(tag: number): boolean {
    const view = this.view
    const from = this.at
    if (from + 2 * AHEAD_BYTES > this.end) return false
    if (view.getInt32(from, true) !== OPEN_KEY[0] || view.getInt32(from + 4, true) !== OPEN_KEY[1]) return false
    this.reserve()
    const out = this.out
    const start = this.to
    const keyAt = start + 4
    let p = this.#text(from + 8, keyAt)
    const keySize = p - from - 8
    if (keySize <= 0 || p + 2 * AHEAD_BYTES > this.end) return false
    if (view.getInt32(p + 1, true) !== TO_VALUE[0] || view.getInt32(p + 5, true) !== TO_VALUE[1]) return false
    if (view.getInt32(p + 8, true) !== TO_VALUE[2]) return false
    p = this.#value(p + 12, keyAt + keySize)
    const size = this.to - start - 2
    if (p < 0 || size > SHORT_MAX_BYTES) {
      this.to = start
      return false
    }
    out[start] = tag
    out[start + 1] = size
    out[start + 2] = 10
    out[start + 3] = keySize
    this.at = p
    return true
  }

  /** Writes the value whose name begins at `at`, with its tag; returns where the attribute ends, or -1. Sets `to`. */
  #value(at: number, to: number): number {
    const view = this.view
    const out = this.out
    let p = at
    let end = -1
    switch (view.getInt32(p, true)) {
      case STRING_VALUE[0]: {
        if (view.getInt32(p + 4, true) !== STRING_VALUE[1] || view.getInt32(p + 8, true) !== STRING_VALUE[2]) return -1
        if (view.getUint16(p + 12, true) !== STRING_VALUE[3]) return -1
        p = this.#text(at + 14, to + 4)
        if (p < 0) return -1
        out[to + 2] = 10
        out[to + 3] = p - at - 14
        end = to + 4 + p - at - 14
        p++
        break
      }
      case INT_VALUE[0]:
        if (view.getInt32(p + 4, true) !== INT_VALUE[1] || view.getUint16(p + 8, true) !== INT_VALUE[2]) return -1
        p = this.#number(p + 10, true)
        if (p < 0) return -1
        out[to + 2] = 24
        end = writeVarint(out, to + 3, this.#parsed)
        break
      case BOOL_VALUE[0]: {
        if (view.getInt32(p + 4, true) !== BOOL_VALUE[1] || view.getInt32(p + 7, true) !== BOOL_VALUE[2]) return -1
        const yes = view.getInt32(p + 11, true) === TRUE
        if (!yes && (this.source[p + 11] !== 0x66 || view.getInt32(p + 12, true) !== ALSE)) return -1
        p += yes ? 15 : 16
        out[to + 2] = 16
        out[to + 3] = yes ? 1 : 0
        end = to + 4
        break
      }
      case DOUBLE_VALUE[0]:
        if (view.getInt32(p + 4, true) !== DOUBLE_VALUE[1] || view.getInt32(p + 8, true) !== DOUBLE_VALUE[2]) return -1
        if (this.source[p + 12] !== CHAR.COLON) return -1
        p = this.#number(p + 13, false)
        if (p < 0) return -1
        out[to + 2] = 33
        this.outView.setFloat64(to + 3, this.#parsed, true)
        end = to + 11
    }
    if (end < 0 || p + 2 > this.end || view.getUint16(p, true) !== CLOSE_BOTH) return -1
    out[to] = 18
    out[to + 1] = end - to - 2
    this.to = end
    return p + 2
  }

  /** Copies the text that begins at `from`, behind its quote; returns where the other quote is, or -1. */
  #text(from: number, to: number): number {
    const p = this.copyPlain(from, to, Math.min(this.end, from + SHORT_MAX_BYTES))
    return p < this.end && this.source[p] === CHAR.QUOTE ? p : -1
  }

  #parsed = 0

  /** Reads a number of at most fifteen digits; returns where it ends, or -1. */
  #number(from: number, whole: boolean): number {
    const source = this.source
    const quoted = whole && source[from] === CHAR.QUOTE
    const first = quoted ? from + 1 : from
    let p = first
    let value = 0
    let digit = source[p]! - CHAR.ZERO
    for (; digit >= 0 && digit <= 9 && p - first < DIGITS_MAX; digit = source[++p]! - CHAR.ZERO)
      value = value * 10 + digit
    let digits = p - first
    if (digits === 0 || (digits > 1 && source[first] === CHAR.ZERO)) return -1
    if (!whole && source[p] === CHAR.DOT) {
      const point = p++
      digit = source[p]! - CHAR.ZERO
      for (; digit >= 0 && digit <= 9 && digits < DIGITS_MAX; digits++, digit = source[++p]! - CHAR.ZERO)
        value = value * 10 + digit
      if (p === point + 1) return -1
      // Fifteen digits and such a power of ten are exact, so one division rounds correctly.
      value /= POWERS_OF_TEN[p - point - 1]!
    }
    // More digits, an exponent: what follows is no brace.
    if (quoted) {
      if (source[p] !== CHAR.QUOTE) return -1
      p++
    }
    this.#parsed = value
    return p
  }
}
