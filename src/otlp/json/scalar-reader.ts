// One JSON value of a field that holds no message, as its protobuf bytes: numbers, truth values, enums, ids.

import { writeF64, writeU32, writeVarint } from '../../wire/varint.ts'
import { JsonScanner } from './scanner.ts'
import { KIND, type ShapeField } from './shape.ts'
import { CHAR, POWERS_OF_TEN, parseQuotedDouble, readHexDigit } from './text.ts'

const TWO_32 = 2 ** 32

export class ScalarReader extends JsonScanner {
  // The whole number read last: magnitude in two halves, and its sign.
  #low = 0
  #high = 0
  #negative = false

  /** Writes a number, truth value or enum without its tag; true where it is the default. */
  protected scalar(field: ShapeField): boolean {
    switch (field.kind) {
      case KIND.DOUBLE: {
        const value = this.#double(field)
        this.to = writeF64(this.out, this.to, value)
        return value === 0 && !Object.is(value, -0)
      }
      case KIND.BOOL: {
        const value = this.source[this.at] === 0x74
        if (!value && this.source[this.at] !== 0x66) this.fail(`${field.name}: expected true or false`)
        this.literal(value ? 'true' : 'false')
        this.out[this.to++] = value ? 1 : 0
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
        const to = writeU32(this.out, this.to, this.#low)
        this.to = writeU32(this.out, to, this.#high)
        break
      }
      case KIND.FIXED32:
        this.to = writeU32(this.out, this.to, this.#low)
        break
      case KIND.SINT32: {
        const value = this.#low | 0
        this.to = writeVarint(this.out, this.to, ((value << 1) ^ (value >> 31)) >>> 0)
        break
      }
      default:
        this.#varint()
    }
    return zero
  }

  /** Length and bytes of an id written in hexadecimal; false for the empty one, of which nothing is written. */
  protected id(field: ShapeField): boolean {
    const source = this.source
    const out = this.out
    const bytes = field.idBytes
    let p = this.at
    if (source[p] !== CHAR.QUOTE) this.fail(`${field.name}: expected a string`)
    p++
    if (source[p] === CHAR.QUOTE) {
      this.at = p + 1
      return false
    }
    let to = this.to
    out[to++] = bytes
    for (let i = 0; i < bytes; i++, p += 2) {
      if (p + 1 >= this.end) this.fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`, this.end)
      const digits = (readHexDigit(source[p]!) << 4) | readHexDigit(source[p + 1]!)
      if (digits < 0) this.fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`)
      out[to++] = digits
    }
    if (source[p] !== CHAR.QUOTE) this.fail(`${field.name}: expected ${bytes * 2} hexadecimal digits`)
    this.at = p + 1
    this.to = to
    return true
  }

  /** The two halves as a varint. */
  #varint(): void {
    const out = this.out
    let to = this.to
    let low = this.#low
    let high = this.#high
    while (high !== 0) {
      out[to++] = (low & 0x7f) | 0x80
      low = ((low >>> 7) | (high << 25)) >>> 0
      high >>>= 7
    }
    this.to = writeVarint(out, to, low)
  }

  #enum(field: ShapeField): void {
    if (this.source[this.at] !== CHAR.QUOTE) {
      this.#integer(field)
      return
    }
    const from = this.at
    const start = this.to
    this.string()
    const name = Buffer.from(this.out.buffer, start, this.to - start).toString()
    this.to = start
    const number = field.enumNumbers?.get(name)
    if (number === undefined) this.fail(`${field.name}: no such value`, from)
    this.#low = number
    this.#high = 0
  }

  /** A whole number, quoted or not (enums: not), into the two halves, as two's complement where it is negative. */
  #integer(field: ShapeField): void {
    const source = this.source
    const end = this.end
    let p = this.at
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
    if (p === first) this.fail(`${field.name}: expected a whole number`)
    if (!quoted && p > first + 1 && source[first] === CHAR.ZERO)
      this.fail(`${field.name}: a number with a leading zero`)
    let high = Math.floor(head / TWO_32)
    let low = head - high * TWO_32
    if (p === digits + 15) {
      let tail = 0
      let scale = 1
      while (p < end) {
        const digit = source[p]! - CHAR.ZERO
        if (digit < 0 || digit > 9) break
        if (scale === 100_000) this.fail(`${field.name}: the number is too large`)
        tail = tail * 10 + digit
        scale *= 10
        p++
      }
      // Both products are exact: 2^32 * 10^5 is below 2^53.
      const product = low * scale + tail
      const carry = Math.floor(product / TWO_32)
      low = product - carry * TWO_32
      high = high * scale + carry
      if (high >= TWO_32) this.fail(`${field.name}: the number is too large`)
    }
    const next = source[p]
    if (quoted ? next !== CHAR.QUOTE : next === CHAR.DOT || next === 0x65 || next === 0x45) {
      this.fail(`${field.name}: expected a whole number`, Math.min(p, end))
    }
    this.#low = low
    this.#high = high
    this.#checkRange(field)
    this.at = quoted ? p + 1 : p
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
    if (!fits) this.fail(`${field.name}: the number does not fit its type`)
    if (!this.#negative) return
    this.#low = -low >>> 0
    this.#high = ~high >>> 0
    if (low === 0) this.#high = -high >>> 0
  }

  #double(field: ShapeField): number {
    const source = this.source
    const end = this.end
    const from = this.at
    if (source[from] === CHAR.QUOTE) {
      const start = this.to
      this.string()
      const value = parseQuotedDouble(Buffer.from(this.out.buffer, start, this.to - start).toString())
      this.to = start
      if (value === undefined) this.fail(`${field.name}: expected a number`, from)
      return value
    }
    let p = this.numberEnd(field.name)
    this.at = p
    // Fifteen digits and a power of ten up to 22 are exact doubles, so one operation rounds correctly.
    const negative = source[from] === CHAR.MINUS
    let mantissa = 0
    let digits = 0
    let power = 0
    let fraction = false
    for (p = negative ? from + 1 : from; p < this.at; p++) {
      const char = source[p]!
      if (char === CHAR.DOT) fraction = true
      else if (char > 0x39) break
      else {
        mantissa = mantissa * 10 + char - CHAR.ZERO
        if (mantissa !== 0) digits++
        if (fraction) power--
      }
    }
    if (digits <= 15 && power >= -22 && p === this.at) {
      const value = power === 0 ? mantissa : mantissa / POWERS_OF_TEN[-power]!
      return negative ? -value : value
    }
    const value = Number(Buffer.from(source.buffer, source.byteOffset + from, Math.min(this.at, end) - from).toString())
    if (!Number.isFinite(value)) this.fail(`${field.name}: the number is too large`, from)
    return value
  }
}
