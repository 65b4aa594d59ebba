import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { batchOf } from '../../../test/support/harness.ts'
import { encode } from '../../../test/support/search-documents.ts'
import { Piece } from '../../wire/piece.ts'
import { readBulkAnswer } from './bulk-answer.ts'
import { type BulkBody, BulkWriter } from './bulk-body.ts'
import { parseCloudId } from './cloud-id.ts'
import type { MappingMode } from './config.ts'
import { formatDate } from './date-suffix.ts'
import { DocumentText } from './document-text.ts'
import { Encoder } from './encoder.ts'
import { Endpoints } from './endpoints.ts'
import { LOGS, METRICS, SPANS, withAttributes } from './testing.ts'
import { xxh64 } from './xxh64.ts'

const written = (write: (text: DocumentText) => void): string => {
  const text = new DocumentText().begin(1)
  write(text)
  return Buffer.from(text.take()).toString()
}

test('a string is JSON of the same string, whatever is in it and wherever it begins', () => {
  const text = fc.string({ unit: fc.constantFrom(...'abcdefgh"\\\n\u0000\u001f /<é漢😀\u2028'), maxLength: 40 })
  fc.assert(
    fc.property(text, fc.nat(5), (value, before) => {
      const bytes = new Uint8Array(Buffer.from(`${'"'.repeat(before)}${value}\\\\"`))
      const json = written((out) => out.quoted(bytes, before, before + Buffer.byteLength(value)))
      assert.equal(JSON.parse(json), value)
    }),
  )
})

test('times are exact to the nanosecond, in both forms, from 1970 to 2554', () => {
  fc.assert(
    fc.property(fc.bigInt(0n, 18_446_744_073_709_551_615n), (nanos) => {
      const [low, high] = [Number(nanos & 0xffffffffn), Number(nanos >> 32n)]
      const ms = nanos / 1_000_000n
      const rest = String(nanos % 1_000_000n).padStart(6, '0')
      assert.equal(
        written((out) => out.epochMillis(low, high)),
        `"${ms}.${rest}"`,
      )
      const iso = new Date(Number(ms)).toISOString()
      assert.equal(
        written((out) => out.isoTime(low, high)),
        `"${iso.slice(0, -1)}${rest}Z"`,
      )
    }),
  )
})

test('a double always has a point or an exponent with one, and what JSON has no word for is null', () => {
  for (const [value, json] of [
    [1, '1.0'],
    [-0, '-0.0'],
    [0.5, '0.5'],
    [1e21, '1.0e+21'],
    [1.5e300, '1.5e+300'],
    [1e-7, '1e-7'],
    [Number.NaN, 'null'],
    [Number.POSITIVE_INFINITY, 'null'],
  ] as const)
    assert.equal(
      written((out) => out.float(value)),
      json,
    )
})

test('whatever names and values a record has, in every mode its document is JSON, and the next one is the same', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '.', '"'), minLength: 1, maxLength: 5 })
  const value = fc.letrec((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      fc.string().map((stringValue) => ({ stringValue })),
      fc.integer().map((intValue) => ({ intValue })),
      fc
        .double()
        .map((doubleValue) => ({ doubleValue: Number.isFinite(doubleValue) ? doubleValue : String(doubleValue) })),
      fc.constant({}),
      fc.array(tie('any'), { maxLength: 3 }).map((values) => ({ arrayValue: { values } })),
      fc.array(fc.record({ key, value: tie('any') }), { maxLength: 3 }).map((values) => ({ kvlistValue: { values } })),
    ),
  })).any
  const attributes = fc.uniqueArray(fc.record({ key, value }), { maxLength: 6, selector: (entry) => entry.key })
  fc.assert(
    fc.property(attributes, fc.constantFrom<MappingMode>('otel', 'ecs', 'none', 'raw'), (list, mode) => {
      const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes: list }, { attributes: list }] }] }] }
      const { lines } = encode('logs', request, { mode })
      assert.equal(lines.length, 4)
      assert.deepEqual(lines[1], lines[3])
    }),
    { numRuns: 300 },
  )
})

test('the array of a delivered body is written into again, that of any other body never', () => {
  const writer = new BulkWriter(0)
  const write = (id: number): BulkBody => {
    writer.begin(100)
    writer.open(new Piece('{"create":{"_index":"x"}}\n{'))
    writer.text.ascii(`"id":${id}`)
    writer.close(1)
    return writer.take()[0]!
  }
  const first = write(1)
  const part = first.subset([0])
  writer.recycle(part)
  const second = write(2)
  assert.notEqual(second.bytes.buffer, part.bytes.buffer)
  assert.equal(first.document(0), '{"id":1}')
  writer.recycle(first)
  writer.recycle(first)
  const third = write(3)
  assert.equal(third.bytes.buffer, first.bytes.buffer)
  assert.notEqual(write(4).bytes.buffer, third.bytes.buffer)
  assert.deepEqual(
    [part, second, third].map((body) => body.document(0)),
    ['{"id":1}', '{"id":2}', '{"id":3}'],
  )
})

