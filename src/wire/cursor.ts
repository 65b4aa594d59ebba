// Walks the fields of one message in place.
//
//   message = { tag value }          tag    = varint: field number << 3 | wire type
//   value   = varint                 wire type 0
//           | 8 bytes | 4 bytes      wire types 1, 5
//           | length bytes           wire type 2; length is a varint
//
// A cursor is made once and reset for each message; next() allocates nothing. It never reads outside the message, and
// throws MalformedBytes where the bytes are not a message, so it is safe on bytes that nobody checked.

export class MalformedBytes extends Error {
  /** Where in the array the bytes stop making sense. */
  readonly offset: number

  constructor(what: string, offset: number) {
    super(`${what} at byte ${offset}`)
    this.name = 'MalformedBytes'
    this.offset = offset
  }
}

export class Cursor {
  bytes: Uint8Array = new Uint8Array(0)
  /** Number and wire type of the current field. */
  field = 0
  wireType = 0
  /** Where its tag begins. */
  at = 0
  /** Wire type 2: where its length begins. Others: as `start`. */
  lengthAt = 0
  /** Its value: contents of wire type 2 without the length; the bytes of a varint; the four or eight bytes. */
  start = 0
  end = 0
  #next = 0
  #limit = 0

  /** Before the first field of the message in `bytes[from, to)`. */
  reset(bytes: Uint8Array, from = 0, to = bytes.length): this {
    this.bytes = bytes
    this.#next = from
    this.#limit = to
    return this
  }

  /** Moves to the next field; false at the end of the message. */
  next(): boolean {
    const bytes = this.bytes
    const limit = this.#limit
    let p = this.#next
    if (p >= limit) return false
    this.at = p
    let tag = bytes[p++]!
    if (tag > 0x7f) {
      tag = this.#varint(p - 1, 5)
      p = this.#next
    }
    const wireType = tag & 7
    this.field = tag >>> 3
    this.wireType = wireType
    this.lengthAt = p
    let end: number
    if (wireType === 2) {
      if (p >= limit) throw new MalformedBytes('length missing', p)
      let length = bytes[p++]!
      if (length > 0x7f) {
        length = this.#varint(p - 1, 5)
        p = this.#next
      }
      end = p + length
    } else if (wireType === 0) {
      end = p
      do if (end >= limit || end - p > 9) throw new MalformedBytes('varint without end', p)
      while (bytes[end++]! > 0x7f)
    } else if (wireType === 1) end = p + 8
    else if (wireType === 5) end = p + 4
    else throw new MalformedBytes(`wire type ${wireType}`, this.at)
    if (tag < 8) throw new MalformedBytes('field number 0', this.at)
    if (end > limit) throw new MalformedBytes('field longer than its message', p)
    this.start = p
    this.end = end
    this.#next = end
    return true
  }

  /** Moves to the next field `number` of wire type 2; false when there is none left. */
  find(number: number): boolean {
    while (this.next()) if (this.field === number && this.wireType === 2) return true
    return false
  }

  // A varint of at most 32 bits; leaves #next behind it.
  #varint(from: number, maxBytes: number): number {
    let value = 0
    let scale = 1
    for (let p = from; p < from + maxBytes && p < this.#limit; scale *= 128) {
      const byte = this.bytes[p++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) {
        if (value > 0xffffffff) break
        this.#next = p
        return value
      }
    }
    throw new MalformedBytes('tag or length without end', from)
  }
}
