// OTLP requests, as bytes or as JSON: one for each topic of a batch, cut where it would be too large.

import { type ByteKeyed, ByteTable } from '../../../collections/byte-table.ts'
import { Delivery } from '../../../delivery/delivery.ts'
import { Batch } from '../../../otlp/batch.ts'
import { LOG_RECORD, METRIC, SPAN } from '../../../otlp/fields.ts'
import { bytesToJsonBytes } from '../../../otlp/json/index.ts'
import { MetricView, pointAttributes } from '../../../otlp/metric.ts'
import { MergedView } from '../../../otlp/resource.ts'
import { type Keying, splitBatch, splitByKey } from '../../../otlp/split.ts'
import type { NoTopic } from '../topic-template.ts'
import { type Encoder, type EncoderOptions, type Packed, Packing } from './packing.ts'

const RESOURCE_LEVEL = 1
const ITEM_LEVEL = 3
const POINT_LEVEL = 5
/** JSON of a request is hardly ever longer than this many times its bytes. */
const JSON_GROWTH = 5
const NO_TOPIC = -1

interface Group extends ByteKeyed {
  readonly index: number
  readonly topicFrom: number
  readonly topicTo: number
}

export class OtlpEncoder implements Encoder {
  readonly #options: EncoderOptions
  readonly #isJson: boolean

  constructor(options: EncoderOptions, form: 'json' | 'proto') {
    this.#options = options
    this.#isJson = form === 'json'
  }

  encode(batch: Batch): Packed {
    const packing = new Packing(this.#options, batch.byteLength)
    // The delivery stays with the batch: what is made of it here is only looked at.
    const whole = new Batch(batch.signal, batch.parts, batch.items, Delivery.none())
    if (this.#options.topic.isFixed) {
      const reason = packing.topic(batch.parts[0]!, 0, 0, 0, 0, 0)
      if (reason === undefined) this.#add(packing, whole, packing.topicFrom, packing.topicTo)
      else packing.leave(reason, batch.items)
      return packing
    }
    const groups = new Groups(this.#options, packing, batch.signal)
    // Asked twice in the same order: first how many topics there are, then who has which.
    splitByKey(whole, 1, groups.keying)
    const { found, answers, reason } = groups
    let next = 0
    const { level } = groups.keying
    const again = new Batch(batch.signal, batch.parts, batch.items, Delivery.none())
    const pieces = splitByKey(again, found.length + 1, {
      level,
      shardOf: () => {
        const index = answers[next++]!
        return index === NO_TOPIC ? found.length : index
      },
    })
    for (const { index, topicFrom, topicTo } of found) {
      const piece = pieces[index]
      if (piece !== undefined) this.#add(packing, piece, topicFrom, topicTo)
    }
    const lost = pieces[found.length]
    if (lost !== undefined && reason !== undefined) packing.leave(reason, lost.items)
    return packing
  }

  #add(packing: Packing, batch: Batch, topicFrom: number, topicTo: number): void {
    const { text } = packing.list
    const { maxMessageBytes } = this.#options
    const room = Math.max(256, maxMessageBytes - 1024 - (topicTo - topicFrom))
    const max = this.#isJson ? Math.max(256, Math.floor(room / JSON_GROWTH)) : room
    for (const { signal, parts, items } of splitBatch(batch, max, max, 'bytes')) {
      const from = text.length
      if (this.#isJson) text.copy(bytesToJsonBytes(signal, parts))
      else for (const part of parts) text.copy(part)
      packing.add(from, items, topicFrom, topicTo)
    }
  }
}

class Groups {
  readonly found: Group[] = []
  /** In the order in which splitByKey asks. */
  readonly answers: number[] = []
  /** Why the last one without a topic has none. */
  reason: NoTopic | undefined
  readonly keying: Keying
  readonly #table = new ByteTable<Group>()
  readonly #packing: Packing

  constructor({ topic }: EncoderOptions, packing: Packing, signal: Batch['signal']) {
    this.#packing = packing
    const merged = new MergedView()
    const metric = new MetricView()
    const own = signal === 'traces' ? SPAN.ATTRIBUTES : LOG_RECORD.ATTRIBUTES
    const isMetrics = signal === 'metrics'
    const level = topic.variesInside ? (isMetrics && topic.variesByItem ? POINT_LEVEL : ITEM_LEVEL) : RESOURCE_LEVEL
    this.keying = {
      level,
      enter: (at, bytes, start, end) => {
        if (at === 1) topic.resource(merged.reset(bytes, start, end))
        else if (at === 3) metric.reset(bytes, start, end)
      },
      shardOf: (bytes, start, end) => {
        if (level === RESOURCE_LEVEL) topic.resource(merged.reset(bytes, start, end))
        if (level === ITEM_LEVEL && isMetrics) metric.reset(bytes, start, end)
        const field = isMetrics ? pointAttributes(metric.type) : own
        const [nameFrom, nameTo] = isMetrics ? [metric.from(METRIC.NAME), metric.to(METRIC.NAME)] : [0, 0]
        this.#note(packing.topic(bytes, nameFrom, nameTo, start, end, level === RESOURCE_LEVEL ? 0 : field))
        return 0
      },
    }
  }

  #note(reason: NoTopic | undefined): void {
    if (reason !== undefined) {
      this.reason = reason
      this.answers.push(NO_TOPIC)
      return
    }
    const { list, topicFrom, topicTo } = this.#packing
    let group = this.#table.find(list.text.bytes, topicFrom, topicTo)
    if (group === undefined) {
      const key = list.text.bytes.slice(topicFrom, topicTo)
      group = this.#table.add({ key, index: this.found.length, topicFrom, topicTo })
      this.found.push(group)
    }
    this.answers.push(group.index)
  }
}
