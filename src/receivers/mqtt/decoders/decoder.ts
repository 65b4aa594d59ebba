// What a decoder is: it reads the payload of one message and writes what it finds into Readings. decoders.ts lists them.
//
//   export const value = defineDecoder({ name: 'value', summary: 'One number, ...', create: () => (message, out) => { ... } })
//
// A decoder throws BadPayload for what it cannot read, and then nothing of the message is delivered. It keeps no range of
// `message.bytes` beyond its call.

import type { Readings } from '../../../readings/readings.ts'
import type { PathsConfig } from './config.ts'
import { Definitions } from './definitions.ts'
import { Discovery } from './discovery.ts'

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

/**
 * What a payload says of time becomes the time of what follows in `out`. A clock that was not set or is far off is counted
 * and the time of receipt stands in; what is no time at all throws BadPayload.
 */
export interface EventTimes {
  /** The last time read, or what stood in for it: milliseconds since 1970 and the nanoseconds beyond them. */
  readonly ms: number
  readonly ns: number
  /** Whether it was the payload's own. */
  readonly isOwn: boolean
  /** Since 1970; seconds, milliseconds, microseconds or nanoseconds by magnitude. */
  number(value: number, out: Readings): void
  /** The same from the digits of a JSON number, none of which is lost. */
  digits(bytes: Uint8Array, from: number, to: number, out: Readings): void
  /** ISO 8601, or a number in quotes. */
  text(bytes: Uint8Array, from: number, to: number, out: Readings): void
}

export type Decode = (message: Message, out: Readings) => void

/** What a rule and its receiver give to a decoder. */
export interface DecoderContext {
  /** Numbers for the texts that have one. */
  readonly words: ReadonlyMap<string, number>
  /** Where everything is, for the decoder `json`; undefined: everywhere. */
  readonly paths: PathsConfig | undefined
  /** What entities have said of themselves; of all rules of the receiver. */
  readonly discovery: Discovery
  /** What senders have said of their fields; of all rules of the receiver. */
  readonly definitions: Definitions
}

export const plainContext = (): DecoderContext => ({
  words: new Map(),
  paths: undefined,
  discovery: new Discovery(),
  definitions: new Definitions(),
})

export interface Decoder {
  /** As the configuration names it. */
  readonly name: string
  readonly summary: string
  /** A function with scratch space of its own; called once per rule. */
  create(context: DecoderContext): Decode
}

export const defineDecoder = (decoder: Decoder): Decoder => decoder
