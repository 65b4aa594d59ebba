import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import protobuf from 'protobufjs'
import { batchOf } from '../../../test/support/harness.ts'
import { Nanos } from './nanos.ts'
import { Translator } from './translate.ts'

const PROTO = new URL('../../../proto/', import.meta.url).pathname
const root = new protobuf.Root()
root.resolvePath = (_origin, target) => (target.startsWith('/') ? target : join(PROTO, target))
root.loadSync(join(PROTO, 'jaeger/api_v2/collector.proto'))
const Batch = root.lookupType('jaeger.api_v2.Batch')

/** Jaeger's batches of a request, as another reader understands them. */
function translated(request: object): Record<string, unknown>[] {
  const options = { longs: String, enums: String, bytes: String }
  return new Translator()
    .translate(batchOf('traces', request).parts)
    .map((bytes) => Batch.toObject(Batch.decode(bytes), options))
}

const base64 = (hex: string): string => Buffer.from(hex, 'hex').toString('base64')
const attribute = (key: string, value: object): object => ({ key, value })
const text = (key: string, stringValue: string): object => attribute(key, { stringValue })
const tag = (key: string, vStr: string): object => ({ key, vStr })

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const SPAN = '00f067aa0ba902b7'
const PARENT = '53995c3f42cd8ad8'
const ofSpan = (span: object, scope: object = {}): object => ({
  resourceSpans: [
    {
      resource: { attributes: [text('service.name', 'press-7')] },
      scopeSpans: [{ scope, spans: [{ traceId: TRACE, spanId: SPAN, name: 'stroke', ...span }] }],
    },
  ],
})
const spanOf = (request: object): Record<string, unknown> => {
  const [batch] = translated(request)
  return (batch as { spans: Record<string, unknown>[] }).spans[0]!
}

test('a span with everything becomes what the Collector made of it', () => {
  const request = ofSpan(
    {
      parentSpanId: PARENT,
      traceState: 'a=b',
      kind: 2,
      startTimeUnixNano: '1767225600123456789',
      endTimeUnixNano: '1767225602000000001',
      attributes: [
        text('http.route', '/orders'),
        text('', ''),
        attribute('pieces', { intValue: '9007199254740993' }),
        attribute('below', { intValue: '-2' }),
        attribute('zero', { intValue: '0' }),
        attribute('force', { doubleValue: -0.5 }),
        attribute('yes', { boolValue: true }),
        attribute('no', { boolValue: false }),
        attribute('raw', { bytesValue: 'AQI=' }),
        attribute('list', { arrayValue: { values: [{ intValue: '1' }, { stringValue: 'x' }] } }),
        attribute('map', { kvlistValue: { values: [attribute('k', { boolValue: true })] } }),
        attribute('empty', {}),
      ],
      events: [
        { timeUnixNano: '1767225601000000000', name: 'jam', attributes: [attribute('force', { intValue: '7' })] },
        { timeUnixNano: '0', name: 'named', attributes: [text('event', 'other')] },
        {},
      ],
      links: [{ traceId: 'f'.repeat(32), spanId: PARENT }],
      status: { code: 2, message: 'jammed' },
    },
    { name: 'press', version: '1.2' },
  )
  assert.deepEqual(translated(request), [
    {
      spans: [
        {
          traceId: base64(TRACE),
          spanId: base64(SPAN),
          operationName: 'stroke',
          references: [
            { traceId: base64(TRACE), spanId: base64(PARENT) },
            { traceId: base64('f'.repeat(32)), spanId: base64(PARENT), refType: 'FOLLOWS_FROM' },
          ],
          startTime: { seconds: '1767225600', nanos: 123456789 },
          duration: { seconds: '1', nanos: 876543212 },
          tags: [
            tag('otel.scope.name', 'press'),
            tag('otel.scope.version', '1.2'),
            tag('http.route', '/orders'),
            {},
            { key: 'pieces', vType: 'INT64', vInt64: '9007199254740993' },
            { key: 'below', vType: 'INT64', vInt64: '-2' },
            { key: 'zero', vType: 'INT64' },
            { key: 'force', vType: 'FLOAT64', vFloat64: -0.5 },
            { key: 'yes', vType: 'BOOL', vBool: true },
            { key: 'no', vType: 'BOOL' },
            { key: 'raw', vType: 'BINARY', vBinary: 'AQI=' },
            tag('list', '[1,"x"]'),
            tag('map', '{"k":true}'),
            { key: 'empty' },
            tag('span.kind', 'server'),
            tag('otel.status_code', 'ERROR'),
            { key: 'error', vType: 'BOOL', vBool: true },
            tag('otel.status_description', 'jammed'),
            tag('w3c.tracestate', 'a=b'),
          ],
          logs: [
            {
              timestamp: { seconds: '1767225601' },
              fields: [tag('event', 'jam'), { key: 'force', vType: 'INT64', vInt64: '7' }],
            },
            { timestamp: {}, fields: [tag('event', 'other')] },
            { timestamp: {} },
          ],
        },
      ],
      process: { serviceName: 'press-7' },
    },
  ])
})

test('kinds and statuses have the words of OpenTracing, and what is not specified has none', () => {
  const tagsOf = (span: object): unknown => spanOf(ofSpan(span)).tags
  const kinds = ['internal', 'server', 'client', 'producer', 'consumer']
  for (const [i, kind] of kinds.entries()) assert.deepEqual(tagsOf({ kind: i + 1 }), [tag('span.kind', kind)])
  assert.equal(tagsOf({ kind: 0 }), undefined)
  assert.equal(tagsOf({ kind: 6 }), undefined)
  assert.deepEqual(tagsOf({ status: { code: 1 } }), [tag('otel.status_code', 'OK')])
  assert.deepEqual(tagsOf({ status: { message: 'why' } }), [tag('otel.status_description', 'why')])
})

