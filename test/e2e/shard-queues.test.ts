// Queues on disk of several shards: a shard that dies, and another number of shards at the next start.

import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Router } from '../../src/router.ts'
import { ownDirectory } from '../support/disk.ts'
import { BUILD } from '../support/harness.ts'
import { kill, MORTAL_WORKER } from '../support/mortal-worker.ts'
import { type OtlpRecorder, startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const SPAN = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708' }
const PATIENTLY_MS = 30_000

/** Over a connection of its own, so that the kernel chooses a shard for each. */
const post = async (port: number, name: string): Promise<number | undefined> => {
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, name }] }] }] }),
  }).catch(() => undefined)
  await answer?.arrayBuffer().catch(() => {})
  return answer?.status
}

interface Spans {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: { readonly name: string }[] }[] }[]
}

const namesAt = (recorder: OtlpRecorder): string[] =>
  recorder.requests.flatMap(({ request }) =>
    (request as Spans).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans.map(({ name }) => name))),
  )

async function stage(t: TestContext) {
  const recorder = await startOtlpRecorder(t)
  const directory = ownDirectory(t)
  const [port] = (await freePorts(1)) as [number]
  const start = async (shards: number): Promise<Router> => {
    const file = join(directory, `${shards}.yaml`)
    writeFileSync(
      file,
      `
extensions: { file_storage: { directory: "${directory}" } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
exporters:
  otlp_grpc:
    endpoint: ${recorder.grpcAddress}
    tls: { insecure: true }
    sending_queue: { storage: file_storage, queue_size: 100000 }
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0 }
service:
  shards: ${shards}
  extensions: [file_storage]
  telemetry: { logs: { level: fatal }, metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp_grpc] } }`,
    )
    const router = await Router.start({ configs: [file], sets: [], worker: MORTAL_WORKER, drainMs: 1_000 }, BUILD)
    t.after(() => router.stop())
    return router
  }
  const queues = (): string[] => readdirSync(directory).filter((name) => name.endsWith('.queue'))
  /** Sends spans one after the other until each of the queues has some; gives the names of those that were taken. */
  const fill = async (): Promise<string[]> => {
    const names: string[] = []
    const isFilled = (): boolean =>
      queues().every((name) => readdirSync(join(directory, name)).some((file) => file.endsWith('.segment')))
    for (let n = 0; names.length < 30 || !isFilled(); n++) {
      assert.ok(n < 2_000, `only some of ${queues()} have anything`)
      if ((await post(port, `weld ${n}`)) === 200) names.push(`weld ${n}`)
    }
    return names
  }
  return { recorder, start, queues, fill, port }
}

const sorted = (names: Iterable<string>): string[] => [...new Set(names)].sort()

test('a shard that dies has its queue back after its restart, and all that was answered is delivered', async (t) => {
  const { recorder, start, queues, fill, port } = await stage(t)
  recorder.refuse = true
  const router = await start(2)
  assert.deepEqual(queues(), ['exporter_otlp_grpc__traces.1.queue', 'exporter_otlp_grpc__traces.queue'])
  const names = await fill()
  const healthy = async (): Promise<boolean> => (await router.snapshot()).healthy
  for (const shard of [1, 0]) {
    // Each dies in the middle of writing what comes.
    let over = false
    const sender = async (): Promise<void> => {
      for (let n = 0; !over; n++)
        if ((await post(port, `spark ${shard} ${n}`)) === 200) names.push(`spark ${shard} ${n}`)
    }
    const sending = sender()
    try {
      kill(shard)
      await until(async () => !(await healthy()), PATIENTLY_MS)
      await until(healthy, PATIENTLY_MS)
    } finally {
      over = true
      await sending
    }
  }
  recorder.refuse = false
  await until(() => sorted(namesAt(recorder)).length >= names.length, PATIENTLY_MS)
  assert.deepEqual(
    names.filter((name) => !namesAt(recorder).includes(name)),
    [],
  )
})

test('three shards, then two, then one: what the queues of those that are gone hold is delivered, and they go', async (t) => {
  const { recorder, start, queues, fill } = await stage(t)
  recorder.refuse = true
  const three = await start(3)
  assert.equal(queues().length, 3)
  const names = await fill()
  await three.stop()
  const two = await start(2)
  await two.stop()
  assert.equal(queues().length, 3)
  recorder.refuse = false
  const one = await start(1)
  await until(() => sorted(namesAt(recorder)).length >= names.length, PATIENTLY_MS)
  assert.deepEqual(sorted(namesAt(recorder)), sorted(names))
  await until(() => queues().length === 1)
  await one.stop()
  assert.deepEqual(queues(), ['exporter_otlp_grpc__traces.queue'])
})
