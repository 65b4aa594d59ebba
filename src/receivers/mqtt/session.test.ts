import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { IConnectPacket, ISubscribePacket, IUnsubscribePacket, Packet } from 'mqtt-packet'
import { receiverHarness, rig, sink } from '../../../test/support/harness.ts'
import { type Peer, scriptedBroker } from '../../../test/support/mqtt-broker.ts'
import { held, json, type Options, points, started, values } from '../../../test/support/mqtt-receiver.ts'
import { until } from '../../../test/support/until.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Extension } from '../../graph/component.ts'
import type { StateRequest } from '../../storage/storage.ts'
import { factory } from './factory.ts'

// The session with the broker as the receiver asks for it and lives with it.

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
  assert.deepEqual(factory.exclusiveInShard?.(cfg), [`mqtt gw 127.0.0.1:${broker.port}`])
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

/** Why there is no connection, as the log says it, after the broker has answered CONNECT so. */
async function reasonAfter(t: TestContext, answer: (peer: Peer) => void): Promise<string> {
  const broker = await scriptedBroker(t, {
    onConnect: (peer) => {
      answer(peer)
      return true
    },
  })
  const config = { brokers: [`127.0.0.1:${broker.port}`], protocol_version: '5', topics: [{ topic: 'a' }] }
  const { logs } = await receiverHarness(t, factory, config)
  const told = () => logs.find(({ message }) => message === 'no connection to the broker')
  await until(() => told() !== undefined)
  return String(told()!.fields.reason)
}

test('a broker that sends us to another server is told with the name of that server', async (t) => {
  const connack = {
    cmd: 'connack',
    reasonCode: 0x9c,
    sessionPresent: false,
    properties: { serverReference: 'b2:1883' },
  }
  const reason = await reasonAfter(t, (peer) => peer.send(connack as Packet))
  assert.match(reason, /use another server \(b2:1883\); write it into brokers to follow/)
})

test('a broker that moves away while we are connected says so in the log', async (t) => {
  const { peer, logs } = await started(t)
  peer.send({ cmd: 'disconnect', reasonCode: 0x9d, properties: { reasonString: 'maintenance' } } as Packet)
  const told = () => logs.find(({ message }) => message === 'no connection to the broker')
  await until(() => told() !== undefined)
  assert.match(String(told()!.fields.reason), /server moved: maintenance \(it names none\)/)
})

test('a broker that wants enhanced authentication is told that we have none, and what to use instead', async (t) => {
  const properties = { authenticationMethod: 'SCRAM-SHA-256' }
  const asking = { cmd: 'auth', reasonCode: 0x18, properties }
  const refusing = { cmd: 'connack', reasonCode: 0x8c, sessionPresent: false }
  const expected = /enhanced authentication \(AUTH.*\) is not supported: use a password or a client certificate/
  assert.match(await reasonAfter(t, (peer) => peer.send(asking as Packet)), /SCRAM-SHA-256/)
  for (const packet of [asking, refusing])
    assert.match(await reasonAfter(t, (peer) => peer.send(packet as Packet)), expected)
})

test('a PUBREL that comes again, also on a new connection, is completed again and delivers nothing', async (t) => {
  let connections = 0
  const onConnect = (peer: Peer): boolean => {
    peer.send({ cmd: 'connack', reasonCode: 0, sessionPresent: connections++ > 0 } as Packet)
    return true
  }
  const { peer, broker, clock, sent, metric } = await started(t, {}, { broker: { onConnect } })
  peer.publish('devices/a/data', points('a', 1), 2, 9)
  await until(() => peer.of('pubrec').length === 1)
  for (let i = 1; i <= 2; i++) {
    peer.send({ cmd: 'pubrel', messageId: 9 } as Packet)
    await until(() => peer.of('pubcomp').length === i)
  }
  peer.socket.destroy()
  await until(() => metric('receiver_mqtt_connected') === 0)
  clock.advance(2_000)
  const next = await broker.subscribed(1)
  next.send({ cmd: 'pubrel', messageId: 9 } as Packet)
  await until(() => next.of('pubcomp').length === 1)
  assert.deepEqual([next.ids('pubcomp'), values(sent)], [[9], [1]])
})

test('no_local is not asked for with a shared subscription, which would break the protocol', async (t) => {
  const topics = [{ topic: 'a/#', no_local: true, qos: 2 }]
  const { peer } = await started(t, { topics, shared_subscription: 'routers' })
  const [subscribe] = peer.of('subscribe') as ISubscribePacket[]
  assert.deepEqual(
    subscribe!.subscriptions.map(({ topic, qos, nl, rap }) => [topic, qos, nl, rap]),
    [['$share/routers/a/#', 2, false, true]],
  )
})

test('a subscription that the broker refuses is told with its filter and the words of the broker', async (t) => {
  const suback = { granted: [0x87], properties: { reasonString: 'line 7 is closed' } }
  const broker = await scriptedBroker(t, { suback })
  const config = { brokers: [`127.0.0.1:${broker.port}`], topics: [{ topic: 'l7/#' }] }
  const { logs } = await receiverHarness(t, factory, config)
  const told = () => logs.find(({ message }) => message === 'the broker refused a subscription')
  await until(() => told() !== undefined)
  assert.deepEqual(told()!.fields, { filter: 'l7/#', reason: 'not authorized: line 7 is closed' })
})

test("a broker's own keep-alive counts more than ours", async (t) => {
  const { peer, clock } = await started(
    t,
    { keep_alive: '60s' },
    { broker: { connack: { properties: { serverKeepAlive: 4 } } } },
  )
  clock.advance(3_000)
  await until(() => peer.of('pingreq').length === 1)
})

test('topics that the broker shortens to a number are those that the number stands for', async (t) => {
  const { peer, sent } = await started(t)
  const alias = (topicAlias: number) => ({ properties: { topicAlias } })
  peer.publish('devices/a/data', points('', 1), 1, 1, alias(1))
  peer.publish('devices/b/data', points('', 2), 1, 2, alias(2))
  peer.publish('', points('', 3), 1, 3, alias(1))
  await until(() => peer.of('puback').length === 3)
  const devices = sent
    .flatMap((batch) => json(batch).resourceMetrics)
    .map((resource) => resource.resource.attributes[0].value.stringValue)
  assert.deepEqual(devices, ['a', 'b', 'a'])
})

test('a broker that sends a number of an earlier connection is offered none, and what it has stored so is not a message that comes for ever', async (t) => {
  const { peer, broker, clock, logs, metric, sent } = await started(t)
  const stored = (to: Peer): void => to.publish('', points('a', 1), 1, 1, { properties: { topicAlias: 7 } })
  stored(peer)
  await until(() => peer.isClosed)
  await until(() => metric('receiver_mqtt_connected') === 0)
  clock.advance(2_000)
  const next = await broker.subscribed(1)
  assert.equal(peer.connect?.properties?.topicAliasMaximum, 1024)
  assert.equal(next.connect?.properties?.topicAliasMaximum, undefined)
  stored(next)
  next.publish('devices/a/data', points('a', 2), 1, 2)
  await until(() => next.of('puback').length === 2)
  assert.deepEqual(next.ids('puback'), [1, 2])
  assert.deepEqual(values(sent), [2])
  assert.equal(metric('receiver_mqtt_unread_messages', { reason: 'no_rule' }), 1)
  assert.equal(logs.filter(({ message }) => message.includes('has not explained on this connection')).length, 1)
})
