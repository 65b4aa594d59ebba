// What of a log record decides whether it stays: its trace id, and the attributes that are asked for.

import { encodeText } from '../../otlp/encode.ts'
import { KEY_VALUE, LOG_RECORD } from '../../otlp/fields.ts'
import { KeyValueRange } from '../../otlp/key-value.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes } from '../../wire/varint.ts'
import { isGiven, TRACE_ID_BYTES } from './trace-id.ts'

const TRACE_ID_TAG = LOG_RECORD.TRACE_ID * 8 + 2
const ATTRIBUTE_TAG = LOG_RECORD.ATTRIBUTES * 8 + 2

// The first bytes of a field as a little-endian number, masked so that one comparison tells what they are.
const ONE_BYTE_TAG = 0x87 // a tag below 128: its wire type
const SHORT_HEAD = 0x8087 // and a length, or number, below 128 behind it
const ONE_HEAD = 0x80ff // the same: the tag itself
const TWO_HEADS = 0x80ff80ff // of an attribute and of its key
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2
const USUAL_ATTRIBUTE = ATTRIBUTE_TAG | ((KEY_VALUE.KEY * 8 + 2) << 16)

/** The first attribute with a key: where it stands, and where its value does. */
export class Found {
  readonly key: Uint8Array
  /** -1 where there is none. */
  at = -1
  end = 0
  valueFrom = 0
  valueTo = 0

  constructor(key: string) {
    this.key = encodeText(key)
  }
}

export class RecordFields {
  /** Where the trace id is; 0 where there is none, or one of zeros. */
  idAt = 0
  /** Behind the last attribute; the end of the record where there is none. */
  attributesEnd = 0
  readonly #wanted: readonly Found[]
  /** Lengths of their keys, modulo 32, as bits. */
  readonly #lengths: number
  readonly #fields = new Cursor()
  readonly #attribute = new KeyValueRange()

  constructor(wanted: readonly Found[]) {
    this.#wanted = wanted
    this.#lengths = wanted.reduce((bits, { key }) => bits | (1 << (key.length & 31)), 0)
  }

  /** The record in `bytes[start, end)`, of which `words` are the same bytes. */
  read(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.idAt = 0
    this.attributesEnd = end
    for (let i = 0; i < this.#wanted.length; i++) this.#wanted[i]!.at = -1
    for (let p = start; p < end; ) {
      p = this.#passUsual(bytes, words, p, end)
      if (p === end) return
      const c = this.#fields.reset(bytes, p, end)
      c.next()
      p = c.end
      if (c.wireType !== 2) continue
      if (c.field === LOG_RECORD.ATTRIBUTES) {
        this.attributesEnd = p
        this.#readAttribute(bytes, c.at, c.start, p)
      } else if (c.field === LOG_RECORD.TRACE_ID)
        this.idAt = p - c.start === TRACE_ID_BYTES && isGiven(words, c.start) ? c.start : 0
    }
  }

  /** Goes over fields up to one that matters or is not usual, and returns where that begins. */
  #passUsual(bytes: Uint8Array, words: DataView, start: number, end: number): number {
    const lengths = this.#lengths
    let attributesEnd = 0
    let p = start
    for (const last = end - 4; p <= last; ) {
      const head = words.getInt32(p, true)
      const next = p + 2 + ((head >>> 8) & 0xff)
      if ((head & TWO_HEADS) === USUAL_ATTRIBUTE) {
        const keyEnd = p + 4 + (head >>> 24)
        if (keyEnd + 2 > next) break
        const value = words.getUint16(keyEnd, true)
        if ((value & ONE_HEAD) !== VALUE_TAG || keyEnd + 2 + (value >>> 8) !== next) break
        if (((lengths >>> (head >>> 24)) & 1) !== 0 && this.#isWanted(bytes, p + 4, keyEnd)) break
        attributesEnd = next
        p = next
      } else if ((head & SHORT_HEAD) === 2 && (head & 0xff) !== ATTRIBUTE_TAG && (head & 0xff) !== TRACE_ID_TAG)
        p = next
      else if ((head & ONE_BYTE_TAG) === 1) p += 9
      else if ((head & SHORT_HEAD) === 0) p += 2
      else if ((head & ONE_BYTE_TAG) === 5) p += 5
      else break
    }
    if (attributesEnd !== 0) this.attributesEnd = attributesEnd
    return p
  }

  #isWanted(bytes: Uint8Array, from: number, to: number): boolean {
    for (let i = 0; i < this.#wanted.length; i++) if (equalBytes(bytes, from, to, this.#wanted[i]!.key)) return true
    return false
  }

  #readAttribute(bytes: Uint8Array, at: number, from: number, to: number): void {
    const { keyStart, keyEnd, valueStart, valueEnd } = this.#attribute.reset(bytes, from, to)
    for (let i = 0; i < this.#wanted.length; i++) {
      const found = this.#wanted[i]!
      if (found.at >= 0 || !equalBytes(bytes, keyStart, keyEnd, found.key)) continue
      found.at = at
      found.end = to
      found.valueFrom = valueStart
      found.valueTo = valueEnd
    }
  }
}
