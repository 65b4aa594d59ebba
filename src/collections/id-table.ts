// Things found by a number of their own that only grows, such as the streams of an HTTP/2 connection by their ids.
//
// A table of open places: one that lives along with its neighbours stands at its id's place or close behind. Not a Map,
// for the reason that slots.ts gives, and because this is what a frame is looked up by.

/** Ids of streams are odd, or even. */
const placeOf = (id: number): number => id >>> 1

const FIRST_PLACES = 16

export class IdTable<T extends { readonly id: number }> {
  #places: (T | undefined)[] = new Array(FIRST_PLACES).fill(undefined)
  #mask = FIRST_PLACES - 1
  #size = 0
  /** No one stands further behind its id's place. */
  #reach = 0

  get size(): number {
    return this.#size
  }

  /** Its id must not be there yet. */
  add(item: T): void {
    if (this.#size * 2 > this.#mask) this.#grow()
    this.#size++
    this.#put(item)
  }

  get(id: number): T | undefined {
    const places = this.#places
    for (let at = placeOf(id) & this.#mask; ; at = (at + 1) & this.#mask) {
      const item = places[at]
      if (item === undefined || item.id === id) return item
    }
  }

  has(id: number): boolean {
    return this.get(id) !== undefined
  }

  /** False when it was not there. */
  delete(id: number): boolean {
    const places = this.#places
    const mask = this.#mask
    let at = placeOf(id) & mask
    for (; places[at]?.id !== id; at = (at + 1) & mask) if (places[at] === undefined) return false
    if (--this.#size === 0) this.#reach = 0
    // Those behind move up, unless they stand before their own place then.
    for (let next = (at + 1) & mask; places[next] !== undefined; next = (next + 1) & mask) {
      if (((next - at) & mask) > this.#reach) break
      const home = placeOf(places[next]!.id) & mask
      if (((next - home) & mask) < ((next - at) & mask)) continue
      places[at] = places[next]
      at = next
    }
    places[at] = undefined
    return true
  }

  clear(): void {
    this.#places.fill(undefined)
    this.#size = 0
    this.#reach = 0
  }

  *[Symbol.iterator](): IterableIterator<T> {
    for (const item of this.#places) if (item !== undefined) yield item
  }

  /** Those that are there now, by id. */
  values(): T[] {
    return this.#places.filter((item) => item !== undefined).sort((a, b) => a.id - b.id)
  }

  #put(item: T): void {
    const places = this.#places
    const home = placeOf(item.id) & this.#mask
    let at = home
    while (places[at] !== undefined) at = (at + 1) & this.#mask
    places[at] = item
    this.#reach = Math.max(this.#reach, (at - home) & this.#mask)
  }

  #grow(): void {
    const items = this.#places
    this.#places = new Array(items.length * 2).fill(undefined)
    this.#mask = this.#places.length - 1
    this.#reach = 0
    for (const item of items) if (item !== undefined) this.#put(item)
  }
}
