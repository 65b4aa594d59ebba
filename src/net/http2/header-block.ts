// A header block that comes in several frames: HEADERS, then CONTINUATION until END_HEADERS (RFC 9113 4.3).

import { H2_ERROR, H2ConnectionError } from './frame.ts'

/** A header block before it is decoded, in all its frames: more than its list may be, so that one too large is told apart. */
export const MAX_HEADER_BLOCK_BYTES = 128 * 1024
export const MAX_CONTINUATIONS = 64

export class HeaderBlock {
  #pieces: Uint8Array[] = []
  #bytes = 0

  /** Copies the piece. Returns the whole block when `last`; throws when it is larger than any block may be. */
  add(bytes: Uint8Array, from: number, to: number, last: boolean): Uint8Array | undefined {
    this.#pieces.push(new Uint8Array(bytes.subarray(from, to)))
    this.#bytes += to - from
    if (this.#bytes > MAX_HEADER_BLOCK_BYTES || this.#pieces.length > MAX_CONTINUATIONS)
      throw new H2ConnectionError(H2_ERROR.ENHANCE_YOUR_CALM, 'header block too large')
    if (!last) return undefined
    const block = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#bytes = 0
    return block
  }
}
