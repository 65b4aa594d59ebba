import assert from 'node:assert/strict'
import { test } from 'node:test'
import { batchOf } from '../../../test/support/harness.ts'
import { crcOf, EMPTY_CRC } from '../../otlp/hash.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import { splitByKey } from '../../otlp/split.ts'
import type { RoutingKey } from './config.ts'
import { HashRing } from './ring.ts'
import { makeRouting } from './routing.ts'

// biome-ignore lint/suspicious/noExplicitAny: requests as plain objects
type Any = any
type Signal = 'traces' | 'logs' | 'metrics'

// As many endpoints as make it unlikely that a wrong key finds the right one.
const RING = new HashRing(Array.from({ length: 50 }, (_, i) => `gateway-${i}:4317`))

const text = (key: string, stringValue: string): Any => ({ key, value: { stringValue } })
const ownerOf = (key: string | Uint8Array): number => RING.ownerOf(crcOf(EMPTY_CRC, Buffer.from(key)))

/** Where each request goes, as numbers of endpoints, and the requests themselves. */
function route(signal: Signal, key: RoutingKey, request: Any, attributes: string[] = []): Map<number, Any> {
  const routing = makeRouting(signal, key, attributes, () => 0.5).begin(RING)
  const parts = splitByKey(batchOf(signal, request), RING.size, routing)
  return new Map(
    parts.flatMap((part, i) => (part === undefined ? [] : [[i, JSON.parse(bytesToJson(signal, part.parts))]])),
  )
}

/** The endpoints of these keys are the ones used, no more. */
function goesBy(keys: readonly (string | Uint8Array)[], routed: Map<number, Any>): void {
  assert.deepEqual([...routed.keys()].sort(), [...new Set(keys.map(ownerOf))].sort())
}

const TRACE = ['0af7651916cd43dd8448eb211c80319c', '4bf92f3577b34da6a3ce929d0e0e4736']
const spans = (resource: Any[], ...list: Any[]): Any => ({
  resourceSpans: [{ resource: { attributes: resource }, scopeSpans: [{ scope: { name: 'lib' }, spans: list }] }],
})
const logs = (resource: Any[], ...list: Any[]): Any => ({
  resourceLogs: [{ resource: { attributes: resource }, scopeLogs: [{ scope: { name: 'lib' }, logRecords: list }] }],
})
const metrics = (resource: Any[], ...list: Any[]): Any => ({
  resourceMetrics: [{ resource: { attributes: resource }, scopeMetrics: [{ scope: { name: 'lib' }, metrics: list }] }],
})

test('traceID: spans go by the sixteen bytes of the trace id, logs by its hex digits', () => {
  goesBy(
    TRACE.map((id) => Buffer.from(id, 'hex')),
    route('traces', 'traceID', spans([], { traceId: TRACE[0] }, { traceId: TRACE[1] }, { traceId: TRACE[0] })),
  )
  goesBy(TRACE, route('logs', 'traceID', logs([], { traceId: TRACE[0] }, { traceId: TRACE[1] })))
  goesBy([new Uint8Array(16)], route('traces', 'traceID', spans([], { name: 'no trace id' })))
})

test('traceID: records without a trace id stay together in their batch, at a random endpoint', () => {
  const routed = route('logs', 'traceID', logs([], { body: { stringValue: 'a' } }, { body: { stringValue: 'b' } }))
  assert.deepEqual([...routed.keys()], [25])
  const zeros = route('logs', 'traceID', logs([], { traceId: '0'.repeat(32) }))
  assert.deepEqual([...zeros.keys()], [25])
})

test('service: by service.name of the resource, and what has none goes together', () => {
  const service = [text('host', 'x'), text('service.name', 'press-4')]
  goesBy(['service.name=press-4|'], route('traces', 'service', spans(service, { name: 'a' }, { name: 'b' })))
  goesBy(['press-4'], route('logs', 'service', logs(service, { severityText: 'INFO' })))
  const point = { gauge: { dataPoints: [{ asInt: '1' }] } }
  goesBy(['press-4'], route('metrics', 'service', metrics(service, { name: 'm', ...point })))
  goesBy(['service.name=|'], route('traces', 'service', spans([], { name: 'a' })))
  goesBy([''], route('metrics', 'service', metrics([], { name: 'm', ...point })))
  goesBy(
    ['service.name=7|'],
    route('traces', 'service', spans([{ key: 'service.name', value: { intValue: '7' } }], { name: 'a' })),
  )
})

test('service: a resource travels whole', () => {
  const two = {
    resourceLogs: [
      ...logs([text('service.name', 'a')], { severityText: '1' }, { severityText: '2' }).resourceLogs,
      ...logs([text('service.name', 'b')], { severityText: '3' }).resourceLogs,
    ],
  }
  const routed = route('logs', 'service', two)
  goesBy(['a', 'b'], routed)
  assert.equal(routed.get(ownerOf('a'))!.resourceLogs[0].scopeLogs[0].logRecords.length, 2)
  assert.equal(routed.get(ownerOf('b'))!.resourceLogs[0].resource.attributes[0].value.stringValue, 'b')
})

