import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { rig } from '../../../test/support/harness.ts'
import { DnsResolver, type Lookup } from './resolver.ts'

const CONFIG = { hostname: 'gateways', port: '', intervalMs: 5000, timeoutMs: 1000 }

function resolver(ask: Lookup | undefined, config = CONFIG) {
  const base = rig()
  const lists: (readonly string[])[] = []
  const dns = new DnsResolver(config, base.context('exporter', 'load_balancing'), ask)
  return { ...base, dns, lists, use: (list: readonly string[]) => void lists.push(list) }
}

test('the endpoints are all addresses, sorted, each once, IPv6 in brackets, with the port that is written', async () => {
  const ask: Lookup = async () => ['10.0.0.2', 'fd00::1', '10.0.0.10', '10.0.0.2']
  const bare = resolver(ask)
  await bare.dns.start(bare.use)
  assert.deepEqual(bare.lists, [['10.0.0.10', '10.0.0.2', '[fd00::1]']])
  bare.dns.stop()
  const ported = resolver(ask, { ...CONFIG, port: '14317' })
  await ported.dns.start(ported.use)
  assert.deepEqual(ported.lists[0]!.at(-1), '[fd00::1]:14317')
  ported.dns.stop()
  assert.equal(ported.clock.pending, 0)
})

test('the same addresses in another order are no change', async () => {
  let addresses = ['a', 'b']
  const { dns, use, lists, clock, metric } = resolver(async () => addresses)
  await dns.start(use)
  addresses = ['b', 'a']
  clock.advance(5000)
  await sleep(0)
  addresses = ['b']
  clock.advance(5000)
  await sleep(0)
  assert.deepEqual(lists, [['a', 'b'], ['b']])
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'true' }), 3)
  assert.equal(metric('loadbalancer_num_backend_updates'), 2)
  dns.stop()
})

test('an answer that takes longer than the timeout fails, and no second question is asked beside it', async () => {
  let questions = 0
  let answer: (addresses: string[]) => void = () => {}
  const { dns, use, lists, clock, metric } = resolver(() => {
    questions++
    return new Promise((resolve) => {
      answer = resolve
    })
  })
  const started = dns.start(use)
  clock.advance(1000)
  await started
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'false' }), 1)
  clock.advance(5000)
  await sleep(0)
  assert.equal(questions, 1)
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'false' }), 2)
  answer(['too-late'])
  await sleep(0)
  assert.deepEqual(lists, [])
  clock.advance(4500)
  answer(['in-time'])
  await sleep(0)
  assert.equal(questions, 2)
  assert.deepEqual(lists, [['in-time']])
  dns.stop()
  assert.equal(clock.pending, 0)
})

test('stopping ends the wait for an answer', async () => {
  const { dns, use, lists, clock } = resolver(() => new Promise(() => {}))
  const started = dns.start(use)
  dns.stop()
  await started
  assert.deepEqual(lists, [])
  assert.equal(clock.pending, 0)
})

test('a list that cannot be used counts as failed, and is tried again with the next answer', async () => {
  const { dns, clock, metric } = resolver(async () => ['a'])
  let refuse = true
  let used = 0
  await dns.start(() => {
    if (refuse) throw new Error('no certificate')
    used++
  })
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'false' }), 1)
  refuse = false
  clock.advance(5000)
  await sleep(0)
  assert.equal(used, 1)
  assert.equal(metric('loadbalancer_num_backends'), 1)
  dns.stop()
})

test('the name localhost is found by the system', async () => {
  const { dns, use, lists } = resolver(undefined, { ...CONFIG, hostname: 'localhost', port: '4317' })
  await dns.start(use)
  dns.stop()
  assert.ok(
    lists[0]!.some((endpoint) => endpoint === '127.0.0.1:4317' || endpoint === '[::1]:4317'),
    String(lists),
  )
})
