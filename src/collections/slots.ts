// What is under way, for those who must find all of it in the end: calls of a connection, batches that are being sent.
//
// Not a Set, because of how V8 collects garbage. A Set whose members come and go is copied into a new table every few
// deletions, and the old table keeps pointing at the new one and at the members of that moment. Once one such table is in
// the old generation, the later ones are kept alive by it, members and their bodies included, until the whole heap is
// marked. Measured in a router with 16 requests of 430 kB under way, Sets and Maps in the places of these collections:
// 150 MB of dead bodies, the heap marked twice a second, a fifth of the CPU; with 10 spans a request more than a third.
// Here a place is emptied when its member leaves, and used again.

export class Slots<T> {
  readonly #items: (T | undefined)[] = []
  /** Empty places: a stack, whose array never shrinks, since growing again is paid for each time. */
  readonly #free: number[] = []
  #freeCount = 0

  get size(): number {
    return this.#items.length - this.#freeCount
  }

  /** Returns the member's place, by which it leaves. */
  add(item: T): number {
    if (this.#freeCount === 0) return this.#items.push(item) - 1
    const slot = this.#free[--this.#freeCount]!
    this.#items[slot] = item
    return slot
  }

  /** The place is somebody else's from here on: it must not be given back twice. */
  remove(slot: number): void {
    if (this.#items[slot] === undefined) throw new Error('invariant: a slot was emptied twice')
    this.#items[slot] = undefined
    this.#free[this.#freeCount++] = slot
  }

  /** In no order. Members may leave meanwhile; one that comes may be visited or not. */
  each(visit: (item: T) => void): void {
    for (let slot = 0; slot < this.#items.length; slot++) {
      const item = this.#items[slot]
      if (item !== undefined) visit(item)
    }
  }
}
