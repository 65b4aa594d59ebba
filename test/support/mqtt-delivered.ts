// The mqtt receiver by itself at a real broker: what it delivers, device by device, and devices that number what they send.

import assert from 'node:assert/strict'
import { parseConfig } from '../../src/config/testing.ts'
import { systemClock } from '../../src/graph/clock.ts'
import type { Output, Receiver } from '../../src/graph/component.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/mqtt/factory.ts'
import { type Rig, rig } from './harness.ts'
import { Publisher } from './mqtt-broker.ts'
import type { Ground } from './server-process.ts'
import { until } from './until.ts'

/** What has been delivered, by device, in order, repeats included. */
export class Delivered implements Output {
  readonly byDevice = new Map<string, number[]>()
  readonly waitMs: () => number

  constructor(waitMs: () => number = () => 0) {
    this.waitMs = waitMs
  }

  send(batch: Batch): void {
    const deliver = (): void => {
      for (const { resource, scopeMetrics } of JSON.parse(bytesToJson('metrics', batch.parts)).resourceMetrics) {
        const device = resource.attributes[0].value.stringValue as string
        const list = this.byDevice.get(device) ?? []
        this.byDevice.set(device, list)
        for (const metric of scopeMetrics[0].metrics) list.push(metric.gauge.dataPoints[0].asDouble)
      }
      batch.delivery.deliver()
    }
    const waitMs = this.waitMs()
    if (waitMs === 0) deliver()
    else setTimeout(deliver, waitMs).unref()
  }

  /** Different values of all devices. */
  get distinct(): number {
    return [...this.byDevice.values()].reduce((sum, list) => sum + new Set(list).size, 0)
  }

  get repeats(): number {
    return [...this.byDevice.values()].reduce((sum, list) => sum + list.length - new Set(list).size, 0)
  }

  /** Each device's values as they came for the first time. */
  assertInOrder(): void {
    for (const [device, list] of this.byDevice) {
      const first = [...new Set(list)]
      assert.deepEqual(
        first,
        first.toSorted((a, b) => a - b),
        `${device} came out of order`,
      )
    }
  }
}

export interface Receiving extends Rig {
  readonly receiver: Receiver
}

/** Returns when the broker has its subscription; without `probing` once it is connected. */
export async function receiveFrom(
  t: Ground,
  port: number,
  out: Output & Pick<Delivered, 'byDevice'>,
  more: object = {},
  index = 0,
  probing = true,
): Promise<Receiving> {
  const shards = { index, count: index + 1, sharePorts: true, alone: false }
  const cfg = parseConfig(factory.config, {
    brokers: [`127.0.0.1:${port}`],
    client_id: 'millrace-test',
    reconnect: { initial_interval: '20ms', max_interval: '100ms' },
    topics: [{ topic: 'devices/{device_id}/data', decoder: 'json_points', qos: 1 }],
    ...more,
  })
  const base = rig()
  const context = { ...base.context('receiver', 'mqtt'), clock: systemClock, outputs: { metrics: out }, shards }
  const receiver = await factory.create(cfg, context)
  t.after(() => receiver.stop?.(AbortSignal.abort()))
  await receiver.start?.()
  await until(() => base.metric('receiver_mqtt_connected') === 1)
  if (probing) await until(async () => (await probe(port, out)) > 0)
  return { ...base, receiver }
}

let probes = 0
async function probe(port: number, delivered: Pick<Delivered, 'byDevice'>): Promise<number> {
  const publisher = await Publisher.connect(port, `probe-${probes++}`)
  publisher.publish('devices/probe/data', payload(probes), 1)
  await publisher.taken()
  publisher.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  const seen = delivered.byDevice.get('probe')?.length ?? 0
  delivered.byDevice.delete('probe')
  return seen
}

const payload = (value: number): string => JSON.stringify({ metrics: [{ name: 'count', value }] })

/** `count` messages of each of four devices, numbered. */
export function publishAll(publisher: Publisher, count: number, qos: 0 | 1 | 2 = 1, from = 0): void {
  for (let i = from; i < from + count; i++)
    for (let device = 0; device < 4; device++) publisher.publish(`devices/d${device}/data`, payload(i), qos)
}
