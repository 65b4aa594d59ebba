// JSON as a stream of characters: spaces, strings, numbers, and values that nobody wants.
//
// What is read is written at once: a string's characters go to `out` at `to`, where the message grows.

import { MalformedOtlp } from '../malformed.ts'
import { plain } from './shape.ts'
import { CHAR, readHexDigit } from './text.ts'

/** Objects and lists inside one another, known or not. */
export const JSON_DEPTH_MAX = 512

export class JsonScanner {
  protected readonly source: Uint8Array
  protected readonly end: number
  protected at = 0
  protected out: Uint8Array<ArrayBuffer>
  protected to = 0

  constructor(source: Uint8Array) {
    this.source = plain(source)
    this.end = source.length
    this.out = new Uint8Array(source.length + 64)
  }

  protected fail(what: string, at = this.at): never {
    throw new MalformedOtlp(`${at >= this.end ? `the text ends too early: ${what}` : what}`, Math.min(at, this.end))
  }

  /** Moves to the next character that is no space and returns it, or -1 at the end. */
  protected skipSpace(): number {
    const source = this.source
    for (let p = this.at; p < this.end; p++) {
      const char = source[p]!
      if (char > 0x20 || (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09)) {
        this.at = p
        return char
      }
    }
    this.at = this.end
    return -1
  }

  /** Room for any one value: no string is longer than the text that is left. */
  protected reserve(): void {
    const needed = this.to + (this.end - this.at) + 32
    if (needed > this.out.length) this.grow(needed)
  }

  protected grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.out.length * 2))
    grown.set(this.out.subarray(0, this.to))
    this.out = grown
  }

  protected literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.source[this.at + i] !== word.charCodeAt(i)) {
        this.fail(`expected ${word}`, this.at + i >= this.end ? this.end : this.at)
      }
    }
    this.at += word.length
  }

  /** Copies the string that begins here, escapes resolved; room for it was reserved. */
  protected string(): void {
    const source = this.source
    const out = this.out
    const end = this.end
    let to = this.to
    let p = this.at + 1
    for (; p < end; p++) {
      const char = source[p]!
      if (char === CHAR.QUOTE) {
        this.at = p + 1
        this.to = to
        return
      }
      if (char === CHAR.BACKSLASH) {
        this.at = p
        this.to = to
        this.#escape()
        p = this.at - 1
        to = this.to
      } else if (char < 0x20) this.fail('a control character in a string', p)
      else out[to++] = char
    }
    this.fail('expected the end of a string', end)
  }

  /** The escape that begins here, as UTF-8. Half of a surrogate pair becomes U+FFFD, as Go makes it. */
  #escape(): void {
    const letter = this.source[this.at + 1]
    if (letter !== 0x75) {
      const plain = letter === undefined ? -1 : ESCAPES.indexOf(letter)
      if (plain < 0) this.fail('no such escape in a string', this.at + 1)
      this.out[this.to++] = ESCAPED[plain]!
      this.at += 2
      return
    }
    let code = this.#hex4(this.at + 2)
    this.at += 6
    if (code >= 0xd800 && code < 0xe000) {
      const paired = code < 0xdc00 && this.source[this.at] === CHAR.BACKSLASH && this.source[this.at + 1] === 0x75
      const second = paired ? this.#hex4(this.at + 2) : 0
      if (second >= 0xdc00 && second < 0xe000) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (second & 0x3ff)
        this.at += 6
      } else code = 0xfffd
    }
    const out = this.out
    if (code < 0x80) out[this.to++] = code
    else {
      if (code < 0x800) out[this.to++] = 0xc0 | (code >> 6)
      else {
        if (code < 0x10000) out[this.to++] = 0xe0 | (code >> 12)
        else {
          out[this.to++] = 0xf0 | (code >> 18)
          out[this.to++] = 0x80 | ((code >> 12) & 0x3f)
        }
        out[this.to++] = 0x80 | ((code >> 6) & 0x3f)
      }
      out[this.to++] = 0x80 | (code & 0x3f)
    }
  }

  #hex4(at: number): number {
    let code = 0
    for (let i = 0; i < 4; i++) {
      if (at + i >= this.end) this.fail('expected four hexadecimal digits', this.end)
      code = (code << 4) | readHexDigit(this.source[at + i]!)
    }
    if (code < 0) this.fail('expected four hexadecimal digits', at)
    return code
  }

  /** RFC 8259, chapter 6: where the number that begins here ends. */
  protected numberEnd(where: string): number {
    const source = this.source
    const isDigit = (at: number): boolean => at < this.end && source[at]! >= CHAR.ZERO && source[at]! <= 0x39
    let p = this.at
    if (source[p] === CHAR.MINUS) p++
    if (!isDigit(p)) this.fail(`${where}expected a number`, p < this.end ? this.at : this.end)
    if (source[p] === CHAR.ZERO) p++
    else while (isDigit(p)) p++
    if (isDigit(p)) this.fail(`${where}a number with a leading zero`)
    if (source[p] === CHAR.DOT) {
      p++
      if (!isDigit(p)) this.fail(`${where}expected a digit`, p)
      while (isDigit(p)) p++
    }
    if (p < this.end && (source[p]! | 0x20) === 0x65) {
      p++
      if (source[p] === CHAR.PLUS || source[p] === CHAR.MINUS) p++
      if (!isDigit(p)) this.fail(`${where}expected a digit`, p)
      while (isDigit(p)) p++
    }
    return p
  }

  /** Reads over a value of a name that nobody knows; it has to be JSON all the same. */
  protected skipValue(depth: number): void {
    if (depth >= JSON_DEPTH_MAX) this.fail('nested too deeply')
    switch (this.source[this.at]) {
      case CHAR.QUOTE: {
        this.reserve()
        const start = this.to
        this.string()
        this.to = start
        break
      }
      case CHAR.OPEN_BRACE:
        this.#skipInside(CHAR.CLOSE_BRACE, depth)
        break
      case CHAR.OPEN_BRACKET:
        this.#skipInside(CHAR.CLOSE_BRACKET, depth)
        break
      case 0x74:
        this.literal('true')
        break
      case 0x66:
        this.literal('false')
        break
      case 0x6e:
        this.literal('null')
        break
      default:
        this.at = this.numberEnd('an unknown name: ')
    }
  }

  #skipInside(close: number, depth: number): void {
    this.at++
    if (this.skipSpace() === close) {
      this.at++
      return
    }
    for (;;) {
      if (close === CHAR.CLOSE_BRACE) {
        if (this.source[this.at] !== CHAR.QUOTE) this.fail('expected a name in quotes')
        this.skipValue(depth)
        if (this.skipSpace() !== CHAR.COLON) this.fail('expected a colon')
        this.at++
        this.skipSpace()
      }
      this.skipValue(depth + 1)
      const char = this.skipSpace()
      if (char !== close && char !== CHAR.COMMA) this.fail('expected a comma or a closing bracket')
      this.at++
      if (char === close) return
      this.skipSpace()
    }
  }
}

const ESCAPES = Buffer.from('"\\/bfnrt')
const ESCAPED = Buffer.from('"\\/\b\f\n\r\t')
