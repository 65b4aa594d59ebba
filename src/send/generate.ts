// Makes Export*ServiceRequests that look like those of services: encoded once as a template; then, for each request, a
// copy with new ids and times in their places. About 430 bytes a span with ten attributes.

import { writeFixed64 } from './back-writer.ts'
import { Random } from './random.ts'
import { type Slot, type TemplateOptions, writeTemplate } from './template.ts'

export interface GeneratorOptions extends TemplateOptions {
  /** Equal seeds give equal ids and values. */
  readonly seed: number
}

export class RequestGenerator {
  readonly signal: TemplateOptions['signal']
  readonly items: number
  readonly #template: Uint8Array<ArrayBuffer>
  readonly #slots: readonly Slot[]
  readonly #random: Random

  constructor(options: GeneratorOptions) {
    this.signal = options.signal
    this.items = options.itemsPerRequest
    this.#random = new Random(options.seed)
    const { bytes, slots } = writeTemplate(options, this.#random)
    this.#template = bytes
    this.#slots = slots
  }

  /** Of every request: ids and times have the same length in all of them. */
  get byteLength(): number {
    return this.#template.length
  }

  /** A new array with new ids, its times around `nowMs` (milliseconds since 1970). */
  next(nowMs: number): Uint8Array<ArrayBuffer> {
    const bytes = this.#template.slice()
    const view = new DataView(bytes.buffer)
    const random = this.#random
    let trace0 = 0
    let trace1 = 0
    let trace2 = 0
    let trace3 = 0
    let root0 = 0
    let root1 = 0
    for (const slot of this.#slots) {
      const span0 = random.next()
      const span1 = random.next()
      if (slot.root) {
        trace0 = random.next()
        trace1 = random.next()
        trace2 = random.next()
        trace3 = random.next()
        root0 = span0
        root1 = span1
      }
      if (slot.traceId >= 0) {
        view.setUint32(slot.traceId, trace0)
        view.setUint32(slot.traceId + 4, trace1)
        view.setUint32(slot.traceId + 8, trace2)
        view.setUint32(slot.traceId + 12, trace3)
        view.setUint32(slot.spanId, span0)
        view.setUint32(slot.spanId + 4, span1)
      }
      if (slot.parentSpanId >= 0) {
        view.setUint32(slot.parentSpanId, root0)
        view.setUint32(slot.parentSpanId + 4, root1)
      }
      const endNanos = nowMs * 1e6
      if (slot.startTime >= 0) writeFixed64(view, slot.startTime, endNanos - slot.durationMs * 1e6)
      writeFixed64(view, slot.time, endNanos)
    }
    return bytes
  }
}
