// Documents of the modes ecs, none and raw. test/interop/translators.test.ts compares them with those of the Collector.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encode } from '../../../test/support/search-documents.ts'
import { encodeDouble, encodeInt, encodeList, encodeMap, encodeString } from '../../otlp/encode.ts'
import type { MappingMode } from './config.ts'
import { DocumentText } from './document-text.ts'
import { FlatFields } from './flat-fields.ts'
import { LOGS, METRICS, SPANS, withAttributes } from './testing.ts'

function fieldsOf(list: readonly (readonly [string, Uint8Array])[], fixed: readonly string[] = []): FlatFields {
  const fields = new FlatFields()
  fields.fixed = new Set(fixed)
  for (const [name, value] of list) fields.value(name, value, 0, value.length)
  return fields
}

function written(fields: FlatFields, nested: boolean): unknown {
  const text = new DocumentText().begin()
  text.ascii('{')
  fields.write(text, nested)
  text.ascii('}')
  return JSON.parse(Buffer.from(text.take()).toString())
}

test('fields are sorted, each name stands once with its last value, and an object takes the place of a value', () => {
  const fields = fieldsOf([
    ['b.c', encodeInt(1)],
    ['a-b', encodeString('dash')],
    ['b.c.d', encodeDouble(2)],
    ['a', encodeInt(3)],
    ['a', encodeInt(4)],
    ['a.x', encodeMap([['y', encodeInt(5)]])],
  ])
  const flat = { 'a-b': 'dash', 'a.value': 4, 'a.x.y': 5, 'b.c.d': 2, 'b.c.value': 1 }
  const nested = { a: { value: 4, x: { y: 5 } }, 'a-b': 'dash', b: { c: { d: 2, value: 1 } } }
  assert.deepEqual(written(fields, false), flat)
  assert.deepEqual(written(fields, true), nested)
  assert.deepEqual(written(fields, false), flat)
})

test('a name that is fixed stays a value, and what continues it is left out', () => {
  const list = [
    ['client.ip.country', encodeString('x')],
    ['client.ip', encodeString('10.0.0.1')],
    ['client.ip.a.b', encodeInt(1)],
    ['client.ips', encodeInt(2)],
  ] as const
  assert.deepEqual(written(fieldsOf(list, ['client.ip']), true), { client: { ip: '10.0.0.1', ips: 2 } })
})

test('maps in a list are objects as well, without what is empty, and an empty one is null', () => {
  const list = encodeList([
    encodeMap([
      ['b.c', encodeInt(1)],
      ['b', encodeInt(2)],
    ]),
    encodeMap([]),
    encodeList([encodeInt(3)]),
  ])
  assert.deepEqual(written(fieldsOf([['list', list]]), false), { list: [{ b: { c: 1, value: 2 } }, null, [3]] })
})

test('what a record does to the names of its resource is forgotten with the record', () => {
  const attributes = (...keys: string[]) => keys.map((key) => ({ key, value: { stringValue: key } }))
  const request = {
    resourceLogs: [
      {
        resource: { attributes: attributes('a', 'b') },
        scopeLogs: [{ logRecords: [{ attributes: attributes('a.x') }, { attributes: attributes('c') }] }],
      },
    ],
  }
  const [, first, , second] = encode('logs', request, { mode: 'ecs' }).lines
  assert.deepEqual(first.a, { value: 'a', x: 'a.x' })
  assert.deepEqual([second.a, second.b, second.c], ['a', 'b', 'c'])
})

test('in mode ecs the name of a host is its hostname, where it has no other', () => {
  const host = (hostname: Record<string, string>): unknown =>
    encode('logs', withAttributes(LOGS, hostname), { mode: 'ecs' }).lines[1].host
  assert.deepEqual(host({}), { name: 'edge-1', hostname: 'edge-1' })
  assert.deepEqual(host({ 'host.hostname': 'edge-1.plant' }), { name: 'edge-1', hostname: 'edge-1.plant' })
})

