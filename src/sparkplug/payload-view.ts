// The frame of a Sparkplug message.
//
//   Payload = 1 timestamp | 2 metrics (repeated) | 3 seq | 4 uuid | 5 body

import { Cursor } from '../wire/cursor.ts'
import { varintUnsigned } from '../wire/varint.ts'
import { PAYLOAD } from './fields.ts'

export class PayloadView {
  bytes: Uint8Array = new Uint8Array(0)
  /** NaN: it has none. */
  timestamp = Number.NaN
  /** -1: it has none; a missing one is not 0. */
  seq = -1
  /** The metric that next() has found. */
  from = 0
  to = 0
  readonly #cursor = new Cursor()
  #start = 0
  #end = 0

  /** Throws MalformedBytes for what is no message; metrics are not looked into. */
  read(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes
    this.timestamp = Number.NaN
    this.seq = -1
    this.#start = from
    this.#end = to
    for (const c = this.#cursor.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 0) continue
      if (c.field === PAYLOAD.TIMESTAMP) this.timestamp = varintUnsigned(bytes, c.start)
      else if (c.field === PAYLOAD.SEQ) this.seq = varintUnsigned(bytes, c.start)
    }
    return this.rewind()
  }

  /** Before the first metric. */
  rewind(): this {
    this.#cursor.reset(this.bytes, this.#start, this.#end)
    return this
  }

  next(): boolean {
    if (!this.#cursor.find(PAYLOAD.METRICS)) return false
    this.from = this.#cursor.start
    this.to = this.#cursor.end
    return true
  }
}
