// ThingsBoard's telemetry, of a device and of a gateway:
//
//   {"temperature": 27.3}                                          now
//   {"ts": 1767225600000, "values": {"temperature": 27.3}}         at a time
//   [{"ts": ..., "values": {...}}, ...]                            several of either
//   {"Device A": [{"ts": ..., "values": {...}}], ...}              of several devices

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { Payload, TRACE_NAMES } from './payload.ts'

const TS = new Name('ts')
const VALUES = new Name('values')

export const thingsboard = defineDecoder({
  name: 'thingsboard',
  summary: "ThingsBoard's `{ts, values}`, alone, in a list, or in lists by device as gateways send them.",
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload

    /** The time of one entry stays its own: an entry without one has the time of receipt. */
    function entry(node: number): void {
      payload.object(node, 'an entry')
      const values = tape.find(node, VALUES)
      if (values === NONE || !tape.isObject(values)) {
        payload.out.atMillis(payload.message.receivedMs)
        payload.inside(node, TRACE_NAMES)
        return
      }
      if (!payload.time(tape.find(node, TS))) payload.out.atMillis(payload.message.receivedMs)
      payload.inside(values, [])
    }

    function entries(list: number): void {
      for (let child = tape.first(list); child !== NONE; child = tape.after(list, child)) entry(child)
    }

    function isOfGateway(root: number): boolean {
      for (let name = tape.first(root); name !== NONE; name = tape.after(root, name)) {
        const list = tape.valueOf(name)
        if (!tape.isList(list) || tape.first(list) === NONE || tape.find(tape.first(list), VALUES) === NONE)
          return false
      }
      return tape.first(root) !== NONE
    }

    return (message, out) => {
      payload.read(message, out)
      if (tape.isList(0)) entries(0)
      else if (!tape.isObject(0)) throw new BadPayload('wrong_shape', 'neither an object nor a list')
      else if (isOfGateway(0))
        for (let name = tape.first(0); name !== NONE; name = tape.after(0, name)) {
          payload.device(name)
          entries(tape.valueOf(name))
        }
      else entry(0)
    }
  },
})
