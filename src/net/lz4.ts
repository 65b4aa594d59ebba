// LZ4 frames, reading only (lz4/lz4, doc/lz4_Frame_format.md and lz4_Block_format.md). Some OTLP/HTTP clients of the
// Collector pack with it; nothing here writes it.
//
//   frame   04 22 4D 18   FLG BD [content size u64] [dictionary id u32] HC   blocks   00 00 00 00   [content checksum]
//   block   size u32, its top bit set when the bytes are plain   bytes   [block checksum]
//   bytes   token: literal length (4 bits), match length - 4 (4 bits); 15 goes on in bytes of 255 and a last one
//           literals, then offset u16 back into what was written, until a block ends after literals
//
// Checksums are xxHash-32. The output grows by doubling and never beyond the bound.

const MAGIC = 0x184d2204
const SKIPPABLE = 0x184d2a50

export class Lz4Error extends Error {
  readonly tooLarge: boolean
  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

const corrupt = (): Lz4Error => new Lz4Error('lz4: corrupt input')

/** All frames of `bytes`, one after the other. Throws Lz4Error. */
export function readLz4(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  return new Lz4Reader(bytes, maxBytes).read()
}

class Lz4Reader {
  readonly #bytes: Uint8Array
  readonly #maxBytes: number
  #at = 0
  #out: Uint8Array<ArrayBuffer>
  #filled = 0

  constructor(bytes: Uint8Array, maxBytes: number) {
    this.#bytes = bytes
    this.#maxBytes = maxBytes
    this.#out = new Uint8Array(Math.min(maxBytes, Math.max(64, bytes.length * 4)))
  }

  read(): Uint8Array<ArrayBuffer> {
    do this.#frame()
    while (this.#at < this.#bytes.length)
    return this.#out.slice(0, this.#filled)
  }

  #u32(): number {
    const at = this.#at
    if (at + 4 > this.#bytes.length) throw corrupt()
    this.#at = at + 4
    return readU32(this.#bytes, at)
  }

  #frame(): void {
    const magic = this.#u32()
    if ((magic & 0xfffffff0) >>> 0 === SKIPPABLE) {
      // Two statements: #u32() moves the place that the length counts from.
      const length = this.#u32()
      this.#at += length
      if (this.#at > this.#bytes.length) throw corrupt()
      return
    }
    if (magic !== MAGIC) throw corrupt()
    const header = this.#at
    const flags = this.#bytes[this.#at++] ?? 0
    this.#at++
    if (flags >>> 6 !== 1) throw corrupt()
    if ((flags & 8) !== 0) this.#at += 8
    if ((flags & 1) !== 0) throw new Lz4Error('lz4: dictionaries are not supported')
    if (this.#at >= this.#bytes.length) throw corrupt()
    const sum = (xxh32(this.#bytes, header, this.#at) >>> 8) & 0xff
    if (this.#bytes[this.#at++] !== sum) throw corrupt()
    const start = this.#filled
    const linked = (flags & 32) === 0
    for (let size = this.#u32(); size !== 0; size = this.#u32())
      this.#block(size, linked ? start : this.#filled, (flags & 16) !== 0)
    if ((flags & 4) !== 0 && this.#u32() !== xxh32(this.#out, start, this.#filled)) throw corrupt()
  }

  #block(size: number, history: number, summed: boolean): void {
    const length = size & 0x7fffffff
    const from = this.#at
    const to = from + length
    if (to > this.#bytes.length) throw corrupt()
    this.#at = to
    if (size >>> 31 === 1) this.#copy(from, length)
    else this.#sequences(from, to, history)
    if (summed && this.#u32() !== xxh32(this.#bytes, from, to)) throw corrupt()
  }

  /** Matches reach back to `history`: the frame's start where blocks are linked, else the block's. */
  #sequences(from: number, to: number, history: number): void {
    const bytes = this.#bytes
    let at = from
    const length = (first: number): number => {
      let sum = first
      if (first < 15) return sum
      for (;;) {
        if (at >= to) throw corrupt()
        const more = bytes[at++]!
        sum += more
        if (more < 255) return sum
      }
    }
    while (at < to) {
      const token = bytes[at++]!
      const literals = length(token >>> 4)
      if (literals > to - at) throw corrupt()
      this.#copy(at, literals)
      at += literals
      if (at === to) return
      if (at + 2 > to) throw corrupt()
      const offset = bytes[at]! | (bytes[at + 1]! << 8)
      at += 2
      const match = length(token & 15) + 4
      if (offset === 0 || offset > this.#filled - history) throw corrupt()
      this.#reserve(match)
      const out = this.#out
      let filled = this.#filled
      for (const end = filled + match; filled < end; filled++) out[filled] = out[filled - offset]!
      this.#filled = filled
    }
  }

  #copy(from: number, length: number): void {
    this.#reserve(length)
    this.#out.set(this.#bytes.subarray(from, from + length), this.#filled)
    this.#filled += length
  }

  #reserve(more: number): void {
    const needed = this.#filled + more
    if (needed > this.#maxBytes) throw new Lz4Error('lz4: too large', true)
    if (needed <= this.#out.length) return
    const grown = new Uint8Array(Math.min(this.#maxBytes, Math.max(needed, this.#out.length * 2)))
    grown.set(this.#out.subarray(0, this.#filled))
    this.#out = grown
  }
}

const readU32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0

const P1 = 0x9e3779b1
const P2 = 0x85ebca77
const P3 = 0xc2b2ae3d
const P4 = 0x27d4eb2f
const P5 = 0x165667b1
const rotate = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
const round = (lane: number, word: number): number => Math.imul(rotate((lane + Math.imul(word, P2)) | 0, 13), P1)

/** xxHash-32 with seed 0 (Cyan4973/xxHash, doc/xxhash_spec.md). */
function xxh32(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  let hash = P5
  if (to - from >= 16) {
    let a = (P1 + P2) | 0
    let b = P2
    let c = 0
    let d = -P1 | 0
    for (; at + 16 <= to; at += 16) {
      a = round(a, readU32(bytes, at))
      b = round(b, readU32(bytes, at + 4))
      c = round(c, readU32(bytes, at + 8))
      d = round(d, readU32(bytes, at + 12))
    }
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18)
  }
  hash = (hash + (to - from)) | 0
  for (; at + 4 <= to; at += 4) hash = Math.imul(rotate((hash + Math.imul(readU32(bytes, at), P3)) | 0, 17), P4)
  for (; at < to; at++) hash = Math.imul(rotate((hash + Math.imul(bytes[at]!, P5)) | 0, 11), P1)
  hash = Math.imul(hash ^ (hash >>> 15), P2)
  hash = Math.imul(hash ^ (hash >>> 13), P3)
  return (hash ^ (hash >>> 16)) >>> 0
}
