// The structural check at the door: nothing behind it has to be careful.
//
// What is refused: a field that ends outside its message, a varint without end or beyond 64 bits, field number 0, the
// group wire types, messages nested too deep, ids of a wrong length, strings that are not UTF-8, packed lists that do
// not add up. What passes, byte for byte: unknown fields (opaque: nothing looks inside), known numbers with a wire type
// that the .proto does not give them (unknown fields too), fields in any order and any number of times.
//
// One loop walks every message by rules made from the field tables. What makes up nearly all of a request (items and
// their attributes) has functions of its own that take the usual shapes first and leave the rest to the loop.
// docs/decisions/webassembly.md says what other ways cost.

import { isUtf8 } from 'node:buffer'
import { MalformedOtlp } from './malformed.ts'
import { isMetricData } from './metric.ts'
import { ASK, REQUEST_RULES, type Rule, WALK } from './rules.ts'
import type { Signal } from './signal.ts'

export { MalformedOtlp } from './malformed.ts'

/**
 * Messages inside one another, the request being the first. Protobuf's own limit in C++, Java and Python is 100: a
 * deeper request would be refused by the next hop, with other senders' data in the same batch. A map in a map in a log
 * body takes three levels, so some thirty of them fit.
 */
export const MAX_MESSAGE_DEPTH = 100

/**
 * Walks the whole structure of an encoded Export*ServiceRequest in `bytes[from, to)` and returns its number of items:
 * spans, data points, log records, or profile samples. Throws MalformedOtlp with words and the offset from `from`.
 * Allocates a few objects per request and nothing per item.
 */
export function checkRequest(signal: Signal, bytes: Uint8Array, from = 0, to = bytes.length): number {
  return new Check(bytes, from).request(REQUEST_RULES[signal], to)
}

// Below this a string with other characters than ASCII is checked here: a native call costs more than its bytes.
const NATIVE_UTF8_MIN_BYTES = 64

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const TWO_HEADS = 0x80ff80ff // two such heads: both tags
const KEY_HEAD = 10 << 16 // an attribute's key, in the second head

class Check {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #origin: number
  #items = 0
  // Where the length just read ends: the second result of #length().
  #p = 0

