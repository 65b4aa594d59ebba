// The attributes of the points that follow, encoded: those of the stream, of the message and of the reading itself, one behind
// the other.

import type { Marks } from './log-entry.ts'
import { encodeMarks } from './naming.ts'

const NOTHING = new Uint8Array(0)
const NO_MARKS: Marks = []

export class PointMarks {
  /** All of them, fields of NumberDataPoint; empty for most. */
  all: Uint8Array = NOTHING
  /** Of what follows, besides the others. */
  own: Uint8Array = NOTHING
  message: Uint8Array = NOTHING
  /** As they were given. */
  messageAttributes: Marks = NO_MARKS
  #stream: Uint8Array = NOTHING
  readonly #encoded = new WeakMap<object, Uint8Array>()

  /** A message begins, on that stream. */
  begin(ofStream: Uint8Array): void {
    this.all = ofStream
    this.own = NOTHING
    this.message = NOTHING
    this.messageAttributes = NO_MARKS
    this.#stream = ofStream
  }

  /** What follows is of another stream. */
  moveTo(ofStream: Uint8Array): void {
    if (ofStream === this.#stream) return
    this.#stream = ofStream
    this.#join()
  }

  setMessage(attributes: Marks): void {
    this.messageAttributes = attributes
    this.message = this.#encode(attributes)
    this.#join()
  }

  setOwn(attributes: Marks | undefined): void {
    const own = attributes === undefined || attributes.length === 0 ? NOTHING : this.#encode(attributes)
    if (own === this.own) return
    this.own = own
    this.#join()
  }

  /** Once for the same object. */
  #encode(attributes: Marks): Uint8Array {
    let encoded = this.#encoded.get(attributes)
    if (encoded === undefined) {
      encoded = encodeMarks(attributes)
      this.#encoded.set(attributes, encoded)
    }
    return encoded
  }

  #join(): void {
    const parts = [this.#stream, this.message, this.own].filter((part) => part.length > 0)
    this.all = parts.length === 0 ? NOTHING : parts.length === 1 ? parts[0]! : new Uint8Array(Buffer.concat(parts))
  }
}
