// Protobuf bytes to OTLP/JSON.
//
// Each message is walked once to find its fields, then written in the order of their numbers: whatever order the bytes
// have, people read the resource before its spans. What proto/ does not know is left out, and so is a field with
// another wire type. Of a repeated scalar the last value counts, parts of a nested message are merged, lists may be
// packed or not, and of a oneof the last member counts, as protobuf demands.
//
// Output: Collector reference 2.3, "JSON dialect"; defaults are left out, NaN and the infinities are quoted.

import { readF64, readU32, varintHigh, varintLow } from '../../wire/varint.ts'
import { JsonText } from './json-text.ts'
import { KIND, plain, type Shape, type ShapeField } from './shape.ts'
import { CHAR } from './text.ts'

const FIELDS = 32

export class JsonWriter extends JsonText {
  // Per depth: where each field's first and last value begins and its last one ends, by number; -1 where it is absent.
  readonly #frames: Int32Array[] = []
  // Contents of the value whose tag #enter read last.
  #start = 0
  #next = 0

  /** One document, in an array of its own. */
  request(shape: Shape, rope: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
    const parts = rope.map(plain)
    let length = 64
    for (const part of parts) length += part.length * 3
    this.use(new Uint8Array(length))
    this.to = 0
    this.byte(CHAR.OPEN_BRACE)
    let comma = false
    for (const field of shape.fields) {
      if (field === undefined) continue
      comma = this.#topLevel(field, shape, parts, comma) || comma
    }
    this.byte(CHAR.CLOSE_BRACE)
    return this.out.slice(0, this.to)
  }

  /** A request's fields are messages, perhaps in several parts. */
  #topLevel(field: ShapeField, shape: Shape, parts: readonly Uint8Array[], comma: boolean): boolean {
    if (!field.repeated) {
      const values: Uint8Array[] = []
      for (const part of parts) {
        const frame = this.#index(shape, part, 0, part.length, 0)
        if (frame[field.number]! >= 0) values.push(this.#merged(field, frame))
      }
      if (values.length === 0) return false
      this.#key(field, comma)
      this.#message(field.shape, concat(values), 1)
      return true
    }
    let open = false
    for (const part of parts) {
      const frame = this.#index(shape, part, 0, part.length, 0)
      if (frame[field.number]! < 0) continue
      if (open) this.byte(CHAR.COMMA)
      else {
        this.#key(field, comma)
        this.byte(CHAR.OPEN_BRACKET)
        open = true
      }
      this.#elements(field, frame, 0)
    }
    if (open) this.byte(CHAR.CLOSE_BRACKET)
    return open
  }

