// Kepware's IoT Gateway, in its standard template:
//
//   {"timestamp": ms, "values": [{"id": "Channel1.Device1.Tag1", "v": 42, "q": true, "t": ms}, ...]}
//
// The name is the whole id: two devices behind one gateway may have a tag of one name. `q: false` is bad quality.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { JSON_KIND, Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { ofObject, QUALITY } from './payload.ts'

const TIMESTAMP = new Name('timestamp')
const VALUES = new Name('values')
const [ID, V, Q, T] = ['id', 'v', 'q', 't'].map((text) => new Name(text)) as [Name, Name, Name, Name]
const NO_NAME = new Uint8Array(0)

export const kepware = defineDecoder({
  name: 'kepware',
  summary: "Kepware IoT Gateway's `{timestamp, values: [{id, v, q, t}]}`, with quality.",
  create: ofObject((payload) => {
    const { tape, message, out } = payload
    const values = payload.list(tape.find(0, VALUES), 'values')
    const outer = tape.find(0, TIMESTAMP)
    for (let entry = tape.first(values); entry !== NONE; entry = tape.after(values, entry)) {
      const id = tape.find(entry, ID)
      const value = tape.find(entry, V)
      if (id === NONE || !tape.isText(id)) throw new BadPayload('wrong_shape', 'a value without an id')
      if (value === NONE) throw new BadPayload('wrong_shape', 'an entry without v')
      out.atMillis(message.receivedMs)
      if (!payload.time(tape.find(entry, T))) payload.time(outer)
      const quality = tape.find(entry, Q)
      const isBad = quality !== NONE && tape.kind(quality) === JSON_KIND.FALSE
      out.mark(isBad ? QUALITY.bad : undefined)
      payload.nameIs(NO_NAME)
      payload.enter(id)
      payload.value(value)
    }
  }),
})
