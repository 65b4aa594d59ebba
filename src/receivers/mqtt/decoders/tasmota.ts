// Tasmota's telemetry and state, sensors inside one another, in plant time:
//
//   {"Time": "2024-02-24T22:20:38", "ENERGY": {"Total": 12.3, "Power": 41}, "TempUnit": "C"}     tele/<device>/SENSOR
//   {"Time": ..., "UptimeSec": 311, "POWER": "ON", "Wifi": {"Signal": -60}}                      tele/<device>/STATE
//
// Its last will on tele/<device>/LWT is read as the decoder `status` reads it. ON is 1 and OFF is 0. Units are what Tasmota's documentation says of the names; temperatures and pressures are in the
// units that the message itself names. Totals of energy are counters.

import { JSON_KIND, Name, NONE } from '../../../readings/json-tape.ts'
import { KIND } from '../../../readings/naming.ts'
import { defineDecoder } from './decoder.ts'
import { NO_UNIT, Payload, TRACE_NAMES } from './payload.ts'
import { status } from './status.ts'

const TIME = new Name('Time')
const TEMP_UNIT = new Name('TempUnit')
const PRESSURE_UNIT = new Name('PressureUnit')
const SPEED_UNIT = new Name('SpeedUnit')
const SKIPPED = [TIME, TEMP_UNIT, PRESSURE_UNIT, SPEED_UNIT, ...TRACE_NAMES]
const NO_NAME = new Uint8Array(0)

const UNITS: readonly (readonly [Name, Uint8Array])[] = Object.entries({
  Power: 'W',
  ApparentPower: 'VA',
  ReactivePower: 'var',
  Voltage: 'V',
  Current: 'A',
  Frequency: 'Hz',
  Total: 'kWh',
  Today: 'kWh',
  Yesterday: 'kWh',
  ExportActive: 'kWh',
  Humidity: '%',
  Illuminance: 'lx',
  Signal: 'dBm',
  UptimeSec: 's',
  CarbonDioxide: 'ppm',
  Distance: 'cm',
}).map(([name, unit]) => [new Name(name), Buffer.from(unit)])
const COUNTERS = ['Total', 'ExportActive', 'UptimeSec', 'LinkCount', 'MqttCount'].map((text) => new Name(text))
const TEMPERATURES = ['Temperature', 'DewPoint', 'HeatIndex', 'FeelsLike'].map((text) => new Name(text))
const PRESSURES = ['Pressure', 'SeaPressure'].map((text) => new Name(text))

const ON_OFF: ReadonlyMap<string, number> = new Map([
  ['ON', 1],
  ['OFF', 0],
])

export const tasmota = defineDecoder({
  name: 'tasmota',
  summary: "Tasmota's SENSOR and STATE messages, with its units; times are plant time.",
  create: (context) => {
    const payload = new Payload({ ...context, words: new Map([...ON_OFF, ...context.words]) })
    const { tape } = payload
    let tempUnit: Uint8Array = NO_UNIT
    let pressureUnit: Uint8Array = NO_UNIT

    const unitAt = (name: Name): Uint8Array => {
      const node = tape.find(0, name)
      return node !== NONE && tape.isText(node) ? Buffer.from(tape.text(node)) : NO_UNIT
    }

    function unitOf(name: number): Uint8Array {
      if (tape.isOneOf(name, TEMPERATURES)) return tempUnit
      if (tape.isOneOf(name, PRESSURES)) return pressureUnit
      for (const [known, unit] of UNITS) if (tape.isName(name, known)) return unit
      return NO_UNIT
    }

    function inside(object: number, depth: number): void {
      for (let name = tape.first(object); name !== NONE; name = tape.after(object, name)) {
        if (depth === 0 && tape.isOneOf(name, SKIPPED)) continue
        const value = tape.valueOf(name)
        const before = payload.enter(name)
        if (tape.isObject(value)) inside(value, depth + 1)
        // Beside readings there are dates and names of networks: only ON and OFF of the texts are readings.
        else if (!tape.isText(value) || payload.hasWord(value)) {
          payload.out.kind = tape.isOneOf(name, COUNTERS) ? KIND.COUNTER : KIND.DEFAULT
          payload.value(value, tape.kind(value) === JSON_KIND.NUMBER ? unitOf(name) : NO_UNIT)
          payload.out.kind = KIND.DEFAULT
        }
        payload.leave(before)
      }
    }

    const will = status.create(context)

    return (message, out) => {
      if (message.topic.endsWith('/LWT')) {
        will(message, out)
        return
      }
      payload.read(message, out)
      payload.object(0, 'the payload')
      payload.time(tape.find(0, TIME))
      tempUnit = unitAt(TEMP_UNIT)
      pressureUnit = unitAt(PRESSURE_UNIT)
      payload.nameIs(NO_NAME)
      inside(0, 0)
    }
  },
})
