// Numbers for things that are known by bytes which stand inside a larger array: found without making a string or a copy.
//
// A key belongs to a parent, so that the same bytes mean different things in different places. Its number is small, stays
// the same while the key is there, and is given out again afterwards: whoever has more to say of a key keeps it in arrays
// by that number. The bytes of all keys stand one behind the other in one array, which is packed when half of it is dead.
//
//   places   a table of open places: number + 1 by hash, 0 where it is empty
//   hash, parent, at, length   by number; length is -1 while the number is free
//   after    by number: what was asked for after it the last time. What comes again usually comes in the same order, and then
//            a look at the bytes is enough

const FIRST_KEYS = 16
const FIRST_BYTES = 1024
/** Fewer dead bytes than these are not worth a new array. */
const PACK_MIN_BYTES = 64 * 1024

export class KeyIndex {
  readonly #seed: number
  #places = new Int32Array(FIRST_KEYS * 2)
  #hash = new Int32Array(FIRST_KEYS)
  #parent = new Int32Array(FIRST_KEYS)
  #at = new Int32Array(FIRST_KEYS)
  #length = new Int32Array(FIRST_KEYS).fill(-1)
  #after = new Int32Array(FIRST_KEYS)
  /** What was found last. */
  #last = 0
  readonly #free: number[] = []
  #next = 0
  #bytes = new Uint8Array(FIRST_BYTES)
  #words = new DataView(this.#bytes.buffer)
  #used = 0
  #dead = 0

  /** `seed` makes it hard to send keys that all fall on one place. */
  constructor(seed = 0) {
    this.#seed = seed | 0
  }

  get size(): number {
    return this.#next - this.#free.length
  }

  /** Every number is below it. */
  get limit(): number {
    return this.#next
  }

  /** Bytes of its arrays. */
  get byteLength(): number {
    return this.#bytes.length + 4 * (this.#places.length + 5 * this.#hash.length)
  }

  has(number: number): boolean {
    return number < this.#next && this.#length[number]! >= 0
  }

  parentOf(number: number): number {
    return this.#parent[number]!
  }

