// Cognite Data Fusion, as its extractors and its API have it:
//
//   {"timeseriesData": [{"externalId": "motor.temp", "items": [{"timestamp": ms, "value": 71.2}]}]}
//   {"items": [{"externalId": "motor.temp", "datapoints": [{"timestamp": ms, "value": 71.2}]}]}

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { ofObject } from './payload.ts'

const named = (text: string): Name => new Name(text)
const SERIES = named('timeseriesData')
const ITEMS = named('items')
const DATAPOINTS = named('datapoints')
const EXTERNAL_ID = named('externalId')
const ID = named('id')
const TIMESTAMP = named('timestamp')
const VALUE = named('value')
const NO_NAME = new Uint8Array(0)

export const cognite = defineDecoder({
  name: 'cognite',
  summary: "Cognite's `{timeseriesData: [{externalId, items: [{timestamp, value}]}]}`.",
  create: ofObject((payload) => {
    const { tape } = payload
    const inItems = tape.find(0, SERIES) === NONE
    const series = payload.list(tape.find(0, inItems ? ITEMS : SERIES), inItems ? 'items' : 'timeseriesData')
    for (let one = tape.first(series); one !== NONE; one = tape.after(series, one)) {
      const external = tape.find(payload.object(one, 'a series'), EXTERNAL_ID)
      const id = external === NONE ? tape.find(one, ID) : external
      if (id === NONE) throw new BadPayload('wrong_shape', 'a series without externalId')
      payload.nameIs(NO_NAME)
      payload.enter(id)
      const points = payload.list(tape.find(one, inItems ? DATAPOINTS : ITEMS), 'the points of a series')
      for (let point = tape.first(points); point !== NONE; point = tape.after(points, point)) {
        const value = tape.find(payload.object(point, 'a point'), VALUE)
        if (value === NONE) throw new BadPayload('wrong_shape', 'a point without a value')
        if (!payload.time(tape.find(point, TIMESTAMP))) throw new BadPayload('bad_time', 'a point without a timestamp')
        payload.value(value)
      }
    }
  }),
})
