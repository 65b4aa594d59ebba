// Where the fields of one message are: one pass over its fields, then every reader knows its place.
//
// A view of a message extends this with accessors by name. It is made once and reset for each message; nothing is
// allocated. A number past the table, or a wire type that the .proto does not give it, never matches: such fields are
// skipped here and still travel in the bytes. A repeated scalar: the last one wins.

import { Cursor } from './cursor.ts'
import { varintHigh, varintLow, varintSigned, varintUnsigned, WIRE } from './varint.ts'

// Constants of this file are part of the compiled code; those of another are looked up in every round of a loop.
const { VARINT, FIXED64, LEN, FIXED32 } = WIRE

const NO_BYTES = new Uint8Array(0)

export class FieldIndex {
  bytes: Uint8Array = NO_BYTES
  /** The message is `bytes[start, end)`. */
  start = 0
  end = 0
  #view: DataView = new DataView(NO_BYTES.buffer)
  readonly #wireType: Uint8Array
  readonly #listCursor = new Cursor()
  // Behind the field's tag; right only for fields that were seen. Most of them nobody asks for, so where contents begin and
  // end is found out when somebody does.
  readonly #valueAt: Int32Array
  // One bit per field: of that wire type, seen, and seen more than once. No table of OTLP has a field beyond 31.
  readonly #varints: number
  readonly #fixed64: number
  readonly #ranges: number
  readonly #fixed32: number
  #seen = 0
  #times = 0

  /** `wireType` by field number, 255 where there is no field. */
  constructor(wireType: Uint8Array) {
    if (wireType.length > 32) throw new Error('invariant: a view indexes fields up to 31')
    const fieldsOf = (wanted: number): number =>
      wireType.reduce((bits, found, field) => (found === wanted ? bits | (1 << field) : bits), 0)
    this.#wireType = wireType
    this.#valueAt = new Int32Array(wireType.length)
    this.#varints = fieldsOf(VARINT)
    this.#fixed64 = fieldsOf(FIXED64)
    this.#ranges = fieldsOf(LEN)
    this.#fixed32 = fieldsOf(FIXED32)
  }

  /** Reads the message in `bytes[start, end)`, which must be checked. */
  reset(bytes: Uint8Array, start: number, end: number): this {
    if (bytes !== this.bytes) {
      this.bytes = bytes
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    }
    this.start = start
    this.end = end
    this.#seen = 0
    this.#times = 0
    for (let p = this.#indexUsual(start); p < end; p = this.#indexUsual(p)) p = this.#indexUnusual(p)
    return this
  }

  /** Notes fields from `start` on until one has a long tag, length or number, and returns where that one begins. */
  #indexUsual(start: number): number {
    const { bytes, end } = this
    const valueAt = this.#valueAt
    const varints = this.#varints
    const fixed64 = this.#fixed64
    const fixed32 = this.#fixed32
    const ranges = this.#ranges
    let seen = this.#seen
    let times = this.#times
    let p = start
    while (p < end) {
      let at = p + 1
      // Tag and length, or tag and number: a field has at least two bytes.
      const tag = bytes[p]!
      const second = bytes[p + 1]!
      const wireType = tag & 0x87 // none of these when the tag goes on
      const field = tag >>> 3
      let bit = 1 << field
      if (wireType === LEN && second < 0x80) {
        bit &= ranges
        p += 2 + second
        // Most of an item are its attributes, one behind the other: only where the last one is gets noted.
        if (p < end && bytes[p] === tag) {
          times |= bit
          do {
            const length = bytes[p + 1]!
            if (length > 0x7f) break
            at = p + 1
            p += 2 + length
          } while (p < end && bytes[p] === tag)
        }
      } else if (wireType === FIXED64) {
        bit &= fixed64
        p += 9
      } else if (wireType === VARINT && second < 0x80) {
        bit &= varints
        p += 2
      } else if (wireType === FIXED32) {
        bit &= fixed32
        p += 5
      } else break
      if (bit !== 0) {
        valueAt[field] = at
        times |= seen & bit
        seen |= bit
      }
    }
    this.#seen = seen
    this.#times = times
    return p
  }

