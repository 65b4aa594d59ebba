// What decoders of JSON have in common: the payload noted on a tape, the name that grows on the way into it, and what each
// kind of value becomes.
//
//   number          a reading
//   true, false     a reading of 1 or 0
//   text            a reading where the rule's words have a number for it, else a log record
//   null            nothing
//   object, list    what is inside, names joined by dots
//
// A `traceparent` at the top of the outermost object is the trace of everything in the message, not a reading.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { WHOLE_LIMIT } from '../../../readings/json-number.ts'
import { JSON_KIND, JsonTape, Name, NONE } from '../../../readings/json-tape.ts'
import type { Readings } from '../../../readings/readings.ts'
import type { Decode, DecoderContext, Message } from './decoder.ts'

const NAME_MAX_BYTES = 1024
const UNIT_MAX_BYTES = 64
const DOT = 0x2e
export const NO_UNIT = new Uint8Array(0)

export type Attributes = readonly (readonly [key: string, value: string])[]

/** The mark of a reading that is not good; a good one has none. */
export const QUALITY: Readonly<Record<'uncertain' | 'bad' | 'stale', Attributes>> = {
  uncertain: [['data.quality', 'uncertain']],
  bad: [['data.quality', 'bad']],
  stale: [['data.quality', 'stale']],
}

const TRACEPARENT = new Name('traceparent')
const TRACESTATE = new Name('tracestate')
/** Under which names a time stands beside readings. */
export const TIME_NAMES = ['timestamp', 'ts', 'time', 'Time', 'timestamp_ms', '@timestamp'].map(
  (text) => new Name(text),
)
const DEVICE_NAMES = ['device_id', 'deviceId', 'device'].map((text) => new Name(text))

export class Payload {
  readonly tape = new JsonTape()
  message!: Message
  out!: Readings
  readonly #context: DecoderContext
  /** The name so far is `name[0, length)`; a unit may be put behind it. */
  readonly #name = new Uint8Array(NAME_MAX_BYTES + UNIT_MAX_BYTES)
  #length = 0

  constructor(context: DecoderContext) {
    this.#context = context
  }

  /** Reads the message; its root is node 0. */
  read(message: Message, out: Readings, from = message.from, to = message.to): void {
    this.message = message
    this.out = out
    this.#length = 0
    this.tape.read(message.bytes.subarray(from, to))
    if (this.tape.isObject(0)) {
      const parent = this.tape.find(0, TRACEPARENT)
      if (parent !== NONE && this.tape.isText(parent)) out.trace(this.tape.text(parent))
    }
  }

  /** An object, or BadPayload that says what it should be. */
  object(node: number, what: string): number {
    if (node === NONE || !this.tape.isObject(node)) throw new BadPayload('wrong_shape', `${what} is not an object`)
    return node
  }

  list(node: number, what: string): number {
    if (node === NONE || !this.tape.isList(node)) throw new BadPayload('wrong_shape', `${what} is not a list`)
    return node
  }

  /** What follows was measured at the time that stands here; nothing where none does. */
  time(node: number): boolean {
    const { tape, message, out } = this
    if (node === NONE || tape.kind(node) === JSON_KIND.NULL) return false
    if (tape.kind(node) === JSON_KIND.NUMBER) message.times.digits(tape.bytes, tape.from(node), tape.to(node), out)
    else if (tape.isText(node)) message.times.text(tape.bytes, tape.from(node), tape.to(node), out)
    else throw new BadPayload('bad_time', 'a time that is neither number nor text')
    return true
  }

  /** The time under one of the usual names. */
  usualTime(object: number): boolean {
    for (const name of TIME_NAMES) {
      const node = this.tape.find(object, name)
      if (node !== NONE && !this.tape.isObject(node) && !this.tape.isList(node)) return this.time(node)
    }
    return false
  }

  /** What follows is from the device that stands here. */
  device(node: number): void {
    const { tape, out } = this
    if (node === NONE) return
    if (tape.kind(node) === JSON_KIND.ESCAPED) this.deviceOf(tape.text(node))
    else if (tape.kind(node) === JSON_KIND.STRING || tape.kind(node) === JSON_KIND.NUMBER) {
      if (tape.to(node) > tape.from(node)) out.device(tape.bytes, tape.from(node), tape.to(node))
    }
  }

  deviceOf(id: string): void {
    const bytes = Buffer.from(id)
    if (bytes.length > 0) this.out.device(bytes, 0, bytes.length)
  }

  usualDevice(object: number): void {
    for (const name of DEVICE_NAMES) {
      const node = this.tape.find(object, name)
      if (node === NONE || this.tape.isObject(node) || this.tape.isList(node)) continue
      this.device(node)
      return
    }
  }

  /** The text that stands here, as UTF-8. */
  bytesOf(node: number): Uint8Array {
    const { tape } = this
    if (tape.kind(node) === JSON_KIND.ESCAPED) return Buffer.from(tape.text(node))
    return tape.bytes.subarray(tape.from(node), tape.to(node))
  }

