// The values that hash and convert put in the place of old ones.

import { hash } from 'node:crypto'
import { encodeDouble, encodeInt, encodeString } from '../otlp/encode.ts'
import { VALUE, type ValueView } from '../otlp/value.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

const EMPTY_TEXT = encodeString('')

const HEX_DIGITS = 64

/** Hashes values; the AnyValue it gives is reused by the next call. */
export class ValueHash {
  // AnyValue { string_value 1: the digits }
  readonly #value = Buffer.from([10, HEX_DIGITS, ...new Array(HEX_DIGITS)])
  readonly #number = Buffer.alloc(8)

  /**
   * The SHA-256 of a text, of one byte for a bool, of eight bytes, little-endian, for a number. A value of another type
   * becomes the empty text.
   */
  of(value: ValueView): Uint8Array {
    const bytes = this.#hashedBytes(value)
    if (bytes === undefined) return EMPTY_TEXT
    // Digits, and not a buffer: a buffer for each digest takes three times as long, most of it in the garbage collector.
    this.#value.write(hash('sha256', bytes, 'hex'), 2, 'latin1')
    return this.#value
  }

  #hashedBytes(value: ValueView): Uint8Array | undefined {
    switch (value.type) {
      case VALUE.STRING:
        return value.bytes.subarray(value.start, value.end)
      case VALUE.BOOL:
        return Uint8Array.of(value.bool() ? 1 : 0)
      case VALUE.INT:
        this.#number.writeUInt32LE(value.intLow(), 0)
        this.#number.writeUInt32LE(value.intHigh(), 4)
        return this.#number
      case VALUE.DOUBLE:
        this.#number.writeDoubleLE(value.number())
        return this.#number
      default:
        return undefined
    }
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
