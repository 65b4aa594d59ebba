// Builds a message out of ranges of another, in nested messages of its own.
//
//   open(tag)   range  range   open(tag)  range  close()   close()      in the order of the new bytes
//
// Ranges that follow one another in the old bytes become one copy. Lengths are known when a message is closed, so
// finish() writes front to back, once. Flat arrays; nothing per range but three numbers.

import { varintSize, writeVarint } from './varint.ts'

// A range: FROM, TO, -1. An opened message: its tag's range and then the size of its contents.
const FROM = 0
const TO = 1
const SIZE = 2
const WIDTH = 3
const FIRST_NUMBERS = 96

export class Assembler {
  readonly #bytes: Uint8Array
  #steps = new Int32Array(FIRST_NUMBERS)
  #count = 0
  readonly #open: number[] = [] // step of each open message and the size of its contents so far
  #size = 0

  /** Ranges refer to `bytes`. */
  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** Opens a message whose tag is copied from `[tagAt, lengthAt)`. */
  open(tagAt: number, lengthAt: number): void {
    this.#step(tagAt, lengthAt, 0)
    this.#open.push(this.#count - 1, 0)
  }

  /** Appends `[from, to)` to the innermost open message, or to the whole. */
  range(from: number, to: number): void {
    const last = (this.#count - 1) * WIDTH
    if (last >= 0 && this.#steps[last + SIZE] === -1 && this.#steps[last + TO] === from) this.#steps[last + TO] = to
    else this.#step(from, to, -1)
    this.#grow(to - from)
  }

  /** Closes the innermost open message. */
  close(): void {
    const size = this.#open.pop()!
    const step = this.#open.pop()! * WIDTH
    this.#steps[step + SIZE] = size
    this.#grow(this.#steps[step + TO]! - this.#steps[step + FROM]! + varintSize(size) + size)
    // What follows must not grow a range inside the closed message.
    this.#step(0, 0, -1)
  }

  /** The new bytes, in an array with a buffer of its own. Everything must be closed. */
  finish(): Uint8Array<ArrayBuffer> {
    if (this.#open.length > 0) throw new Error('invariant: a message is still open')
    const bytes = this.#bytes
    const steps = this.#steps
    const target = new Uint8Array(Buffer.allocUnsafeSlow(this.#size).buffer)
    let write = 0
    for (let at = 0; at < this.#count * WIDTH; at += WIDTH) {
      const from = steps[at + FROM]!
      const to = steps[at + TO]!
      if (to - from > 32) target.set(bytes.subarray(from, to), write)
      else for (let i = from; i < to; i++) target[write + i - from] = bytes[i]!
      write += to - from
      if (steps[at + SIZE] !== -1) write = writeVarint(target, write, steps[at + SIZE]!)
    }
    return target
  }

  #grow(by: number): void {
    if (this.#open.length > 0) this.#open[this.#open.length - 1]! += by
    else this.#size += by
  }

  #step(from: number, to: number, size: number): void {
    const at = this.#count++ * WIDTH
    if (at + WIDTH > this.#steps.length) {
      const larger = new Int32Array(this.#steps.length * 2)
      larger.set(this.#steps)
      this.#steps = larger
    }
    this.#steps[at + FROM] = from
    this.#steps[at + TO] = to
    this.#steps[at + SIZE] = size
  }
}
