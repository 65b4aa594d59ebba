// A device, a time, and points with names, values and units:
//
//   {"device_id": "cnc-01", "timestamp": "2026-01-01T00:00:00Z", "metrics": [{"name": "temperature", "value": 20.5, "unit": "C"}]}
//
// Names may come in any order, and others are skipped. `timestamp`, `device_id` and `unit` may be absent. A value may be a
// number, a boolean (1 or 0), null (no reading) or a text (a log record).

import { isUtf8 } from 'node:buffer'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { CHAR, isNumberStart, JsonCursor } from '../../../readings/json-cursor.ts'
import { WHOLE_LIMIT } from '../../../readings/json-number.ts'
import type { Readings } from '../../../readings/readings.ts'
import { defineDecoder, type Message } from './decoder.ts'

const DEVICE_ID = Buffer.from('device_id')
const TIMESTAMP = Buffer.from('timestamp')
const METRICS = Buffer.from('metrics')
const NAME = Buffer.from('name')
const VALUE = Buffer.from('value')
const UNIT = Buffer.from('unit')

const ABSENT = -1

class JsonPoints {
  readonly #json = new JsonCursor()
  #deviceFrom = ABSENT
  #deviceTo = 0

  decode(message: Message, out: Readings): void {
    const json = this.#json.reset(message.bytes, message.from, message.to)
    if (json.peek() !== CHAR.OPEN_BRACE) throw new BadPayload('wrong_shape', 'not a JSON object')
    // Who and when must be known before the points are written: a list that comes before them is read afterwards.
    let listAt = ABSENT
    let hasDevice = false
    let hasTime = false
    let isRead = false
    for (let more = json.open(); more; more = json.next(CHAR.CLOSE_BRACE)) {
      json.key()
      if (json.is(METRICS)) {
        if (listAt !== ABSENT) twice('metrics')
        listAt = json.at
        isRead = hasDevice && hasTime
        if (isRead) this.#points(message, out)
        else json.skip()
      } else if (json.is(DEVICE_ID)) {
        if (hasDevice) twice('device_id')
        this.#device(json)
        hasDevice = true
        if (this.#deviceFrom !== ABSENT) out.device(json.bytes, this.#deviceFrom, this.#deviceTo)
      } else if (json.is(TIMESTAMP)) {
        if (hasTime) twice('timestamp')
        this.#time(json, message, out)
        hasTime = true
      } else json.skip()
    }
    json.finish()
    if (listAt === ABSENT) throw new BadPayload('wrong_shape', 'no list metrics')
    if (isRead) return
    json.at = listAt
    this.#points(message, out)
  }

  #device(json: JsonCursor): void {
    const char = json.peek()
    this.#deviceFrom = ABSENT
    if (char === CHAR.QUOTE) {
      json.string()
      if (json.escaped) throw new BadPayload('wrong_shape', 'device_id has escapes')
      this.#deviceFrom = json.start
      this.#deviceTo = json.stop
    } else if (isNumberStart(char)) {
      this.#deviceFrom = json.at
      json.number()
      this.#deviceTo = json.at
    } else if (json.literal() !== null) throw new BadPayload('wrong_shape', 'device_id is neither text nor number')
  }

  #time(json: JsonCursor, message: Message, out: Readings): void {
    const char = json.peek()
    if (char === CHAR.QUOTE) {
      json.string()
      message.times.text(json.bytes, json.start, json.stop, out)
    } else if (isNumberStart(char)) {
      const from = json.at
      json.number()
      message.times.digits(json.bytes, from, json.at, out)
    } else if (json.literal() !== null) throw new BadPayload('bad_time', 'timestamp is neither text nor number')
  }

  #points(message: Message, out: Readings): void {
    const json = this.#json
    if (json.peek() !== CHAR.OPEN_BRACKET) throw new BadPayload('wrong_shape', 'metrics is not a list')
    for (let more = json.open(); more; more = json.next(CHAR.CLOSE_BRACKET)) {
      if (json.peek() !== CHAR.OPEN_BRACE) throw new BadPayload('wrong_shape', 'a point that is not an object')
      this.#point(message, out)
    }
  }

  #point(message: Message, out: Readings): void {
    const json = this.#json
    let nameFrom = ABSENT
    let nameTo = 0
    let unitFrom = 0
    let unitTo = 0
    let escaped = false
    let value: number | undefined
    let valueFrom = ABSENT
    let valueTo = 0
    let text: string | undefined
    for (let more = json.open(); more; more = json.next(CHAR.CLOSE_BRACE)) {
      json.key()
      const char = json.bytes[json.at]!
      if (json.is(NAME) && char === CHAR.QUOTE) {
        if (nameFrom !== ABSENT) twice('name')
        json.string()
        nameFrom = json.start
        nameTo = json.stop
        escaped ||= json.escaped
      } else if (json.is(VALUE)) {
        if (valueFrom !== ABSENT) twice('value')
        valueFrom = json.at
        if (isNumberStart(char)) {
          value = json.number()
          valueTo = json.at
        } else if (char === CHAR.QUOTE) {
          text = this.#textValue()
        } else {
          const literal = json.literal()
          if (literal !== null) value = literal ? 1 : 0
        }
      } else if (json.is(UNIT) && char === CHAR.QUOTE) {
        if (unitTo > 0) twice('unit')
        json.string()
        unitFrom = json.start
        unitTo = json.stop
        escaped ||= json.escaped
      } else json.skip()
    }
    if (nameFrom === ABSENT) throw new BadPayload('wrong_shape', 'a point without a name')
    if (value !== undefined && (value >= WHOLE_LIMIT || value <= -WHOLE_LIMIT))
      out.digits(message.bytes, valueFrom, valueTo)
    if (value !== undefined && !escaped) {
      out.reading(message.bytes, nameFrom, nameTo, unitFrom, unitTo, value)
      return
    }
    if (value === undefined && text === undefined) return
    const name = this.#text(nameFrom, nameTo)
    if (value !== undefined) out.readingOf(name, this.#text(unitFrom, unitTo), value)
    else out.text(name, text!)
  }

  #textValue(): string {
    const json = this.#json
    json.string()
    if (!isUtf8(json.bytes.subarray(json.start, json.stop))) throw new BadPayload('not_utf8', 'a value is not UTF-8')
    return json.text()
  }

  #text(from: number, to: number): string {
    const json = this.#json
    json.start = from
    json.stop = to
    json.escaped = true
    return json.text()
  }
}

function twice(name: string): never {
  throw new BadPayload('duplicate_key', `the name "${name}" comes twice`)
}

export const jsonPoints = defineDecoder({
  name: 'json_points',
  summary: '`{device_id, timestamp, metrics: [{name, value, unit}]}`.',
  create: () => {
    const decoder = new JsonPoints()
    return (message, out) => decoder.decode(message, out)
  },
})
