// Several shards, seen from outside: one port, one set of answers, and a shard that dies while the others go on.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Router } from '../../src/router.ts'
import { BUILD } from '../support/harness.ts'
import { kill, MORTAL_WORKER } from '../support/mortal-worker.ts'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startProcess, startRouterProcess } from '../support/router-process.ts'

const traceId = (n: number): string => n.toString(16).padStart(32, '0')

/** Over a connection of its own, so that the kernel chooses a shard for each. */
const post = (port: number, n: number): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({
      resourceSpans: [{ scopeSpans: [{ spans: [{ traceId: traceId(n), spanId: '0102030405060708', name: 'weld' }] }] }],
    }),
  })

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-shards-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const fileRouter = (port: number, metrics: number, path: string): string => `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters: { file: { path: ${path}, flush_interval: 50ms } }
service:
  shards: 3
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] } }
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }`

for (const gates of [[], ['--feature-gates', 'millrace.shards.oneListener']]) {
  const how = gates.length === 0 ? 'all of them listening' : 'one of them listening for all'
  test(`three shards, ${how}, write one file with every line whole, and count together`, async (t) => {
    const [port, metrics] = (await freePorts(2)) as [number, number]
    const path = join(folder(t), 'out.jsonl')
    const router = startProcess(t, ['--config', `yaml:${fileRouter(port, metrics, path)}`, ...gates])
    await router.until('Everything is ready.')
    assert.equal(router.said().includes('Only shard 0 listens'), gates.length > 0)
    const numbers = Array.from({ length: 60 }, (_, n) => n + 1)
    const statuses = await Promise.all(numbers.map(async (n) => (await post(port, n)).status))
    assert.ok(statuses.every((status) => status === 200))
    const text = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    assert.match(text, /^otelcol_receiver_accepted_spans\S*\{[^}]*\} 60$/m)
    assert.equal(await router.stop(), 0)
    const ids = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).resourceSpans[0].scopeSpans[0].spans[0].traceId as string)
    assert.deepEqual(ids.sort(), numbers.map(traceId))
  })
}

test('a second router cannot share the ports of the first, though its shards do', async (t) => {
  const [port, metrics, other] = (await freePorts(3)) as [number, number, number]
  const directory = folder(t)
  await startRouterProcess(t, fileRouter(port, metrics, join(directory, 'a.jsonl')))
  const second = startProcess(t, ['--config', `yaml:${fileRouter(port, other, join(directory, 'b.jsonl'))}`])
  assert.equal(await second.exited, 1)
  assert.match(second.said(), /EADDRINUSE/)
})

test('shards die one after the other under load: nothing that was acknowledged as delivered is lost, and health says so', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const [port, health] = (await freePorts(2)) as [number, number]
  const file = join(folder(t), 'router.yaml')
  writeFileSync(
    file,
    `
extensions: { health_check: { endpoint: "127.0.0.1:${health}" } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors: { batch: { timeout: 20ms } }
exporters: { otlp_grpc: { endpoint: "${recorder.grpcAddress}", tls: { insecure: true } } }
service:
  shards: 2
  delivery: delivered
  extensions: [health_check]
  telemetry: { logs: { level: fatal }, metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlp_grpc] } }`,
  )
  const router = await Router.start({ configs: [file], sets: [], worker: MORTAL_WORKER }, BUILD)
  t.after(() => router.stop())
  const healthy = async (): Promise<boolean> => (await fetch(`http://127.0.0.1:${health}/`)).status === 200
  const until = async (what: string, is: () => Promise<boolean>): Promise<void> => {
    const end = performance.now() + 20_000
    while (!(await is())) {
      assert.ok(performance.now() < end, `never ${what}`)
      await sleep(10)
    }
  }

  const acknowledged: string[] = []
  let next = 1
  let over = false
  const sender = async (): Promise<void> => {
    while (!over) {
      const n = next++
      // As a client does that was refused or lost its connection: again, until it has its answer.
      for (;;) {
        const answer = await post(port, n).catch(() => undefined)
        await answer?.arrayBuffer().catch(() => {})
        if (answer?.status === 200) break
        await sleep(20)
      }
      acknowledged.push(traceId(n))
    }
  }
  const senders = Array.from({ length: 8 }, sender)
  for (const shard of [0, 1]) {
    await sleep(150)
    const before = acknowledged.length
    kill(shard)
    const killedAt = performance.now()
    await until('unhealthy', async () => !(await healthy()))
    assert.ok(performance.now() - killedAt < 5_000, 'it took longer than 5 s to notice')
    await until('healthy again', healthy)
    await until('further along', async () => acknowledged.length > before + 8)
  }
  over = true
  await Promise.all(senders)
  const arrived = new Set(
    recorder.requests.flatMap(({ request }) =>
      request.resourceSpans.flatMap((r: { scopeSpans: { spans: { traceId: string }[] }[] }) =>
        r.scopeSpans.flatMap((s) => s.spans.map((span) => Buffer.from(span.traceId, 'base64').toString('hex'))),
      ),
    ),
  )
  assert.deepEqual(
    acknowledged.filter((id) => !arrived.has(id)),
    [],
  )
})
