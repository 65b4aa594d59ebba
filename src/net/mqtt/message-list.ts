// Messages that are to be published, one behind the other in one array: no object for each of them.
//
//   bytes   ... topic ... properties ... payload ...          topics and properties may be shared by several messages
//   rows    topic from, to | properties from, to | payload from, to | items        of `bytes`, for each message

import { utf8 } from '../../otlp/value.ts'
import { Writer } from '../../wire/writer.ts'

const TOPIC_FROM = 0
const TOPIC_TO = 1
const PROPERTIES_FROM = 2
const PROPERTIES_TO = 3
const PAYLOAD_FROM = 4
const PAYLOAD_TO = 5
const ITEMS = 6
const WIDTH = 7
const FIRST_ROWS = 16

/** MQTT 5, 2.2.2.2: properties of PUBLISH. */
const PROPERTY = { MESSAGE_EXPIRY: 0x02, CONTENT_TYPE: 0x03, TOPIC_ALIAS: 0x23, USER: 0x26 } as const

export interface FrameOptions {
  readonly version: 4 | 5
  readonly qos: number
  readonly retain: boolean
  readonly dup: boolean
  /** Of QoS 1 and 2. */
  readonly id: number
  /** MQTT 5; 0: none. */
  readonly alias: number
  /** False: the alias stands for it. */
  readonly hasTopic: boolean
}

export class MessageList {
  readonly text: Writer = new Writer()
  #rows = new Int32Array(FIRST_ROWS * WIDTH)
  count = 0

  /** All of them stand in `text` already. */
  add(
    topicFrom: number,
    topicTo: number,
    propertiesFrom: number,
    propertiesTo: number,
    payloadFrom: number,
    payloadTo: number,
    items: number,
  ): void {
    const at = this.count++ * WIDTH
    if (at + WIDTH > this.#rows.length) {
      const grown = new Int32Array(this.#rows.length * 2)
      grown.set(this.#rows)
      this.#rows = grown
    }
    const rows = this.#rows
    rows[at + TOPIC_FROM] = topicFrom
    rows[at + TOPIC_TO] = topicTo
    rows[at + PROPERTIES_FROM] = propertiesFrom
    rows[at + PROPERTIES_TO] = propertiesTo
    rows[at + PAYLOAD_FROM] = payloadFrom
    rows[at + PAYLOAD_TO] = payloadTo
    rows[at + ITEMS] = items
  }

  items(i: number): number {
    return this.#rows[i * WIDTH + ITEMS]!
  }

  /** In `text.bytes`. */
  topicFrom(i: number): number {
    return this.#rows[i * WIDTH + TOPIC_FROM]!
  }

  topicTo(i: number): number {
    return this.#rows[i * WIDTH + TOPIC_TO]!
  }

  topic(i: number): string {
    return utf8(this.text.bytes, this.topicFrom(i), this.topicTo(i))
  }

  payload(i: number): Uint8Array {
    const at = i * WIDTH
    return this.text.bytes.subarray(this.#rows[at + PAYLOAD_FROM]!, this.#rows[at + PAYLOAD_TO]!)
  }

  /** Bytes of the PUBLISH that message `i` becomes. */
  frameBytes(i: number, options: FrameOptions): number {
    const body = this.#bodyBytes(i, options)
    return 1 + lengthBytes(body) + body
  }

  /** Appends that PUBLISH. */
  writeFrame(out: Writer, i: number, options: FrameOptions): void {
    const { version, qos, retain, dup, id, alias, hasTopic } = options
    const at = i * WIDTH
    const rows = this.#rows
    const source = this.text.bytes
    const body = this.#bodyBytes(i, options)
    const bytes = out.reserve(5 + body)
    bytes[out.length++] = 0x30 | (dup ? 8 : 0) | (qos << 1) | (retain ? 1 : 0)
    out.varint(body)
    const topicBytes = hasTopic ? rows[at + TOPIC_TO]! - rows[at + TOPIC_FROM]! : 0
    bytes[out.length++] = topicBytes >> 8
    bytes[out.length++] = topicBytes & 0xff
    if (hasTopic) out.copy(source, rows[at + TOPIC_FROM]!, rows[at + TOPIC_TO]!)
    if (qos > 0) {
      bytes[out.length++] = id >> 8
      bytes[out.length++] = id & 0xff
    }
    if (version === 5) {
      const own = rows[at + PROPERTIES_TO]! - rows[at + PROPERTIES_FROM]!
      out.varint(own + (alias > 0 ? 3 : 0))
      if (alias > 0) {
        bytes[out.length++] = PROPERTY.TOPIC_ALIAS
        bytes[out.length++] = alias >> 8
        bytes[out.length++] = alias & 0xff
      }
      if (own > 0) out.copy(source, rows[at + PROPERTIES_FROM]!, rows[at + PROPERTIES_TO]!)
    }
    out.copy(source, rows[at + PAYLOAD_FROM]!, rows[at + PAYLOAD_TO]!)
  }

  #bodyBytes(i: number, { version, qos, alias, hasTopic }: FrameOptions): number {
    const at = i * WIDTH
    const rows = this.#rows
    let bytes = 2 + (qos > 0 ? 2 : 0) + rows[at + PAYLOAD_TO]! - rows[at + PAYLOAD_FROM]!
    if (hasTopic) bytes += rows[at + TOPIC_TO]! - rows[at + TOPIC_FROM]!
    if (version === 5) {
      const properties = rows[at + PROPERTIES_TO]! - rows[at + PROPERTIES_FROM]! + (alias > 0 ? 3 : 0)
      bytes += lengthBytes(properties) + properties
    }
    return bytes
  }
}

const lengthBytes = (length: number): number => (length < 128 ? 1 : length < 16_384 ? 2 : length < 2_097_152 ? 3 : 4)

/** A list of one message. */
export function oneMessage(topic: string, payload: Uint8Array): MessageList {
  const list = new MessageList()
  const { text } = list
  text.copy(Buffer.from(topic))
  const topicTo = text.length
  text.copy(payload)
  list.add(0, topicTo, 0, 0, topicTo, text.length, 1)
  return list
}

/** Properties of PUBLISH, as they are written. */
export const publishProperties = {
  contentType(out: Writer, type: string): void {
    out.varint(PROPERTY.CONTENT_TYPE)
    text16(out, Buffer.from(type))
  },
  messageExpiry(out: Writer, seconds: number): void {
    const bytes = out.reserve(5)
    bytes[out.length++] = PROPERTY.MESSAGE_EXPIRY
    for (let shift = 24; shift >= 0; shift -= 8) bytes[out.length++] = (seconds >>> shift) & 0xff
  },
  user(out: Writer, name: string, value: string): void {
    out.varint(PROPERTY.USER)
    text16(out, Buffer.from(name))
    text16(out, Buffer.from(value))
  },
} as const

function text16(out: Writer, text: Uint8Array): void {
  const bytes = out.reserve(2 + text.length)
  bytes[out.length++] = text.length >> 8
  bytes[out.length++] = text.length & 0xff
  out.copy(text)
}
