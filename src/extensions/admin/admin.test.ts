import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { supervisedHarness } from '../../../test/support/harness.ts'
import { ConfigError } from '../../config/problem.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Health, LastReload, ReloadResult, RouterControl } from '../../graph/supervised.ts'
import { isLoopback } from './admin.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

const OK: ReloadResult = { ok: true, kept: ['receiver otlp'], started: ['exporter file'], stopped: [] }
const PROBLEM = 'plant.yaml:3:5: CONFIG_UNKNOWN_KEY processors.batch.timeuot: there is no key timeuot here'

async function admin(t: TestContext, plain: object = {}) {
  const know: { result: ReloadResult; lastReload: LastReload | undefined; reloads: number } = {
    result: OK,
    lastReload: undefined,
    reloads: 0,
  }
  const health = (): Health => ({
    ready: true,
    startedAtMs: 1_767_225_600_000,
    shards: [{ index: 0, state: 'ready', components: [], pipelines: [] }],
    lastReload: know.lastReload,
  })
  const router: RouterControl = {
    reload: async () => {
      know.reloads++
      return know.result
    },
    config: async () => 'receivers:\n  otlp: {}\n',
  }
  const settings = { endpoint: '127.0.0.1:0', ...plain }
  const { get } = await supervisedHarness(t, { supervise, config }, settings, { health, router })
  const ask = async (path: string, init: RequestInit = {}) => {
    const response = await get(path, init)
    return { status: response.status, body: await response.text(), headers: response.headers }
  }
  return { know, ask }
}

test('a reload that is taken answers 200 with what changed, one that is refused 422 with its problems', async (t) => {
  const { know, ask } = await admin(t)
  const taken = await ask('/-/reload', { method: 'POST' })
  assert.equal(taken.status, 200)
  assert.deepEqual(JSON.parse(taken.body), OK)
  know.result = { ok: false, problem: PROBLEM }
  const refused = await ask('/-/reload', { method: 'POST' })
  assert.deepEqual([refused.status, refused.body], [422, `${PROBLEM}\n`])
})

test('the status tells of the shards and of the last reload', async (t) => {
  const { know, ask } = await admin(t)
  assert.deepEqual(JSON.parse((await ask('/-/status')).body), {
    ready: true,
    started_at: '2026-01-01T00:00:00.000Z',
    shards: [{ index: 0, state: 'ready' }],
    last_reload: null,
  })
  know.lastReload = { atMs: 1_767_225_600_000, result: { ok: false, problem: PROBLEM } }
  assert.deepEqual(JSON.parse((await ask('/-/status')).body).last_reload, {
    at: '2026-01-01T00:00:00.000Z',
    ok: false,
    problem: PROBLEM,
  })
})

test('the configuration that runs is served as YAML', async (t) => {
  const { ask } = await admin(t)
  const { status, body, headers } = await ask('/-/config')
  assert.deepEqual([status, body], [200, 'receivers:\n  otlp: {}\n'])
  assert.equal(headers.get('content-type'), 'application/yaml')
  assert.equal((await ask('/-/config', { method: 'HEAD' })).body, '')
})

test('other methods, other paths and pages in a browser reload nothing', async (t) => {
  const { know, ask } = await admin(t)
  const get = await ask('/-/reload')
  assert.deepEqual([get.status, get.headers.get('allow')], [405, 'POST'])
  assert.equal((await ask('/-/config', { method: 'POST' })).status, 405)
  assert.equal((await ask('/reload', { method: 'POST' })).status, 404)
  const page = await ask('/-/reload', { method: 'POST', headers: { origin: 'http://elsewhere.example' } })
  assert.equal(page.status, 403)
  assert.equal(know.reloads, 0)
})

test('this machine is known by its loopback addresses, and by a Unix socket', () => {
  for (const address of ['127.0.0.1', '127.8.0.1', '::1', '::ffff:127.0.0.1', undefined]) assert.ok(isLoopback(address))
  for (const address of ['10.0.0.7', '::ffff:10.0.0.7', 'fe80::1', '1.127.0.1']) assert.ok(!isLoopback(address))
})

test('an endpoint that is none is said with what to write', () => {
  assert.throws(() => parseConfig(config, { endpoint: 'here' }), ConfigError)
})
