// OTLP/JSON to protobuf bytes in one pass, without an object in between.
//
//   object  = '{' [ name ':' value { ',' name ':' value } ] '}'      a message: its fields, in the order they come
//   value   = null                                                   as if the name were not there
//           | object | '[' ... ']' | string | number | true | false  by the field's kind; anything where nobody knows the name
//
// A nested message is written behind a gap for its length, which is mended once its end is known. JSON is never shorter
// than its protobuf but for lists of numbers, so room is asked for once per value.
//
// Dialect: Collector reference 2.3 and "Seen on a running Collector". Stricter than that: text behind the request is
// an error, and so are lists inside lists deeper than JSON_DEPTH_MAX. Of a name that comes twice the last one counts.

import { isUtf8 } from 'node:buffer'
import { varintSize, writeVarint } from '../../wire/varint.ts'
import { AttributeReader } from './attribute-reader.ts'
import { JSON_DEPTH_MAX } from './scanner.ts'
import { KIND, type Shape, type ShapeField } from './shape.ts'
import { CHAR, readBase64 } from './text.ts'

/** Of objects inside an attribute list, its own elements and values. */
const ATTRIBUTE_DEPTH = 4

export class JsonReader extends AttributeReader {
  /** The bytes of one request, in an array of their own. Throws MalformedOtlp. */
  request(shape: Shape): Uint8Array<ArrayBuffer> {
    if (!isUtf8(this.source)) this.fail('the text is not UTF-8', firstInvalidUtf8(this.source))
    if (this.skipSpace() !== CHAR.OPEN_BRACE) this.fail('expected an object')
    this.at++
    this.#object(shape, 1)
    if (this.skipSpace() !== -1) this.fail('unexpected text after the request')
    return this.out.slice(0, this.to)
  }

