import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { rig, sink } from '../../../test/support/harness.ts'
import { scriptedBroker } from '../../../test/support/mqtt-broker.ts'
import { held, json, points, REFUSED, REFUSED_FOR_GOOD, started, values } from '../../../test/support/mqtt-receiver.ts'
import { until } from '../../../test/support/until.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { factory } from './factory.ts'

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

/** A receiver whose dead letters have a pipeline of their own. */
async function withDeadLetters(t: TestContext, main: ReturnType<typeof sink>, dead: ReturnType<typeof sink>) {
  const base = rig()
  const broker = await scriptedBroker(t)
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
  return { ...base, peer: await broker.subscribed(0) }
}

/** Log records of a sink. */
// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
const records = (out: ReturnType<typeof sink>): any[] =>
  out.sent.flatMap((batch) => json(batch).resourceLogs).flatMap((resource) => resource.scopeLogs[0].logRecords)

test('a batch that a pipeline refuses for good goes to dead_letter as it is, and its messages are acknowledged when it is there', async (t) => {
  const main = sink(REFUSED_FOR_GOOD)
  const dead = held()
  const { peer, metric } = await withDeadLetters(t, main, dead)
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => dead.sent.length === 1)
  peer.send({ cmd: 'pingreq' })
  assert.equal(metric('receiver_mqtt_unacked_messages'), 1, 'acknowledged before the dead letter was delivered')
  const [record] = records(dead)
  assert.equal(record.eventName, 'mqtt.refused_batch')
  const bytes = Buffer.from(record.body.bytesValue, 'base64')
  assert.deepEqual(JSON.parse(bytesToJson('metrics', [bytes])), json(main.sent[0]!))
  assert.deepEqual(
    // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
    record.attributes.map(({ key, value }: any) => `${key}=${value.stringValue}`),
    ['otlp.signal=metrics', 'otlp.items=1', 'error.type=TEST_REFUSED', 'error.message=never'],
  )
  dead.sent[0]!.delivery.deliver()
  await until(() => peer.of('puback').length === 1)
})

test('dead letters that are refused themselves are counted and go nowhere', async (t) => {
  const { peer, metric } = await withDeadLetters(t, sink(REFUSED_FOR_GOOD), sink(REFUSED_FOR_GOOD))
  peer.publish('devices/a/data', points('a', 1), 1, 1)
  await until(() => peer.of('puback').length === 1)
  assert.equal(metric('receiver_refused_metric_points'), 1)
  assert.equal(metric('receiver_refused_log_records'), 1)
})

test('a message that cannot be read is acknowledged, counted by rule and reason, shown once, and sent to dead_letter', async (t) => {
  const main = sink('deliver')
  const dead = sink('deliver')
  const { peer, ...base } = await withDeadLetters(t, main, dead)
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
  const letters = records(dead)
  assert.equal(letters.length, 4)
  assert.equal(letters[0].body.stringValue, '{"metrics":[{"name":"a","value":N1')
  assert.equal(letters[3].eventName, 'mqtt.dead_letter')
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

test('a dead_letter that is no pipeline of the receiver for logs is a problem of the configuration', async () => {
  const cfg = parseConfig(factory.config, { topics: [{ topic: 'a' }], dead_letter: 'logs/unread' })
  const context = { ...rig().context('receiver', 'mqtt'), outputs: { metrics: sink() } }
  await assert.rejects(
    async () => await factory.create(cfg, context),
    (error) => error instanceof ConfigError && /logs\/unread is no pipeline/.test(error.problems[0]!.what),
  )
})

test('the traceparent of a message, in its user properties or its JSON, is that of its exemplars and log records', async (t) => {
  const topics = [
    { topic: 'a/{device_id}', decoder: 'json' },
    { topic: 'b/{device_id}', decoder: 'text' },
  ]
  const { peer, sent } = await started(t, { topics })
  const traceparent = `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`
  peer.publish('a/1', JSON.stringify({ x: 1, traceparent, tracestate: 'k=v' }), 1, 1)
  peer.publish('a/2', '{"x": 2}', 1, 2, { properties: { userProperties: { traceparent } } })
  peer.publish('a/3', '{"x": 3}', 1, 3)
  peer.publish('b/1', 'stopped', 1, 4, { properties: { userProperties: { traceparent } } })
  await until(() => peer.of('puback').length === 4)
  const of = (signal: string) => sent.filter((batch) => batch.signal === signal).map(json)
  const found = of('metrics')
    .flatMap(({ resourceMetrics }) => resourceMetrics)
    .flatMap(({ scopeMetrics }) => scopeMetrics[0].metrics)
  assert.deepEqual(
    found.map(({ name, gauge }) => [
      name,
      gauge.dataPoints[0].exemplars?.map((one: { traceId: string }) => one.traceId),
    ]),
    [
      ['x', ['1'.repeat(32)]],
      ['x', ['1'.repeat(32)]],
      ['x', undefined],
    ],
  )
  const [record] = of('logs')[0].resourceLogs[0].scopeLogs[0].logRecords
  assert.deepEqual([record.traceId, record.spanId, record.flags], ['1'.repeat(32), '2'.repeat(16), 1])
})