test('a link to the parent says what the reference to it is, and does not stand twice', () => {
  const childOf = { attributes: [text('opentracing.ref_type', 'child_of')] }
  const followsFrom = { attributes: [text('opentracing.ref_type', 'follows_from')] }
  const referencesOf = (links: readonly object[]): unknown =>
    (spanOf(ofSpan({ parentSpanId: PARENT, links })).references as { refType?: string; spanId: string }[]).map(
      ({ refType = 'CHILD_OF', spanId }) => `${refType} ${spanId === base64(PARENT) ? 'parent' : 'other'}`,
    )
  const [toParent, other] = [
    { traceId: TRACE, spanId: PARENT },
    { traceId: TRACE, spanId: SPAN },
  ]
  assert.deepEqual(referencesOf([]), ['CHILD_OF parent'])
  assert.deepEqual(referencesOf([{ ...toParent, ...followsFrom }, other]), [
    'FOLLOWS_FROM parent',
    'FOLLOWS_FROM other',
  ])
  assert.deepEqual(
    referencesOf([
      { ...toParent, ...childOf },
      { ...other, ...childOf },
    ]),
    ['CHILD_OF parent', 'CHILD_OF other'],
  )
  assert.equal(spanOf(ofSpan({})).references, undefined)
})

test('each resource with spans is a batch; one without attributes has the name that the Collector gave it', () => {
  const spans = [{ traceId: TRACE, spanId: SPAN }]
  const batches = translated({
    resourceSpans: [
      { scopeSpans: [{ spans }, { spans }] },
      { resource: { attributes: [text('host.name', 'a'), text('service.name', 'b')] }, scopeSpans: [{ spans }] },
      { resource: { attributes: [text('host.name', 'c')] }, scopeSpans: [{ spans }] },
      { resource: { attributes: [attribute('service.name', { intValue: '1' })] }, scopeSpans: [{ spans }] },
      { resource: { attributes: [text('service.name', 'no spans')] }, scopeSpans: [{}] },
    ],
  }) as { spans: object[]; process: object }[]
  assert.deepEqual(
    batches.map(({ spans, process }) => [spans.length, process]),
    [
      [2, { serviceName: 'OTLPResourceNoServiceName' }],
      [1, { serviceName: 'b', tags: [tag('host.name', 'a')] }],
      [1, { tags: [tag('host.name', 'c')] }],
      [1, {}],
    ],
  )
})

test('ids that are absent are zeros of their whole length, and long messages have their lengths', () => {
  const span = spanOf(ofSpan({ traceId: '', spanId: '', name: 'n'.repeat(20_000) }))
  assert.equal(span.traceId, base64('0'.repeat(32)))
  assert.equal(span.spanId, base64('0'.repeat(16)))
  assert.equal((span.operationName as string).length, 20_000)
})

test('nanoseconds are divided exactly, also where a double is not', () => {
  const nanos = new Nanos()
  const halves = (value: bigint): [number, number] => [Number(value >> 32n), Number(value & 0xffffffffn)]
  const values = [0n, 1n, 999_999_999n, 10n ** 9n, 2n ** 32n - 1n, 1767225600123456789n, 2n ** 63n + 7n, 2n ** 64n - 1n]
  for (const value of values) {
    nanos.set(...halves(value))
    assert.deepEqual([BigInt(nanos.seconds), BigInt(nanos.nanos)], [value / 10n ** 9n, value % 10n ** 9n])
    for (const other of values) {
      nanos.setDifference(...halves(value), ...halves(other))
      const difference = value - other
      assert.deepEqual([BigInt(nanos.seconds), BigInt(nanos.nanos)], [difference / 10n ** 9n, difference % 10n ** 9n])
    }
  }
})

test('a span that ends before it begins has a duration below zero', () => {
  const span = spanOf(ofSpan({ startTimeUnixNano: '2500000000', endTimeUnixNano: '1000000000' }))
  assert.deepEqual(span.duration, { seconds: '-1', nanos: -500000000 })
})

test('tags are the same whatever the lengths of keys and values, and wherever in the request they stand', () => {
  const lengths = [0, 1, 2, 7, 8, 9, 15, 16, 17, 100, 118, 119, 120, 121, 122, 123, 124, 125, 126, 127, 128, 129, 300]
  const ints = ['0', '1', '-1', '127', '128', '9223372036854775807', '-9223372036854775808']
  const plain = ({ key, vStr, vInt64 }: { key?: string; vStr?: string; vInt64?: string }): string =>
    `${key ?? ''} ${vStr ?? ''}${vInt64 ?? ''}`.replace(/ 0$/, ' ')
  for (const keyLength of lengths) {
    const key = 'k'.repeat(keyLength)
    const attributes = [
      ...lengths.map((length) => text(key, 'v'.repeat(length))),
      ...ints.map((intValue) => attribute(key, { intValue })),
    ]
    const expected = [
      ...lengths.map((length) => `${key} ${'v'.repeat(length)}`),
      ...ints.map((int) => `${key} ${int === '0' ? '' : int}`),
    ]
    assert.deepEqual((spanOf(ofSpan({ attributes })).tags as object[]).map(plain), expected)
    for (const [i, one] of attributes.entries())
      assert.deepEqual((spanOf(ofSpan({ attributes: [one] })).tags as object[]).map(plain), [expected[i]])
  }
})
