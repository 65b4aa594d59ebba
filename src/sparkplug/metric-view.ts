// One metric of a payload, read where it stands.
//
//   Metric = 1 name | 2 alias | 3 timestamp | 4 datatype | 5 is_historical | 6 is_transient | 7 is_null | 8 metadata
//          | 9 properties | one value of: 10 int 11 long 12 float 13 double 14 boolean 15 string 16 bytes 17 dataset
//            18 template 19 extension
//
// Fields may come in any order, repeated (the last counts), or be unknown. read() throws MalformedBytes.

import { Cursor } from '../wire/cursor.ts'
import { varintHigh, varintLow, varintUnsigned } from '../wire/varint.ts'
import { PAYLOAD_METRIC } from './fields.ts'

const WIRE_TYPE = PAYLOAD_METRIC.wireType

/** Aliases beyond 2^53, which a double does not tell apart, are strings. */
export type Alias = number | string

const EXACT_HIGH = 0x200000

/** The uint64 at `at`, told apart from every other. */
export function aliasAt(bytes: Uint8Array, at: number): Alias {
  const high = varintHigh(bytes, at)
  return high < EXACT_HIGH ? high * 4294967296 + varintLow(bytes, at) : `${high}:${varintLow(bytes, at)}`
}

export class MetricView {
  bytes: Uint8Array = new Uint8Array(0)
  /** Empty, `nameTo` 0: the metric has none. */
  nameFrom = 0
  nameTo = 0
  /** -1: it has none. */
  alias: Alias = -1
  /** NaN: it has none. */
  timestamp = Number.NaN
  /** -1: it has none. */
  datatype = -1
  isHistorical = false
  isTransient = false
  isNull = false
  /** PropertySet; `propertiesTo` 0: none. */
  propertiesFrom = 0
  propertiesTo = 0
  /** Number of the value's field; 0: there is no value. It stands in `bytes[valueFrom, valueTo)`, without its length. */
  valueField = 0
  valueFrom = 0
  valueTo = 0
  readonly #cursor = new Cursor()

  read(bytes: Uint8Array, from: number, to: number): this {
    this.bytes = bytes
    this.nameFrom = this.nameTo = 0
    this.alias = -1
    this.timestamp = Number.NaN
    this.datatype = -1
    this.isHistorical = this.isTransient = this.isNull = false
    this.propertiesFrom = this.propertiesTo = 0
    this.valueField = 0
    for (const c = this.#cursor.reset(bytes, from, to); c.next(); ) {
      const { field, start } = c
      if (WIRE_TYPE[field] !== c.wireType) continue
      if (field >= PAYLOAD_METRIC.INT_VALUE) {
        this.valueField = field
        this.valueFrom = start
        this.valueTo = c.end
      } else if (field === PAYLOAD_METRIC.ALIAS) this.alias = aliasAt(bytes, start)
      else if (field === PAYLOAD_METRIC.TIMESTAMP) this.timestamp = varintUnsigned(bytes, start)
      else if (field === PAYLOAD_METRIC.NAME) {
        this.nameFrom = start
        this.nameTo = c.end
      } else if (field === PAYLOAD_METRIC.DATATYPE) this.datatype = varintLow(bytes, start)
      else if (field === PAYLOAD_METRIC.IS_HISTORICAL) this.isHistorical = varintLow(bytes, start) !== 0
      else if (field === PAYLOAD_METRIC.IS_TRANSIENT) this.isTransient = varintLow(bytes, start) !== 0
      else if (field === PAYLOAD_METRIC.IS_NULL) this.isNull = varintLow(bytes, start) !== 0
      else if (field === PAYLOAD_METRIC.PROPERTIES) {
        this.propertiesFrom = start
        this.propertiesTo = c.end
      }
    }
    return this
  }

  get hasName(): boolean {
    return this.nameTo > this.nameFrom
  }

  name(): string {
    return textAt(this.bytes, this.nameFrom, this.nameTo)
  }
}

export const textAt = (bytes: Uint8Array, from: number, to: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString()
