// Text that is written again and again: 32 bytes at a time, the last ones as far as they go, so that most of it takes one
// round of a loop.
//
// Words are doubles, because no other eight bytes can be moved at once without a BigInt. That is safe for text alone: eight
// bytes that make a NaN, of which a machine may change some, end in 0x7f or 0xff behind a byte from 0xf0 on, and no UTF-8
// has that.

/** What a piece may write behind its end. */
export const PIECE_OVERRUN = 31
const ROUND_BYTES = 32
/** Beyond it a call is cheaper than the loop. */
const MAX_ROUNDS_BYTES = 96

export class Piece {
  length = 0
  #words = new Float64Array(0)
  #bytes = new Uint8Array(0)

  /** UTF-8, of which a copy is kept. */
  constructor(text: string | Uint8Array = '') {
    this.set(typeof text === 'string' ? Buffer.from(text) : text)
  }

  /** Becomes `text[from, to)`, which is UTF-8. */
  set(text: Uint8Array, from = 0, to = text.length): void {
    const rounds = Math.ceil((to - from) / ROUND_BYTES)
    if (rounds * ROUND_BYTES > this.#words.byteLength) this.#words = new Float64Array((rounds * ROUND_BYTES) / 8)
    else this.#words.fill(0)
    this.#bytes = new Uint8Array(this.#words.buffer, 0, to - from)
    this.#bytes.set(text.subarray(from, to))
    this.length = to - from
  }

  /** Writes it, and up to PIECE_OVERRUN bytes of anything; returns the offset behind the text. `words` views `out`. */
  write(out: Uint8Array, words: DataView, at: number): number {
    const { length } = this
    const end = at + length
    if (length > MAX_ROUNDS_BYTES) {
      out.set(this.#bytes, at)
      return end
    }
    const own = this.#words
    for (let i = 0, p = at; p < end; i += 4, p += 32) {
      words.setFloat64(p, own[i]!, true)
      words.setFloat64(p + 8, own[i + 1]!, true)
      words.setFloat64(p + 16, own[i + 2]!, true)
      words.setFloat64(p + 24, own[i + 3]!, true)
    }
    return end
  }

  toString(): string {
    return Buffer.from(this.#bytes).toString()
  }
}