  #key(field: ShapeField, comma: boolean): void {
    const key = field.key
    this.reserve(key.length + 1)
    const out = this.out
    let to = this.to
    if (comma) out[to++] = CHAR.COMMA
    for (let i = 0; i < key.length; i++) out[to++] = key[i]!
    this.to = to
  }

  /** Reads the tag at `at` and sets #start and #next to the value's bounds; returns the tag. */
  #enter(at: number): number {
    const source = this.source
    let p = at
    let tag = source[p++]!
    if (tag > 0x7f) {
      tag &= 0x7f
      let scale = 128
      for (;;) {
        const byte = source[p++]!
        tag += (byte & 0x7f) * scale
        if (byte < 0x80) break
        scale *= 128
      }
    }
    switch (tag % 8) {
      case 0:
        this.#start = p
        while (source[p]! > 0x7f) p++
        this.#next = p + 1
        return tag
      case 1:
        this.#start = p
        this.#next = p + 8
        return tag
      case 5:
        this.#start = p
        this.#next = p + 4
        return tag
      case 2: {
        let length = source[p++]!
        if (length > 0x7f) {
          length &= 0x7f
          let scale = 128
          for (;;) {
            const byte = source[p++]!
            length += (byte & 0x7f) * scale
            if (byte < 0x80) break
            scale *= 128
          }
        }
        this.#start = p
        this.#next = p + length
        return tag
      }
      default:
        throw new Error(`invariant: unchecked bytes with wire type ${tag % 8}`)
    }
  }

  /** Finds the fields of the message in `bytes[from, to)`, which becomes source. */
  #index(shape: Shape, bytes: Uint8Array, from: number, to: number, depth: number): Int32Array {
    let frame = this.#frames[depth]
    if (frame === undefined) this.#frames[depth] = frame = new Int32Array(FIELDS * 3)
    const fields = shape.fields
    for (let number = 0; number < fields.length; number++) frame[number] = -1
    this.source = bytes
    for (let p = from; p < to; p = this.#next) {
      const tag = this.#enter(p)
      const number = Math.floor(tag / 8)
      const field = number < fields.length ? fields[number] : undefined
      if (field === undefined || (tag !== field.tag && tag !== field.packedTag)) continue
      if (frame[number]! < 0) frame[number] = p
      frame[FIELDS + number] = p
      frame[FIELDS * 2 + number] = this.#next
      if (field.rivals !== 0) {
        for (let other = 1; other < fields.length; other++) {
          if ((field.rivals & (1 << other)) !== 0) frame[other] = -1
        }
      }
    }
    if (this.#next > to && from < to) throw new Error('invariant: unchecked bytes')
    return frame
  }

  #message(shape: Shape, bytes: Uint8Array, depth: number, from = 0, to = bytes.length): void {
    const frame = this.#index(shape, bytes, from, to, depth)
    const fields = shape.fields
    this.byte(CHAR.OPEN_BRACE)
    let comma = false
    for (let number = 1; number < fields.length; number++) {
      if (frame[number]! < 0) continue
      const field = fields[number]!
      if (field.repeated) {
        const before = this.to
        this.#key(field, comma)
        this.byte(CHAR.OPEN_BRACKET)
        const empty = this.to
        this.#elements(field, frame, depth)
        if (this.to === empty) {
          this.to = before
          continue
        }
        this.byte(CHAR.CLOSE_BRACKET)
        comma = true
        continue
      }
      if (field.kind === KIND.MESSAGE) {
        this.#key(field, comma)
        comma = true
        if (frame[number] === frame[FIELDS + number]) {
          this.#enter(frame[number]!)
          this.#message(field.shape, bytes, depth + 1, this.#start, this.#next)
        } else this.#message(field.shape, this.#merged(field, frame), depth + 1)
        this.source = bytes
        continue
      }
      this.#enter(frame[FIELDS + number]!)
      if (!field.present && this.#isDefault(field)) continue
      this.#key(field, comma)
      this.#value(field, this.#start, this.#next)
      comma = true
    }
    this.byte(CHAR.CLOSE_BRACE)
  }

  /** All values of a nested message in one piece: protobuf merges messages by joining them. */
  #merged(field: ShapeField, frame: Int32Array): Uint8Array {
    const pieces: Uint8Array[] = []
    const end = frame[FIELDS * 2 + field.number]!
    for (let p = frame[field.number]!; p < end; p = this.#next) {
      if (this.#enter(p) === field.tag) pieces.push(this.source.subarray(this.#start, this.#next))
    }
    return concat(pieces)
  }

  /** The values of a list, with commas between them. */
  #elements(field: ShapeField, frame: Int32Array, depth: number): void {
    const source = this.source
    const end = frame[FIELDS * 2 + field.number]!
    let comma = false
    for (let p = frame[field.number]!; p < end; ) {
      const tag = this.#enter(p)
      const next = this.#next
      p = next
      if (tag === field.tag) {
        if (comma) this.byte(CHAR.COMMA)
        comma = true
        if (field.kind === KIND.MESSAGE) {
          this.#message(field.shape, source, depth + 1, this.#start, next)
          this.source = source
        } else this.#value(field, this.#start, next)
      } else if (tag === field.packedTag) {
        for (let at = this.#start; at < next; ) {
          let after = at
          if (field.wireType === 1) after += 8
          else if (field.wireType === 5) after += 4
          else while (source[after++]! > 0x7f);
          if (comma) this.byte(CHAR.COMMA)
          comma = true
          this.#value(field, at, after)
          at = after
        }
      }
    }
  }

  #isDefault(field: ShapeField): boolean {
    if (field.wireType === 2) return this.#start === this.#next
    for (let p = this.#start; p < this.#next; p++) {
      if ((field.wireType === 0 ? this.source[p]! & 0x7f : this.source[p]!) !== 0) return false
    }
    return true
  }

  /** The value in `source[from, to)`, as its kind is written. */
  #value(field: ShapeField, from: number, to: number): void {
    const source = this.source
    switch (field.kind) {
      case KIND.STRING:
        this.string(from, to)
        break
      case KIND.ID:
        this.hex(from, to)
        break
      case KIND.BYTES:
        this.text(`"${Buffer.from(source.buffer, source.byteOffset + from, to - from).toString('base64')}"`)
        break
      case KIND.BOOL:
        this.text(varintLow(source, from) === 0 && varintHigh(source, from) === 0 ? 'false' : 'true')
        break
      case KIND.DOUBLE:
        this.double(readF64(source, from))
        break
      case KIND.FIXED64:
        this.decimal64(readU32(source, from), readU32(source, from + 4), false)
        break
      case KIND.SFIXED64:
        this.decimal64(readU32(source, from), readU32(source, from + 4), true)
        break
      case KIND.UINT64:
        this.decimal64(varintLow(source, from), varintHigh(source, from), false)
        break
      case KIND.INT64:
        this.decimal64(varintLow(source, from), varintHigh(source, from), true)
        break
      case KIND.FIXED32:
        this.decimal(readU32(source, from))
        break
      case KIND.UINT32:
        this.decimal(varintLow(source, from))
        break
      case KIND.SINT32: {
        const bits = varintLow(source, from)
        this.decimal((bits >>> 1) ^ -(bits & 1))
        break
      }
      default: // int32 and enums
        this.decimal(varintLow(source, from) | 0)
    }
  }
}

const concat = (pieces: readonly Uint8Array[]): Uint8Array =>
  pieces.length === 1 ? pieces[0]! : plain(Buffer.concat(pieces))
