// AWS IoT SiteWise: what its gateways and BatchPutAssetPropertyValue send.
//
//   {"propertyAlias": "/plant/line/temp", "propertyValues": [
//     {"value": {"doubleValue": 71.2}, "timestamp": {"timeInSeconds": s, "offsetInNanos": ns}, "quality": "GOOD"}]}
//
// Alone, in a list, or under `entries`. The name is the alias, levels joined by dots, or asset and property id.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import { Payload, QUALITY } from './payload.ts'

const named = (text: string): Name => new Name(text)
const ENTRIES = named('entries')
const ALIAS = named('propertyAlias')
const ASSET = named('assetId')
const PROPERTY = named('propertyId')
const VALUES = named('propertyValues')
const VALUE = named('value')
const TIMESTAMP = named('timestamp')
const SECONDS = named('timeInSeconds')
const NANOS = named('offsetInNanos')
const QUALITY_NAME = named('quality')
const NO_NAME = new Uint8Array(0)

export const sitewise = defineDecoder({
  name: 'sitewise',
  summary: "AWS IoT SiteWise's property values, with quality and nanoseconds.",
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload

    const textAt = (object: number, name: Name): string | undefined => {
      const node = tape.find(object, name)
      return node !== NONE && tape.isText(node) ? tape.text(node) : undefined
    }

    function time(node: number): void {
      const seconds = tape.find(node, SECONDS)
      if (seconds === NONE) throw new BadPayload('wrong_shape', 'a value without timeInSeconds')
      payload.time(seconds)
      const nanos = tape.find(node, NANOS)
      const offset = nanos === NONE ? 0 : tape.number(nanos)
      if (!(offset >= 0 && offset < 1e9)) throw new BadPayload('bad_time', 'offsetInNanos is no number below 1e9')
      const { ms, ns, isOwn } = payload.message.times
      // The time of receipt stands in for a time out of bounds, and then the offset is nobody's.
      if (isOwn) payload.out.at(Math.floor(ms / 1000), (ms % 1000) * 1e6 + ns + Math.floor(offset))
    }

    function property(node: number): void {
      const alias = textAt(node, ALIAS)
      const asset = textAt(node, ASSET)
      const id = textAt(node, PROPERTY)
      payload.nameIs(NO_NAME)
      if (alias !== undefined) payload.enterText(alias.replace(/^\//, '').replaceAll('/', '.'))
      else if (id !== undefined) payload.enterText(asset === undefined ? id : `${asset}.${id}`)
      else throw new BadPayload('wrong_shape', 'neither propertyAlias nor propertyId')
      const values = payload.list(tape.find(node, VALUES), 'propertyValues')
      for (let child = tape.first(values); child !== NONE; child = tape.after(values, child)) {
        const value = payload.object(tape.find(payload.object(child, 'a value'), VALUE), 'value')
        time(tape.find(child, TIMESTAMP))
        const quality = textAt(child, QUALITY_NAME)
        payload.out.mark(quality === 'BAD' ? QUALITY.bad : quality === 'UNCERTAIN' ? QUALITY.uncertain : undefined)
        // One of doubleValue, integerValue, booleanValue, stringValue; others are null.
        for (let name = tape.first(value); name !== NONE; name = tape.after(value, name))
          payload.value(tape.valueOf(name))
      }
    }

    return (message, out) => {
      payload.read(message, out)
      const entries = tape.isList(0) ? 0 : tape.find(payload.object(0, 'the payload'), ENTRIES)
      if (entries === NONE) {
        property(0)
        return
      }
      payload.list(entries, 'entries')
      for (let child = tape.first(entries); child !== NONE; child = tape.after(entries, child))
        property(payload.object(child, 'an entry'))
    }
  },
})
