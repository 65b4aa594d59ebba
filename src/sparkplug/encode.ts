// Payloads of Sparkplug B, written straight into bytes: one metric after the other.
//
//   Payload   1 timestamp | 2 metric ... | 3 seq
//   Metric    1 name | 2 alias | 3 timestamp | 4 datatype | 5 is_historical | 7 is_null | 9 properties | 10-16 value
//
// Births have names, data types and properties; data have aliases alone. Fields that are absent are not written: an absent
// seq is not seq 0.

import { Writer } from '../wire/writer.ts'
import { encodeArray, isArrayType } from './encode-array.ts'
import { DATA_TYPE, PAYLOAD, PAYLOAD_METRIC, PAYLOAD_PROPERTY_SET, PAYLOAD_PROPERTY_VALUE } from './fields.ts'

export type DataType = (typeof DATA_TYPE.values)[keyof typeof DATA_TYPE.values]
export type Scalar = number | boolean | string | Uint8Array
export type MetricValue = Scalar | readonly number[] | readonly boolean[] | readonly string[]

export interface SparkplugMetric {
  readonly name?: string
  readonly alias?: number
  readonly timestampMs?: number
  /** Decides how `value` is written; the number itself is written with `hasType`. */
  readonly type: DataType
  readonly hasType?: boolean
  readonly isHistorical?: boolean
  /** Null: there is none now. */
  readonly value: MetricValue | null
  /** Unit, as the plant writes it. */
  readonly engUnit?: string
  /** 0 bad, 192 good, 500 stale. */
  readonly quality?: number
}

export interface SparkplugPayload {
  readonly timestampMs?: number
  readonly seq?: number
  readonly metrics: readonly SparkplugMetric[]
}

const VARINT = 0
const FIXED64 = 1
const FIXED32 = 5
const TYPE = DATA_TYPE.values

export function encodeSparkplug({ timestampMs, seq, metrics }: SparkplugPayload): Uint8Array<ArrayBuffer> {
  const payload = new Writer()
  const metric = new Writer()
  if (timestampMs !== undefined) payload.tag(PAYLOAD.TIMESTAMP, VARINT).varint(timestampMs)
  for (const one of metrics) {
    writeMetric(metric.clear(), one)
    payload.field(PAYLOAD.METRICS, metric.bytes, 0, metric.length)
  }
  if (seq !== undefined) payload.tag(PAYLOAD.SEQ, VARINT).varint(seq)
  return payload.toBytes()
}

function writeMetric(to: Writer, metric: SparkplugMetric): void {
  const { name, alias, timestampMs, type, value } = metric
  if (name !== undefined) to.field(PAYLOAD_METRIC.NAME, Buffer.from(name))
  if (alias !== undefined) to.tag(PAYLOAD_METRIC.ALIAS, VARINT).varint(alias)
  if (timestampMs !== undefined) to.tag(PAYLOAD_METRIC.TIMESTAMP, VARINT).varint(timestampMs)
  if (metric.hasType === true) to.tag(PAYLOAD_METRIC.DATATYPE, VARINT).varint(type)
  if (metric.isHistorical === true) to.tag(PAYLOAD_METRIC.IS_HISTORICAL, VARINT).varint(1)
  if (value === null) to.tag(PAYLOAD_METRIC.IS_NULL, VARINT).varint(1)
  if (metric.engUnit !== undefined || metric.quality !== undefined) writeProperties(to, metric)
  if (value !== null) writeValue(to, type, value)
}

/** PropertySet: 1 keys | 2 values, side by side. PropertyValue: 1 type | 3 int | 8 string. */
function writeProperties(to: Writer, { engUnit, quality }: SparkplugMetric): void {
  const set = new Writer()
  const add = (key: string, value: Writer): void => {
    set.field(PAYLOAD_PROPERTY_SET.KEYS, Buffer.from(key))
    set.field(PAYLOAD_PROPERTY_SET.VALUES, value.bytes, 0, value.length)
  }
  const typed = (type: number): Writer => new Writer().tag(PAYLOAD_PROPERTY_VALUE.TYPE, VARINT).varint(type)
  if (engUnit !== undefined)
    add('engUnit', typed(TYPE.String).field(PAYLOAD_PROPERTY_VALUE.STRING_VALUE, Buffer.from(engUnit)))
  if (quality !== undefined)
    add('Quality', typed(TYPE.Int32).tag(PAYLOAD_PROPERTY_VALUE.INT_VALUE, VARINT).varint(quality))
  to.field(PAYLOAD_METRIC.PROPERTIES, set.bytes, 0, set.length)
}

/** Throws a RangeError for a value that its type does not have. DataSets and templates are not written. */
function writeValue(to: Writer, type: DataType, value: MetricValue): void {
  if (isArrayType(type)) {
    if (!Array.isArray(value)) throw wrong(type, value)
    to.field(PAYLOAD_METRIC.BYTES_VALUE, encodeArray(type, value))
    return
  }
  const whole = WHOLE[type]
  if (whole !== undefined) {
    const [from, upTo, isLong] = whole
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < from || value > upTo)
      throw wrong(type, value)
    // Signed ones of up to 32 bits: two's complement in an unsigned field.
    if (isLong) to.tag(PAYLOAD_METRIC.LONG_VALUE, VARINT).signedVarint(value)
    else to.tag(PAYLOAD_METRIC.INT_VALUE, VARINT).varint(value >>> 0)
  } else if (type === TYPE.Double && typeof value === 'number') to.tag(PAYLOAD_METRIC.DOUBLE_VALUE, FIXED64).f64(value)
  else if (type === TYPE.Float && typeof value === 'number') {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value, true)
    to.tag(PAYLOAD_METRIC.FLOAT_VALUE, FIXED32).copy(bytes)
  } else if (type === TYPE.Boolean && typeof value === 'boolean')
    to.tag(PAYLOAD_METRIC.BOOLEAN_VALUE, VARINT).varint(value ? 1 : 0)
  else if ((type === TYPE.String || type === TYPE.Text || type === TYPE.UUID) && typeof value === 'string')
    to.field(PAYLOAD_METRIC.STRING_VALUE, Buffer.from(value))
  else if ((type === TYPE.Bytes || type === TYPE.File) && value instanceof Uint8Array)
    to.field(PAYLOAD_METRIC.BYTES_VALUE, value)
  else throw wrong(type, value)
}

const wrong = (type: DataType, value: MetricValue): RangeError =>
  new RangeError(`a metric of data type ${type} cannot be ${String(value)}`)

const EXACT = Number.MAX_SAFE_INTEGER

/** Whole numbers: from, up to, and whether long_value has them. 64 bits as far as a double is exact. */
const WHOLE: { readonly [type: number]: readonly [from: number, upTo: number, isLong: boolean] } = {
  [TYPE.Int8]: [-(2 ** 7), 2 ** 7 - 1, false],
  [TYPE.Int16]: [-(2 ** 15), 2 ** 15 - 1, false],
  [TYPE.Int32]: [-(2 ** 31), 2 ** 31 - 1, false],
  [TYPE.Int64]: [-EXACT, EXACT, true],
  [TYPE.UInt8]: [0, 2 ** 8 - 1, false],
  [TYPE.UInt16]: [0, 2 ** 16 - 1, false],
  [TYPE.UInt32]: [0, 2 ** 32 - 1, false],
  [TYPE.UInt64]: [0, EXACT, true],
  [TYPE.DateTime]: [0, EXACT, true],
}
