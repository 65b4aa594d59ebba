// Messages of devices to OTLP over gRPC: 5 points and 280 bytes of JSON each, on one connection; items are points.
//
//   mqtt/json-points-qos0         as fast as the router takes them
//   mqtt/json-points-qos1         acknowledged when the next hop has answered; in the notes messages per second
//   mqtt/json-points-qos1-iso     the same with times in ISO 8601
//   mqtt/sparkplug-alias          Sparkplug B: data of 200 edge nodes by alias, QoS 0
//   mqtt/devices-20000            20,000 devices of ten points, as fast as the router takes them
//   mqtt/devices-20000-paced      the same once a second, all at the same moment: memory, as a plant needs it
//   mqtt/slow-exporter            QoS 1, the receiver alone, each batch delivered after 5 ms: messages per second

import { parseConfig } from '../../src/config/testing.ts'
import { systemClock } from '../../src/graph/clock.ts'
import type { Output } from '../../src/graph/component.ts'
import { factory } from '../../src/receivers/mqtt/factory.ts'
import { rig } from '../../test/support/harness.ts'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import type { BlasterOptions } from '../rig/mqtt-blaster.ts'
import { BlasterProcess, freePort, pause, RouterProcess, SinkProcess } from '../rig/processes.ts'

const WARM_UP_MESSAGES = 200_000
const ROUND_MESSAGES = 400_000
const PACED_SECONDS = 20
const EXPORT_MS = 5
const DRAIN_MS = 60_000

type Asked = Pick<BlasterOptions, 'qos' | 'sparkplug'>

const topics = ({ qos, sparkplug }: Asked): string =>
  sparkplug === true
    ? '{topic: "spBv1.0/#", decoder: sparkplug_b}'
    : `{topic: "devices/{device_id}/data", decoder: json_points, qos: ${qos}}`

export const mqttGatewayFile = (
  brokerPort: number,
  sinkPort: number,
  blast: Asked,
  metricsPort: number,
): string => `receivers:
  mqtt:
    brokers: [mqtt://127.0.0.1:${brokerPort}]
    protocol_version: 5
    topics: [${topics(blast)}]
exporters:
  otlp_grpc: {endpoint: 127.0.0.1:${sinkPort}, compression: none, tls: {insecure: true}, sending_queue: {enabled: false}}
service:
  telemetry:
    logs: {level: warn}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}}}}}]}
  pipelines:
    metrics: {receivers: [mqtt], exporters: [otlp_grpc]}
`

async function measure(
  name: string,
  blast: BlasterOptions,
  { rounds }: MeasureOptions,
  isPaced = false,
): Promise<BenchResult[]> {
  const { points = 5 } = blast
  const sink = await new SinkProcess({ signal: 'metrics' }).start()
  const broker = new BlasterProcess()
  const router = new RouterProcess()
  try {
    const port = await broker.open(blast)
    const subscribed = broker.subscribed()
    await router.start(mqttGatewayFile(port, sink.grpcPort, blast, await freePort()), async () => {
      await subscribed
      return true
    })
    // Of Sparkplug each node has sent its birth: its metrics, and that it is there.
    let expected = blast.sparkplug === true ? blast.devices * (points + 1) : 0
    const run = async (messages: number): Promise<{ items: number; cpu: number; perSecond: number }> => {
      const before = router.usage().cpuSeconds
      const sent = await broker.go(messages)
      expected += sent.messages * points
      const { items } = await sink.settled(expected, DRAIN_MS)
      if (items !== expected) throw new Error(`${expected} points were sent, ${items} came`)
      const cpu = router.usage().cpuSeconds - before
      return { items: sent.messages * points, cpu, perSecond: sent.messages / (sent.wallMs / 1000) }
    }
    const all = []
    if (isPaced) {
      const from = performance.now()
      for (let second = 1; second <= PACED_SECONDS; second++) {
        all.push(await run(blast.devices))
        await pause(Math.max(0, from + second * 1000 - performance.now()))
      }
    } else {
      await run(WARM_UP_MESSAGES)
      for (let round = 0; round < Math.min(3, rounds); round++) all.push(await run(ROUND_MESSAGES))
    }
    ;(await import('node:fs')).writeFileSync('/tmp/mf6-gc.txt', router.output)
    return [
      {
        name,
        items: all.reduce((sum, { items }) => sum + items, 0),
        cpuSecondsPerMillionItems: median(all.map(({ cpu, items }) => (cpu / items) * 1e6)),
        itemsPerSecond: median(all.map(({ perSecond }) => perSecond * points)),
        peakRssBytes: router.usage().peakRssBytes,
        notes: { 'messages/s': Math.round(median(all.map(({ perSecond }) => perSecond))) },
      },
    ]
  } finally {
    broker.stop()
    await router.stop()
    sink.stop()
  }
}

/** Delivers every batch, after a while. */
const slow: Output = { send: (batch) => void setTimeout(() => batch.delivery.deliver(), EXPORT_MS) }

async function measureSlow(name: string, { rounds }: MeasureOptions): Promise<BenchResult[]> {
  const broker = new BlasterProcess()
  const port = await broker.open({ qos: 1, devices: 200 })
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${port}`],
    protocol_version: 5,
    topics: [{ topic: 'devices/{device_id}/data', decoder: 'json_points' }],
  })
  const context = { ...rig().context('receiver', 'mqtt'), clock: systemClock, outputs: { metrics: slow } }
  const receiver = await factory.create(cfg, context)
  try {
    const subscribed = broker.subscribed()
    await receiver.start?.()
    await subscribed
    await broker.go(WARM_UP_MESSAGES)
    const rates: number[] = []
    for (let round = 0; round < Math.min(3, rounds); round++) {
      const { messages, wallMs } = await broker.go(ROUND_MESSAGES)
      rates.push(messages / (wallMs / 1000))
    }
    const items = rates.length * ROUND_MESSAGES * 5
    return [{ name, items, itemsPerSecond: median(rates) * 5, notes: { 'messages/s': Math.round(median(rates)) } }]
  } finally {
    await receiver.stop?.(AbortSignal.timeout(1_000))
    broker.stop()
  }
}

const mqttCase = (name: string, options: BlasterOptions, isPaced = false) =>
  measured({ name, measure: (measuring) => measure(name, options, measuring, isPaced) })

export default [
  mqttCase('mqtt/json-points-qos0', { qos: 0, devices: 200 }),
  mqttCase('mqtt/json-points-qos1', { qos: 1, devices: 200 }),
  mqttCase('mqtt/json-points-qos1-iso', { qos: 1, devices: 200, isoTime: true }),
  mqttCase('mqtt/sparkplug-alias', { qos: 0, devices: 200, sparkplug: true }),
  mqttCase('mqtt/devices-20000', { qos: 1, devices: 20_000, points: 10 }),
  mqttCase('mqtt/devices-20000-paced', { qos: 1, devices: 20_000, points: 10 }, true),
  measured({ name: 'mqtt/slow-exporter', measure: (options) => measureSlow('mqtt/slow-exporter', options) }),
]
