// Arrays of Sparkplug B: packed, little endian, in bytes_value. Floating point, too: the specification's text says so and its
// two examples say otherwise; Eclipse Tahu writes little endian.
//
//   Boolean   4-byte count, then bits, the most significant first
//   String    each ended by a zero byte

import { DATA_TYPE } from './fields.ts'

const TYPE = DATA_TYPE.values

export const isArrayType = (type: number): boolean => type >= TYPE.Int8Array && type <= TYPE.DateTimeArray

type SetNumber = (view: DataView, at: number, value: number) => void

const setLong: SetNumber = (view, at, value) => {
  const high = Math.floor(value / 2 ** 32)
  view.setUint32(at, value - high * 2 ** 32, true)
  view.setInt32(at + 4, high, true)
}

const NUMBERS: { readonly [type: number]: readonly [bytes: number, set: SetNumber] } = {
  [TYPE.Int8Array]: [1, (view, at, value) => view.setInt8(at, value)],
  [TYPE.Int16Array]: [2, (view, at, value) => view.setInt16(at, value, true)],
  [TYPE.Int32Array]: [4, (view, at, value) => view.setInt32(at, value, true)],
  [TYPE.Int64Array]: [8, setLong],
  [TYPE.UInt8Array]: [1, (view, at, value) => view.setUint8(at, value)],
  [TYPE.UInt16Array]: [2, (view, at, value) => view.setUint16(at, value, true)],
  [TYPE.UInt32Array]: [4, (view, at, value) => view.setUint32(at, value, true)],
  [TYPE.UInt64Array]: [8, setLong],
  [TYPE.FloatArray]: [4, (view, at, value) => view.setFloat32(at, value, true)],
  [TYPE.DoubleArray]: [8, (view, at, value) => view.setFloat64(at, value, true)],
  [TYPE.DateTimeArray]: [8, setLong],
}

/** `type` is that of an array. Whole numbers must be within its width and ±2^53. */
export function encodeArray(type: number, values: readonly (number | boolean | string)[]): Uint8Array<ArrayBuffer> {
  if (type === TYPE.StringArray) return new Uint8Array(Buffer.from(values.map((text) => `${text}\0`).join('')))
  if (type === TYPE.BooleanArray) {
    const bytes = new Uint8Array(4 + Math.ceil(values.length / 8))
    new DataView(bytes.buffer).setUint32(0, values.length, true)
    for (let at = 0; at < values.length; at++) if (values[at] === true) bytes[4 + (at >> 3)]! |= 0x80 >> (at & 7)
    return bytes
  }
  const [width, set] = NUMBERS[type]!
  const bytes = new Uint8Array(width * values.length)
  const view = new DataView(bytes.buffer)
  for (let at = 0; at < values.length; at++) set(view, at * width, Number(values[at]))
  return bytes
}
