// A request as remote write 1.0 and 2.0 write it.
//
//   1.0  WriteRequest = timeseries 1 { labels 1 | samples 2 | exemplars 3 | histograms 4 } | metadata 3
//   2.0  Request      = symbols 4 | timeseries 5 { labels_refs 1 | samples 2 | histograms 3 | exemplars 4 | metadata 5 }
//
// A Sample is { value 1 | timestamp 2 | start_timestamp 3, in 2.0 }. Histograms are the same in both, but for the start in
// 2.0. Exemplars are gathered as 1.0 has them; 2.0 keeps their labels among its symbols too.

import {
  EXEMPLAR,
  HISTOGRAM,
  LABEL,
  METRIC_METADATA,
  TIME_SERIES,
  V2_EXEMPLAR,
  V2_HISTOGRAM,
  V2_METADATA,
  V2_REQUEST,
  V2_TIME_SERIES,
  WRITE_REQUEST,
} from '../../prometheus/remote-write-fields.ts'
import { copyRange, type Words, wordsOf } from '../../wire/copy.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintSize, writeVarint } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { ENDS, type Message, NONE, type Request } from './request.ts'
import type { Family, Text } from './series-book.ts'

/** Around the labels of a series, and of a sample, at most. */
export const MESSAGE_BYTES = 40
export const SAMPLE_BYTES = 36

const TAG = { V1_SERIES: WRITE_REQUEST.TIMESERIES * 8 + 2, V2_SERIES: V2_REQUEST.TIMESERIES * 8 + 2 } as const
/** The same field in both versions. */
const SAMPLES = TIME_SERIES.SAMPLES * 8 + 2
/** The NaN that ends a series (Prometheus, "Staleness markers"); as a number it would be any NaN. */
export const STALE_LOW = 2
export const STALE_HIGH = 0x7ff00000
/** A family is told again after this (1.0). */
const TELL_EVERY_MS = 60_000

export class MessageWriter {
  readonly #isV2: boolean
  readonly #tellsMetadata: boolean
  #out: Words = wordsOf(new Uint8Array(0))
  #at = 0
  readonly #head = new Writer()
  readonly #scratch = new Writer()
  readonly #cursor = new Cursor()
  readonly #inner = new Cursor()
  readonly #places: number[] = []
  #number = 0
  #symbols = 0

  constructor(options: { readonly isV2: boolean; readonly tellsMetadata: boolean }) {
    this.#isV2 = options.isV2
    this.#tellsMetadata = options.tellsMetadata
  }

  write(request: Request, nowMs: number): Message {
    request.sort()
    const { series } = request
    // Exemplars and metadata may add some bytes that are counted elsewhere.
    this.#out = wordsOf(new Uint8Array(request.bytes + 64))
    this.#at = 0
    this.#number++
    const ends = new Int32Array(series.length)
    const head = this.#head.clear()
    this.#symbols = 0
    if (this.#isV2) {
      head.field(V2_REQUEST.SYMBOLS, NO_BYTES)
      this.#symbols = 1
    }
    for (let slot = 0; slot < series.length; slot++) {
      if (this.#isV2) this.#series2(request, slot)
      else this.#series1(request, slot)
      ends[slot] = this.#at
      const { family } = series[slot]!
      if (!this.#isV2 && this.#tellsMetadata && nowMs - family.toldMs >= TELL_EVERY_MS) {
        family.toldMs = nowMs
        this.#metadata1(family)
      }
    }
    return { head: head.toBytes(), series: this.#out.bytes.subarray(0, this.#at), ends }
  }

  #series1(request: Request, slot: number): void {
    const { labels } = request.series[slot]!
    const inner = labels.bytes.length + this.#samplesSize(request, slot) + this.#exemplarsSize(request, slot)
    this.#open(TAG.V1_SERIES, inner)
    this.#at = copyRange(labels, 0, labels.bytes.length, this.#out, this.#at)
    this.#samples(request, slot, TIME_SERIES.HISTOGRAMS)
    for (let at = request.exemplars[slot]!; at !== NONE; at = request.next[at]!) {
      const { blobs } = request
      const [from, to] = [request.from[at]!, request.to[at]!]
      this.#open(TIME_SERIES.EXEMPLARS * 8 + 2, to - from)
      this.#copy(blobs.bytes, from, to)
    }
  }

  #series2(request: Request, slot: number): void {
    const { texts, family } = request.series[slot]!
    const places = this.#places
    let placesSize = 0
    for (let i = 0; i < texts.length; i++) {
      const place = this.#place(texts[i]!)
      places[i] = place
      placesSize += varintSize(place)
    }
    const help = this.#place(family.helpText)
    const unit = this.#place(family.unitText)
    const metadata = 2 + (help === 0 ? 0 : 1 + varintSize(help)) + (unit === 0 ? 0 : 1 + varintSize(unit))
    const exemplars = this.#exemplars2(request, slot)
    const inner =
      1 + varintSize(placesSize) + placesSize + this.#samplesSize(request, slot) + exemplars.length + 2 + metadata
    this.#open(TAG.V2_SERIES, inner)
    this.#open(V2_TIME_SERIES.LABELS_REFS * 8 + 2, placesSize)
    const { bytes } = this.#out
    for (let i = 0; i < texts.length; i++) this.#at = writeVarint(bytes, this.#at, places[i]!)
    this.#samples(request, slot, V2_TIME_SERIES.HISTOGRAMS)
    this.#copy(exemplars.bytes, 0, exemplars.length)
    this.#open(V2_TIME_SERIES.METADATA * 8 + 2, metadata)
    bytes[this.#at++] = V2_METADATA.TYPE * 8
    bytes[this.#at++] = family.type
    this.#reference(V2_METADATA.HELP_REF, help)
    this.#reference(V2_METADATA.UNIT_REF, unit)
  }

  #samplesSize(request: Request, slot: number): number {
    const { from, to, times, starts, next } = request
    let size = 0
    for (let at = request.first[slot]!; at !== NONE; at = next[at]!) {
      const stamp = 1 + varintSize(times[at]!)
      const start = this.#startSize(starts[at]!, to[at]! !== 0)
      const inner = (to[at] === 0 ? 9 : to[at]! - from[at]!) + stamp + start
      size += 1 + varintSize(inner) + inner
    }
    return size
  }

  #startSize(startMs: number, isHistogram: boolean): number {
    return !this.#isV2 || startMs === 0 ? 0 : (isHistogram ? 2 : 1) + varintSize(startMs)
  }

