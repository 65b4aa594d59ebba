// Numbers as JSON writes them: the nearest double, and where that is not all of it the 64-bit integer.

import { POWERS_OF_TEN } from '../otlp/json/text.ts'

const MINUS = 0x2d
const ZERO = 0x30

/** A number that JSON may write, in `bytes[from, to)`; the nearest double, infinite where none is large enough. */
export function readDouble(bytes: Uint8Array, from: number, to: number): number {
  // Fifteen digits and a power of ten up to 22 are exact doubles, so one operation rounds correctly.
  const negative = bytes[from] === MINUS
  let mantissa = 0
  let digits = 0
  let power = 0
  let fraction = false
  let p = negative ? from + 1 : from
  for (; p < to; p++) {
    const char = bytes[p]!
    if (char === 0x2e) fraction = true
    else if (char > 0x39 || char < ZERO) break
    else {
      mantissa = mantissa * 10 + char - ZERO
      if (mantissa !== 0) digits++
      if (fraction) power--
    }
  }
  if (digits > 15 || power < -22 || p !== to)
    return Number(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1'))
  const value = power === 0 ? mantissa : mantissa / POWERS_OF_TEN[-power]!
  return negative ? -value : value
}

/** An integer as the two halves of its two's complement. */
export interface Integer64 {
  readonly low: number
  readonly high: number
}

/** From here on doubles leave integers out. */
export const WHOLE_LIMIT = 2 ** 53

/** The integer that is written in `bytes[from, to)`; undefined where it is none, or none of 64 bits. */
export function readInteger64(bytes: Uint8Array, from: number, to: number): Integer64 | undefined {
  const negative = bytes[from] === MINUS
  let low = 0
  let high = 0
  const first = negative ? from + 1 : from
  for (let p = first; p < to; p++) {
    const digit = bytes[p]! - ZERO
    if (digit < 0 || digit > 9) return undefined
    low = low * 10 + digit
    const carry = Math.floor(low / 4294967296)
    low -= carry * 4294967296
    high = high * 10 + carry
    if (high > 0x80000000) return undefined
  }
  const isLowest = negative && high === 0x80000000 && low === 0
  if (first === to || (high === 0x80000000 && !isLowest)) return undefined
  if (!negative) return { low, high }
  return low === 0 ? { low, high: -high >>> 0 } : { low: -low >>> 0, high: ~high >>> 0 }
}
