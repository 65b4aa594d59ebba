// OTLP/JSON to protobuf bytes in one pass, without an object in between.
//
//   object  = '{' [ name ':' value { ',' name ':' value } ] '}'      a message: its fields, in the order they come
//   value   = null                                                   as if the name were not there
//           | object | '[' ... ']' | string | number | true | false  by the field's kind; anything where nobody knows the name
//
// A nested message is written behind a gap for its length, which is mended once its end is known. JSON is never shorter
// than its protobuf but for lists of numbers, so room is asked for once per value.
//
// Dialect: Collector reference 2.3 and "Seen on a running Collector". Stricter than that: text behind the request is
// an error, and so are lists inside lists deeper than JSON_DEPTH_MAX. Of a name that comes twice the last one counts.

import { isUtf8 } from 'node:buffer'
import { varintSize, writeF64, writeU32, writeVarint } from '../../wire/varint.ts'
import { MalformedOtlp } from '../malformed.ts'
import { KIND, plain, type Shape, type ShapeField } from './shape.ts'
import { CHAR, POWERS_OF_TEN, parseQuotedDouble, readBase64, readHexDigit } from './text.ts'

/** Objects and lists inside one another, known or not. */
export const JSON_DEPTH_MAX = 512

const TWO_32 = 2 ** 32

export class JsonReader {
  readonly #source: Uint8Array
  readonly #end: number
  #at = 0
  #out: Uint8Array<ArrayBuffer>
  #to = 0
  // The whole number read last: magnitude in two halves, and its sign.
  #low = 0
  #high = 0
  #negative = false

  constructor(source: Uint8Array) {
    this.#source = plain(source)
    this.#end = source.length
    this.#out = new Uint8Array(source.length + 64)
  }

