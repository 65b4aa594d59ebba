import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { receiverHarness } from '../../../test/support/harness.ts'
import { scriptedBroker } from '../../../test/support/mqtt-broker.ts'
import { until } from '../../../test/support/until.ts'
import type { Batch } from '../../otlp/batch.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { factory } from './factory.ts'

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
const items = (batches: readonly Batch[], signal: 'metrics' | 'logs'): any[] =>
  batches
    .filter((batch) => batch.signal === signal)
    .flatMap((batch) => {
      const json = JSON.parse(bytesToJson(signal, batch.parts))
      return (json.resourceMetrics ?? json.resourceLogs).flatMap(
        // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
        (resource: any) => {
          const device = resource.resource.attributes?.[0]?.value.stringValue
          const scope = (resource.scopeMetrics ?? resource.scopeLogs)[0]
          // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
          return (scope.metrics ?? scope.logRecords).map((item: any) =>
            signal === 'metrics'
              ? `${device} ${item.name}=${item.gauge.dataPoints[0].flags === 1 ? 'none' : item.gauge.dataPoints[0].asDouble}`
              : `${device} ${item.eventName}`,
          )
        },
      )
    })

async function watching(t: TestContext, watch: object = {}) {
  const broker = await scriptedBroker(t)
  const made = await receiverHarness(t, factory, {
    brokers: [`127.0.0.1:${broker.port}`],
    keep_alive: '0s',
    topics: [
      { topic: 'devices/{device_id}/data', decoder: 'json_points' },
      { topic: 'devices/{device_id}/status', decoder: 'status' },
    ],
    watch_devices: { every: '100s', min_silence: '60s', ...watch },
  })
  const peer = await broker.subscribed(0)
  const { sent, clock } = made
  /** A message from a clock that is two seconds behind, and what came of it. */
  const send = async (topic: string, payload: string, retain = false): Promise<void> => {
    const before = sent.length
    peer.send({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain })
    await until(() => sent.length > before)
  }
  const data = (device: string, retain = false): Promise<void> =>
    send(
      `devices/${device}/data`,
      JSON.stringify({ timestamp: clock.now() - 2000, metrics: [{ name: 'a', value: 1 }] }),
      retain,
    )
  const look = (ms: number): { metrics: string[]; logs: string[] } => {
    sent.length = 0
    clock.advance(ms)
    return { metrics: items(sent, 'metrics'), logs: items(sent, 'logs') }
  }
  return { ...made, send, data, look, peer }
}

test('a device that sends is up, with the skew of its clock; one that stops is offline, and online when it is back', async (t) => {
  const { data, look, clock } = await watching(t)
  for (let i = 0; i < 4; i++) {
    await data('a')
    clock.advance(20_000)
  }
  const up = ['a manufacturing.device.up=1', 'a manufacturing.device.clock_skew=2']
  assert.deepEqual(look(20_000), { metrics: up, logs: [] })
  assert.deepEqual(look(100_000), {
    metrics: ['a manufacturing.device.up=0', 'a a=none', 'a manufacturing.device.clock_skew=none'],
    logs: ['a manufacturing.device.offline'],
  })
  assert.deepEqual(look(100_000), { metrics: ['a manufacturing.device.up=0'], logs: [] }, 'series end once')
  clock.advance(90_000)
  await data('a')
  assert.deepEqual(look(10_000), { metrics: up, logs: ['a manufacturing.device.online'] })
})

test('what a last will says counts more than silence, until the device sends again', async (t) => {
  const { data, send, look, clock, sent } = await watching(t)
  for (let i = 0; i < 4; i++) {
    await data('a')
    clock.advance(20_000)
  }
  sent.length = 0
  await send('devices/a/status', 'Offline')
  assert.deepEqual(items(sent, 'metrics'), ['a a=none', 'a manufacturing.device.up=0'])
  sent.length = 0
  await send('devices/a/status', 'Offline')
  assert.deepEqual(items(sent, 'metrics'), ['a manufacturing.device.up=0'], 'series end once')
  assert.deepEqual(look(20_000), { metrics: [], logs: [] })
  clock.advance(90_000)
  await data('a')
  assert.deepEqual(look(10_000).metrics[0], 'a manufacturing.device.up=1')
})

test('retained messages are no sign of life', async (t) => {
  const { data, look, clock } = await watching(t)
  for (let i = 0; i < 4; i++) {
    await data('a', true)
    clock.advance(20_000)
  }
  assert.deepEqual(look(20_000), { metrics: [], logs: [] })
})

test('when we are cut off from the broker all devices are unknown, not offline', async (t) => {
  const { data, look, clock, peer, metric } = await watching(t)
  for (let i = 0; i < 4; i++) {
    await data('a')
    clock.advance(20_000)
  }
  peer.socket.destroy()
  await until(() => metric('receiver_mqtt_connected') === 0)
  assert.deepEqual(look(120_000), { metrics: [], logs: [] })
})

test('with end_series: false the last value of a silent device stays', async (t) => {
  const { data, look, clock } = await watching(t, { end_series: false })
  for (let i = 0; i < 4; i++) {
    await data('a')
    clock.advance(20_000)
  }
  look(20_000)
  assert.deepEqual(look(100_000).metrics, ['a manufacturing.device.up=0'])
})

test('series that have ended begin again with the next value, and end again', async (t) => {
  const { data, send, clock, sent } = await watching(t)
  for (let i = 0; i < 2; i++) {
    await data('a')
    clock.advance(20_000)
    sent.length = 0
    await send('devices/a/status', 'Offline')
    assert.equal(items(sent, 'metrics')[0], 'a a=none')
    clock.advance(20_000)
  }
})
