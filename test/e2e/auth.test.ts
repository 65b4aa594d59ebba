// Who sends and for whom, from one end of the router to the other, in a process of its own.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'

const LOG = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}'
const LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'

test('two tenants through one batch processor: each header reaches the sink with its own data, over both protocols', async (t) => {
  const sink = await startOtlpRecorder(t)
  const [grpc, http, metrics] = (await freePorts(3)) as [number, number, number]
  const router = await startRouterProcess(
    t,
    `
extensions:
  headers_setter: { headers: [{ key: X-Scope-OrgID, from_context: X-Tenant, default_value: nobody }] }
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${grpc}", include_metadata: true }
      http: { endpoint: "127.0.0.1:${http}", include_metadata: true }
processors:
  batch: { timeout: 100ms, metadata_keys: [x-tenant] }
exporters:
  otlp_grpc: { endpoint: "${sink.grpcAddress}", tls: { insecure: true }, auth: { authenticator: headers_setter } }
  otlp_http: { endpoint: "http://${sink.httpAddress}", auth: { authenticator: headers_setter } }
service:
  extensions: [headers_setter]
  telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] } }
  pipelines:
    logs: { receivers: [otlp], processors: [batch], exporters: [otlp_grpc, otlp_http] }
`,
  )
  const stub = new Client(`127.0.0.1:${grpc}`, credentials.createInsecure())
  t.after(() => stub.close())
  const call = (tenant: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const metadata = new Metadata()
      metadata.set('x-tenant', tenant)
      const same = (bytes: Buffer): Buffer => bytes
      const done = (error: Error | null): void => (error === null ? resolve() : reject(error))
      stub.makeUnaryRequest(LOGS, same, same, Buffer.from(jsonToBytes('logs', LOG)), metadata, done)
    })
  const post = async (tenant?: string): Promise<void> => {
    const headers = { 'content-type': 'application/json', ...(tenant === undefined ? {} : { 'x-tenant': tenant }) }
    assert.equal((await fetch(`http://127.0.0.1:${http}/v1/logs`, { method: 'POST', headers, body: LOG })).status, 200)
  }
  await Promise.all([call('a'), call('a'), post('a'), call('b'), post('b'), post()])
  const items = (protocol: string): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const request of sink.requests)
      if (request.protocol === protocol)
        sums[String(request.headers['x-scope-orgid'])] =
          (sums[String(request.headers['x-scope-orgid'])] ?? 0) + request.items
    return sums
  }
  const all = (): number => sink.requests.reduce((sum, request) => sum + request.items, 0)
  for (let i = 0; i < 1000 && all() < 12; i++) await sleep(5)
  assert.deepEqual(items('grpc'), { a: 3, b: 2, nobody: 1 })
  assert.deepEqual(items('http/protobuf'), { a: 3, b: 2, nobody: 1 })
  assert.equal(await router.stop(), 0, router.said())
})

test('health_check on the supervisor lets in whom its authenticator knows, and a router passes its token to the next', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'millrace-auth-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const tokens = join(at, 'tokens')
  writeFileSync(tokens, 'sesame\n', { mode: 0o644 })
  const sink = await startOtlpRecorder(t)
  const [first, second, health, metrics, others] = (await freePorts(5)) as [number, number, number, number, number]
  const telemetry = (port: number): string =>
    `telemetry: { metrics: { readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${port} } } } } ] } }`
  const next = await startRouterProcess(
    t,
    `
extensions:
  bearertokenauth: { filename: ${tokens} }
  health_check: { endpoint: "127.0.0.1:${health}", auth: { authenticator: bearertokenauth } }
receivers: { otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${second}", auth: { authenticator: bearertokenauth } } } } }
exporters: { otlp_grpc: { endpoint: "${sink.grpcAddress}", tls: { insecure: true } } }
service:
  extensions: [health_check, bearertokenauth]
  ${telemetry(metrics)}
  pipelines: { logs: { receivers: [otlp], exporters: [otlp_grpc] } }
`,
  )
  await startRouterProcess(
    t,
    `
extensions: { bearertokenauth: { token: sesame } }
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${first}" } } } }
exporters:
  otlp_grpc/with: { endpoint: "127.0.0.1:${second}", tls: { insecure: true }, auth: { authenticator: bearertokenauth } }
  otlp_grpc/without: { endpoint: "127.0.0.1:${second}", tls: { insecure: true } }
service:
  extensions: [bearertokenauth]
  ${telemetry(others)}
  pipelines: { logs: { receivers: [otlp], exporters: [otlp_grpc/with, otlp_grpc/without] } }
`,
  )
  const headers = { 'content-type': 'application/json' }
  assert.equal((await fetch(`http://127.0.0.1:${first}/v1/logs`, { method: 'POST', headers, body: LOG })).status, 200)
  for (let i = 0; i < 1000 && sink.requests.length === 0; i++) await sleep(5)
  const page = async (): Promise<string> => (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  for (let i = 0; i < 100 && !(await page()).includes('reason="auth"'); i++) await sleep(20)
  assert.match(await page(), /otelcol_receiver_refused_requests\{[^}]*reason="auth"[^}]*\} 1/)
  assert.equal(sink.requests.length, 1)

  const ask = (authorization?: string): Promise<Response> =>
    fetch(`http://127.0.0.1:${health}/`, authorization === undefined ? {} : { headers: { authorization } })
  assert.equal((await ask('Bearer sesame')).status, 200)
  const refused = await ask('Bearer wrong')
  assert.deepEqual([refused.status, refused.headers.get('www-authenticate')], [401, 'Bearer'])
  assert.equal((await ask()).status, 401)
  assert.match(next.said(), /a file with secrets is too open.*"mode": ?"0644".*chmod 600/)
  assert.equal(await next.stop(), 0, next.said())
})
