// Numbers for keys that come round in the same order again and again, as the series of a plant do: each key remembers which
// one came behind it, and that one is compared before anything is hashed. So a key that comes in its turn costs one look at
// its own bytes, and thousands of them are read from memory one behind the other.
//
// Numbers count from 0 in the order of addition. Nothing is taken out: its owner bounds it, and begins a new one.

import { KeyIndex } from './key-index.ts'

const FIRST_KEYS = 16

export class KeyTrail {
  readonly #keys: KeyIndex
  /** By number + 1: the number of the key that came behind it, -1 where none did yet. That of no key stands first. */
  #next = new Int32Array(FIRST_KEYS).fill(-1)
  /** The key before. */
  #last = -1

  /** `seed` makes it hard to send keys that all fall on one place. */
  constructor(seed = 0) {
    this.#keys = new KeyIndex(seed)
  }

  get size(): number {
    return this.#keys.size
  }

  /** Bytes of its arrays. */
  get byteLength(): number {
    return this.#keys.byteLength + 4 * this.#next.length
  }

  /** What comes next is the first of a round. */
  restart(): void {
    this.#last = -1
  }

  /** The number of exactly `bytes[from, to)` below `parent`; -1 when it is not there. `words` views the same bytes. */
  find(parent: number, bytes: Uint8Array, words: DataView, from: number, to: number): number {
    const expected = this.#next[this.#last + 1]!
    if (expected >= 0 && this.#keys.is(expected, parent, bytes, words, from, to)) {
      this.#last = expected
      return expected
    }
    const found = this.#keys.find(parent, bytes, words, from, to)
    if (found >= 0) this.#follow(found)
    return found
  }

  /** Copies the bytes; they must not be there yet. */
  add(parent: number, bytes: Uint8Array, words: DataView, from: number, to: number): number {
    const number = this.#keys.add(parent, bytes, words, from, to)
    if (number + 1 === this.#next.length) {
      const grown = new Int32Array(this.#next.length * 2).fill(-1, this.#next.length)
      grown.set(this.#next)
      this.#next = grown
    }
    this.#follow(number)
    return number
  }

  #follow(number: number): void {
    this.#next[this.#last + 1] = number
    this.#last = number
  }
}
