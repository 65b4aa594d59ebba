// Names and values, nested as the device likes; names of what is inside one another are joined by dots:
//
//   {"temperature": 27.3, "motor": {"temp": 71, "vib": {"x": 1.2}}, "ts": 1700000000123}
//                         temperature, motor.temp, motor.vib.x
//
// A number is a reading, true and false are 1 and 0, a text is a log record, null is nothing. A list gives its elements
// numbers as names. At the top `ts`, `timestamp`, `time` and `Time` are the time of all that follows or came before, where
// they hold one.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { CHAR, isNumberStart, JsonCursor } from '../../../readings/json-cursor.ts'
import type { Readings } from '../../../readings/readings.ts'
import { defineDecoder, type Message } from './decoder.ts'

const TIME_NAMES = ['ts', 'timestamp', 'time', 'Time'].map((name) => Buffer.from(name))
const DEPTH_MAX = 16
const NAME_MAX_BYTES = 1024

class Json {
  readonly #json = new JsonCursor()
  /** The name so far, levels joined by dots. */
  readonly #name = new Uint8Array(NAME_MAX_BYTES)

  decode(message: Message, out: Readings): void {
    const json = this.#json.reset(message.bytes, message.from, message.to)
    if (json.peek() !== CHAR.OPEN_BRACE) throw new BadPayload('wrong_shape', 'not a JSON object')
    this.#findTime(message, out)
    json.reset(message.bytes, message.from, message.to).peek()
    this.#inside(out, 0, 0)
    json.finish()
  }

  /** The time may stand behind what it is the time of. */
  #findTime(message: Message, out: Readings): void {
    const json = this.#json
    for (let more = json.open(); more; more = json.next(CHAR.CLOSE_BRACE)) {
      json.key()
      if (!this.#isTime()) {
        json.skip()
        continue
      }
      const char = json.bytes[json.at]!
      if (char === CHAR.QUOTE) {
        json.string()
        message.times.text(json.bytes, json.start, json.stop, out)
        return
      }
      if (isNumberStart(char)) {
        const from = json.at
        json.number()
        message.times.digits(json.bytes, from, json.at, out)
        return
      }
      json.skip()
    }
  }

  #isTime(): boolean {
    for (const name of TIME_NAMES) if (this.#json.is(name)) return true
    return false
  }

  /** The object or list that begins here; its name is the first `length` bytes. */
  #inside(out: Readings, length: number, depth: number): void {
    const json = this.#json
    if (depth >= DEPTH_MAX) throw new BadPayload('too_deep', `more than ${DEPTH_MAX} levels`)
    const close = json.bytes[json.at] === CHAR.OPEN_BRACE ? CHAR.CLOSE_BRACE : CHAR.CLOSE_BRACKET
    let index = 0
    for (let more = json.open(); more; more = json.next(close)) {
      let to: number
      if (close === CHAR.CLOSE_BRACE) {
        json.key()
        if (depth === 0 && this.#isTime()) {
          json.skip()
          continue
        }
        to = json.escaped ? this.#join(length, Buffer.from(json.text())) : this.#joinRange(length)
      } else to = this.#join(length, Buffer.from(`${index++}`))
      this.#value(out, to, depth)
    }
  }

  #value(out: Readings, to: number, depth: number): void {
    const json = this.#json
    const char = json.bytes[json.at]!
    if (isNumberStart(char)) out.reading(this.#name, 0, to, 0, 0, json.number())
    else if (char === CHAR.OPEN_BRACE || char === CHAR.OPEN_BRACKET) this.#inside(out, to, depth + 1)
    else if (char === CHAR.QUOTE) {
      json.string()
      out.text(Buffer.from(this.#name.buffer, 0, to).toString(), json.text())
    } else {
      const literal = json.literal()
      if (literal !== null) out.reading(this.#name, 0, to, 0, 0, literal ? 1 : 0)
    }
  }

  #join(length: number, part: Uint8Array): number {
    const at = this.#dot(length, part.length)
    this.#name.set(part, at)
    return at + part.length
  }

  #joinRange(length: number): number {
    const { bytes, start, stop } = this.#json
    let at = this.#dot(length, stop - start)
    for (let p = start; p < stop; ) this.#name[at++] = bytes[p++]!
    return at
  }

  #dot(length: number, more: number): number {
    if (length + 1 + more > NAME_MAX_BYTES) throw new BadPayload('bad_name', 'a name that is too long')
    if (length === 0) return 0
    this.#name[length] = CHAR.DOT
    return length + 1
  }
}

export const json = defineDecoder({
  name: 'json',
  summary: 'Any JSON object: numbers and booleans in it are readings, named by their path.',
  create: () => {
    const decoder = new Json()
    return (message, out) => decoder.decode(message, out)
  },
})
