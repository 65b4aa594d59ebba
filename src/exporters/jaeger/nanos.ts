// Seconds and the nanoseconds beside them, of 64-bit counts of nanoseconds given as two halves.

const BILLION = 1_000_000_000
const HALF = 0x10000
const WORD = 0x100000000

export class Nanos {
  seconds = 0
  nanos = 0

  /** Long division by 16 bits, each step exact in a double. */
  set(high: number, low: number): this {
    let seconds = Math.floor(high / BILLION)
    let rest = (high - seconds * BILLION) * HALF + (low >>> 16)
    let digit = Math.floor(rest / BILLION)
    seconds = seconds * HALF + digit
    rest = (rest - digit * BILLION) * HALF + (low & 0xffff)
    digit = Math.floor(rest / BILLION)
    this.seconds = seconds * HALF + digit
    this.nanos = rest - digit * BILLION
    return this
  }

  /** `end` minus `start`; what is below zero has both parts below zero, as protobuf's Duration wants it. */
  setDifference(endHigh: number, endLow: number, startHigh: number, startLow: number): this {
    const isNegative = endHigh < startHigh || (endHigh === startHigh && endLow < startLow)
    let high = isNegative ? startHigh - endHigh : endHigh - startHigh
    let low = isNegative ? startLow - endLow : endLow - startLow
    if (low < 0) {
      low += WORD
      high--
    }
    this.set(high, low)
    if (isNegative) {
      this.seconds = -this.seconds
      this.nanos = -this.nanos
    }
    return this
  }
}
