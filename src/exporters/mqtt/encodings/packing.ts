// What every encoding fills: messages with their topics and properties, and a count of what has to be left out.

import { MessageList, publishProperties } from '../../../net/mqtt/message-list.ts'
import type { Batch } from '../../../otlp/batch.ts'
import { equalBytes } from '../../../wire/varint.ts'
import { Writer } from '../../../wire/writer.ts'
import type { NoTopic, TopicWriter } from '../topic-template.ts'

/** Why items are left out: `no_number` is a point that is no single number of JSON. */
export type LeftOut = NoTopic | 'no_number'

export interface Packed {
  readonly list: MessageList
  readonly leftOut: ReadonlyMap<LeftOut, number>
}

export interface Encoder {
  encode(batch: Batch): Packed
}

export interface EncoderOptions {
  readonly topic: TopicWriter
  /** MQTT 5: of every message, encoded. */
  readonly properties: Uint8Array
  readonly traceContext: boolean
  readonly maxMessageBytes: number
}

const TRACE_BYTES = 16
const SPAN_BYTES = 8

export class Packing implements Packed {
  readonly list: MessageList = new MessageList()
  readonly leftOut: Map<LeftOut, number> = new Map()
  /** Of the topic that was written last, in list.text. */
  topicFrom = 0
  topicTo = 0
  readonly #topic: TopicWriter
  readonly #propertiesTo: number

  /** `batchBytes` is what the batch has: what is made of it is hardly larger, and grows by itself where it is. */
  constructor({ topic, properties }: EncoderOptions, batchBytes: number) {
    this.#topic = topic
    this.list.text.reserve(batchBytes + (batchBytes >> 2))
    this.list.text.copy(properties)
    this.#propertiesTo = properties.length
  }

  leave(reason: LeftOut, items: number): void {
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + items)
  }

  /** Writes the topic of an item, or keeps the last one where it is the same. Otherwise why it has none. */
  topic(
    bytes: Uint8Array,
    nameFrom: number,
    nameTo: number,
    from: number,
    to: number,
    field: number,
  ): NoTopic | undefined {
    const { text } = this.list
    const start = text.length
    const reason = this.#topic.write(text, bytes, nameFrom, nameTo, from, to, field)
    if (reason !== undefined) {
      text.length = start
      return reason
    }
    const isSame =
      this.topicTo > 0 &&
      text.length - start === this.topicTo - this.topicFrom &&
      equalBytes(text.bytes, start, text.length, text.bytes.subarray(this.topicFrom, this.topicTo))
    if (isSame) text.length = start
    else {
      this.topicFrom = start
      this.topicTo = text.length
    }
    return undefined
  }

  /** The topic that was written last stands at `[from, to)` already. */
  keepTopic(from: number, to: number): void {
    const { text } = this.list
    if (from !== this.topicFrom && text.length === this.topicTo) text.length = this.topicFrom
    this.topicFrom = from
    this.topicTo = to
  }

  /** A message on the topic that was written last, or on another; its payload is `text` from `payloadFrom` to the end. */
  add(payloadFrom: number, items: number, topicFrom = this.topicFrom, topicTo = this.topicTo): void {
    this.list.add(topicFrom, topicTo, 0, this.#propertiesTo, payloadFrom, this.list.text.length, items)
  }

  /** The same with a `traceparent` (W3C Trace Context, 3.2) made of the ids at these places of `bytes`. */
  addTraced(bytes: Uint8Array, traceAt: number, spanAt: number, flags: number, payloadFrom: number): void {
    const { list } = this
    const { text } = list
    const payloadTo = text.length
    text.copy(text.bytes, 0, this.#propertiesTo)
    const ids = Buffer.from(bytes.buffer, bytes.byteOffset)
    const trace = ids.toString('hex', traceAt, traceAt + TRACE_BYTES)
    const span = ids.toString('hex', spanAt, spanAt + SPAN_BYTES)
    publishProperties.user(text, 'traceparent', `00-${trace}-${span}-0${flags & 1}`)
    list.add(this.topicFrom, this.topicTo, payloadTo, text.length, payloadFrom, payloadTo, 1)
  }
}

/** Properties of every message. */
export function staticProperties(
  contentType: string,
  messageExpirySeconds: number,
  user: Iterable<readonly [string, string]>,
): Uint8Array {
  const out = new Writer()
  if (contentType !== '') publishProperties.contentType(out, contentType)
  if (messageExpirySeconds > 0) publishProperties.messageExpiry(out, messageExpirySeconds)
  for (const [name, value] of user) publishProperties.user(out, name, value)
  return out.toBytes()
}
