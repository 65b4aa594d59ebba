// Remote write 2.0, packed as it is written: texts stand once, in front of the series that name them by their numbers.
//
//   Request = symbols 4 | timeseries 5 { labels_refs 1 | samples 2 | histograms 3 | exemplars 4 | metadata 5 }
//
// A Sample is { value 1 | timestamp 2 | start_timestamp 3 }. Exemplars are gathered as 1.0 has them.

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
import { Cursor } from '../../wire/cursor.ts'
import { varintSize } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { blockOf, PackedWriter } from './packed.ts'
import { ENDS, NONE, type Request, STALE_HIGH, STALE_LOW } from './request.ts'
import type { LabelField, Text } from './series-book.ts'

const SERIES = V2_REQUEST.TIMESERIES * 8 + 2
const SAMPLES = V2_TIME_SERIES.SAMPLES * 8 + 2

const HISTOGRAMS = V2_TIME_SERIES.HISTOGRAMS * 8 + 2
const VALUE = 9
const TIMESTAMP = 16
const START = 24
/** Fewer bytes than these are shorter written than copied. */
const COPY_MIN = 8

export class Message2 {
  readonly #head = new PackedWriter()
  readonly #out = new PackedWriter()
  readonly #scratch = new Writer()
  readonly #cursor = new Cursor()
  readonly #inner = new Cursor()
  #number = 0
  #symbols = 0

  write(request: Request, from: number, to: number): Uint8Array<ArrayBuffer> {
    this.#number++
    // Of exemplars the labels move to the head.
    this.#head.begin(request.bytes)
    this.#out.begin(request.bytes)
    this.#head.byte(V2_REQUEST.SYMBOLS * 8 + 2)
    this.#head.byte(0)
    this.#symbols = 1
    for (let slot = from; slot < to; slot++) this.#series(request, slot)
    return blockOf(this.#head, this.#out)
  }

  #series(request: Request, slot: number): void {
    const { labels, family } = request.series[slot]!
    const out = this.#out
    let size = 0
    for (let i = 0; i < labels.length; i++) size += this.#sizeOf(labels[i]!)
    const help = this.#place(family.helpText)
    const unit = this.#place(family.unitText)
    const metadata = 2 + (help === 0 ? 0 : 1 + varintSize(help)) + (unit === 0 ? 0 : 1 + varintSize(unit))
    const exemplars = this.#exemplars(request, slot)
    out.byte(SERIES)
    out.varint(1 + varintSize(size) + size + samplesSize(request, slot) + exemplars.length + 2 + metadata)
    out.byte(V2_TIME_SERIES.LABELS_REFS * 8 + 2)
    out.varint(size)
    this.#labels(labels)
    this.#samples(request, slot)
    out.bytes(exemplars.bytes, 0, exemplars.length)
    out.byte(V2_TIME_SERIES.METADATA * 8 + 2)
    out.byte(metadata)
    out.byte(V2_METADATA.TYPE * 8)
    out.byte(family.type)
    this.#reference(V2_METADATA.HELP_REF, help)
    this.#reference(V2_METADATA.UNIT_REF, unit)
  }

  /** Bytes of the numbers of its texts. */
  #sizeOf(label: LabelField): number {
    if (label.message === this.#number) return label.size
    label.message = this.#number
    label.at = NOWHERE
    label.size = 0
    for (const text of label.texts) label.size += varintSize(this.#place(text))
    return label.size
  }

  /** Numbers that stood side by side before are copied at once. */
  #labels(labels: readonly LabelField[]): void {
    const out = this.#out
    let at = out.position
    let distance = 0
    let length = 0
    let from = 0
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!
      const back = label.at === NOWHERE ? 0 : at - label.at
      if (i > from && back !== distance) {
        this.#run(labels, from, i, distance, length)
        from = i
        length = 0
      }
      distance = back
      length += label.size
      label.at = at
      at += label.size
    }
    this.#run(labels, from, labels.length, distance, length)
  }

  #run(labels: readonly LabelField[], from: number, to: number, distance: number, length: number): void {
    if (distance > 0 && length >= COPY_MIN) this.#out.copy(distance, length)
    else
      for (let i = from; i < to; i++) {
        const { texts } = labels[i]!
        for (let j = 0; j < texts.length; j++) this.#out.varint(texts[j]!.place)
      }
  }

  #samples({ first, from, to, times, starts, values, next, blobs }: Request, slot: number): void {
    const out = this.#out
    for (let at = first[slot]!; at !== NONE; at = next[at]!) {
      const time = times[at]!
      const start = starts[at]!
      const isHistogram = to[at] !== 0
      const length = (isHistogram ? to[at]! - from[at]! : 9) + 1 + varintSize(time) + startSize(start, isHistogram)
      if (isHistogram) {
        out.byte(HISTOGRAMS)
        out.varint(length)
        out.bytes(blobs.bytes, from[at]!, to[at]!)
        out.byte(HISTOGRAM.TIMESTAMP * 8)
      } else {
        out.byte(SAMPLES)
        out.byte(length)
        out.byte(VALUE)
        if (from[at] === ENDS) out.fixed64(STALE_LOW, STALE_HIGH)
        else out.f64(values[at]!)
        out.byte(TIMESTAMP)
      }
      out.varint(time)
      if (start === 0) continue
      out.varint(isHistogram ? V2_HISTOGRAM.START_TIMESTAMP * 8 : START)
      out.varint(start)
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
    if (text.place !== 0) this.#head.bytes(field)
    return text.place
  }

  #newSymbol(bytes: Uint8Array, from: number, to: number): number {
    this.#head.byte(V2_REQUEST.SYMBOLS * 8 + 2)
    this.#head.varint(to - from)
    this.#head.bytes(bytes, from, to)
    return this.#symbols++
  }

  #reference(field: number, place: number): void {
    if (place === 0) return
    this.#out.byte(field * 8)
    this.#out.varint(place)
  }
}

const NOWHERE = -1

function samplesSize({ first, from, to, times, starts, next }: Request, slot: number): number {
  let size = 0
  for (let at = first[slot]!; at !== NONE; at = next[at]!) {
    const isHistogram = to[at] !== 0
    const stamps = 1 + varintSize(times[at]!) + startSize(starts[at]!, isHistogram)
    const inner = (isHistogram ? to[at]! - from[at]! : 9) + stamps
    size += 1 + varintSize(inner) + inner
  }
  return size
}

const startSize = (startMs: number, isHistogram: boolean): number =>
  startMs === 0 ? 0 : (isHistogram ? 2 : 1) + varintSize(startMs)
