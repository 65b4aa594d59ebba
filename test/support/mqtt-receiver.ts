// For tests of the receiver: one that is connected to a broker which the test scripts.

import type { TestContext } from 'node:test'
import { DeliveryError } from '../../src/delivery/error.ts'
import type { Batch } from '../../src/otlp/batch.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/mqtt/factory.ts'
import { receiverHarness, sink } from './harness.ts'
import { scriptedBroker } from './mqtt-broker.ts'

export const points = (device: string, value: number): string =>
  JSON.stringify({ device_id: device, timestamp: 1767225590123, metrics: [{ name: 'temperature', value, unit: 'C' }] })

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
export const json = (batch: Batch): any => JSON.parse(bytesToJson(batch.signal, batch.parts))

export const values = (batches: readonly Batch[]): number[] =>
  batches
    .filter(({ signal }) => signal === 'metrics')
    .flatMap((batch) => json(batch).resourceMetrics)
    .flatMap((resource) => resource.scopeMetrics[0].metrics)
    .map((metric) => metric.gauge.dataPoints[0].asDouble)

export const REFUSED = new DeliveryError('TEST_REFUSED', 'not now', { retry: 'backoff' })
export const REFUSED_FOR_GOOD = new DeliveryError('TEST_REFUSED', 'never', { retry: 'never' })

export type Options = Parameters<typeof receiverHarness>[3] & { broker?: Parameters<typeof scriptedBroker>[1] }

export async function started(t: TestContext, config: object = {}, options: Options = {}) {
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
export const held = () => sink()
