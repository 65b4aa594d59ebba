// configs/robustmq-tracing.yaml with a real Jaeger: what its first lines promise.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findJaeger, startJaeger } from '../support/jaeger.ts'
import { freePorts, startProcess } from '../support/router-process.ts'

const FILE = new URL('../../configs/robustmq-tracing.yaml', import.meta.url).pathname
// Of these two the sampler keeps the first by its attribute, and drops the second, whose hash is in bucket 6693 of 16384.
const KEPT = '4bf92f3577b34da6a3ce929d0e0e4736'
const DROPPED = '0102030405060708090a0b0c0d0e0f10'

for (const version of ['v1', 'v2'] as const) {
  const found = findJaeger(version)
  const skip = typeof found === 'string' && found
  test(`Jaeger ${version}: an old Collector file samples traces and posts them, tracestate and namespace with them`, {
    skip,
  }, async (t) => {
    const jaeger = await startJaeger(t, version)
    const [grpc, http, scrape, metrics] = await freePorts(4)
    const sets = [
      `receivers.otlp.protocols.grpc.endpoint=127.0.0.1:${grpc}`,
      `receivers.otlp.protocols.http.endpoint=127.0.0.1:${http}`,
      `exporters.jaeger.endpoint=${jaeger.grpc}`,
      `exporters.prometheus.endpoint=127.0.0.1:${scrape}`,
      `service.telemetry.metrics.readers=[{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metrics}}}}}]`,
    ]
    const router = startProcess(t, ['--config', FILE, ...sets.flatMap((set) => ['--set', set])])
    await router.until('Everything is ready')
    const span = (traceId: string, attributes: readonly object[]): object => ({
      traceId,
      spanId: '00f067aa0ba902b7',
      name: 'publish',
      attributes,
    })
    const spans = [span(KEPT, [{ key: 'sampling.priority', value: { intValue: '1' } }]), span(DROPPED, [])]
    const service = { key: 'service.name', value: { stringValue: 'broker' } }
    const answer = await fetch(`http://127.0.0.1:${http}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ resourceSpans: [{ resource: { attributes: [service] }, scopeSpans: [{ spans }] }] }),
    })
    assert.equal(answer.status, 200)
    const trace = await jaeger.trace(KEPT, 1)
    const { tags, processID } = trace.spans[0]!
    const state = tags.find(({ key }) => key === 'w3c.tracestate')?.value
    assert.equal(state, 'ot=rv:fdc80d0b42008d;th:0')
    const { serviceName, tags: about } = trace.processes[processID]!
    assert.equal(serviceName, 'broker')
    assert.equal(about.find(({ key }) => key === 'service.namespace')?.value, 'robustmq')
    const page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    const series = 'otelcol_processor_probabilistic_sampler_count_traces_sampled'
    assert.match(page, new RegExp(`${series}\\{[^}]*policy="trace_id_hash"[^}]*sampled="false"[^}]*\\} 1`))
    assert.match(page, new RegExp(`${series}\\{[^}]*policy="sampling_priority"[^}]*sampled="true"[^}]*\\} 1`))
    assert.equal(await router.stop(), 0, router.said())
  })
}
