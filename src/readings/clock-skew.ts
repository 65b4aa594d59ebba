// How far a device's clock is off: the median of receipt minus event over its last samples.
//
// A device that was offline sends old readings in a burst; those are late, not skewed. So at most one sample is taken per
// SAMPLE_EVERY_MS of receipt, and a burst, however long its backlog, is one sample among fifteen.

const SAMPLES = 15
export const SAMPLE_EVERY_MS = 10_000

export class ClockSkew {
  readonly #samples = new Float64Array(SAMPLES)
  #count = 0
  #sampledAtMs = -Infinity

  /** `eventMs` is what the device wrote, `receivedMs` when it came. */
  observe(eventMs: number, receivedMs: number): void {
    if (receivedMs - this.#sampledAtMs < SAMPLE_EVERY_MS) return
    this.#sampledAtMs = receivedMs
    this.#samples[this.#count++ % SAMPLES] = receivedMs - eventMs
  }

  /** Milliseconds that the device is behind; NaN before the first sample. Negative for a clock that runs ahead. */
  medianMs(): number {
    const sorted = this.#samples.slice(0, Math.min(this.#count, SAMPLES)).sort()
    return sorted.length === 0 ? Number.NaN : sorted[sorted.length >> 1]!
  }
}
