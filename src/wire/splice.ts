// Builds new bytes from ranges of old ones and mends the lengths of the messages around every change, in one pass.
//
//   old    tag len [ .... tag len [ ....xxxxx.... ] .... ]      x: replaced, removed (nothing new) or inserted before
//   new    tag LEN [ .... tag LEN [ ....yyy....   ] .... ]      (nothing old)
//              ^              ^ each enclosing message is a *frame*: opened once, however many edits it sees
//
// Edits are recorded in flat arrays, several numbers each and no objects. As long as they come in ascending order, which
// is usual, the new bytes are written along with them (rewriter.ts). Else finish() adds up the lengths from the inside
// out, then copies from front to back: O(bytes + edits). Edits may be recorded in any order and must not overlap, except
// that a frame may be dropped whole with whatever was edited in it.

import { copyRange, wordsOf } from './copy.ts'
import { Rewriter, ROOT } from './rewriter.ts'
import { varintSize, writeVarint } from './varint.ts'
import { Writer } from './writer.ts'

export { ROOT } from './rewriter.ts'

// An edit: old [FROM, TO) becomes added [NEW_FROM, NEW_TO); a frame's edit rewrites its length and has NEW_FROM = LENGTH.
const FROM = 0
const TO = 1
const NEW_FROM = 2
const NEW_TO = 3
const FRAME = 4
const EDIT_WIDTH = 5
const LENGTH = -1

// A frame: its parent, the size of its contents as they were, the growth of the contents, whether it is dropped.
const PARENT = 0
const SIZE = 1
const GROWTH = 2
const DROPPED = 3
const FRAME_WIDTH = 4
const MESSAGE_WIDTH = 5

// The new bytes are written along with the edits, until one comes that the rewriter cannot do.
const NOT_BEGUN = 0
const ALONG = 1
const GIVEN_UP = 2

const FIRST_NUMBERS = 1024
const KEEP_MAX_NUMBERS = 1 << 18

export class Splice {
  /** New bytes that edits refer to: write, then hand the range to replace() or insert(). */
  readonly added = new Writer()
  /** How often it was reset: what was added before that is gone. */
  epoch = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #edits = new Int32Array(FIRST_NUMBERS)
  #editCount = 0
  #ascending = true
  #frames = new Int32Array(FIRST_NUMBERS)
  #frameCount = 0
  #growth = 0
  /** What edit() was told: parent, lengthAt, start, end, count, and the edits. */
  #journal = new Int32Array(FIRST_NUMBERS)
  #journalSize = 0
  readonly #rewriter = new Rewriter()
  /** Whether it has all edits so far. */
  #rewriting = NOT_BEGUN

