// Names and values, nested as the device likes; names of what is inside one another are joined by dots:
//
//   {"temperature": 27.3, "motor": {"temp": 71, "vib": {"x": 1.2}}, "ts": 1700000000123}
//                         temperature, motor.temp, motor.vib.x
//
// A list gives its elements numbers as names. At the top the usual names of a time and of a device say when and who; they
// may stand behind what they are of. A rule that says where everything is has json-paths.ts.

import { NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { createJsonPaths } from './json-paths.ts'
import { BESIDE_READINGS, Payload } from './payload.ts'

export const json = defineDecoder({
  name: 'json',
  summary: 'Any JSON object: numbers and booleans in it are readings, named by their path; or what `json` says.',
  create: (context) => {
    if (context.paths !== undefined) return createJsonPaths(context, context.paths)
    const payload = new Payload(context)
    const { tape } = payload
    return (message, out) => {
      payload.read(message, out)
      payload.object(0, 'the payload')
      payload.usualDevice(0)
      payload.usualTime(0)
      for (let name = tape.first(0); name !== NONE; name = tape.after(0, name)) {
        const value = tape.valueOf(name)
        // An object called `time` or `device` holds readings like any other.
        if (!tape.isObject(value) && !tape.isList(value) && tape.isOneOf(name, BESIDE_READINGS)) continue
        const before = payload.enter(name)
        payload.value(value)
        payload.leave(before)
      }
    }
  },
})
