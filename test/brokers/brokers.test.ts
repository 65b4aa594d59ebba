// The mqtt receiver's guarantees at brokers of several makers. `npm test` has those that start at once, `npm run brokers` all.

import assert from 'node:assert/strict'
import { after, describe, test } from 'node:test'
import type { Batch } from '../../src/otlp/batch.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { BROKERS, type BrokerKind, type Guarantee } from '../support/brokers.ts'
import { Publisher } from '../support/mqtt-broker.ts'
import { Delivered, publishAll, receiveFrom } from '../support/mqtt-delivered.ts'
import type { Ground, Server } from '../support/server-process.ts'
import { until } from '../support/until.ts'

/** `all`, or the name of one. */
const WANTED = process.env.BROKERS
/** Of publishAll(). */
const DEVICES = 4
const DRAIN_MS = 30_000

const SHARED_WORDS = {
  yes: 'a shared subscription spreads messages over the shards, each to one',
  none: 'a shared subscription is refused, and the log says so',
  silent: 'a shared subscription is granted, and nothing ever comes: no defence but this list',
} as const

const RETAINED_WORDS = {
  marked: 'come, and are marked as such',
  unmarked: 'come without their mark',
  none: 'do not come to a filter with a wildcard',
} as const

// Brokers mostly wait for silence.
describe('brokers', { concurrency: true }, () => {
  for (const kind of BROKERS)
    describe(kind.name, { skip: whyNot(kind) }, () => {
      let server: Server | undefined
      const ends: (() => unknown)[] = []
      const broker = async (): Promise<Server> => (server ??= await kind.start({ after: (end) => void ends.push(end) }))
      after(async () => {
        for (const end of ends.reverse()) await end()
      })
      suite(kind, broker)
    })
})

function whyNot(kind: BrokerKind): string | false {
  if (WANTED === undefined && kind.longOnly === true) return '`npm run brokers` has it'
  if (WANTED !== undefined && WANTED !== 'all' && WANTED !== kind.name) return `BROKERS=${WANTED} leaves it out`
  return kind.missing()
}

async function publisher(t: Ground, { port }: Server, name: string): Promise<Publisher> {
  const made = await Publisher.connect(port, `publisher-${name}`)
  t.after(() => made.close())
  return made
}

const rule = (qos: 0 | 1 | 2) => ({ topic: 'devices/{device_id}/data', decoder: 'json_points', qos })

