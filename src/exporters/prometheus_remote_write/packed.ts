// A block of snappy, written by somebody who knows what repeats: no search, and what is copied is never written out.
//
//   block     varint length of what it means, then elements
//   literal   60 << 2, length - 1, the bytes; 256 at most here
//   copy      (length - 1) << 2 | 2, distance in two bytes, or | 3 and in four; 64 bytes at most
//
// (google/snappy, format_description.txt; src/net/snappy.ts reads it.) Most of a request are labels that stood in the series
// before: searching for them costs two and a half times what the rest of the message costs.

import { varintSize, writeVarint } from '../../wire/varint.ts'

const LITERAL = 60 << 2
const LITERAL_MAX = 256
const COPY_MAX = 64
const NEAR_MAX = 0xffff
const FIRST_BYTES = 64 * 1024

export class PackedWriter {
  /** Bytes of the message so far, as they will be unpacked. */
  position = 0
  #out = new Uint8Array(FIRST_BYTES)
  /** For what claim() has given; another one after begin(). */
  view = new DataView(this.#out.buffer)
  #at = 0
  /** Where the open literal's header stands; negative: none is open. */
  #literalAt = -1

  /** For a message of at most `maxBytes`. */
  begin(maxBytes: number): void {
    // Two bytes for each literal; in front of each copy there may be one.
    const needed = maxBytes + (maxBytes >> 3) + 1024
    if (this.#out.length < needed) {
      this.#out = new Uint8Array(needed)
      this.view = new DataView(this.#out.buffer)
    }
    this.#at = 0
    this.#literalAt = -1
    this.position = 0
  }

  /** Room for `bytes` in a row, 256 at most; returns where in `view` they stand. Up to 7 behind them may be written over. */
  claim(bytes: number): number {
    this.#room(bytes)
    const at = this.#at
    this.#at = at + bytes
    this.position += bytes
    return at
  }

  byte(value: number): void {
    this.#room(1)
    this.#out[this.#at++] = value
    this.position++
  }

  varint(value: number): void {
    if (value < 0x80) {
      this.byte(value)
      return
    }
    if (value < 0x4000) {
      this.view.setUint16(this.claim(2), (value & 0x7f) | 0x80 | ((value & 0x3f80) << 1), true)
      return
    }
    this.#room(10)
    const end = writeVarint(this.#out, this.#at, value)
    this.position += end - this.#at
    this.#at = end
  }

  f64(value: number): void {
    this.#room(8)
    this.view.setFloat64(this.#at, value, true)
    this.#at += 8
    this.position += 8
  }

  /** Eight bytes in two halves. */
  fixed64(low: number, high: number): void {
    this.#room(8)
    this.view.setUint32(this.#at, low, true)
    this.view.setUint32(this.#at + 4, high, true)
    this.#at += 8
    this.position += 8
  }

  bytes(source: Uint8Array, from = 0, to = source.length): void {
    for (let p = from; p < to; ) {
      this.#room(1)
      const free = LITERAL_MAX - (this.#at - this.#literalAt - 2)
      const end = Math.min(to, p + free)
      for (; p < end; p++) this.#out[this.#at++] = source[p]!
    }
    this.position += to - from
  }

  /** What stands `distance` before. */
  copy(distance: number, length: number): void {
    this.#close()
    const out = this.#out
    let at = this.#at
    const kind = distance > NEAR_MAX ? 3 : 2
    for (let rest = length; rest > 0; rest -= COPY_MAX) {
      out[at] = (((rest < COPY_MAX ? rest : COPY_MAX) - 1) << 2) | kind
      out[at + 1] = distance & 0xff
      out[at + 2] = (distance >> 8) & 0xff
      at += 3
      if (kind === 2) continue
      out[at] = (distance >> 16) & 0xff
      out[at + 1] = distance >>> 24
      at += 2
    }
    this.#at = at
    this.position += length
  }

  /** What was written, packed; valid until begin(). */
  elements(): Uint8Array {
    this.#close()
    return this.#out.subarray(0, this.#at)
  }

  /** In the open literal, or in a new one. */
  #room(bytes: number): void {
    if (this.#literalAt >= 0) {
      if (this.#at + bytes <= this.#literalAt + 2 + LITERAL_MAX) return
      this.#close()
    }
    this.#literalAt = this.#at
    this.#at += 2
  }

  #close(): void {
    if (this.#literalAt < 0) return
    this.#out[this.#literalAt] = LITERAL
    this.#out[this.#literalAt + 1] = this.#at - this.#literalAt - 3
    this.#literalAt = -1
  }
}

/** One block of several, in an array of its own: what they copy lies in themselves. */
export function blockOf(...writers: readonly PackedWriter[]): Uint8Array<ArrayBuffer> {
  const length = writers.reduce((sum, { position }) => sum + position, 0)
  const elements = writers.map((writer) => writer.elements())
  const size = elements.reduce((sum, { length: own }) => sum + own, varintSize(length))
  const block = Buffer.allocUnsafeSlow(size)
  let at = writeVarint(block, 0, length)
  for (const own of elements) {
    block.set(own, at)
    at += own.length
  }
  return block
}
