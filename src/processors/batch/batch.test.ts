import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, type Fate, harness, rig, sink, witness } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { type ClientInfo, NO_CLIENT } from '../../otlp/batch.ts'
import { checkRequest } from '../../otlp/check.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { BATCH_BOUNDS, type BatchBounds, BatchProcessor } from './batch.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

/** Spans named by numbers, from `first` on. */
const spans = (count: number, first = 0, service = 'press') => ({
  resourceSpans: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: service } }] },
      schemaUrl: 'https://example.com/resource',
      scopeSpans: [
        {
          scope: { name: 'lib' },
          schemaUrl: 'https://example.com/scope',
          spans: Array.from({ length: count }, (_, i) => ({ name: String(first + i) })),
        },
      ],
    },
  ],
})

const namesOf = (batch: { parts: readonly Uint8Array[] }): number[] =>
  JSON.parse(bytesToJson('traces', batch.parts)).resourceSpans.flatMap(
    (resource: { scopeSpans: { spans: { name: string }[] }[] }) =>
      resource.scopeSpans.flatMap((scope) => scope.spans.map((span) => Number(span.name))),
  )
const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)
const refusal = new DeliveryError('TEST', 'the queue is full', { retry: 'backoff' })

test('requests that are joined keep their bytes: the parts are the arrays that came in', async (t) => {
  const { push, sent } = await harness(t, factory, { send_batch_size: 4 })
  const [a, b] = [batchOf('traces', spans(2)).parts[0]!, batchOf('traces', spans(2, 2)).parts[0]!]
  push(a)
  assert.equal(sent.length, 0)
  push(b)
  assert.equal(sent.length, 1)
  assert.equal(sent[0]!.parts[0], a)
  assert.equal(sent[0]!.parts[1], b)
  assert.equal(sent[0]!.items, 4)
})

test('without a maximum everything that waits leaves in one batch', async (t) => {
  const { push, sent, metric } = await harness(t, factory, { send_batch_size: 4 })
  push(spans(3))
  push(spans(10, 3))
  assert.deepEqual(sent.map(namesOf), [range(0, 13)])
  assert.equal(metric('processor_batch_batch_size_trigger_send'), 1)
  assert.equal(metric('processor_batch_timeout_trigger_send'), 0)
})

test('what is less leaves when the time is over', async (t) => {
  const { push, sent, clock, metric } = await harness(t, factory, {})
  push(spans(3))
  clock.advance(199)
  assert.equal(sent.length, 0)
  clock.advance(1)
  assert.deepEqual(sent.map(namesOf), [range(0, 3)])
  assert.equal(metric('processor_batch_timeout_trigger_send'), 1)
  clock.advance(1000)
  assert.equal(sent.length, 1)
})

test('the timer runs in periods: what comes in waits for the rest of one, and a batch by size begins a new one', async (t) => {
  const { push, sent, clock } = await harness(t, factory, { send_batch_size: 4, timeout: '200ms' })
  push(spans(1)) // the first period begins
  clock.advance(200)
  assert.equal(sent.length, 1)
  clock.advance(150)
  push(spans(1))
  clock.advance(50)
  assert.equal(sent.length, 2)
  push(spans(1))
  clock.advance(150)
  push(spans(5)) // by size: a new period
  assert.equal(sent.length, 3)
  push(spans(1))
  clock.advance(199)
  assert.equal(sent.length, 3)
  clock.advance(1)
  assert.equal(sent.length, 4)
})

test('while nothing waits no timer runs', async (t) => {
  const { push, clock } = await harness(t, factory, { send_batch_size: 2 })
  assert.equal(clock.pending, 0)
  push(spans(1))
  assert.equal(clock.pending, 1)
  push(spans(1))
  assert.equal(clock.pending, 0)
})

