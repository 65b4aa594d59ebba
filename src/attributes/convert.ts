// The values that hash and convert put in the place of old ones.

import { encodeDouble, encodeInt, encodeString } from '../otlp/encode.ts'
import { VALUE, type ValueView } from '../otlp/value.ts'
import { HEX_DIGITS, Sha256 } from './sha256.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const EMPTY_TEXT = encodeString('')

/** Hashes values; the AnyValue it gives is reused by the next call. */
export class ValueHash {
  readonly #sha = new Sha256()
  // AnyValue { string_value 1: the digits }
  readonly #value = Buffer.from([10, HEX_DIGITS, ...new Array(HEX_DIGITS)])
  readonly #number = Buffer.alloc(8)

  /**
   * The SHA-256 of a text, of one byte for a bool, of eight bytes, little-endian, for a number. A value of another type
   * becomes the empty text.
   */
  of(value: ValueView): Uint8Array {
    const number = this.#number
    switch (value.type) {
      case VALUE.STRING:
        return this.#digits(value.bytes, value.start, value.end)
      case VALUE.BOOL:
        number[0] = value.bool() ? 1 : 0
        return this.#digits(number, 0, 1)
      case VALUE.INT:
        number.writeUInt32LE(value.intLow(), 0)
        number.writeUInt32LE(value.intHigh(), 4)
        return this.#digits(number, 0, 8)
      case VALUE.DOUBLE:
        number.writeDoubleLE(value.number())
        return this.#digits(number, 0, 8)
      default:
        return EMPTY_TEXT
    }
  }

  #digits(bytes: Uint8Array, from: number, to: number): Uint8Array {
    this.#sha.writeHex(bytes, from, to, this.#value, 2)
    return this.#value
  }
}

/** The AnyValue of the other type, or undefined where the value stays as it is. */
export function converted(value: ValueView, to: 'string' | 'int' | 'double'): Uint8Array | undefined {
  if (to === 'string') return value.type === VALUE.STRING ? undefined : encodeString(value.toText())
  if (to === 'int') {
    const int = toInt(value)
    return int === undefined ? undefined : encodeInt(int)
  }
  const double = toDouble(value)
  return double === undefined ? undefined : encodeDouble(double)
}

function toInt(value: ValueView): bigint | undefined {
  switch (value.type) {
    case VALUE.STRING: {
      const [, sign, digits] = INTEGER.exec(value.toText()) ?? []
      if (digits === undefined) return undefined
      const int = sign === '-' ? -BigInt(digits) : BigInt(digits)
      return int >= INT64_MIN && int <= INT64_MAX ? int : undefined
    }
    case VALUE.BOOL:
      return value.bool() ? 1n : 0n
    case VALUE.DOUBLE: {
      // What does not fit becomes the smallest number, as it does in the Collector on its usual machines.
      const double = Math.trunc(value.number())
      return double >= -(2 ** 63) && double < 2 ** 63 ? BigInt(double) : INT64_MIN
    }
    default:
      return undefined
  }
}

// No more digits than an int64 has: those of a million would take BigInt 80 ms, those of a whole request seconds.
const INTEGER = /^([+-]?)0*(\d{1,19})$/
// As Go reads floating-point numbers: single underscores may stand between digits.
const DIGITS = '\\d+(?:_\\d+)*'
const DECIMAL = new RegExp(`^[+-]?(?:${DIGITS}(?:\\.(?:${DIGITS})?)?|\\.${DIGITS})(?:e[+-]?${DIGITS})?$`, 'i')
const INFINITE = /^[+-]?inf(?:inity)?$/i

function toDouble(value: ValueView): number | undefined {
  switch (value.type) {
    case VALUE.STRING: {
      const text = value.toText()
      if (INFINITE.test(text)) return text.startsWith('-') ? -Infinity : Infinity
      if (/^nan$/i.test(text)) return Number.NaN
      const double = DECIMAL.test(text) ? Number(text.replaceAll('_', '')) : Number.NaN
      return Number.isFinite(double) ? double : undefined
    }
    case VALUE.BOOL:
      return value.bool() ? 1 : 0
    case VALUE.INT:
      return value.number()
    default:
      return undefined
  }
}
