// EMQX Neuron, in both of its formats:
//
//   {"timestamp": ms, "node": "plc1", "group": "fast", "values": {"tag": 1}, "errors": {"tag2": 2014}, "metas": {}}
//   {"timestamp": ms, "node": "plc1", "group": "fast", "tags": [{"name": "tag", "value": 1}, {"name": "tag2", "error": 2014}]}
//
// The node is the device, and a name is group and tag. A tag that could not be read is a log record with its error code.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { SEVERITY } from '../../../readings/log-entry.ts'
import { defineDecoder } from './decoder.ts'
import { Payload } from './payload.ts'

const named = (text: string): Name => new Name(text)
const TIMESTAMP = named('timestamp')
const NODE = named('node')
const GROUP = named('group')
const VALUES = named('values')
const ERRORS = named('errors')
const TAGS = named('tags')
const NAME = named('name')
const VALUE = named('value')
const ERROR = named('error')
const NO_NAME = new Uint8Array(0)

export const neuron = defineDecoder({
  name: 'neuron',
  summary: "EMQX Neuron's values format and tags format; tags that failed are log records.",
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload

    /** The name is entered; a code of 0 is no error. */
    function failed(code: number): void {
      if (tape.number(code) === 0) return
      payload.out.log({
        body: `${payload.nameText()} could not be read: error ${tape.text(code)}`,
        severity: SEVERITY.WARN,
        event: 'neuron.tag_error',
        attributes: [
          ['reading.name', payload.nameText()],
          ['neuron.error', tape.text(code)],
        ],
      })
    }

    function tag(node: number): void {
      const name = tape.find(node, NAME)
      if (name === NONE || !tape.isText(name)) throw new BadPayload('wrong_shape', 'a tag without a name')
      const before = payload.enter(name)
      const value = tape.find(node, VALUE)
      const error = tape.find(node, ERROR)
      if (error !== NONE) failed(error)
      if (value !== NONE) payload.value(value)
      payload.leave(before)
    }

    return (message, out) => {
      payload.read(message, out)
      payload.object(0, 'the payload')
      payload.device(tape.find(0, NODE))
      payload.time(tape.find(0, TIMESTAMP))
      payload.nameIs(NO_NAME)
      const group = tape.find(0, GROUP)
      if (group !== NONE && tape.isText(group)) payload.enter(group)
      const tags = tape.find(0, TAGS)
      if (tags !== NONE) {
        payload.list(tags, 'tags')
        for (let child = tape.first(tags); child !== NONE; child = tape.after(tags, child)) tag(child)
        return
      }
      payload.inside(payload.object(tape.find(0, VALUES), 'values'), [])
      const errors = tape.find(0, ERRORS)
      if (errors === NONE || !tape.isObject(errors)) return
      for (let name = tape.first(errors); name !== NONE; name = tape.after(errors, name)) {
        const before = payload.enter(name)
        failed(tape.valueOf(name))
        payload.leave(before)
      }
    }
  },
})