  /** Notes the field at `at` and returns where the next one begins. Part of the loop above it would cost a fifth more. */
  #indexUnusual(at: number): number {
    const { bytes } = this
    const tag = varintLow(bytes, at)
    const field = tag >>> 3
    if (field < this.#wireType.length && this.#wireType[field] === (tag & 7)) {
      this.#valueAt[field] = skipVarint(bytes, at)
      this.#times |= this.#seen & (1 << field)
      this.#seen |= 1 << field
    }
    return skipField(bytes, at)
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
    const at = this.#at(field)
    return at === 0 || ((this.#ranges >>> field) & 1) === 0 ? at : skipVarint(this.bytes, at)
  }

  to(field: number): number {
    const { bytes } = this
    const at = this.#at(field)
    if (at === 0) return 0
    const bit = 1 << field
    if ((this.#ranges & bit) !== 0)
      return bytes[at]! < 0x80 ? at + 1 + bytes[at]! : skipVarint(bytes, at) + varintLow(bytes, at)
    if ((this.#varints & bit) !== 0) return skipVarint(bytes, at)
    return at + ((this.#fixed64 & bit) !== 0 ? 8 : 4)
  }

  /** Where the contents of a field of wire type 2 begin; 0 when it is absent or empty. */
  contentsAt(field: number): number {
    const at = this.#at(field)
    if (at === 0) return 0
    const length = this.bytes[at]!
    if (length < 0x80) return length === 0 ? 0 : at + 1
    return this.from(field) === this.to(field) ? 0 : this.from(field)
  }

  /** Behind the field's tag; 0 when it is absent. */
  #at(field: number): number {
    return ((this.#seen >>> field) & 1) === 0 ? 0 : this.#valueAt[field]!
  }

  /** A varint field as uint32, 0 when absent. */
  uint32(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : varintLow(this.bytes, at)
  }

  /** A varint field as int64: exact within ±2^53, else the nearest double. 0 when absent. */
  int64(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : varintSigned(this.bytes, at)
  }

  /** A varint field as uint64: exact up to 2^53, else the nearest double. 0 when absent. */
  uint64(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : varintUnsigned(this.bytes, at)
  }

  /** A varint field as sint32 (zigzag), 0 when absent. */
  sint32(field: number): number {
    const value = this.uint32(field)
    return (value >>> 1) ^ -(value & 1)
  }

  bool(field: number): boolean {
    const at = this.#at(field)
    return at !== 0 && (varintLow(this.bytes, at) | varintHigh(this.bytes, at)) !== 0
  }

  /** A fixed32 field, 0 when absent. */
  fixed32(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : this.#view.getUint32(at, true)
  }

  /** The halves of a fixed64 field as u32, 0 when absent. */
  fixedHigh(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : this.#view.getUint32(at + 4, true)
  }

  fixedLow(field: number): number {
    const at = this.#at(field)
    return at === 0 ? 0 : this.#view.getUint32(at, true)
  }

  /** A fixed64 field: exact up to 2^53, else the nearest double. 0 when absent. */
  fixed64(field: number): number {
    const at = this.#at(field)
    const view = this.#view
    return at === 0 ? 0 : view.getUint32(at + 4, true) * 0x100000000 + view.getUint32(at, true)
  }

  /** One fixed64 field minus another: exact within ±2^53, NaN when either is absent. */
  fixed64Difference(field: number, subtracted: number): number {
    const at = this.#at(field)
    const from = this.#at(subtracted)
    if (at === 0 || from === 0) return Number.NaN
    const view = this.#view
    const high = view.getUint32(at + 4, true) - view.getUint32(from + 4, true)
    return high * 0x100000000 + (view.getUint32(at, true) - view.getUint32(from, true))
  }

  /** A sfixed64 field: exact within ±2^53, else the nearest double. 0 when absent. */
  sfixed64(field: number): number {
    const at = this.#at(field)
    const view = this.#view
    return at === 0 ? 0 : view.getInt32(at + 4, true) * 0x100000000 + view.getUint32(at, true)
  }

  /** A double field, NaN when absent. */
  double(field: number): number {
    const at = this.#at(field)
    return at === 0 ? Number.NaN : this.#view.getFloat64(at, true)
  }

  /** A string field as a string of its own, '' when absent. */
  text(field: number): string {
    const at = this.from(field)
    return at === 0 ? '' : Buffer.from(this.bytes.buffer, this.bytes.byteOffset + at, this.to(field) - at).toString()
  }

  /** Appends every value of a repeated fixed64, packed or not: exact up to 2^53, else the nearest double. */
  fixed64List(field: number, into: number[]): void {
    const view = this.#view
    for (const c = this.#listCursor.reset(this.bytes, this.start, this.end); c.next(); )
      if (c.field === field && (c.wireType === FIXED64 || c.wireType === LEN))
        for (let p = c.start; p + 8 <= c.end; p += 8)
          into.push(view.getUint32(p + 4, true) * 0x100000000 + view.getUint32(p, true))
  }

  /** Appends every value of a repeated double, packed or not. */
  doubleList(field: number, into: number[]): void {
    const view = this.#view
    for (const c = this.#listCursor.reset(this.bytes, this.start, this.end); c.next(); )
      if (c.field === field && (c.wireType === FIXED64 || c.wireType === LEN))
        for (let p = c.start; p + 8 <= c.end; p += 8) into.push(view.getFloat64(p, true))
  }

  /** Appends every value of a repeated uint64, packed or not: exact up to 2^53, else the nearest double. */
  uint64List(field: number, into: number[]): void {
    for (const c = this.#listCursor.reset(this.bytes, this.start, this.end); c.next(); ) {
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
}

/** Behind the varint at `at`. */
function skipVarint(bytes: Uint8Array, at: number): number {
  let p = at
  while (bytes[p++]! > 0x7f);
  return p
}

/** Behind the field whose tag is at `at`. */
function skipField(bytes: Uint8Array, at: number): number {
  const p = skipVarint(bytes, at)
  const wireType = bytes[at]! & 7
  if (wireType === LEN) return skipVarint(bytes, p) + varintLow(bytes, p)
  if (wireType === VARINT) return skipVarint(bytes, p)
  return p + (wireType === FIXED64 ? 8 : 4)
}
