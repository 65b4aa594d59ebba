import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { grpcPeer, type Peer, type PeerHandler } from '../../../test/support/grpc-peer.ts'
import { batchOf, exporterHarness, type Fate, rig, witness } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import { bytesToJson, jsonToBytes } from '../../otlp/json/index.ts'
import type { Signal } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { LoadBalancingExporter } from './load-balancing.ts'

// biome-ignore lint/suspicious/noExplicitAny: requests as plain objects
type Any = any

const traceId = (number: number): string => number.toString(16).padStart(32, 'abcdef0123456789')

/** One span for each number, each of a trace of its own. */
const spansOf = (numbers: readonly number[], name = 'span'): Uint8Array =>
  jsonToBytes(
    'traces',
    JSON.stringify({
      resourceSpans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { stringValue: 'press' } }] },
          scopeSpans: [
            {
              scope: { name: 'lib' },
              spans: numbers.map((n) => ({ traceId: traceId(n), spanId: '2'.repeat(16), name: `${name}-${n}` })),
            },
          ],
        },
      ],
    }),
  )

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i)

const spansAt = (peer: Peer): { traceId: string; name: string }[] =>
  peer.calls.flatMap(({ request }) =>
    JSON.parse(bytesToJson('traces', [request])).resourceSpans.flatMap((r: Any) => {
      assert.equal(r.resource.attributes[0].value.stringValue, 'press')
      return r.scopeSpans.flatMap((s: Any) => s.spans)
    }),
  )

const settled = async (...fates: Fate[]): Promise<void> => {
  for (let i = 0; i < 2000 && !fates.every(isSettled); i++) await sleep(2)
  assert.ok(fates.every(isSettled), 'not settled')
}
const isSettled = (fate: Fate): boolean => fate.delivered || fate.refused !== undefined

const OTLP = { tls: { insecure: true }, compression: 'none' }
const DIRECT = { ...OTLP, sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }

async function gateways(t: TestContext, count: number, handler?: PeerHandler): Promise<Peer[]> {
  return Promise.all(Array.from({ length: count }, () => grpcPeer(t, handler === undefined ? {} : { handler })))
}

const addressesOf = (peers: readonly Peer[]): string[] => peers.map(({ port }) => `127.0.0.1:${port}`)

/** An exporter whose endpoints are what `addresses` says, asked for each second. */
async function resolved(t: TestContext, options: { config?: object; otlp?: object; addresses?: string[] } = {}) {
  const base = rig()
  const state = { addresses: options.addresses ?? [], error: undefined as Error | undefined }
  const exporter = new LoadBalancingExporter(
    parseConfig(config, {
      protocol: { otlp: options.otlp ?? DIRECT },
      resolver: { dns: { hostname: 'gateways', interval: '1s', timeout: '500ms' } },
      ...options.config,
    }),
    { ...base.context('exporter', 'load_balancing/edge'), signals: ['traces', 'logs', 'metrics'] },
    async () => {
      if (state.error !== undefined) throw state.error
      return state.addresses
    },
  )
  t.after(() => exporter.stop(AbortSignal.abort()))
  await exporter.start()
  return {
    ...base,
    exporter,
    push(bytes: Uint8Array | object, signal: Signal = 'traces'): Fate {
      const { delivery, fate } = witness()
      exporter.export(batchOf(signal, bytes, delivery))
      return fate
    },
    async resolve(addresses: string[] | Error): Promise<void> {
      if (addresses instanceof Error) state.error = addresses
      else {
        state.addresses = addresses
        state.error = undefined
      }
      base.clock.advance(1000)
      await sleep(0)
    },
  }
}

const staticConfig = (peers: readonly Peer[], otlp: object = DIRECT): object => ({
  protocol: { otlp },
  resolver: { static: { hostnames: addressesOf(peers) } },
})

