// Data points on their way to Prometheus: what they are known by, and what they say, read in one pass and without a view.
//
//   NumberDataPoint    = start_time 2 | time 3 | as_double 4 | exemplars 5 | as_int 6 | attributes 7 | flags 8
//   HistogramDataPoint = start_time 2 | time 3 | count 4 | sum 5 | bucket_counts 6 | explicit_bounds 7 | exemplars 8
//                      | attributes 9 | flags 10
//
// Of the other kinds, which are rare, only what all kinds have in common is read; views read the rest.

import { HISTOGRAM_DATA_POINT, NUMBER_DATA_POINT } from '../otlp/fields.ts'
import { KeyRange } from '../otlp/key-range.ts'
import { Cursor } from '../wire/cursor.ts'
import { empty } from '../wire/empty.ts'
import { varintLow } from '../wire/varint.ts'

const tag = (field: number, wireType: number): number => field * 8 + wireType
const START = tag(NUMBER_DATA_POINT.START_TIME_UNIX_NANO, 1)
const TIME = tag(NUMBER_DATA_POINT.TIME_UNIX_NANO, 1)
const AS_DOUBLE = tag(NUMBER_DATA_POINT.AS_DOUBLE, 1)
const AS_INT = tag(NUMBER_DATA_POINT.AS_INT, 1)
const NUMBER_ATTRIBUTES = tag(NUMBER_DATA_POINT.ATTRIBUTES, 2)
const COUNT = tag(HISTOGRAM_DATA_POINT.COUNT, 1)
const SUM = tag(HISTOGRAM_DATA_POINT.SUM, 1)
const BUCKET_COUNTS = tag(HISTOGRAM_DATA_POINT.BUCKET_COUNTS, 2)
const EXPLICIT_BOUNDS = tag(HISTOGRAM_DATA_POINT.EXPLICIT_BOUNDS, 2)
const HISTOGRAM_ATTRIBUTES = tag(HISTOGRAM_DATA_POINT.ATTRIBUTES, 2)
const NO_RECORDED_VALUE = 1
const TWO_32 = 0x100000000

/** What attributes, flags and exemplars are in the points of a kind. */
export interface PointFields {
  readonly ATTRIBUTES: number
  readonly FLAGS: number
  readonly EXEMPLARS: number
}

export class PointReader {
  /** The attributes as they came. */
  readonly key = new KeyRange()
  /** Nanoseconds since 1970 in two halves, 0 where there is none. */
  timeLow = 0
  timeHigh = 0
  startLow = 0
  startHigh = 0
  /** There is no recorded value: the series ends. */
  isEnd = false
  /** Where exemplars begin and end. */
  readonly exemplars: number[] = []
  /** Of numbers. */
  value = 0
  /** Of histograms, as are all that follow. */
  count = 0
  hasSum = false
  sum = 0
  /** Not cumulative. */
  readonly bucketCounts: number[] = []
  readonly bounds: number[] = []
  readonly #cursor = new Cursor()

  readNumber(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.#begin(bytes, words, start)
    this.value = 0
    let p = start
    while (p < end) {
      const at = p
      const field = bytes[p]!
      if (field === NUMBER_ATTRIBUTES) {
        p = behindRun(bytes, p, end)
        this.key.add(bytes, at, p)
      } else if (field === TIME) {
        this.timeLow = words.getUint32(p + 1, true)
        this.timeHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === START) {
        this.startLow = words.getUint32(p + 1, true)
        this.startHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === AS_DOUBLE) {
        this.value = words.getFloat64(p + 1, true)
        p += 9
      } else if (field === AS_INT) {
        this.value = words.getInt32(p + 5, true) * TWO_32 + words.getUint32(p + 1, true)
        p += 9
      } else p = this.#unusual(bytes, p, end, NUMBER_DATA_POINT)
    }
  }

