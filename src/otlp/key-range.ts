// The bytes that a message is known by: those of some of its fields, where they stand side by side, or else copied together.

import { Cursor } from '../wire/cursor.ts'
import { equalBytes, varintLow, WIRE } from '../wire/varint.ts'
import { isMetricData } from './metric.ts'

const { LEN, FIXED64 } = WIRE
// The first bytes of an attribute as a little-endian number: a length below 128, and the tag of the key.
const USUAL_MASK = 0x00ff8000
const USUAL = 10 << 16
/** The tag of the value. */
const VALUE = 18

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

  /** All attributes of the message in `bytes[start, end)`, which has them in `field`: 15 at most. */
  ofAttributes(bytes: Uint8Array, words: DataView, start: number, end: number, field: number): this {
    this.begin(bytes, words, start)
    const wanted = field * 8 + LEN
    for (let p = start; p < end; ) {
      const at = p
      if (bytes[p] === wanted) {
        do p = skipRange(bytes, p + 1)
        while (p < end && bytes[p] === wanted)
        this.add(bytes, at, p)
      } else p = this.#skip(bytes, p, end)
    }
    return this
  }

  /**
   * Of the attributes in `field`, the first with each of `keys`, in the order of `keys`; and all of them where one of them is
   * not what encoders write: equal keys mean equal values of those attributes.
   */
  ofSelected(
    bytes: Uint8Array,
    words: DataView,
    start: number,
    end: number,
    field: number,
    keys: readonly Uint8Array[],
  ): this {
    this.begin(bytes, words, start)
    for (let i = 0; i < keys.length; i++) {
      const at = this.#findUsual(bytes, words, start, end, field, keys[i]!)
      if (at < 0) return this.ofAttributes(bytes, words, start, end, field)
      if (at < end) this.add(bytes, at, at + 2 + bytes[at + 1]!)
    }
    return this
  }

  /** Where the attribute with that key begins; `end` when there is none, -1 when one before it is not usual. */
  #findUsual(bytes: Uint8Array, words: DataView, start: number, end: number, field: number, key: Uint8Array): number {
    const wanted = field * 8 + LEN
    for (let p = start; p < end; ) {
      if (bytes[p] !== wanted) {
        p = this.#skip(bytes, p, end)
        continue
      }
      // Key and value in this order, or a key alone, all shorter than 128 bytes.
      if (p + 4 > end) return -1
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      const keySize = head >>> 24
      const keyEnd = p + 4 + keySize
      if ((head & USUAL_MASK) !== USUAL || keySize > 0x7f) return -1
      if (keyEnd !== next && (bytes[keyEnd] !== VALUE || keyEnd + 2 + bytes[keyEnd + 1]! !== next)) return -1
      if (keySize === key.length && equalBytes(bytes, p + 4, keyEnd, key)) return p
      p = next
    }
    return end
  }

  /** Behind the field at `at`. */
  #skip(bytes: Uint8Array, at: number, end: number): number {
    const wireType = bytes[at]! & 0x87
    if (wireType === FIXED64) return at + 9
    if (wireType === LEN) return skipRange(bytes, at + 1)
    this.#cursor.reset(bytes, at, end).next()
    return this.#cursor.end
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

/** Behind what the length at `at` counts. */
function skipRange(bytes: Uint8Array, at: number): number {
  const length = bytes[at]!
  if (length < 0x80) return at + 1 + length
  let p = at
  while (bytes[p++]! > 0x7f);
  return p + varintLow(bytes, at)
}
