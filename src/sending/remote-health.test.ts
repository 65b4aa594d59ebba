import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf, rig } from '../../test/support/harness.ts'
import { DeliveryError } from '../delivery/error.ts'
import { ONLY_SHARD } from '../graph/component.ts'
import { RemoteHealth } from './remote-health.ts'

function remote(shards = 1) {
  const { clock, context } = rig({ shards: { ...ONLY_SHARD, count: shards } })
  const state = { connected: true, error: undefined as Error | undefined }
  const health = new RemoteHealth(context('exporter', 'otlp'), () => state.connected)
  const push = health.watch(async () => {
    if (state.error !== undefined) throw state.error
  })
  const attempt = async (error?: Error): Promise<boolean | undefined> => {
    state.error = error
    await push(batchOf('traces', {}), new AbortController().signal).catch((thrown) => assert.equal(thrown, error))
    return health.healthy
  }
  return { clock, state, health, attempt }
}
const failure = (retry: 'never' | 'backoff'): DeliveryError => new DeliveryError('TEST_FAILED', 'no', { retry })

test('a remote is healthy while it is connected and its last attempt did not fail for a reason that may pass', async () => {
  const { state, health, attempt } = remote()
  assert.equal(health.healthy, true)
  assert.equal(await attempt(failure('backoff')), false)
  assert.equal(await attempt(), true)
  assert.equal(await attempt(failure('never')), true, 'who refuses has answered')
  assert.equal(await attempt(new Error('a mistake of ours')), true)
  state.connected = false
  assert.equal(health.healthy, false)
})

test('what failed because there was no connection ends when the connection is back', async () => {
  const { state, health, attempt } = remote()
  state.connected = false
  assert.equal(await attempt(failure('backoff')), false)
  state.connected = true
  assert.equal(health.healthy, true)
})

test('without a lasting connection nothing is said before the first attempt', async () => {
  const health = new RemoteHealth(rig().context('exporter', 'otlp'))
  assert.equal(health.healthy, undefined)
  await health.watch(async () => {})(batchOf('traces', {}), new AbortController().signal)
  assert.equal(health.healthy, true)
})

test('of several shards one that sends nothing any more forgets how its last attempt went', async () => {
  for (const shards of [1, 2]) {
    const { clock, health, attempt } = remote(shards)
    assert.equal(await attempt(failure('backoff')), false)
    clock.advance(60_000)
    assert.equal(health.healthy, false)
    clock.advance(120_000)
    assert.equal(health.healthy, shards > 1)
  }
})
