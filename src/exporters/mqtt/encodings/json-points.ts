// Points of gauges and sums as the messages that devices send:
//
//   {"device_id": "cnc-01", "timestamp": "2026-01-01T00:00:00Z", "metrics": [{"name": "temperature", "value": 20.5, "unit": "Cel"}]}
//
// One message for each topic, resource and time of a batch. Points are written one behind the other as they come, with a
// note of their group; then each group's points are put together.
//
//   pen      {"name":...} {"name":...} {"name":...}         rows: group, from, to
//   groups   topic, device id, time, bytes, points

import { type ByteKeyed, ByteTable } from '../../../collections/byte-table.ts'
import { Attributes } from '../../../otlp/attributes.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { METRIC, NUMBER_DATA_POINT, RESOURCE } from '../../../otlp/fields.ts'
import { METRIC_TYPE, type NumberPointView } from '../../../otlp/metric.ts'
import { Walk } from '../../../otlp/walk.ts'
import { writeU32 } from '../../../wire/varint.ts'
import { Writer } from '../../../wire/writer.ts'
import type { TopicWriter } from '../topic-template.ts'
import { type Encoder, type EncoderOptions, type Packed, Packing } from './packing.ts'
import { Pen } from './pen.ts'

const NO_RECORDED_VALUE = 1
/** Attributes that name a device, the best first. */
const DEVICE_KEYS = ['device.id', 'service.instance.id', 'service.name'].map((key) => Buffer.from(key))

const TOPIC_FROM = 0
const TOPIC_TO = 1
const DEVICE_FROM = 2
const DEVICE_TO = 3
const TIME_LOW = 4
const TIME_HIGH = 5
const BYTES = 6
const POINTS = 7
const WIDTH = 8

interface Group extends ByteKeyed {
  /** Where its numbers begin; another group takes over when it is full. */
  at: number
}

export class JsonPointsEncoder implements Encoder {
  readonly #options: EncoderOptions
  readonly #topic: TopicWriter
  readonly #walk = new Walk('metrics')
  readonly #attributes = new Attributes()
  readonly #points = new Pen()
  readonly #payload = new Pen()
  readonly #key = new Writer()
  #packing!: Packing
  #groups: number[] = []
  #rows: number[] = []
  #table = new ByteTable<Group>()
  /** Of the point before: most share it. */
  #last: Group | undefined
  #lastTopic = -1
  #lastLow = 0
  #lastHigh = 0
  /** The device's id in JSON, among the points. */
  #deviceFrom = 0
  #deviceTo = 0

  constructor(options: EncoderOptions) {
    this.#options = options
    this.#topic = options.topic
  }

  encode(batch: Batch): Packed {
    const packing = new Packing(this.#options, batch.byteLength)
    this.#packing = packing
    this.#groups = []
    this.#rows = []
    this.#table = new ByteTable()
    this.#points.clear()
    for (const part of batch.parts) this.#part(part)
    this.#write()
    return packing
  }

  #part(part: Uint8Array): void {
    const walk = this.#walk.open(part)
    while (walk.nextResource()) {
      this.#topic.resource(walk.resource)
      this.#device()
      this.#last = undefined
      let reason = this.#topic.variesInside ? undefined : this.#packing.topic(part, 0, 0, 0, 0, 0)
      while (walk.nextScope())
        while (walk.nextItem()) {
          const { metric } = walk
          const { type } = metric
          const isNumber = type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM
          const nameFrom = metric.from(METRIC.NAME)
          const nameTo = metric.to(METRIC.NAME)
          const unitFrom = metric.from(METRIC.UNIT)
          const unitTo = metric.to(METRIC.UNIT)
          const field = NUMBER_DATA_POINT.ATTRIBUTES
          while (walk.nextPoint()) {
            if (!isNumber) {
              this.#packing.leave('no_number', 1)
              continue
            }
            if (this.#topic.variesInside)
              reason = this.#packing.topic(part, nameFrom, nameTo, walk.recordStart, walk.recordEnd, field)
            if (reason === undefined) this.#point(part, walk.number, nameFrom, nameTo, unitFrom, unitTo)
            else this.#packing.leave(reason, 1)
          }
        }
    }
  }

  #device(): void {
    const { resource } = this.#walk
    const pen = this.#points
    this.#deviceFrom = pen.length
    for (const key of DEVICE_KEYS) {
      const value = this.#attributes.ofPieces(resource, RESOURCE.ATTRIBUTES).find(key)
      if (value === undefined) continue
      pen.value(value)
      break
    }
    this.#deviceTo = pen.length
  }

