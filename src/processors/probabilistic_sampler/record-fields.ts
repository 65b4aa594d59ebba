// What of a log record decides whether it stays: its trace id, and the attributes that are asked for.

import { encodeText } from '../../otlp/encode.ts'
import { KEY_VALUE, LOG_RECORD } from '../../otlp/fields.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes } from '../../wire/varint.ts'
import { isGiven, TRACE_ID_BYTES } from './trace-id.ts'

const KEY_TAG = KEY_VALUE.KEY * 8 + 2
const VALUE_TAG = KEY_VALUE.VALUE * 8 + 2

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
  readonly #inner = new Cursor()

  constructor(wanted: readonly Found[]) {
    this.#wanted = wanted
    this.#lengths = wanted.reduce((bits, { key }) => bits | (1 << (key.length & 31)), 0)
  }

  /** The record in `bytes[start, end)`, of which `words` are the same bytes. */
  read(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.idAt = 0
    this.attributesEnd = end
    for (let i = 0; i < this.#wanted.length; i++) this.#wanted[i]!.at = -1
    for (const c = this.#fields.reset(bytes, start, end); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === LOG_RECORD.ATTRIBUTES) {
        this.attributesEnd = c.end
        // Key and value and nothing else, the usual attribute, is known by its heads.
        const size = bytes[c.start + 1]!
        const keyEnd = c.start + 2 + size
        const isUsual =
          bytes[c.start] === KEY_TAG && bytes[keyEnd] === VALUE_TAG && keyEnd + 2 + bytes[keyEnd + 1]! === c.end
        if (isUsual && ((this.#lengths >>> (size & 31)) & 1) === 0) continue
        this.#readAttribute(bytes, c.at, c.start, c.end)
      } else if (c.field === LOG_RECORD.TRACE_ID)
        this.idAt = c.end - c.start === TRACE_ID_BYTES && isGiven(words, c.start) ? c.start : 0
    }
  }

  #readAttribute(bytes: Uint8Array, at: number, from: number, to: number): void {
    let keyFrom = from
    let keyTo = from
    let valueFrom = from
    let valueTo = from
    for (const c = this.#inner.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 2) continue
      if (c.field === KEY_VALUE.KEY) {
        keyFrom = c.start
        keyTo = c.end
      } else if (c.field === KEY_VALUE.VALUE) {
        valueFrom = c.start
        valueTo = c.end
      }
    }
    for (let i = 0; i < this.#wanted.length; i++) {
      const found = this.#wanted[i]!
      if (found.at >= 0 || !equalBytes(bytes, keyFrom, keyTo, found.key)) continue
      found.at = at
      found.end = to
      found.valueFrom = valueFrom
      found.valueTo = valueTo
    }
  }
}