  readHistogram(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    this.#begin(bytes, words, start)
    this.count = 0
    this.hasSum = false
    this.sum = 0
    empty(this.bucketCounts)
    empty(this.bounds)
    let p = start
    while (p < end) {
      const at = p
      const field = bytes[p]!
      if (field === HISTOGRAM_ATTRIBUTES) {
        p = behindRun(bytes, p, end)
        this.key.add(bytes, at, p)
      } else if (field === TIME) {
        this.timeLow = words.getUint32(p + 1, true)
        this.timeHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === START) {
        this.startLow = words.getUint32(p + 1, true)
        this.startHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === COUNT) {
        this.count = unsigned(words, p + 1)
        p += 9
      } else if (field === SUM) {
        this.hasSum = true
        this.sum = words.getFloat64(p + 1, true)
        p += 9
      } else if (field === BUCKET_COUNTS && bytes[p + 1]! < 0x80) {
        p += 2 + bytes[p + 1]!
        for (let q = at + 2; q < p; q += 8) this.bucketCounts.push(unsigned(words, q))
      } else if (field === EXPLICIT_BOUNDS && bytes[p + 1]! < 0x80) {
        p += 2 + bytes[p + 1]!
        for (let q = at + 2; q < p; q += 8) this.bounds.push(words.getFloat64(q, true))
      } else p = this.#unusual(bytes, p, end, HISTOGRAM_DATA_POINT, words)
    }
  }

  /** What points of every kind have in common. */
  readOther(bytes: Uint8Array, words: DataView, start: number, end: number, fields: PointFields): void {
    this.#begin(bytes, words, start)
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); ) {
      if (c.field === fields.ATTRIBUTES && c.wireType === 2) this.key.add(bytes, c.at, c.end)
      else if (c.wireType !== 1) this.#common(bytes, c, fields)
      else if (c.field === NUMBER_DATA_POINT.TIME_UNIX_NANO) {
        this.timeLow = words.getUint32(c.start, true)
        this.timeHigh = words.getUint32(c.start + 4, true)
      } else if (c.field === NUMBER_DATA_POINT.START_TIME_UNIX_NANO) {
        this.startLow = words.getUint32(c.start, true)
        this.startHigh = words.getUint32(c.start + 4, true)
      }
    }
  }

  #begin(bytes: Uint8Array, words: DataView, start: number): void {
    this.key.begin(bytes, words, start)
    this.timeLow = 0
    this.timeHigh = 0
    this.startLow = 0
    this.startHigh = 0
    this.isEnd = false
    if (this.exemplars.length > 0) this.exemplars.length = 0
  }

  /** With `words`: of a histogram. Returns where the next field begins. */
  #unusual(bytes: Uint8Array, at: number, end: number, fields: PointFields, words?: DataView): number {
    const c = this.#cursor.reset(bytes, at, end)
    c.next()
    // Repeated numbers may be packed or not, whatever the .proto file says.
    const isList = words !== undefined && (c.wireType === 1 || c.wireType === 2)
    if (isList && c.field === HISTOGRAM_DATA_POINT.BUCKET_COUNTS)
      for (let q = c.start; q < c.end; q += 8) this.bucketCounts.push(unsigned(words, q))
    else if (isList && c.field === HISTOGRAM_DATA_POINT.EXPLICIT_BOUNDS)
      for (let q = c.start; q < c.end; q += 8) this.bounds.push(words.getFloat64(q, true))
    else this.#common(bytes, c, fields)
    return c.end
  }

  #common(bytes: Uint8Array, { field, wireType, start, end }: Cursor, fields: PointFields): void {
    if (field === fields.FLAGS && wireType === 0) this.isEnd = (varintLow(bytes, start) & NO_RECORDED_VALUE) !== 0
    else if (field === fields.EXEMPLARS && wireType === 2) this.exemplars.push(start, end)
  }
}

/** Behind all fields of wire type 2 from `at` on that have the same tag of one byte. */
function behindRun(bytes: Uint8Array, at: number, end: number): number {
  const field = bytes[at]!
  let p = at
  do {
    let length = bytes[p + 1]!
    if (length > 0x7f) {
      length = varintLow(bytes, p + 1)
      while (bytes[++p]! > 0x7f);
      p++
    } else p += 2
    p += length
  } while (p < end && bytes[p] === field)
  return p
}

const unsigned = (words: DataView, at: number): number =>
  words.getUint32(at + 4, true) * TWO_32 + words.getUint32(at, true)
