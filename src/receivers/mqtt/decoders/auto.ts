// What a payload is, told by its content type (MQTT 5), else by what it looks like.
//
// Only forms that cannot be mistaken are told by their looks; for the others a rule names the decoder.

import { cloudevents } from './cloudevents.ts'
import { cognite } from './cognite.ts'
import type { Decoder } from './decoder.ts'
import { defineDecoder } from './decoder.ts'
import { influxLine } from './influx-line.ts'
import { json } from './json.ts'
import { jsonPoints } from './json-points.ts'
import { kepware } from './kepware.ts'
import { neuron } from './neuron.ts'
import { opcuaJson } from './opcua.ts'
import { samples } from './samples.ts'
import { sitewise } from './sitewise.ts'
import { thingsboard } from './thingsboard.ts'
import { umh } from './umh.ts'
import { value } from './value.ts'

const OPEN_BRACE = 0x7b
const OPEN_BRACKET = 0x5b
/** Enough of a payload to see its form; a list of metrics is looked for in all of it. */
const LOOK_CHARS = 1024
const LIST_OF_METRICS = /"metrics"\s*:\s*\[/
/** In this order. */
const LOOKS: readonly (readonly [RegExp, Decoder])[] = [
  [/"specversion"\s*:/, cloudevents],
  [/^\s*\{\s*"(?:timestamp_ms"\s*:[^,{[]*,\s*"value|value"\s*:[^,{[]*,\s*"timestamp_ms)"/, umh],
  [/"MessageType"\s*:\s*"ua-/, opcuaJson],
  [/"propertyValues"\s*:\s*\[/, sitewise],
  [/"timeseriesData"\s*:\s*\[/, cognite],
  [/"node"\s*:.*"group"\s*:.*"(?:values|tags)"\s*:/s, neuron],
  [/"values"\s*:\s*\[\s*\{[^}]*"id"\s*:[^}]*"v"\s*:/, kepware],
  [/"ts"\s*:\s*\d+\s*,\s*"values"\s*:\s*\{/, thingsboard],
]
const LINE = /^[^\s,={}[\]"]+(?:,[^\s,=]+=[^\s,=]+)* [^\s,=]+=(?:[-+.\deE]+[iu]?|[tTfF]\w*|"[^"]*")(?:[, \n\r]|$)/

export const auto = defineDecoder({
  name: 'auto',
  summary:
    'By the content type, else by what the payload looks like: JSON of a known form, any JSON, lines, one value.',
  create: (context) => {
    const points = jsonPoints.create(context)
    const object = json.create(context)
    const list = samples.create(context)
    const device = thingsboard.create(context)
    const single = value.create(context)
    const lines = influxLine.create(context)
    const events = cloudevents.create(context)
    const looks = LOOKS.map(([look, decoder]) => [look, decoder.create(context)] as const)
    return (message, out) => {
      const { bytes, to, contentType } = message
      if (
        contentType?.startsWith('application/cloudevents') === true ||
        message.userProperty('specversion') !== undefined
      ) {
        events(message, out)
        return
      }
      let at = message.from
      while (at < to && bytes[at]! <= 0x20) at++
      const first = at < to ? bytes[at] : 0
      const text = Buffer.from(bytes.buffer, bytes.byteOffset + at, to - at).toString('latin1')
      if (first === OPEN_BRACE && LIST_OF_METRICS.test(text)) points(message, out)
      else if (first === OPEN_BRACE)
        (looks.find(([look]) => look.test(text.slice(0, LOOK_CHARS)))?.[1] ?? object)(message, out)
      else if (first === OPEN_BRACKET) (/"values"\s*:/.test(text.slice(0, LOOK_CHARS)) ? device : list)(message, out)
      else if (LINE.test(text)) lines(message, out)
      else single(message, out)
    }
  },
})
