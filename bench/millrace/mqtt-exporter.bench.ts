// Encoded OTLP metrics to messages of devices: the mqtt exporter alone, in the process that measures itself, and a broker
// in another that acknowledges at once. Requests of 100 devices with five points each; a message has the five points of a
// device. Items are points.
//
//   mqtt-out/json-points-qos0     as fast as the socket takes them
//   mqtt-out/json-points-qos1     as fast as they are acknowledged

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { factory } from '../../src/exporters/mqtt/factory.ts'
import { systemClock } from '../../src/graph/clock.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { rig } from '../../test/support/harness.ts'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { MqttSinkProcess } from '../rig/processes.ts'

const DEVICES = 100
const POINTS = 5
const REQUESTS = 20
const ROUND_REQUESTS = 2000
const WARM_UP_REQUESTS = 1000
/** Batches under way. */
const UNDER_WAY = 10
const FIRST_MS = 1_767_225_600_123
const NAMES = ['temperature', 'vibration', 'spindle_speed', 'power', 'part_count']
const UNITS = ['Cel', 'mm/s', '{rotation}/min', 'kW', '1']

function request(n: number): Uint8Array<ArrayBuffer> {
  const resourceMetrics = Array.from({ length: DEVICES }, (_, device) => ({
    resource: { attributes: [{ key: 'device.id', value: { stringValue: `cnc-${String(device).padStart(3, '0')}` } }] },
    scopeMetrics: [
      {
        metrics: NAMES.map((name, k) => ({
          name,
          unit: UNITS[k],
          gauge: {
            dataPoints: [
              { timeUnixNano: `${FIRST_MS + n}000000`, asDouble: +(20 + k * 10 + ((n + device) % 97) / 7).toFixed(2) },
            ],
          },
        })),
      },
    ],
  }))
  return jsonToBytes('metrics', JSON.stringify({ resourceMetrics }))
}

async function measure(name: string, qos: 0 | 1, { rounds }: MeasureOptions): Promise<BenchResult[]> {
  const sink = new MqttSinkProcess()
  const port = await sink.start()
  const requests = Array.from({ length: REQUESTS }, (_, n) => request(n))
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${port}`],
    protocol_version: 5,
    topic: 'devices/%{resource.attributes.device.id}/data',
    qos,
    sending_queue: { enabled: false },
  })
  const exporter = factory.create(cfg, {
    ...rig().context('exporter', 'mqtt'),
    clock: systemClock,
    signals: ['metrics'],
  })
  let sent = 0
  const run = (count: number): Promise<void> =>
    new Promise((resolve, reject) => {
      let left = count
      let open = 0
      const next = (): void => {
        while (left > 0 && open < UNDER_WAY) {
          left--
          open++
          const delivery = new Delivery({
            onAccepted: () => {},
            onDelivered: () => {
              open--
              if (left === 0 && open === 0) resolve()
              else if (open < UNDER_WAY / 2) next()
            },
            onRefused: reject,
          })
          exporter.export(new Batch('metrics', [requests[sent++ % REQUESTS]!], DEVICES * POINTS, delivery))
        }
      }
      next()
    })
  try {
    await exporter.start?.()
    await run(WARM_UP_REQUESTS)
    const all: { cpu: number; perSecond: number }[] = []
    const items = ROUND_REQUESTS * DEVICES * POINTS
    for (let round = 0; round < Math.min(3, rounds); round++) {
      const before = process.cpuUsage()
      const fromMs = performance.now()
      await run(ROUND_REQUESTS)
      const wallMs = performance.now() - fromMs
      const { user, system } = process.cpuUsage(before)
      all.push({ cpu: (user + system) / 1e6, perSecond: items / (wallMs / 1000) })
    }
    while ((await sink.messages()) < sent * DEVICES) await new Promise((resolve) => setTimeout(resolve, 10))
    return [
      {
        name,
        items: items * all.length,
        cpuSecondsPerMillionItems: median(all.map(({ cpu }) => (cpu / items) * 1e6)),
        itemsPerSecond: median(all.map(({ perSecond }) => perSecond)),
        notes: { 'messages/s': Math.round(median(all.map(({ perSecond }) => perSecond)) / POINTS) },
      },
    ]
  } finally {
    await exporter.stop?.(AbortSignal.timeout(1_000))
    sink.stop()
  }
}

const outCase = (name: string, qos: 0 | 1) => measured({ name, measure: (options) => measure(name, qos, options) })

export default [outCase('mqtt-out/json-points-qos0', 0), outCase('mqtt-out/json-points-qos1', 1)]