test('a key that a record repeats stands once, with its first value', () => {
  const attribute = (key: string, intValue: number) => ({ key, value: { intValue } })
  const attributes = [attribute('a', 1), attribute('b', 2), attribute('a', 3), attribute('c', 4), attribute('b', 5)]
  const { lines } = encode('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] })
  assert.deepEqual(lines[1].attributes, { a: 1, b: 2, c: 4 })
})

test('documents go where attributes say: record before scope before resource, and a static index before all of them', () => {
  const indexOf = (request: object, index?: string): string =>
    encode('logs', request, index === undefined ? {} : { index }).lines[0].create._index
  assert.equal(indexOf(LOGS), 'logs-generic.otel-default')
  assert.equal(
    indexOf(withAttributes(LOGS, { 'data_stream.dataset': 'Line-3 *', 'data_stream.namespace': 'Hall 2' })),
    'logs-line_3__.otel-hall_2',
  )
  const both = withAttributes(LOGS, { 'data_stream.dataset': 'r' }, { 'data_stream.dataset': 's' })
  assert.equal(indexOf(both), 'logs-s.otel-default')
  assert.equal(indexOf(withAttributes(LOGS, { 'elasticsearch.index': 'mine', 'data_stream.dataset': 'r' })), 'mine')
  assert.equal(
    indexOf(withAttributes(LOGS, { 'elasticsearch.index.prefix': 'p-' }, { 'elasticsearch.index.suffix': 's' })),
    'p-s',
  )
  assert.equal(indexOf(both, 'static'), 'static')
  const long = indexOf(withAttributes(LOGS, { 'data_stream.dataset': 'ä'.repeat(80) }))
  assert.equal(Buffer.byteLength(long.split('-')[1]!), 99)
})

test('a scope of a receiver names its data set', () => {
  const request = structuredClone(LOGS)
  request.resourceLogs[0]!.scopeLogs[0]!.scope.name = 'github.com/x/receiver/mqttreceiver/internal'
  assert.equal(encode('logs', request).lines[0].create._index, 'logs-mqttreceiver.otel-default')
})

test('an encoding, a connector and the own scopes of a router name data sets as well, which attributes overrule', () => {
  const indexOf = (name: string, ofScope: Record<string, string> = {}): string => {
    const request = withAttributes(LOGS, {}, ofScope)
    request.resourceLogs[0]!.scopeLogs[0]!.scope.name = name
    return encode('logs', request).lines[0].create._index
  }
  assert.equal(indexOf('x/connector/routingconnector'), 'logs-routingconnector.otel-default')
  assert.equal(indexOf('go.opentelemetry.io/collector/service'), 'logs-collectortelemetry.otel-default')
  const format = { 'encoding.format': 'aws.vpcflow' }
  assert.equal(indexOf('x/receiver/mqttreceiver', format), 'logs-aws.vpcflow.otel-default')
  assert.equal(indexOf('line', { ...format, 'data_stream.dataset': 'mine' }), 'logs-mine.otel-default')
})

test('attributes choose the type of a data stream in mode bodymap alone', () => {
  const request = withAttributes(LOGS, { 'data_stream.type': 'metrics' })
  assert.equal(encode('logs', request).lines[0].create._index, 'logs-generic.otel-default')
  assert.equal(encode('logs', request, { mode: 'bodymap' }).lines[0].create._index, 'metrics-generic-default')
})

test('what has the hint _noindex becomes no document, in any mode', () => {
  const attributes = [
    { key: 'elasticsearch.mapping.hints', value: { arrayValue: { values: [{ stringValue: '_noindex' }] } } },
  ]
  const logs = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }, {}] }] }] }
  const event = { name: 'jam', attributes: [] }
  const spans = {
    resourceSpans: [{ scopeSpans: [{ spans: [{ attributes, events: [event, { ...event, attributes }] }] }] }],
  }
  const points = {
    resourceMetrics: [
      { scopeMetrics: [{ metrics: [{ name: 'a', gauge: { dataPoints: [{ asInt: 1, attributes }] } }] }] },
    ],
  }
  for (const mode of ['otel', 'ecs'] as const) {
    assert.equal(encode('logs', logs, { mode }).lines.length, 2)
    assert.equal(encode('traces', spans, { mode }).lines.length, 2)
    assert.equal(encode('metrics', points, { mode }).lines.length, 0)
  }
})