test('every span of a trace goes to the same endpoint, whatever batch it comes in, and none is lost or doubled', async (t) => {
  const peers = await gateways(t, 3)
  const { push, metric } = await exporterHarness(t, factory, staticConfig(peers))
  const fates: Fate[] = []
  for (let round = 0; round < 4; round++) {
    fates.push(
      push('traces', spansOf(range(0, 100), `even-${round}`)),
      push('traces', spansOf([round, 50 + round], 'odd')),
    )
  }
  await settled(...fates)
  assert.ok(fates.every(({ accepted, delivered }) => accepted && delivered))
  const endpointOf = new Map<string, number>()
  let spans = 0
  peers.forEach((peer, i) => {
    const here = spansAt(peer)
    assert.ok(here.length > 0, `endpoint ${i} got nothing`)
    spans += here.length
    for (const { traceId: id } of here) {
      assert.equal(endpointOf.get(id) ?? i, i, `trace ${id} went to two endpoints`)
      endpointOf.set(id, i)
    }
  })
  assert.equal(spans, 408)
  assert.equal(endpointOf.size, 100)
  assert.equal(metric('exporter_sent_spans', { exporter: 'load_balancing' }), 408)
  const [first] = addressesOf(peers)
  assert.equal(metric('exporter_sent_spans', { exporter: `otlp_grpc/${first}` }), spansAt(peers[0]!).length)
  assert.equal(metric('loadbalancer_backend_outcome', { endpoint: first!, success: 'true' }), peers[0]!.calls.length)
  assert.equal(metric('loadbalancer_num_backends', { resolver: 'static' }), 3)
  assert.equal(metric('loadbalancer_num_resolutions', { resolver: 'static', success: 'true' }), 1)
})

test('a batch that belongs to one endpoint leaves byte for byte as it came', async (t) => {
  const peers = await gateways(t, 2)
  const { push } = await exporterHarness(t, factory, staticConfig(peers))
  const bytes = spansOf([7])
  await settled(push('traces', bytes))
  const calls = peers.flatMap((peer) => peer.calls)
  assert.equal(calls.length, 1)
  assert.ok(calls[0]!.request.equals(bytes))
})

test('an endpoint that fails stops only its own share, and its data wait for it', async (t) => {
  const peers = await gateways(t, 2)
  let down = true
  peers[0]!.handle((_, answer) => answer(down ? { code: status.UNAVAILABLE } : null, Buffer.alloc(0)))
  const retry = { initial_interval: '1s', max_interval: '1s', randomization_factor: 0 }
  const { push, metric, clock } = await exporterHarness(
    t,
    factory,
    staticConfig(peers, { ...OTLP, retry_on_failure: retry }),
  )
  const fate = push('traces', spansOf(range(0, 50)))
  assert.equal(fate.accepted, true)
  while (peers[1]!.calls.length === 0 || peers[0]!.calls.length === 0) await sleep(2)
  await sleep(5)
  assert.equal(isSettled(fate), false)
  const [failing, healthy] = addressesOf(peers)
  assert.equal(metric('exporter_remote_healthy', { endpoint: failing! }), 0)
  assert.equal(metric('exporter_remote_healthy', { endpoint: healthy! }), 1)
  const share = spansAt(peers[1]!).length
  down = false
  for (let i = 0; i < 500 && !isSettled(fate); i++) {
    clock.advance(1000)
    await sleep(2)
  }
  assert.equal(fate.delivered, true)
  assert.equal(spansAt(peers[1]!).length, share, 'data of the failing endpoint went to the other')
  assert.equal(metric('exporter_remote_healthy', { endpoint: failing! }), 1)
})

test('what an endpoint refuses is refused to the sender, and counted for that endpoint', async (t) => {
  const peers = await gateways(t, 2)
  peers[0]!.handle((_, answer) => answer({ code: status.INVALID_ARGUMENT, details: 'no' }))
  const { push, metric } = await exporterHarness(t, factory, staticConfig(peers))
  const fate = push('traces', spansOf(range(0, 50)))
  await settled(fate)
  assert.equal(fate.refused?.grpcCode, status.INVALID_ARGUMENT)
  const [refusing] = addressesOf(peers)
  assert.equal(metric('loadbalancer_backend_outcome', { endpoint: refusing!, success: 'false' }), 1)
  // Who answers is healthy.
  assert.equal(metric('exporter_remote_healthy', { endpoint: refusing! }), 1)
})

