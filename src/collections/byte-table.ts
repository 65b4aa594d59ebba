// Things found by bytes that stand somewhere in a larger array, such as a name inside a payload: no string is made of them.
//
// A table of open places that only grows: what it holds is bounded by its owner.

const FIRST_PLACES = 16

export interface ByteKeyed {
  readonly key: Uint8Array
}

export class ByteTable<T extends ByteKeyed> {
  #places: (T | undefined)[] = new Array(FIRST_PLACES).fill(undefined)
  #hashes = new Int32Array(FIRST_PLACES)
  #mask = FIRST_PLACES - 1
  #size = 0

  get size(): number {
    return this.#size
  }

  /** What stands under exactly `bytes[from, to)`. */
  find(bytes: Uint8Array, from = 0, to = bytes.length): T | undefined {
    const hash = hashOf(bytes, from, to)
    for (let at = hash & this.#mask; ; at = (at + 1) & this.#mask) {
      const item = this.#places[at]
      if (item === undefined) return undefined
      if (this.#hashes[at] === hash && isSame(bytes, from, to, item.key)) return item
    }
  }

  /** Its key must not be there yet. */
  add(item: T): T {
    if (this.#size * 2 > this.#mask) this.#grow()
    this.#size++
    this.#put(item, hashOf(item.key, 0, item.key.length))
    return item
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const item of this.#places) if (item !== undefined) yield item
  }

  #put(item: T, hash: number): void {
    let at = hash & this.#mask
    while (this.#places[at] !== undefined) at = (at + 1) & this.#mask
    this.#places[at] = item
    this.#hashes[at] = hash
  }

  #grow(): void {
    const items = this.#places
    const hashes = this.#hashes
    this.#places = new Array(items.length * 2).fill(undefined)
    this.#hashes = new Int32Array(items.length * 2)
    this.#mask = this.#places.length - 1
    for (let at = 0; at < items.length; at++) if (items[at] !== undefined) this.#put(items[at]!, hashes[at]!)
  }
}

/** FNV-1a with the finish that lets its low bits depend on all bytes. */
function hashOf(bytes: Uint8Array, from: number, to: number): number {
  let hash = 0x811c9dc5
  for (let i = from; i < to; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function isSame(bytes: Uint8Array, from: number, to: number, key: Uint8Array): boolean {
  if (to - from !== key.length) return false
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false
  return true
}
