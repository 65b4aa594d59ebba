// Packets out of a stream of chunks. PUBLISH, which is nearly all there is, is read where it stands: no object, no string.
// What is rare goes through mqtt-packet.
//
//   packet   = type and flags (1) | remaining length (varint, 1 to 4) | body
//   PUBLISH  = topic (2 + n) | packet id (2, QoS above 0) | properties (MQTT 5: varint + n) | payload
//
// A PUBLISH larger than the bound is not held: its beginning is told, the rest is read over.

import { type Packet, type Parser, parser } from 'mqtt-packet'

export const TYPE = {
  CONNACK: 2,
  PUBLISH: 3,
  PUBACK: 4,
  PUBREC: 5,
  PUBREL: 6,
  PUBCOMP: 7,
  PINGRESP: 13,
} as const

const ACKNOWLEDGEMENT: readonly ('puback' | 'pubrec' | 'pubcomp' | undefined)[] = Object.assign(
  new Array(16).fill(undefined),
  {
    [TYPE.PUBACK]: 'puback',
    [TYPE.PUBREC]: 'pubrec',
    [TYPE.PUBCOMP]: 'pubcomp',
  },
)

/** Of MQTT: 4 is 3.1.1. */
export type Version = 4 | 5

export interface FrameHandler {
  /** `frame` is valid until this returns. */
  publish(frame: PublishFrame): void
  /** One that is larger than the bound; it has no payload. */
  oversized(frame: PublishFrame, bytes: number): void
  pubrel(id: number): void
  /** What the broker says of a message of ours; `code` is 0 in MQTT 3.1.1. */
  acknowledged(type: 'puback' | 'pubrec' | 'pubcomp', id: number, code: number): void
  /** CONNACK, SUBACK, UNSUBACK, DISCONNECT, AUTH, PINGRESP. */
  packet(packet: Packet): void
}

export class ProtocolError extends Error {}

/** A topic alias that has not been offered, or that no topic of this connection stands behind. */
export class UnknownAlias extends ProtocolError {}

export interface PublishFrame {
  readonly bytes: Uint8Array
  readonly qos: 0 | 1 | 2
  readonly dup: boolean
  readonly retain: boolean
  /** 0 with QoS 0. */
  readonly id: number
  /** The topic is `topicBytes[topicFrom, topicTo)`: in `bytes`, or what its alias stands for. */
  readonly topicBytes: Uint8Array
  readonly topicFrom: number
  readonly topicTo: number
  readonly payloadFrom: number
  readonly payloadTo: number
  contentType(): string | undefined
  /** The first user property of that name. */
  userProperty(name: string): string | undefined
}

const PROPERTY = { CONTENT_TYPE: 0x03, SUBSCRIPTION_ID: 0x0b, TOPIC_ALIAS: 0x23, USER: 0x26 } as const
/** Bytes of the properties that a PUBLISH may have and that have a fixed size. */
const FIXED: Readonly<Record<number, number>> = { 1: 1, 2: 4, [PROPERTY.TOPIC_ALIAS]: 2 }

export class FrameReader implements PublishFrame {
  bytes: Uint8Array = new Uint8Array(0)
  qos: 0 | 1 | 2 = 0
  dup = false
  retain = false
  id = 0
  topicBytes: Uint8Array = this.bytes
  topicFrom = 0
  topicTo = 0
  payloadFrom = 0
  payloadTo = 0
  readonly #handler: FrameHandler
  readonly #version: Version
  readonly #maxBytes: number
  readonly #aliases = new Map<number, Uint8Array>()
  readonly #aliasMaximum: number
  readonly #forgivesAliases: boolean
  readonly #parser: Parser
  #propertiesFrom = 0
  #propertiesTo = 0
  /** The beginning of a packet whose end has not come. */
  #rest: Uint8Array[] = []
  #restBytes = 0
  /** Bytes that the packet in `rest` has in all; 0 while that is not known. */
  #needed = 0
  /** Bytes of an oversized packet that are still to come. */
  #skip = 0

