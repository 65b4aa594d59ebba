// JSON of payloads, into one growing array: from bytes to bytes.

import { JsonText } from '../../../otlp/json/json-text.ts'
import { CHAR } from '../../../otlp/json/text.ts'
import { VALUE, type ValueView } from '../../../otlp/value.ts'
import type { Writer } from '../../../wire/writer.ts'

const MAX_SAFE_HIGH = 0x200000

export class Pen extends JsonText {
  #second = Number.NaN
  #secondText = ''

  get length(): number {
    return this.to
  }

  clear(): this {
    this.to = 0
    return this
  }

  /** ASCII as it is. */
  ascii(text: string): void {
    this.text(text)
  }

  raw(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.reserve(to - from)
    const out = this.out
    let at = this.to
    for (let i = from; i < to; i++) out[at++] = bytes[i]!
    this.to = at
  }

  /** An id in quotes. */
  hexOf(bytes: Uint8Array, from: number, to: number): void {
    this.source = bytes
    this.hex(from, to)
  }

  quoted(bytes: Uint8Array, from: number, to: number): void {
    this.source = bytes
    this.string(from, to)
  }

  /** A finite number. */
  number(value: number): void {
    if (Number.isInteger(value) && Math.abs(value) < 1e15) {
      if (Object.is(value, -0)) this.text('-0')
      else this.decimal(value)
      return
    }
    // What has at most three decimals, as readings do, is written without a string. Of at most 15 digits only one decimal
    // is a given double, so it is the one that JavaScript writes.
    const thousandths = Math.round(value * 1000)
    if (thousandths / 1000 !== value || Math.abs(thousandths) >= 1e15) {
      this.text(String(value))
      return
    }
    const size = Math.abs(thousandths)
    const whole = Math.floor(size / 1000)
    let rest = size - whole * 1000
    if (thousandths < 0) this.byte(CHAR.MINUS)
    this.decimal(whole)
    this.byte(CHAR.DOT)
    for (let power = 100; rest > 0; power /= 10) {
      const digit = Math.floor(rest / power)
      this.byte(CHAR.ZERO + digit)
      rest -= digit * power
    }
  }

  /** An int64 as a number of JSON: its digits, whatever a reader makes of them. */
  int64(low: number, high: number): void {
    const signed = high | 0
    if (signed >= -MAX_SAFE_HIGH && signed < MAX_SAFE_HIGH) this.decimal(signed * 0x100000000 + low)
    else this.text(String(BigInt.asIntN(64, (BigInt(high) << 32n) | BigInt(low))))
  }

  /** Nanoseconds since 1970 as RFC 3339 in UTC: with as many digits behind the second as it takes, in threes. */
  time(low: number, high: number): void {
    // In two steps, each exact: the seconds of 2^64 ns, and what is left below 10^9.
    const headHigh = Math.floor(high / 1e9)
    const middle = (high - headHigh * 1e9) * 0x10000 + (low >>> 16)
    const headMiddle = Math.floor(middle / 1e9)
    const bottom = (middle - headMiddle * 1e9) * 0x10000 + (low & 0xffff)
    const headBottom = Math.floor(bottom / 1e9)
    const nanos = bottom - headBottom * 1e9
    const second = headHigh * 0x100000000 + headMiddle * 0x10000 + headBottom
    if (second !== this.#second) {
      this.#second = second
      this.#secondText = new Date(second * 1000).toISOString().slice(0, -5)
    }
    this.byte(CHAR.QUOTE)
    this.text(this.#secondText)
    if (nanos > 0) {
      this.byte(CHAR.DOT)
      if (nanos % 1e6 === 0) this.#padded(nanos / 1e6, 3)
      else if (nanos % 1e3 === 0) this.#padded(nanos / 1e3, 6)
      else this.#padded(nanos, 9)
    }
    this.byte(0x5a)
    this.byte(CHAR.QUOTE)
  }

  #padded(value: number, digits: number): void {
    for (let power = 10 ** (digits - 1); power >= 1; power /= 10)
      this.byte(CHAR.ZERO + (Math.floor(value / power) % 10))
  }

  /** An attribute's value or a body: lists and maps as JSON, bytes in base64; what JSON has no word for as null. */
  value(value: ValueView): void {
    switch (value.type) {
      case VALUE.STRING:
        this.quoted(value.bytes, value.start, value.end)
        break
      case VALUE.INT:
        this.int64(value.intLow(), value.intHigh())
        break
      case VALUE.DOUBLE:
        if (Number.isFinite(value.number())) this.number(value.number())
        else this.text('null')
        break
      case VALUE.BOOL:
        this.text(value.bool() ? 'true' : 'false')
        break
      case VALUE.LIST:
      case VALUE.MAP: {
        const json = Buffer.from(value.toText())
        if (json.length === 0) this.text('null')
        else this.raw(json)
        break
      }
      case VALUE.BYTES:
        this.text(`"${value.toText()}"`)
        break
      default:
        this.text('null')
    }
  }

  /** What stands from `from` to `to`, into another. */
  copyInto(pen: Pen, from: number, to: number): void {
    pen.raw(this.out, from, to)
  }

  /** Everything from `from` to `to`, into `writer`. */
  copyTo(writer: Writer, from = 0, to = this.to): void {
    writer.copy(this.out, from, to)
  }
}
