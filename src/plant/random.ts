// Repeatable chance: each device has a stream of its own, made from the seed and its name, so that a device that is added
// to a scenario changes nothing of what the others do.

export class Random {
  #state: number

  constructor(seed: number, name: string) {
    let hash = Math.imul(seed + 1, 0x9e37_79b1)
    for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x0100_0193)
    // Names that differ in their last letter must not begin alike.
    hash = Math.imul(hash ^ (hash >>> 15), 0x85eb_ca6b)
    this.#state = (hash ^ (hash >>> 13)) | 0 || 1
  }

  /** Uniform in [0, 1): xorshift after Marsaglia (2003). */
  next(): number {
    let x = this.#state
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    this.#state = x
    return (x >>> 0) / 2 ** 32
  }

  between(from: number, to: number): number {
    return from + this.next() * (to - from)
  }

  /** Mean 0, deviation 1; the sum of twelve (Irwin-Hall), which never strays further than 6. */
  normal(): number {
    let sum = -6
    for (let turn = 0; turn < 12; turn++) sum += this.next()
    return sum
  }

  /** The time to the next of events that come by chance, so many in an hour, in seconds; Infinity for none. */
  untilNext(perHour: number): number {
    const draw = this.next()
    return perHour === 0 ? Number.POSITIVE_INFINITY : (-Math.log(1 - draw) * 3600) / perHour
  }

  /** A duration around a mean: never below a fifth of it, seldom above three times. */
  lasting(mean: number): number {
    return mean * Math.min(4, Math.max(0.2, -Math.log(1 - this.next())))
  }
}
