// New bytes, written one after the other into an array that grows.

import { type Words, wordsOf } from './copy.ts'
import { varintSize, writeF64, writeVarint } from './varint.ts'

const FIRST_BYTES = 1024
// A larger array than this is given back on clear(), so that one unusual request does not hold memory for ever.
const KEEP_MAX_BYTES = 1 << 20

export class Writer {
  /** What was written is in `bytes[0, length)`. The array changes when it grows: ask again after writing. */
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(FIRST_BYTES)
  length = 0
  #words = wordsOf(this.bytes)

  /** The same array, for copyRange(). */
  get words(): Words {
    if (this.#words.bytes !== this.bytes) this.#words = wordsOf(this.bytes)
    return this.#words
  }

  clear(): this {
    this.length = 0
    if (this.bytes.length > KEEP_MAX_BYTES) this.bytes = new Uint8Array(FIRST_BYTES)
    return this
  }

  /** Makes room for `more` bytes, to be written at `length` by the caller. */
  reserve(more: number): Uint8Array<ArrayBuffer> {
    const needed = this.length + more
    if (needed > this.bytes.length) {
      const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2))
      grown.set(this.bytes.subarray(0, this.length))
      this.bytes = grown
    }
    return this.bytes
  }

  /** A whole number from 0 to 2^53. */
  varint(value: number): this {
    const bytes = this.reserve(10)
    this.length = writeVarint(bytes, this.length, value)
    return this
  }

  /** Any int64, negative ones in ten bytes. For numbers within ±2^53. */
  signedVarint(value: number): this {
    if (value >= 0) return this.varint(value)
    const bytes = this.reserve(10)
    // Two's complement in 64 bits, seven at a time: floor division keeps the sign running through the upper bits.
    let rest = value
    for (let i = 0; i < 9; i++) {
      const low = ((rest % 128) + 128) % 128
      bytes[this.length++] = low | 0x80
      rest = (rest - low) / 128
    }
    bytes[this.length++] = 1
    return this
  }

  /** Tag of a field. */
  tag(field: number, wireType: number): this {
    return this.varint(field * 8 + wireType)
  }

  f64(value: number): this {
    const bytes = this.reserve(8)
    this.length = writeF64(bytes, this.length, value)
    return this
  }

  /** Copies `source[from, to)`; `source` may be the writer's own array. */
  copy(source: Uint8Array, from = 0, to = source.length): this {
    const bytes = this.reserve(to - from)
    let at = this.length
    if (to - from > 48) bytes.set(source.subarray(from, to), at)
    else for (let i = from; i < to; i++) bytes[at++] = source[i]!
    this.length += to - from
    return this
  }

  /** Tag, length and contents of a field of wire type 2. */
  field(number: number, source: Uint8Array, from = 0, to = source.length): this {
    this.reserve(varintSize(to - from) + 5 + to - from)
    return this.tag(number, 2)
      .varint(to - from)
      .copy(source, from, to)
  }

  /** A copy of `[from, to)` in an array of its own. */
  toBytes(from = 0, to = this.length): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(from, to)
  }
}
