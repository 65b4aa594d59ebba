// So many at once, and so many a second from then on. Times are monotonic milliseconds that the caller hands in.

export class TokenBucket {
  readonly #burst: number
  readonly #perSecond: number
  #tokens: number
  #at: number

  /** Starts full. */
  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
    this.#at = now
  }

  /** False, and nothing taken, when so many are not there. */
  tryTake(now: number, count = 1): boolean {
    this.#refill(now)
    if (this.#tokens < count) return false
    this.#tokens -= count
    return true
  }

  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens === this.#burst
  }

  #refill(now: number): void {
    const tokens = this.#tokens + ((now - this.#at) / 1000) * this.#perSecond
    this.#tokens = Math.min(this.#burst, tokens)
    this.#at = now
  }
}
