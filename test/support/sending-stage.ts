// What an exporter sends with, in front of a destination that the test plays.

import { object } from '../../src/config/schema.ts'
import { parseConfig } from '../../src/config/testing.ts'
import { DeliveryError, type Retry } from '../../src/delivery/error.ts'
import { ONLY_SHARD } from '../../src/graph/component.ts'
import { Batch, type ClientInfo, NO_CLIENT } from '../../src/otlp/batch.ts'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { sendingFields } from '../../src/sending/config.ts'
import { Sending } from '../../src/sending/sending.ts'
import { flushPromises } from './fake-clock.ts'
import { type Fate, rig, witness } from './harness.ts'

export const schema = object({ ...sendingFields })

/** A request of `spans` spans, whose names tell them apart. */
export function request(spans: number, name = 's'): Uint8Array {
  const id = '0102030405060708'
  return jsonToBytes(
    'traces',
    JSON.stringify({
      resourceSpans: [
        {
          scopeSpans: [
            { spans: Array.from({ length: spans }, (_, i) => ({ traceId: id + id, spanId: id, name: `${name}${i}` })) },
          ],
        },
      ],
    }),
  )
}

export interface Tried {
  readonly batch: Batch
  readonly signal: AbortSignal
  ok(): Promise<void>
  fail(error: Error): Promise<void>
}

/** A Sending in front of a destination that the test plays. */
export function stage(config: object, shards = 1) {
  const base = rig({ shards: { ...ONLY_SHARD, count: shards } })
  const tried: Tried[] = []
  const sending = new Sending(
    { ...base.context('exporter', 'otlp'), signals: ['traces', 'profiles'] },
    parseConfig(schema, config),
    (batch, signal) =>
      new Promise((resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason))
        tried.push({
          batch,
          signal,
          ok: () => {
            resolve()
            return flushPromises()
          },
          fail: (error) => {
            reject(error)
            return flushPromises()
          },
        })
      }),
  )
  const push = (spans = 1, client: ClientInfo = NO_CLIENT, name?: string): Fate => {
    const { delivery, fate } = witness()
    const bytes = request(spans, name)
    sending.send(new Batch('traces', [bytes], spans, delivery, client))
    return fate
  }
  return { ...base, sending, tried, push }
}

export const failing = (retry: Retry, grpcCode?: number): DeliveryError =>
  new DeliveryError('TEST_FAILED', 'no', { retry, ...(grpcCode === undefined ? {} : { grpcCode }) })

export const PATIENT = {
  initial_interval: '1s',
  randomization_factor: 0,
  multiplier: 2,
  max_interval: '10s',
  max_elapsed_time: '1m',
}
