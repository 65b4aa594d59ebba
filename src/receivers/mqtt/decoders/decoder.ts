// What a decoder is: it reads the payload of one message and writes what it finds into Readings. decoders.ts lists them.
//
//   export const value = defineDecoder({ name: 'value', summary: 'One number, ...', create: () => (message, out) => { ... } })
//
// A decoder throws BadPayload for what it cannot read, and then nothing of the message is delivered. It keeps no range of
// `message.bytes` beyond its call.

import type { Readings } from '../../../readings/readings.ts'

/** A message as it came: reused, valid until the decoder returns. */
export interface Message {
  /** The payload is `bytes[from, to)`. */
  readonly bytes: Uint8Array
  readonly from: number
  readonly to: number
  readonly topic: string
  /**
   * The name of a payload that has none: the last level of the topic. Empty where the rule's `{metric}` is the beginning
   * of every name already: Readings puts it there.
   */
  readonly ownName: Uint8Array
  readonly retain: boolean
  readonly receivedMs: number
  /** Of MQTT 5; undefined where there is none. */
  readonly contentType: string | undefined
  /** Of MQTT 5: the first user property of that name. */
  userProperty(name: string): string | undefined
  readonly times: EventTimes
}

/** What a payload says of time becomes the time of what follows in `out`. Both throw BadPayload for what is no time. */
export interface EventTimes {
  /** Since 1970; seconds, milliseconds, microseconds or nanoseconds by magnitude. */
  number(value: number, out: Readings): void
  /** ISO 8601. */
  text(bytes: Uint8Array, from: number, to: number, out: Readings): void
}

export type Decode = (message: Message, out: Readings) => void

export interface Decoder {
  /** As the configuration names it. */
  readonly name: string
  readonly summary: string
  /** A function with scratch space of its own; called once per rule. */
  create(): Decode
}

export const defineDecoder = (decoder: Decoder): Decoder => decoder