test('a maximum cuts requests between items, each piece with resource, scope and schema URLs; the rest waits', async (t) => {
  const { push, sent, clock } = await harness(t, factory, { send_batch_size: 4, send_batch_max_size: 5 })
  push(spans(3))
  push(spans(9, 3))
  assert.deepEqual(sent.map(namesOf), [range(0, 5), range(5, 10)])
  clock.advance(200)
  assert.deepEqual(namesOf(sent[2]!), range(10, 12))
  for (const batch of sent) {
    assert.equal(
      batch.items,
      batch.parts.reduce((sum, part) => sum + checkRequest('traces', part), 0),
    )
    const json = bytesToJson('traces', batch.parts)
    for (const mark of ['press', 'lib', 'example.com/resource', 'example.com/scope'])
      assert.ok(json.includes(mark), mark)
  }
})

test('timeout 0 or send_batch_size 0 sends every request at once, cut by the maximum alone', async (t) => {
  for (const options of [{ timeout: 0 }, { send_batch_size: 0 }]) {
    const small = await harness(t, factory, options)
    small.push(spans(3))
    assert.deepEqual(small.sent.map(namesOf), [range(0, 3)])
    assert.equal(small.clock.pending, 0)
  }
  const cut = await harness(t, factory, { send_batch_size: 0, send_batch_max_size: 4 })
  cut.push(spans(9))
  assert.deepEqual(cut.sent.map(namesOf), [range(0, 4), range(4, 8), range(8, 9)])
})

test('data points count for metrics, log records for logs', async (t) => {
  const metrics = await harness(t, factory, { send_batch_size: 3 }, { signal: 'metrics' })
  const gauge = { name: 'g', gauge: { dataPoints: [{ asInt: 1 }, { asInt: 2 }, { asInt: 3 }] } }
  metrics.push({ resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] })
  assert.equal(metrics.sent[0]!.items, 3)
  const logs = await harness(t, factory, { send_batch_size: 2 }, { signal: 'logs' })
  logs.push({ resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}] }] }] })
  assert.equal(logs.sent[0]!.items, 2)
})

test('a sender has its answer at once, and its record hears what becomes of the batch', async (t) => {
  const { push, sent, clock } = await harness(t, factory, {})
  const fates = [push(spans(1)), push(spans(1))]
  assert.ok(fates.every((fate) => fate.accepted && !fate.delivered))
  clock.advance(200)
  sent[0]!.delivery.accept()
  assert.ok(fates.every((fate) => !fate.delivered))
  sent[0]!.delivery.deliver()
  assert.ok(fates.every((fate) => fate.delivered))
})

test('a request that was cut is delivered when its last piece is', async (t) => {
  const { push, sent, stop } = await harness(t, factory, { send_batch_size: 2, send_batch_max_size: 2 })
  const fate = push(spans(5))
  await stop()
  assert.deepEqual(sent.map(namesOf), [range(0, 2), range(2, 4), range(4, 5)])
  sent[0]!.delivery.deliver()
  sent[2]!.delivery.deliver()
  assert.equal(fate.delivered, false)
  sent[1]!.delivery.deliver()
  assert.equal(fate.delivered, true)
})

test('what the next component refuses after the answer is counted and logged, and the record hears of it', async (t) => {
  const { push, logs, metric, clock } = await harness(t, factory, {}, { settle: refusal })
  const fates = [push(spans(2)), push(spans(3))]
  clock.advance(200)
  assert.ok(fates.every((fate) => fate.accepted && fate.refused === refusal))
  assert.equal(metric('processor_batch_dropped_items'), 5)
  const line = logs.find(({ message }) => message === 'Sender failed')
  assert.equal(line?.level, 'warn')
  assert.equal(line?.fields.error, 'the queue is full')
  assert.equal(line?.fields.dropped_items, 5)
})

test('a piece of an answered request that is refused is counted too', async (t) => {
  const options = { send_batch_size: 2, send_batch_max_size: 2 }
  const { push, metric } = await harness(t, factory, options, { settle: refusal })
  push(spans(4))
  assert.equal(metric('processor_batch_dropped_items'), 4)
})

