// What each shard uses of something that they have together, in memory that all of them see: one word a shard, in KiB.
// The supervisor makes it, and empties the place of a shard that died.

const UNIT_BYTES = 1024

export class UsageTable {
  readonly #words: Uint32Array

  constructor(memory: SharedArrayBuffer) {
    this.#words = new Uint32Array(memory)
  }

  static make(shards: number): SharedArrayBuffer {
    return new SharedArrayBuffer(shards * Uint32Array.BYTES_PER_ELEMENT)
  }

  publish(shard: number, bytes: number): void {
    Atomics.store(this.#words, shard, Math.ceil(bytes / UNIT_BYTES))
  }

  /** What the others said last. */
  bytesBeside(shard: number): number {
    let sum = 0
    for (let other = 0; other < this.#words.length; other++)
      if (other !== shard) sum += Atomics.load(this.#words, other)
    return sum * UNIT_BYTES
  }
}
