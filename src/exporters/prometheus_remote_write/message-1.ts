// Remote write 1.0, packed as it is written: labels that stood in the message before are copied from there.
//
//   WriteRequest = timeseries 1 { labels 1 | samples 2 | exemplars 3 | histograms 4 } | metadata 3

import { HISTOGRAM, METRIC_METADATA, TIME_SERIES, WRITE_REQUEST } from '../../prometheus/remote-write-fields.ts'
import { varintSize } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { blockOf, PackedWriter } from './packed.ts'
import { ENDS, NONE, type Request, STALE_HIGH, STALE_LOW } from './request.ts'
import type { Family, LabelField } from './series-book.ts'

const SERIES = WRITE_REQUEST.TIMESERIES * 8 + 2
const SAMPLES = TIME_SERIES.SAMPLES * 8 + 2
const HISTOGRAMS = TIME_SERIES.HISTOGRAMS * 8 + 2
const EXEMPLARS = TIME_SERIES.EXEMPLARS * 8 + 2
const VALUE = 9
const TIMESTAMP = 16
/** A family is told again after this. */
const TELL_EVERY_MS = 60_000

export class Message1 {
  readonly #tellsMetadata: boolean
  readonly #out = new PackedWriter()
  readonly #metadata = new Writer()
  readonly #one = new Writer()
  #number = 0

  constructor(tellsMetadata: boolean) {
    this.#tellsMetadata = tellsMetadata
  }

  write(request: Request, from: number, to: number, nowMs: number): Uint8Array<ArrayBuffer> {
    this.#number++
    const metadata = this.#metadata.clear()
    const out = this.#out
    if (this.#tellsMetadata) for (let slot = from; slot < to; slot++) this.#tell(request.series[slot]!.family, nowMs)
    out.begin(request.bytes + metadata.length)
    out.bytes(metadata.bytes, 0, metadata.length)
    for (let slot = from; slot < to; slot++) {
      const { labels, labelBytes } = request.series[slot]!
      out.byte(SERIES)
      out.varint(labelBytes + samplesSize(request, slot) + exemplarsSize(request, slot))
      this.#labels(labels)
      this.#samples(request, slot)
      for (let at = request.exemplars[slot]!; at !== NONE; at = request.next[at]!) {
        out.byte(EXEMPLARS)
        out.varint(request.to[at]! - request.from[at]!)
        out.bytes(request.blobs.bytes, request.from[at]!, request.to[at]!)
      }
    }
    return blockOf(out)
  }

  /** Labels that stood side by side before are copied at once. */
  #labels(labels: readonly LabelField[]): void {
    const out = this.#out
    const number = this.#number
    let at = out.position
    let distance = 0
    let length = 0
    for (let i = 0; i < labels.length; i++) {
      const label = labels[i]!
      const size = label.field.length
      const back = label.message === number ? at - label.at : 0
      if (length > 0 && back !== distance) {
        out.copy(distance, length)
        length = 0
      }
      if (back === 0) {
        if (label.members === undefined) out.bytes(label.field)
        else this.#labels(label.members)
      } else {
        distance = back
        length += size
      }
      label.message = number
      label.at = at
      at += size
    }
    if (length > 0) out.copy(distance, length)
  }

  #samples({ first, from, to, times, values, next, blobs }: Request, slot: number): void {
    const out = this.#out
    for (let at = first[slot]!; at !== NONE; at = next[at]!) {
      const time = times[at]!
      if (to[at] !== 0) {
        out.byte(HISTOGRAMS)
        out.varint(to[at]! - from[at]! + 1 + varintSize(time))
        out.bytes(blobs.bytes, from[at]!, to[at]!)
        out.byte(HISTOGRAM.TIMESTAMP * 8)
      } else {
        out.byte(SAMPLES)
        out.byte(10 + varintSize(time))
        out.byte(VALUE)
        if (from[at] === ENDS) out.fixed64(STALE_LOW, STALE_HIGH)
        else out.f64(values[at]!)
        out.byte(TIMESTAMP)
      }
      out.varint(time)
    }
  }

  #tell(family: Family, nowMs: number): void {
    if (nowMs - family.toldMs < TELL_EVERY_MS) return
    family.toldMs = nowMs
    const { name, type, help, unit } = family
    const one = this.#one.clear()
    one.tag(METRIC_METADATA.TYPE, 0).varint(type)
    one.field(METRIC_METADATA.METRIC_FAMILY_NAME, Buffer.from(name))
    if (help !== '') one.field(METRIC_METADATA.HELP, Buffer.from(help))
    if (unit !== '') one.field(METRIC_METADATA.UNIT, Buffer.from(unit))
    this.#metadata.field(WRITE_REQUEST.METADATA, one.bytes, 0, one.length)
  }
}

function samplesSize({ first, from, to, times, next }: Request, slot: number): number {
  let size = 0
  for (let at = first[slot]!; at !== NONE; at = next[at]!) {
    const inner = (to[at] === 0 ? 9 : to[at]! - from[at]!) + 1 + varintSize(times[at]!)
    size += 1 + varintSize(inner) + inner
  }
  return size
}

function exemplarsSize(request: Request, slot: number): number {
  let size = 0
  for (let at = request.exemplars[slot]!; at !== NONE; at = request.next[at]!) {
    const length = request.to[at]! - request.from[at]!
    size += 1 + varintSize(length) + length
  }
  return size
}