  #samples(request: Request, slot: number, histogramField: number): void {
    const { from, to, times, starts, values, next, blobs } = request
    const { bytes, view } = this.#out
    for (let at = request.first[slot]!; at !== NONE; at = next[at]!) {
      const time = times[at]!
      const start = starts[at]!
      const isHistogram = to[at] !== 0
      const length =
        (isHistogram ? to[at]! - from[at]! : 9) + 1 + varintSize(time) + this.#startSize(start, isHistogram)
      if (isHistogram) {
        this.#open(histogramField * 8 + 2, length)
        this.#copy(blobs.bytes, from[at]!, to[at]!)
        bytes[this.#at++] = HISTOGRAM.TIMESTAMP * 8
      } else {
        this.#open(SAMPLES, length)
        bytes[this.#at] = 9
        if (from[at] === ENDS) {
          view.setUint32(this.#at + 1, STALE_LOW, true)
          view.setUint32(this.#at + 5, STALE_HIGH, true)
        } else view.setFloat64(this.#at + 1, values[at]!, true)
        this.#at += 9
        bytes[this.#at++] = 16
      }
      this.#at = writeVarint(bytes, this.#at, time)
      if (!this.#isV2 || start === 0) continue
      this.#at = writeVarint(bytes, this.#at, (isHistogram ? V2_HISTOGRAM.START_TIMESTAMP : 3) * 8)
      this.#at = writeVarint(bytes, this.#at, start)
    }
  }

  #exemplarsSize(request: Request, slot: number): number {
    let size = 0
    for (let at = request.exemplars[slot]!; at !== NONE; at = request.next[at]!) {
      const length = request.to[at]! - request.from[at]!
      size += 1 + varintSize(length) + length
    }
    return size
  }

  #exemplars2(request: Request, slot: number): Writer {
    const all = this.#scratch.clear()
    const bytes = request.blobs.bytes
    for (let at = request.exemplars[slot]!; at !== NONE; at = request.next[at]!) {
      const places: number[] = []
      const rest: number[] = []
      for (const c = this.#cursor.reset(bytes, request.from[at]!, request.to[at]!); c.next(); ) {
        if (c.field !== EXEMPLAR.LABELS) rest.push(c.at, c.end)
        else
          for (const text = this.#inner.reset(bytes, c.start, c.end); text.next(); )
            if (text.field === LABEL.NAME || text.field === LABEL.VALUE)
              places.push(this.#newSymbol(bytes, text.start, text.end))
      }
      const size = places.reduce((sum, place) => sum + varintSize(place), 0)
      let length = size === 0 ? 0 : 1 + varintSize(size) + size
      for (let i = 0; i < rest.length; i += 2) length += rest[i + 1]! - rest[i]!
      all.tag(V2_TIME_SERIES.EXEMPLARS, 2).varint(length)
      if (size > 0) {
        all.tag(V2_EXEMPLAR.LABELS_REFS, 2).varint(size)
        for (const place of places) all.varint(place)
      }
      for (let i = 0; i < rest.length; i += 2) all.copy(bytes, rest[i]!, rest[i + 1]!)
    }
    return all
  }

  #place(text: Text): number {
    if (text.message === this.#number) return text.place
    const { bytes } = text.field
    // The empty text is always the first.
    text.place = bytes.length === 2 ? 0 : this.#symbols++
    text.message = this.#number
    if (text.place !== 0) this.#head.copy(bytes)
    return text.place
  }

  #newSymbol(bytes: Uint8Array, from: number, to: number): number {
    this.#head.field(V2_REQUEST.SYMBOLS, bytes, from, to)
    return this.#symbols++
  }

  #metadata1({ name, type, help, unit }: Family): void {
    const one = this.#scratch.clear()
    one.tag(METRIC_METADATA.TYPE, 0).varint(type)
    one.field(METRIC_METADATA.METRIC_FAMILY_NAME, Buffer.from(name))
    if (help !== '') one.field(METRIC_METADATA.HELP, Buffer.from(help))
    if (unit !== '') one.field(METRIC_METADATA.UNIT, Buffer.from(unit))
    this.#head.field(WRITE_REQUEST.METADATA, one.bytes, 0, one.length)
  }

  #open(tag: number, length: number): void {
    const { bytes } = this.#out
    bytes[this.#at++] = tag
    this.#at = writeVarint(bytes, this.#at, length)
  }

  #reference(field: number, place: number): void {
    if (place === 0) return
    this.#out.bytes[this.#at++] = field * 8
    this.#at = writeVarint(this.#out.bytes, this.#at, place)
  }

  #copy(source: Uint8Array, from: number, to: number): void {
    this.#out.bytes.set(source.subarray(from, to), this.#at)
    this.#at += to - from
  }
}

const NO_BYTES = new Uint8Array(0)
