// Ranges of bytes by number, one behind the other in one array: what was made once for a key, and is copied from then on.

const FIRST_RANGES = 16
const FIRST_BYTES = 1024

export class ByteStore {
  /** All of them, and a view of the same bytes: another pair when it has grown. */
  words = wordsOf(new Uint8Array(FIRST_BYTES))
  /** By number: where it ends, which is where the next one begins. */
  #ends = new Int32Array(FIRST_RANGES)
  #size = 0
  #used = 0

  get size(): number {
    return this.#size
  }

  /** Bytes of its arrays. */
  get byteLength(): number {
    return this.words.bytes.length + 4 * this.#ends.length
  }

  /** Where the bytes of that number begin and end. */
  from(number: number): number {
    return number === 0 ? 0 : this.#ends[number - 1]!
  }

  to(number: number): number {
    return this.#ends[number]!
  }

  /** Copies `source[from, to)`, and returns its number: they count from 0. */
  add(source: Uint8Array, from = 0, to = source.length): number {
    const end = this.#used + to - from
    if (end > this.words.bytes.length) {
      const old = this.words.bytes
      this.words = wordsOf(new Uint8Array(Math.max(end, Math.ceil(old.length * 1.5))))
      this.words.bytes.set(old.subarray(0, this.#used))
    }
    if (this.#size === this.#ends.length) {
      const grown = new Int32Array(this.#ends.length * 2)
      grown.set(this.#ends)
      this.#ends = grown
    }
    this.words.bytes.set(source.subarray(from, to), this.#used)
    this.#used = end
    this.#ends[this.#size] = end
    return this.#size++
  }
}

const wordsOf = (bytes: Uint8Array<ArrayBuffer>) => ({ bytes, view: new DataView(bytes.buffer) }) as const
