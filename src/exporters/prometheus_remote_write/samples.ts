// The samples of a series in a message; both versions have them alike, but for start times, which 2.0 alone tells.
//
//   Sample    = value 1 | timestamp 2 | start_timestamp 3                   a native histogram has its own two times:
//   Histogram = ... | timestamp 15 | start_timestamp 17
//
// Times of our days take six bytes, for which there is a shorter way.

import { HISTOGRAM, SAMPLE, V2_HISTOGRAM, V2_SAMPLE } from '../../prometheus/remote-write-fields.ts'
import { varintSize } from '../../wire/varint.ts'
import type { PackedWriter } from './packed.ts'
import type { Request } from './request.ts'
import { ABSENT_HIGH, NONE } from './row-order.ts'

const VALUE = SAMPLE.VALUE * 8 + 1
const TIMESTAMP = SAMPLE.TIMESTAMP * 8
const START = V2_SAMPLE.START_TIMESTAMP * 8
const HISTOGRAM_TIMESTAMP = HISTOGRAM.TIMESTAMP * 8
const HISTOGRAM_START = V2_HISTOGRAM.START_TIMESTAMP * 8
/** Between these a time takes six bytes: from 1971 to 2109. */
const USUAL_FROM = 2 ** 35
const USUAL_TO = 2 ** 42
/** Value and time, and both with a start. */
const USUAL_SIZE = 16
const USUAL_SIZE_WITH_START = 23

export interface SampleFields {
  /** Tags in the series. */
  readonly samples: number
  readonly histograms: number
  readonly hasStarts: boolean
}

const isUsual = (ms: number): boolean => ms >= USUAL_FROM && ms < USUAL_TO

/** Contents of the message around one row. */
function rowSize({ times, starts, from, to }: Request, row: number, hasStarts: boolean): number {
  const start = hasStarts ? starts[row]! : 0
  const isHistogram = to[row] !== 0
  const size = (isHistogram ? to[row]! - from[row]! : 9) + 1 + varintSize(times[row]!)
  return start === 0 ? size : size + (isHistogram ? 2 : 1) + varintSize(start)
}

/** Bytes of all samples of series number `index`. */
export function samplesSize(request: Request, index: number, hasStarts: boolean): number {
  const { times, starts, next, valuesAt, to, halves } = request
  const slot = request.slotOf[index]!
  const place = index - request.firstSeries[slot]!
  let size = 0
  for (let row = request.first[slot]!; row !== NONE; row = next[row]!) {
    if (to[row] === 0) {
      if (halves[2 * (valuesAt[row]! + place) + 1] === ABSENT_HIGH) continue
      if (isUsual(times[row]!)) {
        const start = hasStarts ? starts[row]! : 0
        if (start === 0) {
          size += 2 + USUAL_SIZE
          continue
        }
        if (isUsual(start)) {
          size += 2 + USUAL_SIZE_WITH_START
          continue
        }
      }
    } else if (valuesAt[row] !== place) continue
    const inner = rowSize(request, row, hasStarts)
    size += 1 + varintSize(inner) + inner
  }
  return size
}

/** Samples and histograms of series number `index`. */
export function countSamples(request: Request, index: number): number {
  const { next, valuesAt, to, halves } = request
  const slot = request.slotOf[index]!
  const place = index - request.firstSeries[slot]!
  let count = 0
  for (let row = request.first[slot]!; row !== NONE; row = next[row]!)
    if (to[row] === 0 ? halves[2 * (valuesAt[row]! + place) + 1] !== ABSENT_HIGH : valuesAt[row] === place) count++
  return count
}

export function writeSamples(out: PackedWriter, request: Request, index: number, fields: SampleFields): void {
  const { times, starts, next, valuesAt, to, halves } = request
  const { samples, hasStarts } = fields
  const slot = request.slotOf[index]!
  const place = index - request.firstSeries[slot]!
  for (let row = request.first[slot]!; row !== NONE; row = next[row]!) {
    if (to[row] !== 0) {
      if (valuesAt[row] === place) writeHistogram(out, request, row, fields)
      continue
    }
    const at = 2 * (valuesAt[row]! + place)
    const high = halves[at + 1]!
    if (high === ABSENT_HIGH) continue
    const time = times[row]!
    const start = hasStarts ? starts[row]! : 0
    const size = !isUsual(time) ? 0 : start === 0 ? USUAL_SIZE : isUsual(start) ? USUAL_SIZE_WITH_START : 0
    if (size === 0) {
      writeUnusual(out, request, row, fields, halves[at]!, high)
      continue
    }
    const p = out.claim(2 + size)
    const { view } = out
    view.setUint16(p, samples | (size << 8), true)
    view.setUint8(p + 2, VALUE)
    view.setUint32(p + 3, halves[at]!, true)
    view.setUint32(p + 7, high, true)
    view.setUint8(p + 11, TIMESTAMP)
    setUsual(view, p + 12, time)
    if (start === 0) continue
    view.setUint8(p + 18, START)
    setUsual(view, p + 19, start)
  }
}

function writeUnusual(
  out: PackedWriter,
  request: Request,
  row: number,
  { samples, hasStarts }: SampleFields,
  low: number,
  high: number,
): void {
  out.byte(samples)
  out.byte(rowSize(request, row, hasStarts))
  out.byte(VALUE)
  out.fixed64(low, high)
  out.byte(TIMESTAMP)
  out.varint(request.times[row]!)
  const start = hasStarts ? request.starts[row]! : 0
  if (start === 0) return
  out.byte(START)
  out.varint(start)
}

function writeHistogram(
  out: PackedWriter,
  request: Request,
  row: number,
  { histograms, hasStarts }: SampleFields,
): void {
  out.byte(histograms)
  out.varint(rowSize(request, row, hasStarts))
  out.bytes(request.blobs.bytes, request.from[row]!, request.to[row]!)
  out.byte(HISTOGRAM_TIMESTAMP)
  out.varint(request.times[row]!)
  const start = hasStarts ? request.starts[row]! : 0
  if (start === 0) return
  out.varint(HISTOGRAM_START)
  out.varint(start)
}

/** A varint of six bytes: 28 bits in four of them, 14 in two. */
function setUsual(view: DataView, at: number, ms: number): void {
  const high = Math.floor(ms / 0x10000000)
  const low = ms - high * 0x10000000
  const spread = (low & 0x7f) | ((low & 0x3f80) << 1) | ((low & 0x1fc000) << 2) | ((low & 0xfe00000) << 3)
  view.setUint32(at, spread | 0x80808080, true)
  view.setUint16(at + 4, (high & 0x7f) | ((high & 0x3f80) << 1) | 0x80, true)
}
