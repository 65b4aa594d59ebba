import assert from 'node:assert/strict'
import { test } from 'node:test'
import { flushPromises } from '../../test/support/fake-clock.ts'
import type { Fate } from '../../test/support/harness.ts'
import { failing, PATIENT, request, schema, stage } from '../../test/support/sending-stage.ts'
import { parseConfig } from '../config/testing.ts'

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
