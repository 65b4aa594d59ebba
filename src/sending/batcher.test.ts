import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, witness } from '../../test/support/harness.ts'
import { failing, request, stage } from '../../test/support/sending-stage.ts'
import { type ClientInfo, NO_CLIENT } from '../otlp/batch.ts'
import { checkRequest } from '../otlp/check.ts'

test('the share of a shard holds what its batches are joined of', () => {
  const config = { sending_queue: { queue_size: 10, sizer: 'items', batch: { min_size: 8 } } }
  const { push, tried, metric } = stage(config, 5)
  for (let i = 0; i < 4; i++) push(2)
  assert.equal(tried[0]?.batch.items, 8)
  assert.equal(metric('exporter_queue_capacity', { data_type: 'traces' }), 8)
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
