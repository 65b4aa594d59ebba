// What the payload looks like: `{` begins JSON, points where it has a list `metrics`; anything else is one value.

import { defineDecoder } from './decoder.ts'
import { json } from './json.ts'
import { jsonPoints } from './json-points.ts'
import { value } from './value.ts'

const OPEN_BRACE = 0x7b
const LIST_OF_METRICS = /"metrics"\s*:\s*\[/

export const auto = defineDecoder({
  name: 'auto',
  summary: '`json_points`, `json` or `value`, by what the payload looks like.',
  create: () => {
    const points = jsonPoints.create()
    const object = json.create()
    const single = value.create()
    return (message, out) => {
      const { bytes, to } = message
      let at = message.from
      while (at < to && bytes[at]! <= 0x20) at++
      if (bytes[at] !== OPEN_BRACE || at >= to) single(message, out)
      else if (LIST_OF_METRICS.test(Buffer.from(bytes.buffer, bytes.byteOffset + at, to - at).toString('latin1')))
        points(message, out)
      else object(message, out)
    }
  },
})
