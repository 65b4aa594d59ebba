// What a client's answer means, seen from outside (docs/delivery.md).

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'

const SPAN = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708', name: 'weld' }

const post = (port: number): Promise<Response> =>
  fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [SPAN] }] }] }),
  })

const config = (port: number, back: string, delivery: string): string => `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors: { batch: { timeout: 50ms } }
exporters:
  otlp_grpc:
    endpoint: ${back}
    tls: { insecure: true }
    retry_on_failure: { enabled: false }
service:
  delivery: ${delivery}
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [otlp_grpc] } }`

test('with delivery: delivered a refusal behind batch and queue reaches the client, and its retry delivers', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const [port] = (await freePorts(1)) as [number]
  await startRouterProcess(t, config(port, recorder.grpcAddress, 'delivered'))

  recorder.refuse = true
  const refused = await post(port)
  assert.equal(refused.status, 503)
  assert.equal(recorder.requests.length, 0)

  recorder.refuse = false
  const taken = await post(port)
  assert.equal(taken.status, 200)
  // The answer came after the data.
  assert.deepEqual(
    recorder.requests.map((request) => request.items),
    [1],
  )
})

test('with delivery: accepted the client has its answer before the back end has the data, as from the Collector', async (t) => {
  const recorder = await startOtlpRecorder(t)
  const [port] = (await freePorts(1)) as [number]
  const router = await startRouterProcess(t, config(port, recorder.grpcAddress, 'accepted'))
  recorder.refuse = true
  assert.equal((await post(port)).status, 200)
  await router.until('Exporting failed. Dropping data.')
})
