// Text that is written again and again: eight bytes at a time, the last eight as far as they go.
//
// Words are doubles, because no other eight bytes can be moved at once without a BigInt. That is safe for text alone: eight
// bytes that make a NaN, of which a machine may change some, end in 0x7f or 0xff behind a byte from 0xf0 on, and no UTF-8
// has that.

const EMPTY = new Float64Array(0)
/** From here on a call is cheaper than the loop. */
const CALL_MIN_BYTES = 512

export class Piece {
  length = 0
  #words = EMPTY
  #bytes = new Uint8Array(0)

  /** UTF-8, of which a copy is kept. */
  constructor(text: string | Uint8Array = '') {
    const bytes = typeof text === 'string' ? Buffer.from(text) : text
    this.set(bytes)
  }

  /** Becomes `text[from, to)`, which is UTF-8. */
  set(text: Uint8Array, from = 0, to = text.length): void {
    const words = (to - from + 7) >> 3
    if (words > this.#words.length || this.length === 0) {
      this.#words = new Float64Array(words)
      this.#bytes = new Uint8Array(this.#words.buffer)
    }
    this.length = to - from
    this.#bytes.set(text.subarray(from, to))
    this.#bytes.fill(0, this.length)
  }

  /** What `to` needs room for behind `at`. */
  get room(): number {
    return this.length + 7
  }

  /** Writes it and perhaps up to seven more bytes, which are anything; returns the offset behind the text. */
  write(to: DataView, at: number): number {
    const { length } = this
    const words = this.#words
    if (length >= CALL_MIN_BYTES) {
      new Uint8Array(to.buffer, to.byteOffset + at, length).set(this.#bytes.subarray(0, length))
      return at + length
    }
    for (let i = 0, p = at; p < at + length; i++, p += 8) to.setFloat64(p, words[i]!, true)
    return at + length
  }

  toString(): string {
    return Buffer.from(this.#bytes.subarray(0, this.length)).toString()
  }
}