test('hints that are no list of words are none', () => {
  for (const value of [
    { stringValue: '["_noindex' },
    { arrayValue: { values: [{ doubleValue: 'NaN' }, { stringValue: '_noindex' }] } },
    { kvlistValue: {} },
  ]) {
    const attributes = [{ key: 'elasticsearch.mapping.hints', value }]
    const request = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ attributes }] }] }] }
    assert.equal(encode('logs', request).lines.length, 2)
  }
})

test('two scopes of one resource may have different mappings, and each has the whole resource', () => {
  const request = structuredClone(LOGS)
  const [scope] = request.resourceLogs[0]!.scopeLogs
  const other = structuredClone(scope!)
  other.scope.attributes.push({ key: 'elastic.mapping.mode', value: { stringValue: 'ecs' } } as never)
  request.resourceLogs[0]!.scopeLogs = [other, scope!]
  const encoder = new Encoder(
    {
      signal: 'logs',
      mode: 'otel',
      allowedModes: new Set(['ecs']),
      index: 'x',
      takesIds: false,
      takesPipelines: false,
      maxBytes: 0,
    },
    () => {},
  )
  const [body] = encoder.encode(batchOf('logs', request), 0, '', true).bodies
  assert.equal(JSON.parse(body!.document(0)).service.name, 'press')
  assert.equal(JSON.parse(body!.document(2)).resource.attributes['service.name'], 'press')
})

test('bodies end where they are as large as they may be, and each holds whole documents', () => {
  const one = encode('logs', LOGS, { maxBytes: 1 })
  assert.equal(one.bodies, 2)
  assert.deepEqual(one.lines, encode('logs', LOGS).lines)
})

const HISTOGRAM = {
  timeUnixNano: '1767225600123456789',
  count: '6',
  sum: 9,
  bucketCounts: ['1', '0', '2', '3'],
  explicitBounds: [1, 2, 4],
}
const histogram = (point: object, aggregationTemporality = 1) => ({
  resourceMetrics: [
    { scopeMetrics: [{ metrics: [{ name: 'h', histogram: { aggregationTemporality, dataPoints: [point] } }] }] },
  ],
})

test('a cumulative histogram is refused: its documents would count everything many times', () => {
  const unfit: string[] = []
  const { lines } = encode('metrics', histogram(HISTOGRAM, 2), { unfit })
  assert.deepEqual(lines, [])
  assert.deepEqual(unfit, ['1 a histogram is cumulative, and documents hold what is new'])
})

test('the values of a histogram are the middles of its buckets, or their upper bounds where a hint says so', () => {
  const hints = { arrayValue: { values: [{ stringValue: 'histogram:raw' }] } }
  const attributes = [{ key: 'elasticsearch.mapping.hints', value: hints }]
  const histogramOf = (point: object): object => encode('metrics', histogram(point)).lines[1].metrics.h
  assert.deepEqual(histogramOf(HISTOGRAM), { counts: [1, 2, 3], values: [0.5, 3, 4] })
  assert.deepEqual(histogramOf({ ...HISTOGRAM, attributes }), { counts: [1, 5], values: [1, 4] })
})

test('a document of metrics has whole milliseconds, and the hash of its names that the Collector gives', () => {
  const { lines } = encode('metrics', histogram(HISTOGRAM))
  assert.equal(lines[1]['@timestamp'], 1767225600123)
  assert.equal(xxh64('').toString(16), 'ef46db3751d8e999')
  assert.equal(xxh64('a').toString(16), 'd24ec4f1a98c6e5b')
  assert.equal(xxh64('Nobody inspects the spammish repetition').toString(16), 'fbcea83c8a378bf1')
  assert.equal(lines[1]._metric_names_hash, xxh64('h').toString(16))
})

