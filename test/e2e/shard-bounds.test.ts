// What a file bounds and what the router tells of itself are the same with two shards as with one.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startOtlpRecorder } from '../support/otlp-recorder.ts'
import { freePorts, startRouterProcess } from '../support/router-process.ts'
import { until } from '../support/until.ts'

const SPAN = { spanId: '0102030405060708', name: 'weld' }

/** Over a connection of its own, so that the kernel chooses a shard for each. */
const post = async (port: number, n: number): Promise<number> => {
  const traceId = n.toString(16).padStart(32, '0')
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{ ...SPAN, traceId }] }] }] }),
  })
  await answer.arrayBuffer()
  return answer.status
}

test('exporters of two shards count together, have the bounds of the file together, and the process is counted once', async (t) => {
  const [first, second] = [await startOtlpRecorder(t), await startOtlpRecorder(t)]
  const [port, metrics] = (await freePorts(2)) as [number, number]
  first.refuse = true
  const startedMs = performance.now()
  const grpc = (address: string): string => `endpoint: "${address}", tls: { insecure: true }`
  const direct = 'sending_queue: { enabled: false }, retry_on_failure: { enabled: false }'
  await startRouterProcess(
    t,
    `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
processors: { memory_limiter: { check_interval: 100ms, limit_mib: 1000 }, batch: { timeout: 20ms } }
connectors: { failover: { priority_levels: [[traces/first], [traces/second]], retry_interval: 1h } }
exporters:
  debug:
  otlp_grpc: { ${grpc(second.grpcAddress)}, sending_queue: { queue_size: 500, num_consumers: 4 } }
  otlp_http: { endpoint: "http://${second.httpAddress}", compression: none }
  otlp_grpc/first: { ${grpc(first.grpcAddress)}, ${direct} }
  otlp_grpc/second: { ${grpc(second.grpcAddress)}, ${direct} }
  load_balancing:
    protocol: { otlp: { tls: { insecure: true }, sending_queue: { queue_size: 100 } } }
    resolver: { static: { hostnames: ["${second.grpcAddress}"] } }
service:
  shards: 2
  telemetry:
    metrics: { level: detailed, readers: [ { pull: { exporter: { prometheus: { host: 127.0.0.1, port: ${metrics} } } } } ] }
  pipelines:
    traces:
      receivers: [otlp]
      processors: [memory_limiter, batch]
      exporters: [debug, otlp_grpc, otlp_http, load_balancing, failover]
    traces/first: { receivers: [failover], exporters: [otlp_grpc/first] }
    traces/second: { receivers: [failover], exporters: [otlp_grpc/second] }`,
  )
  const requests = 40
  for (let n = 1; n <= requests; n++) assert.equal(await post(port, n), 200)

  let page = ''
  /** The sum of a series over what is not named of its labels. */
  const value = (name: string, labels: Record<string, string> = {}): number | undefined => {
    const lines = page
      .split('\n')
      .filter((line) => line.startsWith(`otelcol_${name}{`) || line.startsWith(`otelcol_${name} `))
    const values = lines
      .filter((line) => Object.entries(labels).every(([key, text]) => line.includes(`${key}="${text}"`)))
      .map((line) => Number(line.slice(line.lastIndexOf(' '))))
    return values.length === 0 ? undefined : values.reduce((sum, one) => sum + one, 0)
  }
  const exporters = ['debug', 'otlp_grpc', 'otlp_http', 'otlp_grpc/second', `otlp_grpc/${second.grpcAddress}`]
  await until(async () => {
    page = await (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text()
    return exporters.every((exporter) => value('exporter_sent_spans', { exporter }) === requests)
  })
  assert.equal(value('receiver_accepted_spans'), requests)
  assert.equal(value('exporter_queue_capacity', { exporter: 'otlp_grpc' }), 500)
  assert.equal(value('exporter_queue_capacity', { exporter: 'otlp_http' }), 1000)
  assert.equal(value('exporter_queue_capacity', { exporter: `otlp_grpc/${second.grpcAddress}` }), 100)
  assert.equal(value('exporter_queue_size'), 0)
  assert.equal(value('processor_batch_metadata_cardinality'), 1)
  assert.equal(value('loadbalancer_num_backends'), 1)
  assert.equal(value('connector_failover_level'), 1)
  assert.equal(value('exporter_remote_healthy', { exporter: 'otlp_grpc/first' }), 0)
  assert.equal(value('exporter_remote_healthy', { exporter: 'otlp_grpc/second' }), 1)
  assert.ok(value('process_uptime')! <= (performance.now() - startedMs) / 1000)
})
