// How many series (measurement and tags) were written, so that a device with a counter in its name cannot fill a database.
//
// A series is remembered by 64 bits of hash: of a million of them, two are taken for one with a chance of 1 to 37 million.

import { crcOf, EMPTY_CRC, mix } from '../../otlp/hash.ts'

const FIRST_PLACES = 1024

export class SeriesGuard {
  readonly #max: number
  // Two numbers a place: both 0 where it is free.
  #places = new Uint32Array(FIRST_PLACES * 2)
  #size = 0

  /** `max` series at most. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** Whether the series that `bytes[from, to)` name is known, or may begin. */
  admits(bytes: Uint8Array, from: number, to: number): boolean {
    const high = crcOf(EMPTY_CRC, bytes, from, to) | 1
    let low = 0x811c9dc5
    for (let i = from; i < to; i++) low = Math.imul(low ^ bytes[i]!, 0x01000193)
    low = mix(low, to - from)
    if (this.#find(this.#places, high >>> 0, low)) return true
    if (this.#size >= this.#max) return false
    if (++this.#size * 4 > this.#places.length) this.#grow()
    this.#add(this.#places, high >>> 0, low)
    return true
  }

  #find(places: Uint32Array, high: number, low: number): boolean {
    const mask = places.length - 1
    for (let at = (low * 2) & mask; places[at] !== 0; at = (at + 2) & mask)
      if (places[at] === high && places[at + 1] === low) return true
    return false
  }

  #add(places: Uint32Array, high: number, low: number): void {
    const mask = places.length - 1
    let at = (low * 2) & mask
    while (places[at] !== 0) at = (at + 2) & mask
    places[at] = high
    places[at + 1] = low
  }

  #grow(): void {
    const grown = new Uint32Array(this.#places.length * 2)
    for (let at = 0; at < this.#places.length; at += 2)
      if (this.#places[at] !== 0) this.#add(grown, this.#places[at]!, this.#places[at + 1]!)
    this.#places = grown
  }
}
