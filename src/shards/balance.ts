// How much of what comes to this shard another should do: connections are few and long-lived, and the kernel may have given
// most of them to one shard.
//
// Every tick compares how busy this shard is with the least busy one, and moves the share that is handed over a little
// towards where both are as busy. Which batches make up the share is as even as it can be: one in so many.

export const BALANCE = {
  /** Below this a shard keeps what it gets: handing over has its own cost. */
  busyFrom: 0.8,
  /** So far below it takes back what it hands over. */
  takesBackBelow: 0.1,
  /** Differences up to this one are left alone: what two shards that have too much to do may lose of one. */
  tolerance: 0.04,
  /** Of the difference, how much is added to the share at each tick. */
  gain: 0.15,
  shareMax: 0.9,
  /** Requests that one shard may have taken off this one and not accepted yet: a shard that is stuck gets no more. */
  outstandingMax: 256,
} as const

export class Balance {
  readonly #index: number
  readonly #count: number
  #share = 0
  #credit = 0
  #target = -1

  constructor(index: number, count: number) {
    this.#index = index
    this.#count = count
  }

  /** Of the batches that come, from 0 to shareMax. */
  get share(): number {
    return this.#share
  }

  /** `loadOf` tells how busy a shard is, from 0 to 1; `isUp` whether it can be handed anything. */
  tick(loadOf: (shard: number) => number, isUp: (shard: number) => boolean): void {
    const own = loadOf(this.#index)
    let least = -1
    for (let shard = 0; shard < this.#count; shard++) {
      if (shard === this.#index || !isUp(shard)) continue
      if (least < 0 || loadOf(shard) < loadOf(least)) least = shard
    }
    this.#target = least
    if (least < 0) {
      this.#share = 0
      return
    }
    const difference = own - loadOf(least)
    const isBusy = own >= BALANCE.busyFrom
    const isIdle = own < BALANCE.busyFrom - BALANCE.takesBackBelow
    const isUneven = (isBusy && difference > BALANCE.tolerance) || difference < -BALANCE.tolerance
    const step = isIdle ? Math.min(difference, -BALANCE.takesBackBelow) : isUneven ? difference : 0
    this.#share = Math.min(BALANCE.shareMax, Math.max(0, this.#share + BALANCE.gain * step))
  }

  /** The shard that is to do the next batch; undefined: this one. */
  next(hasRoom: (shard: number) => boolean): number | undefined {
    if (this.#share === 0) return undefined
    this.#credit += this.#share
    if (this.#credit < 1) return undefined
    this.#credit -= 1
    return hasRoom(this.#target) ? this.#target : undefined
  }
}
