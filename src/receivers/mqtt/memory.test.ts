import assert from 'node:assert/strict'
import { test } from 'node:test'
import { json, points, started, values } from '../../../test/support/mqtt-receiver.ts'
import { until } from '../../../test/support/until.ts'

const topics = [
  { topic: 'gateway/{_}', decoder: 'json_points' },
  { topic: 'cell/{device_id}', decoder: 'json_points' },
]
const quiet = { keep_alive: '0s', topics }

test('the log names the topic and the rule that hold the most devices, not those that came last', async (t) => {
  const { peer, logs } = await started(t, { ...quiet, max_devices: 5 })
  for (let i = 1; i <= 2; i++) peer.publish(`cell/c${i}`, points('', i))
  for (let i = 1; i <= 3; i++) peer.publish('gateway/1', points(`d${i}`, i))
  peer.publish('cell/c9', points('', 9))
  const told = () => logs.filter(({ message }) => /no room for a further device/.test(message))
  await until(() => told().length === 1)
  const { topic, topic_holds, rule, rule_holds, bound } = told()[0]!.fields
  assert.deepEqual([topic, topic_holds, rule, rule_holds, bound], ['gateway/1', 3, 'gateway/{_}', 3, 5])
})

test('where every topic is a device of its own, the rule with the most of them is named', async (t) => {
  const { peer, logs } = await started(t, { ...quiet, max_devices: 4 })
  peer.publish('gateway/1', points('d1', 1))
  for (let i = 1; i <= 4; i++) peer.publish(`cell/c${i}`, points('', i))
  await until(() => logs.some(({ message }) => /no room for a further device/.test(message)))
  const { rule, rule_holds } = logs.find(({ message }) => /no room for a further device/.test(message))!.fields
  assert.deepEqual([rule, rule_holds], ['cell/{device_id}', 3])
})

test('of series the log names the topic whose messages hold the most', async (t) => {
  const { peer, logs } = await started(t, { ...quiet, max_series: 4 })
  const metrics = ['a', 'b', 'c'].map((name) => ({ name, value: 1 }))
  peer.publish('gateway/1', JSON.stringify({ device_id: 'd1', metrics }))
  for (let i = 1; i <= 2; i++) peer.publish(`cell/c${i}`, points('', i))
  await until(() => logs.some(({ message }) => /no room for a further series/.test(message)))
  const { topic, topic_holds } = logs.find(({ message }) => /no room for a further series/.test(message))!.fields
  assert.deepEqual([topic, topic_holds], ['gateway/1', 3])
})

test('after forget_after without a word a device has lost its place to another', async (t) => {
  const { peer, sent, clock, metric } = await started(t, { ...quiet, max_devices: 1, forget_after: '1h' })
  peer.publish('cell/a', points('', 1), 1, 1)
  await until(() => values(sent).length === 1)
  peer.publish('cell/b', points('', 2), 1, 2)
  await until(() => peer.of('puback').length === 2)
  clock.advance(3_600_000)
  clock.advance(3_600_000)
  assert.equal(metric('receiver_mqtt_forgotten_devices'), 1)
  assert.equal(metric('receiver_mqtt_devices'), 0)
  peer.publish('cell/b', points('', 3), 1, 3)
  await until(() => peer.of('puback').length === 3)
  assert.deepEqual(values(sent), [1, 3])
})

test('topics beyond max_series have room when others are forgotten', async (t) => {
  const { peer, clock, metric } = await started(t, { ...quiet, max_series: 1, forget_after: '1h' })
  peer.publish('cell/a', points('', 1), 1, 1)
  peer.publish('cell/b', points('', 2), 1, 2)
  await until(() => peer.of('puback').length === 2)
  assert.equal(metric('receiver_mqtt_unread_messages', { reason: 'too_many_topics' }), 1)
  clock.advance(3_600_000)
  clock.advance(3_600_000)
  peer.publish('cell/b', points('', 3), 1, 3)
  await until(() => peer.of('puback').length === 3)
  assert.equal(metric('receiver_mqtt_series'), 1)
})

test('what Zigbee2MQTT says of a device is part of its resource from then on, and the device is still one', async (t) => {
  const topics = ['zigbee2mqtt/{device_id}', 'zigbee2mqtt/{device_id}/availability', 'zigbee2mqtt/bridge/devices']
  const { peer, sent, metric } = await started(t, {
    topics: topics.map((topic) => ({ topic, decoder: 'zigbee2mqtt' })),
    watch_devices: {},
  })
  const exposes = [{ type: 'numeric', property: 'power', unit: 'W' }]
  const told = (model: string): string =>
    JSON.stringify([{ friendly_name: 'plug', definition: { vendor: 'Aqara', model, exposes } }])
  let id = 1
  const steps: [topic: string, payload: string][] = [
    ['plug', '{"power": 1}'],
    ['bridge/devices', told('SP1')],
    ['plug', '{"power": 2}'],
    ['plug/availability', 'online'],
    ['bridge/devices', told('SP1')],
    ['plug', '{"power": 3}'],
    ['bridge/devices', told('SP2')],
    ['plug', '{"power": 4}'],
    ['other', '{"power": 5}'],
  ]
  for (const [topic, payload] of steps) {
    peer.publish(`zigbee2mqtt/${topic}`, payload, 1, id)
    await until(() => peer.of('puback').length === id)
    id++
  }
  const resources = sent
    .filter(({ signal }) => signal === 'metrics')
    .flatMap((batch) => json(batch).resourceMetrics)
    .map(({ resource }) =>
      resource.attributes.map(({ value }: { value: { stringValue: string } }) => value.stringValue),
    )
  assert.deepEqual(resources, [
    ['plug'],
    ['plug', 'Aqara', 'SP1'],
    ['plug', 'Aqara', 'SP1'],
    ['plug', 'Aqara', 'SP1'],
    ['plug', 'Aqara', 'SP2'],
    ['other'],
  ])
  assert.equal(metric('receiver_mqtt_devices'), 2)
})
