import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { IPublishPacket, Packet } from 'mqtt-packet'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { type Peer, type ScriptedBroker, scriptedBroker } from '../../../test/support/mqtt-broker.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }

const logs = (...bodies: string[]): object => ({
  resourceLogs: [{ scopeLogs: [{ logRecords: bodies.map((body) => ({ body: { stringValue: body } })) }] }],
})

/** Answers PUBLISH with QoS 1 by what `code` says of its payload. */
async function pair(
  t: TestContext,
  options: { code?: (payload: string) => number; config?: object; connack?: object } = {},
) {
  let code = options.code ?? (() => 0)
  const got: string[] = []
  const broker: ScriptedBroker = await scriptedBroker(t, { connack: options.connack ?? {} })
  const exporter = await exporterHarness(
    t,
    factory,
    {
      brokers: [`127.0.0.1:${broker.port}`],
      topic: 'plant/log',
      encoding: 'text',
      ...DIRECT,
      ...options.config,
    },
    { signals: ['logs'] },
  )
  await until(() => broker.peers[0]?.connect !== undefined)
  const peer: Peer = broker.peers[0]!
  const before = peer.onPacket
  peer.onPacket = (packet: Packet) => {
    if (packet.cmd !== 'publish') {
      before?.(packet)
      return
    }
    const { topic, payload, qos, messageId } = packet as IPublishPacket
    got.push(`${topic} ${payload}`)
    if (qos === 1) peer.send({ cmd: 'puback', messageId: messageId!, reasonCode: code(String(payload)) } as Packet)
  }
  return {
    ...exporter,
    peer,
    got,
    answerWith(next: (payload: string) => number) {
      code = next
    },
  }
}

const settled = async (fate: Fate): Promise<Fate> => {
  await until(() => fate.delivered || fate.refused !== undefined)
  return fate
}

test('a batch is delivered when the broker has acknowledged all of its messages', async (t) => {
  const { push, got, metric } = await pair(t)
  const { delivered } = await settled(push('logs', logs('a', 'b')))
  assert.equal(delivered, true)
  assert.deepEqual(got, ['plant/log a', 'plant/log b'])
  assert.equal(metric('exporter_mqtt_messages'), 2)
  assert.equal(metric('exporter_sent_log_records'), 2)
  assert.equal(metric('exporter_mqtt_connected'), 1)
})

test('a message that the broker refuses for good is counted and told once; the others are delivered', async (t) => {
  const { push, metric, logs: lines } = await pair(t, { code: (payload) => (payload === 'bad' ? 0x87 : 0) })
  for (let i = 0; i < 3; i++) assert.equal((await settled(push('logs', logs('good', 'bad')))).delivered, true)
  assert.equal(metric('exporter_mqtt_refused_messages', { reason: 'not authorized' }), 3)
  assert.equal(metric('exporter_rejected_log_records'), 3)
  assert.equal(lines.filter(({ message }) => message === 'the broker refuses messages').length, 1)
  const { refused } = await settled(push('logs', logs('bad')))
  assert.equal(refused?.retry, 'never')
})

test('quota exceeded may pass: the batch can be tried again, and only what was not taken goes again', async (t) => {
  const { push, got, answerWith, clock } = await pair(t, {
    code: (payload) => (payload === 'b' ? 0x97 : 0),
    config: { retry_on_failure: { initial_interval: '1s', randomization_factor: 0 } },
  })
  const fate = push('logs', logs('a', 'b'))
  await until(() => got.length === 2)
  answerWith(() => 0)
  await until(() => {
    clock.advance(100)
    return fate.delivered
  })
  assert.deepEqual(got, ['plant/log a', 'plant/log b', 'plant/log b'])
})

test('without a broker a batch is refused for now, and says that there is no connection', async (t) => {
  const { push, clock } = await exporterHarness(t, factory, { brokers: ['127.0.0.1:1'], ...DIRECT })
  const fate = push('logs', logs('a'))
  await new Promise((resolve) => setTimeout(resolve, 20))
  clock.advance(5_000)
  const { refused } = await settled(fate)
  assert.match(refused!.message, /^no connection to a broker: .*ECONNREFUSED/)
  assert.equal(refused!.retry, 'backoff')
})

test("a message above the broker's maximum is refused alone", async (t) => {
  const { push, got, metric } = await pair(t, { connack: { properties: { maximumPacketSize: 200 } } })
  assert.equal((await settled(push('logs', logs('a', 'x'.repeat(500), 'c')))).delivered, true)
  assert.deepEqual(got, ['plant/log a', 'plant/log c'])
  assert.equal(metric('exporter_mqtt_refused_messages', { reason: 'packet too large' }), 1)
})

test('QoS 0 is delivered when it has left, and retain is asked for', async (t) => {
  const { push, peer } = await pair(t, { config: { qos: 0, retain: true } })
  assert.equal((await settled(push('logs', logs('a')))).delivered, true)
  await until(() => peer.of('publish').length === 1)
  assert.equal((peer.of('publish')[0] as IPublishPacket).retain, true)
})

test('an item whose topic cannot be made is left out, counted and told; the rest goes', async (t) => {
  const { push, got, metric, logs: lines } = await pair(t, { config: { topic: 'plant/%{attributes.line}' } })
  const record = (body: string, line?: string): object => ({
    body: { stringValue: body },
    attributes: line === undefined ? [] : [{ key: 'line', value: { stringValue: line } }],
  })
  const logRecords = [record('a', 'l1'), record('b'), record('c', 'x'.repeat(2000)), record('d', 'l/2')]
  assert.equal((await settled(push('logs', { resourceLogs: [{ scopeLogs: [{ logRecords }] }] }))).delivered, true)
  assert.deepEqual(got, ['plant/l1 a', 'plant/l%2F2 d'])
  assert.equal(metric('exporter_mqtt_left_out_items', { reason: 'absent_attribute' }), 1)
  assert.equal(metric('exporter_mqtt_left_out_items', { reason: 'topic_too_long' }), 1)
  assert.equal(lines.filter(({ message }) => message === 'Items could not be published.').length, 1)
})

test('an encoding that has no words for a signal of the pipelines is a mistake of the configuration', async (t) => {
  await assert.rejects(
    exporterHarness(t, factory, { encoding: 'value' }, { signals: ['logs'] }),
    /value is for metrics/,
  )
})
