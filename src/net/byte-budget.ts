// The bytes that a door holds for requests which have no answer yet. Whoever receives a chunk takes its length, and
// gives it back when the request is answered or gone: a stalled pipeline then ends in refusals, not in memory.

export class ByteBudget {
  readonly max: number
  #used = 0

  constructor(max: number) {
    this.max = max
  }

  get used(): number {
    return this.#used
  }

  /** False, and nothing taken, when it would go over the bound. */
  tryTake(bytes: number): boolean {
    if (this.#used + bytes > this.max) return false
    this.#used += bytes
    return true
  }

  give(bytes: number): void {
    this.#used -= bytes
    if (this.#used < 0) throw new Error('invariant: more bytes given back than were taken')
  }
}
