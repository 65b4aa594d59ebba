// Heartbeats, last wills and status messages: whether a device is there, and what it is doing.
//
//   online | Offline | true | 1 | connected ...        the whole payload, as wills have it
//   {"state": "online"}                                Zigbee2MQTT, Home Assistant
//   {"device_id": "cnc-01", "status": "Running", "timestamp": ISO}
//   {"device_id": "cnc-01", "last_heartbeat": ISO}, {}  a heartbeat
//
// A metric `manufacturing.device.up`, 1 or 0, and where a state of work is named `manufacturing.machine.status`: a
// level for each state, 1 for the one that holds and 0 for the others (OpenTelemetry's pattern for states). A device
// whose state is another than before is an event: `manufacturing.device.online`, `manufacturing.device.offline`,
// `manufacturing.machine.state_changed`.

import { isUtf8 } from 'node:buffer'
import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { SEVERITY } from '../../../readings/log-entry.ts'
import { KIND } from '../../../readings/naming.ts'
import { defineDecoder } from './decoder.ts'
import { type Attributes, Payload } from './payload.ts'

const UP: ReadonlySet<string> = new Set(['online', 'true', '1', 'on', 'up', 'connected', 'alive', 'available', 'ready'])
const DOWN: ReadonlySet<string> = new Set([
  'offline',
  'false',
  '0',
  'off',
  'down',
  'disconnected',
  'lost',
  'dead',
  'unavailable',
])
/** States of work, and what plants call them. */
const MACHINE: Readonly<Record<string, string>> = {
  idle: 'idle',
  standby: 'idle',
  running: 'running',
  run: 'running',
  execute: 'running',
  producing: 'running',
  maintenance: 'maintenance',
  error: 'error',
  fault: 'error',
  faulted: 'error',
  alarm: 'error',
  stopped: 'stopped',
  setup: 'setup',
}
const STATES = ['idle', 'running', 'maintenance', 'error', 'stopped', 'setup', 'offline', 'other'] as const
const STATE_MARKS: readonly Attributes[] = STATES.map((state) => [['manufacturing.machine.state', state]])
const STATUS_NAMES = ['status', 'state', 'value'].map((text) => new Name(text))
const HEARTBEAT = new Name('last_heartbeat')
const UP_METRIC = 'manufacturing.device.up'
const STATUS_METRIC = 'manufacturing.machine.status'
const TEXT_MAX_BYTES = 256
const DEVICES_MAX = 100_000

interface Liveness {
  isUp: boolean | undefined
  /** As the device wrote it. */
  state: string | undefined
}

export const status = defineDecoder({
  name: 'status',
  summary:
    'Heartbeats, last wills and status messages: whether a device is up and what it does, as metrics and events.',
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload
    // By device, or by topic where the payload names none: whether it was up, and the state of work that came last.
    const last = new Map<string, Liveness>()

    function lastOf(device: string): Liveness {
      let known = last.get(device)
      if (known === undefined) {
        if (last.size >= DEVICES_MAX) last.clear()
        known = { isUp: undefined, state: undefined }
        last.set(device, known)
      }
      return known
    }

    function up(isUp: boolean): void {
      payload.out.kind = KIND.GAUGE
      payload.out.readingOf(UP_METRIC, '1', isUp ? 1 : 0)
      payload.out.kind = KIND.DEFAULT
    }

    function machine(state: string): void {
      payload.out.kind = KIND.LEVEL
      for (const [i, name] of STATES.entries()) {
        payload.out.mark(STATE_MARKS[i])
        payload.out.readingOf(STATUS_METRIC, '1', name === state ? 1 : 0)
      }
      payload.out.mark(undefined)
      payload.out.kind = KIND.DEFAULT
    }

    function say(device: string, written: string): void {
      const word = written.trim().toLowerCase()
      const known = lastOf(device)
      const isUp = !DOWN.has(word)
      if (!isUp) payload.out.gone()
      presence(known, isUp)
      if (UP.has(word)) return
      // A plug that is offline is no machine: it has never had a state of work.
      if (!isUp && known.state === undefined) return
      const state = isUp ? (MACHINE[word] ?? 'other') : 'offline'
      machine(state)
      if (!isUp || known.state === word) return
      known.state = word
      payload.out.log({
        body: `the state is ${written.trim()}`,
        event: 'manufacturing.machine.state_changed',
        severity: state === 'error' ? SEVERITY.ERROR : SEVERITY.INFO,
        attributes: [['manufacturing.machine.state', state]],
      })
    }

    function presence(known: Liveness, isUp: boolean): void {
      up(isUp)
      if (known.isUp === isUp) return
      known.isUp = isUp
      payload.out.log({
        body: isUp ? 'the device is online' : 'the device is offline',
        event: isUp ? 'manufacturing.device.online' : 'manufacturing.device.offline',
        severity: isUp ? SEVERITY.INFO : SEVERITY.WARN,
      })
    }

    return (message, out) => {
      const { bytes, from, to, topic } = message
      const payloadText = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from)
      if (!isUtf8(payloadText)) throw new BadPayload('not_utf8', 'the status is not UTF-8')
      const written = payloadText.toString().trim()
      payload.message = message
      payload.out = out
      if (!written.startsWith('{')) {
        if (written === '' || payloadText.length > TEXT_MAX_BYTES)
          throw new BadPayload('wrong_shape', 'a status is one word')
        say(topic, written.replace(/^"(.*)"$/, '$1'))
        return
      }
      payload.read(message, out)
      payload.usualDevice(0)
      if (!payload.usualTime(0)) payload.time(tape.find(0, HEARTBEAT))
      for (const name of STATUS_NAMES) {
        const node = tape.find(0, name)
        if (node === NONE || tape.isObject(node) || tape.isList(node)) continue
        say(payload.deviceText(0) ?? topic, tape.text(node))
        return
      }
      // A heartbeat says that the device is there.
      say(payload.deviceText(0) ?? topic, 'online')
    }
  },
})
