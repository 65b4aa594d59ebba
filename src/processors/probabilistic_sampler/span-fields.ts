// What of a span decides whether it stays: its trace id, its tracestate, and the attribute sampling.priority.
//
//   priority   0 drops, above 0 keeps, else it says nothing; the first attribute of that name counts, also one without sense
//
// Of all the other fields only the length is looked at. This loop is most of what sampling costs, so it knows the usual
// fields by their first four bytes.

import { KEY_VALUE, SPAN } from '../../otlp/fields.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes, varintLow } from '../../wire/varint.ts'
import { numberOf } from './number-text.ts'
import { isGiven, TRACE_ID_BYTES } from './trace-id.ts'

const TRACE_ID_TAG = SPAN.TRACE_ID * 8 + 2
export const STATE_TAG = SPAN.TRACE_STATE * 8 + 2
const ATTRIBUTE_TAG = SPAN.ATTRIBUTES * 8 + 2
const PRIORITY_KEY = Buffer.from('sampling.priority')
const PRIORITY_BYTES = PRIORITY_KEY.length

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const ONE_HEAD = 0x80ff // the same: the tag itself
const TWO_HEADS = 0x80ff80ff // of an attribute and of its key
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
const USUAL_ATTRIBUTE = ATTRIBUTE_TAG | ((KEY_VALUE.KEY * 8 + 2) << 16)
const FLAGS_TAG = 0x0100 | (((SPAN.FLAGS * 8 + 5) & 0x7f) | 0x80) // in two bytes
const FLAGS_BYTES = 6
const STATUS_TAG = SPAN.STATUS * 8 + 2

export const PRIORITY = { NONE: 0, KEEP: 1, DROP: 2 } as const
export type Priority = (typeof PRIORITY)[keyof typeof PRIORITY]

export class SpanFields {
  /** Where the trace id is; 0 where there is none, or one of zeros. */
  idAt = 0
  /** Where the tracestate is, with the head of its field and without; all 0 where there is none. */
  stateAt = 0
  stateFrom = 0
  stateTo = 0
  priority: Priority = PRIORITY.NONE
  #hasPriority = false
  readonly #value = new ValueView()
  readonly #cursor = new Cursor()

  get hasState(): boolean {
    return this.stateFrom !== this.stateTo
  }

  /** The span in `bytes[start, end)`, of which `words` are the same bytes. */
  read(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.idAt = 0
    this.stateAt = 0
    this.stateFrom = 0
    this.stateTo = 0
    this.priority = PRIORITY.NONE
    this.#hasPriority = false
    for (let p = start; p < end; ) {
      p = this.#passUsual(bytes, words, p, end)
      if (p < end) p = this.#readField(bytes, words, p)
    }
  }

  /** Goes over fields up to one that matters or is not usual, and returns where that begins. */
  #passUsual(bytes: Uint8Array, words: DataView, start: number, end: number): number {
    let p = start
    for (const last = end - 4; p <= last; ) {
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      if ((head & TWO_HEADS) === USUAL_ATTRIBUTE) {
        const keyEnd = p + 4 + (head >>> 24)
        if (keyEnd + 2 > next) break
        const value = words.getUint16(keyEnd, true)
        if ((value & ONE_HEAD) !== VALUE_TAG || keyEnd + 2 + (value >>> 8) !== next) break
        if (head >>> 24 === PRIORITY_BYTES) this.#readAttribute(bytes, p + 2, next)
        p = next
      } else if ((head & SHORT_HEAD) === 2) {
        const tag = head & 0xff
        if (tag === TRACE_ID_TAG) this.idAt = next === p + 2 + TRACE_ID_BYTES && isGiven(words, p + 2) ? p + 2 : 0
        else if (tag === STATE_TAG || tag === ATTRIBUTE_TAG) break
        p = next
      } else if ((head & ONE_BYTE_TAG) === 1) p += 9
      else if ((head & SHORT_HEAD) === 0) p += 2
      else if ((head & 0xffff) === FLAGS_TAG) p += FLAGS_BYTES
      else break
    }
    // Too short for a head is the empty status that most spans end with.
    return p === end - 2 && words.getUint16(p, true) === STATUS_TAG ? end : p
  }

  /** Any field; returns the offset behind it. */
  #readField(bytes: Uint8Array, words: DataView, at: number): number {
    let p = at
    let tag = bytes[p++]!
    if (tag > 0x7f) {
      tag = varintLow(bytes, at)
      while (bytes[p++]! > 0x7f);
    }
    const wireType = tag & 7
    if (wireType !== 2) {
      if (wireType !== 0) return p + (wireType === 1 ? 8 : 4)
      while (bytes[p++]! > 0x7f);
      return p
    }
    let length = bytes[p++]!
    if (length > 0x7f) {
      length = varintLow(bytes, p - 1)
      while (bytes[p++]! > 0x7f);
    }
    const end = p + length
    if (tag === TRACE_ID_TAG) this.idAt = length === TRACE_ID_BYTES && isGiven(words, p) ? p : 0
    else if (tag === STATE_TAG) {
      this.stateAt = at
      this.stateFrom = p
      this.stateTo = end
    } else if (tag === ATTRIBUTE_TAG) this.#readAttribute(bytes, p, end)
    return end
  }

  #readAttribute(bytes: Uint8Array, from: number, to: number): void {
    if (this.#hasPriority) return
    let isPriority = false
    let valueFrom = from
    let valueTo = from
    for (const c = this.#cursor.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === KEY_VALUE.KEY) isPriority = equalBytes(bytes, c.start, c.end, PRIORITY_KEY)
      else if (c.field === KEY_VALUE.VALUE) {
        valueFrom = c.start
        valueTo = c.end
      }
    }
    if (!isPriority) return
    this.#hasPriority = true
    const value = this.#value.reset(bytes, valueFrom, valueTo)
    const number = value.type === VALUE.STRING ? numberOf(value.toText()) : value.number()
    if (number === 0) this.priority = PRIORITY.DROP
    else if (number > 0) this.priority = PRIORITY.KEEP
  }
}
