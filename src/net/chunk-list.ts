// The chunks of a body while it arrives, in not much more memory than it has bytes, however the sender cuts it.
//
// A sender may send a byte at a time, each of which would be an object of some hundred bytes; and a chunk may be a small
// part of what was read from a socket, all of which it would keep. Ordinary chunks are kept as they are.

/** Smaller chunks are gathered in pieces of this size, once there are many. */
const PIECE_BYTES = 4096
const MANY_CHUNKS = 16
/** A chunk that is a smaller part of its buffer than this is copied out of it. */
const LEAST_PART = 1 / 4

export class ChunkList {
  #chunks: Uint8Array[] = []
  #piece: Uint8Array | undefined
  #pieceFilled = 0
  #length = 0

  get length(): number {
    return this.#length
  }

  /** Takes the chunk over, and all of its buffer when it is all of it. */
  push(chunk: Uint8Array): void {
    this.#length += chunk.length
    if (chunk.length < PIECE_BYTES && this.#chunks.length >= MANY_CHUNKS) this.#gather(chunk)
    else {
      this.#endPiece()
      this.#chunks.push(chunk.length < chunk.buffer.byteLength * LEAST_PART ? copied(chunk) : chunk)
    }
  }

  /** All of it in a buffer of its own. Empties the list. */
  take(): Uint8Array<ArrayBuffer> {
    this.#endPiece()
    const only = this.#chunks[0]
    // Nobody else has such a buffer: the chunk was copied here, or given to us.
    if (this.#chunks.length === 1 && only!.buffer.byteLength === this.#length && only!.buffer instanceof ArrayBuffer) {
      this.clear()
      return new Uint8Array(only!.buffer)
    }
    // Not zeroed and not pooled; every byte is written below.
    const whole = new Uint8Array(Buffer.allocUnsafeSlow(this.#length).buffer)
    let at = 0
    for (const chunk of this.#chunks) {
      whole.set(chunk, at)
      at += chunk.length
    }
    this.clear()
    return whole
  }

  clear(): void {
    this.#chunks = []
    this.#piece = undefined
    this.#length = 0
  }

  #gather(chunk: Uint8Array): void {
    if (this.#piece === undefined || this.#pieceFilled + chunk.length > PIECE_BYTES) {
      this.#endPiece()
      this.#piece = Buffer.allocUnsafeSlow(PIECE_BYTES)
      this.#pieceFilled = 0
    }
    this.#piece.set(chunk, this.#pieceFilled)
    this.#pieceFilled += chunk.length
  }

  #endPiece(): void {
    if (this.#piece === undefined) return
    this.#chunks.push(this.#piece.subarray(0, this.#pieceFilled))
    this.#piece = undefined
  }
}

/** In a buffer of its own, which is not zeroed first. */
function copied(chunk: Uint8Array): Uint8Array {
  const copy = Buffer.allocUnsafeSlow(chunk.length)
  copy.set(chunk)
  return copy
}
