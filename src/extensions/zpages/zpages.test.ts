import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { extensionHarness } from '../../../test/support/harness.ts'
import type { ShardView } from '../../graph/component.ts'
import { factory } from './factory.ts'
import { Zpages } from './zpages.ts'

const SHARD: Partial<ShardView> = {
  extensions: ['health_check', 'zpages'],
  pipelines: [
    {
      name: 'traces/<b>',
      signal: 'traces',
      receivers: ['otlp'],
      processors: ['batch'],
      exporters: ['otlp/2', 'forward'],
    },
    { name: 'logs', signal: 'logs', receivers: ['forward'], processors: [], exporters: ['file'] },
  ],
  status: () => [
    { kind: 'receiver', id: 'otlp', status: 'ok' },
    { kind: 'processor', id: 'batch', status: 'ok' },
    { kind: 'connector', id: 'forward', status: 'starting' },
    { kind: 'exporter', id: 'otlp/2', status: 'recoverable', error: 'refused by <script>alert("x")</script>' },
    { kind: 'exporter', id: 'file', status: 'ok' },
    { kind: 'extension', id: 'zpages', status: 'ok' },
  ],
}

async function zpages(t: TestContext, plain: object = {}): Promise<(path: string) => Promise<Response>> {
  const { extension } = await extensionHarness(t, factory, { endpoint: '127.0.0.1:0', ...plain }, SHARD)
  assert.ok(extension instanceof Zpages)
  const { host, port } = extension.address!
  return (path) => fetch(`http://${host}:${port}${path}`)
}

/** Cells of a page's tables, row by row. */
const cells = (html: string): string[][] =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row]) =>
    [...row!.matchAll(/<t[dh]>(.*?)<\/t[dh]>/gs)].map(([, cell]) =>
      cell!.replace(/<br>/g, ' ').replace(/<[^>]*>/g, ''),
    ),
  )

test('the service page shows the build, how long it runs, the pipelines and the extensions', async (t) => {
  const get = await zpages(t)
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
  ]) {
    assert.ok(
      rows.some((one) => JSON.stringify(one) === JSON.stringify(row)),
      row.join(),
    )
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
    ['Kind', 'Component', 'Status', 'Error'],
    ['connector', 'forward', 'starting', ''],
    ['exporter', 'file', 'ok', ''],
  ])
})

test('the extension page tells which run in the shard, the feature page lists the gates', async (t) => {
  const get = await zpages(t)
  assert.deepEqual(cells(await (await get('/debug/extensionz')).text()).slice(1), [
    ['health_check', 'on the supervisor', ''],
    ['zpages', 'ok', ''],
  ])
  const gates = cells(await (await get('/debug/featurez')).text())
  assert.ok(
    gates.some(([id, enabled, stage]) => id === 'service.AllowNoPipelines' && enabled === 'off' && stage === 'alpha'),
  )
})

test('expvarz is JSON where it is switched on; other paths are not found', async (t) => {
  const off = await zpages(t)
  for (const path of ['/', '/debug/expvarz', '/debug/tracez']) assert.equal((await off(path)).status, 404, path)
  const on = await zpages(t, { expvar: { enabled: true } })
  const response = await on('/debug/expvarz')
  assert.match(response.headers.get('content-type')!, /^application\/json/)
  const { heap, memory } = (await response.json()) as { heap: { used_heap_size: number }; memory: { rss: number } }
  assert.ok(heap.used_heap_size > 0 && memory.rss > 0)
})

test('pages forbid scripts and frames', async (t) => {
  const get = await zpages(t)
  const policy = (await get('/debug/servicez')).headers.get('content-security-policy')
  assert.equal(policy, "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
})
