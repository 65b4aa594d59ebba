import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flushPromises } from '../../test/support/fake-clock.ts'
import { batchOf, type Fate, rig, witness } from '../../test/support/harness.ts'
import { object } from '../config/schema.ts'
import { parseConfig } from '../config/testing.ts'
import { DeliveryError, type Retry } from '../delivery/error.ts'
import { ONLY_SHARD } from '../graph/component.ts'
import { Batch, type ClientInfo, NO_CLIENT } from '../otlp/batch.ts'
import { checkRequest } from '../otlp/check.ts'
import { jsonToBytes } from '../otlp/json/index.ts'
import { sendingFields } from './config.ts'
import { Sending } from './sending.ts'

const schema = object({ ...sendingFields })

/** A request of `spans` spans, whose names tell them apart. */
function request(spans: number, name = 's'): Uint8Array {
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

interface Tried {
  readonly batch: Batch
  readonly signal: AbortSignal
  ok(): Promise<void>
  fail(error: Error): Promise<void>
}

/** A Sending in front of a destination that the test plays. */
function stage(config: object, shards = 1) {
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

const failing = (retry: Retry, grpcCode?: number): DeliveryError =>
  new DeliveryError('TEST_FAILED', 'no', { retry, ...(grpcCode === undefined ? {} : { grpcCode }) })

const PATIENT = {
  initial_interval: '1s',
  randomization_factor: 0,
  multiplier: 2,
  max_interval: '10s',
  max_elapsed_time: '1m',
}

test('a request is accepted when the queue takes it and delivered when its push ends', async () => {
  const { push, tried, metric } = stage({})
  const fate = push(3)
  assert.deepEqual(fate, { accepted: true, delivered: false, refused: undefined })
  assert.equal(metric('exporter_queue_size', { data_type: 'traces' }), 1)
  assert.equal(metric('exporter_in_flight_requests'), 1)
  await tried[0]!.ok()
  assert.equal(fate.delivered, true)
  assert.equal(metric('exporter_queue_size'), 0)
  assert.equal(metric('exporter_sent_spans'), 3)
  assert.equal(metric('exporter_send_failed_spans'), undefined)
})

test('wait_for_result answers only when the push has ended', async () => {
  const { push, tried } = stage({ sending_queue: { wait_for_result: true } })
  const [one, two] = [push(), push()]
  assert.equal(one.accepted, false)
  await tried[0]!.ok()
  assert.equal(one.delivered, true)
  await tried[1]!.fail(failing('never', 3))
  assert.equal(two.accepted, false)
  assert.equal(two.refused?.grpcCode, 3)
})

test('a full queue refuses with an error that says when to try again, and what is in flight still counts', async () => {
  const { push, tried, metric, logs } = stage({ sending_queue: { queue_size: 2, num_consumers: 1 } })
  push()
  push()
  const third = push(5)
  assert.equal(third.refused?.message, 'sending queue is full')
  assert.deepEqual(third.refused?.retry, { afterMs: 1000 })
  assert.equal(third.accepted, false)
  assert.equal(metric('exporter_enqueue_failed_spans'), 5)
  assert.match(logs.at(-1)!.message, /^Exporting failed. Rejecting data./)
  assert.equal(logs.at(-1)!.fields.rejected_items, 5)
  await tried[0]!.ok()
  assert.equal(push().accepted, true)
})

test('queue_size counts items or bytes where the sizer says so', () => {
  const items = stage({ sending_queue: { queue_size: 10, sizer: 'items' } })
  assert.equal(items.push(6).accepted, true)
  assert.equal(items.push(5).accepted, false)
  assert.equal(items.push(4).accepted, true)
  assert.equal(items.metric('exporter_queue_size'), 10)
  const bytes = stage({ sending_queue: { queue_size: request(1).length, sizer: 'bytes' } })
  assert.match(bytes.push(2).refused!.message, /element size too large/)
  assert.equal(bytes.push(1).accepted, true)
  assert.equal(bytes.push(1).refused?.message, 'sending queue is full')
})

test('a request larger than the whole queue is refused even while the queue is empty', () => {
  const { push } = stage({ sending_queue: { queue_size: 10, sizer: 'items', block_on_overflow: true } })
  const fate = push(11)
  assert.match(fate.refused!.message, /element size too large/)
  assert.equal(fate.refused!.retry, 'backoff')
})

test('each of three shards has a third of queue_size and num_consumers, and at least one of each', async () => {
  const { push, tried, metric } = stage({ sending_queue: { queue_size: 10, num_consumers: 4 } }, 3)
  for (let i = 0; i < 4; i++) assert.equal(push().accepted, true)
  assert.equal(push().refused?.message, 'sending queue is full')
  assert.equal(metric('exporter_queue_capacity', { data_type: 'traces' }), 4)
  assert.equal(metric('exporter_in_flight_requests', { data_type: 'traces' }), 2)
  assert.equal(tried.length, 2)
  const least = stage({ sending_queue: { queue_size: 1, num_consumers: 1 } }, 3)
  assert.equal(least.push().accepted, true)
  assert.equal(least.tried.length, 1)
})

test('a request that fits into the whole queue and not into the share of a shard gets in alone', async () => {
  const { push, tried } = stage({ sending_queue: { queue_size: 10, sizer: 'items', block_on_overflow: true } }, 2)
  assert.equal(push(1).accepted, true)
  const large = push(8)
  assert.deepEqual(large, { accepted: false, delivered: false, refused: undefined })
  await tried[0]!.ok()
  assert.equal(large.accepted, true)
  const behind = push(5)
  assert.deepEqual(behind, { accepted: false, delivered: false, refused: undefined })
  assert.equal(push(1).refused?.message, 'sending queue is full')
  await tried[1]!.ok()
  assert.equal(behind.accepted, true)
  assert.match(push(11).refused!.message, /element size too large: 11 items, the whole queue holds 10/)
})

test('the share of a shard holds what its batches are joined of', () => {
  const config = { sending_queue: { queue_size: 10, sizer: 'items', batch: { min_size: 8 } } }
  const { push, tried, metric } = stage(config, 5)
  for (let i = 0; i < 4; i++) push(2)
  assert.equal(tried[0]?.batch.items, 8)
  assert.equal(metric('exporter_queue_capacity', { data_type: 'traces' }), 8)
})

test('an empty request is delivered without being sent', () => {
  const { push, tried } = stage({})
  assert.equal(push(0).delivered, true)
  assert.equal(tried.length, 0)
})

test('block_on_overflow lets senders wait for room in the order of their coming, and bounds them too', async () => {
  const { push, tried, sending } = stage({
    sending_queue: { queue_size: 1, num_consumers: 1, block_on_overflow: true },
  })
  const fates = [push(), push(), push()]
  assert.deepEqual(
    fates.map((fate) => fate.accepted),
    [true, false, false],
  )
  assert.equal(fates[1]!.refused, undefined)
  assert.equal(fates[2]!.refused?.message, 'sending queue is full')
  await tried[0]!.ok()
  assert.equal(fates[1]!.accepted, true)
  const late = push()
  const stopped = sending.stop()
  assert.equal(late.refused?.code, 'EXPORTER_STOPPED')
  await tried[1]!.ok()
  await stopped
})

test('no more than num_consumers requests are on their way', async () => {
  const { push, tried } = stage({ sending_queue: { num_consumers: 2 } })
  for (let i = 0; i < 5; i++) push()
  assert.equal(tried.length, 2)
  await tried[0]!.ok()
  assert.equal(tried.length, 3)
})

test('without a queue a sender hears nothing until the push has ended', async () => {
  const { push, tried, metric } = stage({ sending_queue: { enabled: false }, retry_on_failure: { enabled: false } })
  const [one, two] = [push(), push(4)]
  assert.equal(tried.length, 2)
  assert.equal(one.accepted, false)
  await tried[0]!.ok()
  assert.deepEqual(one, { accepted: true, delivered: true, refused: undefined })
  await tried[1]!.fail(failing('backoff', 8))
  assert.equal(two.refused?.grpcCode, 8)
  assert.equal(metric('exporter_send_failed_spans'), 4)
  assert.equal(metric('exporter_queue_size'), undefined)
})

test('a failure that may pass is tried again after growing intervals', async () => {
  const { push, tried, clock } = stage({ retry_on_failure: PATIENT })
  const fate = push()
  for (const wait of [1000, 2000, 4000, 8000, 10_000]) {
    await tried.at(-1)!.fail(failing('backoff'))
    const before = tried.length
    clock.advance(wait - 1)
    assert.equal(tried.length, before)
    clock.advance(1)
    assert.equal(tried.length, before + 1)
  }
  await tried.at(-1)!.ok()
  assert.equal(fate.delivered, true)
})

test('intervals vary by the randomization factor', async () => {
  const { push, tried, clock } = stage({ retry_on_failure: { ...PATIENT, randomization_factor: 0.5 } })
  push()
  await tried[0]!.fail(failing('backoff'))
  clock.advance(499)
  assert.equal(tried.length, 1)
  clock.advance(1001)
  assert.equal(tried.length, 2)
})

test('a server that says when is not asked earlier', async () => {
  const { push, tried, clock } = stage({ retry_on_failure: PATIENT })
  push()
  await tried[0]!.fail(failing({ afterMs: 20_000 }))
  clock.advance(19_999)
  assert.equal(tried.length, 1)
  clock.advance(1)
  assert.equal(tried.length, 2)
})

test('a request is given up when its next try would come after max_elapsed_time', async () => {
  const { push, tried, clock, metric, logs } = stage({ retry_on_failure: { ...PATIENT, max_elapsed_time: '10s' } })
  const fate = push(7)
  for (const wait of [1000, 2000, 4000]) {
    await tried.at(-1)!.fail(failing('backoff', 14))
    clock.advance(wait)
  }
  await tried.at(-1)!.fail(failing('backoff', 14)) // 7 s have passed, the next try would be at 15 s
  assert.match(fate.refused!.message, /^no more retries left: no/)
  assert.equal(fate.refused!.grpcCode, 14)
  assert.equal(metric('exporter_send_failed_spans', { 'error.type': 'Unavailable', 'error.permanent': 'false' }), 7)
  const line = logs.find((one) => one.level === 'error')!
  assert.equal(line.message, 'Exporting failed. Dropping data.')
  assert.equal(line.fields.dropped_items, 7)
})

test('max_elapsed_time 0 never gives up', async () => {
  const { push, tried, clock } = stage({ retry_on_failure: { ...PATIENT, max_elapsed_time: 0 } })
  const fate = push()
  for (let i = 0; i < 200; i++) {
    await tried.at(-1)!.fail(failing('backoff'))
    clock.advance(10_000)
  }
  assert.equal(tried.length, 201)
  assert.equal(fate.refused, undefined)
})

test('a final failure is not tried again', async () => {
  const { push, tried, clock, metric } = stage({ retry_on_failure: PATIENT })
  const fate = push(2)
  await tried[0]!.fail(failing('never', 3))
  clock.advance(100_000)
  assert.equal(tried.length, 1)
  assert.equal(fate.refused?.grpcCode, 3)
  assert.equal(metric('exporter_send_failed_spans', { 'error.type': 'InvalidArgument', 'error.permanent': 'true' }), 2)
})

test('an error that is no DeliveryError is final: the same mistake would come again', async () => {
  const { push, tried } = stage({ retry_on_failure: PATIENT })
  const fate = push()
  await tried[0]!.fail(new TypeError('x is not a function'))
  assert.equal(fate.refused?.code, 'EXPORTER_FAILED')
  assert.equal(fate.refused?.retry, 'never')
})

test('each try has its own timeout, and a try that ran out is repeated', async () => {
  const { push, tried, clock } = stage({ timeout: '2s', retry_on_failure: PATIENT })
  push()
  clock.advance(1999)
  assert.equal(tried[0]!.signal.aborted, false)
  clock.advance(1)
  assert.equal(tried[0]!.signal.aborted, true)
  await flushPromises()
  clock.advance(1000)
  assert.equal(tried.length, 2)
  assert.equal(tried[1]!.signal.aborted, false)
})

test('timeout 0 never ends a try', () => {
  const { push, tried, clock } = stage({ timeout: '0s' })
  push()
  clock.advance(1e9)
  assert.equal(tried[0]!.signal.aborted, false)
})

test('stopping ends back-offs, sends the queue once, and waits for what is on its way', async () => {
  const { push, tried, sending, clock, metric } = stage({
    sending_queue: { num_consumers: 1 },
    retry_on_failure: PATIENT,
  })
  const [first, second, third] = [push(1), push(10), push(100)]
  await tried[0]!.fail(failing('backoff', 14))
  let stopped = false
  const stop = sending.stop().then(() => {
    stopped = true
  })
  assert.match(first.refused!.message, /^interrupted due to shutdown: no/)
  assert.equal(metric('exporter_send_failed_spans', { 'error.type': 'Shutdown' }), 1)
  assert.equal(tried.length, 2)
  assert.equal(push(1000).refused?.code, 'EXPORTER_STOPPED')
  await tried[1]!.ok()
  assert.equal(second.delivered, true)
  await tried[2]!.fail(failing('backoff')) // no second try any more
  assert.equal(third.refused?.code, 'EXPORTER_STOPPED')
  await stop
  assert.equal(stopped, true)
  assert.equal(clock.pending, 0)
  await sending.stop()
})

test('when the deadline is over, everything that is left is refused and counted', async () => {
  const { push, tried, sending, metric, clock } = stage({ sending_queue: { num_consumers: 2 } })
  const fates = [push(1), push(10), push(100), push(1000)]
  const deadline = new AbortController()
  const stop = sending.stop(deadline.signal)
  assert.equal(fates.filter((fate) => fate.refused !== undefined).length, 0)
  deadline.abort()
  assert.deepEqual(
    fates.map((fate) => fate.refused?.code),
    Array(4).fill('EXPORTER_STOPPED'),
  )
  assert.equal(
    tried.every(({ signal }) => signal.aborted),
    true,
  )
  await stop
  assert.equal(metric('exporter_send_failed_spans'), 1111)
  assert.equal(metric('exporter_queue_size'), 0)
  assert.equal(clock.pending, 0)
})

test('a storm of failures writes a line at once and one sum for each period after it', async () => {
  const { push, tried, logs, clock } = stage({ sending_queue: { num_consumers: 1000 } })
  for (let i = 0; i < 1000; i++) push(2)
  for (const one of tried) void one.fail(failing('never'))
  await flushPromises()
  clock.advance(10_000)
  const lines = logs.filter((line) => line.level === 'error')
  assert.equal(lines.length, 2)
  assert.equal(
    lines.reduce((sum, line) => sum + Number(line.fields.dropped_items), 0),
    2000,
  )
})

test('a batch leaves when it has min_size, or when flush_timeout is over', async () => {
  const { push, tried, clock, metric } = stage({ sending_queue: { batch: { min_size: 10, flush_timeout: '1s' } } })
  const fates = [push(4), push(4)]
  assert.equal(fates[0]!.accepted, true)
  assert.equal(tried.length, 0)
  fates.push(push(4))
  assert.equal(tried.length, 1)
  assert.equal(tried[0]!.batch.items, 12)
  assert.equal(tried[0]!.batch.parts.length, 3)
  assert.equal(metric('exporter_queue_size'), 3)
  push(1)
  clock.advance(999)
  assert.equal(tried.length, 1)
  clock.advance(1)
  assert.equal(tried[1]!.batch.items, 1)
  await tried[0]!.ok()
  assert.deepEqual(
    fates.map((fate) => fate.delivered),
    [true, true, true],
  )
  assert.equal(metric('exporter_queue_size'), 1)
})

test('a batch above max_size is cut, and each request is delivered when all its pieces are', async () => {
  const { push, tried } = stage({ sending_queue: { batch: { min_size: 10, max_size: 10 } } })
  const [small, large] = [push(4, NO_CLIENT, 'a'), push(25, NO_CLIENT, 'b')]
  assert.deepEqual(
    tried.map(({ batch }) => batch.items),
    [10, 10],
  )
  for (const { batch } of tried)
    assert.equal(
      batch.parts.reduce((sum, part) => sum + checkRequest('traces', part), 0),
      batch.items,
    )
  await tried[0]!.ok()
  assert.equal(small.delivered, true)
  await tried[1]!.ok()
  assert.equal(large.delivered, false)
  push(1)
  assert.equal(tried.length, 3)
  assert.equal(tried[2]!.batch.items, 10)
  await tried[2]!.ok()
  assert.equal(large.delivered, true)
})

test('requests of profiles are never joined: each has a dictionary of its own', async () => {
  const { sending, tried } = stage({ sending_queue: { batch: { min_size: 4, max_size: 5 } } })
  const fates = [1, 2, 7].map((samples) => {
    const { delivery, fate } = witness()
    const profile = { samples: Array.from({ length: samples }, () => ({ stackIndex: 1 })) }
    sending.send(
      batchOf(
        'profiles',
        { resourceProfiles: [{ scopeProfiles: [{ profiles: [profile] }] }], dictionary: { stringTable: ['', 'cpu'] } },
        delivery,
      ),
    )
    return fate
  })
  assert.deepEqual(
    tried.map(({ batch }) => [batch.items, batch.parts.length]),
    [
      [1, 1],
      [2, 1],
      [5, 1],
      [2, 1],
    ],
  )
  for (const { ok } of tried) await ok()
  assert.ok(fates.every(({ delivered }) => delivered))
})

test('one lost piece refuses the request it came from and no other', async () => {
  const { push, tried, metric } = stage({
    sending_queue: { batch: { min_size: 5, max_size: 5 } },
    retry_on_failure: { enabled: false },
  })
  const [one, two] = [push(5), push(10)]
  await tried[0]!.ok()
  await tried[1]!.fail(failing('never'))
  await tried[2]!.ok()
  assert.equal(one.delivered, true)
  assert.notEqual(two.refused, undefined)
  assert.equal(metric('exporter_sent_spans'), 10)
  assert.equal(metric('exporter_send_failed_spans'), 5)
  assert.equal(metric('exporter_queue_size'), 0)
})

test('batches may be measured in bytes', () => {
  const size = request(1).length
  const { push, tried } = stage({
    sending_queue: { sizer: 'bytes', queue_size: 1_000_000, batch: { min_size: 3 * size } },
  })
  push()
  push()
  assert.equal(tried.length, 0)
  push()
  assert.equal(tried[0]!.batch.byteLength, 3 * size)
})

test('batches are kept apart by the headers of the partition, and carry only those on', () => {
  const { push, tried } = stage({
    sending_queue: { batch: { min_size: 2, partition: { metadata_keys: ['X-Tenant'] } } },
  })
  const of = (tenant: string): ClientInfo => ({
    address: '10.0.0.1',
    metadata: new Map([
      ['x-tenant', [tenant]],
      ['other', ['x']],
    ]),
  })
  push(1, of('a'))
  push(1, of('b'))
  push(1)
  assert.equal(tried.length, 0)
  push(1, of('a'))
  assert.deepEqual([...tried[0]!.batch.client.metadata!], [['x-tenant', ['a']]])
  assert.equal(tried[0]!.batch.items, 2)
})

test('stopping sends what the batch still gathers', async () => {
  const { push, tried, sending } = stage({ sending_queue: { batch: null } })
  const fate = push(3)
  const stop = sending.stop()
  await tried[0]!.ok()
  await stop
  assert.equal(fate.delivered, true)
})

test('requests that nobody could send are settled and counted, none is lost in silence', async () => {
  const { push, tried, sending, metric } = stage({
    sending_queue: { queue_size: 50, num_consumers: 3, batch: { min_size: 7, max_size: 20 } },
    retry_on_failure: { enabled: false },
  })
  const fates: Fate[] = []
  let offered = 0
  for (let i = 0; i < 300; i++) {
    const spans = (i * 7) % 40
    offered += spans
    fates.push(push(spans))
    if (i % 3 === 0) await (i % 2 === 0 ? tried.at(-1)?.ok() : tried.at(-1)?.fail(failing('backoff')))
  }
  const stop = sending.stop(AbortSignal.abort())
  await stop
  assert.equal(
    fates.every((fate) => fate.delivered !== (fate.refused !== undefined)),
    true,
  )
  const counted = ['sent', 'send_failed', 'enqueue_failed'].map((kind) => metric(`exporter_${kind}_spans`) ?? 0)
  assert.equal(
    counted.reduce((sum, value) => sum + value, 0),
    offered,
  )
})

test('configuration that cannot work is refused with words', () => {
  const problems = (config: object): string[] => {
    try {
      parseConfig(schema, config)
      return []
    } catch (error) {
      return (error as { problems: { path: string }[] }).problems.map(({ path }) => path)
    }
  }
  assert.deepEqual(problems({ sending_queue: { storage: 'file_storage' } }), [])
  assert.deepEqual(problems({ sending_queue: { storage: 'file_storage', wait_for_result: true } }), [
    'sending_queue.wait_for_result',
  ])
  assert.deepEqual(problems({ sending_queue: { batch: { flush_timeout: 0 } } }), ['sending_queue.batch.flush_timeout'])
  assert.deepEqual(problems({ sending_queue: { batch: { max_size: 10 } } }), ['sending_queue.batch.max_size'])
  assert.deepEqual(problems({ sending_queue: { sizer: 'requests', batch: {} } }), ['sending_queue.batch.sizer'])
  assert.deepEqual(problems({ sending_queue: { sizer: 'items', batch: {} } }), ['sending_queue.batch.min_size'])
  assert.deepEqual(problems({ sending_queue: { num_consumers: 0, queue_size: 0 } }).length, 2)
  assert.deepEqual(problems({ retry_on_failure: { max_elapsed_time: '20s' } }), ['retry_on_failure.max_elapsed_time'])
  assert.deepEqual(problems({ retry_on_failure: { enabled: false, max_elapsed_time: '20s' } }), [
    'retry_on_failure.max_elapsed_time',
  ])
  assert.deepEqual(problems({ retry_on_failure: { enabled: false, initial_intervall: '1s' } }).length, 1)
  assert.deepEqual(problems({ retry_on_failure: { enabled: false, initial_interval: '1s' } }), [])
  assert.deepEqual(problems({ timeout: '-1s' }), ['timeout'])
  assert.deepEqual(problems({ retry_on_failure: { max_elapsed_time: 0 } }), [])
})
