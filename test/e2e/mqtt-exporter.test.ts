// The mqtt exporter and real brokers: what an exporter has accepted reaches who subscribes, whatever is killed meanwhile.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { connectAsync } from 'mqtt'
import { parseConfig } from '../../src/config/testing.ts'
import { factory } from '../../src/exporters/mqtt/factory.ts'
import { factory as brokerFactory } from '../../src/extensions/mqtt_broker/factory.ts'
import { systemClock } from '../../src/graph/clock.ts'
import type { Exporter } from '../../src/graph/component.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { factory as receiverFactory } from '../../src/receivers/mqtt/factory.ts'
import { certs } from '../support/certs.ts'
import { batchOf, type Fate, type Rig, rig, sink, witness } from '../support/harness.ts'
import { mosquitto, mosquittoMissing } from '../support/mosquitto.ts'
import { freePorts, startProcess } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const skip = mosquittoMissing()

interface Publishing extends Rig {
  readonly exporter: Exporter
  push(request: object): Fate
}

async function publish(t: TestContext, broker: string, more: object = {}): Promise<Publishing> {
  const base = rig()
  const cfg = parseConfig(factory.config, {
    brokers: [broker],
    topic: 'devices/%{resource.attributes.device.id}/data',
    reconnect: { initial_interval: '20ms', max_interval: '100ms' },
    retry_on_failure: { initial_interval: '20ms', max_interval: '100ms', max_elapsed_time: 0 },
    ...more,
  })
  const context = { ...base.context('exporter', 'mqtt'), clock: systemClock, signals: ['metrics', 'logs'] as const }
  const exporter = factory.create(cfg, context)
  t.after(() => exporter.stop?.(AbortSignal.abort()))
  await exporter.start?.()
  return {
    ...base,
    exporter,
    push(request) {
      const { delivery, fate } = witness()
      exporter.export(batchOf('metrics', request, delivery))
      return fate
    },
  }
}

/** One reading of each of four devices, numbered. */
const readings = (value: number): object => ({
  resourceMetrics: [0, 1, 2, 3].map((device) => ({
    resource: { attributes: [{ key: 'device.id', value: { stringValue: `d${device}` } }] },
    scopeMetrics: [
      {
        metrics: [
          {
            name: 'count',
            unit: '1',
            gauge: { dataPoints: [{ timeUnixNano: '1767225600123000000', asDouble: value }] },
          },
        ],
      },
    ],
  })),
})

/** What arrives, by topic, in order. */
async function subscriber(t: TestContext, port: number): Promise<Map<string, number[]>> {
  const byTopic = new Map<string, number[]>()
  const options = { clean: false, clientId: 'subscriber', protocolVersion: 4, reconnectPeriod: 20 } as const
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, options)
  t.after(() => client.endAsync(true))
  client.on('error', () => {})
  client.on('message', (topic, payload) => {
    const list = byTopic.get(topic) ?? []
    byTopic.set(topic, list)
    list.push(JSON.parse(String(payload)).metrics[0].value)
  })
  await client.subscribeAsync('devices/+/data', { qos: 2 })
  return byTopic
}

const distinct = (byTopic: ReadonlyMap<string, number[]>): number =>
  [...byTopic.values()].reduce((sum, list) => sum + new Set(list).size, 0)

for (const version of [5, '3.1.1'])
  for (const qos of [0, 1, 2] as const)
    test(`mosquitto, MQTT ${version}, QoS ${qos}: all that is exported arrives once, in order of each topic`, {
      skip,
    }, async (t) => {
      const [port] = await freePorts(1)
      const broker = await mosquitto(t, port!)
      const byTopic = await subscriber(t, broker.port)
      const { push } = await publish(t, `127.0.0.1:${broker.port}`, { protocol_version: version, qos })
      const fates = Array.from({ length: 200 }, (_, i) => push(readings(i)))
      await until(() => fates.every(({ delivered }) => delivered) && distinct(byTopic) === 800)
      const all = Array.from({ length: 200 }, (_, i) => i)
      for (const device of [0, 1, 2, 3]) assert.deepEqual(byTopic.get(`devices/d${device}/data`), all)
    })

for (const qos of [1, 2] as const)
  test(`mosquitto, QoS ${qos}: the broker is killed and started again meanwhile, and nothing is lost`, {
    skip,
  }, async (t) => {
    const [port] = await freePorts(1)
    const broker = await mosquitto(t, port!)
    const byTopic = await subscriber(t, broker.port)
    const { push, metric } = await publish(t, `127.0.0.1:${broker.port}`, { qos, timeout: '200ms' })
    const fates: Fate[] = []
    for (let round = 0; round < 4; round++) {
      for (let i = 0; i < 100; i++) fates.push(push(readings(round * 100 + i)))
      if (round % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 10))
      await broker.stop()
      await broker.start()
    }
    await until(() => fates.every(({ delivered }) => delivered), 30_000)
    await until(() => distinct(byTopic) === 1600, 30_000)
    assert.ok(metric('exporter_mqtt_connections')! > 1)
    assert.equal(metric('exporter_sent_metric_points'), 1600)
  })

