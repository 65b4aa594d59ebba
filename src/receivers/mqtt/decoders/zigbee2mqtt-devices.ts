// What Zigbee2MQTT's bridge says of its devices (`<base>/bridge/devices`, retained):
//
//   [{"friendly_name": "hall/door", "definition": {"model": "MCCGQ11LM", "vendor": "Aqara", "exposes": [
//      {"type": "numeric", "property": "power", "unit": "W"},
//      {"type": "binary", "property": "window", "value_on": "up", "value_off": "down"},
//      {"type": "switch", "features": [...]}, {"type": "composite", "property": "color", "features": [...]}]}}]
//
// Model and vendor are attributes of the device from then on.
//
// A feature without a property of its own holds others of the same level; a composite's are inside an object.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { asFields, asList, asText, type Definitions, type FieldDefinition } from './definitions.ts'

const DEPTH_MAX = 8

/** `bridge` is the topic of the message, `parsed` its JSON. */
export function learnDevices(bridge: string, parsed: unknown, definitions: Definitions): void {
  if (!Array.isArray(parsed)) throw new BadPayload('wrong_shape', 'the list of devices is not a list')
  const base = bridge.slice(0, -'bridge/devices'.length)
  for (const device of parsed) {
    const { friendly_name: name, definition } = asFields(device)
    if (asText(name) === '') continue
    const fields = new Map<string, FieldDefinition>()
    const { exposes, model, vendor } = asFields(definition)
    learnExposes(asList(exposes), fields, 0)
    const owner = `${base}${asText(name)}`
    definitions.learn(owner, fields)
    const description = [
      ['device.manufacturer', asText(vendor)],
      ['device.model.identifier', asText(model)],
    ] as const
    definitions.describe(
      owner,
      description.filter(([, value]) => value !== ''),
    )
  }
}

function learnExposes(exposes: readonly unknown[], into: Map<string, FieldDefinition>, depth: number): void {
  for (const expose of exposes) {
    const { type, property, unit, value_on: on, value_off: off, features } = asFields(expose)
    if (Array.isArray(features)) {
      // Of what is inside an object the names would be those of others at the top.
      if (type !== 'composite' && depth < DEPTH_MAX) learnExposes(features, into, depth + 1)
      continue
    }
    const words = new Map<string, number>()
    if (type === 'binary' && typeof on === 'string' && typeof off === 'string') words.set(on, 1).set(off, 0)
    if (asText(property) === '' || (asText(unit) === '' && words.size === 0)) continue
    into.set(asText(property), { unit: Buffer.from(asText(unit)), words })
  }
}
