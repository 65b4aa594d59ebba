// What the mode makes of an item's randomness and of the threshold that it came with. The same for spans and log records;
// where they keep the two is a matter of theirs.
//
//   hash_seed      a fixed threshold of 14 bits; an item that comes with either value is an error
//   equalizing     a fixed threshold; a higher one that came stays
//   proportional   the probability that came, times ours
//   never          sampling_percentage is 0, or rounds to 0

import { Bits, MIN_PROBABILITY, never, probabilityOf, setThreshold } from './bits.ts'
import type { ProbabilisticSamplerConfig } from './config.ts'
import { BUCKETS } from './hash.ts'

export const MODE = { NEVER: 0, HASH: 1, EQUALIZING: 2, PROPORTIONAL: 3 } as const
export type Mode = (typeof MODE)[keyof typeof MODE]

/** Why an item stays or goes, as the metric's label `policy` says it; ATTRIBUTE stands for the attribute's name. */
export const POLICY = {
  HASH: 0,
  TRACE_ID: 1,
  RANDOMNESS: 2,
  PRIORITY: 3,
  MISSING: 4,
  ATTRIBUTE: 5,
} as const
export type Policy = (typeof POLICY)[keyof typeof POLICY]

const NEVER = never()

export class Sampler {
  readonly mode: Mode
  readonly precision: number
  readonly failClosed: boolean
  /** Of an item that came without one. */
  readonly threshold: Bits
  readonly #ratio: number
  readonly #result = new Bits()

  constructor(config: ProbabilisticSamplerConfig) {
    const percentage = Math.fround(Math.min(config.samplingPercentage, 100))
    this.precision = config.samplingPrecision
    this.failClosed = config.failClosed
    this.#ratio = Math.max(percentage / 100, MIN_PROBABILITY)
    this.threshold = new Bits()
    if (config.mode === 'equalizing') this.mode = MODE.EQUALIZING
    else this.mode = config.mode === 'proportional' ? MODE.PROPORTIONAL : MODE.HASH
    // The product has the precision of 32 bits in the Collector, and all its collectors have to agree.
    const scaled = Math.trunc(Math.fround(percentage * Math.fround(BUCKETS / 100)))
    if (percentage === 0 || (this.mode === MODE.HASH && scaled === 0)) {
      this.mode = MODE.NEVER
      this.threshold.copy(NEVER)
    } else if (this.mode === MODE.HASH) this.threshold.set((BUCKETS - scaled) * 1024, 0)
    else setThreshold(this.threshold, this.#ratio, this.precision)
  }

  /** The threshold for an item that came with `arrived`. Valid until the next call. */
  decide(arrived: Bits | undefined): Bits {
    if (arrived === undefined || this.mode === MODE.HASH || this.mode === MODE.NEVER) return this.threshold
    if (this.mode === MODE.EQUALIZING) return arrived.exceeds(this.threshold) ? arrived : this.threshold
    const product = probabilityOf(arrived) * this.#ratio
    return setThreshold(this.#result, product, this.precision) ? this.#result : NEVER
  }
}
