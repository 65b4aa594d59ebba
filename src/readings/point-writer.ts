// Data points of readings, written into a request: the usual one is a copy of its metric as it was encoded the first time, with
// a time and a value; one with attributes, an exemplar or a start is put together.
//
//   NumberDataPoint = start_time 2 | time 3 | as_double 4 or as_int 6 | exemplars 5 | attributes 7 | flags 8

import { EXEMPLAR, NUMBER_DATA_POINT } from '../otlp/fields.ts'
import { writeF64, writeU32 } from '../wire/varint.ts'
import type { Integer64 } from './json-number.ts'
import { METRIC_HEAD_BYTES, POINT_BYTES, type Slot, START_BYTES, writeMetricHead } from './naming.ts'
import { PointMarks } from './point-marks.ts'
import type { Sheet } from './sheet.ts'
import type { Source, Sources } from './sources.ts'
import { NO_TRACE } from './trace-parent.ts'

/** 19 time(8) 40 flags(1) */
const UNKNOWN_BYTES = 11
/** DataPointFlags of OTLP. */
const NO_RECORDED_VALUE = 1

export class PointWriter {
  /** When what follows was measured, in nanoseconds since 1970. */
  timeLow = 0
  timeHigh = 0
  readonly marks = new PointMarks()
  /** The trace that the message belongs to; of most none. */
  trace = NO_TRACE
  /** The next value, where no double is all of it. */
  whole: Integer64 | undefined
  readonly #sheet: Sheet
  readonly #sources: Sources

  constructor(sheet: Sheet, sources: Sources) {
    this.#sheet = sheet
    this.#sources = sources
  }

  /** Whole seconds since 1970 (not before), and nanoseconds from 0 to 1e9. */
  at(seconds: number, nanos: number): void {
    // seconds * 1e9 + nanos in two halves, exactly: cut into pieces that a double holds.
    const high = Math.floor(seconds / 65536)
    const upper = high * 1e9
    const low = (seconds - high * 65536) * 1e9 + nanos + (upper % 65536) * 65536
    const carry = Math.floor(low / 4294967296)
    this.timeLow = low - carry * 4294967296
    this.timeHigh = Math.floor(upper / 65536) + carry
  }

  /** The value is finite, or an integer that waits in `whole`. */
  write(source: Source, slot: Slot, value: number): void {
    const sheet = this.#sheet
    const { marks } = this
    sheet.open(source.resource)
    sheet.items++
    const { counts } = slot.metric
    const hasStart = counts && this.#observe(source, slot, value)
    if (marks.own.length > 0 && marks.message.length === 0 && source.open !== undefined)
      this.#sources.mark(source, slot.metric, marks.all)
    if (marks.all.length > 0 || this.trace.exemplar.length > 0 || counts !== hasStart) {
      this.#markedPoint(slot, value, hasStart)
      return
    }
    const { template } = slot
    const { length } = template
    sheet.reserve(length)
    const { bytes } = sheet
    const end = sheet.to + length - (hasStart ? POINT_BYTES + START_BYTES : POINT_BYTES)
    for (let i = 0, to = sheet.to; to < end; ) bytes[to++] = template[i++]!
    sheet.to = this.#timeAndValue(bytes, hasStart ? this.#start(bytes, end) : end, value)
    this.whole = undefined
  }

  /** Nobody knows its value from now on: a point that says so, under the marks at hand. */
  writeUnknown(source: Source, slot: Slot): void {
    const sheet = this.#sheet
    const marks = this.marks.all
    const pointBytes = UNKNOWN_BYTES + marks.length
    sheet.open(source.resource)
    sheet.items++
    sheet.reserve(slot.metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const { bytes } = sheet
    const at = writeMetricHead(bytes, sheet.to, slot.metric, pointBytes)
    bytes[at] = NUMBER_DATA_POINT.TIME_UNIX_NANO * 8 + 1
    writeU32(bytes, at + 1, this.timeLow)
    writeU32(bytes, at + 5, this.timeHigh)
    bytes[at + 9] = NUMBER_DATA_POINT.FLAGS * 8
    bytes[at + 10] = NO_RECORDED_VALUE
    bytes.set(marks, at + UNKNOWN_BYTES)
    sheet.to = at + pointBytes
  }

  /** Whether the point of a counter has a start time. */
  #observe(source: Source, slot: Slot, value: number): boolean {
    const sources = this.#sources
    source.counts ??= new Map()
    return sources.starts.observe(
      source.counts,
      slot.metric,
      this.marks.all,
      value,
      this.timeLow,
      this.timeHigh,
      sources.generation,
    )
  }

  /** NumberDataPoint: start_time_unix_nano 2 (fixed64). */
  #start(bytes: Uint8Array, at: number): number {
    const { starts } = this.#sources
    bytes[at] = NUMBER_DATA_POINT.START_TIME_UNIX_NANO * 8 + 1
    writeU32(bytes, at + 1, starts.low)
    return writeU32(bytes, at + 5, starts.high)
  }

  /** NumberDataPoint: time_unix_nano 3 (fixed64) | as_double 4 (double) or as_int 6 (sfixed64). */
  #timeAndValue(bytes: Uint8Array, at: number, value: number): number {
    bytes[at] = 0x19
    writeU32(bytes, at + 1, this.timeLow)
    writeU32(bytes, at + 5, this.timeHigh)
    if (this.whole !== undefined) {
      bytes[at + 9] = NUMBER_DATA_POINT.AS_INT * 8 + 1
      writeU32(bytes, at + 10, this.whole.low)
      return writeU32(bytes, at + 14, this.whole.high)
    }
    bytes[at + 9] = 0x21
    return writeF64(bytes, at + 10, value)
  }

  #markedPoint(slot: Slot, value: number, hasStart: boolean): void {
    const sheet = this.#sheet
    const marks = this.marks.all
    const trace = this.trace.exemplar
    const exemplarBytes = trace.length === 0 ? 0 : POINT_BYTES + trace.length
    const startBytes = hasStart ? START_BYTES : 0
    const pointBytes = startBytes + POINT_BYTES + marks.length + (exemplarBytes === 0 ? 0 : exemplarBytes + 2)
    sheet.reserve(slot.metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const { bytes } = sheet
    let at = writeMetricHead(bytes, sheet.to, slot.metric, pointBytes)
    if (hasStart) at = this.#start(bytes, at)
    at = this.#timeAndValue(bytes, at, value)
    for (let i = 0; i < marks.length; ) bytes[at++] = marks[i++]!
    if (exemplarBytes > 0) {
      // Exemplar: time_unix_nano 2 (fixed64) | as_double 3 (double) | span and trace; 46 bytes.
      bytes[at++] = NUMBER_DATA_POINT.EXEMPLARS * 8 + 2
      bytes[at++] = exemplarBytes
      const exemplar = at
      at = this.#timeAndValue(bytes, at, value)
      bytes[exemplar] = EXEMPLAR.TIME_UNIX_NANO * 8 + 1
      bytes[exemplar + 9] = (this.whole === undefined ? EXEMPLAR.AS_DOUBLE : EXEMPLAR.AS_INT) * 8 + 1
      bytes.set(trace, at)
      at += trace.length
    }
    sheet.to = at
    this.whole = undefined
  }
}
