// The mqtt receiver and a real broker: what the broker has taken arrives, whatever is killed meanwhile.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { Output, Receiver } from '../../src/graph/component.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { certs } from '../support/certs.ts'
import { ownDirectory } from '../support/disk.ts'
import { mosquitto, mosquittoMissing } from '../support/mosquitto.ts'
import { Publisher } from '../support/mqtt-broker.ts'
import { Delivered, publishAll, receiveFrom } from '../support/mqtt-delivered.ts'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startProcess } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const skip = mosquittoMissing()
const CONFIG = new URL('../../configs/mqtt-gateway.yaml', import.meta.url).pathname

const receive = async (...args: Parameters<typeof receiveFrom>): Promise<Receiver> =>
  (await receiveFrom(...args)).receiver

for (const version of [5, '3.1.1']) {
  for (const qos of [0, 1, 2] as const) {
    test(`mosquitto, MQTT ${version}, QoS ${qos}: all that is published arrives once, in order`, {
      skip,
    }, async (t) => {
      const [port] = await freePorts(1)
      const broker = await mosquitto(t, port!)
      const out = new Delivered()
      const topics = [{ topic: 'devices/{device_id}/data', decoder: 'json_points', qos }]
      await receive(t, broker.port, out, { protocol_version: version, topics })
      const publisher = await Publisher.connect(broker.port)
      t.after(() => publisher.close())
      publishAll(publisher, 250, qos)
      await until(() => out.distinct === 1000)
      assert.equal(out.repeats, 0)
      out.assertInOrder()
    })
  }
}

test('mosquitto: what is published while we are away, and over a restart of the broker, arrives', {
  skip,
}, async (t) => {
  const [port] = await freePorts(1)
  const broker = await mosquitto(t, port!)
  const out = new Delivered()
  const first = await receive(t, broker.port, out)
  await first.stop?.(AbortSignal.timeout(5_000))
  const before = await Publisher.connect(broker.port)
  publishAll(before, 100)
  await before.taken()
  before.close()
  await broker.stop()
  await broker.start()
  const second = await receive(t, broker.port, out)
  await until(() => out.distinct === 400)
  // The broker goes and comes back under a receiver that runs.
  await broker.stop()
  await broker.start()
  const after = await Publisher.connect(broker.port)
  t.after(() => after.close())
  publishAll(after, 100, 1, 100)
  await until(() => out.distinct === 800)
  out.assertInOrder()
  await second.stop?.(AbortSignal.timeout(5_000))
})

