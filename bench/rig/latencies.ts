// How long things took, counted in buckets that grow by a hundredth, so that a run of any length has the same small size
// and runs can be added up.

const BUCKETS_PER_DOUBLING = 64
const LEAST_MS = 0.001
/** Up to 2^28 microseconds, four and a half minutes; what took longer counts as that. */
const BUCKETS = 28 * BUCKETS_PER_DOUBLING

export class Latencies {
  readonly counts: Uint32Array
  #total = 0

  /** Of nothing, or of what another one counted. */
  constructor(counts: Uint32Array = new Uint32Array(BUCKETS)) {
    this.counts = counts
    for (const count of counts) this.#total += count
  }

  get total(): number {
    return this.#total
  }

  add(ms: number): void {
    const bucket = ms <= LEAST_MS ? 0 : Math.floor(Math.log2(ms / LEAST_MS) * BUCKETS_PER_DOUBLING)
    this.counts[Math.min(bucket, BUCKETS - 1)]!++
    this.#total++
  }

  merge(other: Latencies): this {
    for (let bucket = 0; bucket < BUCKETS; bucket++) this.counts[bucket]! += other.counts[bucket]!
    this.#total += other.#total
    return this
  }

  /** Not more than `share` of all took longer than this, in milliseconds; a hundredth above the truth at most. NaN of none. */
  percentile(share: number): number {
    if (this.#total === 0) return Number.NaN
    let left = Math.ceil(this.#total * share)
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= this.counts[bucket]!
      if (left <= 0) return LEAST_MS * 2 ** ((bucket + 1) / BUCKETS_PER_DOUBLING)
    }
    return Number.NaN
  }
}

/** The percentiles that a result tells, in milliseconds. */
export interface LatencyFigures {
  readonly p50: number
  readonly p99: number
  readonly p999: number
}

export const latencyFigures = (latencies: Latencies): LatencyFigures => ({
  p50: latencies.percentile(0.5),
  p99: latencies.percentile(0.99),
  p999: latencies.percentile(0.999),
})
