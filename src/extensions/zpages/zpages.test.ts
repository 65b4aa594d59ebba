import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { supervisedHarness } from '../../../test/support/harness.ts'
import { systemClock } from '../../graph/clock.ts'
import type { PipelineView } from '../../graph/component.ts'
import type { PipelineTotals } from '../../graph/pipeline.ts'
import type { ComponentHealth, ShardHealth } from '../../graph/supervised.ts'
import { RouterThreads } from '../../shards/threads.ts'
import { config } from './config.ts'
import { supervise } from './supervise.ts'

const PIPELINES: readonly PipelineView[] = [
  {
    name: 'traces/<b>',
    signal: 'traces',
    receivers: ['otlp'],
    processors: ['batch'],
    exporters: ['otlp/2', 'forward'],
  },
  { name: 'logs', signal: 'logs', receivers: ['forward'], processors: [], exporters: ['file'] },
]

const COMPONENTS: readonly ComponentHealth[] = [
  { kind: 'receiver', id: 'otlp', status: 'ok' },
  { kind: 'processor', id: 'batch', status: 'ok' },
  { kind: 'connector', id: 'forward', status: 'starting' },
  { kind: 'exporter', id: 'otlp/2', status: 'recoverable', error: 'refused by <script>alert("x")</script>' },
  { kind: 'exporter', id: 'file', status: 'ok' },
  { kind: 'extension', id: 'file_storage', status: 'ok' },
]

const totals = (name: string, counts: Partial<PipelineTotals>): PipelineTotals => ({
  name,
  signal: 'traces',
  in: 0,
  delivered: 0,
  refused: 0,
  dropped: 0,
  inFlight: 0,
  ...counts,
})

const shard = (index: number, parts: Partial<ShardHealth> = {}): ShardHealth => ({
  index,
  state: 'ready',
  components: COMPONENTS,
  pipelines: [totals('traces/<b>', { in: 7, delivered: 4, refused: 2, inFlight: 1 })],
  ...parts,
})

type Get = (path: string) => Promise<Response>

/** The first shard has a thread that runs, any other has none. */
async function zpages(t: TestContext, plain: object = {}, shards: readonly ShardHealth[] = [shard(0)]): Promise<Get> {
  const worker = new Worker('setInterval(() => {}, 1000)', { eval: true })
  t.after(() => worker.terminate())
  await once(worker, 'online')
  const running = shards.map(({ index, state }) => ({ state, worker: index === 0 ? worker : undefined }))
  const { get } = await supervisedHarness(
    t,
    { supervise, config },
    { endpoint: '127.0.0.1:0', ...plain },
    {
      pipelines: PIPELINES,
      extensions: ['health_check', 'file_storage'],
      health: () => ({ ready: true, startedAtMs: 1_767_225_600_000, shards }),
      threads: new RouterThreads(() => running, systemClock),
    },
  )
  return get
}

/** Cells of a page's tables, row by row. */
const cells = (html: string): string[][] =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[dh]>(.*?)<\/t[dh]>/gs)].map(([, cell]) =>
      cell!.replace(/<br>/g, ' ').replace(/<[^>]*>/g, ''),
    ),
  )

test('the service page shows the build, how long it runs, the threads, the pipelines and the extensions', async (t) => {
  const get = await zpages(t, {}, [shard(0), shard(1, { state: 'dead' })])
  const response = await get('/debug/servicez')
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/html; charset=utf-8')
  const rows = cells(await response.text())
  for (const row of [
    ['Command', 'millrace'],
    ['Version', '0.0.0-test'],
    ['Started', '2026-01-01T00:00:00.000Z'],
    ['Up', '0s'],
    ['traces/&lt;b&gt;', 'traces', 'otlp', 'batch', 'otlp/2 forward'],
    ['logs', 'logs', 'forward', '', 'file'],
    ['health_check'],
    ['shard 1', 'dead', 'shard 1 is dead', ''],
  ]) {
    assert.ok(
      rows.some((one) => JSON.stringify(one) === JSON.stringify(row)),
      row.join(),
    )
  }
  for (const thread of ['supervisor', 'shard 0']) {
    const [, state, heap, time] = rows.find(([name]) => name === thread)!
    assert.equal(state, thread === 'supervisor' ? '' : 'ready')
    assert.match(heap!, /^\d+\.\d MiB$/)
    assert.match(time!, /^\d+\.\d s$/)
  }
})