test('an endpoint that joins gets its share, one that leaves gives its own to the others, and each span arrives once under load', async (t) => {
  // Port and address stand in the list, so that all of them can be on one machine.
  const peers = await gateways(t, 3, (_, answer) => setTimeout(() => answer(null, Buffer.alloc(0)), 1))
  const all = addressesOf(peers)
  const { push, resolve, metric } = await resolved(t, { otlp: OTLP, addresses: all.slice(0, 2) })
  const fates: Fate[] = []
  const load = async (batches: number): Promise<void> => {
    for (let i = 0; i < batches; i++) {
      fates.push(push(spansOf(range(fates.length * 20, fates.length * 20 + 20))))
      if (i % 5 === 4) await sleep(1)
    }
  }
  await load(60)
  await resolve(all)
  await load(60)
  await resolve(all.slice(1))
  await load(60)
  await settled(...fates)
  assert.ok(fates.every(({ accepted, delivered }) => accepted && delivered))
  const names = peers.flatMap((peer) => spansAt(peer).map(({ name }) => name))
  assert.equal(names.length, 180 * 20)
  assert.equal(new Set(names).size, names.length, 'a span arrived twice')
  assert.ok(peers.every((peer) => peer.calls.length > 0))
  assert.equal(metric('loadbalancer_num_backends'), 2)
  assert.equal(metric('loadbalancer_num_backend_updates'), 3)
})

test('what waits for an endpoint that leaves goes to the others at once, without retries of its own', async (t) => {
  const [stuck, other] = (await gateways(t, 2)) as [Peer, Peer]
  stuck.handle((_, answer) => answer({ code: status.UNAVAILABLE }))
  const { push, resolve, metric } = await resolved(t, {
    otlp: { ...OTLP, sending_queue: { num_consumers: 1 } },
    addresses: addressesOf([stuck, other]),
  })
  const fates = range(0, 20).map((n) => push(spansOf([n])))
  assert.ok(fates.every(({ accepted }) => accepted))
  while (stuck.calls.length === 0) await sleep(2)
  await sleep(5)
  assert.ok(fates.some((fate) => !isSettled(fate)))
  await resolve(addressesOf([other]))
  await settled(...fates)
  assert.ok(fates.every(({ delivered }) => delivered))
  assert.equal(new Set(spansAt(other).map(({ name }) => name)).size, 20)
  assert.equal(metric('exporter_send_failed_spans', { exporter: 'load_balancing/edge' }), undefined)
  // The gauges of the one that left are gone; what it counted stays.
  assert.equal(metric('exporter_remote_healthy', { endpoint: addressesOf([stuck])[0]! }), undefined)
})

test('with retry_on_failure of its own it routes anew what an endpoint gave up, and only that', async (t) => {
  const [first, second] = (await gateways(t, 2)) as [Peer, Peer]
  first.handle((_, answer) => answer({ code: status.UNAVAILABLE }))
  const retry = { initial_interval: '2s', max_interval: '2s', randomization_factor: 0 }
  const { push, resolve, clock } = await resolved(t, {
    config: { retry_on_failure: retry },
    addresses: addressesOf([first, second]),
  })
  const fate = push(spansOf(range(0, 40)))
  while (first.calls.length === 0 || second.calls.length === 0) await sleep(2)
  await sleep(5)
  assert.equal(isSettled(fate), false)
  await resolve(addressesOf([second]))
  clock.advance(2000)
  await settled(fate)
  assert.equal(fate.delivered, true)
  const names = spansAt(second).map(({ name }) => name)
  assert.equal(names.length, 40)
  assert.equal(new Set(names).size, 40)
})

test('a part that has to be cut again after a change is tried again only where it failed', async (t) => {
  const [gone, good, bad] = (await gateways(t, 3)) as [Peer, Peer, Peer]
  let down = true
  gone.handle((_, answer) => answer({ code: status.UNAVAILABLE }))
  bad.handle((_, answer) => answer(down ? { code: status.UNAVAILABLE } : null, Buffer.alloc(0)))
  const retry = { initial_interval: '2s', max_interval: '2s', randomization_factor: 0 }
  const { push, resolve, clock } = await resolved(t, {
    config: { retry_on_failure: retry },
    addresses: addressesOf([gone]),
  })
  const fate = push(spansOf(range(0, 40)))
  while (gone.calls.length === 0) await sleep(2)
  await sleep(5)
  await resolve(addressesOf([good, bad]))
  for (let i = 0; i < 500 && bad.calls.length === 0; i++) {
    clock.advance(100)
    await sleep(2)
  }
  await sleep(5)
  down = false
  for (let i = 0; i < 500 && !isSettled(fate); i++) {
    clock.advance(100)
    await sleep(2)
  }
  assert.equal(fate.delivered, true)
  const names = spansAt(good).map(({ name }) => name)
  assert.ok(names.length > 0 && names.length < 40)
  assert.equal(new Set(names).size, names.length, 'what was delivered was sent again')
  const late = JSON.parse(bytesToJson('traces', [bad.calls.at(-1)!.request])).resourceSpans[0].scopeSpans[0].spans
  assert.equal(late.length, 40 - names.length)
})

