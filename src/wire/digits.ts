// Numbers as decimal digits, written straight into an array: no string is made of them.

const ZERO = 48
const MINUS = 45
const POINT = 46

/** What writeDecimal() writes at most: sign, nine digits, point, six digits; or the sign and sixteen digits. */
export const DECIMAL_MAX_BYTES = 17

/** Writes a whole number from 0 to 2^53 at `at` and returns the offset behind it: 16 digits at most. */
export function writeWhole(bytes: Uint8Array, at: number, value: number): number {
  if (value < 1e9) return writePadded(bytes, at, value, digitsOf(value))
  const high = Math.floor(value / 1e9)
  return writePadded(bytes, writePadded(bytes, at, high, digitsOf(high)), value - high * 1e9, 9)
}

/** Writes a whole number below 10^`digits`, at most 10^9, with zeros in front; returns the offset behind it. */
export function writePadded(bytes: Uint8Array, at: number, value: number, digits: number): number {
  let rest = value | 0
  for (let p = at + digits - 1; p >= at; p--) {
    const tenth = (rest / 10) | 0
    bytes[p] = ZERO + rest - tenth * 10
    rest = tenth
  }
  return at + digits
}

/**
 * Writes a double as String() would, where it is whole and within ±2^53, or below 10^9 with six decimals at most, as are
 * nearly all that sensors send; returns the offset behind it. 0 for any other, of which nothing is written.
 */
export function writeDecimal(bytes: Uint8Array, at: number, value: number): number {
  const size = value < 0 ? -value : value
  const whole = Math.floor(size)
  const isWhole = whole === size
  // Of at most 15 digits only one decimal is a given double: the quotient of whole numbers below 2^53 is the one nearest to
  // those digits.
  const millionths = isWhole ? 0 : Math.round(size * 1e6)
  if (isWhole ? !(size <= Number.MAX_SAFE_INTEGER) : !(size < 1e9 && millionths / 1e6 === size)) return 0
  let p = at
  if (value < 0) bytes[p++] = MINUS
  p = writeWhole(bytes, p, whole)
  if (isWhole) return p
  let fraction = (millionths - whole * 1e6) | 0
  let places = 6
  for (; fraction % 10 === 0; places--) fraction = (fraction / 10) | 0
  bytes[p++] = POINT
  return writePadded(bytes, p, fraction, places)
}

/** Digits of a whole number below 10^9. */
function digitsOf(value: number): number {
  if (value < 1e4) return value < 1e2 ? (value < 10 ? 1 : 2) : value < 1e3 ? 3 : 4
  if (value < 1e6) return value < 1e5 ? 5 : 6
  return value < 1e8 ? (value < 1e7 ? 7 : 8) : 9
}
