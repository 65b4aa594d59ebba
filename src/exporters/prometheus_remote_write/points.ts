// One data point of a gauge or a sum, read in one pass: there are thousands of them for each other one.
//
//   NumberDataPoint = start_time 2 | time 3 | as_double 4 | exemplars 5 | as_int 6 | attributes 7 | flags 8

import { NUMBER_DATA_POINT } from '../../otlp/fields.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintLow } from '../../wire/varint.ts'
import { millis } from './millis.ts'

const tag = (field: number, wireType: number): number => field * 8 + wireType
const START = tag(NUMBER_DATA_POINT.START_TIME_UNIX_NANO, 1)
const TIME = tag(NUMBER_DATA_POINT.TIME_UNIX_NANO, 1)
const AS_DOUBLE = tag(NUMBER_DATA_POINT.AS_DOUBLE, 1)
const AS_INT = tag(NUMBER_DATA_POINT.AS_INT, 1)
const ATTRIBUTES = tag(NUMBER_DATA_POINT.ATTRIBUTES, 2)
const EXEMPLARS = tag(NUMBER_DATA_POINT.EXEMPLARS, 2)
const FLAGS = tag(NUMBER_DATA_POINT.FLAGS, 0)
const NO_RECORDED_VALUE = 1

/** What attributes, flags and exemplars are in the points of a kind. */
export interface PointFields {
  readonly ATTRIBUTES: number
  readonly FLAGS: number
  readonly EXEMPLARS: number
}

export class PointReader {
  /** The attributes as they came. */
  readonly key = new KeyRange()
  value = 0
  timeMs = 0
  /** 0 where there is none. */
  startMs = 0
  /** There is no recorded value: the series ends. */
  isEnd = false
  /** Where exemplars begin and end. */
  readonly exemplars: number[] = []
  readonly #cursor = new Cursor()

  readNumber(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.#begin(bytes, words, start)
    let p = start
    while (p < end) {
      const at = p
      const field = bytes[p]!
      if (field === ATTRIBUTES) {
        do {
          let length = bytes[p + 1]!
          if (length > 0x7f) {
            length = varintLow(bytes, p + 1)
            while (bytes[++p]! > 0x7f);
            p++
          } else p += 2
          p += length
        } while (p < end && bytes[p] === ATTRIBUTES)
        this.key.add(bytes, at, p)
      } else if (field === TIME) {
        this.timeMs = millis(words.getUint32(p + 1, true), words.getUint32(p + 5, true))
        p += 9
      } else if (field === START) {
        this.startMs = millis(words.getUint32(p + 1, true), words.getUint32(p + 5, true))
        p += 9
      } else if (field === AS_DOUBLE) {
        this.value = words.getFloat64(p + 1, true)
        p += 9
      } else if (field === AS_INT) {
        this.value = words.getInt32(p + 5, true) * 0x100000000 + words.getUint32(p + 1, true)
        p += 9
      } else p = this.#unusual(bytes, p, end)
    }
  }

  /** What points of every kind have in common. */
  readOther(bytes: Uint8Array, words: DataView, start: number, end: number, fields: PointFields): void {
    this.#begin(bytes, words, start)
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); ) {
      if (c.field === fields.ATTRIBUTES && c.wireType === 2) this.key.add(bytes, c.at, c.end)
      else if (c.field === fields.FLAGS && c.wireType === 0)
        this.isEnd = (varintLow(bytes, c.start) & NO_RECORDED_VALUE) !== 0
      else if (c.field === fields.EXEMPLARS && c.wireType === 2) this.exemplars.push(c.start, c.end)
      else if (c.wireType !== 1) continue
      else if (c.field === NUMBER_DATA_POINT.TIME_UNIX_NANO)
        this.timeMs = millis(words.getUint32(c.start, true), words.getUint32(c.start + 4, true))
      else if (c.field === NUMBER_DATA_POINT.START_TIME_UNIX_NANO)
        this.startMs = millis(words.getUint32(c.start, true), words.getUint32(c.start + 4, true))
    }
  }

  #begin(bytes: Uint8Array, words: DataView, start: number): void {
    this.key.begin(bytes, words, start)
    this.value = 0
    this.timeMs = 0
    this.startMs = 0
    this.isEnd = false
    if (this.exemplars.length > 0) this.exemplars.length = 0
  }

  /** Returns where the next field begins. */
  #unusual(bytes: Uint8Array, at: number, end: number): number {
    const c = this.#cursor.reset(bytes, at, end)
    c.next()
    const field = tag(c.field, c.wireType)
    if (field === FLAGS) this.isEnd = (varintLow(bytes, c.start) & NO_RECORDED_VALUE) !== 0
    else if (field === EXEMPLARS) this.exemplars.push(c.start, c.end)
    return c.end
  }
}
