// The usual attributes of a record, read where they are: short ones, of different keys, of which none says where the record
// goes. They need no table: one look, and one writing.
//
//   KeyValue = 10 length key 18 length value          all lengths below 128, nothing else in it

import { varintLow } from '../../wire/varint.ts'
import type { DocumentText } from './document-text.ts'

const KEY_TAG = 10
const VALUE_TAG = 18
const MARKS = 1024
const DOT = 0x2e
// data_stream.*, elastic*, event.name
const D = 0x64
const A = 0x61
const E = 0x65
const L = 0x6c
const V = 0x76
// .lat and .lon
const T = 0x74
const N = 0x6e
const SHORTEST_POSITION = 16

export class PlainAttributes {
  /** By a mark of a key: the record that had it last. */
  readonly #seen = new Int32Array(MARKS)
  #record = 0

  /** Whether all attributes of the record in `bytes[start, end)` are usual: its field `field`, below 16. May say no to some that are. */
  areAll(bytes: Uint8Array, start: number, end: number, field: number): boolean {
    const wanted = field * 8 + 2
    const record = ++this.#record
    const seen = this.#seen
    for (let p = start; p < end; ) {
      const tag = bytes[p]!
      if (tag !== wanted) {
        p = skip(bytes, p)
        continue
      }
      const next = p + 2 + bytes[p + 1]!
      const keyEnd = p + 4 + bytes[p + 3]!
      if (bytes[p + 1]! > 0x7f || bytes[p + 2] !== KEY_TAG || bytes[p + 3]! > 0x7f || keyEnd + 2 > next) return false
      if (bytes[keyEnd] !== VALUE_TAG || bytes[keyEnd + 1]! > 0x7f || keyEnd + 2 + bytes[keyEnd + 1]! !== next)
        return false
      const first = bytes[p + 4]!
      const second = bytes[p + 5]!
      if ((first === D && second === A) || (first === E && (second === L || second === V))) return false
      const last = bytes[keyEnd - 1]!
      const length = keyEnd - p - 4
      if (length >= SHORTEST_POSITION && (last === T || last === N) && bytes[keyEnd - 4] === DOT) return false
      const mark = (length * 37 + last * 11 + bytes[p + 4 + (length >> 1)]! * 5 + second + (first << 4)) & (MARKS - 1)
      if (seen[mark] === record) return false
      seen[mark] = record
      p = next
    }
    return true
  }

  /** Members of an object with a comma behind each, of attributes that are usual. Returns whether there is any. */
  write(text: DocumentText, bytes: Uint8Array, start: number, end: number, field: number): boolean {
    const wanted = field * 8 + 2
    let any = false
    for (let p = start; p < end; ) {
      if (bytes[p] !== wanted) {
        p = skip(bytes, p)
        continue
      }
      const keyEnd = p + 4 + bytes[p + 3]!
      const next = p + 2 + bytes[p + 1]!
      text.member(bytes, p + 4, keyEnd, keyEnd + 2, next, false)
      any = true
      p = next
    }
    return any
  }
}

/** Behind the field whose tag is at `at`; the bytes are checked. */
function skip(bytes: Uint8Array, at: number): number {
  let p = at
  while (bytes[p++]! > 0x7f);
  switch (bytes[at]! & 7) {
    case 1:
      return p + 8
    case 5:
      return p + 4
    case 0:
      while (bytes[p++]! > 0x7f);
      return p
    default: {
      const length = bytes[p]!
      if (length < 0x80) return p + 1 + length
      const long = varintLow(bytes, p)
      while (bytes[p++]! > 0x7f);
      return p + long
    }
  }
}
