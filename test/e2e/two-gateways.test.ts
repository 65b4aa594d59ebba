// configs/two-gateways.yaml with two gateways that answer: what its first lines promise.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type OtlpRecorder, startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startProcess } from '../support/router-process.ts'

const FILE = new URL('../../configs/two-gateways.yaml', import.meta.url).pathname

// biome-ignore lint/suspicious/noExplicitAny: requests as plain objects
type Any = any

const namesAt = (gateway: OtlpRecorder): string[] =>
  gateway.requests.flatMap(({ request }) =>
    (request.resourceSpans ?? []).flatMap((r: Any) =>
      r.scopeSpans.flatMap((s: Any) => s.spans.map((x: Any) => x.name)),
    ),
  )

const bodiesAt = (gateway: OtlpRecorder): string[] =>
  gateway.requests.flatMap(({ request }) =>
    (request.resourceLogs ?? []).flatMap((r: Any) =>
      r.scopeLogs.flatMap((s: Any) => s.logRecords.map((x: Any) => x.body.stringValue)),
    ),
  )

test('traces are shared between two gateways as wholes, and logs go to the second while the first refuses', async (t) => {
  const [first, second] = [await startOtlpRecorder(t), await startOtlpRecorder(t)]
  const [grpc, http, metrics] = await freePorts(3)
  const sets = [
    `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${grpc}`,
    `receivers.otlp.protocols.http.endpoint=127.0.0.1:${http}`,
    `exporters.load_balancing.resolver.static.hostnames=[${first.grpcAddress}, ${second.grpcAddress}]`,
    `exporters.otlp_grpc/first.endpoint=${first.grpcAddress}`,
    `exporters.otlp_grpc/second.endpoint=${second.grpcAddress}`,
    `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]`,
  ]
  const router = startProcess(t, ['--config', FILE, ...sets.flatMap((set) => ['--set', set])])
  await router.until('Everything is ready')
  const post = async (path: string, body: object): Promise<number> => {
    const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
    return (await fetch(`http://127.0.0.1:${http}/v1/${path}`, init)).status
  }

  for (const half of ['begin', 'end']) {
    const spans = Array.from({ length: 60 }, (_, i) => ({
      traceId: i.toString(16).padStart(32, 'c0ffee'),
      spanId: '1'.repeat(16),
      name: `${half}-${i}`,
    }))
    assert.equal(await post('traces', { resourceSpans: [{ scopeSpans: [{ spans }] }] }), 200)
  }
  const log = (text: string): object => ({
    resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: text } }] }] }],
  })
  assert.equal(await post('logs', log('door opened')), 200)
  first.refuse = true
  assert.equal(await post('logs', log('door closed')), 200)
  first.refuse = false

  const count = (): number => namesAt(first).length + namesAt(second).length
  for (let i = 0; i < 500 && (count() < 120 || bodiesAt(second).length < 1); i++) await sleep(10)
  for (const gateway of [first, second]) {
    const names = namesAt(gateway)
    assert.ok(names.length > 0)
    for (const name of names) {
      const other = name.startsWith('begin') ? name.replace('begin', 'end') : name.replace('end', 'begin')
      assert.ok(names.includes(other), `${name} and ${other} went to two gateways`)
    }
  }
  assert.equal(new Set([...namesAt(first), ...namesAt(second)]).size, 120)
  assert.deepEqual(bodiesAt(first), ['door opened'])
  assert.deepEqual(bodiesAt(second), ['door closed'])

  const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
  assert.match(page, /otelcol_connector_failover_level\{[^}]*failover\/logs[^}]*\} 1\n/)
  assert.match(page, new RegExp(`otelcol_exporter_remote_healthy\\{[^}]*${second.grpcAddress}[^}]*\\} 1\\n`))
  assert.match(page, /otelcol_loadbalancer_num_backends\{[^}]*\} 2\n/)
  assert.equal(await router.stop(), 0, router.said())
})
