// Remote write 2.0, packed as it is written: texts stand once, in front of the series that name them by their numbers.
//
//   Request = symbols 4 | timeseries 5 { labels_refs 1 | samples 2 | histograms 3 | exemplars 4 | metadata 5 }
//
// A Sample is { value 1 | timestamp 2 | start_timestamp 3 }. Exemplars are gathered as 1.0 has them.

import {
  EXEMPLAR,
  LABEL,
  V2_EXEMPLAR,
  V2_METADATA,
  V2_REQUEST,
  V2_TIME_SERIES,
} from '../../prometheus/remote-write-fields.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintSize } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { blockOf, PackedWriter } from './packed.ts'
import type { Request } from './request.ts'
import { NONE } from './row-order.ts'
import { type SampleFields, samplesSize, writeSamples } from './samples.ts'
import type { LabelField, Text } from './series-book.ts'

const SERIES = V2_REQUEST.TIMESERIES * 8 + 2
const SAMPLE_FIELDS: SampleFields = {
  samples: V2_TIME_SERIES.SAMPLES * 8 + 2,
  histograms: V2_TIME_SERIES.HISTOGRAMS * 8 + 2,
  hasStarts: true,
}
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
    for (let i = from; i < to; i++) this.#series(request, i)
    return blockOf(this.#head, this.#out)
  }

  #series(request: Request, index: number): void {
    const samples = samplesSize(request, index, true)
    if (samples === 0 && request.exemplars[index] === NONE) return
    const { labels, family } = request.series[index]!
    const out = this.#out
    let size = 0
    for (let i = 0; i < labels.length; i++) size += this.#sizeOf(labels[i]!)
    const help = this.#place(family.helpText)
    const unit = this.#place(family.unitText)
    const metadata = 2 + (help === 0 ? 0 : 1 + varintSize(help)) + (unit === 0 ? 0 : 1 + varintSize(unit))
    const exemplars = this.#exemplars(request, index)
    out.byte(SERIES)
    out.varint(1 + varintSize(size) + size + samples + exemplars.length + 2 + metadata)
    out.byte(V2_TIME_SERIES.LABELS_REFS * 8 + 2)
    out.varint(size)
    this.#labels(labels)
    writeSamples(out, request, index, SAMPLE_FIELDS)
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
    return label.message === this.#number ? label.size : this.#prepare(label)
  }

  #prepare(label: LabelField): number {
    label.message = this.#number
    label.at = NOWHERE
    let size = 0
    let packed = 0
    for (const text of label.texts) {
      const place = this.#place(text)
      packed |= varintBits(place) << (8 * size)
      size += varintSize(place)
    }
    label.size = size
    label.packed = packed
    return size
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
        const { texts, size, packed } = labels[i]!
        if (size <= 4) this.#out.view.setUint32(this.#out.claim(size), packed, true)
        else for (let j = 0; j < texts.length; j++) this.#out.varint(texts[j]!.place)
      }
  }

  #exemplars(request: Request, index: number): Writer {
    const all = this.#scratch.clear()
    const bytes = request.blobs.bytes
    for (let row = request.exemplars[index]!; row !== NONE; row = request.next[row]!) {
      const places: number[] = []
      const rest: number[] = []
      for (const c = this.#cursor.reset(bytes, request.from[row]!, request.to[row]!); c.next(); ) {
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

/** The first three bytes of a varint. */
function varintBits(value: number): number {
  if (value < 0x80) return value
  const two = (value & 0x7f) | 0x80 | ((value & 0x3f80) << 1)
  return value < 0x4000 ? two : two | 0x8000 | ((value & 0x1fc000) << 2)
}
