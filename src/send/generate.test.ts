import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'
import { RequestGenerator } from './generate.ts'

const proto = fileURLToPath(new URL('../../proto/', import.meta.url))
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => proto + target
root.loadSync(
  ['trace', 'metrics', 'logs'].map((name) => `opentelemetry/proto/collector/${name}/v1/${name}_service.proto`),
)

const MESSAGE = {
  traces: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  metrics: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
  logs: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
} as const

// biome-ignore lint/suspicious/noExplicitAny: protobufjs gives plain objects without types
function decode(signal: keyof typeof MESSAGE, bytes: Uint8Array): any {
  const type = root.lookupType(MESSAGE[signal])
  const message = type.decode(bytes)
  // Nothing was skipped as unknown: what protobufjs writes again is as long as what it read.
  assert.equal(type.encode(message).finish().length, bytes.length)
  return type.toObject(message, { longs: Number, bytes: String })
}

const generator = (signal: keyof typeof MESSAGE, itemsPerRequest: number, seed = 7): RequestGenerator =>
  new RequestGenerator({ signal, itemsPerRequest, attributes: 12, service: 'orders', seed })

test('generated spans are OTLP: traces of five, parents known, times before now', () => {
  const nowMs = 1_767_225_600_000
  const [resourceSpans] = decode('traces', generator('traces', 100).next(nowMs)).resourceSpans
  assert.equal(resourceSpans.resource.attributes[0].value.stringValue, 'orders')
  const spans = resourceSpans.scopeSpans[0].spans
  assert.equal(spans.length, 100)
  for (const [index, span] of spans.entries()) {
    const first = spans[index - (index % 5)]
    assert.equal(span.traceId, first.traceId)
    assert.equal(span.parentSpanId, index % 5 === 0 ? undefined : first.spanId)
    assert.equal(span.attributes.length, 12)
    assert.equal(span.endTimeUnixNano, nowMs * 1e6)
    assert.ok(span.startTimeUnixNano < span.endTimeUnixNano)
  }
  // biome-ignore lint/suspicious/noExplicitAny: as above
  assert.equal(new Set(spans.map((span: any) => span.spanId)).size, 100)
})

test('generated metrics hold exactly as many points as asked for, in three kinds', () => {
  const { metrics } = decode('metrics', generator('metrics', 35).next(1e12)).resourceMetrics[0].scopeMetrics[0]
  const counts = metrics.map(
    // biome-ignore lint/suspicious/noExplicitAny: as above
    (metric: any) => (metric.gauge ?? metric.sum ?? metric.histogram).dataPoints.length,
  )
  assert.deepEqual(counts, [10, 10, 10, 5])
  const [point] = metrics[2].histogram.dataPoints
  assert.equal(point.bucketCounts.length, point.explicitBounds.length + 1)
  assert.equal(
    point.bucketCounts.reduce((sum: number, count: number) => sum + count, 0),
    point.count,
  )
})

test('generated log records carry time, severity, words and the ids of a trace', () => {
  const records = decode('logs', generator('logs', 60).next(1e12)).resourceLogs[0].scopeLogs[0].logRecords
  assert.equal(records.length, 60)
  assert.equal(records[0].severityText, 'INFO')
  assert.equal(records[49].severityText, 'ERROR')
  assert.match(records[0].body.stringValue, /^order \d{6} booked$/)
  assert.notEqual(records[0].traceId, records[1].traceId)
})

test('equal seeds give equal bytes, and each request of one generator has ids of its own', () => {
  const one = generator('traces', 10)
  const other = generator('traces', 10)
  const first = one.next(1e12)
  assert.deepEqual(first, other.next(1e12))
  assert.notDeepEqual(first, one.next(1e12))
  assert.notDeepEqual(first, generator('traces', 10, 8).next(1e12))
})

test('a span of ten attributes has about 430 bytes', () => {
  const { byteLength } = new RequestGenerator({
    signal: 'traces',
    itemsPerRequest: 1000,
    attributes: 10,
    service: 'orders',
    seed: 1,
  })
  assert.ok(byteLength > 410_000 && byteLength < 450_000, String(byteLength))
})