  /** The bytes of one request, in an array of their own. Throws MalformedOtlp. */
  request(shape: Shape): Uint8Array<ArrayBuffer> {
    if (!isUtf8(this.#source)) this.#fail('the text is not UTF-8', firstInvalidUtf8(this.#source))
    if (this.#skipSpace() !== CHAR.OPEN_BRACE) this.#fail('expected an object')
    this.#at++
    this.#object(shape, 1)
    if (this.#skipSpace() !== -1) this.#fail('unexpected text after the request')
    return this.#out.slice(0, this.#to)
  }

  #fail(what: string, at = this.#at): never {
    throw new MalformedOtlp(`${at >= this.#end ? `the text ends too early: ${what}` : what}`, Math.min(at, this.#end))
  }

  /** Moves to the next character that is no space and returns it, or -1 at the end. */
  #skipSpace(): number {
    const source = this.#source
    for (let p = this.#at; p < this.#end; p++) {
      const char = source[p]!
      if (char > 0x20 || (char !== 0x20 && char !== 0x0a && char !== 0x0d && char !== 0x09)) {
        this.#at = p
        return char
      }
    }
    this.#at = this.#end
    return -1
  }

  /** Room for any one value: no string is longer than the text that is left. */
  #reserve(): void {
    const needed = this.#to + (this.#end - this.#at) + 32
    if (needed > this.#out.length) this.#grow(needed)
  }

  #grow(needed: number): void {
    const grown = new Uint8Array(Math.max(needed, this.#out.length * 2))
    grown.set(this.#out.subarray(0, this.#to))
    this.#out = grown
  }

  /** The inside of an object whose brace was read, and the brace that closes it. */
  #object(shape: Shape, depth: number): void {
    const from = this.#to
    let seen = 0
    let repeats: number[] | undefined
    let char = this.#skipSpace()
    if (char === CHAR.CLOSE_BRACE) {
      this.#at++
      return
    }
    for (;;) {
      if (char !== CHAR.QUOTE) this.#fail('expected a name in quotes')
      const field = this.#name(shape)
      if (this.#skipSpace() !== CHAR.COLON) this.#fail('expected a colon')
      this.#at++
      char = this.#skipSpace()
      if (field === undefined) this.#skipValue(depth)
      else {
        const bit = 1 << field.number
        if ((seen & bit) !== 0) {
          repeats ??= []
          repeats[field.number] = this.#to
        }
        seen |= bit
        if (char === 0x6e) this.#literal('null')
        else if (!field.repeated) this.#value(field, depth, false)
        else if (char === CHAR.OPEN_BRACKET) this.#list(field, depth)
        else this.#fail(`${field.name}: expected a list`)
      }
      char = this.#skipSpace()
      if (char === CHAR.COMMA) {
        this.#at++
        char = this.#skipSpace()
      } else if (char === CHAR.CLOSE_BRACE) {
        this.#at++
        if (repeats !== undefined) this.#dropRepeats(from, repeats)
        return
      } else this.#fail('expected a comma or a closing brace')
    }
  }

  /** The field that a name stands for; undefined where nobody knows it. */
  #name(shape: Shape): ShapeField | undefined {
    const known = shape.find(this.#source, this.#at + 1)
    if (known !== undefined) {
      this.#at += known.bytes.length + 1
      return known.field
    }
    // Unknown, or written with escapes.
    this.#reserve()
    const start = this.#to
    this.#string()
    this.#out[this.#to] = CHAR.QUOTE
    this.#to = start
    return shape.find(this.#out, start)?.field
  }

  /** `repeats` holds, by field number, where the last value of a name that came again begins; the ones before go. */
  #dropRepeats(from: number, repeats: readonly (number | undefined)[]): void {
    const out = this.#out
    let kept = from
    for (let p = from; p < this.#to; ) {
      const start = p
      let tag = out[p++]!
      if (tag > 0x7f) tag = (tag & 0x7f) | (out[p++]! << 7)
      const wireType = tag & 7
      if (wireType === 0) {
        while (out[p]! > 0x7f) p++
        p++
      } else if (wireType === 1) p += 8
      else if (wireType === 5) p += 4
      else {
        let length = 0
        let scale = 1
        while (out[p]! > 0x7f) {
          length += (out[p++]! & 0x7f) * scale
          scale *= 128
        }
        length += out[p++]! * scale
        p += length
      }
      if (start < (repeats[tag >> 3] ?? 0)) continue
      if (kept !== start) out.copyWithin(kept, start, p)
      kept += p - start
    }
    this.#to = kept
  }

  #list(field: ShapeField, depth: number): void {
    if (depth >= JSON_DEPTH_MAX) this.#fail('nested too deeply')
    this.#at++
    if (this.#skipSpace() === CHAR.CLOSE_BRACKET) {
      this.#at++
      return
    }
    let lengthAt = 0
    if (field.packedTag !== 0) {
      this.#reserve()
      this.#tag(field.packedTag)
      lengthAt = this.#to++
    }
    for (;;) {
      if (field.packedTag === 0) this.#value(field, depth + 1, true)
      else {
        this.#reserve()
        this.#scalar(field)
      }
      const char = this.#skipSpace()
      this.#at++
      if (char === CHAR.COMMA) this.#skipSpace()
      else if (char === CHAR.CLOSE_BRACKET) break
      else this.#fail('expected a comma or a closing bracket', this.#at - 1)
    }
    if (field.packedTag !== 0) this.#mendLength(lengthAt, 1)
  }

  #tag(tag: number): void {
    if (tag < 0x80) this.#out[this.#to++] = tag
    else this.#to = writeVarint(this.#out, this.#to, tag)
  }

  /** Writes the length of what stands behind the gap of `reserved` bytes at `lengthAt`. */
  #mendLength(lengthAt: number, reserved: number): void {
    const length = this.#to - lengthAt - reserved
    if (reserved === 1 && length < 0x80) {
      this.#out[lengthAt] = length
      return
    }
    const size = varintSize(length)
    if (size !== reserved) {
      if (this.#to + size > this.#out.length) this.#grow(this.#to + size)
      this.#out.copyWithin(lengthAt + size, lengthAt + reserved, this.#to)
      this.#to += size - reserved
    }
    writeVarint(this.#out, lengthAt, length)
  }

  /** A value with its tag; defaults are left out unless `keepDefault` or the field has presence. */
  #value(field: ShapeField, depth: number, keepDefault: boolean): void {
    this.#reserve()
    const start = this.#to
    this.#tag(field.tag)
    const kind = field.kind
    if (kind === KIND.STRING || kind === KIND.BYTES) {
      const lengthAt = this.#to++
      if (this.#source[this.#at] !== CHAR.QUOTE) this.#fail(`${field.name}: expected a string`)
      const from = this.#at
      this.#string()
      if (kind === KIND.BYTES) {
        this.#to = readBase64(this.#out, lengthAt + 1, this.#to)
        if (this.#to < 0) this.#fail(`${field.name}: not base64`, from)
      }
      if (this.#to === lengthAt + 1 && !field.present && !keepDefault) this.#to = start
      else this.#mendLength(lengthAt, 1)
    } else if (kind === KIND.MESSAGE) {
      const lengthAt = this.#to
      this.#to += field.lengthBytes
      if (this.#source[this.#at] === CHAR.OPEN_BRACE) {
        if (depth >= JSON_DEPTH_MAX) this.#fail('nested too deeply')
        this.#at++
        this.#object(field.shape, depth + 1)
      } else if (keepDefault && this.#source[this.#at] === 0x6e) {
        this.#literal('null') // an element of a list: the Collector keeps its place with an empty message
      } else this.#fail(`${field.name}: expected an object`)
      this.#mendLength(lengthAt, field.lengthBytes)
    } else if (kind === KIND.ID) {
      if (!this.#id(field)) this.#to = start
    } else if (this.#scalar(field) && !field.present) {
      this.#to = start
    }
  }

  /** Length and bytes of an id written in hexadecimal; false for the empty one, of which nothing is written. */
  #id(field: ShapeField): boolean {
    const source = this.#source
    const out = this.#out
    const bytes = field.idBytes
    let p = this.#at
    if (source[p] !== CHAR.QUOTE) this.#fail(`${field.name}: expected a string`)
    p++
    if (source[p] === CHAR.QUOTE) {
      this.#at = p + 1
      return false
    }
    let to = this.#to
    out[to++] = bytes
    for (let i = 0; i < bytes; i++, p += 2) {
      if (p + 1 >= this.#end) this.#fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`, this.#end)
      const digits = (readHexDigit(source[p]!) << 4) | readHexDigit(source[p + 1]!)
      if (digits < 0) this.#fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`)
      out[to++] = digits
    }
    if (source[p] !== CHAR.QUOTE) this.#fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`)
    this.#at = p + 1
    this.#to = to
    return true
  }

  /** Writes a number, truth value or enum without its tag; true where it is the default. */
  #scalar(field: ShapeField): boolean {
    switch (field.kind) {
      case KIND.DOUBLE: {
        const value = this.#double(field)
        this.#to = writeF64(this.#out, this.#to, value)
        return value === 0 && !Object.is(value, -0)
      }
      case KIND.BOOL: {
        const value = this.#source[this.#at] === 0x74
        if (!value && this.#source[this.#at] !== 0x66) this.#fail(`${field.name}: expected true or false`)
        this.#literal(value ? 'true' : 'false')
        this.#out[this.#to++] = value ? 1 : 0
        return !value
      }
      case KIND.ENUM:
        this.#enum(field)
        break
      default:
        this.#integer(field)
    }
    const zero = this.#low === 0 && this.#high === 0
    switch (field.kind) {
      case KIND.FIXED64:
      case KIND.SFIXED64: {
        const to = writeU32(this.#out, this.#to, this.#low)
        this.#to = writeU32(this.#out, to, this.#high)
        break
      }
      case KIND.FIXED32:
        this.#to = writeU32(this.#out, this.#to, this.#low)
        break
      case KIND.SINT32: {
        const value = this.#low | 0
        this.#to = writeVarint(this.#out, this.#to, ((value << 1) ^ (value >> 31)) >>> 0)
        break
      }
      default:
        this.#varint()
    }
    return zero
  }

  /** The two halves as a varint. */
  #varint(): void {
    const out = this.#out
    let to = this.#to
    let low = this.#low
    let high = this.#high
    while (high !== 0) {
      out[to++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.#to = writeVarint(out, to, low)
  }

  #enum(field: ShapeField): void {
    if (this.#source[this.#at] !== CHAR.QUOTE) {
      this.#integer(field)
      return
    }
    const from = this.#at
    const start = this.#to
    this.#string()
    const name = Buffer.from(this.#out.buffer, start, this.#to - start).toString()
    this.#to = start
    const number = field.enumNumbers?.get(name)
    if (number === undefined) this.#fail(`${field.name}: no such value`, from)
    this.#low = number
    this.#high = 0
  }

  /** A whole number, quoted or not (enums: not), into the two halves, as two's complement where it is negative. */
  #integer(field: ShapeField): void {
    const source = this.#source
    const end = this.#end
    let p = this.#at
    const quoted = source[p] === CHAR.QUOTE
    if (quoted) p++
    this.#negative = source[p] === CHAR.MINUS
    if (this.#negative || (quoted && source[p] === CHAR.PLUS)) p++
    const first = p
    while (quoted && source[p] === CHAR.ZERO && source[p + 1] !== CHAR.QUOTE) p++
    const digits = p
    let head = 0
    while (p < end && p < digits + 15) {
      const digit = source[p]! - CHAR.ZERO
      if (digit < 0 || digit > 9) break
      head = head * 10 + digit
      p++
    }
    if (p === first) this.#fail(`${field.name}: expected a whole number`)
    if (!quoted && p > first + 1 && source[first] === CHAR.ZERO)
      this.#fail(`${field.name}: a number with a leading zero`)
    let high = Math.floor(head / TWO_32)
    let low = head - high * TWO_32
    if (p === digits + 15) {
      let tail = 0
      let scale = 1
      while (p < end) {
        const digit = source[p]! - CHAR.ZERO
        if (digit < 0 || digit > 9) break
        if (scale === 100_000) this.#fail(`${field.name}: the number is too large`)
        tail = tail * 10 + digit
        scale *= 10
        p++
      }
      // Both products are exact: 2^32 * 10^5 is below 2^53.
      const product = low * scale + tail
      const carry = Math.floor(product / TWO_32)
      low = product - carry * TWO_32
      high = high * scale + carry
      if (high >= TWO_32) this.#fail(`${field.name}: the number is too large`)
    }
    const next = source[p]
    if (quoted ? next !== CHAR.QUOTE : next === CHAR.DOT || next === 0x65 || next === 0x45) {
      this.#fail(`${field.name}: expected a whole number`, Math.min(p, end))
    }
    this.#low = low
    this.#high = high
    this.#checkRange(field)
    this.#at = quoted ? p + 1 : p
  }

  /** Refuses what the field's type cannot hold, and gives negative numbers their two's complement. */
  #checkRange(field: ShapeField): void {
    const low = this.#low
    const high = this.#high
    let fits: boolean
    switch (field.kind) {
      case KIND.UINT64:
      case KIND.FIXED64:
        fits = !this.#negative || (low === 0 && high === 0)
        break
      case KIND.UINT32:
      case KIND.FIXED32:
        fits = high === 0 && (!this.#negative || low === 0)
        break
      case KIND.INT64:
      case KIND.SFIXED64:
        fits = high < 0x80000000 || (this.#negative && high === 0x80000000 && low === 0)
        break
      default:
        fits = high === 0 && (low < 0x80000000 || (this.#negative && low === 0x80000000))
    }
    if (!fits) this.#fail(`${field.name}: the number does not fit its type`)
    if (!this.#negative) return
    this.#low = -low >>> 0
    this.#high = ~high >>> 0
    if (low === 0) this.#high = -high >>> 0
  }

  #double(field: ShapeField): number {
    const source = this.#source
    const end = this.#end
    const from = this.#at
    if (source[from] === CHAR.QUOTE) {
      const start = this.#to
      this.#string()
      const value = parseQuotedDouble(Buffer.from(this.#out.buffer, start, this.#to - start).toString())
      this.#to = start
      if (value === undefined) this.#fail(`${field.name}: expected a number`, from)
      return value
    }
    let p = this.#numberEnd(`${field.name}: `)
    this.#at = p
    // Fifteen digits and a power of ten up to 22 are exact doubles, so one operation rounds correctly.
    const negative = source[from] === CHAR.MINUS
    let mantissa = 0
    let digits = 0
    let power = 0
    let fraction = false
    for (p = negative ? from + 1 : from; p < this.#at; p++) {
      const char = source[p]!
      if (char === CHAR.DOT) fraction = true
      else if (char > 0x39) break
      else {
        mantissa = mantissa * 10 + char - CHAR.ZERO
        if (mantissa !== 0) digits++
        if (fraction) power--
      }
    }
    if (digits <= 15 && power >= -22 && p === this.#at) {
      const value = power === 0 ? mantissa : mantissa / POWERS_OF_TEN[-power]!
      return negative ? -value : value
    }
    const value = Number(
      Buffer.from(source.buffer, source.byteOffset + from, Math.min(this.#at, end) - from).toString(),
    )
    if (!Number.isFinite(value)) this.#fail(`${field.name}: the number is too large`, from)
    return value
  }

  /** RFC 8259, chapter 6: where the number that begins here ends. */
  #numberEnd(where: string): number {
    const source = this.#source
    const isDigit = (at: number): boolean => at < this.#end && source[at]! >= CHAR.ZERO && source[at]! <= 0x39
    let p = this.#at
    if (source[p] === CHAR.MINUS) p++
    if (!isDigit(p)) this.#fail(`${where}expected a number`, p < this.#end ? this.#at : this.#end)
    if (source[p] === CHAR.ZERO) p++
    else while (isDigit(p)) p++
    if (isDigit(p)) this.#fail(`${where}a number with a leading zero`)
    if (source[p] === CHAR.DOT) {
      p++
      if (!isDigit(p)) this.#fail(`${where}expected a digit`, p)
      while (isDigit(p)) p++
    }
    if (p < this.#end && (source[p]! | 0x20) === 0x65) {
      p++
      if (source[p] === CHAR.PLUS || source[p] === CHAR.MINUS) p++
      if (!isDigit(p)) this.#fail(`${where}expected a digit`, p)
      while (isDigit(p)) p++
    }
    return p
  }

  #literal(word: string): void {
    for (let i = 0; i < word.length; i++) {
      if (this.#source[this.#at + i] !== word.charCodeAt(i)) {
        this.#fail(`expected ${word}`, this.#at + i >= this.#end ? this.#end : this.#at)
      }
    }
    this.#at += word.length
  }

  /** Copies the string that begins here, escapes resolved; room for it was reserved. */
  #string(): void {
    const source = this.#source
    const out = this.#out
    const end = this.#end
    let to = this.#to
    let p = this.#at + 1
    for (; p < end; p++) {
      const char = source[p]!
      if (char === CHAR.QUOTE) {
        this.#at = p + 1
        this.#to = to
        return
      }
      if (char === CHAR.BACKSLASH) {
        this.#at = p
        this.#to = to
        this.#escape()
        p = this.#at - 1
        to = this.#to
      } else if (char < 0x20) this.#fail('a control character in a string', p)
      else out[to++] = char
    }
    this.#fail('expected the end of a string', end)
  }

  /** The escape that begins here, as UTF-8. Half of a surrogate pair becomes U+FFFD, as Go makes it. */
  #escape(): void {
    const letter = this.#source[this.#at + 1]
    if (letter !== 0x75) {
      const plain = letter === undefined ? -1 : ESCAPES.indexOf(letter)
      if (plain < 0) this.#fail('no such escape in a string', this.#at + 1)
      this.#out[this.#to++] = ESCAPED[plain]!
      this.#at += 2
      return
    }
    let code = this.#hex4(this.#at + 2)
    this.#at += 6
    if (code >= 0xd800 && code < 0xe000) {
      const paired = code < 0xdc00 && this.#source[this.#at] === CHAR.BACKSLASH && this.#source[this.#at + 1] === 0x75
      const second = paired ? this.#hex4(this.#at + 2) : 0
      if (second >= 0xdc00 && second < 0xe000) {
        code = 0x10000 + ((code & 0x3ff) << 10) + (second & 0x3ff)
        this.#at += 6
      } else code = 0xfffd
    }
    const out = this.#out
    if (code < 0x80) out[this.#to++] = code
    else {
      if (code < 0x800) out[this.#to++] = 0xc0 | (code >> 6)
      else {
        if (code < 0x10000) out[this.#to++] = 0xe0 | (code >> 12)
        else {
          out[this.#to++] = 0xf0 | (code >> 18)
          out[this.#to++] = 0x80 | ((code >> 12) & 0x3f)
        }
        out[this.#to++] = 0x80 | ((code >> 6) & 0x3f)
      }
      out[this.#to++] = 0x80 | (code & 0x3f)
    }
  }

  #hex4(at: number): number {
    let code = 0
    for (let i = 0; i < 4; i++) {
      if (at + i >= this.#end) this.#fail('expected four hexadecimal digits', this.#end)
      code = (code << 4) | readHexDigit(this.#source[at + i]!)
    }
    if (code < 0) this.#fail('expected four hexadecimal digits', at)
    return code
  }

  /** Reads over a value of a name that nobody knows; it has to be JSON all the same. */
  #skipValue(depth: number): void {
    if (depth >= JSON_DEPTH_MAX) this.#fail('nested too deeply')
    switch (this.#source[this.#at]) {
      case CHAR.QUOTE: {
        this.#reserve()
        const start = this.#to
        this.#string()
        this.#to = start
        break
      }
      case CHAR.OPEN_BRACE:
        this.#skipInside(CHAR.CLOSE_BRACE, depth)
        break
      case CHAR.OPEN_BRACKET:
        this.#skipInside(CHAR.CLOSE_BRACKET, depth)
        break
      case 0x74:
        this.#literal('true')
        break
      case 0x66:
        this.#literal('false')
        break
      case 0x6e:
        this.#literal('null')
        break
      default:
        this.#at = this.#numberEnd('an unknown name: ')
    }
  }

  #skipInside(close: number, depth: number): void {
    this.#at++
    if (this.#skipSpace() === close) {
      this.#at++
      return
    }
    for (;;) {
      if (close === CHAR.CLOSE_BRACE) {
        if (this.#source[this.#at] !== CHAR.QUOTE) this.#fail('expected a name in quotes')
        this.#skipValue(depth)
        if (this.#skipSpace() !== CHAR.COLON) this.#fail('expected a colon')
        this.#at++
        this.#skipSpace()
      }
      this.#skipValue(depth + 1)
      const char = this.#skipSpace()
      if (char !== close && char !== CHAR.COMMA) this.#fail('expected a comma or a closing bracket')
      this.#at++
      if (char === close) return
      this.#skipSpace()
    }
  }
}

const ESCAPES = Buffer.from('"\\/bfnrt')
const ESCAPED = Buffer.from('"\\/\b\f\n\r\t')

/** Only for the words of an error: where the text stops being UTF-8. */
function firstInvalidUtf8(text: Uint8Array): number {
  let good = 0
  let bad = text.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    // A character that the cut goes through is no fault: up to three bytes of it are left out.
    let cut = middle
    while (cut > good && cut > middle - 4 && (text[cut]! & 0xc0) === 0x80) cut--
    if (isUtf8(text.subarray(0, cut))) good = middle
    else bad = middle
  }
  return good
}
