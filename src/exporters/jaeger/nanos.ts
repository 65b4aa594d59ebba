// Seconds and the nanoseconds beside them, of 64-bit counts of nanoseconds given as two halves.

const BILLION = 1_000_000_000
const WORD = 0x100000000

export class Nanos {
  seconds = 0
  nanos = 0

  set(high: number, low: number): this {
    // The quotient of doubles is right or one too far; the rest, of which the lowest 32 bits are exact, tells.
    let seconds = Math.floor((high * WORD + low) / BILLION)
    let nanos = (low - Math.imul(seconds % WORD, BILLION)) >>> 0
    if (nanos >= BILLION) {
      if (nanos < 2 * BILLION) {
        seconds++
        nanos -= BILLION
      } else {
        seconds--
        nanos = (nanos + BILLION) >>> 0
      }
    }
    this.seconds = seconds
    this.nanos = nanos
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
