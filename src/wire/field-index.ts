// Where the fields of one message are: one pass over its fields, then every reader knows its place.
//
// A view of a message extends this with accessors by name. It is made once and reset for each message; nothing is
// allocated. A number past the table, or a wire type that the .proto does not give it, never matches: such fields are
// skipped here and still travel in the bytes. A repeated scalar: the last one wins.

import { Cursor } from './cursor.ts'
import { readF64, readI64, readU32, readU64, varintHigh, varintLow, varintSigned, varintUnsigned } from './varint.ts'

export class FieldIndex {
  bytes: Uint8Array = new Uint8Array(0)
  /** The message is `bytes[start, end)`. */
  start = 0
  end = 0
  readonly #wireType: Uint8Array
  // Right only for fields that were seen; contents never begin at offset 0, a tag comes before them.
  readonly #from: Int32Array
  readonly #to: Int32Array
  // One bit per field: seen, and seen more than once. No table of OTLP has a field beyond 31.
  #seen = 0
  #times = 0

  /** `wireType` by field number, 255 where there is no field. */
  constructor(wireType: Uint8Array) {
    if (wireType.length > 32) throw new Error('invariant: a view indexes fields up to 31')
    this.#wireType = wireType
    this.#from = new Int32Array(wireType.length)
    this.#to = new Int32Array(wireType.length)
  }

  /** Reads the message in `bytes[start, end)`, which must be checked. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes
    this.start = start
    this.end = end
    const wireTypes = this.#wireType
    const from = this.#from
    const to = this.#to
    const fields = wireTypes.length
    let seen = 0
    let times = 0
    let p = start
    while (p < end) {
      let tag = bytes[p++]!
      if (tag > 0x7f) {
        tag = varintLow(bytes, p - 1)
        while (bytes[p++]! > 0x7f);
      }
      const wireType = tag & 7
      const field = tag >>> 3
      let next: number
      if (wireType === 2) {
        let length = bytes[p++]!
        if (length > 0x7f) {
          length = varintLow(bytes, p - 1)
          while (bytes[p++]! > 0x7f);
        }
        next = p + length
        // Most of an item are its attributes, one behind the other: only where the last one is gets noted.
        while (tag < 0x80 && next + 1 < end && bytes[next] === tag && bytes[next + 1]! < 0x80) {
          p = next + 2
          next = p + bytes[next + 1]!
          times |= 1 << field
        }
      } else if (wireType === 0) {
        next = p + 1
        while (bytes[next - 1]! > 0x7f) next++
      } else next = p + (wireType === 1 ? 8 : 4)
      if (field < fields && wireTypes[field] === wireType) {
        from[field] = p
        to[field] = next
        const bit = 1 << field
        times |= seen & bit
        seen |= bit
      }
      p = next
    }
    this.#seen = seen
    this.#times = times
    return this
  }

  has(field: number): boolean {
    return ((this.#seen >>> field) & 1) === 1
  }

  /** True when a field stood there more than once: of a nested message the pieces merge. */
  isRepeated(field: number): boolean {
    return ((this.#times >>> field) & 1) === 1
  }

  /** Where the field's value begins and ends; both 0 when it is absent. Of several, the last. */
  from(field: number): number {
    return ((this.#seen >>> field) & 1) === 0 ? 0 : this.#from[field]!
  }

  to(field: number): number {
    return ((this.#seen >>> field) & 1) === 0 ? 0 : this.#to[field]!
  }

  /** A varint field as uint32, 0 when absent. */
  uint32(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : varintLow(this.bytes, at)
  }

  /** A varint field as int64: exact within ±2^53, else the nearest double. 0 when absent. */
  int64(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : varintSigned(this.bytes, at)
  }

  /** A varint field as uint64: exact up to 2^53, else the nearest double. 0 when absent. */
  uint64(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : varintUnsigned(this.bytes, at)
  }

  /** A varint field as sint32 (zigzag), 0 when absent. */
  sint32(field: number): number {
    const value = this.uint32(field)
    return (value >>> 1) ^ -(value & 1)
  }

  bool(field: number): boolean {
    const at = this.from(field)
    return at !== 0 && (varintLow(this.bytes, at) | varintHigh(this.bytes, at)) !== 0
  }

  /** A fixed32 field, 0 when absent. */
  fixed32(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : readU32(this.bytes, at)
  }

  /** The halves of a fixed64 field as u32, 0 when absent. */
  fixedHigh(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : readU32(this.bytes, at + 4)
  }

  fixedLow(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : readU32(this.bytes, at)
  }

  /** A fixed64 field: exact up to 2^53, else the nearest double. 0 when absent. */
  fixed64(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : readU64(this.bytes, at)
  }

  /** A sfixed64 field: exact within ±2^53, else the nearest double. 0 when absent. */
  sfixed64(field: number): number {
    const at = this.from(field)
    return at === 0 ? 0 : readI64(this.bytes, at)
  }

  /** A double field, NaN when absent. */
  double(field: number): number {
    const at = this.from(field)
    return at === 0 ? Number.NaN : readF64(this.bytes, at)
  }

  /** A string field as a string of its own, '' when absent. */
  text(field: number): string {
    const at = this.from(field)
    return at === 0 ? '' : Buffer.from(this.bytes.buffer, this.bytes.byteOffset + at, this.to(field) - at).toString()
  }

  /** Appends every value of a repeated fixed64, packed or not: exact up to 2^53, else the nearest double. */
  fixed64List(field: number, into: number[]): void {
    this.#fixed64s(field, into, readU64)
  }

  /** Appends every value of a repeated double, packed or not. */
  doubleList(field: number, into: number[]): void {
    this.#fixed64s(field, into, readF64)
  }

  /** Appends every value of a repeated uint64, packed or not: exact up to 2^53, else the nearest double. */
  uint64List(field: number, into: number[]): void {
    for (const c = new Cursor().reset(this.bytes, this.start, this.end); c.next(); ) {
      if (c.field !== field) continue
      if (c.wireType === 0) into.push(varintUnsigned(this.bytes, c.start))
      else if (c.wireType === 2) {
        for (let p = c.start; p < c.end; ) {
          into.push(varintUnsigned(this.bytes, p))
          while (this.bytes[p++]! > 0x7f);
        }
      }
    }
  }

  #fixed64s(field: number, into: number[], read: (bytes: Uint8Array, at: number) => number): void {
    for (const c = new Cursor().reset(this.bytes, this.start, this.end); c.next(); ) {
      if (c.field !== field) continue
      if (c.wireType === 1) into.push(read(this.bytes, c.start))
      else if (c.wireType === 2) for (let p = c.start; p + 8 <= c.end; p += 8) into.push(read(this.bytes, p))
    }
  }
}
