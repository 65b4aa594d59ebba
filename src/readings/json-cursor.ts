// JSON read where it stands: a cursor over the bytes of one text, for decoders that know what they look for. No tree, no
// strings, unless asked for.
//
//   json.reset(bytes, from, to)
//   if (json.peek() === CHAR.OPEN_BRACE)
//     for (let more = json.open(); more; more = json.next(CHAR.CLOSE_BRACE)) {
//       json.key()                    the name, in bytes[json.start, json.stop)
//       json.number() | json.string() | json.skip() | open() again
//     }
//   json.finish()
//
// RFC 8259, strictly; what is not throws BadPayload. A string's range holds escapes as they were written: `escaped` says so.

import { CHAR, POWERS_OF_TEN } from '../otlp/json/text.ts'
import { BadPayload } from './bad-payload.ts'

export { CHAR } from '../otlp/json/text.ts'

/** Objects and lists inside one another. */
const DEPTH_MAX = 64
const EXACT_DIGITS = 15

export class JsonCursor {
  bytes: Uint8Array = new Uint8Array(0)
  at = 0
  /** Of the last string or key, without its quotes. */
  start = 0
  stop = 0
  escaped = false
  #end = 0

  reset(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes
    this.at = from
    this.#end = to
    return this
  }

  /** The next character that is no space, which is not read over; -1 at the end. */
  peek(): number {
    const bytes = this.bytes
    for (let p = this.at; p < this.#end; p++) {
      const char = bytes[p]!
      if (char > 0x20 || (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09)) {
        this.at = p
        return char
      }
    }
    this.at = this.#end
    return -1
  }

  fail(what: string): never {
    const where = this.at >= this.#end ? 'the text ends too early: ' : ''
    throw new BadPayload('not_json', `${where}${what}`)
  }

  /** Into the object or list that begins here; false when it is empty, and then it is over. */
  open(): boolean {
    const close = this.bytes[this.at] === CHAR.OPEN_BRACE ? CHAR.CLOSE_BRACE : CHAR.CLOSE_BRACKET
    this.at++
    if (this.peek() !== close) return true
    this.at++
    return false
  }

  /** Over the comma to the next of an object or list, or out of it. */
  next(close: number): boolean {
    const char = this.peek()
    if (char === CHAR.COMMA) {
      this.at++
      this.peek()
      return true
    }
    if (char !== close) this.fail('expected a comma or the closing bracket')
    this.at++
    return false
  }

  /** The name that begins here, and the colon behind it. The value is next. */
  key(): void {
    if (this.peek() !== CHAR.QUOTE) this.fail('expected a name in quotes')
    this.string()
    if (this.bytes[this.at] !== CHAR.COLON && this.peek() !== CHAR.COLON) this.fail('expected a colon')
    this.at++
    this.peek()
  }

  string(): void {
    const bytes = this.bytes
    let p = this.at + 1
    this.start = p
    this.escaped = false
    for (; p < this.#end; p++) {
      const char = bytes[p]!
      if (char === CHAR.QUOTE) {
        this.stop = p
        this.at = p + 1
        return
      }
      if (char === CHAR.BACKSLASH) {
        this.escaped = true
        p++
      } else if (char < 0x20) {
        this.at = p
        this.fail('a control character in a string')
      }
    }
    this.at = this.#end
    this.fail('expected the end of a string')
  }

  /** The text of the last string or key. */
  text(): string {
    const raw = Buffer.from(this.bytes.buffer, this.bytes.byteOffset + this.start, this.stop - this.start).toString()
    if (!this.escaped) return raw
    try {
      return JSON.parse(`"${raw}"`) as string
    } catch {
      return this.fail('no such escape in a string')
    }
  }

  /** Whether the last string or key is exactly this ASCII text, written without escapes. */
  is(word: Uint8Array): boolean {
    const { bytes, start } = this
    if (this.stop - start !== word.length) return false
    for (let i = 0; i < word.length; i++) if (bytes[start + i] !== word[i]) return false
    return true
  }

  /** The number that begins here: the nearest double, as JSON.parse gives it. */
  number(): number {
    const bytes = this.bytes
    const from = this.at
    let p = from
    const negative = bytes[p] === CHAR.MINUS
    if (negative) p++
    const firstDigit = p
    let value = 0
    let digits = 0
    let decimals = 0
    let digit = 0
    for (; p < this.#end && (digit = bytes[p]! - 0x30) >= 0 && digit <= 9; p++) value = value * 10 + digit
    digits = p - firstDigit
    if (digits === 0 || (digits > 1 && bytes[firstDigit] === CHAR.ZERO)) this.fail('expected a value')
    if (p < this.#end && bytes[p] === CHAR.DOT) {
      const dot = p++
      for (; p < this.#end && (digit = bytes[p]! - 0x30) >= 0 && digit <= 9; p++) value = value * 10 + digit
      decimals = p - dot - 1
      if (decimals === 0) this.fail('expected a digit')
    }
    let exponent = false
    if (p < this.#end && (bytes[p]! | 0x20) === 0x65) {
      exponent = true
      p++
      if (bytes[p] === CHAR.PLUS || bytes[p] === CHAR.MINUS) p++
      const first = p
      while (p < this.#end && bytes[p]! >= 0x30 && bytes[p]! <= 0x39) p++
      if (p === first) this.fail('expected a digit')
    }
    this.at = p
    // Up to 15 digits, divided by an exact power of ten: one rounding, so the nearest double.
    if (exponent || digits + decimals > EXACT_DIGITS)
      return Number(Buffer.from(bytes.buffer, bytes.byteOffset + from, p - from).toString('latin1'))
    if (decimals > 0) value /= POWERS_OF_TEN[decimals]!
    return negative ? -value : value
  }

  /** `true`, `false` or `null`, which begins here. */
  literal(): boolean | null {
    const first = this.bytes[this.at]
    const word = first === 0x74 ? TRUE : first === 0x66 ? FALSE : NULL
    for (let i = 0; i < word.length; i++)
      if (this.at + i >= this.#end || this.bytes[this.at + i] !== word[i]) this.fail('expected a value')
    this.at += word.length
    return word === TRUE ? true : word === FALSE ? false : null
  }

  /** Over the value that begins here. */
  skip(depth = 0): void {
    const char = this.peek()
    if (char === CHAR.QUOTE) this.string()
    else if (char === CHAR.OPEN_BRACE || char === CHAR.OPEN_BRACKET) {
      if (depth >= DEPTH_MAX) throw new BadPayload('too_deep', `more than ${DEPTH_MAX} objects or lists in one another`)
      const close = char === CHAR.OPEN_BRACE ? CHAR.CLOSE_BRACE : CHAR.CLOSE_BRACKET
      for (let more = this.open(); more; more = this.next(close)) {
        if (close === CHAR.CLOSE_BRACE) this.key()
        this.skip(depth + 1)
      }
    } else if (isNumberStart(char)) this.number()
    else this.literal()
  }

  /** Nothing but spaces may follow. */
  finish(): void {
    if (this.peek() !== -1) this.fail('something behind the end of the JSON text')
  }
}

export const isNumberStart = (char: number): boolean => char === CHAR.MINUS || (char >= 0x30 && char <= 0x39)

const TRUE = Buffer.from('true')
const FALSE = Buffer.from('false')
const NULL = Buffer.from('null')
