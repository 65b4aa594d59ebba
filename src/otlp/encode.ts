// AnyValue and KeyValue messages made from plain values: at load time for constants, per record where it must be.

import { Writer } from '../wire/writer.ts'
import { ANY_VALUE, ARRAY_VALUE, KEY_VALUE, KEY_VALUE_LIST } from './fields.ts'

/** The UTF-8 bytes of a key or text, for AttributeMap.find() and for comparing in place. */
export const encodeText = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** AnyValue with a string. Lone surrogates become U+FFFD. */
export const encodeString = (text: string): Uint8Array => encodeStringBytes(encodeText(text))

/** AnyValue with the string whose UTF-8 bytes are `utf8[from, to)`. */
export const encodeStringBytes = (utf8: Uint8Array, from = 0, to = utf8.length): Uint8Array =>
  new Writer().field(ANY_VALUE.STRING_VALUE, utf8, from, to).toBytes()

export const encodeBool = (value: boolean): Uint8Array =>
  new Writer()
    .tag(ANY_VALUE.BOOL_VALUE, 0)
    .varint(value ? 1 : 0)
    .toBytes()

/** AnyValue with an int64. A number must be whole and within ±2^53; a BigInt is taken modulo 2^64. */
export function encodeInt(value: number | bigint): Uint8Array {
  const writer = new Writer().tag(ANY_VALUE.INT_VALUE, 0)
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new RangeError(`${value} is not an integer that a double holds exactly`)
    return writer.signedVarint(value).toBytes()
  }
  let rest = BigInt.asUintN(64, value)
  for (; rest > 0x7fn; rest >>= 7n) writer.copy(Uint8Array.of(Number(rest & 0x7fn) | 0x80))
  return writer.varint(Number(rest)).toBytes()
}

export const encodeDouble = (value: number): Uint8Array =>
  new Writer().tag(ANY_VALUE.DOUBLE_VALUE, 1).f64(value).toBytes()

export const encodeBytes = (value: Uint8Array): Uint8Array => new Writer().field(ANY_VALUE.BYTES_VALUE, value).toBytes()

/** AnyValue with a list of encoded AnyValues. */
export function encodeList(values: readonly Uint8Array[]): Uint8Array {
  const list = new Writer()
  for (const value of values) list.field(ARRAY_VALUE.VALUES, value)
  return new Writer().field(ANY_VALUE.ARRAY_VALUE, list.bytes, 0, list.length).toBytes()
}

/** AnyValue with a map from keys to encoded AnyValues, in the order given. */
export function encodeMap(entries: Iterable<readonly [string, Uint8Array]>): Uint8Array {
  const map = new Writer()
  for (const [key, value] of entries) map.field(KEY_VALUE_LIST.VALUES, encodeKeyValue(encodeText(key), value))
  return new Writer().field(ANY_VALUE.KVLIST_VALUE, map.bytes, 0, map.length).toBytes()
}

/** A KeyValue message (without tag and length) of a key's UTF-8 bytes and an encoded AnyValue. */
export const encodeKeyValue = (key: Uint8Array, value: Uint8Array): Uint8Array =>
  new Writer().field(KEY_VALUE.KEY, key).field(KEY_VALUE.VALUE, value).toBytes()

/** AnyValue without a member: the empty value. */
export const EMPTY_VALUE: Uint8Array = new Uint8Array(0)