test('metric: by name, whole metrics', () => {
  const point = (value: string): Any => ({ gauge: { dataPoints: [{ asInt: value }, { asInt: value }] } })
  const routed = route(
    'metrics',
    'metric',
    metrics([], { name: 'temp', ...point('1') }, { name: 'load', ...point('2') }),
  )
  goesBy(['temp', 'load'], routed)
  assert.equal(routed.get(ownerOf('temp'))!.resourceMetrics[0].scopeMetrics[0].metrics[0].gauge.dataPoints.length, 2)
})

test('resource: the same attributes in another order are the same resource', () => {
  const a = route('logs', 'resource', logs([text('x', '1'), text('y', '2')], { severityText: 'a' }))
  const b = route('logs', 'resource', logs([text('y', '2'), text('x', '1')], { severityText: 'b' }))
  assert.deepEqual([...a.keys()], [...b.keys()])
  const others = Array.from(
    { length: 40 },
    (_, i) => [...route('logs', 'resource', logs([text('x', String(i))], { severityText: 'a' })).keys()][0]!,
  )
  assert.ok(new Set(others).size > 15, 'resources are not spread')
  // Neither a swap of values nor one attribute twice is lost in the sum.
  const swapped = [...route('logs', 'resource', logs([text('x', '2'), text('y', '1')], { severityText: 'a' })).keys()]
  assert.notDeepEqual(swapped, [...a.keys()])
})

test('streamID: the points of one series go together whatever else is in their metric, and series are spread', () => {
  const points = Array.from({ length: 40 }, (_, i) => ({
    asInt: '1',
    attributes: [text('line', String(i % 20)), text('u', 'x')],
  }))
  const sum = { aggregationTemporality: 2, isMonotonic: true }
  const request = metrics([text('host', 'h')], { name: 'parts', unit: '1', sum: { ...sum, dataPoints: points } })
  const routed = route('metrics', 'streamID', request)
  assert.ok(routed.size > 8, 'series are not spread')
  const at = new Map<string, number>()
  let count = 0
  for (const [endpoint, part] of routed) {
    const [metric] = part.resourceMetrics[0].scopeMetrics[0].metrics
    assert.equal(metric.name, 'parts')
    assert.equal(metric.sum.aggregationTemporality, 2)
    assert.equal(metric.sum.isMonotonic, true)
    for (const { attributes } of metric.sum.dataPoints) {
      const line = attributes[0].value.stringValue
      assert.equal(at.get(line) ?? endpoint, endpoint, `line ${line} went to two endpoints`)
      at.set(line, endpoint)
      count++
    }
  }
  assert.equal(count, 40)
  const reversed = metrics([text('host', 'h')], {
    name: 'parts',
    unit: '1',
    sum: { ...sum, dataPoints: [{ asInt: '2', attributes: [text('u', 'x'), text('line', '3')] }] },
  })
  assert.deepEqual([...route('metrics', 'streamID', reversed).keys()], [at.get('3')])
  const elsewhere = Array.from(
    { length: 20 },
    (_, i) =>
      [
        ...route('metrics', 'streamID', metrics([], { name: `m${i}`, gauge: { dataPoints: [{ asInt: '1' }] } })).keys(),
      ][0]!,
  )
  assert.ok(new Set(elsewhere).size > 8, 'metrics are not spread')
})

test('attributes: traces look at resource, scope and span in the order written', () => {
  const request = spans([text('site', 'north')], { name: 'GET', kind: 2, attributes: [text('line', '4')] })
  goesBy(
    ['line=4|site=north|span.kind=Server|span.name=GET|none=|'],
    route('traces', 'attributes', request, ['line', 'site', 'span.kind', 'span.name', 'none']),
  )
})

test('attributes: logs and metrics put first what the resource has, then the scope, then the item', () => {
  const record = { severityText: 'WARN', body: { stringValue: 'door' }, attributes: [text('line', '4')] }
  const names = ['line', 'site', 'log.severity', 'log.body']
  goesBy(
    ['site=north|line=4|log.severity=WARN|log.body=door|'],
    route('logs', 'attributes', logs([text('site', 'north')], record), names),
  )
  const request = metrics([text('site', 'north')], {
    name: 'h',
    histogram: {
      dataPoints: [
        { count: '1', attributes: [text('line', '4')] },
        { count: '2', attributes: [text('line', '5')] },
      ],
    },
  })
  goesBy(['site=north|line=4|', 'site=north|line=5|'], route('metrics', 'attributes', request, ['line', 'site']))
})

test('attributes: values are written as the Collector writes them', () => {
  const values: [Any, string][] = [
    [{ intValue: '-9007199254740993' }, '-9007199254740993'],
    [{ doubleValue: 0.5 }, '0.5'],
    [{ doubleValue: 3 }, '3'],
    [{ doubleValue: 1234567 }, '1.234567e+06'],
    [{ doubleValue: 0.00001 }, '1e-05'],
    [{ doubleValue: 0.0001 }, '0.0001'],
    [{ doubleValue: 1e300 }, '1e+300'],
    [{ boolValue: true }, 'true'],
    [{ bytesValue: 'AQID' }, 'AQID'],
    [{ arrayValue: { values: [{ stringValue: 'a' }, { intValue: '1' }] } }, '[a,1]'],
    [{ kvlistValue: { values: [text('b', '2'), text('a', '1')] } }, '{a:1,b:2}'],
    [{}, ''],
  ]
  for (const [value, written] of values)
    goesBy([`a=${written}|`], route('traces', 'attributes', spans([{ key: 'a', value }], { name: 's' }), ['a']))
})
