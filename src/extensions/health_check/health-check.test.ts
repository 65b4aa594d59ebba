import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { FakeClock } from '../../../test/support/fake-clock.ts'
import { extensionHarness, rig, supervisedHarness } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import type { PipelineView, Status } from '../../graph/component.ts'
import type { ComponentHealth, Health, LastReload, ShardHealthState } from '../../graph/supervised.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { supervise } from './supervise.ts'

interface Probe {
  readonly status: number
  readonly type: string | null
  readonly body: string
  // biome-ignore lint/suspicious/noExplicitAny: answers are trees of many shapes
  readonly json: any
}

interface Supervised {
  readonly clock: FakeClock
  /** What the supervisor knows; tests change it. */
  readonly know: {
    ready: boolean
    states: ShardHealthState[]
    components: ComponentHealth[]
    lastReload: LastReload | undefined
  }
  get(path?: string, init?: RequestInit): Promise<Probe>
}

const component = (
  kind: ComponentHealth['kind'],
  id: string,
  status: Status = 'ok',
  error?: string,
): ComponentHealth => ({
  kind,
  id,
  status,
  ...(error === undefined ? {} : { error }),
})

async function supervised(t: TestContext, plain: object = {}): Promise<Supervised> {
  const know: Supervised['know'] = {
    ready: true,
    states: ['ready'],
    components: [
      component('receiver', 'otlp'),
      component('processor', 'batch'),
      component('exporter', 'otlp/2'),
      component('connector', 'forward'),
    ],
    lastReload: undefined,
  }
  const health = (): Health => ({
    ready: know.ready,
    startedAtMs: 1_767_225_600_000,
    shards: know.states.map((state, index) => ({ index, state, components: know.components, pipelines: [] })),
    lastReload: know.lastReload,
  })
  const pipelines: PipelineView[] = [
    { name: 'traces', signal: 'traces', receivers: ['otlp'], processors: ['batch'], exporters: ['otlp/2'] },
    { name: 'logs/b', signal: 'logs', receivers: ['otlp'], processors: [], exporters: ['forward'] },
  ]
  const settings = { endpoint: '127.0.0.1:0', ...plain }
  const { clock, get: ask } = await supervisedHarness(t, { supervise, config }, settings, { health, pipelines })
  const get = async (path = '/', init: RequestInit = {}): Promise<Probe> => {
    const response = await ask(path, init)
    const body = await response.text()
    const type = response.headers.get('content-type')
    return {
      status: response.status,
      type,
      body,
      json: type === 'application/json' && body !== '' ? JSON.parse(body) : undefined,
    }
  }
  return { clock, know, get }
}

test("a router that works answers 200 with the Collector's body, on every path and method", async (t) => {
  const { clock, get } = await supervised(t)
  clock.advance(3_723_004)
  const { status, type, body } = await get()
  assert.deepEqual([status, type], [200, 'application/json'])
  assert.equal(body, '{"status":"Server available","upSince":"2026-01-01T00:00:00.000Z","uptime":"1h2m3.004s"}')
  for (const path of ['/any/where', '/?x=1']) assert.equal((await get(path)).status, 200)
  assert.equal((await get('/', { method: 'POST', body: 'x' })).status, 200)
  assert.deepEqual([(await get('/', { method: 'HEAD' })).status, (await get('/', { method: 'HEAD' })).body], [200, ''])
})

test('before pipelines run and while they stop it answers 503 without a time', async (t) => {
  const { know, get } = await supervised(t)
  know.ready = false
  const { status, type, body } = await get()
  assert.deepEqual([status, type], [503, 'application/json'])
  assert.equal(body, '{"status":"Server not available","upSince":"0001-01-01T00:00:00Z","uptime":""}')
})

test('the answer turns bad when one shard is stuck, dead or starting again, and good when it is back', async (t) => {
  const { know, get } = await supervised(t)
  for (const state of ['stuck', 'dead', 'starting', 'stopping'] as const) {
    know.states = ['ready', state]
    assert.equal((await get()).status, 503, state)
  }
  know.states = ['ready', 'ready']
  assert.equal((await get()).status, 200)
})

test('a path of its own answers there alone, and own bodies are sent byte for byte without a type', async (t) => {
  const { know, get } = await supervised(t, { path: '/health', response_body: { healthy: 'fine\n', unhealthy: 'not' } })
  assert.deepEqual(await get('/health'), { status: 200, type: null, body: 'fine\n', json: undefined })
  know.ready = false
  assert.deepEqual(await get('/health?a'), { status: 503, type: null, body: 'not', json: undefined })
  for (const path of ['/', '/health/', '/healthy']) assert.equal((await get(path)).status, 404)
})

const V2 = { use_v2: true, http: { endpoint: '127.0.0.1:0' } }

test('version 2 gives the status of the router, and its parts when asked', async (t) => {
  const { clock, know, get } = await supervised(t, V2)
  clock.advance(5000)
  know.components = [...know.components, component('extension', 'zpages')]
  know.components[2] = component('exporter', 'otlp/2', 'recoverable', 'connection refused')
  const short = await get('/status')
  assert.equal(short.status, 200)
  assert.deepEqual(short.json, {
    start_time: '2026-01-01T00:00:00.000Z',
    healthy: true,
    status: 'StatusRecoverableError',
    error: 'connection refused',
    status_time: '2026-01-01T00:00:05.000Z',
  })
  const { json } = await get('/status?verbose')
  assert.deepEqual(Object.keys(json.components), ['extensions', 'pipeline:logs/b', 'pipeline:traces'])
  assert.deepEqual(Object.keys(json.components['pipeline:traces'].components), [
    'exporter:otlp/2',
    'processor:batch',
    'receiver:otlp',
  ])
  assert.equal(json.components['pipeline:traces'].status, 'StatusRecoverableError')
  assert.equal(json.components['pipeline:logs/b'].status, 'StatusOK')
  assert.equal(json.components['pipeline:logs/b'].components['exporter:forward'].status, 'StatusOK')
  assert.equal(json.components.extensions.components['extension:zpages'].status, 'StatusOK')
  const pipeline = await get('/status?pipeline=traces&verbose')
  assert.equal(pipeline.json.components['exporter:otlp/2'].error, 'connection refused')
  const unknown = await get('/status?pipeline=metrics')
  assert.deepEqual([unknown.status, unknown.body], [404, ''])
  assert.equal((await get('/')).status, 404)
})