  #point(
    bytes: Uint8Array,
    point: NumberPointView,
    nameFrom: number,
    nameTo: number,
    unitFrom: number,
    unitTo: number,
  ): void {
    const pen = this.#points
    const isInt = point.valueField === NUMBER_DATA_POINT.AS_INT
    const value = point.value()
    if ((point.flags() & NO_RECORDED_VALUE) !== 0 || !Number.isFinite(value)) {
      this.#packing.leave('no_number', 1)
      return
    }
    const from = pen.length
    pen.ascii('{"name":')
    pen.quoted(bytes, nameFrom, nameTo)
    pen.ascii(',"value":')
    if (isInt) pen.int64(point.fixedLow(NUMBER_DATA_POINT.AS_INT), point.fixedHigh(NUMBER_DATA_POINT.AS_INT))
    else pen.number(value)
    if (unitTo > unitFrom) {
      pen.ascii(',"unit":')
      pen.quoted(bytes, unitFrom, unitTo)
    }
    pen.ascii('}')
    const field = NUMBER_DATA_POINT.TIME_UNIX_NANO
    const at = this.#group(point.fixedLow(field), point.fixedHigh(field), pen.length - from)
    this.#rows.push(at, from, pen.length)
  }

  /** Where the numbers of the group are that takes a point of so many bytes. */
  #group(low: number, high: number, bytes: number): number {
    const { topicFrom } = this.#packing
    let group = this.#last
    if (group === undefined || topicFrom !== this.#lastTopic || low !== this.#lastLow || high !== this.#lastHigh) {
      group = this.#findGroup(low, high)
      this.#last = group
      this.#lastTopic = this.#packing.topicFrom
      this.#lastLow = low
      this.#lastHigh = high
    }
    const groups = this.#groups
    if (groups[group.at + BYTES]! + bytes > this.#options.maxMessageBytes) group.at = this.#newGroup(low, high)
    groups[group.at + BYTES]! += bytes + 1
    groups[group.at + POINTS]!++
    return group.at
  }

  #findGroup(low: number, high: number): Group {
    const { topicFrom, topicTo, list } = this.#packing
    const key = this.#key.clear()
    this.#points.copyTo(key, this.#deviceFrom, this.#deviceTo)
    key.length = writeU32(key.reserve(8), key.length, low)
    key.length = writeU32(key.bytes, key.length, high)
    key.copy(list.text.bytes, topicFrom, topicTo)
    const found = this.#table.find(key.bytes, 0, key.length)
    if (found !== undefined)
      this.#packing.keepTopic(this.#groups[found.at + TOPIC_FROM]!, this.#groups[found.at + TOPIC_TO]!)
    return found ?? this.#table.add({ key: key.toBytes(), at: this.#newGroup(low, high) })
  }

  #newGroup(low: number, high: number): number {
    const { topicFrom, topicTo } = this.#packing
    const groups = this.#groups
    const at = groups.length
    // Room for all that is not a point.
    const frame = topicTo - topicFrom + this.#deviceTo - this.#deviceFrom + this.#options.properties.length + 128
    groups.push(topicFrom, topicTo, this.#deviceFrom, this.#deviceTo, low, high, frame, 0)
    return at
  }

  #write(): void {
    const packing = this.#packing
    const groups = this.#groups
    const rows = this.#rows
    const order = ordered(rows, groups.length)
    const pen = this.#payload
    const { text } = packing.list
    let next = 0
    for (let at = 0; at < groups.length; at += WIDTH) {
      pen.clear()
      pen.ascii('{')
      if (groups[at + DEVICE_TO]! > groups[at + DEVICE_FROM]!) {
        pen.ascii('"device_id":')
        this.#points.copyInto(pen, groups[at + DEVICE_FROM]!, groups[at + DEVICE_TO]!)
        pen.ascii(',')
      }
      if (groups[at + TIME_LOW] !== 0 || groups[at + TIME_HIGH] !== 0) {
        pen.ascii('"timestamp":')
        pen.time(groups[at + TIME_LOW]!, groups[at + TIME_HIGH]!)
        pen.ascii(',')
      }
      pen.ascii('"metrics":[')
      for (let i = 0; i < groups[at + POINTS]!; i++) {
        if (i > 0) pen.ascii(',')
        const row = order[next++]!
        this.#points.copyInto(pen, rows[row + 1]!, rows[row + 2]!)
      }
      pen.ascii(']}')
      const from = text.length
      pen.copyTo(text)
      packing.add(from, groups[at + POINTS]!, groups[at + TOPIC_FROM]!, groups[at + TOPIC_TO]!)
    }
  }
}

/** Rows by their groups, in the order of coming within each. */
function ordered(rows: readonly number[], groupsLength: number): Int32Array {
  const starts = new Int32Array(groupsLength / WIDTH + 1)
  for (let row = 0; row < rows.length; row += 3) starts[rows[row]! / WIDTH + 1]!++
  for (let i = 1; i < starts.length; i++) starts[i]! += starts[i - 1]!
  const order = new Int32Array(rows.length / 3)
  for (let row = 0; row < rows.length; row += 3) order[starts[rows[row]! / WIDTH]!++] = row
  return order
}