  constructor(bytes: Uint8Array, origin: number) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#origin = origin
  }

  request(rule: Rule, to: number): number {
    this.#message(rule, this.#origin, to, 1)
    return this.#items
  }

  #fail(rule: Rule, field: number, what: string, at: number): never {
    const message = rule.message.slice(rule.message.lastIndexOf('.') + 1)
    const name = rule.names[field]
    const path = name === undefined || name === '' ? message : `${message}.${name}`
    throw new MalformedOtlp(`${path}: ${what}`, at - this.#origin)
  }

  #message(rule: Rule, from: number, end: number, depth: number): void {
    if (depth > MAX_MESSAGE_DEPTH) this.#fail(rule, 0, `nested more than ${MAX_MESSAGE_DEPTH} messages deep`, from)
    for (let p = from; p < end; ) p = this.#field(rule, p, end, depth)
  }

  /** Checks the field at `at` and returns where the next begins. */
  #field(rule: Rule, at: number, end: number, depth: number): number {
    const bytes = this.#bytes
    let p = at + 1
    let tag = bytes[at]!
    if (tag > 0x7f) {
      tag = this.#longTag(rule, at, end)
      p = this.#p
    }
    const field = tag >>> 3
    const wireType = tag & 7
    if (field === 0) this.#fail(rule, 0, 'field number 0', at)
    if (wireType === 2) {
      const length = this.#length(rule, field, p, end)
      p = this.#p
      const next = p + length
      if (field < rule.ask.length && rule.wireType[field] === 2) this.#contents(rule, field, p, next, depth)
      return next
    }
    if (wireType === 0) return this.#varint(rule, field, p, end)
    if (wireType !== 1 && wireType !== 5) this.#fail(rule, field, `wire type ${wireType}`, at)
    const next = p + (wireType === 1 ? 8 : 4)
    if (next > end) this.#fail(rule, field, 'number longer than its message', p)
    return next
  }

  /** The contents of a known field of wire type 2. */
  #contents(rule: Rule, field: number, p: number, end: number, depth: number): void {
    switch (rule.ask[field]) {
      case ASK.MESSAGE: {
        const child = rule.child[field]!
        if (child.walk === WALK.GENERIC) this.#message(child, p, end, depth + 1)
        else if (child.walk === WALK.RECORD) this.#record(child, p, end, depth + 1)
        else if (child.walk === WALK.ATTRIBUTE) this.#keyValue(child, p, end, depth + 1)
        else this.#metric(child, p, end, depth + 1)
        return
      }
      case ASK.TEXT:
        if (!this.#isAscii(p, end) && !this.#isUtf8(p, end)) this.#fail(rule, field, 'not UTF-8', p)
        return
      case ASK.ID:
        if (end - p !== rule.idBytes[field] && end !== p)
          this.#fail(rule, field, `${end - p} bytes long, not ${rule.idBytes[field]}`, p)
        return
      case ASK.PACKED_VARINT:
        while (p < end) p = this.#varint(rule, field, p, end)
        return
      case ASK.PACKED_FIXED64:
        if ((end - p) % 8 !== 0) this.#fail(rule, field, `${end - p} bytes of packed 8-byte numbers`, p)
        return
      case ASK.PACKED_FIXED32:
        if ((end - p) % 4 !== 0) this.#fail(rule, field, `${end - p} bytes of packed 4-byte numbers`, p)
    }
  }

  /**
   * An item with its attributes: what is short and usual is told by its first four bytes here, the rest goes to the loop.
   * Text is gathered and looked at in long runs, together with the tags and lengths between, which are ASCII.
   */
  #record(rule: Rule, from: number, end: number, depth: number): void {
    this.#items++
    for (let p = from; p < end; ) {
      p = this.#usualFields(rule, p, end, depth)
      if (p < end) p = this.#field(rule, p, end, depth)
    }
  }

  /**
   * Checks fields from `from` on until one is not usual, and returns where that begins. A function by itself, because a
   * loop with a way to everything unusual in it is slower by a tenth. No record stands so deep that its values' depth
   * would have to be looked at.
   */
  #usualFields(rule: Rule, from: number, end: number, depth: number): number {
    const view = this.#view
    const { ask, idBytes } = rule
    const attributeHead = rule.attributesTag | KEY_HEAD
    const lastHead = end - 4
    // Passed over as text, and not looked at yet.
    let textFrom = from
    let textTo = from
    let p = from
    while (p <= lastHead) {
      const head = view.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      let textEnd = 0
      if ((head & TWO_HEADS) === attributeHead) {
        if (next <= end) textEnd = this.#usualAttributeText(p + 4 + (head >>> 24), next)
      } else if ((head & SHORT_HEAD) === 2) {
        if (next <= end) {
          const field = (head & 0xff) >>> 3
          const asked = ask[field]
          if (asked === ASK.ID ? next - p - 2 === idBytes[field] : next === p + 2 && field !== 0) {
            p = next
            continue
          }
          if (asked === ASK.TEXT) textEnd = next
        }
      } else if ((head & ONE_BYTE_TAG) === 1) {
        if ((head & 0xff) > 7 && p + 9 <= end) {
          p += 9
          continue
        }
      } else if ((head & SHORT_HEAD) === 0 && (head & 0xff) > 7) {
        p += 2
        continue
      }
      if (textEnd === 0) break
      if (p !== textTo) {
        this.#text(rule, textFrom, textTo, end, depth)
        textFrom = p
      }
      textTo = textEnd
      p = next
    }
    this.#text(rule, textFrom, textTo, end, depth)
    // Too short for a head is the empty status that most spans end with.
    if (p === end - 2 && view.getUint8(p) > 7 && (view.getUint16(p, true) & 0xff87) === 2) return end
    return p
  }

  /**
   * Of an attribute whose key ends at `keyEnd` and whose value is empty or one string, bool, int or double, all shorter
   * than 128 bytes: where its ASCII part has to end, be it the key or all. 0 for any other.
   */
  #usualAttributeText(keyEnd: number, end: number): number {
    if (keyEnd + 4 > end) return 0
    const head = this.#view.getInt32(keyEnd, true)
    if ((head & 0x80ff) !== 18 || keyEnd + 2 + ((head >>> 8) & 0xff) !== end) return 0
    const tag = (head >>> 16) & 0xff
    if (tag === 10) return keyEnd + 4 + (head >>> 24) === end && head >= 0 ? end : 0
    if (tag === 16 || tag === 24) {
      const bytes = this.#bytes
      let p = keyEnd + 3
      while (p < end && bytes[p]! > 0x7f) p++
      return p !== end - 1 || end - keyEnd > 11 ? 0 : p === keyEnd + 3 ? end : keyEnd
    }
    return tag === 33 && end - keyEnd === 11 ? keyEnd : 0
  }

  /** Looks at fields whose text was passed over. */
  #text(rule: Rule, from: number, to: number, end: number, depth: number): void {
    // What is UTF-8 together with ASCII between is UTF-8 piece by piece. If it is not, the loop finds out which.
    if (!this.#isAscii(from, to) && !this.#isUtf8(from, to))
      for (let p = from; p < to; ) p = this.#field(rule, p, end, depth)
  }

  // Metric.data is a oneof: the points that count are those of its last member.
  #metric(rule: Rule, from: number, end: number, depth: number): void {
    const before = this.#items
    let current = 0
    for (let p = from; p < end; ) {
      const tag = this.#bytes[p]!
      if (tag < 0x80 && (tag & 7) === 2 && isMetricData(tag >>> 3) && tag !== current) {
        current = tag
        this.#items = before
      }
      p = this.#field(rule, p, end, depth)
    }
  }

  #keyValue(rule: Rule, from: number, end: number, depth: number): void {
    const bytes = this.#bytes
    // 0A length key, 12 length value, both below 128 bytes; the value empty, or one string, bool, int or double.
    if (from + 1 < end && bytes[from] === 10 && depth < MAX_MESSAGE_DEPTH) {
      const keyEnd = from + 2 + bytes[from + 1]!
      if (keyEnd + 1 < end && bytes[keyEnd] === 18 && keyEnd + 2 + bytes[keyEnd + 1]! === end) {
        const value = keyEnd + 2
        const size = end - value
        // The two lengths must be below 128, that is, ASCII: one look from the first to textEnd covers them as well.
        let textEnd = 0
        if (size > 1) {
          const tag = bytes[value]
          if (tag === 10) {
            if (value + 2 + bytes[value + 1]! === end) textEnd = end
          } else if (tag === 24 || tag === 16) {
            let p = value + 1
            while (p < end && bytes[p]! > 0x7f) p++
            if (p === end - 1 && size < 10) textEnd = value
          } else if (tag === 33 && size === 9) textEnd = value
        } else if (size === 0) textEnd = end
        if (textEnd !== 0 && this.#isAscii(from + 1, textEnd)) return
      }
    }
    this.#message(rule, from, end, depth)
  }

  /** The length at `p`, no longer than what is left of the message; #p is behind it. */
  #length(rule: Rule, field: number, p: number, end: number): number {
    if (p >= end) this.#fail(rule, field, 'length missing', p)
    const bytes = this.#bytes
    let length = bytes[p++]!
    if (length > 0x7f) {
      length &= 0x7f
      for (let scale = 128, byte = 0x80; byte > 0x7f; scale *= 128) {
        if (p >= end || scale > 2 ** 28) this.#fail(rule, field, 'length without end', p)
        byte = bytes[p++]!
        length += (byte & 0x7f) * scale
      }
    }
    if (length > end - p) this.#fail(rule, field, 'longer than its message', p)
    this.#p = p
    return length
  }

  /** A tag of several bytes: field numbers reach 2^29 - 1. */
  #longTag(rule: Rule, at: number, end: number): number {
    let tag = 0
    let p = at
    for (let scale = 1, byte = 0x80; byte > 0x7f; scale *= 128) {
      if (p >= end || scale > 2 ** 28) this.#fail(rule, 0, 'tag without end', at)
      byte = this.#bytes[p++]!
      tag += (byte & 0x7f) * scale
    }
    if (tag > 0xffffffff) this.#fail(rule, 0, 'field number beyond 2^29', at)
    this.#p = p
    return tag
  }

  /** Checks the varint at `p` and returns where it ends. */
  #varint(rule: Rule, field: number, p: number, end: number): number {
    const bytes = this.#bytes
    const last = p + 9
    for (let q = p; q < end; q++) {
      const byte = bytes[q]!
      if (byte < 0x80 && (q < last || (q === last && byte < 2))) return q + 1
      if (q >= last) this.#fail(rule, field, 'number beyond 64 bits', p)
    }
    return this.#fail(rule, field, 'number without end', p)
  }

  // Four words at a time from the end, then words, the first one again rather than byte by byte. Measured: aligned words
  // of an Int32Array with the bytes around masked away cost twice as much, 64-bit words five times.
  #isAscii(from: number, end: number): boolean {
    let seen = 0
    if (end - from < 4) {
      const bytes = this.#bytes
      for (let p = from; p < end; p++) seen |= bytes[p]!
      return seen < 0x80
    }
    const view = this.#view
    let p = end - 16
    for (; p >= from; p -= 16)
      seen |=
        view.getInt32(p, true) | view.getInt32(p + 4, true) | view.getInt32(p + 8, true) | view.getInt32(p + 12, true)
    for (p += 12; p > from; p -= 4) seen |= view.getInt32(p, true)
    return ((seen | view.getInt32(from, true)) & 0x80808080) === 0
  }

  // Unicode 15, table 3-7: no overlong forms, no surrogates, nothing above U+10FFFF.
  #isUtf8(from: number, end: number): boolean {
    const bytes = this.#bytes
    if (end - from >= NATIVE_UTF8_MIN_BYTES) return isUtf8(bytes.subarray(from, end))
    for (let p = from; p < end; ) {
      const first = bytes[p++]!
      if (first < 0x80) continue
      const more = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3
      if (first < 0xc2 || first > 0xf4 || p + more > end) return false
      const second = bytes[p]!
      if (first === 0xe0 ? second < 0xa0 : first === 0xf0 ? second < 0x90 : false) return false
      if (first === 0xed ? second > 0x9f : first === 0xf4 ? second > 0x8f : false) return false
      for (let i = 0; i < more; i++) if ((bytes[p++]! & 0xc0) !== 0x80) return false
    }
    return true
  }
}