function suite(kind: BrokerKind, broker: () => Promise<Server>): void {
  const clientId = (name: string) => ({ client_id: `router-${name}`, ...kind.receiver })
  const unless = (guarantee: Guarantee) => ({ skip: kind.open?.[guarantee] ?? false })

  test(`${kind.name} is spoken to in ${kind.speaks} with protocol_version: auto`, async (t) => {
    const { port } = await broker()
    const { logs } = await receiveFrom(t, port, new Delivered(), clientId('auto'))
    const connected = logs.find(({ message }) => message === 'Connected to the broker.')
    assert.equal(connected?.fields.version, kind.speaks)
  })

  for (const qos of [0, 1, 2] as const)
    test(
      `${kind.name}, QoS ${qos}: all that is published arrives once, in order${qos > kind.grantsQos ? ', and the lower QoS is told' : ''}`,
      qos === 2 ? unless('qos 2') : {},
      async (t) => {
        const server = await broker()
        const out = new Delivered()
        const more = { ...clientId(`qos-${qos}`), topics: [rule(qos)] }
        const { logs } = await receiveFrom(t, server.port, out, more)
        const sender = await publisher(t, server, `qos-${qos}`)
        publishAll(sender, 100, Math.min(qos, kind.takesQos) as 0 | 1 | 2)
        await until(() => out.distinct === 100 * DEVICES, DRAIN_MS)
        assert.equal(out.repeats, 0)
        out.assertInOrder()
        const lower = logs.filter(({ message }) => message === 'the broker grants a lower QoS')
        assert.equal(lower.length, qos > kind.grantsQos ? 1 : 0)
      },
    )

  test(
    `${kind.name}: what is published while the router is away arrives when it is back${kind.storesOutOfOrder === true ? '' : ', in order'}`,
    unless('away'),
    async (t) => {
      const server = await broker()
      const out = new Delivered()
      const before = await receiveFrom(t, server.port, out, clientId('away'))
      const sender = await publisher(t, server, 'away')
      publishAll(sender, 50)
      await until(() => out.distinct === 50 * DEVICES, DRAIN_MS)
      await before.receiver.stop?.(AbortSignal.timeout(5_000))
      publishAll(sender, 50, 1, 50)
      await sender.taken()
      await receiveFrom(t, server.port, out, clientId('away'))
      await until(() => out.distinct === 100 * DEVICES, DRAIN_MS)
      if (kind.storesOutOfOrder !== true) out.assertInOrder()
    },
  )

  test(
    `${kind.name}: a router that breaks off before its slow exporter has delivered gets the rest again: nothing is lost`,
    unless('slow'),
    async (t) => {
      const server = await broker()
      const never = new Delivered(() => 1e9)
      const out = new Delivered(() => 5)
      let target = out
      const broken = await receiveFrom(
        t,
        server.port,
        { byDevice: out.byDevice, send: (batch: Batch) => target.send(batch) },
        clientId('slow'),
      )
      const sender = await publisher(t, server, 'slow')
      publishAll(sender, 50)
      await until(() => out.distinct === 50 * DEVICES, DRAIN_MS)
      target = never
      publishAll(sender, 50, 1, 50)
      await until(() => (broken.metric('receiver_mqtt_unacked_messages') ?? 0) > 0)
      await broken.receiver.stop?.(AbortSignal.abort())
      await receiveFrom(t, server.port, out, clientId('slow'))
      await sender.taken()
      await until(() => out.distinct === 100 * DEVICES, DRAIN_MS)
      if (kind.redelivers === 'in order') out.assertInOrder()
    },
  )

  test(`${kind.name}: retained messages ${RETAINED_WORDS[kind.retained ?? 'marked']}`, async (t) => {
    const server = await broker()
    const sender = await publisher(t, server, 'retained')
    sender.publish('kept/press-7', JSON.stringify({ metrics: [{ name: 'level', value: 7 }] }), 1, true)
    await sender.taken()
    const seen: Batch[] = []
    const out = new Delivered()
    const tee = {
      byDevice: out.byDevice,
      send(batch: Batch) {
        seen.push(batch)
        out.send(batch)
      },
    }
    const topics = [rule(1), { topic: 'kept/{device_id}', decoder: 'json_points' }]
    await receiveFrom(t, server.port, tee, { ...clientId('retained'), topics })
    const marks = (): unknown[] =>
      seen
        .flatMap((batch) => JSON.parse(bytesToJson('metrics', batch.parts)).resourceMetrics)
        .filter(({ resource }) => resource?.attributes[0].value.stringValue === 'press-7')
        .map(({ scopeMetrics }) => scopeMetrics[0].metrics[0].gauge.dataPoints[0].attributes)
    const mark = [{ key: 'mqtt.retained', value: { boolValue: true } }]
    const kept = { marked: [mark], unmarked: [undefined], none: [] }[kind.retained ?? 'marked']
    await until(() => marks().length === kept.length)
    // One that is not kept comes behind it.
    sender.publish('kept/press-7', JSON.stringify({ metrics: [{ name: 'level', value: 8 }] }))
    await until(() => marks().length > kept.length)
    assert.deepEqual(marks(), [...kept, undefined])
  })

  if (kind.takesQos === 1)
    test(`${kind.name}: a publisher at QoS 2 is thrown out`, async (t) => {
      const server = await broker()
      const sender = await publisher(t, server, 'thrown-out')
      sender.publish('devices/d0/data', '{}', 2)
      await until(() => sender.isThrownOut)
      assert.equal(sender.open, 1)
    })

  test(
    `${kind.name}: a connection that is not read, because too much waits for delivery, is kept alive`,
    unless('paused'),
    async (t) => {
      const server = await broker()
      const held: Batch[] = []
      const out = new Delivered()
      let isHolding = false
      const gate = {
        byDevice: out.byDevice,
        send: (batch: Batch) => (isHolding ? void held.push(batch) : out.send(batch)),
      }
      const more = { ...clientId('paused'), max_unacked_messages: 5, keep_alive: '3s' }
      const { metric } = await receiveFrom(t, server.port, gate, more)
      isHolding = true
      const sender = await publisher(t, server, 'paused')
      publishAll(sender, 25)
      await until(() => (metric('receiver_mqtt_pauses') ?? 0) > 0)
      // Longer than the one and a half times of keep_alive that a broker waits; on a busy machine pings are late.
      await new Promise((resolve) => setTimeout(resolve, 6_000))
      assert.equal(metric('receiver_mqtt_connections'), 1)
      isHolding = false
      for (const batch of held) out.send(batch)
      await until(() => out.distinct === 25 * DEVICES, DRAIN_MS)
      assert.equal(out.repeats, 0)
      out.assertInOrder()
    },
  )

  test(`${kind.name}: ${SHARED_WORDS[kind.shared]}`, unless('shared'), async (t) => {
    const server = await broker()
    const group = { shared_subscription: 'routers', ...clientId('shared') }
    if (kind.shared !== 'yes') {
      const out = new Delivered()
      // Beside the shared subscription, so that the connection is known to work.
      const lone = await receiveFrom(t, server.port, out, clientId('lone'))
      const apart = new Delivered()
      const shared = await receiveFrom(t, server.port, apart, group, 0, false)
      const sender = await publisher(t, server, 'shared')
      publishAll(sender, 10)
      await until(() => out.distinct === 10 * DEVICES, DRAIN_MS)
      assert.equal(lone.metric('receiver_mqtt_connected'), 1)
      assert.equal(apart.distinct, 0)
      const refused = shared.logs.some(({ message }) => message === 'the broker refused a subscription')
      assert.equal(refused, kind.shared === 'none')
      return
    }
    const outs = [new Delivered(), new Delivered()]
    for (const [index, out] of outs.entries()) await receiveFrom(t, server.port, out, group, index)
    for (const out of outs) out.byDevice.clear()
    const sender = await publisher(t, server, 'shared')
    publishAll(sender, 100)
    await until(() => outs.reduce((sum, { distinct }) => sum + distinct, 0) >= 100 * DEVICES, DRAIN_MS)
    const all = outs.flatMap(({ byDevice }) => [...byDevice].flatMap(([d, list]) => list.map((n) => `${d} ${n}`)))
    assert.equal(all.length, 100 * DEVICES, 'a message came to both')
    assert.equal(new Set(all).size, 100 * DEVICES)
  })

  test(
    kind.keepsSessions
      ? `${kind.name}: sessions outlive a restart of the broker`
      : `${kind.name}: sessions end with the broker, and the log says so`,
    unless('restart'),
    async (t) => {
      const server = await broker()
      const out = new Delivered()
      const before = await receiveFrom(t, server.port, out, clientId('restart'))
      let away = 0
      if (kind.keepsSessions) {
        await before.receiver.stop?.(AbortSignal.timeout(5_000))
        const sender = await publisher(t, server, 'restart')
        publishAll(sender, 25, 1, 0)
        await sender.taken()
        away = 25
      }
      await server.stop()
      await server.start()
      if (kind.keepsSessions) {
        await receiveFrom(t, server.port, out, clientId('restart'))
        await until(() => out.distinct === away * DEVICES, DRAIN_MS)
        out.assertInOrder()
      } else await until(() => before.logs.some(({ message }) => /lost our session/.test(message)), DRAIN_MS)
    },
  )
}
