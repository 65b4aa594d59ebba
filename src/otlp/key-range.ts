// The bytes that a message is known by: those of some of its fields, where they stand side by side, or else copied together.

import { Cursor } from '../wire/cursor.ts'
import { isMetricData } from './metric.ts'

export class KeyRange {
  /** The key is `bytes[from, to)`; `words` views the same bytes. Valid until the next one. */
  bytes: Uint8Array = new Uint8Array(0)
  words = new DataView(this.bytes.buffer)
  from = 0
  to = 0
  readonly #cursor = new Cursor()
  #own = new Uint8Array(256)
  #ownWords = new DataView(this.#own.buffer)

  /** All fields of the message in `bytes[start, end)` but those numbered `children`. */
  ofHeader(bytes: Uint8Array, words: DataView, start: number, end: number, children: number): this {
    this.begin(bytes, words, start)
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); )
      if (c.field !== children || c.wireType !== 2) this.add(bytes, c.at, c.end)
    return this
  }

  /** All fields of a Metric but its data. */
  ofMetric(bytes: Uint8Array, words: DataView, start: number, end: number): this {
    this.begin(bytes, words, start)
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); )
      if (c.wireType !== 2 || !isMetricData(c.field)) this.add(bytes, c.at, c.end)
    return this
  }

  begin(bytes: Uint8Array, words: DataView, at: number): void {
    this.bytes = bytes
    this.words = words
    this.from = at
    this.to = at
  }

  /** The next piece of the key. */
  add(bytes: Uint8Array, at: number, end: number): void {
    if (this.bytes === bytes) {
      if (this.from === this.to) this.from = at
      else if (this.to !== at) {
        const { from, to } = this
        this.bytes = this.#own
        this.from = 0
        this.to = 0
        this.#copy(bytes, from, to)
        this.#copy(bytes, at, end)
        return
      }
      this.to = end
    } else this.#copy(bytes, at, end)
  }

  #copy(source: Uint8Array, at: number, end: number): void {
    const needed = this.to + end - at
    if (needed > this.#own.length) {
      const grown = new Uint8Array(needed * 2)
      grown.set(this.#own.subarray(0, this.to))
      this.#own = grown
      this.#ownWords = new DataView(grown.buffer)
    }
    this.#own.set(source.subarray(at, end), this.to)
    this.bytes = this.#own
    this.words = this.#ownWords
    this.to = needed
  }
}
