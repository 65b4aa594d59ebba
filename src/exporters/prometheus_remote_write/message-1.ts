// Remote write 1.0, packed as it is written: labels that stood in the message before are copied from there.
//
//   WriteRequest = timeseries 1 { labels 1 | samples 2 | exemplars 3 | histograms 4 } | metadata 3

import { METRIC_METADATA, TIME_SERIES, WRITE_REQUEST } from '../../prometheus/remote-write-fields.ts'
import { varintSize } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { blockOf, PackedWriter } from './packed.ts'
import type { Request } from './request.ts'
import { NONE } from './row-order.ts'
import { type SampleFields, samplesSize, writeSamples } from './samples.ts'
import type { Family, LabelField } from './series-book.ts'

const SERIES = WRITE_REQUEST.TIMESERIES * 8 + 2
const EXEMPLARS = TIME_SERIES.EXEMPLARS * 8 + 2
const SAMPLE_FIELDS: SampleFields = {
  samples: TIME_SERIES.SAMPLES * 8 + 2,
  histograms: TIME_SERIES.HISTOGRAMS * 8 + 2,
  hasStarts: false,
}
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
    if (this.#tellsMetadata) for (let i = from; i < to; i++) this.#tell(request.series[i]!.family, nowMs)
    out.begin(request.bytes + metadata.length)
    out.bytes(metadata.bytes, 0, metadata.length)
    for (let i = from; i < to; i++) {
      const contents = samplesSize(request, i, false) + exemplarsSize(request, i)
      if (contents === 0) continue
      const { labels, labelBytes } = request.series[i]!
      out.byte(SERIES)
      out.varint(labelBytes + contents)
      this.#labels(labels)
      writeSamples(out, request, i, SAMPLE_FIELDS)
      for (let row = request.exemplars[i]!; row !== NONE; row = request.next[row]!) {
        out.byte(EXEMPLARS)
        out.varint(request.to[row]! - request.from[row]!)
        out.bytes(request.blobs.bytes, request.from[row]!, request.to[row]!)
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

function exemplarsSize(request: Request, series: number): number {
  let size = 0
  for (let row = request.exemplars[series]!; row !== NONE; row = request.next[row]!) {
    const length = request.to[row]! - request.from[row]!
    size += 1 + varintSize(length) + length
  }
  return size
}
