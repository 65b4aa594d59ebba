// The arrays of Sparkplug 3.0: bytes, packed little endian. Floats are little endian as well: the text of the
// specification says so, its two printed examples are the other way round, and Eclipse Tahu does as the text says.
//
//   Boolean array   count (4 bytes) | bits, the first in the highest bit
//   String array    texts, each with a zero byte behind it
//   DateTime array  milliseconds since 1970, 8 bytes each

import { readF64, readU32 } from '../wire/varint.ts'
import { readF32, TYPE } from './numbers.ts'

const WIDTH: Readonly<Record<number, number>> = {
  [TYPE.Int8Array]: 1,
  [TYPE.UInt8Array]: 1,
  [TYPE.Int16Array]: 2,
  [TYPE.UInt16Array]: 2,
  [TYPE.Int32Array]: 4,
  [TYPE.UInt32Array]: 4,
  [TYPE.Int64Array]: 8,
  [TYPE.UInt64Array]: 8,
  [TYPE.FloatArray]: 4,
  [TYPE.DoubleArray]: 8,
  [TYPE.DateTimeArray]: 8,
}

export const isArray = (datatype: number): boolean => datatype >= TYPE.Int8Array && datatype <= TYPE.DateTimeArray

/** Each element's value and index; integers beyond 2^53 are the nearest double. False: the bytes are no such array. */
export function readArray(
  datatype: number,
  bytes: Uint8Array,
  from: number,
  to: number,
  each: (value: number | string, index: number) => void,
): boolean {
  if (datatype === TYPE.StringArray) return readTexts(bytes, from, to, each)
  if (datatype === TYPE.BooleanArray) {
    if (to - from < 4) return false
    const count = readU32(bytes, from)
    if (count > (to - from - 4) * 8) return false
    for (let i = 0; i < count; i++) each((bytes[from + 4 + (i >> 3)]! >> (7 - (i & 7))) & 1, i)
    return true
  }
  const width = WIDTH[datatype]
  if (width === undefined || (to - from) % width !== 0) return false
  for (let i = 0, at = from; at < to; i++, at += width) each(elementAt(datatype, bytes, at), i)
  return true
}

function elementAt(datatype: number, bytes: Uint8Array, at: number): number {
  switch (datatype) {
    case TYPE.Int8Array:
      return (bytes[at]! << 24) >> 24
    case TYPE.UInt8Array:
      return bytes[at]!
    case TYPE.Int16Array:
      return ((bytes[at]! | (bytes[at + 1]! << 8)) << 16) >> 16
    case TYPE.UInt16Array:
      return bytes[at]! | (bytes[at + 1]! << 8)
    case TYPE.Int32Array:
      return readU32(bytes, at) | 0
    case TYPE.UInt32Array:
      return readU32(bytes, at)
    case TYPE.FloatArray:
      return readF32(bytes, at)
    case TYPE.DoubleArray:
      return readF64(bytes, at)
    case TYPE.UInt64Array:
      return readU32(bytes, at + 4) * 4294967296 + readU32(bytes, at)
    default:
      return (readU32(bytes, at + 4) | 0) * 4294967296 + readU32(bytes, at)
  }
}

function readTexts(bytes: Uint8Array, from: number, to: number, each: (value: string, index: number) => void): boolean {
  if (to > from && bytes[to - 1] !== 0) return false
  for (let at = from, i = 0; at < to; i++) {
    const end = bytes.indexOf(0, at)
    each(Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at).toString(), i)
    at = end + 1
  }
  return true
}