test('in mode ecs events of spans are documents in the streams of Elastic APM, whatever index spans have', () => {
  const request = structuredClone(SPANS)
  const [span] = request.resourceSpans[0]!.scopeSpans[0]!.spans
  const text = (key: string, stringValue: string) => ({ key, value: { stringValue } })
  const exception = { timeUnixNano: '7', name: 'exception', attributes: [text('exception.type', 'Jam')] }
  span!.events.push(exception as never)
  const indices = (lines: readonly { create?: { _index: string } }[]) =>
    lines.flatMap(({ create }) => create?._index ?? [])
  const { lines } = encode('traces', request, { mode: 'ecs', index: 'spans' })
  assert.deepEqual(indices(lines), ['spans', 'logs-apm.app.press-default', 'logs-apm.error-default'])
  assert.deepEqual(lines[3], {
    '@timestamp': '2026-01-01T00:00:00.000000006Z',
    data_stream: { type: 'logs', dataset: 'apm.app.press', namespace: 'default' },
    depth: 2,
    event: { kind: 'event' },
    host: { hostname: 'edge-1', name: 'edge-1' },
    message: 'jam',
    service: { name: 'press' },
    span: { id: '0102030405060708' },
    trace: { id: '0102030405060708090a0b0c0d0e0f10' },
  })
  assert.deepEqual(lines[5].error, { exception: { type: 'Jam' } })
  assert.deepEqual(lines[5].parent, { id: '0102030405060708' })
  assert.equal(lines[5].span, undefined)
  span!.attributes.push(text('transaction.id', 'f00d'))
  const [, , , event, , error] = encode('traces', request, { mode: 'ecs' }).lines
  assert.deepEqual([event.transaction.id, event.span.id, event.parent], ['f00d', 'f00d', undefined])
  assert.deepEqual([error.transaction.id, error.span.id, error.parent.id], ['f00d', 'f00d', 'f00d'])
})

test('in mode ecs points of a resource with the same time and attributes share a document, whatever scope they are of', () => {
  const scope = (name: string, unit: string, asInt: number, attributes: object[] = []) => ({
    scope: { name, attributes: [{ key: 'scope', value: { stringValue: name } }] },
    metrics: [
      { name, unit, gauge: { dataPoints: [{ timeUnixNano: '5', startTimeUnixNano: `${asInt}`, asInt, attributes }] } },
    ],
  })
  const site = (stringValue: string) => [{ key: 'site', value: { stringValue } }]
  const request = {
    resourceMetrics: [
      {
        resource: { attributes: site('north') },
        scopeMetrics: [
          scope('cpu', '1', 1),
          scope('memory', 'By', 2, site('north')),
          scope('disk', 'By', 3, site('south')),
        ],
      },
    ],
  }
  const { lines } = encode('metrics', request, { mode: 'ecs' })
  assert.deepEqual(
    lines
      .filter((_, i) => i % 2 === 1)
      .map(({ site, scope, cpu, memory, disk }) => ({ site, scope, cpu, memory, disk })),
    [
      { site: 'north', scope: undefined, cpu: 1, memory: 2, disk: undefined },
      { site: 'south', scope: undefined, cpu: undefined, memory: undefined, disk: 3 },
    ],
  )
})

test('in mode ecs points in data streams ask for the templates that Elasticsearch has for metrics', () => {
  const templates = encode('metrics', METRICS, { mode: 'ecs' }).lines[0].create.dynamic_templates
  assert.deepEqual(templates, {
    temperature: 'double_metrics',
    parts: 'double_metrics',
    cycle: 'histogram_metrics',
    spread: 'histogram_metrics',
    load: 'summary_metrics',
  })
  assert.equal(encode('metrics', METRICS, { mode: 'ecs', index: 'x' }).lines[0].create.dynamic_templates, undefined)
})

test('in the modes none and raw links are JSON with its keys in order, and values keep their types', () => {
  const request = structuredClone(SPANS)
  const [span] = request.resourceSpans[0]!.scopeSpans[0]!.spans
  span!.links[0]!.attributes.push({ key: 'part', value: { intValue: '9007199254740993' } } as never)
  const linkOf = (mode: MappingMode): string => encode('traces', request, { mode }).lines[1].Link
  const link = `{"attribute":{"part":9007199254740993,"why":"batch"},"spanID":"${'3'.repeat(16)}","traceID":"${'2'.repeat(32)}"}`
  assert.equal(linkOf('none'), `[${link}]`)
  assert.equal(linkOf('raw'), `[${link}]`)
})

test('name and version of a scope stand in each document of none and raw, and no attributes of these names', () => {
  const request = withAttributes(LOGS, {}, { name: 'other', version: 'other' })
  const [, document] = encode('logs', request, { mode: 'none' }).lines
  assert.deepEqual([document['Scope.name'], document['Scope.version'], document['Scope.line']], ['line', '2', 3])
})
