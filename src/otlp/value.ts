// One attribute value or log body: an AnyValue, read in place, and written from plain values.
//
//   AnyValue = string_value 1 | bool_value 2 | int_value 3 | double_value 4 | array_value 5 | kvlist_value 6
//            | bytes_value 7 | string_value_strindex 8 (profiles only)
//
// A oneof: the last member on the wire is the value, and a list given twice in a row is one list (protobuf, "Oneof").

import { Cursor } from '../wire/cursor.ts'
import { equalBytes, readF64, varintHigh, varintLow, varintSigned } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'
import { ANY_VALUE } from './fields.ts'

/** The kinds of values, by the field number of the member that holds them. */
export const VALUE = {
  EMPTY: 0,
  STRING: 1,
  BOOL: 2,
  INT: 3,
  DOUBLE: 4,
  LIST: 5,
  MAP: 6,
  BYTES: 7,
  /** An index into a profile's string table. */
  STRING_INDEX: 8,
} as const
export type ValueType = (typeof VALUE)[keyof typeof VALUE]

const TEXT_TAG = 10

/** A reused cursor over one value: valid until its next reset(). Only the `to*` methods allocate. */
export class ValueView {
  bytes: Uint8Array = new Uint8Array(0)
  type: ValueType = VALUE.EMPTY
  /** What the value holds: the text, the bytes, a varint, eight bytes of a double, the contents of a list or map. */
  start = 0
  end = 0
  readonly #cursor = new Cursor()

  /** The AnyValue in `bytes[from, to)`. */
  reset(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes
    this.type = VALUE.EMPTY
    this.start = from
    this.end = from
    if (from === to) return this
    if (isShortText(bytes, from, to)) {
      this.type = VALUE.STRING
      this.start = from + 2
      this.end = to
      return this
    }
    let runs = 0
    for (const c = this.#cursor.reset(bytes, from, to); c.next(); ) {
      if (ANY_VALUE.wireType[c.field] !== c.wireType) continue
      runs = c.field === this.type ? runs + 1 : 1
      this.type = c.field as ValueType
      this.start = c.start
      this.end = c.end
    }
    if (runs > 1 && (this.type === VALUE.LIST || this.type === VALUE.MAP)) this.#merge(from, to, runs)
    return this
  }

  /** Whether it is a string with exactly these UTF-8 bytes. */
  equalsText(utf8: Uint8Array): boolean {
    return this.type === VALUE.STRING && equalBytes(this.bytes, this.start, this.end, utf8)
  }

  /** A bool; false for every other type. */
  bool(): boolean {
    return this.type === VALUE.BOOL && (varintLow(this.bytes, this.start) | varintHigh(this.bytes, this.start)) !== 0
  }

  /** An int or a double as a number (ints beyond ±2^53: the nearest double); NaN for every other type. */
  number(): number {
    if (this.type === VALUE.INT) return varintSigned(this.bytes, this.start)
    return this.type === VALUE.DOUBLE ? readF64(this.bytes, this.start) : Number.NaN
  }

  /** The halves of an int as u32; 0 for every other type. */
  intHigh(): number {
    return this.type === VALUE.INT ? varintHigh(this.bytes, this.start) : 0
  }

  intLow(): number {
    return this.type === VALUE.INT ? varintLow(this.bytes, this.start) : 0
  }

  /** An int without loss; 0n for every other type. For cold paths. */
  toBigInt(): bigint {
    return BigInt.asIntN(64, (BigInt(this.intHigh()) << 32n) | BigInt(this.intLow()))
  }

  /**
   * The value as text, as the Collector's Value.AsString gives it: bytes in base64, lists and maps as JSON with keys in
   * order, the empty value as an empty text.
   */
  toText(): string {
    switch (this.type) {
      case VALUE.STRING:
        return utf8(this.bytes, this.start, this.end)
      case VALUE.BOOL:
        return this.bool() ? 'true' : 'false'
      case VALUE.INT:
        return intText(this.number(), this)
      case VALUE.DOUBLE:
        return doubleText(this.number())
      case VALUE.BYTES:
        return base64(this.bytes, this.start, this.end)
      case VALUE.LIST:
      case VALUE.MAP:
        return valueJson(this)
      default:
        return ''
    }
  }

