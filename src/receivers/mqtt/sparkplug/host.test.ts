// What the TCK asks of a host application, against a broker that the test scripts.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { IPublishPacket } from 'mqtt-packet'
import { json, type Options, started } from '../../../../test/support/mqtt-receiver.ts'
import { decodeSparkplug, encodeSparkplug } from '../../../../test/support/sparkplug.ts'
import { until } from '../../../../test/support/until.ts'
import type { Extension } from '../../../graph/component.ts'
import { TYPE } from '../../../sparkplug/numbers.ts'
import type { StateRequest } from '../../../storage/storage.ts'

const topics = [{ topic: 'spBv1.0/#', decoder: 'sparkplug_b' }]
const primary = { topics, sparkplug: { role: 'primary', host_id: 'scada' } }
const STATE = 'spBv1.0/STATE/scada'

type Peer = Awaited<ReturnType<typeof started>>['peer']
const published = (peer: Peer, topic: string): IPublishPacket[] =>
  peer.of('publish').filter((packet) => (packet as IPublishPacket).topic === topic) as IPublishPacket[]
const said = ({ payload }: { payload?: unknown }): unknown => JSON.parse(String(payload))

const birth = (bdSeq: number, seq = 0): Buffer =>
  encodeSparkplug({
    timestamp: 1_767_225_600_000,
    seq,
    metrics: [
      { name: 'bdSeq', datatype: TYPE.Int64, long_value: bdSeq },
      { name: 'Speed', alias: 1, datatype: TYPE.Double, timestamp: 1_767_225_600_000, double_value: 1 },
    ],
  })

test('a host connects with a clean session that does not outlive the connection', async (t) => {
  const { peer } = await started(t, { topics })
  const { clean, properties, will } = peer.connect!
  assert.deepEqual([clean, properties?.sessionExpiryInterval, will], [true, 0, undefined])
})

test('a primary has STATE offline as its will, and says online with the same timestamp once it has subscribed', async (t) => {
  const { peer } = await started(t, primary)
  const will = peer.connect!.will!
  assert.deepEqual([will.topic, will.qos, will.retain], [STATE, 1, true])
  await until(() => published(peer, STATE).length === 1)
  const [online] = published(peer, STATE)
  assert.deepEqual([online!.qos, online!.retain], [1, true])
  const { timestamp } = said(will) as { timestamp: number }
  assert.deepEqual(
    [said(will), said(online!)],
    [
      { online: false, timestamp },
      { online: true, timestamp },
    ],
  )
  const order = peer.packets.map(({ cmd }) => cmd)
  assert.ok(order.indexOf('subscribe') < order.indexOf('publish'))
  const filters = peer
    .of('subscribe')
    .flatMap((packet) => (packet as { subscriptions: { topic: string }[] }).subscriptions)
  assert.deepEqual(
    filters.map(({ topic }) => topic),
    ['spBv1.0/#', STATE],
  )
})

test('a primary that is called offline says at once that it is online', async (t) => {
  const { peer } = await started(t, primary)
  await until(() => published(peer, STATE).length === 1)
  peer.publish(STATE, JSON.stringify({ online: false, timestamp: 1 }), 1, 9)
  await until(() => published(peer, STATE).length === 2)
  const [first, second] = published(peer, STATE)
  assert.deepEqual(said(second!), said(first!))
})

test('a primary says offline with the present time before it disconnects', async (t) => {
  const { peer, receiver, clock } = await started(t, primary)
  await until(() => published(peer, STATE).length === 1)
  clock.advance(5_000)
  await receiver.stop?.(AbortSignal.timeout(5_000))
  await until(() => peer.isClosed)
  const sent = peer.packets.filter(({ cmd }) => cmd === 'publish' || cmd === 'disconnect')
  assert.equal(sent.at(-1)!.cmd, 'disconnect')
  assert.deepEqual(said(sent.at(-2) as IPublishPacket), { online: false, timestamp: clock.now() })
})

test('who is not primary publishes nothing, whatever is missing', async (t) => {
  const { peer, sent } = await started(t, { topics })
  peer.publish('spBv1.0/G/NDATA/E', encodeSparkplug({ seq: 4, metrics: [{ alias: 1, double_value: 1 }] }))
  peer.publish('spBv1.0/G/NBIRTH/E', birth(0))
  await until(() => sent.length > 0)
  assert.deepEqual(peer.of('publish'), [])
})