  /** Forgets everything; the next edits refer to `bytes`. */
  reset(bytes: Uint8Array): this {
    this.epoch++
    this.#bytes = bytes
    this.added.clear()
    this.#editCount = 0
    this.#ascending = true
    this.#frameCount = 0
    this.#growth = 0
    this.#journalSize = 0
    this.#rewriting = NOT_BEGUN
    this.#rewriter.forget()
    if (this.#edits.length > KEEP_MAX_NUMBERS) this.#edits = new Int32Array(FIRST_NUMBERS)
    if (this.#journal.length > KEEP_MAX_NUMBERS) this.#journal = new Int32Array(FIRST_NUMBERS)
    if (this.#frames.length > KEEP_MAX_NUMBERS) this.#frames = new Int32Array(FIRST_NUMBERS)
    return this
  }

  /** True once an edit is recorded. */
  get changed(): boolean {
    return this.#editCount > 0 || this.#journalSize > 0
  }

  /**
   * Opens the message whose length varint is at `lengthAt` and whose contents are `[start, end)`, inside the frame
   * `parent` (or ROOT), and returns its number. Open each message once, parents first.
   */
  frame(parent: number, lengthAt: number, start: number, end: number): number {
    const frame = this.#frameCount++
    const at = frame * FRAME_WIDTH
    if (at + FRAME_WIDTH > this.#frames.length) this.#frames = grown(this.#frames)
    const frames = this.#frames
    frames[at + PARENT] = parent
    frames[at + SIZE] = end - start
    frames[at + GROWTH] = 0
    frames[at + DROPPED] = 0
    this.#record(frame, lengthAt, start, LENGTH, LENGTH)
    if (this.#rewriting === ALONG && !this.#rewriter.enter(frame, parent, lengthAt, start, end))
      this.#rewriting = GIVEN_UP
    return frame
  }

  /**
   * The same with all the edits of the message, which is neither opened again nor dropped: four numbers each, in ascending
   * order, of which `[from, to)` becomes `added[newFrom, newTo)`.
   */
  edit(parent: number, lengthAt: number, start: number, end: number, edits: Int32Array, count: number): void {
    const size = MESSAGE_WIDTH + 4 * count
    const journal = this.#roomInJournal(size)
    let at = this.#journalSize
    this.#journalSize += size
    journal[at] = parent
    journal[at + 1] = lengthAt
    journal[at + 2] = start
    journal[at + 3] = end
    journal[at + 4] = count
    at += MESSAGE_WIDTH
    let growth = 0
    for (let i = 0; i < 4 * count; i += 4, at += 4) {
      const from = edits[i]!
      const to = edits[i + 1]!
      const newFrom = edits[i + 2]!
      const newTo = edits[i + 3]!
      journal[at] = from
      journal[at + 1] = to
      journal[at + 2] = newFrom
      journal[at + 3] = newTo
      growth += newTo - newFrom - (to - from)
    }
    if (this.#rewriting === NOT_BEGUN) this.#begin()
    if (this.#rewriting !== ALONG) return
    const rewriter = this.#rewriter
    if (!rewriter.message(parent, lengthAt, start, end, growth)) {
      this.#rewriting = GIVEN_UP
      return
    }
    const { words } = this.added
    for (let i = 0; i < 4 * count; i += 4) rewriter.put(edits[i]!, edits[i + 1]!, words, edits[i + 2]!, edits[i + 3]!)
  }

  #roomInJournal(size: number): Int32Array<ArrayBuffer> {
    while (this.#journalSize + size > this.#journal.length) this.#journal = grown(this.#journal)
    return this.#journal
  }

  /** Records what edit() was told, for want of another way. */
  #replayJournal(): void {
    const journal = this.#journal
    for (let at = 0; at < this.#journalSize; ) {
      const frame = this.frame(journal[at]!, journal[at + 1]!, journal[at + 2]!, journal[at + 3]!)
      const end = at + MESSAGE_WIDTH + 4 * journal[at + 4]!
      for (at += MESSAGE_WIDTH; at < end; at += 4)
        this.replace(frame, journal[at]!, journal[at + 1]!, journal[at + 2]!, journal[at + 3]!)
    }
    this.#journalSize = 0
  }

  /** `[from, to)`, directly inside `frame`, becomes `added[newFrom, newTo)`. */
  replace(frame: number, from: number, to: number, newFrom: number, newTo: number): void {
    this.#record(frame, from, to, newFrom, newTo)
    this.#grow(frame, newTo - newFrom - (to - from))
    if (this.#rewriting === ALONG && !this.#rewriter.replace(frame, from, to, this.added.words, newFrom, newTo))
      this.#rewriting = GIVEN_UP
  }

  /** `added[newFrom, newTo)` comes before the byte at `at`, inside `frame`. At one place, first recorded, first written. */
  insert(frame: number, at: number, newFrom: number, newTo: number): void {
    this.replace(frame, at, at, newFrom, newTo)
  }

  /** `[from, to)` goes. */
  remove(frame: number, from: number, to: number): void {
    this.replace(frame, from, to, 0, 0)
  }

  /** Removes `[from, to)` from `parent`, tag to end of a message that may have been opened as `frame` and edited. */
  drop(parent: number, frame: number, from: number, to: number): void {
    if (frame !== ROOT) this.#frames[frame * FRAME_WIDTH + DROPPED] = 1
    this.remove(parent, from, to)
  }

  /** The new bytes, in an array with a buffer of its own; the old array itself when nothing was edited. */
  finish(): Uint8Array {
    if (!this.changed) return this.#bytes
    const rewritten = this.#rewriting === ALONG ? this.#rewriter.finish() : undefined
    return rewritten ?? this.#assemble()
  }

  #assemble(): Uint8Array {
    this.#rewriting = GIVEN_UP
    this.#replayJournal()
    this.#mendLengths()
    const order = this.#ascending ? undefined : this.#sorted()
    const edits = this.#edits
    const frames = this.#frames
    const old = wordsOf(this.#bytes)
    const added = this.added.words
    const bytes = new Uint8Array(Buffer.allocUnsafeSlow(this.#bytes.length + this.#growth).buffer)
    const target = wordsOf(bytes)
    let read = 0
    let write = 0
    for (let i = 0; i < this.#editCount; i++) {
      const at = (order === undefined ? i : order[i]!) * EDIT_WIDTH
      const frame = edits[at + FRAME]! * FRAME_WIDTH
      if (frame >= 0 && frames[frame + DROPPED] !== 0) continue
      if (edits[at + FROM]! < read) throw new Error('invariant: edits of a splice overlap')
      write = copyRange(old, read, edits[at + FROM]!, target, write)
      read = edits[at + TO]!
      const newFrom = edits[at + NEW_FROM]!
      if (newFrom === LENGTH) write = writeVarint(bytes, write, frames[frame + SIZE]! + frames[frame + GROWTH]!)
      else write = copyRange(added, newFrom, edits[at + NEW_TO]!, target, write)
    }
    copyRange(old, read, this.#bytes.length, target, write)
    return bytes
  }

  #record(frame: number, from: number, to: number, newFrom: number, newTo: number): void {
    const at = this.#editCount * EDIT_WIDTH
    if (at + EDIT_WIDTH > this.#edits.length) this.#edits = grown(this.#edits)
    const edits = this.#edits
    if (this.#rewriting === NOT_BEGUN) this.#begin()
    if (at > 0 && from < edits[at - EDIT_WIDTH + FROM]!) this.#ascending = false
    edits[at + FROM] = from
    edits[at + TO] = to
    edits[at + NEW_FROM] = newFrom
    edits[at + NEW_TO] = newTo
    edits[at + FRAME] = frame
    this.#editCount++
  }

  /** Ahead of the first edit. */
  #begin(): void {
    this.#rewriter.begin(this.#bytes)
    this.#rewriting = ALONG
  }

  #grow(frame: number, by: number): void {
    if (frame === ROOT) this.#growth += by
    else this.#frames[frame * FRAME_WIDTH + GROWTH]! += by
  }

  // A dropped frame takes its children along; the others hand their growth, and that of their length, to the parent.
  #mendLengths(): void {
    const frames = this.#frames
    const edits = this.#edits
    for (let i = 0; i < this.#frameCount; i++) {
      const parent = frames[i * FRAME_WIDTH + PARENT]!
      if (parent !== ROOT && frames[parent * FRAME_WIDTH + DROPPED] !== 0) frames[i * FRAME_WIDTH + DROPPED] = 1
    }
    // Every frame has exactly one edit for its length, recorded in the order of the frames.
    let frame = this.#frameCount
    for (let i = this.#editCount - 1; i >= 0; i--) {
      const edit = i * EDIT_WIDTH
      if (edits[edit + NEW_FROM] !== LENGTH) continue
      const at = --frame * FRAME_WIDTH
      if (frames[at + DROPPED] !== 0) continue
      const growth = frames[at + GROWTH]!
      const lengthSize = edits[edit + TO]! - edits[edit + FROM]!
      this.#grow(frames[at + PARENT]!, growth + varintSize(frames[at + SIZE]! + growth) - lengthSize)
    }
  }

  // The numbers of the edits by place, those at one place in the order of recording.
  #sorted(): Float64Array {
    const count = this.#editCount
    const order = new Float64Array(count)
    // Place and number in one double sort natively; exact while bytes times edits stay below 2^53.
    if (this.#bytes.length * count < Number.MAX_SAFE_INTEGER) {
      for (let i = 0; i < count; i++) order[i] = this.#edits[i * EDIT_WIDTH + FROM]! * count + i
      order.sort()
      for (let i = 0; i < count; i++) order[i] = order[i]! % count
      return order
    }
    for (let i = 0; i < count; i++) order[i] = i
    const edits = this.#edits
    return order.sort((a, b) => edits[a * EDIT_WIDTH + FROM]! - edits[b * EDIT_WIDTH + FROM]! || a - b)
  }
}

function grown(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2)
  larger.set(numbers)
  return larger
}