  /** `forgivesAliases`: a message with an unknown alias has an empty topic instead. */
  constructor(
    handler: FrameHandler,
    version: Version,
    maxBytes: number,
    aliasMaximum: number,
    forgivesAliases: boolean = false,
  ) {
    this.#handler = handler
    this.#version = version
    this.#maxBytes = maxBytes
    this.#aliasMaximum = aliasMaximum
    this.#forgivesAliases = forgivesAliases
    this.#parser = parser({ protocolVersion: version })
    this.#parser.on('packet', (packet) => this.#handler.packet(packet))
    this.#parser.on('error', (error: Error) => {
      throw new ProtocolError(error.message)
    })
  }

  /** Throws ProtocolError for what is no MQTT: the connection is of no use from there on. */
  push(chunk: Uint8Array): void {
    let at = 0
    if (this.#skip > 0) {
      at = Math.min(this.#skip, chunk.length)
      this.#skip -= at
    }
    while (this.#restBytes > 0 && at < chunk.length) {
      // A packet that began in an earlier chunk: as many bytes as it lacks, and then it goes by itself.
      const lacks = this.#needed === 0 ? 1 : this.#needed - this.#restBytes
      const end = Math.min(chunk.length, at + lacks)
      this.#hold(chunk.subarray(at, end))
      at = end
      if (this.#needed > this.#restBytes) break
      const whole = this.#rest.length === 1 ? this.#rest[0]! : new Uint8Array(Buffer.concat(this.#rest))
      this.#rest = []
      this.#restBytes = 0
      this.#needed = 0
      this.#read(whole, 0)
      if (this.#skip > 0) {
        const more = Math.min(this.#skip, chunk.length - at)
        this.#skip -= more
        at += more
      }
    }
    if (at < chunk.length) this.#read(chunk, at)
  }

  contentType(): string | undefined {
    const at = this.#find(PROPERTY.CONTENT_TYPE, this.#propertiesFrom)
    return at < 0 ? undefined : this.#text(at)
  }

  userProperty(name: string): string | undefined {
    for (let from = this.#propertiesFrom; ; ) {
      const at = this.#find(PROPERTY.USER, from)
      if (at < 0) return undefined
      if (this.#text(at) === name) return this.#text(this.#afterText(at))
      from = this.#afterText(this.#afterText(at))
    }
  }

  #hold(bytes: Uint8Array): void {
    this.#rest.push(bytes)
    this.#restBytes += bytes.length
  }

  /** All packets that end in `bytes`, from `from` on; what is left is held. */
  #read(bytes: Uint8Array, from: number): void {
    let at = from
    while (at < bytes.length) {
      let p = at + 1
      let length = 0
      let shift = 0
      for (;;) {
        if (p >= bytes.length) {
          this.#hold(bytes.subarray(at))
          return
        }
        const byte = bytes[p++]!
        length |= (byte & 0x7f) << shift
        if (byte < 0x80) break
        shift += 7
        if (shift > 21) throw new ProtocolError('a remaining length of more than four bytes')
      }
      const end = p + length
      const first = bytes[at]!
      if (length > this.#maxBytes) {
        if (!this.#oversized(bytes, at, p, length)) return
        at = Math.min(end, bytes.length)
        this.#skip = end - at
        continue
      }
      if (end > bytes.length) {
        this.#needed = end - at
        this.#hold(bytes.subarray(at))
        return
      }
      if (first >> 4 === TYPE.PUBLISH) {
        this.#publish(bytes, first, p, end, end)
        this.#handler.publish(this)
      } else if (first >> 4 === TYPE.PUBREL) {
        if (length < 2) throw new ProtocolError('PUBREL without a packet id')
        this.#handler.pubrel((bytes[p]! << 8) | bytes[p + 1]!)
      } else if (ACKNOWLEDGEMENT[first >> 4] !== undefined) {
        if (length < 2) throw new ProtocolError('an acknowledgement without a packet id')
        // MQTT 5, 3.4.2.1: without a reason code it is a success.
        const code = length > 2 ? bytes[p + 2]! : 0
        this.#handler.acknowledged(ACKNOWLEDGEMENT[first >> 4]!, (bytes[p]! << 8) | bytes[p + 1]!, code)
      } else this.#other(bytes, at, p, end)
      at = end
    }
  }

  /** False when it has to wait for more of the packet, which is held then. */
  #oversized(bytes: Uint8Array, at: number, body: number, length: number): boolean {
    const first = bytes[at]!
    if (first >> 4 !== TYPE.PUBLISH) throw new ProtocolError(`a packet of type ${first >> 4} with ${length} bytes`)
    const headEnd = body + 2 < bytes.length ? body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!) + 2 : body + 2
    if (headEnd > bytes.length || headEnd === body + 2) {
      this.#needed = headEnd - at + (headEnd === body + 2 ? 1 : 0)
      this.#hold(bytes.subarray(at))
      return false
    }
    this.#publish(bytes, first, body, Math.min(body + length, bytes.length), -1)
    this.#handler.oversized(this, length)
    return true
  }

  /** `payloadTo` below 0: the body ends early, and nothing behind the packet id is looked at. */
  #publish(bytes: Uint8Array, first: number, body: number, end: number, payloadTo: number): void {
    this.bytes = bytes
    this.retain = (first & 1) !== 0
    const qos = (first >> 1) & 3
    if (qos === 3) throw new ProtocolError('PUBLISH with QoS 3')
    this.qos = qos as 0 | 1 | 2
    this.dup = (first & 8) !== 0
    if (end - body < 2) throw new ProtocolError('PUBLISH without a topic')
    const topicTo = body + 2 + ((bytes[body]! << 8) | bytes[body + 1]!)
    let p = topicTo
    this.topicBytes = bytes
    this.topicFrom = body + 2
    this.topicTo = topicTo
    this.id = 0
    if (qos > 0) {
      if (p + 2 > end) throw new ProtocolError('PUBLISH without a packet id')
      this.id = (bytes[p]! << 8) | bytes[p + 1]!
      if (this.id === 0) throw new ProtocolError('PUBLISH with packet id 0')
      p += 2
    }
    if (p > end) throw new ProtocolError('PUBLISH with a topic longer than itself')
    this.#propertiesFrom = this.#propertiesTo = 0
    this.payloadFrom = this.payloadTo = p
    if (payloadTo < 0) return
    if (this.#version === 5) {
      let length = 0
      for (let shift = 0; ; shift += 7) {
        if (p >= end || shift > 21) throw new ProtocolError('PUBLISH without the length of its properties')
        const byte = bytes[p++]!
        length |= (byte & 0x7f) << shift
        if (byte < 0x80) break
      }
      if (p + length > end) throw new ProtocolError('PUBLISH with properties longer than itself')
      this.#propertiesFrom = p
      p += length
      this.#propertiesTo = p
      if (length > 0) this.#checkProperties()
      this.#alias(length > 0)
    }
    this.payloadFrom = p
    this.payloadTo = payloadTo
  }

  #alias(hasProperties: boolean): void {
    const at = hasProperties ? this.#find(PROPERTY.TOPIC_ALIAS, this.#propertiesFrom) : -1
    if (at < 0) {
      if (this.topicTo === this.topicFrom) throw new ProtocolError('PUBLISH without a topic')
      return
    }
    const alias = (this.bytes[at]! << 8) | this.bytes[at + 1]!
    if (alias === 0 || alias > this.#aliasMaximum) {
      if (this.#forgivesAliases) return
      throw new UnknownAlias(`topic alias ${alias} was not offered`)
    }
    if (this.topicTo > this.topicFrom) {
      this.#aliases.set(alias, this.bytes.slice(this.topicFrom, this.topicTo))
      return
    }
    const topic = this.#aliases.get(alias)
    if (topic === undefined) {
      if (this.#forgivesAliases) return
      throw new UnknownAlias(`topic alias ${alias} stands for nothing`)
    }
    this.topicBytes = topic
    this.topicFrom = 0
    this.topicTo = topic.length
  }

  /** So that nothing has to be careful when a property is looked for. */
  #checkProperties(): void {
    for (let p = this.#propertiesFrom; p < this.#propertiesTo; ) {
      p = this.#after(p)
      if (p > this.#propertiesTo) throw new ProtocolError('PUBLISH with a property that ends outside of it')
    }
  }

  /** Where the value of the first property `id` is; -1 when there is none. */
  #find(id: number, from: number): number {
    for (let p = from; p < this.#propertiesTo; p = this.#after(p)) if (this.bytes[p] === id) return p + 1
    return -1
  }

  /** Where the property that begins at `p` ends. */
  #after(p: number): number {
    const id = this.bytes[p]!
    const fixed = FIXED[id]
    if (fixed !== undefined) return p + 1 + fixed
    if (id === PROPERTY.SUBSCRIPTION_ID) {
      let q = p + 1
      while (q < this.#propertiesTo && this.bytes[q]! > 0x7f) q++
      return q + 1
    }
    if (id === PROPERTY.USER) return this.#afterText(this.#afterText(p + 1))
    // Content type 3, response topic 8, correlation data 9.
    if (id === 3 || id === 8 || id === 9) return this.#afterText(p + 1)
    throw new ProtocolError(`PUBLISH with property ${id}`)
  }

  #afterText(p: number): number {
    if (p + 2 > this.#propertiesTo) return this.#propertiesTo + 1
    return p + 2 + ((this.bytes[p]! << 8) | this.bytes[p + 1]!)
  }

  #text(p: number): string {
    const { buffer, byteOffset } = this.bytes
    return Buffer.from(buffer, byteOffset + p + 2, this.#afterText(p) - p - 2).toString()
  }

  #other(bytes: Uint8Array, at: number, body: number, end: number): void {
    // A server that knows no MQTT 5 answers so: without properties, with a return code of 3.1.1.
    if (bytes[at]! >> 4 === TYPE.CONNACK && end - body === 2) {
      const sessionPresent = (bytes[body]! & 1) !== 0
      const returnCode = bytes[body + 1]!
      this.#handler.packet({ cmd: 'connack', sessionPresent, returnCode, reasonCode: returnCode })
      return
    }
    this.#parser.parse(Buffer.from(bytes.buffer, bytes.byteOffset + at, end - at))
  }
}