/** Passes bytes on, and cuts its connections when it is told to. */
async function cuttingProxy(t: TestContext, to: number): Promise<{ port: number; cut(): void }> {
  const pairs = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1')
    client.setNoDelay(true)
    upstream.setNoDelay(true)
    for (const [a, b] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      pairs.add(a)
      a.pipe(b)
      a.on('error', () => {})
      a.on('close', () => {
        pairs.delete(a)
        b.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const cut = (): void => {
    for (const socket of pairs) socket.destroy()
  }
  t.after(async () => {
    cut()
    server.close()
    await once(server, 'close')
  })
  return { port: (server.address() as { port: number }).port, cut }
}

for (const qos of [1, 2] as const) {
  test(`mosquitto, QoS ${qos}: with connections that are cut at any moment nothing is lost, and order is kept`, {
    skip,
  }, async (t) => {
    const [port] = await freePorts(1)
    const broker = await mosquitto(t, port!)
    const proxy = await cuttingProxy(t, broker.port)
    let seed = 7
    const random = (): number => (seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32
    const out = new Delivered(() => 5)
    const topics = [{ topic: 'devices/{device_id}/data', decoder: 'json_points', qos }]
    await receive(t, proxy.port, out, { topics })
    const publisher = await Publisher.connect(broker.port)
    t.after(() => publisher.close())
    for (let round = 0; round < 15; round++) {
      publishAll(publisher, 50, qos, round * 50)
      // Of a connection that is cut before it has carried anything new, mosquitto 2.0.11 forgets which PUBRELs it owed, and
      // publishes those messages once more.
      const before = out.distinct
      await until(() => out.distinct > before)
      await new Promise((resolve) => setTimeout(resolve, random() * 60))
      proxy.cut()
    }
    await publisher.taken()
    await until(() => out.distinct === 3000)
    out.assertInOrder()
    // With QoS 2 what is on its way while a connection is lost is known by its packet id.
    if (qos === 2) assert.equal(out.repeats, 0)
  })
}

test('mosquitto: a receiver that is killed and comes back gets what it had not delivered', { skip }, async (t) => {
  const [port] = await freePorts(1)
  const broker = await mosquitto(t, port!)
  const lost = new Delivered(() => 1e9)
  const arrived = new Delivered()
  const probeSees = new Delivered()
  const switching = { byDevice: probeSees.byDevice, send: (batch: Batch) => target.send(batch) }
  let target: Output = probeSees
  const killed = await receive(t, broker.port, switching)
  target = lost
  const publisher = await Publisher.connect(broker.port)
  t.after(() => publisher.close())
  publishAll(publisher, 100)
  await publisher.taken()
  await killed.stop?.(AbortSignal.abort())
  await receive(t, broker.port, arrived)
  await until(() => arrived.distinct === 400)
  arrived.assertInOrder()
})

test('mosquitto: a shared subscription spreads messages over the shards, and none is lost', { skip }, async (t) => {
  const [port] = await freePorts(1)
  const broker = await mosquitto(t, port!)
  const outs = [new Delivered(), new Delivered()]
  const both = new Delivered()
  for (const [index, out] of outs.entries()) {
    const tee = {
      byDevice: out.byDevice,
      send(batch: Batch) {
        const parts = batch.delivery.split(2)
        out.send(batch.withDelivery(parts[0]!))
        both.send(batch.withDelivery(parts[1]!))
      },
    }
    await receive(t, broker.port, tee, { shared_subscription: 'routers' }, index)
  }
  both.byDevice.clear()
  for (const out of outs) out.byDevice.clear()
  const publisher = await Publisher.connect(broker.port)
  t.after(() => publisher.close())
  publishAll(publisher, 250)
  await until(() => both.distinct === 1000)
  assert.ok(outs.every((out) => out.distinct > 0))
})

test('configs/mqtt-gateway.yaml takes what a device sends, through a kill of the router, and keeps what it cannot read', {
  skip,
}, async (t) => {
  const [port, metrics, ...own] = await freePorts(5)
  const broker = await mosquitto(t, port!)
  const recorder = await startOtlpRecorder(t)
  const at = ownDirectory(t)
  const set = [
    'receivers.mqtt.client_id=gateway-test',
    'receivers.mqtt.reconnect.initial_interval=20ms',
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${own[0]}`,
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${own[1]}`,
    `extensions.health_check.endpoint=127.0.0.1:${own[2]}`,
    `exporters.file.path=${at}/unread.jsonl`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]`,
  ].flatMap((line) => ['--set', line])
  const env = {
    MQTT_BROKER: `mqtt://127.0.0.1:${broker.port}`,
    MILLRACE_QUEUE: `${at}/queue`,
    MILLRACE_BACK_END: recorder.grpcAddress,
  }
  const start = async () => {
    const router = startProcess(t, ['--config', CONFIG, ...set], env)
    await router.until('Connected to the broker.')
    return router
  }
  const killed = await start()
  const publisher = await Publisher.connect(broker.port)
  t.after(() => publisher.close())
  await new Promise((resolve) => setTimeout(resolve, 200))
  publishAll(publisher, 50)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await killed.stop('SIGKILL')
  publishAll(publisher, 50, 1, 50)
  publisher.publish('acme/lyon/press/line-1/p7/motor/temp', '71.5')
  publisher.publish('devices/d0/data', 'not json')
  await publisher.taken()
  const router = await start()
  const values = (): Set<string> => {
    const seen = new Set<string>()
    for (const { request } of recorder.requests)
      for (const { resource, scopeMetrics } of request.resourceMetrics ?? [])
        for (const { name, gauge } of scopeMetrics[0].metrics) {
          // biome-ignore lint/suspicious/noExplicitAny: parsed protobuf
          const device = resource.attributes.find((a: any) => a.key === 'device.id').value.stringValue
          for (const point of gauge.dataPoints) seen.add(`${device} ${name} ${point.asDouble}`)
        }
    return seen
  }
  await until(() => values().size === 401)
  assert.ok(values().has('p7 motor.temp 71.5'))
  await until(() => existsSync(`${at}/unread.jsonl`) && /not json/.test(readFileSync(`${at}/unread.jsonl`, 'utf8')))
  assert.equal(await router.stop(), 0, router.said())
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
  const mutual = { ca_file: certs.caFile, cert_file: certs.client.certFile, key_file: certs.client.keyFile }
  const ways: [string, object][] = [
    [`mqtts://localhost:${tls}`, mutual],
    [`ws://127.0.0.1:${ws}/mqtt`, {}],
    [`wss://localhost:${wss}`, { ca_file: certs.caFile }],
  ]
  for (const [address, section] of ways) {
    const out = new Delivered()
    const more = { brokers: [address], tls: section, client_id: address.slice(0, 5).replaceAll(/\W/g, '') }
    const receiver = await receive(t, broker.port, out, more)
    const publisher = await Publisher.connect(broker.port)
    publishAll(publisher, 250)
    await until(() => out.distinct === 1000)
    publisher.close()
    await receiver.stop?.(AbortSignal.timeout(5_000))
  }
})
