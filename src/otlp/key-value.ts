// One KeyValue, the element of a map or of attributes: where its key and its value stand.

import { Cursor } from '../wire/cursor.ts'
import { KEY_VALUE } from './fields.ts'

/** Reused; what it says is copied before it reads another one. */
export class KeyValueRange {
  keyStart = 0
  keyEnd = 0
  valueStart = 0
  valueEnd = 0
  readonly #fields = new Cursor()

  /** The KeyValue in `bytes[start, end)`; key and value are empty where they are absent. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    this.keyStart = start
    this.keyEnd = start
    this.valueStart = start
    this.valueEnd = start
    for (const c = this.#fields.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === KEY_VALUE.KEY) {
        this.keyStart = c.start
        this.keyEnd = c.end
      } else if (c.field === KEY_VALUE.VALUE) {
        this.valueStart = c.start
        this.valueEnd = c.end
      }
    }
    return this
  }
}
