// Exemplars: a measurement with the trace that it comes from, as 1.0 writes them.
//
//   Exemplar = labels 1 { name 1 | value 2 } | value 2 | timestamp 3

import { EXEMPLAR as OTLP_EXEMPLAR } from '../../otlp/fields.ts'
import { millis } from '../../otlp/millis.ts'
import { readAttributes } from '../../prometheus/labels.ts'
import { type LabelNaming, labelName } from '../../prometheus/names.ts'
import { EXEMPLAR, LABEL } from '../../prometheus/remote-write-fields.ts'
import { FieldIndex } from '../../wire/field-index.ts'
import { Writer } from '../../wire/writer.ts'

/** Characters in the labels of an exemplar at most (OpenMetrics, "Exemplars"). */
const MAX_LETTERS = 128
/** By name, as labels stand. */
const IDS = [
  [Buffer.from('span_id'), OTLP_EXEMPLAR.SPAN_ID],
  [Buffer.from('trace_id'), OTLP_EXEMPLAR.TRACE_ID],
] as const
const HEX = Buffer.from('0123456789abcdef')

export class ExemplarWriter {
  /** What read() has made; valid until the next one. */
  readonly out = new Writer()
  value = 0
  timeMs = 0
  readonly #naming: LabelNaming
  readonly #view = new FieldIndex(OTLP_EXEMPLAR.wireType)
  readonly #hex = new Writer()

  constructor(naming: LabelNaming) {
    this.#naming = naming
  }

  read(bytes: Uint8Array, start: number, end: number): void {
    const view = this.#view.reset(bytes, start, end)
    const out = this.out.clear()
    const asDouble = view.from(OTLP_EXEMPLAR.AS_DOUBLE)
    const asInt = view.from(OTLP_EXEMPLAR.AS_INT)
    this.value =
      asDouble > asInt ? view.double(OTLP_EXEMPLAR.AS_DOUBLE) : asInt > 0 ? view.sfixed64(OTLP_EXEMPLAR.AS_INT) : 0
    const { TIME_UNIX_NANO } = OTLP_EXEMPLAR
    this.timeMs = millis(view.fixedLow(TIME_UNIX_NANO), view.fixedHigh(TIME_UNIX_NANO))
    if (!view.has(OTLP_EXEMPLAR.FILTERED_ATTRIBUTES) || !this.#withAttributes(bytes, start, end)) {
      for (const [name, field] of IDS) {
        const id = this.#hexOf(field)
        if (id.length > 0) this.#label(name, id.bytes, id.length)
      }
    }
    out.tag(EXEMPLAR.VALUE, 1).f64(this.value)
    out.tag(EXEMPLAR.TIMESTAMP, 0).varint(this.timeMs)
  }

  /** Empty where there is none. */
  #hexOf(field: number): Writer {
    const view = this.#view
    const [from, to] = [view.from(field), view.to(field)]
    let isSet = false
    const hex = this.#hex.clear()
    hex.reserve(2 * (to - from))
    for (let i = from; i < to; i++) {
      const byte = view.bytes[i]!
      if (byte !== 0) isSet = true
      hex.bytes[hex.length++] = HEX[byte >> 4]!
      hex.bytes[hex.length++] = HEX[byte & 15]!
    }
    return isSet ? hex : hex.clear()
  }

  /** False, and nothing written, where all labels together are too long. */
  #withAttributes(bytes: Uint8Array, start: number, end: number): boolean {
    const labels = new Map<string, string>()
    for (const [key, value] of readAttributes(bytes, start, end, OTLP_EXEMPLAR.FILTERED_ATTRIBUTES)) {
      const name = labelName(key, this.#naming)
      if (name !== undefined) labels.set(name, value)
    }
    for (const [name, field] of IDS) {
      const id = this.#hexOf(field)
      if (id.length > 0) labels.set(name.toString(), Buffer.from(id.bytes.subarray(0, id.length)).toString('latin1'))
    }
    const sorted = [...labels].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    if (sorted.reduce((sum, [name, value]) => sum + [...name].length + [...value].length, 0) > MAX_LETTERS) return false
    for (const [name, value] of sorted) {
      const text = Buffer.from(value)
      this.#label(Buffer.from(name), text, text.length)
    }
    return true
  }

  #label(name: Uint8Array, value: Uint8Array, length: number): void {
    const size = (part: number): number => 1 + (part < 128 ? 1 : part < 16384 ? 2 : 3) + part
    this.out.tag(EXEMPLAR.LABELS, 2).varint(size(name.length) + size(length))
    this.out.field(LABEL.NAME, name).field(LABEL.VALUE, value, 0, length)
  }
}