test('while no endpoint is known data are refused for now, or wait with retry_on_failure', async (t) => {
  const [peer] = await gateways(t, 1)
  const bare = await resolved(t)
  const refused = bare.push(spansOf([1]))
  await settled(refused)
  assert.equal(refused.refused?.code, 'LOAD_BALANCING_NO_ENDPOINT')
  assert.equal(refused.refused?.retry, 'backoff')

  const waiting = await resolved(t, { config: { sending_queue: null, retry_on_failure: { initial_interval: '1s' } } })
  const fate = waiting.push(spansOf([1]))
  assert.equal(fate.accepted, true)
  await waiting.resolve(addressesOf([peer!]))
  for (let i = 0; i < 500 && !isSettled(fate); i++) {
    waiting.clock.advance(1000)
    await sleep(2)
  }
  assert.equal(fate.delivered, true)
})

test('timeout bounds how long an endpoint may take to accept, and not how long its queue takes to deliver', async (t) => {
  const [silent] = await gateways(t, 1, () => {})
  const retry = { retry_on_failure: { enabled: false } }
  const direct = await exporterHarness(t, factory, { ...staticConfig([silent!]), timeout: '2s' })
  const fate = direct.push('traces', spansOf([1]))
  while (silent!.calls.length === 0) await sleep(2)
  direct.clock.advance(2000)
  await settled(fate)
  assert.equal(fate.refused?.code, 'SEND_TIMEOUT')

  const queued = await exporterHarness(t, factory, {
    ...staticConfig([silent!], { ...OTLP, ...retry, timeout: '1m' }),
    timeout: '2s',
  })
  const held = queued.push('traces', spansOf([1]))
  assert.equal(held.accepted, true)
  while (silent!.calls.length === 1) await sleep(2)
  queued.clock.advance(30_000)
  await sleep(2)
  assert.equal(isSettled(held), false)
})

test('stopping delivers what the queues hold, in front of the routing and behind it', async (t) => {
  const peers = await gateways(t, 2, (_, answer) => setTimeout(() => answer(null, Buffer.alloc(0)), 1))
  const { push, stop, clock } = await exporterHarness(t, factory, {
    ...staticConfig(peers, { ...OTLP, sending_queue: { num_consumers: 1 } }),
    sending_queue: { num_consumers: 1 },
  })
  const fates = range(0, 20).map((n) => push('traces', spansOf([n, n + 100])))
  await stop()
  assert.ok(fates.every(({ delivered }) => delivered))
  assert.equal(clock.pending, 0)
  await stop()
})

test('a failed question keeps the endpoints, and is counted', async (t) => {
  const [peer] = await gateways(t, 1)
  const { push, resolve, metric, logs } = await resolved(t, { addresses: addressesOf([peer!]) })
  await resolve(new Error('SERVFAIL'))
  await resolve(new Error('SERVFAIL'))
  await settled(push(spansOf([1])))
  assert.equal(peer!.calls.length, 1)
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'false' }), 2)
  assert.equal(metric('loadbalancer_num_backends'), 1)
  assert.equal(logs.filter(({ level }) => level === 'warn').length, 1)
  await resolve(addressesOf([peer!]))
  assert.equal(metric('loadbalancer_num_resolutions', { success: 'true' }), 2)
  assert.equal(metric('loadbalancer_num_backend_updates'), 1)
})

test('a key that a signal cannot be routed by is a problem of the configuration', () => {
  const make = (signals: Signal[], routingKey: string): unknown =>
    factory.create(
      parseConfig(config, {
        routing_key: routingKey,
        routing_attributes: ['a'],
        resolver: { static: { hostnames: ['a:1'] } },
      }),
      { ...rig().context('exporter', 'load_balancing/x'), signals },
    )
  const bad: [Signal, string][] = [
    ['traces', 'metric'],
    ['traces', 'resource'],
    ['traces', 'streamID'],
    ['logs', 'metric'],
    ['logs', 'streamID'],
    ['metrics', 'traceID'],
  ]
  for (const [signal, key] of bad)
    assert.throws(
      () => make(['metrics', signal], key),
      (error: unknown) =>
        error instanceof ConfigError && error.problems[0]!.path === 'exporters.load_balancing/x.routing_key',
    )
  for (const key of ['service', 'attributes']) make(['traces', 'logs', 'metrics'], key)
  for (const key of ['resource', 'metric', 'streamID']) make(['metrics'], key)
  make(['logs'], 'traceID')
})
