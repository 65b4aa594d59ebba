// The bare number of a point: a message for each. Its metric and device are in the topic.

import type { Batch } from '../../../otlp/batch.ts'
import { METRIC, NUMBER_DATA_POINT } from '../../../otlp/fields.ts'
import { METRIC_TYPE } from '../../../otlp/metric.ts'
import { Walk } from '../../../otlp/walk.ts'
import { type Encoder, type EncoderOptions, type Packed, Packing } from './packing.ts'
import { Pen } from './pen.ts'

const NO_RECORDED_VALUE = 1

export class ValueEncoder implements Encoder {
  readonly #options: EncoderOptions
  readonly #walk = new Walk('metrics')
  readonly #pen = new Pen()

  constructor(options: EncoderOptions) {
    this.#options = options
  }

  encode(batch: Batch): Packed {
    const { topic } = this.#options
    const packing = new Packing(this.#options, batch.byteLength)
    const pen = this.#pen
    const { text } = packing.list
    for (const part of batch.parts) {
      const walk = this.#walk.open(part)
      while (walk.nextResource()) {
        topic.resource(walk.resource)
        while (walk.nextScope())
          while (walk.nextItem()) {
            const { metric } = walk
            const isNumber = metric.type === METRIC_TYPE.GAUGE || metric.type === METRIC_TYPE.SUM
            const nameFrom = metric.from(METRIC.NAME)
            const nameTo = metric.to(METRIC.NAME)
            while (walk.nextPoint()) {
              const point = isNumber ? walk.number : undefined
              const value = point?.value() ?? Number.NaN
              if (point === undefined || !Number.isFinite(value) || (point.flags() & NO_RECORDED_VALUE) !== 0) {
                packing.leave('no_number', 1)
                continue
              }
              const field = NUMBER_DATA_POINT.ATTRIBUTES
              const reason = packing.topic(part, nameFrom, nameTo, walk.recordStart, walk.recordEnd, field)
              if (reason !== undefined) {
                packing.leave(reason, 1)
                continue
              }
              pen.clear()
              if (point.valueField === NUMBER_DATA_POINT.AS_INT)
                pen.int64(point.fixedLow(NUMBER_DATA_POINT.AS_INT), point.fixedHigh(NUMBER_DATA_POINT.AS_INT))
              else pen.number(value)
              const from = text.length
              pen.copyTo(text)
              packing.add(from, 1)
            }
          }
      }
    }
    return packing
  }
}
