// United Manufacturing Hub: one value of one tag, whose name is the topic's.
//
//   {"timestamp_ms": 1767225600000, "value": 71.2}                 exactly these two
//
// Any other object is relational: a log record with the text of the object, event `umh.relational`.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { ofObject } from './payload.ts'

const TIMESTAMP_MS = new Name('timestamp_ms')
const VALUE = new Name('value')

export const umh = defineDecoder({
  name: 'umh',
  summary: "United Manufacturing Hub's `{timestamp_ms, value}`, named by the topic; other objects are log records.",
  create: ofObject((payload) => {
    const { tape, message, out } = payload
    const time = tape.find(0, TIMESTAMP_MS)
    const value = tape.find(0, VALUE)
    if (time === NONE || value === NONE || tape.count(0) !== 2) {
      payload.time(time)
      out.log({ body: tape.text(0), event: 'umh.relational' })
      return
    }
    if (tape.isObject(value) || tape.isList(value))
      throw new BadPayload('wrong_shape', 'value is neither number, boolean nor text')
    payload.time(time)
    payload.nameIs(message.ownName)
    payload.value(value)
  }),
})
