// The router in this process: what the supervisor itself runs through reloads, and how reloads follow each other.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Router } from '../../src/router.ts'
import { BUILD } from '../support/harness.ts'
import { scriptedBroker } from '../support/mqtt-broker.ts'
import { freePorts } from '../support/router-process.ts'

const SPAN = JSON.stringify({
  resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: 'a' }] }] }],
})

interface Settings {
  readonly health: number
  readonly metrics: number
  readonly path?: string
  readonly level?: string
  readonly receivers?: string
  readonly exporters?: string
}

const yamlOf = ({
  health,
  metrics,
  path = '/',
  level = 'normal',
  receivers = 'nop: {}',
  exporters = 'nop: {}',
}: Settings): string => `
extensions: { health_check: { endpoint: "127.0.0.1:${health}", path: ${path} } }
receivers: { ${receivers} }
exporters: { ${exporters} }
service:
  extensions: [health_check]
  telemetry:
    logs: { output_paths: [] }
    metrics: { level: ${level}, readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] }
  pipelines: { traces: { receivers: [${receivers.split(':')[0]}], exporters: [${exporters.split(':')[0]}] } }
`

async function start(t: TestContext) {
  const [health, metrics, other] = (await freePorts(3)) as [number, number, number]
  const folder = mkdtempSync(join(tmpdir(), 'millrace-router-'))
  const file = join(folder, 'router.yaml')
  const base: Settings = { health, metrics }
  writeFileSync(file, yamlOf(base))
  const router = await Router.start({ configs: [file], sets: [], drainMs: 1_000 }, BUILD)
  t.after(async () => {
    await router.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  /** At once, as editors do it: a reload may be reading the file. */
  const write = (settings: Settings): void => {
    writeFileSync(`${file}.new`, yamlOf(settings))
    renameSync(`${file}.new`, file)
  }
  const get = async (port: number, path: string): Promise<string> => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`)
    return `${response.status} ${await response.text()}`
  }
  return { router, base, other, write, get }
}

test('reloads that are asked for while one runs become one more, with the newest file', async (t) => {
  const { router, base, write, get } = await start(t)
  const first = router.reload()
  await new Promise(setImmediate)
  write({ ...base, path: '/health' })
  const others = [router.reload(), router.reload(), router.reload()]
  assert.deepEqual(await Promise.all([first, ...others]).then((all) => all.map(({ ok }) => ok)), [
    true,
    true,
    true,
    true,
  ])
  assert.match(await get(base.metrics, '/metrics'), /otelcol_config_reloads\{result="ok"\} 2$/m)
  assert.match(await get(base.health, '/health'), /^200/)
  assert.match(await get(base.health, '/'), /^404/)
})

for (const group of ['', 'routers'])
  test(`an mqtt receiver${group === '' ? '' : ' with a shared subscription'} leaves the broker before its successor comes, however long that takes`, async (t) => {
    const { router, base, write } = await start(t)
    const silent = createServer((socket) => void socket.on('error', () => {}))
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
    t.after(() => silent.close())
    const { port } = silent.address() as AddressInfo
    const goodbyes: number[] = []
    const broker = await scriptedBroker(t, {
      onConnect: () => {
        goodbyes.push(broker.peers.filter((peer) => peer.of('disconnect').length > 0).length)
        return false
      },
    })
    const settings = (filter: string): Settings => ({
      ...base,
      receivers: `mqtt: { brokers: ["127.0.0.1:${broker.port}"], shared_subscription: "${group}", topics: [{ topic: ${filter}, decoder: otlp_traces }] }`,
      exporters: `otlp_http: { endpoint: "http://127.0.0.1:${port}", sending_queue: { enabled: false } }`,
    })
    write(settings('a/b'))
    assert.equal((await router.reload()).ok, true)
    const first = await broker.subscribed(0)
    const asked = once(silent, 'connection')
    first.publish('a/b', SPAN, 1, 1)
    await asked
    // What it holds cannot be delivered: it takes its time to go.
    write(settings('a/c'))
    assert.equal((await router.reload()).ok, true)
    await broker.subscribed(1)
    assert.deepEqual(goodbyes, [0, 1])
    assert.equal(new Set(broker.peers.map((peer) => peer.connect?.clientId)).size, 1)
  })

test('the metrics page moves to another port, and what was counted stays', async (t) => {
  const { router, base, other, write, get } = await start(t)
  await router.reload()
  write({ ...base, metrics: other })
  const result = await router.reload()
  assert.ok(result.ok && result.started.length === 0, JSON.stringify(result))
  assert.match(await get(other, '/metrics'), /otelcol_config_reloads\{result="ok"\} 2$/m)
  await assert.rejects(get(base.metrics, '/metrics'))
})

test('when the shard cannot take the new configuration, extensions and pages are as they were', async (t) => {
  const { router, base, other, write, get } = await start(t)
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  t.after(() => holder.close())
  const { port } = holder.address() as { port: number }
  const receivers = `otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }`
  write({ ...base, path: '/new', metrics: other, receivers })
  const result = await router.reload()
  assert.ok(!result.ok)
  assert.match(result.problem, /cannot start receiver otlp.*EADDRINUSE/)
  assert.match(await get(base.health, '/'), /^200/)
  assert.match(await get(base.metrics, '/metrics'), /otelcol_config_last_reload_successful 0$/m)
  await assert.rejects(get(other, '/metrics'))
  write(base)
  assert.equal((await router.reload()).ok, true)
  assert.match(await get(base.metrics, '/metrics'), /otelcol_config_last_reload_successful 1$/m)
})

test('what a shard cannot change while it lives is a complete start, and goes back to what ran when that fails', async (t) => {
  const { router, base, write, get } = await start(t)
  write({ ...base, level: 'detailed' })
  const result = await router.reload()
  assert.ok(result.ok)
  assert.deepEqual(result.started, ['everything'])
  assert.match(await get(base.health, '/'), /^200/)

  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
  t.after(() => holder.close())
  write({ ...base, level: 'normal', health: (holder.address() as { port: number }).port })
  const failed = await router.reload()
  assert.ok(!failed.ok)
  assert.match(failed.problem, /EADDRINUSE/)
  assert.match(await get(base.health, '/'), /^200/)
  assert.match(await get(base.metrics, '/metrics'), /otelcol_config_reloads\{result="refused"\} 1$/m)
})

test('a router that stops takes no new configuration', async (t) => {
  const { router } = await start(t)
  const stopping = router.stop()
  assert.deepEqual(await router.reload(), { ok: false, problem: 'the router is stopping' })
  await stopping
})
