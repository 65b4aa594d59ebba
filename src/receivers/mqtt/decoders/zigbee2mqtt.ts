// Zigbee2MQTT's device messages: names and values, whose units its documentation fixes by the name.
//
//   {"temperature": 21.4, "humidity": 44, "battery": 97, "linkquality": 120, "contact": true, "state": "ON",
//    "last_seen": "2026-01-01T00:00:00+00:00"}
//
// ON and OFF, OPEN and CLOSE, LOCK and UNLOCK are 1 and 0; other texts, such as actions, are log records. Messages of the
// bridge itself, on topics with a level `bridge`, hold no readings, but `bridge/devices` says of each device which units and
// words it has, and that counts more; and its model and vendor. Those on `.../availability` are read as `status` does.

import { Name, NONE } from '../../../readings/json-tape.ts'
import { KIND, type Kind } from '../../../readings/naming.ts'
import { defineDecoder } from './decoder.ts'
import type { FieldDefinition } from './definitions.ts'
import { NO_UNIT, Payload, parsedJson, TRACE_NAMES } from './payload.ts'
import { status } from './status.ts'
import { learnDevices } from './zigbee2mqtt-devices.ts'

const LAST_SEEN = new Name('last_seen')
const BATTERY = new Name('battery')
const VOLTAGE = new Name('voltage')
const ELAPSED = new Name('elapsed')
const DEVICE = new Name('device')
const UPDATE = new Name('update')
const UPDATE_AVAILABLE = new Name('update_available')
// A device block repeats what the bridge says of the device; updates are of firmware.
const SKIPPED = [LAST_SEEN, ELAPSED, DEVICE, UPDATE, UPDATE_AVAILABLE, ...TRACE_NAMES]
const AVAILABILITY = '/availability'
const NO_NAME = new Uint8Array(0)

const COUNTERS = ['energy', 'produced_energy', 'gas', 'water_consumed'].map((text) => new Name(text))
const UNITS: readonly (readonly [Name, Uint8Array])[] = Object.entries({
  temperature: '°C',
  device_temperature: '°C',
  local_temperature: '°C',
  humidity: '%',
  soil_moisture: '%',
  battery: '%',
  pressure: 'hPa',
  power: 'W',
  power_apparent: 'VA',
  power_reactive: 'var',
  current: 'A',
  energy: 'kWh',
  produced_energy: 'kWh',
  ac_frequency: 'Hz',
  illuminance: 'lx',
  illuminance_lux: 'lx',
  co2: 'ppm',
  voc: 'ppb',
  pm25: 'µg/m³',
  pm10: 'µg/m³',
  linkquality: 'lqi',
}).map(([name, unit]) => [new Name(name), Buffer.from(unit)])
const MILLIVOLT = Buffer.from('mV')
const VOLT = Buffer.from('V')

const WORDS: ReadonlyMap<string, number> = new Map([
  ['ON', 1],
  ['OFF', 0],
  ['OPEN', 1],
  ['CLOSE', 0],
  ['LOCK', 1],
  ['UNLOCK', 0],
])

export const zigbee2mqtt = defineDecoder({
  name: 'zigbee2mqtt',
  summary: "Zigbee2MQTT's device messages, with its units and those that its bridge tells.",
  create: (context) => {
    const payload = new Payload({ ...context, words: new Map([...WORDS, ...context.words]) })
    const { tape } = payload
    const { definitions } = context

    /** What has a battery gives its voltage in millivolts. */
    function unitOf(name: number, hasBattery: boolean): Uint8Array {
      if (tape.isName(name, VOLTAGE)) return hasBattery ? MILLIVOLT : VOLT
      for (const [known, unit] of UNITS) if (tape.isName(name, known)) return unit
      return NO_UNIT
    }

    /** The words of the rule count more than those of the device. */
    const wordOf = ({ words }: FieldDefinition, text: string): number | undefined =>
      context.words.get(text) ?? words.get(text)

    const availability = status.create(context)

    return (message, out) => {
      if (message.topic.includes('/bridge/')) {
        if (message.topic.endsWith('/bridge/devices')) learnDevices(message.topic, parsedJson(message), definitions)
        return
      }
      const isAvailability = message.topic.endsWith(AVAILABILITY)
      const owner = isAvailability ? message.topic.slice(0, -AVAILABILITY.length) : message.topic
      const description = definitions.descriptionOf(owner)
      if (description !== undefined) out.describe(description)
      if (isAvailability) {
        availability(message, out)
        return
      }
      payload.read(message, out)
      payload.object(0, 'the payload')
      payload.time(tape.find(0, LAST_SEEN))
      payload.nameIs(NO_NAME)
      const hasBattery = tape.find(0, BATTERY) !== NONE
      const fields = definitions.of(message.topic)
      for (let name = tape.first(0); name !== NONE; name = tape.after(0, name)) {
        if (tape.isOneOf(name, SKIPPED)) continue
        const value = tape.valueOf(name)
        const kind: Kind = tape.isOneOf(name, COUNTERS) ? KIND.COUNTER : KIND.DEFAULT
        out.kind = kind
        const before = payload.enter(name)
        const defined = fields.size === 0 ? undefined : fields.get(tape.text(name))
        const word = defined !== undefined && tape.isText(value) ? wordOf(defined, tape.text(value)) : undefined
        if (word !== undefined) payload.number(word)
        else if (!tape.isNumeric(value)) payload.value(value)
        else
          payload.value(
            value,
            defined === undefined || defined.unit.length === 0 ? unitOf(name, hasBattery) : defined.unit,
          )
        payload.leave(before)
        out.kind = KIND.DEFAULT
      }
    }
  },
})