test('points of one document share time, start, unit and attributes, in whatever order the attributes are', () => {
  const { lines } = encode('metrics', METRICS)
  assert.deepEqual(
    lines.filter((_, i) => i % 2 === 1).map(({ metrics }) => Object.keys(metrics)),
    [['temperature', 'parts', 'cycle', 'spread', 'load'], ['temperature'], ['temperature']],
  )
  assert.deepEqual(lines[0].create.dynamic_templates, {
    'metrics.temperature': 'gauge_double',
    'metrics.parts': 'counter_long',
    'metrics.cycle': 'histogram',
    'metrics.spread': 'histogram',
    'metrics.load': 'summary',
  })
  const pair = (a: string, b: string) => [a, b].map((key) => ({ key, value: { stringValue: key } }))
  const point = (attributes: object[]) => ({ timeUnixNano: '5', asInt: '1', attributes })
  const request = {
    resourceMetrics: [
      {
        scopeMetrics: [
          {
            metrics: [
              { name: 'a', gauge: { dataPoints: [point(pair('x', 'y'))] } },
              { name: 'b', gauge: { dataPoints: [point(pair('y', 'x'))] } },
              { name: 'c', unit: 's', gauge: { dataPoints: [point(pair('x', 'y'))] } },
            ],
          },
        ],
      },
    ],
  }
  assert.deepEqual(
    encode('metrics', request).lines.flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics])),
    [{ a: 1, b: 1 }, { c: 1 }],
  )
})

test('spans and metrics have no mode bodymap: they are unfit, and counted', () => {
  const unfit: string[] = []
  assert.equal(encode('traces', SPANS, { mode: 'bodymap', unfit }).lines.length, 0)
  assert.equal(encode('metrics', METRICS, { mode: 'bodymap', unfit }).lines.length, 0)
  assert.deepEqual(unfit, ['1 mode bodymap is for logs', '8 mode bodymap is for logs'])
})

test('an answer tells of each document, and one that is cut anywhere is no answer', () => {
  const answer = Buffer.from(
    '{"took":3,"errors":true,"items":[{"create":{"status":201}},{"create":{"status":400,"error":{"type":"t","reason":"r","caused_by":{"reason":"c"}}}}]}',
  )
  assert.deepEqual(readBulkAnswer(answer, 2).failures, [{ document: 1, status: 400, type: 't', reason: 'r: c' }])
  assert.throws(() => readBulkAnswer(answer, 3), /2 items for 3 documents/)
  for (let end = 0; end < answer.length; end++) assert.throws(() => readBulkAnswer(answer.subarray(0, end), 2))
  assert.deepEqual(readBulkAnswer(Buffer.from('{"errors":false}'), 2).failures, [])
  assert.throws(() => readBulkAnswer(Buffer.from('{}'), 2), /no items/)
})

test('a cloud id names the URL of its cluster, with a port where it has one', () => {
  const id = (text: string): string => `name:${Buffer.from(text).toString('base64')}`
  assert.equal(parseCloudId(id('cloud.es.io$abc$def'))?.href, 'https://abc.cloud.es.io/')
  assert.equal(parseCloudId(id('cloud.es.io:9243$abc$'))?.href, 'https://abc.cloud.es.io:9243/')
  assert.equal(parseCloudId(id('cloud.es.io'))?.href, undefined)
  assert.equal(parseCloudId('name:%%%')?.href, undefined)
})

test('days are written in the words of strftime', () => {
  assert.equal(formatDate('%Y.%m.%d', Date.UTC(2026, 0, 2)), '2026.01.02')
  assert.equal(formatDate('%y%j-%H%%', Date.UTC(2026, 1, 1, 7)), '26032-07%')
})

test('a server that cannot be reached is left out, longer each time, until it answers', () => {
  const clock = new FakeClock()
  const urls = ['http://a', 'http://b'].map((url) => new URL(url))
  const endpoints = new Endpoints(urls, clock)
  const next = (count: number): string => Array.from({ length: count }, () => endpoints.next().hostname).join('')
  assert.equal(next(4), 'abab')
  endpoints.failed(urls[0]!)
  assert.equal(next(3), 'bbb')
  endpoints.failed(urls[1]!)
  assert.equal(endpoints.alive, 0)
  assert.equal(next(1), 'a')
  clock.advance(60_000)
  assert.equal(endpoints.alive, 2)
  endpoints.failed(urls[0]!)
  clock.advance(60_000)
  assert.equal(next(2), 'bb')
  endpoints.answered(urls[0]!)
  assert.equal(endpoints.alive, 2)
})

test('twenty thousand points that are alike become as many documents, in their order', () => {
  const dataPoints = Array.from({ length: 20_000 }, (_, n) => ({ timeUnixNano: '5', asInt: String(n) }))
  const request = { resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: 'a', gauge: { dataPoints } }] }] }] }
  const { lines } = encode('metrics', request)
  const values = lines.filter((_, i) => i % 2 === 1).map(({ metrics }) => metrics.a)
  assert.deepEqual(
    values,
    dataPoints.map(({ asInt }) => Number(asInt)),
  )
})