test('what a buffer loses after it took the batch is counted there and not here', async (t) => {
  const { push, sent, metric, clock } = await harness(t, factory, {})
  const fate = push(spans(2))
  clock.advance(200)
  sent[0]!.delivery.accept()
  sent[0]!.delivery.refuse(refusal)
  assert.equal(fate.refused, refusal)
  assert.equal(metric('processor_batch_dropped_items'), 0)
})

test('a sender that waits for delivery hears nothing before the end, and of a refusal so that it can try again', async (t) => {
  const { push, sent, clock, metric } = await harness(
    t,
    factory,
    { send_batch_max_size: 2, send_batch_size: 2 },
    { waits: true },
  )
  const fates = [push(spans(3)), push(spans(1))]
  clock.advance(200)
  assert.equal(sent.length, 2)
  sent[0]!.delivery.accept()
  sent[0]!.delivery.deliver()
  assert.deepEqual(
    fates.map((fate) => fate.accepted),
    [false, false],
  )
  sent[1]!.delivery.accept()
  sent[1]!.delivery.refuse(refusal)
  assert.deepEqual(
    fates.map((fate) => [fate.accepted, fate.refused]),
    [
      [false, refusal],
      [false, refusal],
    ],
  )
  assert.equal(metric('processor_batch_dropped_items'), 0)
})

test('senders that wait for each other are not kept waiting: when it is quiet and nothing is on its way, the batch leaves', async (t) => {
  const { push, sent, clock } = await harness(t, factory, {}, { waits: true })
  push(spans(1))
  clock.advance(9)
  push(spans(1, 1))
  clock.advance(9)
  assert.equal(sent.length, 0)
  clock.advance(1)
  assert.deepEqual(sent.map(namesOf), [[0, 1]])

  // While that one is on its way others gather, however quiet it is.
  push(spans(1, 2))
  clock.advance(50)
  assert.equal(sent.length, 1)
  sent[0]!.delivery.deliver()
  push(spans(1, 3))
  clock.advance(10)
  assert.deepEqual(namesOf(sent[1]!), [2, 3])
  sent[1]!.delivery.refuse(refusal)
  clock.advance(1000)
  assert.equal(sent.length, 2)
  assert.equal(clock.pending, 0)
})

test('while requests keep coming a batch of senders that wait grows until its time is over', async (t) => {
  const { push, sent, clock } = await harness(t, factory, {}, { waits: true })
  for (let i = 0; i < 40; i++) {
    push(spans(1, i))
    clock.advance(5)
  }
  assert.deepEqual(sent.map(namesOf), [range(0, 40)])
})

test('a request without items is delivered and goes no further', async (t) => {
  const { push, sent, stop } = await harness(t, factory, { timeout: 0 })
  assert.equal(push({ resourceSpans: [] }).delivered, true)
  await stop()
  assert.equal(sent.length, 0)
})

test('stopping sends the rest; what comes later leaves at once', async (t) => {
  const { push, sent, stop, clock } = await harness(t, factory, {})
  push(spans(2))
  await stop()
  assert.deepEqual(sent.map(namesOf), [range(0, 2)])
  push(spans(1))
  assert.equal(sent.length, 2)
  assert.equal(clock.pending, 0)
})

const tenant = (...values: string[]): ClientInfo => ({
  address: '10.0.0.1',
  metadata: new Map([
    ['x-tenant', values],
    ['x-other', ['o']],
  ]),
})

test('metadata_keys keep batches apart, and only those headers travel on', async (t) => {
  const { push, sent, clock, metric } = await harness(t, factory, { metadata_keys: ['X-Tenant'] })
  push(spans(1, 0), tenant('a'))
  push(spans(1, 1), tenant('b'))
  push(spans(1, 2), tenant('a'))
  push(spans(1, 3), tenant('a', 'b'))
  push(spans(1, 4))
  push(spans(1, 5), tenant(''))
  clock.advance(200)
  assert.deepEqual(
    sent.map((batch) => [namesOf(batch), batch.client.metadata?.get('x-tenant')]),
    [
      [[0, 2], ['a']],
      [[1], ['b']],
      [[3], ['a', 'b']],
      [[4, 5], undefined],
    ],
  )
  assert.deepEqual([...sent[0]!.client.metadata!.keys()], ['x-tenant'])
  assert.equal(sent[0]!.client.address, undefined)
  assert.equal(metric('processor_batch_metadata_cardinality'), 4)
})