  /** The number of exactly `bytes[from, to)` below `parent`; -1 when it is not there. `words` views the same bytes. */
  find(parent: number, bytes: Uint8Array, words: DataView, from: number, to: number): number {
    const guess = this.#after[this.#last]!
    if (this.is(guess, parent, bytes, words, from, to)) {
      this.#last = guess
      return guess
    }
    const hash = hashOf(this.#seed ^ parent, bytes, words, from, to)
    const places = this.#places
    const mask = places.length - 1
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const number = places[place]! - 1
      if (number < 0) return -1
      if (this.#hash[number] !== hash || !this.is(number, parent, bytes, words, from, to)) continue
      this.#follow(number)
      return number
    }
  }

  /** Whether that number stands for exactly these bytes below that parent. */
  is(number: number, parent: number, bytes: Uint8Array, words: DataView, from: number, to: number): boolean {
    if (this.#parent[number] !== parent || this.#length[number] !== to - from) return false
    const own = this.#bytes
    const ownWords = this.#words
    let q = this.#at[number]!
    let p = from
    // Sixteen bytes at a time: one branch for them all.
    for (const last = to - 16; p <= last; p += 16, q += 16) {
      const differ =
        (words.getInt32(p, true) ^ ownWords.getInt32(q, true)) |
        (words.getInt32(p + 4, true) ^ ownWords.getInt32(q + 4, true)) |
        (words.getInt32(p + 8, true) ^ ownWords.getInt32(q + 8, true)) |
        (words.getInt32(p + 12, true) ^ ownWords.getInt32(q + 12, true))
      if (differ !== 0) return false
    }
    for (const last = to - 4; p <= last; p += 4, q += 4)
      if (words.getInt32(p, true) !== ownWords.getInt32(q, true)) return false
    for (; p < to; p++, q++) if (bytes[p] !== own[q]) return false
    return true
  }

  /** Copies the bytes; they must not be there yet. */
  add(parent: number, bytes: Uint8Array, words: DataView, from: number, to: number): number {
    if ((this.size + 1) * 2 > this.#places.length) this.#growPlaces()
    const number = this.#free.pop() ?? this.#newNumber()
    const hash = hashOf(this.#seed ^ parent, bytes, words, from, to)
    this.#hash[number] = hash
    this.#parent[number] = parent
    this.#length[number] = to - from
    this.#at[number] = this.#copy(bytes, from, to)
    this.#put(number, hash)
    this.#follow(number)
    return number
  }

  remove(number: number): void {
    if (!this.has(number)) throw new Error('invariant: a key was removed twice')
    const places = this.#places
    const mask = places.length - 1
    let hole = this.#hash[number]! & mask
    while (places[hole] !== number + 1) hole = (hole + 1) & mask
    // What stands behind an emptied place moves up when it could not be found otherwise.
    for (let place = (hole + 1) & mask; places[place] !== 0; place = (place + 1) & mask) {
      const home = this.#hash[places[place]! - 1]! & mask
      if (((place - home) & mask) < ((place - hole) & mask)) continue
      places[hole] = places[place]!
      hole = place
    }
    places[hole] = 0
    this.#dead += this.#length[number]!
    this.#length[number] = -1
    this.#free.push(number)
    if (this.#dead > PACK_MIN_BYTES && this.#dead * 2 > this.#used) this.#pack(this.#used - this.#dead)
  }

  #follow(number: number): void {
    this.#after[this.#last] = number
    this.#last = number
  }

  #put(number: number, hash: number): void {
    const places = this.#places
    const mask = places.length - 1
    let place = hash & mask
    while (places[place] !== 0) place = (place + 1) & mask
    places[place] = number + 1
  }

  #growPlaces(): void {
    this.#places = new Int32Array(this.#places.length * 2)
    for (let number = 0; number < this.#next; number++)
      if (this.#length[number]! >= 0) this.#put(number, this.#hash[number]!)
  }

  #newNumber(): number {
    if (this.#next === this.#hash.length) {
      this.#hash = doubled(this.#hash, 0)
      this.#parent = doubled(this.#parent, 0)
      this.#at = doubled(this.#at, 0)
      this.#length = doubled(this.#length, -1)
      this.#after = doubled(this.#after, 0)
    }
    return this.#next++
  }

  #copy(bytes: Uint8Array, from: number, to: number): number {
    const needed = this.#used + to - from
    if (needed > this.#bytes.length) this.#pack(Math.max(needed, Math.ceil(this.#bytes.length * 1.5)))
    const at = this.#used
    if (to - from > 64) this.#bytes.set(bytes.subarray(from, to), at)
    else for (let p = from, q = at; p < to; p++, q++) this.#bytes[q] = bytes[p]!
    this.#used = at + to - from
    return at
  }

  /** Into a new array, without what is dead. */
  #pack(bytes: number): void {
    const old = this.#bytes
    const fresh = new Uint8Array(Math.max(bytes, FIRST_BYTES))
    if (this.#dead === 0) fresh.set(old.subarray(0, this.#used))
    else {
      let used = 0
      for (let number = 0; number < this.#next; number++) {
        const length = this.#length[number]!
        if (length <= 0) continue
        const at = this.#at[number]!
        fresh.set(old.subarray(at, at + length), used)
        this.#at[number] = used
        used += length
      }
      this.#used = used
      this.#dead = 0
    }
    this.#bytes = fresh
    this.#words = new DataView(fresh.buffer)
  }
}

function doubled(old: Int32Array<ArrayBuffer>, filler: number): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(old.length * 2)
  if (filler !== 0) grown.fill(filler, old.length)
  grown.set(old)
  return grown
}

/** Four bytes at a time, with the finish of MurmurHash3, so that its low bits depend on all of them. */
function hashOf(seed: number, bytes: Uint8Array, words: DataView, from: number, to: number): number {
  let hash = Math.imul(seed, 0x9e3779b1) ^ (to - from)
  let p = from
  for (; p + 4 <= to; p += 4) {
    hash = Math.imul(hash ^ words.getInt32(p, true), 0x01000193 ^ 0x5bd1e900)
    hash ^= hash >>> 15
  }
  for (; p < to; p++) hash = Math.imul(hash ^ bytes[p]!, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}