test('an active secondary asks for a rebirth with NCMD, and no more often than rebirth_interval', async (t) => {
  const config = { topics, sparkplug: { role: 'secondary_active', rebirth_interval: '10s' } }
  const { peer, clock, metric } = await started(t, config)
  const unknown = (seq: number): void =>
    peer.publish('spBv1.0/G/NDATA/E', encodeSparkplug({ seq, metrics: [{ alias: 1, double_value: 1 }] }))
  unknown(4)
  const commands = () => published(peer, 'spBv1.0/G/NCMD/E')
  await until(() => commands().length === 1)
  unknown(5)
  await until(() => metric('receiver_mqtt_messages') === 2)
  assert.equal(commands().length, 1)
  clock.advance(10_000)
  unknown(6)
  await until(() => commands().length === 2)
  const [command] = commands()
  assert.deepEqual([command!.qos, command!.retain], [0, false])
  const { metrics, timestamp, seq } = decodeSparkplug(command!.payload as Buffer)
  assert.deepEqual(
    [seq, metrics[0].name, metrics[0].datatype, metrics[0].boolean_value],
    [undefined, 'Node Control/Rebirth', TYPE.Boolean, true],
  )
  assert.ok(timestamp > 0)
})

test('a gap that does not close within the reorder timeout is answered with a rebirth request', async (t) => {
  const config = { topics, sparkplug: { role: 'secondary_active', reorder_timeout: '2s' } }
  const { peer, clock, metric, sent } = await started(t, config)
  peer.publish('spBv1.0/G/NBIRTH/E', birth(0))
  peer.publish('spBv1.0/G/NDATA/E', encodeSparkplug({ seq: 3, metrics: [{ alias: 1, double_value: 3 }] }))
  await until(() => metric('receiver_mqtt_sparkplug_held_messages') === 1)
  clock.advance(2_000)
  await until(() => published(peer, 'spBv1.0/G/NCMD/E').length === 1)
  assert.equal(metric('receiver_mqtt_sparkplug_missing_messages'), 2)
  await until(() => sent.some((batch) => JSON.stringify(json(batch)).includes('"asDouble":3')))
})

test('what hosts say of themselves is a metric, also as Sparkplug 2.2 says it', async (t) => {
  const { peer, sent } = await started(t, { topics: [...topics, { topic: 'STATE/+', decoder: 'sparkplug_b' }] })
  peer.publish('spBv1.0/STATE/a', JSON.stringify({ online: true, timestamp: 1 }), 1, 1)
  peer.publish('STATE/b', 'OFFLINE', 1, 2)
  await until(() => peer.of('puback').length === 2)
  const text = sent.map((batch) => JSON.stringify(json(batch))).join()
  for (const part of ['sparkplug.host.up', '"stringValue":"a"', '"stringValue":"b"', '"asDouble":0', '"asDouble":1'])
    assert.ok(text.includes(part), part)
})

test('Sparkplug has its own connection beside the persistent one of the other rules', async (t) => {
  const { broker } = await started(t, { topics: [{ topic: 'devices/{device_id}', decoder: 'json_points' }, ...topics] })
  await broker.subscribed(1)
  const connects = broker.peers.map(({ connect }) => [connect!.clean, /sparkplug$/.test(connect!.clientId)])
  assert.deepEqual(connects.sort(), [
    [false, false],
    [true, true],
  ])
})

test('what is no Sparkplug is counted by rule and reason, and acknowledged', async (t) => {
  const { peer, metric } = await started(t, { topics })
  peer.publish('spBv1.0/G/NBIRTH/E', 'no protobuf', 1, 7)
  await until(() => peer.of('puback').length === 1)
  const labels = { rule: 'spBv1.0/#', reason: 'not_sparkplug' }
  assert.equal(metric('receiver_mqtt_unread_messages', labels), 1)
})

test('cut off from the broker every series ends', async (t) => {
  const { peer, sent } = await started(t, { topics })
  peer.publish('spBv1.0/G/NBIRTH/E', birth(0))
  await until(() => sent.length > 0)
  const before = sent.length
  peer.socket.destroy()
  await until(() => sent.slice(before).some((batch) => JSON.stringify(json(batch)).includes('"flags":1')))
})

test('data by alias are read after a restart, before the next birth, where births were remembered', async (t) => {
  const entries: Uint8Array[] = []
  const storage = {
    openQueue: () => assert.fail(),
    openState: async ({ restore, name }: StateRequest) => {
      if (name === 'sparkplug')
        restore({ snapshot: undefined, entries: entries.map((bytes) => ({ version: 1, bytes })) })
      return {
        append: async (bytes: Uint8Array) => void entries.push(bytes.slice()),
        snapshot: async () => {},
        logBytes: 0,
        close: async () => {},
      }
    },
  }
  const options: Options = { extensions: { store: storage as unknown as Extension } }
  const first = await started(t, { storage: 'store', topics }, options)
  first.peer.publish('spBv1.0/G/NBIRTH/E', birth(3))
  await until(() => first.sent.length > 0)
  first.peer.publish('spBv1.0/G/NBIRTH/E', birth(3))
  await until(() => first.metric('receiver_mqtt_messages') === 2)
  await first.stop()
  assert.equal(entries.length, 1)
  const second = await started(t, { storage: 'store', topics }, options)
  second.peer.publish('spBv1.0/G/NDATA/E', encodeSparkplug({ seq: 77, metrics: [{ alias: 1, double_value: 8.5 }] }))
  await until(() => second.sent.some((batch) => JSON.stringify(json(batch)).includes('"asDouble":8.5')))
})