  /** The inside of an object whose brace was read, and the brace that closes it. */
  #object(shape: Shape, depth: number): void {
    const from = this.to
    let seen = 0
    let repeats: number[] | undefined
    let char = this.skipSpace()
    if (char === CHAR.CLOSE_BRACE) {
      this.at++
      return
    }
    for (;;) {
      if (char !== CHAR.QUOTE) this.fail('expected a name in quotes')
      const field = this.#name(shape)
      if (this.skipSpace() !== CHAR.COLON) this.fail('expected a colon')
      this.at++
      char = this.skipSpace()
      if (field === undefined) this.skipValue(depth)
      else {
        const bit = 1 << field.number
        if ((seen & bit) !== 0) {
          repeats ??= []
          repeats[field.number] = this.to
        }
        seen |= bit
        if (char === 0x6e) this.literal('null')
        else if (!field.repeated) this.#value(field, depth, false)
        else if (char === CHAR.OPEN_BRACKET) this.#list(field, depth)
        else this.fail(`${field.name}: expected a list`)
      }
      char = this.skipSpace()
      if (char === CHAR.COMMA) {
        this.at++
        char = this.skipSpace()
      } else if (char === CHAR.CLOSE_BRACE) {
        this.at++
        if (repeats !== undefined) this.#dropRepeats(from, repeats)
        return
      } else this.fail('expected a comma or a closing brace')
    }
  }

  /** The field that a name stands for; undefined where nobody knows it. */
  #name(shape: Shape): ShapeField | undefined {
    const known = shape.find(this.source, this.at + 1)
    if (known !== undefined) {
      this.at += known.bytes.length + 1
      return known.field
    }
    // Unknown, or written with escapes.
    this.reserve()
    const start = this.to
    this.string()
    this.out[this.to] = CHAR.QUOTE
    this.to = start
    return shape.find(this.out, start)?.field
  }

  /** `repeats` holds, by field number, where the last value of a name that came again begins; the ones before go. */
  #dropRepeats(from: number, repeats: readonly (number | undefined)[]): void {
    const out = this.out
    let kept = from
    for (let p = from; p < this.to; ) {
      const start = p
      let tag = out[p++]!
      if (tag > 0x7f) tag = (tag & 0x7f) | (out[p++]! << 7)
      const wireType = tag & 7
      if (wireType === 0) {
        while (out[p]! > 0x7f) p++
        p++
      } else if (wireType === 1) p += 8
      else if (wireType === 5) p += 4
      else {
        let length = 0
        let scale = 1
        while (out[p]! > 0x7f) {
          length += (out[p++]! & 0x7f) * scale
          scale *= 128
        }
        length += out[p++]! * scale
        p += length
      }
      if (start < (repeats[tag >> 3] ?? 0)) continue
      if (kept !== start) out.copyWithin(kept, start, p)
      kept += p - start
    }
    this.to = kept
  }

  #list(field: ShapeField, depth: number): void {
    if (depth >= JSON_DEPTH_MAX) this.fail('nested too deeply')
    this.at++
    if (this.skipSpace() === CHAR.CLOSE_BRACKET) {
      this.at++
      return
    }
    let lengthAt = 0
    if (field.packedTag !== 0) {
      this.reserve()
      this.#tag(field.packedTag)
      lengthAt = this.to++
    }
    const mayBeUsual = field.isAttribute && depth + ATTRIBUTE_DEPTH < JSON_DEPTH_MAX
    for (;;) {
      if (mayBeUsual && this.tryAttribute(field.tag)) {
        // Nothing to do: it is written.
      } else if (field.packedTag === 0) this.#value(field, depth + 1, true)
      else {
        this.reserve()
        this.scalar(field)
      }
      const char = this.skipSpace()
      this.at++
      if (char === CHAR.COMMA) this.skipSpace()
      else if (char === CHAR.CLOSE_BRACKET) break
      else this.fail('expected a comma or a closing bracket', this.at - 1)
    }
    if (field.packedTag !== 0) this.#mendLength(lengthAt, 1)
  }

  #tag(tag: number): void {
    if (tag < 0x80) this.out[this.to++] = tag
    else this.to = writeVarint(this.out, this.to, tag)
  }

  /** Writes the length of what stands behind the gap of `reserved` bytes at `lengthAt`. */
  #mendLength(lengthAt: number, reserved: number): void {
    const length = this.to - lengthAt - reserved
    if (reserved === 1 && length < 0x80) {
      this.out[lengthAt] = length
      return
    }
    const size = varintSize(length)
    if (size !== reserved) {
      if (this.to + size > this.out.length) this.grow(this.to + size)
      this.out.copyWithin(lengthAt + size, lengthAt + reserved, this.to)
      this.to += size - reserved
    }
    writeVarint(this.out, lengthAt, length)
  }

  /** A value with its tag; defaults are left out unless `keepDefault` or the field has presence. */
  #value(field: ShapeField, depth: number, keepDefault: boolean): void {
    this.reserve()
    const start = this.to
    this.#tag(field.tag)
    const kind = field.kind
    if (kind === KIND.STRING || kind === KIND.BYTES) {
      const lengthAt = this.to++
      if (this.source[this.at] !== CHAR.QUOTE) this.fail(`${field.name}: expected a string`)
      const from = this.at
      this.string()
      if (kind === KIND.BYTES) {
        this.to = readBase64(this.out, lengthAt + 1, this.to)
        if (this.to < 0) this.fail(`${field.name}: not base64`, from)
      }
      if (this.to === lengthAt + 1 && !field.present && !keepDefault) this.to = start
      else this.#mendLength(lengthAt, 1)
    } else if (kind === KIND.MESSAGE) {
      const lengthAt = this.to
      this.to += field.lengthBytes
      if (this.source[this.at] === CHAR.OPEN_BRACE) {
        if (depth >= JSON_DEPTH_MAX) this.fail('nested too deeply')
        this.at++
        this.#object(field.shape, depth + 1)
      } else if (keepDefault && this.source[this.at] === 0x6e) {
        this.literal('null') // an element of a list: the Collector keeps its place with an empty message
      } else this.fail(`${field.name}: expected an object`)
      this.#mendLength(lengthAt, field.lengthBytes)
    } else if (kind === KIND.ID) {
      if (!this.id(field)) this.to = start
    } else if (this.scalar(field) && !field.present) {
      this.to = start
    }
  }
}

/** Only for the words of an error: where the text stops being UTF-8. */
function firstInvalidUtf8(text: Uint8Array): number {
  let good = 0
  let bad = text.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    // A character that the cut goes through is no fault: up to three bytes of it are left out.
    let cut = middle
    while (cut > good && cut > middle - 4 && (text[cut]! & 0xc0) === 0x80) cut--
    if (isUtf8(text.subarray(0, cut))) good = middle
    else bad = middle
  }
  return good
}