test('mosquitto: mqtts with a client certificate, ws and wss', { skip }, async (t) => {
  const [plain, tls, ws, wss] = await freePorts(4)
  const certificate = [`cafile ${certs.caFile}`, `certfile ${certs.server.certFile}`, `keyfile ${certs.server.keyFile}`]
  const broker = await mosquitto(t, plain!, [
    'user root',
    `listener ${tls} 127.0.0.1`,
    ...certificate,
    'require_certificate true',
    `listener ${ws} 127.0.0.1`,
    'protocol websockets',
    `listener ${wss} 127.0.0.1`,
    'protocol websockets',
    ...certificate,
  ])
  const byTopic = await subscriber(t, broker.port)
  const mutual = { ca_file: certs.caFile, cert_file: certs.client.certFile, key_file: certs.client.keyFile }
  const ways: [string, object][] = [
    [`mqtts://localhost:${tls}`, mutual],
    [`ws://127.0.0.1:${ws}/mqtt`, {}],
    [`wss://localhost:${wss}`, { ca_file: certs.caFile }],
  ]
  for (const [i, [address, section]] of ways.entries()) {
    const { push } = await publish(t, address, { tls: section, client_id: `way-${i}` })
    push(readings(i))
    await until(() => distinct(byTopic) === 4 * (i + 1))
  }
})

test('a broker that knows no MQTT 5 is spoken to in 3.1.1: the embedded one', async (t) => {
  const base = rig()
  const extension = brokerFactory.create(parseConfig(brokerFactory.config, { tcp: { endpoint: '127.0.0.1:0' } }), {
    ...base.context('extension', 'mqtt_broker'),
    shard: { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] },
  })
  t.after(() => extension.stop?.(AbortSignal.abort()))
  await extension.start?.()
  const endpoint = base.logs.find(({ message }) => message.endsWith(' listens.'))!.fields.endpoint as string
  const byTopic = await subscriber(t, Number(endpoint.split(':').at(-1)))
  const { push } = await publish(t, endpoint)
  const fate = push(readings(1))
  await until(() => fate.delivered && distinct(byTopic) === 4)
})

test('mosquitto: what the exporter writes as points the receiver reads back equal', { skip }, async (t) => {
  const [port] = await freePorts(1)
  const broker = await mosquitto(t, port!)
  const base = rig()
  const out = sink('deliver')
  const cfg = parseConfig(receiverFactory.config, {
    brokers: [`127.0.0.1:${broker.port}`],
    topics: [{ topic: 'devices/{device_id}/data', decoder: 'json_points', counters: ['part_count'] }],
  })
  const receiver = await receiverFactory.create(cfg, {
    ...base.context('receiver', 'mqtt'),
    clock: systemClock,
    outputs: { metrics: out },
  })
  t.after(() => receiver.stop?.(AbortSignal.abort()))
  await receiver.start?.()
  await until(() => base.metric('receiver_mqtt_connected') === 1)
  const { push } = await publish(t, `127.0.0.1:${broker.port}`)
  const values = [20.5, -0.25, 1e-7, 123456789.125, 0]
  // The receiver does not believe times that are far from now.
  const time = `${Date.now() - 1000}000000`
  const device = { key: 'device.id', value: { stringValue: 'cnc-01' } }
  const gauges = (names: readonly string[]): object => ({
    resourceMetrics: [
      {
        resource: { attributes: [device] },
        scopeMetrics: [
          {
            metrics: names.map((name, i) => ({
              name,
              unit: 'Cel',
              gauge: { dataPoints: [{ timeUnixNano: time, asDouble: values[i] }] },
            })),
          },
        ],
      },
    ],
  })
  const arrived = (): unknown[][] =>
    out.sent
      .flatMap((batch) => JSON.parse(bytesToJson('metrics', batch.parts)).resourceMetrics)
      .flatMap(({ resource, scopeMetrics }) =>
        scopeMetrics[0].metrics.map(
          ({ name, unit, gauge }: { name: string; unit: string; gauge: { dataPoints: object[] } }) => {
            const { timeUnixNano, asDouble } = gauge.dataPoints[0] as { timeUnixNano: string; asDouble: number }
            return [resource.attributes[0], name, unit, timeUnixNano, asDouble]
          },
        ),
      )
  // The receiver's subscription may stand a moment later than its connection.
  await until(async () => {
    push(gauges(['probe']))
    await new Promise((resolve) => setTimeout(resolve, 50))
    return out.sent.length > 0
  })
  const names = values.map((_, i) => `größe "${i}"`)
  push(gauges(names))
  const own = (): unknown[][] => arrived().filter(([, name]) => name !== 'probe')
  await until(() => own().length >= values.length)
  assert.deepEqual(
    own(),
    values.map((value, i) => [device, names[i], 'Cel', time, value]),
  )
})

test('a command that an MES posts over OTLP/HTTP reaches the machine that it names, and no other', async (t) => {
  const [broker, http, metrics] = await freePorts(3)
  const config = new URL('../../configs/mqtt-commands.yaml', import.meta.url).pathname
  const sets = [
    `extensions.mqtt_broker.tcp.endpoint=127.0.0.1:${broker}`,
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${http}`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]`,
  ]
  const env = { MQTT_BROKER: `mqtt://127.0.0.1:${broker}` }
  const router = startProcess(t, ['--config', config, ...sets.flatMap((set) => ['--set', set])], env)
  await router.until('Everything is ready')
  const got: string[] = []
  const machine = await connectAsync(`mqtt://127.0.0.1:${broker}`, { protocolVersion: 4 })
  t.after(() => machine.endAsync(true))
  machine.on('message', (topic, payload) => got.push(`${topic} ${payload}`))
  await machine.subscribeAsync('devices/+/control', { qos: 1 })
  const attribute = (key: string, stringValue: string): object => ({ key, value: { stringValue } })
  const logRecords = [
    { attributes: [attribute('device.id', 'cnc-01'), attribute('command', 'stop')] },
    { attributes: [attribute('command', 'stop')] },
  ]
  const answer = await fetch(`http://127.0.0.1:${http}/v1/logs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }),
  })
  assert.equal(answer.status, 200)
  await until(() => got.length > 0)
  assert.deepEqual(got, ['devices/cnc-01/control {"device.id":"cnc-01","command":"stop"}'])
  assert.equal(await router.stop(), 0, router.said())
})
