// Values as a configuration gives them, encoded once at start.

import { YamlFloat, type YamlValue } from '../config/schema.ts'
import {
  EMPTY_VALUE,
  encodeBool,
  encodeDouble,
  encodeInt,
  encodeList,
  encodeMap,
  encodeString,
} from '../otlp/encode.ts'

const INT64_MIN = -(2n ** 63n)
const INT64_MAX = 2n ** 63n - 1n

/** The encoded AnyValue of a YAML value. Integers beyond 64 bits become doubles, as in other readers of YAML. */
export function encodeLiteral(value: YamlValue): Uint8Array {
  if (value === null) return EMPTY_VALUE
  if (value instanceof YamlFloat) return encodeDouble(value.value)
  if (Array.isArray(value)) return encodeList(value.map(encodeLiteral))
  switch (typeof value) {
    case 'string':
      return encodeString(value)
    case 'boolean':
      return encodeBool(value)
    case 'number':
      return Number.isSafeInteger(value) ? encodeInt(value) : encodeDouble(value)
    case 'bigint':
      return value >= INT64_MIN && value <= INT64_MAX ? encodeInt(value) : encodeDouble(Number(value))
    default:
      return encodeMap(Object.entries(value).map(([key, element]) => [key, encodeLiteral(element)]))
  }
}
