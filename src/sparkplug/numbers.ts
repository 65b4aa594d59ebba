// Values of one number, by data type.
//
//   Int8 Int16 Int32     two's complement in an unsigned field; some fill 8 or 16 bits of it, some 32, some a long: what
//                        is beyond the declared width does not count
//   Int64 UInt64         a long, of which both halves are kept
//   UInt8 UInt16 UInt32  an int, or a long
//   DateTime             a long: milliseconds since 1970

import { readF64, readU32, varintHigh, varintLow } from '../wire/varint.ts'
import { DATA_TYPE, PAYLOAD_METRIC } from './fields.ts'

export const TYPE = DATA_TYPE.values

export const NUMBER = {
  /** The type or the field is not one of these. */
  NONE: 0,
  /** In `value`. */
  DOUBLE: 1,
  /** An int64 in `low` and `high`. */
  INT: 2,
} as const
export type NumberForm = (typeof NUMBER)[keyof typeof NUMBER]

/** Field numbers of values, which Metric, PropertyValue, Parameter and DataSetValue shift by a constant. */
export const FIELD = { INT: 0, LONG: 1, FLOAT: 2, DOUBLE: 3, BOOLEAN: 4, STRING: 5 } as const
const FIRST = PAYLOAD_METRIC.INT_VALUE

const FLOAT_SCRATCH = new DataView(new ArrayBuffer(4))

export class NumberReader {
  value = 0
  low = 0
  high = 0

  /** `field` is of a Metric; `bytes[from...]` its value. */
  metric(datatype: number, field: number, bytes: Uint8Array, from: number): NumberForm {
    return this.read(datatype, field - FIRST, bytes, from)
  }

  /** `field` is one of FIELD. */
  read(datatype: number, field: number, bytes: Uint8Array, from: number): NumberForm {
    switch (datatype) {
      case TYPE.Double:
      case TYPE.Float:
        if (field === FIELD.DOUBLE) this.value = readF64(bytes, from)
        else if (field === FIELD.FLOAT) this.value = readF32(bytes, from)
        else return NUMBER.NONE
        return NUMBER.DOUBLE
      case TYPE.Boolean:
        if (field !== FIELD.BOOLEAN) return NUMBER.NONE
        this.value = varintLow(bytes, from) === 0 ? 0 : 1
        return NUMBER.DOUBLE
    }
    if (field !== FIELD.INT && field !== FIELD.LONG) return NUMBER.NONE
    const low = varintLow(bytes, from)
    switch (datatype) {
      case TYPE.Int8:
        return this.#signed((low << 24) >> 24)
      case TYPE.Int16:
        return this.#signed((low << 16) >> 16)
      case TYPE.Int32:
        return this.#signed(low | 0)
      case TYPE.UInt8:
        return this.#halves(low & 0xff, 0)
      case TYPE.UInt16:
        return this.#halves(low & 0xffff, 0)
      case TYPE.UInt32:
        return this.#halves(low >>> 0, 0)
      case TYPE.Int64:
      case TYPE.DateTime:
        return this.#halves(low >>> 0, varintHigh(bytes, from))
      case TYPE.UInt64: {
        const high = varintHigh(bytes, from)
        // OTLP's integers end where int64 does.
        if (high < 0x80000000) return this.#halves(low >>> 0, high)
        this.value = high * 4294967296 + (low >>> 0)
        return NUMBER.DOUBLE
      }
    }
    return NUMBER.NONE
  }

  #signed(value: number): NumberForm {
    return this.#halves(value >>> 0, value < 0 ? 0xffffffff : 0)
  }

  #halves(low: number, high: number): NumberForm {
    this.low = low
    this.high = high
    return NUMBER.INT
  }

  /** The integer of `low` and `high`: exact within 2^53. */
  get integer(): number {
    return (this.high | 0) * 4294967296 + this.low
  }
}

export function readF32(bytes: Uint8Array, at: number): number {
  FLOAT_SCRATCH.setUint32(0, readU32(bytes, at))
  return FLOAT_SCRATCH.getFloat32(0)
}

/** What a value is of which nobody has said the type; -1 where that would be a guess: a sign cannot be seen. */
export function typeOfField(field: number): number {
  if (field === PAYLOAD_METRIC.FLOAT_VALUE) return TYPE.Float
  if (field === PAYLOAD_METRIC.DOUBLE_VALUE) return TYPE.Double
  if (field === PAYLOAD_METRIC.BOOLEAN_VALUE) return TYPE.Boolean
  if (field === PAYLOAD_METRIC.STRING_VALUE) return TYPE.String
  return -1
}
