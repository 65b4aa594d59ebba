// What the supervisor shows of several shards: one listener each for health, pages, profiles and admin, whatever becomes
// of a shard.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Router } from '../../src/router.ts'
import { BUILD } from '../support/harness.ts'
import { MORTAL_WORKER, stick } from '../support/mortal-worker.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'

interface Ports {
  readonly otlp: number
  readonly health: number
  readonly admin: number
  readonly zpages: number
  readonly pprof: number
  readonly metrics: number
}

async function ports(): Promise<Ports> {
  const [otlp, health, admin, zpages, pprof, metrics] = (await freePorts(6)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return { otlp, health, admin, zpages, pprof, metrics }
}

const yaml = ({ otlp, health, admin, zpages, pprof, metrics }: Ports): string => `
extensions:
  health_check: { endpoint: "127.0.0.1:${health}" }
  admin: { endpoint: "127.0.0.1:${admin}" }
  zpages: { endpoint: "127.0.0.1:${zpages}", expvar: { enabled: true } }
  pprof: { endpoint: "127.0.0.1:${pprof}" }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${otlp}" } } } }
exporters: { nop: }
service:
  shards: 2
  extensions: [health_check, admin, zpages, pprof]
  telemetry:
    logs: { level: error }
    metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] }
  pipelines: { traces: { receivers: [otlp], exporters: [nop] } }`

async function get(port: number, path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`)
  return { status: response.status, body: await response.text() }
}

const json = async (port: number, path: string) => JSON.parse((await get(port, path)).body)

/** Over a connection of its own, so that the kernel chooses a shard for each. */
async function postSpan(port: number): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      resourceSpans: [
        { scopeSpans: [{ spans: [{ traceId: '1'.repeat(32), spanId: '0102030405060708', name: 'weld' }] }] },
      ],
    }),
  })
  await response.arrayBuffer()
  return response.status
}

async function until(what: string, is: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 20_000
  while (!(await is())) {
    assert.ok(performance.now() < end, `never ${what}`)
    await sleep(10)
  }
}

/** A router in this process, so that the test can harm its shards. */
async function startHere(t: TestContext, listeners: Ports): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-pages-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'router.yaml')
  writeFileSync(file, yaml(listeners))
  const router = await Router.start({ configs: [file], sets: [], worker: MORTAL_WORKER }, BUILD)
  t.after(() => router.stop())
}

test('one set of pages tells of both shards and profiles either', async (t) => {
  const listeners = await ports()
  const { otlp, health, admin, zpages, pprof, metrics } = listeners
  const router = await startRouterProcess(t, yaml(listeners).replace('level: error', 'level: info'))
  const statuses = await Promise.all(Array.from({ length: 40 }, () => postSpan(otlp)))
  assert.ok(statuses.every((status) => status === 200))

  assert.equal((await get(health, '/')).status, 200)
  assert.deepEqual((await json(admin, '/-/status')).shards, [
    { index: 0, state: 'ready' },
    { index: 1, state: 'ready' },
  ])
  assert.match((await get(metrics, '/metrics')).body, /^otelcol_receiver_accepted_spans\{[^}]*\} 40$/m)
  const row = /<td>traces<\/td><td>40<\/td><td>40<\/td><td>0<\/td><td>0<\/td><td>0<\/td>/
  await until('all spans in the totals', async () => row.test((await get(zpages, '/debug/pipelinez')).body))
  const { shards } = await json(zpages, '/debug/expvarz')
  assert.deepEqual(
    shards.map(({ shard, state, heap }: { shard: number; state: string; heap: { used_heap_size: number } }) => [
      shard,
      state,
      heap.used_heap_size > 0,
    ]),
    [
      [0, 'ready', true],
      [1, 'ready', true],
    ],
  )

  const profiles = ['0', '1', 'supervisor'].map((shard) => json(pprof, `/debug/cpu?seconds=0.2&shard=${shard}`))
  for (const { nodes } of await Promise.all(profiles)) assert.ok(Array.isArray(nodes))
  assert.ok((await json(pprof, '/debug/heap?seconds=0.2&shard=1')).head)

  const underWay = json(pprof, '/debug/cpu?seconds=300&shard=1')
  await until('busy', async () => (await get(pprof, '/debug/heap?seconds=0.01&shard=1')).status === 409)
  assert.equal(await router.stop(), 0)
  assert.ok(Array.isArray((await underWay).nodes), 'a profile under way was lost when the router stopped')
})

test('a shard that is stuck turns health bad within 5 s, and shows where it is stuck', async (t) => {
  const listeners = await ports()
  const { health, admin, zpages, pprof } = listeners
  await startHere(t, listeners)
  const isHealthy = async (): Promise<boolean> => (await get(health, '/')).status === 200
  await until('healthy', isHealthy)

  const release = stick(1)
  t.after(release)
  const stuckAt = performance.now()
  await until('unhealthy', async () => !(await isHealthy()))
  assert.ok(performance.now() - stuckAt < 5_000, 'it took longer than 5 s to notice')
  assert.deepEqual((await json(admin, '/-/status')).shards, [
    { index: 0, state: 'ready' },
    { index: 1, state: 'stuck' },
  ])
  assert.match((await get(zpages, '/debug/pipelinez')).body, /<td>1<\/td><td>stuck<\/td>/)
  assert.match((await get(pprof, '/debug/cpu?seconds=0.2&shard=1')).body, /"functionName":"stuckInATest"/)

  release()
  await until('healthy again', isHealthy)
})
