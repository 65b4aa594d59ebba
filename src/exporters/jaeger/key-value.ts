// Attributes as Jaeger's tags.
//
//   KeyValue  = key 1 | v_type 2 | v_str 3 | v_bool 4 | v_int64 5 | v_float64 6 | v_binary 7
//
// Key and value move as ranges. Lists and maps become their JSON, as in the Collector; what is empty is an empty text.

import { JAEGER_KEY_VALUE as TAG, JAEGER_VALUE_TYPE as VALUE_TYPE } from '../../jaeger/fields.ts'
import { KeyValueRange } from '../../otlp/key-value.ts'
import { VALUE, ValueView } from '../../otlp/value.ts'
import { equalBytes, varintHigh, varintLow, varintSize } from '../../wire/varint.ts'
import type { Writer } from '../../wire/writer.ts'

const TYPES = VALUE_TYPE.values
const DOUBLE_BYTES = 8

/** One KeyValue of OTLP, read in place. */
export class KeyValueView {
  bytes: Uint8Array = new Uint8Array(0)
  keyFrom = 0
  keyTo = 0
  readonly value = new ValueView()
  readonly #range = new KeyValueRange()

  reset(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes
    const { keyStart, keyEnd, valueStart, valueEnd } = this.#range.reset(bytes, from, to)
    this.keyFrom = keyStart
    this.keyTo = keyEnd
    this.value.reset(bytes, valueStart, valueEnd)
    return this
  }

  hasKey(key: Uint8Array): boolean {
    return equalBytes(this.bytes, this.keyFrom, this.keyTo, key)
  }
}

/** Writes field `number` of a message: the attribute as a tag. */
export function writeTag(writer: Writer, number: number, { bytes, keyFrom, keyTo, value }: KeyValueView): void {
  const size = keyTo - keyFrom
  const head = 1 + varintSize(size) + size
  switch (value.type) {
    case VALUE.BOOL:
      begin(writer, number, head + (value.bool() ? 4 : 2), bytes, keyFrom, keyTo)
      writer.tag(TAG.V_TYPE, 0).varint(TYPES.BOOL)
      if (value.bool()) writer.tag(TAG.V_BOOL, 0).varint(1)
      return
    case VALUE.INT: {
      const isZero = varintLow(value.bytes, value.start) === 0 && varintHigh(value.bytes, value.start) === 0
      const valueSize = isZero ? 0 : 1 + value.end - value.start
      begin(writer, number, head + 2 + valueSize, bytes, keyFrom, keyTo)
      writer.tag(TAG.V_TYPE, 0).varint(TYPES.INT64)
      if (!isZero) writer.tag(TAG.V_INT64, 0).copy(value.bytes, value.start, value.end)
      return
    }
    case VALUE.DOUBLE:
      begin(writer, number, head + 2 + 1 + DOUBLE_BYTES, bytes, keyFrom, keyTo)
      writer.tag(TAG.V_TYPE, 0).varint(TYPES.FLOAT64)
      writer.tag(TAG.V_FLOAT64, 1).copy(value.bytes, value.start, value.end)
      return
    case VALUE.BYTES: {
      const length = value.end - value.start
      begin(writer, number, head + 2 + 1 + varintSize(length) + length, bytes, keyFrom, keyTo)
      writer.tag(TAG.V_TYPE, 0).varint(TYPES.BINARY)
      writer.field(TAG.V_BINARY, value.bytes, value.start, value.end)
      return
    }
    case VALUE.STRING:
      writeText(writer, number, bytes, keyFrom, keyTo, value.bytes, value.start, value.end)
      return
    default: {
      const text = Buffer.from(value.toText())
      writeText(writer, number, bytes, keyFrom, keyTo, text, 0, text.length)
    }
  }
}

/** A tag with a text, whose type is the one that goes without saying. */
export function writeText(
  writer: Writer,
  number: number,
  key: Uint8Array,
  keyFrom: number,
  keyTo: number,
  text: Uint8Array,
  from: number,
  to: number,
): void {
  const keySize = keyTo - keyFrom
  const length = to - from
  const valueSize = length === 0 ? 0 : 1 + varintSize(length) + length
  begin(writer, number, 1 + varintSize(keySize) + keySize + valueSize, key, keyFrom, keyTo)
  if (length > 0) writer.field(TAG.V_STR, text, from, to)
}

function begin(writer: Writer, number: number, size: number, key: Uint8Array, from: number, to: number): void {
  writer.tag(number, 2).varint(size).field(TAG.KEY, key, from, to)
}