  // Concatenated messages are the merged message, so the lists of the last run side by side are the list.
  #merge(from: number, to: number, runs: number): void {
    const merged = new Writer()
    let seen = 0
    const runOf = this.type
    for (const c = this.#cursor.reset(this.bytes, from, to); c.next(); ) {
      if (ANY_VALUE.wireType[c.field] !== c.wireType) continue
      if (c.field !== runOf) {
        merged.clear()
        seen = 0
      } else {
        merged.copy(c.bytes, c.start, c.end)
        seen++
      }
    }
    if (seen !== runs) throw new Error('invariant: a value changed while it was read')
    this.bytes = merged.toBytes()
    this.start = 0
    this.end = this.bytes.length
  }
}

/** Whether the AnyValue in `bytes[from, to)` is the usual one: a text below 128 bytes, which begins two bytes behind `from`. */
export const isShortText = (bytes: Uint8Array, from: number, to: number): boolean =>
  to - from >= 2 && to - from < 0x82 && bytes[from] === TEXT_TAG && bytes[from + 1] === to - from - 2

/** UTF-8 bytes as a string of their own. */
export function utf8(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('utf8')
}

const base64 = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('base64')

const intText = (number: number, view: ValueView): string =>
  Number.isSafeInteger(number) ? String(number) : String(view.toBigInt())

// JavaScript and the Collector's JSON agree on floats; what JSON has no word for is told in the Collector's words.
function doubleText(value: number): string {
  if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value)
  const word = Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  return `json: unsupported value: ${word}`
}

// Go's JSON also escapes what HTML and JavaScript would take for markup.
const jsonString = (text: string): string =>
  JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)

/** As Go writes it. A value that JSON cannot hold (NaN and the infinities) makes the whole text empty, as in the Collector. */
export function valueJson(view: ValueView): string {
  try {
    return jsonOf(view)
  } catch (error) {
    if (error instanceof RangeError) return ''
    throw error
  }
}

function jsonOf(view: ValueView): string {
  switch (view.type) {
    case VALUE.STRING:
      return jsonString(utf8(view.bytes, view.start, view.end))
    case VALUE.BYTES:
      return `"${base64(view.bytes, view.start, view.end)}"`
    case VALUE.DOUBLE:
      if (!Number.isFinite(view.number())) throw new RangeError('not a number of JSON')
      return view.toText()
    case VALUE.BOOL:
    case VALUE.INT:
      return view.toText()
    case VALUE.LIST: {
      const elements: string[] = []
      const element = new ValueView()
      for (const c = new Cursor().reset(view.bytes, view.start, view.end); c.find(1); )
        elements.push(jsonOf(element.reset(c.bytes, c.start, c.end)))
      return `[${elements.join(',')}]`
    }
    case VALUE.MAP: {
      const entries = new Map<string, string>()
      const value = new ValueView()
      for (const c = new Cursor().reset(view.bytes, view.start, view.end); c.find(1); ) {
        const entry = readKeyValue(c.bytes, c.start, c.end)
        entries.set(entry.key, jsonOf(value.reset(entry.bytes, entry.from, entry.to)))
      }
      return objectJson(entries)
    }
    default:
      return 'null'
  }
}

/** Of members whose values are JSON already, with keys in order. */
export function objectJson(members: ReadonlyMap<string, string>): string {
  // By bytes, as Go sorts keys; comparing UTF-16 units differs only beyond the basic plane.
  const keys = [...members.keys()].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  return `{${keys.map((key) => `${jsonString(key)}:${members.get(key)}`).join(',')}}`
}

/** The key and the AnyValue of one KeyValue, merged where either was given more than once. Allocates. */
export function readKeyValue(
  source: Uint8Array,
  from: number,
  to: number,
): { key: string; bytes: Uint8Array; from: number; to: number } {
  let key = ''
  let values = 0
  let start = from
  let end = from
  for (const c = new Cursor().reset(source, from, to); c.next(); ) {
    if (c.wireType !== 2) continue
    if (c.field === 1) key = utf8(source, c.start, c.end)
    else if (c.field === 2) {
      values++
      start = c.start
      end = c.end
    }
  }
  if (values <= 1) return { key, bytes: source, from: start, to: end }
  const merged = new Writer()
  for (const c = new Cursor().reset(source, from, to); c.find(2); ) merged.copy(source, c.start, c.end)
  return { key, bytes: merged.toBytes(), from: 0, to: merged.length }
}