test('without metadata_keys nothing of the client travels on', async (t) => {
  const { push, sent, clock, metric } = await harness(t, factory, {})
  push(spans(1), tenant('a'))
  clock.advance(200)
  assert.equal(sent[0]!.client, NO_CLIENT)
  assert.equal(metric('processor_batch_metadata_cardinality'), 1)
})

test('one combination too many is refused for good; known ones go on', async (t) => {
  const options = { metadata_keys: ['x-tenant'], metadata_cardinality_limit: 2, timeout: 0 }
  const { push, sent } = await harness(t, factory, options)
  push(spans(1), tenant('a'))
  push(spans(1), tenant('b'))
  const { refused, accepted } = push(spans(1), tenant('c'))
  assert.equal(accepted, false)
  assert.equal(refused?.retry, 'never')
  assert.equal(refused?.message, 'too many batcher metadata-value combinations')
  push(spans(1), tenant('b'))
  assert.equal(sent.length, 3)
})

/** A processor with small bounds and a next component that takes nothing until the test says so. */
function bounded(options: object, bounds: Partial<BatchBounds>) {
  const base = rig()
  const context = { ...base.context('processor', 'batch'), signal: 'traces' as const, pipeline: 'traces' }
  const processor = new BatchProcessor(parseConfig(config, options), context, { ...BATCH_BOUNDS, ...bounds })
  const out = sink()
  const push = (): Fate => {
    const { delivery, fate } = witness()
    processor.process(batchOf('traces', spans(1), delivery), out)
    return fate
  }
  return { ...base, ...out, push, processor }
}

test('while the next component takes nothing senders wait for their answer, then are refused', () => {
  const size = batchOf('traces', spans(1)).byteLength
  const { push, sent, metric } = bounded(
    { timeout: 0 },
    { untakenAnsweredMaxBytes: 2 * size, untakenMaxBytes: 4 * size },
  )
  const fates = Array.from({ length: 6 }, push)
  assert.deepEqual(
    fates.map((fate) => (fate.refused !== undefined ? 'refused' : fate.accepted ? 'answered' : 'waits')),
    ['answered', 'answered', 'answered', 'waits', 'waits', 'refused'],
  )
  assert.deepEqual(fates[5]!.refused?.retry, { afterMs: 1000 })
  sent[3]!.delivery.accept()
  assert.equal(fates[3]!.accepted, true)
  // Whoever still waits hears of a refusal and may try again: nothing is lost.
  sent[4]!.delivery.refuse(refusal)
  assert.equal(fates[4]!.refused, refusal)
  assert.equal(metric('processor_batch_dropped_items'), 0)
  for (const batch of sent.slice(0, 3)) batch.delivery.deliver()
  assert.equal(push().accepted, true)
})

test('what waits for company is bounded in bytes: beyond that it leaves early', () => {
  const size = batchOf('traces', spans(1)).byteLength
  const { push, sent } = bounded({}, { pendingMaxBytes: 2 * size })
  push()
  push()
  assert.equal(sent.length, 0)
  push()
  assert.deepEqual(
    sent.map((batch) => batch.items),
    [3],
  )
})

test('a configuration that contradicts itself is refused', () => {
  const refused = (options: object, words: RegExp) =>
    assert.throws(
      () => parseConfig(config, options),
      (error) => error instanceof ConfigError && words.test(error.message),
    )
  refused({ send_batch_max_size: 100 }, /send_batch_max_size.*8192/)
  refused({ metadata_keys: ['a', 'A'] }, /metadata_keys.*twice/)
  refused({ timeout: '-1s' }, /timeout/)
  refused({ send_batch_size: -1 }, /send_batch_size/)
  assert.equal(parseConfig(config).timeoutMs, 200)
})
