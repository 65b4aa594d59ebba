// JSON as a stream of characters: spaces, strings, numbers, and values that nobody wants.
//
// What is read is written at once: a string's characters go to `out` at `to`, where the message grows.

import { MalformedOtlp } from '../malformed.ts'
import { plain } from './shape.ts'
import { CHAR, readHexDigit } from './text.ts'

/** Objects and lists inside one another, known or not. */
export const JSON_DEPTH_MAX = 512

/** Room behind the text's own length: for any number, and for what is written in words. */
const SPARE_BYTES = 64

export class JsonScanner {
  protected readonly source: Uint8Array
  protected readonly end: number
  protected at = 0
  protected out: Uint8Array<ArrayBuffer>
  protected to = 0
  /** The words of both. */
  protected readonly view: DataView
  protected outView: DataView

  constructor(source: Uint8Array) {
    this.source = plain(source)
    this.end = source.length
    this.view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    this.out = new Uint8Array(Buffer.allocUnsafeSlow(source.length + SPARE_BYTES).buffer)
    this.outView = new DataView(this.out.buffer)
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
    const needed = this.to + (this.end - this.at) + SPARE_BYTES / 2
    if (needed > this.out.length) this.grow(needed)
  }

  protected grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.out.length * 2))
    grown.set(this.out.subarray(0, this.to))
    this.out = grown
    this.outView = new DataView(grown.buffer)
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
    const { source, end } = this
    for (let p = this.at + 1; ; p = this.at) {
      const stop = this.copyPlain(p, this.to, end)
      this.to += stop - p
      if (stop === end) this.fail('expected the end of a string', end)
      if (source[stop] === CHAR.QUOTE) {
        this.at = stop + 1
        return
      }
      if (source[stop] !== CHAR.BACKSLASH) this.fail('a control character in a string', stop)
      this.at = stop
      this.#escape()
    }
  }

  /**
   * Copies `[from, end)` to `to` up to the first quote, backslash or control character, and returns where that is. Up to
   * three bytes more may be written behind.
   */
  protected copyPlain(from: number, to: number, end: number): number {
    const { source, out, view, outView } = this
    let p = from
    let q = to
    for (const last = end - 4; p <= last; p += 4, q += 4) {
      const four = view.getInt32(p, true)
      // A byte becomes 0 where it is the one that is looked for, and a 0 gives its top bit to what is left of it.
      const quotes = four ^ 0x22222222
      const escapes = four ^ 0x5c5c5c5c
      const found =
        ((quotes - 0x01010101) & ~quotes) | ((escapes - 0x01010101) & ~escapes) | ((four - 0x20202020) & ~four)
      if ((found & 0x80808080) !== 0) break
      outView.setInt32(q, four, true)
    }
    for (; p < end; p++, q++) {
      const char = source[p]!
      if (char === CHAR.QUOTE || char === CHAR.BACKSLASH || char < 0x20) break
      out[q] = char
    }
    return p
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

  /** RFC 8259, chapter 6: where the number that begins here ends. `name` is whose number it is. */
  protected numberEnd(name: string): number {
    const first = this.source[this.at] === CHAR.MINUS ? this.at + 1 : this.at
    let p = this.#digitsEnd(first)
    if (p === first) this.fail(`${name}: expected a number`, p < this.end ? this.at : this.end)
    if (p > first + 1 && this.source[first] === CHAR.ZERO) this.fail(`${name}: a number with a leading zero`)
    if (this.source[p] === CHAR.DOT) p = this.#digits(name, p + 1)
    if (p < this.end && (this.source[p]! | 0x20) === 0x65) {
      p++
      if (this.source[p] === CHAR.PLUS || this.source[p] === CHAR.MINUS) p++
      p = this.#digits(name, p)
    }
    return p
  }

  /** The end of the digits that must stand at `from`. */
  #digits(name: string, from: number): number {
    const p = this.#digitsEnd(from)
    if (p === from) this.fail(`${name}: expected a digit`, p)
    return p
  }

  #digitsEnd(from: number): number {
    const { source, end } = this
    let p = from
    while (p < end && source[p]! >= CHAR.ZERO && source[p]! <= 0x39) p++
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
        this.at = this.numberEnd('an unknown name')
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
