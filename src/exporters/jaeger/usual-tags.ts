// The usual attributes of a span as tags, in one go: short keys with short texts or ints.
//
//   OTLP     tag len | key 1 | value 2 { text 1 }        key 1 | value 2 { int 3 }
//   Jaeger   tag len | key 1 | text 3                    key 1 | type 2 | int 5
//
// What is written is what was read but for a few bytes, so it is copied in words, some bytes too far, which what comes next
// overwrites. Every other attribute is left to writeTag().

import { JAEGER_KEY_VALUE, JAEGER_SPAN, JAEGER_VALUE_TYPE } from '../../jaeger/fields.ts'
import { ANY_VALUE, KEY_VALUE, SPAN } from '../../otlp/fields.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { Writer } from '../../wire/writer.ts'
import { type KeyValueView, writeTag } from './key-value.ts'

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const TWO_HEADS = 0x80ff80ff // of an attribute and of its key, of a value and of the text in it
const LEN = 2
const ATTRIBUTE_TAG = SPAN.ATTRIBUTES * 8 + LEN
const USUAL_ATTRIBUTE = ATTRIBUTE_TAG | ((KEY_VALUE.KEY * 8 + LEN) << 16)
const VALUE_TAG = KEY_VALUE.VALUE * 8 + LEN
const TEXT = VALUE_TAG | ((ANY_VALUE.STRING_VALUE * 8 + LEN) << 16)
const INT_HEAD = 0xff80ff
const INT = VALUE_TAG | ((ANY_VALUE.INT_VALUE * 8) << 16)

const TAG = JAEGER_SPAN.TAGS * 8 + LEN
const TEXT_TAG = JAEGER_KEY_VALUE.V_STR * 8 + LEN
const TYPE_IS_INT = (JAEGER_KEY_VALUE.V_TYPE * 8) | (JAEGER_VALUE_TYPE.values.INT64 << 8)
const INT_TAG = JAEGER_KEY_VALUE.V_INT64 * 8

/** How far a copy may go too far. */
const SLACK_BYTES = 8

export class UsualTags {
  readonly #cursor = new Cursor()
  readonly #keyValue: KeyValueView
  #target: Uint8Array = new Uint8Array(0)
  #write: DataView = new DataView(this.#target.buffer)

  constructor(keyValue: KeyValueView) {
    this.#keyValue = keyValue
  }

  /** Writes the tags of the span in `bytes[start, end)`; `words` are the same bytes. */
  write(writer: Writer, bytes: Uint8Array, words: DataView, start: number, end: number): void {
    // What comes near the end of the array is copied by the byte.
    const last = Math.min(end, bytes.length - SLACK_BYTES)
    let p = start
    while (p < end) {
      p = this.#writeUsual(writer, words, p, last)
      if (p >= end) return
      const c = this.#cursor.reset(bytes, p, end)
      c.next()
      if (c.field === SPAN.ATTRIBUTES && c.wireType === LEN)
        writeTag(writer, JAEGER_SPAN.TAGS, this.#keyValue.reset(bytes, c.start, c.end))
      p = c.end
    }
  }

  /** Goes on until something is unusual, and returns where that is. */
  #writeUsual(writer: Writer, words: DataView, start: number, end: number): number {
    // What is written is at most as long as what is read.
    const target = writer.reserve(Math.max(0, end - start) + SLACK_BYTES)
    if (target !== this.#target) {
      this.#target = target
      this.#write = new DataView(target.buffer, target.byteOffset, target.byteLength)
    }
    const write = this.#write
    let at = writer.length
    let p = start
    while (p < end - SLACK_BYTES) {
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      if ((head & TWO_HEADS) !== USUAL_ATTRIBUTE) {
        if ((head & ONE_BYTE_TAG) === 1) p += 9
        else if ((head & SHORT_HEAD) === 0) p += 2
        else if ((head & SHORT_HEAD) === LEN && (head & 0xff) !== ATTRIBUTE_TAG) p = next
        else break
        continue
      }
      const keyEnd = p + 4 + (head >>> 24)
      if (next > end || keyEnd + 4 > next) break
      const value = words.getInt32(keyEnd, true)
      if (keyEnd + 2 + ((value >>> 8) & 0xff) !== next) break
      if ((value & TWO_HEADS) === TEXT && keyEnd + 4 + (value >>> 24) === next) {
        write.setUint16(at, TAG | ((next - p - 4) << 8), true)
        at = copyLoosely(words, p + 2, keyEnd, write, at + 2)
        write.setUint16(at, TEXT_TAG | ((value >>> 24) << 8), true)
        at = copyLoosely(words, keyEnd + 4, next, write, at + 2)
      } else if ((value & INT_HEAD) === INT && isOneVarint(words, keyEnd + 3, next)) {
        write.setUint16(at, TAG | ((next - p - 2) << 8), true)
        at = copyLoosely(words, p + 2, keyEnd, write, at + 2)
        write.setUint16(at, TYPE_IS_INT, true)
        write.setUint8(at + 2, INT_TAG)
        at = copyLoosely(words, keyEnd + 3, next, write, at + 3)
      } else break
      p = next
    }
    writer.length = at
    return p
  }
}

function isOneVarint(words: DataView, from: number, to: number): boolean {
  let end = from
  while (end < to && words.getUint8(end) > 0x7f) end++
  return end + 1 === to
}

function copyLoosely(read: DataView, from: number, to: number, write: DataView, at: number): number {
  let p = from
  for (let q = at; p < to; p += 8, q += 8) {
    write.setInt32(q, read.getInt32(p, true), true)
    write.setInt32(q + 4, read.getInt32(p + 4, true), true)
  }
  return at + to - from
}
