// First in, first out, without moving what stands behind the head on every take: a ring that grows, and keeps its size
// unless it is far too large for what it holds.

const FIRST_PLACES = 16

export class Fifo<T> {
  #items: (T | undefined)[] = new Array(FIRST_PLACES).fill(undefined)
  #head = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  push(item: T): void {
    if (this.#length === this.#items.length) this.#resize(this.#length * 2)
    this.#items[(this.#head + this.#length++) & (this.#items.length - 1)] = item
  }

  peek(): T | undefined {
    return this.#items[this.#head]
  }

  shift(): T | undefined {
    const item = this.#items[this.#head]
    if (this.#length === 0) return undefined
    this.#items[this.#head] = undefined
    this.#head = (this.#head + 1) & (this.#items.length - 1)
    this.#length--
    if (this.#items.length > FIRST_PLACES && this.#length * 8 < this.#items.length) this.#resize(this.#items.length / 4)
    return item
  }

  /** `places` is a power of two, and enough. */
  #resize(places: number): void {
    const items = new Array<T | undefined>(places).fill(undefined)
    const mask = this.#items.length - 1
    for (let i = 0; i < this.#length; i++) items[i] = this.#items[(this.#head + i) & mask]
    this.#items = items
    this.#head = 0
  }
}
