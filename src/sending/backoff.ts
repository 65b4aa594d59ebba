// How long to wait before the next try (Collector reference 3.3).

import type { RetryConfig } from './config.ts'

export class Backoff {
  readonly #config: RetryConfig
  readonly #random: () => number
  #intervalMs: number

  constructor(config: RetryConfig, random: () => number) {
    this.#config = config
    this.#random = random
    this.#intervalMs = config.initialIntervalMs
  }

  /** The interval with its jitter; the next one is `multiplier` times longer, up to `max_interval`. */
  nextMs(): number {
    const { randomizationFactor, multiplier, maxIntervalMs } = this.#config
    const interval = this.#intervalMs
    this.#intervalMs = Math.min(maxIntervalMs, interval * multiplier)
    return interval * (1 - randomizationFactor + 2 * randomizationFactor * this.#random())
  }
}
