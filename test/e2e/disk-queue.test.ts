// Queues on disk as users meet them: the usual plant file, and a router that is killed (docs/delivery.md).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ownDirectory } from '../support/disk.ts'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startProcess, startRouterProcess } from '../support/router-process.ts'

const SPAN = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708' }

const post = (port: number, name: string): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, name }] }] }] }),
  })

const config = (port: number, back: string, directory: string): string => `
extensions: { file_storage: { directory: "${directory}" } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors: { batch: { timeout: 20ms } }
exporters:
  otlp_grpc:
    endpoint: ${back}
    tls: { insecure: true }
    sending_queue: { storage: file_storage, num_consumers: 1 }
    retry_on_failure: { initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0 }
service:
  extensions: [file_storage]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlp_grpc] } }`

interface Spans {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: { readonly name: string }[] }[] }[]
}

const namesOf = (requests: readonly { readonly request: unknown }[]): string[] =>
  requests.flatMap(({ request }) =>
    (request as Spans).resourceSpans.flatMap((r) => r.scopeSpans.flatMap((s) => s.spans.map(({ name }) => name))),
  )

test('what was answered before kill -9 is sent after the next start, in order', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const directory = ownDirectory(t)
  const [port] = (await freePorts(1)) as [number]
  const text = config(port, recorder.grpcAddress, directory)
  recorder.refuse = true
  const first = await startRouterProcess(t, text)
  const names = Array.from({ length: 30 }, (_, i) => `weld ${i}`)
  for (const name of names) assert.equal((await post(port, name)).status, 200)
  assert.equal(recorder.requests.length, 0)
  await first.stop('SIGKILL')

  recorder.refuse = false
  await startRouterProcess(t, text)
  while (namesOf(recorder.requests).length < names.length) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.deepEqual(namesOf(recorder.requests), names)
})

test('a stop keeps what could not be sent, says so to nobody, and is quick', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const directory = ownDirectory(t)
  const [port] = (await freePorts(1)) as [number]
  const text = config(port, recorder.grpcAddress, directory)
  recorder.refuse = true
  const first = await startRouterProcess(t, text)
  for (const name of ['a', 'b', 'c']) assert.equal((await post(port, name)).status, 200)
  assert.equal(await first.stop(), 0)
  assert.doesNotMatch(first.said(), /Dropping data/)

  recorder.refuse = false
  const second = await startRouterProcess(t, text)
  while (namesOf(recorder.requests).length < 3) await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(await second.stop(), 0)
  assert.deepEqual(namesOf(recorder.requests), ['a', 'b', 'c'])
})

test('two routers cannot share a queue: the second says who is in the way and does not start', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const directory = ownDirectory(t)
  const [one, two] = (await freePorts(2)) as [number, number]
  await startRouterProcess(t, config(one, recorder.grpcAddress, directory))
  const second = startProcess(t, ['--config', `yaml:${config(two, recorder.grpcAddress, directory)}`])
  assert.equal(await second.exited, 1)
  assert.match(second.said(), /exporter_otlp_grpc__traces\.queue is in use by another router/)
})

test('a storage extension that does not run is a problem of validate', async (t) => {
  const text = config(4318, '127.0.0.1:1', '/nowhere').replace('extensions: [file_storage]', 'extensions: []')
  const validate = startProcess(t, ['validate', '--config', `yaml:${text}`])
  assert.equal(await validate.exited, 1)
  assert.match(validate.said(), /sending_queue\.storage: the extension file_storage is declared but does not run/)
  assert.match(validate.said(), /fix: add file_storage to service.extensions/)
})
