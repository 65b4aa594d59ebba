// Repeatable randomness for generated telemetry.

/** 32-bit generator after Marsaglia (xorshift, 2003); plenty for ids that must differ and values that must vary. */
export class Random {
  #state: number

  constructor(seed: number) {
    // Small seeds that differ by one must not give states that are alike.
    this.#state = Math.imul(seed + 1, 0x9e37_79b1) | 0 || 1
  }

  /** A whole number from 0 to 2^32 - 1. */
  next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return x >>> 0
  }

  below(limit: number): number {
    return this.next() % limit
  }
}