test('a refused reload is told by version 2 and makes no answer bad', async (t) => {
  const plain = await supervised(t)
  const { clock, know, get } = await supervised(t, V2)
  const lastReload: LastReload = { atMs: clock.now(), result: { ok: false, problem: 'plant.yaml:1:1: a secret' } }
  plain.know.lastReload = lastReload
  know.lastReload = lastReload
  assert.equal((await plain.get()).status, 200)
  const { status, json } = await get('/status')
  assert.equal(status, 200)
  assert.deepEqual((json as Record<string, unknown>).config_reload, { refused: true, time: '2026-01-01T00:00:00.000Z' })
})

test('in version 2 each status has its code', async (t) => {
  const { know, get } = await supervised(t, V2)
  const code = async (status: Status): Promise<[number, string]> => {
    know.components[2] = component('exporter', 'otlp/2', status)
    const answer = await get('/status')
    return [answer.status, answer.json.status]
  }
  assert.deepEqual(await code('ok'), [200, 'StatusOK'])
  assert.deepEqual(await code('starting'), [503, 'StatusStarting'])
  assert.deepEqual(await code('recoverable'), [200, 'StatusRecoverableError'])
  assert.deepEqual(await code('permanent'), [200, 'StatusPermanentError'])
  assert.deepEqual(await code('fatal'), [500, 'StatusFatalError'])
  assert.deepEqual(await code('stopping'), [503, 'StatusStopping'])
  assert.deepEqual(await code('stopped'), [503, 'StatusStopped'])
  know.ready = false
  know.states = ['starting']
  assert.deepEqual(await code('ok'), [503, 'StatusStarting'])
  know.states = ['stopping']
  assert.deepEqual(await code('ok'), [503, 'StatusStopping'])
})

test('in version 2 a stuck or dead shard is fatal and named, whatever it last said', async (t) => {
  const { know, get } = await supervised(t, V2)
  know.states = ['ready', 'stuck']
  const { status, json } = await get('/status')
  assert.deepEqual([status, json.healthy, json.error], [500, false, 'shard 1 is stuck'])
})

test('errors of components count when they are included, recoverable ones after their time', async (t) => {
  const component_health = {
    include_permanent_errors: true,
    include_recoverable_errors: true,
    recovery_duration: '10s',
  }
  const { clock, know, get } = await supervised(t, { ...V2, component_health })
  know.components[1] = component('processor', 'batch', 'recoverable')
  clock.advance(1000) // noted here
  clock.advance(9_999)
  assert.equal((await get('/status')).status, 200)
  clock.advance(1)
  const late = await get('/status')
  assert.deepEqual([late.status, late.json.healthy], [500, false])
  know.components[1] = component('processor', 'batch')
  assert.equal((await get('/status')).status, 200)
  know.components[1] = component('processor', 'batch', 'permanent')
  assert.equal((await get('/status')).status, 500)
})

test('in a shard by itself it is available between the start and the stop of the pipelines', async (t) => {
  const { extension, logs } = await extensionHarness(t, factory, { endpoint: '127.0.0.1:0' })
  const url = `http://${logs.find((line) => line.message.includes('listens'))!.fields.endpoint}`
  const code = async (): Promise<number> => (await fetch(url)).status
  assert.equal(await code(), 503)
  extension.pipelinesStarted?.()
  assert.equal(await code(), 200)
  extension.pipelinesStopping?.()
  assert.equal(await code(), 503)
})

test('stopping twice, or before the start, is safe and frees the address', async (t) => {
  const { extension } = await extensionHarness(t, factory, { endpoint: '127.0.0.1:0' })
  await extension.stop?.(AbortSignal.timeout(1000))
  await extension.stop?.(AbortSignal.timeout(1000))
  const idle = factory.create(parseConfig(config), {
    ...rig().context('extension', 'x'),
    shard: { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] },
  })
  await idle.stop?.(AbortSignal.timeout(1000))
})

test('what the configuration cannot mean is said with what to write', () => {
  const problems = (plain: object): string[] => {
    try {
      parseConfig(config, plain)
    } catch (error) {
      if (error instanceof ConfigError) return error.problems.map(({ path, what }) => `${path}: ${what}`)
      throw error
    }
    return []
  }
  assert.deepEqual(problems({ path: 'health' }), ['path: path must start with /'])
  assert.deepEqual(problems({ endpoint: 'here' }), ['endpoint: "here" is not host:port'])
  assert.deepEqual(problems({ use_v2: true }), [': must specify at least one protocol'])
  assert.deepEqual(problems({ use_v2: true, grpc: { endpoint: 'x' } }), ['grpc: Millrace has no gRPC health service'])
  assert.deepEqual(problems({ use_v2: true, http: { config: { enabled: true } } }), [
    'http.config.enabled: Millrace does not serve its configuration',
  ])
  // Read, and without effect in version 1.
  const ignored = { grpc: { endpoint: 'x' }, http: null, check_collector_pipeline: { enabled: true, interval: '5m' } }
  assert.deepEqual(problems(ignored), [])
})
