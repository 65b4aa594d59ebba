// Writes the edited message as the edits come, as long as they come in ascending order: each range is copied while it is
// still in the processor's cache, from being looked at.
//
//   old    tag len [ copied | replaced | copied ... not read yet
//                  ^ open frame                ^ read
//   new    tag len [ copied | new      | copied  ^ write
//              ^ the old length, mended when the frame is left: its place is nearly always the right one, as a message
//                seldom grows from 127 bytes to 128. Where it is not, the contents move.
//
// A frame is left when an edit comes that is not inside it. What cannot be done in this way (an edit further ahead, or in
// a frame that was left) is told by `false`: whoever called it has to write the whole message in another way.

import { copyRange, type Words, wordsOf } from './copy.ts'
import { varintSize, writeVarint } from './varint.ts'

/** The message that is not inside another. */
export const ROOT = -1

// An open frame: its number, the end of its contents in the old bytes, where its length and its contents begin in the new.
const FRAME = 0
const END = 1
const LENGTH_AT = 2
const CONTENTS = 3
const WIDTH = 4
const FIRST_DEPTH = 16
const LENGTH_MAX_BYTES = 10

/** Room beside what the last message grew by. */
const MARGIN_BYTES = 256
const MARGIN_SHARE = 1 / 64
const MOST_WASTE_SHARE = 1 / 8

const NOTHING = wordsOf(new Uint8Array(0))

export class Rewriter {
  #old: Words = NOTHING
  #new: Words = NOTHING
  #read = 0
  #write = 0
  #open = new Int32Array(FIRST_DEPTH * WIDTH)
  #depth = 0
  /** Size of the last message that was written, as a share of what it was before. */
  #growth = 1

  begin(bytes: Uint8Array): void {
    this.#old = wordsOf(bytes)
    this.#new = allocate(Math.ceil(bytes.length * (this.#growth + MARGIN_SHARE)) + MARGIN_BYTES)
    this.#read = 0
    this.#write = 0
    this.#depth = 0
  }

  /** Goes into the message whose length varint is at `lengthAt` and whose contents are `[start, end)`. */
  enter(frame: number, parent: number, lengthAt: number, start: number, end: number): boolean {
    if (!this.#leaveUpTo(parent) || lengthAt < this.#read) return false
    this.#copyUpTo(start)
    const at = this.#depth++ * WIDTH
    if (at === this.#open.length) this.#open = larger(this.#open)
    const open = this.#open
    open[at + FRAME] = frame
    open[at + END] = end
    open[at + LENGTH_AT] = this.#write - (start - lengthAt)
    open[at + CONTENTS] = this.#write
    return true
  }

  /** `[from, to)`, directly inside `frame`, becomes `source[newFrom, newTo)`. */
  replace(frame: number, from: number, to: number, source: Words, newFrom: number, newTo: number): boolean {
    if (!this.#leaveUpTo(frame) || from < this.#read) return false
    this.#copyUpTo(from)
    this.#read = to
    if (newTo > newFrom) {
      this.#makeRoom(newTo - newFrom)
      this.#write = copyRange(source, newFrom, newTo, this.#new, this.#write)
    }
    return true
  }

  /**
   * Goes into a message whose edits, `growth` bytes all together, come with put() right behind this, in ascending order; it
   * is left with the next call of any other method.
   */
  message(parent: number, lengthAt: number, start: number, end: number, growth: number): boolean {
    if (!this.#leaveUpTo(parent) || lengthAt < this.#read) return false
    this.#makeRoom(end - this.#read + growth + LENGTH_MAX_BYTES)
    const target = this.#new
    const write = copyRange(this.#old, this.#read, lengthAt, target, this.#write)
    this.#write = writeVarint(target.bytes, write, end - start + growth)
    this.#read = start
    return true
  }

  /** In the message that was gone into: `[from, to)` becomes `source[newFrom, newTo)`. */
  put(from: number, to: number, source: Words, newFrom: number, newTo: number): void {
    const target = this.#new
    const write = copyRange(this.#old, this.#read, from, target, this.#write)
    this.#write = copyRange(source, newFrom, newTo, target, write)
    this.#read = to
  }

  /** The new bytes, in an array with a buffer of its own. Undefined where it cannot be done. */
  finish(): Uint8Array | undefined {
    if (!this.#leaveUpTo(ROOT)) return undefined
    const oldSize = this.#old.bytes.length
    this.#copyUpTo(oldSize)
    this.#growth = oldSize === 0 ? 1 : this.#write / oldSize
    const { bytes } = this.#new
    const size = this.#write
    this.forget()
    if (bytes.length - size > Math.max(2 * MARGIN_BYTES, size * MOST_WASTE_SHARE)) return bytes.slice(0, size)
    return new Uint8Array(bytes.buffer, 0, size)
  }

  /** Holds no bytes any more. */
  forget(): void {
    this.#old = NOTHING
    this.#new = NOTHING
  }

  #leaveUpTo(frame: number): boolean {
    while (this.#depth > 0 && this.#open[(this.#depth - 1) * WIDTH + FRAME] !== frame) if (!this.#leave()) return false
    return this.#depth > 0 || frame === ROOT
  }

  #leave(): boolean {
    const open = this.#open
    const at = --this.#depth * WIDTH
    if (open[at + END]! < this.#read) return false
    this.#copyUpTo(open[at + END]!)
    const contents = open[at + CONTENTS]!
    const length = this.#write - contents
    const moved = varintSize(length) - (contents - open[at + LENGTH_AT]!)
    if (moved !== 0) {
      if (moved > 0) this.#makeRoom(moved)
      this.#new.bytes.copyWithin(contents + moved, contents, this.#write)
      this.#write += moved
    }
    writeVarint(this.#new.bytes, open[at + LENGTH_AT]!, length)
    return true
  }

  #copyUpTo(to: number): void {
    this.#makeRoom(to - this.#read)
    this.#write = copyRange(this.#old, this.#read, to, this.#new, this.#write)
    this.#read = to
  }

  #makeRoom(bytes: number): void {
    const needed = this.#write + bytes
    const { length } = this.#new.bytes
    if (needed <= length) return
    const grown = allocate(Math.max(needed, length + (length >>> 1)))
    copyRange(this.#new, 0, this.#write, grown, 0)
    this.#new = grown
  }
}

const allocate = (size: number): Words => wordsOf(new Uint8Array(Buffer.allocUnsafeSlow(size).buffer))

function larger(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const grown = new Int32Array(numbers.length * 2)
  grown.set(numbers)
  return grown
}
