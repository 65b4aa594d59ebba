import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { IConnectPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import { receiverHarness, rig, sink } from '../../../test/support/harness.ts'
import { type Peer, scriptedBroker } from '../../../test/support/mqtt-broker.ts'
import { until } from '../../../test/support/until.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Extension } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import type { StateRequest } from '../../storage/storage.ts'
import { factory } from './factory.ts'

const points = (device: string, value: number): string =>
  JSON.stringify({ device_id: device, timestamp: 1767225590123, metrics: [{ name: 'temperature', value, unit: 'C' }] })

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
const json = (batch: Batch): any => JSON.parse(bytesToJson(batch.signal, batch.parts))

const values = (batches: readonly Batch[]): number[] =>
  batches
    .filter(({ signal }) => signal === 'metrics')
    .flatMap((batch) => json(batch).resourceMetrics)
    .flatMap((resource) => resource.scopeMetrics[0].metrics)
    .map((metric) => metric.gauge.dataPoints[0].asDouble)

const REFUSED = new DeliveryError('TEST_REFUSED', 'not now', { retry: 'backoff' })
const REFUSED_FOR_GOOD = new DeliveryError('TEST_REFUSED', 'never', { retry: 'never' })

type Options = Parameters<typeof receiverHarness>[3] & { broker?: Parameters<typeof scriptedBroker>[1] }

async function started(t: TestContext, config: object = {}, options: Options = {}) {
  const broker = await scriptedBroker(t, options.broker)
  const made = await receiverHarness(
    t,
    factory,
    {
      brokers: [`127.0.0.1:${broker.port}`],
      topics: [
        { topic: 'devices/{device_id}/data', decoder: 'json_points' },
        { topic: '{line}/log', decoder: 'text' },
      ],
      ...config,
    },
    options,
  )
  const peer = await broker.subscribed(0)
  return { ...made, broker, peer }
}

/** A sink whose batches the test settles. */
const held = () => sink()

test('messages of one read become one batch per signal, with the resources of their topics', async (t) => {
  const { peer, sent } = await started(t)
  peer.send(
    { cmd: 'publish', topic: 'devices/a/data', payload: points('x', 1), qos: 0, dup: false, retain: false },
    { cmd: 'publish', topic: 'l7/log', payload: 'stopped', qos: 0, dup: false, retain: false },
    { cmd: 'publish', topic: 'devices/b/data', payload: points('x', 2), qos: 0, dup: false, retain: false },
  )
  await until(() => sent.length === 2)
  const [metrics, logs] = sent.map(json)
  assert.deepEqual(
    // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
    metrics.resourceMetrics.map((r: any) => [r.resource.attributes, r.scopeMetrics[0].metrics[0]]),
    ['a', 'b'].map((device, i) => [
      [{ key: 'device.id', value: { stringValue: device } }],
      {
        name: 'temperature',
        unit: 'Cel',
        gauge: { dataPoints: [{ timeUnixNano: '1767225590123000000', asDouble: i + 1 }] },
      },
    ]),
  )
  assert.deepEqual(logs.resourceLogs[0].resource.attributes, [
    { key: 'manufacturing.line', value: { stringValue: 'l7' } },
  ])
  assert.deepEqual(logs.resourceLogs[0].scopeLogs[0].logRecords[0].body, { stringValue: 'stopped' })
})

test('messages are acknowledged in the order of arrival, and only once their data are delivered', async (t) => {
  const out = held()
  const { peer, metric } = await started(t, {}, { out })
  for (let i = 1; i <= 3; i++) {
    peer.publish('devices/a/data', points('a', i), i === 2 ? 2 : 1, i)
    await until(() => out.sent.length === i)
  }
  assert.equal(metric('receiver_mqtt_unacked_messages'), 3)
  out.sent[1]!.delivery.deliver()
  out.sent[2]!.delivery.deliver()
  peer.send({ cmd: 'pingreq' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(
    peer.of('puback').length + peer.of('pubrec').length,
    0,
    'an acknowledgement went ahead of an earlier one',
  )
  out.sent[0]!.delivery.deliver()
  await until(() => peer.of('puback').length === 2)
  assert.deepEqual(
    peer.packets
      .filter(({ cmd }) => cmd === 'puback' || cmd === 'pubrec')
      .map(({ cmd, messageId }) => `${cmd} ${messageId}`),
    ['puback 1', 'pubrec 2', 'puback 3'],
  )
  assert.equal(metric('receiver_mqtt_unacked_messages'), 0)
  assert.equal(metric('receiver_accepted_metric_points', { transport: 'mqtt' }), 3)
})

test('with ack: accepted the first buffer is enough', async (t) => {
  const out = held()
  const { peer } = await started(t, { ack: 'accepted' }, { out })
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => out.sent.length === 1)
  out.sent[0]!.delivery.accept()
  await until(() => peer.of('puback').length === 1)
})

test('with ack: delivered a buffer that takes the data is not enough', async (t) => {
  const out = held()
  const { peer } = await started(t, {}, { out })
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => out.sent.length === 1)
  out.sent[0]!.delivery.accept()
  await new Promise((resolve) => setTimeout(resolve, 20))
  assert.equal(peer.of('puback').length, 0)
})

test('what is refused for now is sent again in its order, and acknowledged when it is taken', async (t) => {
  const taken: Batch[] = []
  let isRefusing = true
  const out = {
    send(batch: Batch) {
      if (isRefusing) batch.delivery.refuse(REFUSED)
      else {
        taken.push(batch)
        batch.delivery.deliver()
      }
    },
  }
  const { peer, clock, metric } = await started(t, {}, { out })
  for (let i = 1; i <= 4; i++) {
    peer.publish('devices/a/data', points('a', i), 1, i)
    await until(() => metric('receiver_mqtt_messages') === i)
  }
  clock.advance(200)
  assert.equal(peer.of('puback').length, 0)
  isRefusing = false
  clock.advance(10_000)
  await until(() => peer.of('puback').length === 4)
  assert.deepEqual(values(taken), [1, 2, 3, 4])
  assert.deepEqual(peer.ids('puback'), [1, 2, 3, 4])
})

test('what is refused for good is acknowledged, counted and told', async (t) => {
  const { peer, metric, logs } = await started(t, {}, { out: sink(REFUSED_FOR_GOOD) })
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => peer.of('puback').length === 1)
  assert.equal(metric('receiver_refused_metric_points'), 1)
  assert.ok(logs.some(({ level, message }) => level === 'error' && /refused readings for good/.test(message)))
})

