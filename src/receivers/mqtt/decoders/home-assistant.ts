// Devices that announce themselves by Home Assistant's discovery: one decoder for what they announce and for their states.
//
//   homeassistant/sensor/press1/temp/config   {"state_topic": "press1/state", "value_template": "{{ value_json.temp }}",
//                                              "unit_of_measurement": "°C", "state_class": "measurement", ...}
//   press1/state                              {"temp": 71.2}
//
// Names, units and kinds (gauge, counter) come from the announcement. A state that nobody has announced is unknown; the
// announcements are retained, so they come first after a subscription.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { JSON_KIND, Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder } from './decoder.ts'
import type { Entity } from './discovery.ts'
import { Payload } from './payload.ts'

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
/** Home Assistant's words for no state. */
const NO_STATE: ReadonlySet<string> = new Set(['', 'None', 'unknown', 'unavailable'])

export const homeAssistant = defineDecoder({
  name: 'home_assistant',
  summary: "Home Assistant's discovery messages, and the states of what they announced, with units and kinds.",
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload
    const names = new Map<string, Name>()

    function walk(path: readonly string[]): number {
      let node = 0
      for (const step of path) {
        let name = names.get(step)
        if (name === undefined) {
          name = new Name(step)
          names.set(step, name)
        }
        if (tape.isList(node)) {
          let child = tape.first(node)
          for (let i = Number(step); i > 0 && child !== NONE; i--) child = tape.after(node, child)
          node = child
        } else node = tape.find(node, name)
        if (node === NONE) return NONE
      }
      return node
    }

    function text(entity: Entity, written: string): void {
      if (NO_STATE.has(written)) return
      const number = entity.words.get(written) ?? (NUMBER.test(written) ? Number(written) : undefined)
      if (number === undefined) payload.text(written, entity.unit)
      else payload.number(number, entity.unit)
    }

    return (message, out) => {
      const { bytes, from, to, topic } = message
      const written = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString()
      if (topic.endsWith('/config')) {
        context.discovery.learn(topic, written)
        return
      }
      const entities = context.discovery.on(topic)
      if (entities === undefined) throw new BadPayload('unknown', 'a state that no discovery message has announced')
      let isRead = false
      for (const entity of entities) {
        if (entity.path === undefined) continue
        if (entity.device === undefined) out.topicDevice()
        else {
          const id = Buffer.from(entity.device)
          out.device(id, 0, id.length)
        }
        payload.message = message
        payload.out = out
        out.kind = entity.kind
        if (entity.path.length === 0) {
          payload.nameIs(Buffer.from(entity.name))
          text(entity, written.trim())
          continue
        }
        if (!isRead) {
          payload.read(message, out)
          payload.usualTime(0)
          isRead = true
        }
        payload.nameIs(Buffer.from(entity.name))
        const node = walk(entity.path)
        if (node === NONE) continue
        if (tape.isText(node)) text(entity, tape.text(node))
        else if (tape.kind(node) === JSON_KIND.NUMBER || tape.isNumeric(node)) payload.value(node, entity.unit)
      }
    }
  },
})
