// What a reading costs from the payload of its message to OTLP bytes: five readings a message, two hundred devices.

import { parseConfig } from '../../src/config/testing.ts'
import { Metrics, Naming, PLAIN_NAMING } from '../../src/readings/naming.ts'
import { Readings } from '../../src/readings/readings.ts'
import { Sources } from '../../src/readings/sources.ts'
import { Stream } from '../../src/readings/stream.ts'
import { DEFAULT_TIME_RULES } from '../../src/readings/timestamps.ts'
import { pathsConfig } from '../../src/receivers/mqtt/decoders/config.ts'
import { type DecoderContext, type Message, plainContext } from '../../src/receivers/mqtt/decoders/decoder.ts'
import { findDecoder } from '../../src/receivers/mqtt/decoders/decoders.ts'
import { PayloadTimes } from '../../src/receivers/mqtt/event-times.ts'
import { encodeSparkplug } from '../../test/support/sparkplug.ts'
import { SparkplugRig } from '../../test/support/sparkplug-reader.ts'
import { bench } from './harness.ts'

const MESSAGES = 1000
const NAMES = ['temperature', 'vibration', 'spindle_speed', 'power', 'part_count']
const UNITS = ['C', 'mm/s', 'rpm', 'kW', '1']
const NODES = 200
const NOW_MS = 1_767_225_600_000

const reading = (message: number, place: number): number => Number((20 + place * 10 + (message % 97) / 7).toFixed(2))
const byName = (i: number): Record<string, number> => Object.fromEntries(NAMES.map((name, k) => [name, reading(i, k)]))
const timeOf = (i: number): number => NOW_MS - 10_000 + i

const unitOf = (text: string) => ({ keys: ['engUnit'], values: [{ type: 12, string_value: text }] })

/** A message as a device writes it. */
type Make = (i: number) => unknown

const jsonPoints: Make = (i) => ({
  device_id: `cnc-${i % 200}`,
  timestamp: timeOf(i),
  metrics: NAMES.map((name, k) => ({ name, value: reading(i, k), unit: UNITS[k] })),
})
const nested: Make = (i) => ({
  device_id: `cnc-${i % 200}`,
  timestamp: timeOf(i),
  machine: { spindle: { temperature: reading(i, 0), vibration: reading(i, 1), speed: reading(i, 2) } },
  energy: { power: reading(i, 3) },
  parts: { count: reading(i, 4) },
})
const points: Make = (i) => ({
  header: { at: timeOf(i), machine: `cnc-${i % 200}` },
  data: { points: NAMES.map((tag, k) => ({ tag, v: reading(i, k), eu: UNITS[k] })) },
})
const kepware: Make = (i) => ({
  timestamp: timeOf(i),
  values: NAMES.map((name, k) => ({ id: `Line1.Press1.${name}`, v: reading(i, k), q: true, t: timeOf(i) })),
})
const lines = (i: number): string =>
  `machine,device_id=cnc-${i % 200},line=north ${Object.entries(byName(i))
    .map(([name, value]) => `${name}=${value}`)
    .join()} ${timeOf(i)}000000`

function ofForm(name: string, decoder: string, make: Make, context: Partial<DecoderContext> = {}) {
  const payloads = Array.from({ length: MESSAGES }, (_, i) => {
    const made = make(i)
    return new Uint8Array(Buffer.from(typeof made === 'string' ? made : JSON.stringify(made)))
  })
  return bench({
    name: `payloads/${name}`,
    items: MESSAGES * NAMES.length,
    bytes: payloads.reduce((sum, { length }) => sum + length, 0),
    setup: () => {
      const sources = new Sources({ maxSources: 1000, maxSeries: 10_000, onFull: () => {} })
      const naming = new Naming(new Metrics(), PLAIN_NAMING)
      const streams = new Map<string, Stream>()
      const own = new Stream(sources, [], naming)
      const out = new Readings({
        scope: 'bench',
        sources,
        takesMetrics: true,
        takesLogs: true,
        device: (bytes, from, to) => {
          const id = Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString('latin1')
          let stream = streams.get(id)
          if (stream === undefined) {
            stream = new Stream(sources, [['device.id', id]], naming)
            streams.set(id, stream)
          }
          return stream
        },
      })
      const decode = findDecoder(decoder)!.create({ ...plainContext(), ...context })
      const times = new PayloadTimes(DEFAULT_TIME_RULES)
      const message = {
        bytes: new Uint8Array(0),
        from: 0,
        to: 0,
        topic: 'devices/data',
        ownName: Buffer.from('data'),
        retain: false,
        receivedMs: NOW_MS,
        contentType: undefined,
        userProperty: () => undefined,
        times,
      } satisfies Message
      return (): number => {
        for (const payload of payloads) {
          message.bytes = payload
          message.to = payload.length
          out.begin(own, NOW_MS)
          times.begin(NOW_MS)
          decode(message, out)
        }
        return out.metrics.take()?.length ?? 0
      }
    },
    run: (readAll) => readAll(),
  })
}

/** Data of two hundred edge nodes, by alias, as a birth has named them. */
function sparkplugCase() {
  const metric = (k: number, i: number, named: boolean): Record<string, unknown> => ({
    ...(named ? { name: NAMES[k], datatype: 10, properties: unitOf(UNITS[k]!) } : {}),
    alias: k,
    timestamp: timeOf(i),
    double_value: reading(i, k),
  })
  const payload = (i: number, seq: number, named: boolean): Uint8Array =>
    new Uint8Array(
      encodeSparkplug({ timestamp: timeOf(i), seq, metrics: NAMES.map((_name, k) => metric(k, i, named)) }),
    )
  const births = Array.from({ length: NODES }, (_, i) => payload(i, 0, true))
  // Each node sends one after the other; the sequence begins anew with every round of the case.
  const payloads = Array.from({ length: MESSAGES }, (_, i) => payload(i, 1 + Math.floor(i / NODES), false))
  return bench({
    name: 'payloads/sparkplug_b by alias',
    items: MESSAGES * NAMES.length,
    bytes: payloads.reduce((sum, { length }) => sum + length, 0),
    setup: () => {
      const rig = new SparkplugRig()
      const entries = births.map((birth, i) => {
        rig.send(`NBIRTH/n${i}`, birth)
        return rig.entry(`NDATA/n${i}`)
      })
      rig.taken()
      return (): number => {
        for (const node of rig.reader.nodes.values()) node.sequence.last = 0
        for (const [i, bytes] of payloads.entries())
          rig.reader.take(entries[i % NODES]!, bytes, 0, bytes.length, NOW_MS, false)
        return rig.out.metrics.take()?.length ?? 0
      }
    },
    run: (readAll) => readAll(),
  })
}

export default [
  ofForm('json_points', 'json_points', jsonPoints),
  ofForm('json', 'json', nested),
  ofForm('json by paths', 'json', points, {
    paths: parseConfig(pathsConfig, {
      points: 'data.points',
      name: 'tag',
      value: 'v',
      unit: 'eu',
      time: '$.header.at',
      device: '$.header.machine',
    }),
  }),
  ofForm('thingsboard', 'thingsboard', (i) => ({ ts: timeOf(i), values: byName(i) })),
  ofForm('kepware', 'kepware', kepware),
  ofForm('influx_line', 'influx_line', lines),
  ofForm('auto', 'auto', jsonPoints),
  sparkplugCase(),
]