  /** Of the name so far, to go back to. */
  get length(): number {
    return this.#length
  }

  /** Who the usual names say it is from, for looking up. */
  deviceText(object: number): string | undefined {
    for (const name of DEVICE_NAMES) {
      const node = this.tape.find(object, name)
      if (node !== NONE && !this.tape.isObject(node) && !this.tape.isList(node)) return this.tape.text(node)
    }
    return undefined
  }

  /** Whether the rule's words have a number for the text that stands here. */
  hasWord(node: number): boolean {
    return this.#context.words.has(this.tape.text(node))
  }

  /** The name begins anew with this text. */
  nameIs(text: Uint8Array): void {
    this.#length = 0
    this.#append(text, 0, text.length)
  }

  /** Another level of the name; returns the length to go back to. */
  enter(node: number): number {
    const before = this.#length
    const { tape } = this
    if (tape.kind(node) === JSON_KIND.ESCAPED) return this.enterText(tape.text(node))
    this.#append(tape.bytes, tape.from(node), tape.to(node))
    return before
  }

  enterText(text: string): number {
    const before = this.#length
    const bytes = Buffer.from(text)
    this.#append(bytes, 0, bytes.length)
    return before
  }

  leave(length: number): void {
    this.#length = length
  }

  nameText(): string {
    return Buffer.from(this.#name.buffer, 0, this.#length).toString()
  }

  /** The value that stands here under the name so far, and whatever is inside. */
  value(node: number, unit: Uint8Array = NO_UNIT): void {
    const { tape } = this
    switch (tape.kind(node)) {
      case JSON_KIND.NUMBER:
        this.#written(node, unit)
        break
      case JSON_KIND.TRUE:
        this.number(1, unit)
        break
      case JSON_KIND.FALSE:
        this.number(0, unit)
        break
      case JSON_KIND.NULL:
        break
      case JSON_KIND.NAN:
        throw new BadPayload('bad_number', `${this.nameText()} is ${tape.text(node)}`)
      case JSON_KIND.OBJECT:
      case JSON_KIND.LIST:
        this.inside(node, NOTHING_SKIPPED)
        break
      default:
        this.text(tape.text(node), unit)
    }
  }

  /** A text is the number that the rule's words give it, or a log record. */
  text(text: string, unit: Uint8Array = NO_UNIT): void {
    const number = this.#context.words.get(text)
    if (number === undefined) this.out.text(this.nameText(), text)
    else this.number(number, unit)
  }

  /** A number as it is written. */
  #written(node: number, unit: Uint8Array): void {
    const { tape } = this
    const value = tape.number(node)
    if (value >= WHOLE_LIMIT || value <= -WHOLE_LIMIT) this.out.digits(tape.bytes, tape.from(node), tape.to(node))
    this.number(value, unit)
  }

  number(value: number, unit: Uint8Array = NO_UNIT): void {
    const from = this.#length
    const to = from + unit.length
    if (unit.length > UNIT_MAX_BYTES) throw new BadPayload('bad_name', 'a unit that is too long')
    if (unit.length > 0) this.#name.set(unit, from)
    this.out.reading(this.#name, 0, from, from, to, value)
  }

  /** Everything in an object or list but members whose names are in `skipped`. */
  inside(node: number, skipped: readonly Name[]): void {
    const { tape } = this
    const isList = tape.isList(node)
    let index = 0
    for (let child = tape.first(node); child !== NONE; child = tape.after(node, child)) {
      if (!isList && tape.isOneOf(child, skipped)) continue
      const before = isList ? this.enterText(String(index++)) : this.enter(child)
      this.value(isList ? child : tape.valueOf(child))
      this.leave(before)
    }
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    let at = this.#length
    if (at + 1 + to - from > NAME_MAX_BYTES) throw new BadPayload('bad_name', 'a name that is too long')
    if (at > 0) this.#name[at++] = DOT
    for (let p = from; p < to; ) this.#name[at++] = bytes[p++]!
    this.#length = at
  }
}

/** The `create` of a decoder whose payloads are one JSON object each; it is node 0 of the tape that `read` is given. */
export const ofObject =
  (read: (payload: Payload) => void) =>
  (context: DecoderContext): Decode => {
    const payload = new Payload(context)
    return (message, out) => {
      payload.read(message, out)
      payload.object(0, 'the payload')
      read(payload)
    }
  }

/** The whole payload as a tree: for what is rare. */
export function parsedJson({ bytes, from, to }: Message): unknown {
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString()) as unknown
  } catch (error) {
    throw new BadPayload('not_json', (error as Error).message)
  }
}

const NOTHING_SKIPPED: readonly Name[] = []
/** What stands beside readings at the top of a message and is none. */
export const TRACE_NAMES: readonly Name[] = [TRACEPARENT, TRACESTATE]
export const BESIDE_READINGS: readonly Name[] = [...TIME_NAMES, ...DEVICE_NAMES, ...TRACE_NAMES]
