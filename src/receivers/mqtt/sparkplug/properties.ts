// What the properties of a metric say that readings carry: its unit, and how good its value is.
//
//   PropertySet   = 1 keys (repeated) | 2 values (repeated, at the same places)
//   PropertyValue = 1 type | 2 is_null | 3 int 4 long 5 float 6 double 7 boolean 8 string ...

import { PAYLOAD_PROPERTY_SET, PAYLOAD_PROPERTY_VALUE } from '../../../sparkplug/fields.ts'
import { textAt } from '../../../sparkplug/metric-view.ts'
import { Cursor } from '../../../wire/cursor.ts'
import { varintLow } from '../../../wire/varint.ts'

/** Index into QUALITIES. */
export const QUALITY = { GOOD: 0, UNCERTAIN: 1, BAD: 2, STALE: 3 } as const
export const QUALITIES = ['good', 'uncertain', 'bad', 'stale'] as const

const UNIT_KEYS = new Set(['engunit', 'engineeringunit', 'engineeringunits', 'unit', 'units', 'uom'])
const UNIT_MAX_BYTES = 64

export class Properties {
  /** undefined: they do not say. */
  unit: Uint8Array | undefined
  /** One of QUALITY; -1: they do not say. */
  quality = -1
  readonly #keys = new Cursor()
  readonly #values = new Cursor()
  readonly #value = new Cursor()

  read(bytes: Uint8Array, from: number, to: number): this {
    this.unit = undefined
    this.quality = -1
    const keys = this.#keys.reset(bytes, from, to)
    const values = this.#values.reset(bytes, from, to)
    while (keys.find(PAYLOAD_PROPERTY_SET.KEYS)) {
      if (!values.find(PAYLOAD_PROPERTY_SET.VALUES)) break
      const key = textAt(bytes, keys.start, keys.end).toLowerCase().replaceAll(/[ _-]/g, '')
      if (key === 'quality') this.quality = this.#quality(bytes, values.start, values.end)
      else if (UNIT_KEYS.has(key)) this.unit = this.#text(bytes, values.start, values.end) ?? this.unit
    }
    return this
  }

  /** 0 bad, 192 good, 500 stale; other numbers by the two highest bits of OPC's byte. */
  #quality(bytes: Uint8Array, from: number, to: number): number {
    const value = this.#value.reset(bytes, from, to)
    while (value.next()) {
      const { field, wireType } = value
      if (wireType !== 0) continue
      if (field !== PAYLOAD_PROPERTY_VALUE.INT_VALUE && field !== PAYLOAD_PROPERTY_VALUE.LONG_VALUE) continue
      const code = varintLow(bytes, value.start)
      if (code === 500) return QUALITY.STALE
      if (code >= 192 && code < 256) return QUALITY.GOOD
      return code >= 64 && code < 192 ? QUALITY.UNCERTAIN : QUALITY.BAD
    }
    return -1
  }

  #text(bytes: Uint8Array, from: number, to: number): Uint8Array | undefined {
    const value = this.#value.reset(bytes, from, to)
    if (!value.find(PAYLOAD_PROPERTY_VALUE.STRING_VALUE) || value.end - value.start > UNIT_MAX_BYTES) return undefined
    return bytes.slice(value.start, value.end)
  }
}
