// Remote write 2.0: texts stand once, in front of the series that name them by their numbers.
//
//   Request = symbols 4 | timeseries 5 { labels_refs 1 | samples 2 | histograms 3 | exemplars 4 | metadata 5 }
//
// A Sample is { value 1 | timestamp 2 | start_timestamp 3 }. Exemplars are gathered as 1.0 has them.

import { compress } from '../../net/compression.ts'
import {
  EXEMPLAR,
  HISTOGRAM,
  LABEL,
  V2_EXEMPLAR,
  V2_HISTOGRAM,
  V2_METADATA,
  V2_REQUEST,
  V2_TIME_SERIES,
} from '../../prometheus/remote-write-fields.ts'
import { type Words, wordsOf } from '../../wire/copy.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintSize, writeVarint } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { ENDS, NONE, type Request, STALE_HIGH, STALE_LOW } from './request.ts'
import type { Text } from './series-book.ts'

const SERIES = V2_REQUEST.TIMESERIES * 8 + 2
const SAMPLES = V2_TIME_SERIES.SAMPLES * 8 + 2

export class Message2 {
  #out: Words = wordsOf(new Uint8Array(0))
  #at = 0
  readonly #head = new Writer()
  readonly #scratch = new Writer()
  readonly #cursor = new Cursor()
  readonly #inner = new Cursor()
  readonly #places: number[] = []
  #number = 0
  #symbols = 0

  write(request: Request, from: number, to: number): Uint8Array {
    // Of exemplars the labels move to the head.
    if (this.#out.bytes.length < request.bytes + 64) this.#out = wordsOf(new Uint8Array(request.bytes + 64))
    this.#at = 0
    this.#number++
    this.#head.clear().field(V2_REQUEST.SYMBOLS, NO_BYTES)
    this.#symbols = 1
    for (let slot = from; slot < to; slot++) this.#series(request, slot)
    const head = this.#head
    return compress('snappy', [head.bytes.subarray(0, head.length), this.#out.bytes.subarray(0, this.#at)], undefined)
  }

  #series(request: Request, slot: number): void {
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
    const exemplars = this.#exemplars(request, slot)
    const inner =
      1 + varintSize(placesSize) + placesSize + this.#samplesSize(request, slot) + exemplars.length + 2 + metadata
    this.#open(SERIES, inner)
    this.#open(V2_TIME_SERIES.LABELS_REFS * 8 + 2, placesSize)
    const { bytes } = this.#out
    for (let i = 0; i < texts.length; i++) this.#at = writeVarint(bytes, this.#at, places[i]!)
    this.#samples(request, slot)
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
    return startMs === 0 ? 0 : (isHistogram ? 2 : 1) + varintSize(startMs)
  }

  #samples(request: Request, slot: number): void {
    const { from, to, times, starts, values, next, blobs } = request
    const { bytes, view } = this.#out
    for (let at = request.first[slot]!; at !== NONE; at = next[at]!) {
      const time = times[at]!
      const start = starts[at]!
      const isHistogram = to[at] !== 0
      const length =
        (isHistogram ? to[at]! - from[at]! : 9) + 1 + varintSize(time) + this.#startSize(start, isHistogram)
      if (isHistogram) {
        this.#open(V2_TIME_SERIES.HISTOGRAMS * 8 + 2, length)
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
      if (start === 0) continue
      this.#at = writeVarint(bytes, this.#at, (isHistogram ? V2_HISTOGRAM.START_TIMESTAMP : 3) * 8)
      this.#at = writeVarint(bytes, this.#at, start)
    }
  }

  #exemplars(request: Request, slot: number): Writer {
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
    const { field } = text
    // The empty text is always the first.
    text.place = field.length === 2 ? 0 : this.#symbols++
    text.message = this.#number
    if (text.place !== 0) this.#head.copy(field)
    return text.place
  }

  #newSymbol(bytes: Uint8Array, from: number, to: number): number {
    this.#head.field(V2_REQUEST.SYMBOLS, bytes, from, to)
    return this.#symbols++
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