test('the pipeline page shows the status of components, of all or of one pipeline, and escapes what they say', async (t) => {
  const get = await zpages(t)
  const html = await (await get('/debug/pipelinez')).text()
  assert.doesNotMatch(html, /<script/)
  const error = 'refused by &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'
  assert.deepEqual(cells(html).slice(-5), [
    ['receiver', 'otlp', 'ok', ''],
    ['processor', 'batch', 'ok', ''],
    ['connector', 'forward', 'starting', ''],
    ['exporter', 'otlp/2', 'recoverable', error],
    ['exporter', 'file', 'ok', ''],
  ])
  assert.match(html, /href="\/debug\/pipelinez\?zpipelinename=traces%2F%3Cb%3E"/)
  const one = cells(await (await get('/debug/pipelinez?zpipelinename=logs')).text())
  assert.deepEqual(one, [
    ['Pipeline', 'Signal', 'Receivers', 'Processors', 'Exporters'],
    ['logs', 'logs', 'forward', '', 'file'],
    ['Pipeline', 'In', 'Delivered', 'Refused', 'Dropped', 'In flight'],
    ['logs', '0', '0', '0', '0', '0'],
    ['Kind', 'Component', 'Status', 'Error'],
    ['connector', 'forward', 'starting', ''],
    ['exporter', 'file', 'ok', ''],
  ])
})

test('of several shards the totals add up, and each status says where it holds when it is not the same everywhere', async (t) => {
  const healthy = COMPONENTS.map(({ kind, id }) => ({ kind, id, status: 'ok' }) as const)
  const more = [totals('traces/<b>', { in: 5, delivered: 5 }), totals('logs', { in: 1, dropped: 1 })]
  const get = await zpages(t, {}, [
    shard(0),
    shard(1, { components: healthy, pipelines: more }),
    shard(2, { state: 'stuck', components: healthy }),
    shard(3, { state: 'dead', components: [], pipelines: [] }),
  ])
  const rows = cells(await (await get('/debug/pipelinez')).text())
  const error = 'shard 0: refused by &lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;'
  assert.deepEqual(rows.slice(3), [
    ['Pipeline', 'In', 'Delivered', 'Refused', 'Dropped', 'In flight'],
    ['traces/&lt;b&gt;', '19', '13', '4', '0', '2'],
    ['logs', '1', '0', '0', '1', '0'],
    ['Kind', 'Component', 'Status', 'Error'],
    ['receiver', 'otlp', 'ok on shards 0, 1, 2', ''],
    ['processor', 'batch', 'ok on shards 0, 1, 2', ''],
    ['connector', 'forward', 'starting on shard 0 ok on shards 1, 2', ''],
    ['exporter', 'otlp/2', 'recoverable on shard 0 ok on shards 1, 2', error],
    ['exporter', 'file', 'ok on shards 0, 1, 2', ''],
    ['Shard', 'State'],
    ['0', 'ready'],
    ['1', 'ready'],
    ['2', 'stuck'],
    ['3', 'dead'],
  ])
})

test('the extension page tells which run in the shards, the feature page lists the gates', async (t) => {
  const get = await zpages(t)
  assert.deepEqual(cells(await (await get('/debug/extensionz')).text()).slice(1), [
    ['health_check', 'on the supervisor', ''],
    ['file_storage', 'ok', ''],
  ])
  const gates = cells(await (await get('/debug/featurez')).text())
  assert.ok(
    gates.some(([id, enabled, stage]) => id === 'service.AllowNoPipelines' && enabled === 'off' && stage === 'alpha'),
  )
})

test('expvarz is JSON where it is switched on; other paths are not found', async (t) => {
  const off = await zpages(t)
  for (const path of ['/', '/debug/expvarz', '/debug/tracez']) assert.equal((await off(path)).status, 404, path)
  const on = await zpages(t, { expvar: { enabled: true } }, [shard(0), shard(1, { state: 'dead' })])
  const response = await on('/debug/expvarz')
  assert.match(response.headers.get('content-type')!, /^application\/json/)
  interface Usage {
    readonly cpu_seconds: number
    readonly heap: { readonly used_heap_size: number }
  }
  const expvar = (await response.json()) as Usage & { memory: { rss: number }; shards: [Usage, object] }
  assert.ok(expvar.memory.rss > 0)
  for (const { cpu_seconds, heap } of [expvar, expvar.shards[0]]) assert.ok(cpu_seconds > 0 && heap.used_heap_size > 0)
  assert.deepEqual(expvar.shards[1], { shard: 1, state: 'dead', error: 'shard 1 is dead' })
})

test('pages forbid scripts and frames', async (t) => {
  const get = await zpages(t)
  const policy = (await get('/debug/servicez')).headers.get('content-security-policy')
  assert.equal(policy, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
})