test('a message that cannot be read is acknowledged, counted by rule and reason, shown once, and sent to dead_letter', async (t) => {
  const base = rig()
  const broker = await scriptedBroker(t)
  const main = sink('deliver')
  const dead = sink('deliver')
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${broker.port}`],
    topics: [{ topic: 'devices/{device_id}/data', decoder: 'json_points' }],
    dead_letter: 'logs/unread',
  })
  const receiver = await factory.create(cfg, {
    ...base.context('receiver', 'mqtt'),
    outputs: { metrics: main },
    apart: new Map([['logs/unread', dead]]),
  })
  t.after(() => receiver.stop?.(AbortSignal.abort()))
  await receiver.start?.()
  const peer = await broker.subscribed(0)
  for (let i = 1; i <= 3; i++) peer.publish('devices/a/data', `{"metrics":[{"name":"a","value":N${i}`, 1, i)
  peer.publish('other/topic', 'x', 1, 4)
  peer.publish('devices/a/data', points('a', 5), 1, 5)
  await until(() => peer.of('puback').length === 5)
  assert.equal(
    base.metric('receiver_mqtt_unread_messages', { rule: 'devices/{device_id}/data', reason: 'not_json' }),
    3,
  )
  assert.equal(base.metric('receiver_mqtt_unread_messages', { reason: 'no_rule' }), 1)
  const told = base.logs.filter(({ message }) => message === 'a message could not be read')
  assert.deepEqual(
    told.map(({ fields }) => [fields.topic, fields.reason, fields.payload]),
    [
      ['devices/a/data', 'not_json', '{"metrics":[{"name":"a","value":N1'],
      ['other/topic', 'no_rule', 'x'],
    ],
  )
  assert.deepEqual(values(main.sent), [5])
  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
  const records = dead.sent.flatMap((batch) => json(batch).resourceLogs).flatMap((r: any) => r.scopeLogs[0].logRecords)
  assert.equal(records.length, 4)
  assert.equal(records[0].body.stringValue, '{"metrics":[{"name":"a","value":N1')
  assert.equal(records[3].eventName, 'mqtt.dead_letter')
})

test('at its bound of messages it reads no more, keeps the connection alive, and goes on when there is room', async (t) => {
  const out = held()
  const { peer, clock, metric } = await started(t, { max_unacked_messages: 2, keep_alive: '10s' }, { out })
  for (let i = 1; i <= 2; i++) peer.publish('devices/a/data', points('a', i), 1, i)
  await until(() => metric('receiver_mqtt_unacked_messages') === 2)
  for (let i = 3; i <= 6; i++) peer.publish('devices/a/data', points('a', i), 1, i)
  for (let i = 1; i <= 12; i++) {
    clock.advance(7_500)
    await until(() => peer.of('pingreq').length >= i)
  }
  assert.equal(peer.isClosed, false)
  assert.equal(metric('receiver_mqtt_unacked_messages'), 2, 'it read beyond its bound')
  assert.equal(metric('receiver_mqtt_pauses'), 1)
  await until(() => {
    for (const batch of out.sent) if (!batch.delivery.settled) batch.delivery.deliver()
    return peer.of('puback').length === 6
  })
  assert.deepEqual(peer.ids('puback'), [1, 2, 3, 4, 5, 6])
})

test('a broker that says nothing for longer than the keep-alive is given up, and another connection is made', async (t) => {
  const { peer, clock, broker } = await started(t, { keep_alive: '10s' })
  peer.onPacket = undefined
  clock.advance(7_500)
  clock.advance(7_500)
  await until(() => peer.isClosed)
  await until(() => {
    clock.advance(1_000)
    return broker.peers.length === 2
  })
})

test('acknowledgements of a lost connection go to nobody; what comes again is acknowledged on the new one', async (t) => {
  const out = held()
  const { peer, broker, clock, metric } = await started(t, {}, { out })
  peer.publish('devices/a/data', points('a', 1), 1, 77)
  await until(() => out.sent.length === 1)
  peer.socket.destroy()
  await until(() => metric('receiver_mqtt_connected') === 0)
  clock.advance(2_000)
  const next = await broker.subscribed(1)
  out.sent[0]!.delivery.deliver()
  next.publish('devices/a/data', points('a', 1), 1, 78, { dup: true })
  await until(() => out.sent.length === 2)
  out.sent[1]!.delivery.deliver()
  await until(() => next.of('puback').length === 1)
  assert.deepEqual(next.ids('puback'), [78])
  assert.equal(metric('receiver_mqtt_redelivered_messages'), 1)
  assert.equal(next.connect?.clean, false)
  assert.equal(next.connect?.clientId, peer.connect?.clientId)
})

test('with QoS 2 a message that comes again before its PUBREL is taken once, also over a new connection', async (t) => {
  const out = held()
  let connections = 0
  const onConnect = (peer: Peer): boolean => {
    peer.send({ cmd: 'connack', reasonCode: 0, sessionPresent: connections++ > 0 } as Packet)
    return true
  }
  const { peer, broker, clock, metric } = await started(t, {}, { out, broker: { onConnect } })
  peer.publish('devices/a/data', points('a', 1), 2, 9)
  await until(() => out.sent.length === 1)
  peer.socket.destroy()
  await until(() => metric('receiver_mqtt_connected') === 0)
  clock.advance(2_000)
  const next = await broker.subscribed(1)
  next.publish('devices/a/data', points('a', 1), 2, 9, { dup: true })
  await until(() => metric('receiver_mqtt_unacked_messages') === 2)
  assert.equal(next.of('pubrec').length, 0, 'PUBREC before the first of them was delivered')
  out.sent[0]!.delivery.deliver()
  await until(() => next.of('pubrec').length === 1)
  next.send({ cmd: 'pubrel', messageId: 9 } as Packet)
  await until(() => next.of('pubcomp').length === 1)
  next.publish('devices/a/data', points('a', 2), 2, 9)
  await until(() => out.sent.length === 2)
  assert.deepEqual(values(out.sent), [1, 2])
})

test('a broker that knows no MQTT 5 is spoken to in 3.1.1, whether it says so or hangs up', async (t) => {
  const ways: ((peer: Peer) => void)[] = [
    (peer) => void peer.socket.write(Uint8Array.of(0x20, 2, 0, 1)),
    (peer) => peer.send({ cmd: 'connack', reasonCode: 0x84, sessionPresent: false } as Packet),
    (peer) => void peer.socket.end(),
  ]
  for (const refuse of ways) {
    const onConnect = (peer: Peer): boolean => {
      if (peer.version === 4) return false
      refuse(peer)
      return true
    }
    const broker = await scriptedBroker(t, { onConnect })
    const { sent } = await receiverHarness(t, factory, {
      brokers: [`127.0.0.1:${broker.port}`],
      topics: [{ topic: 'devices/{device_id}/data', decoder: 'json_points' }],
    })
    const peer = await broker.subscribed(1)
    assert.equal(peer.version, 4)
    peer.publish('devices/a/data', points('a', 1), 1, 1)
    await until(() => peer.of('puback').length === 1)
    assert.equal(sent.length, 1)
  }
})

test('of several brokers the first that answers is used', async (t) => {
  const broker = await scriptedBroker(t)
  const base = await receiverHarness(t, factory, {
    brokers: ['127.0.0.1:1', `127.0.0.1:${broker.port}`],
    topics: [{ topic: 'a' }],
  })
  await until(() => {
    base.clock.advance(10)
    return broker.peers.length === 1
  })
})

test('a session that another client takes over twice is told in the log, and waits longest', async (t) => {
  const { broker, clock, logs, peer } = await started(t, { reconnect: { max_interval: '40s' } })
  peer.send({ cmd: 'disconnect', reasonCode: 0x8e } as Packet)
  await until(() => peer.isClosed)
  const waits = (): number[] =>
    logs
      .filter(({ message }) => message === 'no connection to the broker')
      .map(({ fields }) => Number(fields.next_try_ms))
  await until(() => waits().length === 1)
  clock.advance(1_500)
  const next = await broker.subscribed(1)
  next.send({ cmd: 'disconnect', reasonCode: 0x8e } as Packet)
  await until(() => waits().length === 2)
  assert.ok(waits()[0]! <= 1_000 && waits()[1]! >= 20_000, waits().join())
  assert.ok(logs.some(({ level, message }) => level === 'error' && /another client uses our client id/.test(message)))
})

test('what the broker is told of us follows the configuration', async (t) => {
  const config = {
    client_id: 'line-3',
    username: 'u',
    password: 'secret',
    keep_alive: '30s',
    session_expiry: '2h',
    receive_maximum: 500,
    max_packet_size: '64KiB',
    topics: [
      { topic: 'a/{device_id}', qos: 2 },
      { topic: 'a/+', qos: 0 },
      { topic: 'b/#', retained: 'skip', no_local: true },
    ],
  }
  const { peer, logs } = await started(t, config)
  const connect = peer.connect as IConnectPacket
  assert.equal(connect.clientId, 'line-3')
  assert.equal(connect.username, 'u')
  assert.equal(String(connect.password), 'secret')
  assert.equal(connect.keepalive, 30)
  assert.equal(connect.clean, false)
  assert.deepEqual(
    { ...connect.properties },
    {
      sessionExpiryInterval: 7200,
      receiveMaximum: 500,
      maximumPacketSize: 65536,
      topicAliasMaximum: 1024,
      requestProblemInformation: true,
    },
  )
  const [subscribe] = peer.of('subscribe') as ISubscribePacket[]
  assert.deepEqual(
    subscribe!.subscriptions.map(({ topic, qos, rh, nl, rap }) => [topic, qos, rh, nl, rap]),
    [
      ['a/+', 2, 1, false, true],
      ['b/#', 0x01, 2, true, true],
    ],
  )
  assert.ok(logs.some(({ message }) => /without TLS/.test(message)))
})

test('retained messages are marked, or left out where the rule says so', async (t) => {
  const topics = [
    { topic: 'keep/{metric}', decoder: 'value' },
    { topic: 'skip/{metric}', decoder: 'value', retained: 'skip' },
  ]
  const { peer, sent, metric } = await started(t, { topics })
  for (const topic of ['keep/a', 'skip/b']) peer.publish(topic, '1', 0, 0, { retain: true })
  peer.publish('skip/c', '2')
  await until(() => values(sent).length === 2)
  const [kept, fresh] = sent.flatMap((b) => json(b).resourceMetrics).flatMap((r) => r.scopeMetrics[0].metrics)
  assert.deepEqual(
    [kept.name, kept.gauge.dataPoints[0].attributes],
    ['a', [{ key: 'mqtt.retained', value: { boolValue: true } }]],
  )
  assert.deepEqual([fresh.name, fresh.gauge.dataPoints[0].attributes], ['c', undefined])
  assert.equal(metric('receiver_mqtt_unread_messages', { reason: 'retained' }), 1)
})

test('beyond the bounds on devices and series readings are dropped and counted, and the topic is named once', async (t) => {
  const topics = [{ topic: 'gateway', decoder: 'json_points' }]
  const { peer, sent, metric, logs } = await started(t, { topics, max_devices: 2 })
  for (let i = 1; i <= 5; i++) peer.publish('gateway', points(`d${i}`, i), 1, i)
  peer.publish('gateway', points('d1', 6), 1, 6)
  await until(() => peer.of('puback').length === 6)
  assert.deepEqual(values(sent), [1, 2, 6])
  assert.equal(metric('receiver_mqtt_dropped_items'), 3)
  const told = logs.filter(({ message }) => /no room for a further device/.test(message))
  assert.deepEqual(
    told.map(({ fields }) => fields.topic),
    ['gateway'],
  )
})

test('a message larger than the bound is read over, counted and acknowledged; its neighbours arrive', async (t) => {
  const { peer, sent, metric } = await started(t, { max_packet_size: '1KiB' })
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  peer.publish('devices/a/data', 'x'.repeat(300_000), 1, 2)
  peer.publish('devices/a/data', points('a', 3), 1, 3)
  await until(() => peer.of('puback').length === 3)
  assert.deepEqual(peer.ids('puback'), [1, 2, 3])
  assert.deepEqual(values(sent), [1, 3])
  assert.equal(metric('receiver_mqtt_unread_messages', { reason: 'too_large' }), 1)
})

test('stopping waits for what is under way, acknowledges it, and says goodbye', async (t) => {
  const out = held()
  const { peer, stop } = await started(t, {}, { out })
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => out.sent.length === 1)
  const stopped = stop()
  await new Promise((resolve) => setTimeout(resolve, 10))
  out.sent[0]!.delivery.deliver()
  await stopped
  await until(() => peer.of('disconnect').length === 1)
  assert.deepEqual(
    peer.packets.slice(-2).map(({ cmd }) => cmd),
    ['puback', 'disconnect'],
  )
})

test('subscriptions that are no longer in the file are ended at the next start, where a storage remembers them', async (t) => {
  let saved: Uint8Array | undefined
  const storage = {
    openQueue: () => assert.fail(),
    openState: async ({ restore }: StateRequest) => {
      restore({ snapshot: saved === undefined ? undefined : { version: 1, bytes: saved }, entries: [] })
      return {
        append: async () => {},
        snapshot: async (bytes: Uint8Array) => {
          saved = bytes.slice()
        },
        logBytes: 0,
        close: async () => {},
      }
    },
  }
  const options: Options = {
    extensions: { store: storage as unknown as Extension },
    broker: { connack: { sessionPresent: true } },
  }
  const first = await started(t, { storage: 'store', topics: [{ topic: 'a/#' }, { topic: 'b/#' }] }, options)
  assert.equal(first.peer.of('unsubscribe').length, 0)
  await first.stop()
  const second = await started(t, { storage: 'store', topics: [{ topic: 'b/#' }] }, options)
  assert.deepEqual((second.peer.of('unsubscribe')[0] as IUnsubscribePacket).unsubscriptions, ['a/#'])
  await until(() => Buffer.from(saved!).toString() === '["b/#"]')
  await second.stop()
  const third = await started(t, { storage: 'store', topics: [{ topic: 'b/#' }] }, options)
  assert.equal(third.peer.of('unsubscribe').length, 0)
})

test('a dead_letter that is no pipeline of the receiver for logs is a problem of the configuration', async () => {
  const cfg = parseConfig(factory.config, { topics: [{ topic: 'a' }], dead_letter: 'logs/unread' })
  const context = { ...rig().context('receiver', 'mqtt'), outputs: { metrics: sink() } }
  await assert.rejects(
    async () => await factory.create(cfg, context),
    (error) => error instanceof ConfigError && /logs\/unread is no pipeline/.test(error.problems[0]!.what),
  )
})

test('a shared subscription gives each shard a client id and a filter of the group', async (t) => {
  const broker = await scriptedBroker(t)
  const base = rig({ shards: { index: 1, count: 2, sharePorts: true, alone: false } })
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${broker.port}`],
    client_id: 'gw',
    shared_subscription: 'routers',
    topics: [{ topic: 'a/#' }],
  })
  assert.deepEqual(factory.exclusive?.(cfg), [])
  const receiver = await factory.create(cfg, { ...base.context('receiver', 'mqtt'), outputs: { metrics: sink() } })
  t.after(() => receiver.stop?.(AbortSignal.abort()))
  await receiver.start?.()
  const peer = await broker.subscribed(0)
  assert.equal(peer.connect?.clientId, 'gw-1')
  const [subscribe] = peer.of('subscribe') as ISubscribePacket[]
  assert.deepEqual(
    subscribe!.subscriptions.map(({ topic }) => topic),
    ['$share/routers/a/#'],
  )
})
