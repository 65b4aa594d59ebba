// The 56 bits that sampling compares: the randomness of an item and the threshold that it must reach (OpenTelemetry,
// "TraceState: Probability Sampling"). Kept as 24 and 32 bits, so that no BigInt is needed.
//
//   sampled  =  threshold <= randomness          th: at most 14 hexadecimal digits, zeros at the end left out; 0: always
//                                                rv: exactly 14

const HIGH = 0x1000000
const LOW = 0x100000000
/** Of a whole randomness; a threshold has at most as many. */
export const DIGITS = 14
const HIGH_DIGITS = 6

export class Bits {
  /** Up to 2^24, which as a threshold says never. */
  high = 0
  low = 0

  set(high: number, low: number): this {
    this.high = high
    this.low = low
    return this
  }

  copy(from: Bits): this {
    return this.set(from.high, from.low)
  }

  exceeds(other: Bits): boolean {
    return this.high === other.high ? this.low > other.low : this.high > other.high
  }
}

export const always = (): Bits => new Bits()
export const never = (): Bits => new Bits().set(HIGH, 0)
/** Reaches every threshold but never. */
export const mostRandom = (): Bits => new Bits().set(HIGH - 1, LOW - 1)

export const MIN_PROBABILITY = 2 ** -56

/** The share of all items that reach a threshold: the nearest double. */
export const probabilityOf = ({ high, low }: Bits): number => ((HIGH - high) * LOW - low) / 2 ** 56

/**
 * The threshold that a share of items reaches, with that many significant hexadecimal digits, more where the share is near
 * 0 or 1. False, and nothing set, for a share below 2^-56 or above 1.
 */
export function setThreshold(threshold: Bits, probability: number, precision: number): boolean {
  if (!(probability >= MIN_PROBABILITY && probability <= 1)) return false
  if (probability === 1) {
    threshold.set(0, 0)
    return true
  }
  const digits = Math.min(DIGITS, precision + Math.max(leadingDigits(probability), leadingDigits(1 - probability)))
  const kept = Math.round(probability * 2 ** 56)
  const keptHigh = Math.floor(kept / LOW)
  let low = keptHigh * LOW - kept
  let high = HIGH - keptHigh
  if (low < 0) {
    low += LOW
    high--
  }
  // Round at the last digit, halves up.
  const unit = 16 ** (DIGITS - digits)
  if (unit > LOW) {
    const step = unit / LOW
    high = Math.floor((high + step / 2) / step) * step
    low = 0
  } else if (unit > 1) {
    low = Math.floor((low + unit / 2) / unit) * unit
    if (low >= LOW) {
      low -= LOW
      high++
    }
  }
  threshold.set(high, low)
  return true
}

/** Hexadecimal zeros behind the point: a quarter of the exponent e in m * 2^-e with m from 1/2 to 1, towards zero. */
function leadingDigits(fraction: number): number {
  let exponent = 0
  // A division by two is exact, and there are at most 56 of them.
  for (let rest = fraction; rest < 0.5; rest *= 2) exponent++
  return Math.floor(exponent / 4)
}

/** Reads hexadecimal digits, zeros to follow. False where something else stands there, or more than 14. */
export function readDigits(bits: Bits, bytes: Uint8Array, from: number, to: number): boolean {
  if (to === from || to - from > DIGITS) return false
  let high = 0
  let low = 0
  for (let i = 0; i < DIGITS; i++) {
    const digit = from + i < to ? digitOf(bytes[from + i]!) : 0
    if (digit < 0) return false
    if (i < HIGH_DIGITS) high = high * 16 + digit
    else low = low * 16 + digit
  }
  bits.set(high, low)
  return true
}

function digitOf(char: number): number {
  if (char >= 48 && char <= 57) return char - 48
  const letter = char | 32
  return letter >= 97 && letter <= 102 ? letter - 87 : -1
}

/** The two digits of each byte as a little-endian number. */
const PAIRS = Uint16Array.from({ length: 256 }, (_, byte) => {
  const [first, second] = Buffer.from(byte.toString(16).padStart(2, '0'))
  return first! | (second! << 8)
})

/** Writes all 14 digits and returns the offset behind them. */
export function writeRandomness(target: DataView, at: number, { high, low }: Bits): number {
  target.setUint16(at, PAIRS[(high >>> 16) & 0xff]!, true)
  target.setUint16(at + 2, PAIRS[(high >>> 8) & 0xff]!, true)
  target.setUint16(at + 4, PAIRS[high & 0xff]!, true)
  target.setUint16(at + 6, PAIRS[low >>> 24]!, true)
  target.setUint16(at + 8, PAIRS[(low >>> 16) & 0xff]!, true)
  target.setUint16(at + 10, PAIRS[(low >>> 8) & 0xff]!, true)
  target.setUint16(at + 12, PAIRS[low & 0xff]!, true)
  return at + DIGITS
}

/** Writes what is left without the zeros at the end, and one of them for always. Not for never. */
export function writeThreshold(target: DataView, at: number, threshold: Bits): number {
  let end = writeRandomness(target, at, threshold)
  while (end > at + 1 && target.getUint8(end - 1) === 48) end--
  return end
}

export function textOf(write: typeof writeRandomness, bits: Bits): string {
  const digits = new DataView(new ArrayBuffer(DIGITS))
  return Buffer.from(digits.buffer, 0, write(digits, 0, bits)).toString('latin1')
}
