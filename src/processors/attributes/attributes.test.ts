import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpuUsage } from 'node:process'
import { type TestContext, test } from 'node:test'
import { harness } from '../../../test/support/harness.ts'
import { YamlFloat } from '../../config/schema.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import type { Signal } from '../../otlp/signal.ts'
import { factory } from './factory.ts'

type Value = Record<string, unknown>
// biome-ignore lint/suspicious/noExplicitAny: parsed JSON
type Json = any
type Attributes = Record<string, Value>

const text = (stringValue: string): Value => ({ stringValue })
const int = (value: number | string): Value => ({ intValue: String(value) })
const double = (doubleValue: number): Value => ({ doubleValue })
const bool = (boolValue: boolean): Value => ({ boolValue })

const keyValues = (attributes: Attributes) => Object.entries(attributes).map(([key, value]) => ({ key, value }))
const toRecord = (list: readonly { key: string; value: Value }[] = []): Attributes =>
  Object.fromEntries(list.map(({ key, value }) => [key, value]))

const span = (attributes: Attributes, more: object = {}) => ({
  traceId: '0102030405060708090a0b0c0d0e0f10',
  spanId: '0102030405060708',
  name: 'weld',
  attributes: keyValues(attributes),
  ...more,
})
const traces = (spans: object[], resource: Attributes = {}, scope: object = {}) => ({
  resourceSpans: [{ resource: { attributes: keyValues(resource) }, scopeSpans: [{ scope, spans }] }],
})
const logs = (logRecords: object[], resource: Attributes = {}) => ({
  resourceLogs: [{ resource: { attributes: keyValues(resource) }, scopeLogs: [{ logRecords }] }],
})

/** What the processor makes of a request, as parsed OTLP/JSON. */
async function process(t: TestContext, config: object, signal: Signal, request: object, client?: ClientInfo) {
  const { push, sent } = await harness(t, factory, config, { signal })
  push(request, client)
  return JSON.parse(bytesToJson(signal, sent[0]!.parts))
}

/** What some actions make of one span's attributes. */
async function act(
  t: TestContext,
  actions: object[],
  attributes: Attributes,
  client?: ClientInfo,
): Promise<Attributes> {
  const after = await process(t, { actions }, 'traces', traces([span(attributes)]), client)
  return toRecord(after.resourceSpans[0].scopeSpans[0].spans[0].attributes)
}

test('insert adds where the key is absent, update replaces where it is there, upsert does either', async (t) => {
  const before = { there: text('old') }
  const both = (action: string) => [
    { key: 'there', value: 'new', action },
    { key: 'absent', value: 'new', action },
  ]
  assert.deepEqual(await act(t, both('insert'), before), { there: text('old'), absent: text('new') })
  assert.deepEqual(await act(t, both('update'), before), { there: text('new') })
  assert.deepEqual(await act(t, both('UPSERT'), before), { there: text('new'), absent: text('new') })
})

test('a literal keeps the type that YAML gives it', async (t) => {
  const literal = async (value: unknown) => (await act(t, [{ key: 'k', value, action: 'insert' }], {})).k
  assert.deepEqual(await literal('7'), text('7'))
  assert.deepEqual(await literal(7), int(7))
  assert.deepEqual(await literal(-7), int(-7))
  assert.deepEqual(await literal(9_007_199_254_740_993n), int('9007199254740993'))
  assert.deepEqual(await literal(new YamlFloat(7)), double(7))
  assert.deepEqual(await literal(false), bool(false))
  assert.deepEqual(await literal([1, 'a']), { arrayValue: { values: [int(1), text('a')] } })
  assert.deepEqual(await literal({ a: true }), { kvlistValue: { values: [{ key: 'a', value: bool(true) }] } })
})

test('from_attribute copies a value of any type; where it is missing default_value or nothing is written', async (t) => {
  const list = { arrayValue: { values: [int(1)] } }
  const actions = [
    { key: 'copy', from_attribute: 'list', action: 'insert' },
    { key: 'none', from_attribute: 'missing', action: 'upsert' },
    { key: 'default', from_attribute: 'missing', default_value: 5, action: 'upsert' },
    { key: 'list', from_attribute: 'default', action: 'update' },
  ]
  assert.deepEqual(await act(t, actions, { list }), { list: int(5), copy: list, default: int(5) })
})

test('default_value alone is written', async (t) => {
  assert.deepEqual(await act(t, [{ key: 'a', default_value: 'x', action: 'insert' }], {}), { a: text('x') })
})

test('from_context reads headers whatever their case, joins several by semicolons, and knows auth and the address', async (t) => {
  const client: ClientInfo = {
    address: '10.0.0.7:51234',
    metadata: new Map([['x-tenant', ['a', 'b']]]),
    auth: new Map<string, unknown>([
      ['subject', 'line-3'],
      ['groups', ['x', 'y']],
      ['level', 3],
    ]),
  }
  const from = async (from_context: string, who: ClientInfo | undefined = client) =>
    (await act(t, [{ key: 'k', from_context, action: 'upsert' }], {}, who)).k
  assert.deepEqual(await from('metadata.X-Tenant'), text('a;b'))
  assert.deepEqual(await from('x-tenant'), text('a;b'))
  assert.deepEqual(await from('auth.subject'), text('line-3'))
  assert.deepEqual(await from('auth.groups'), text('x;y'))
  assert.equal(await from('auth.level'), undefined)
  assert.deepEqual(await from('client.address'), text('10.0.0.7'))
  assert.deepEqual(await from('client.address', { address: '[::1]:4317' }), text('::1'))
  assert.deepEqual(await from('client.address', { address: '::1' }), text('::1'))
  assert.deepEqual(await from('client.address', {}), text(''))
  assert.equal(await from('metadata.absent'), undefined)
  assert.equal(await from('metadata.x-tenant', {}), undefined)
})

test('what the context gave one batch is not given to the next', async (t) => {
  const actions = [{ key: 'k', from_context: 'x-tenant', default_value: 'none', action: 'upsert' }]
  const { push, sent } = await harness(t, factory, { actions })
  push(traces([span({})]), { metadata: new Map([['x-tenant', ['a']]]) })
  push(traces([span({})]))
  const values = sent.map(({ parts }) => JSON.parse(bytesToJson('traces', parts)).resourceSpans[0].scopeSpans[0])
  assert.deepEqual(
    values.map((scope) => toRecord(scope.spans[0].attributes).k),
    [text('a'), text('none')],
  )
})

test('delete removes its key and every key that its pattern matches anywhere', async (t) => {
  const before = { a: int(1), 'debug.x': int(2), 'x.debug.y': int(3), b: int(4) }
  assert.deepEqual(await act(t, [{ key: 'a', pattern: 'debug\\.', action: 'delete' }], before), { b: int(4) })
  assert.deepEqual(await act(t, [{ pattern: '^debug', action: 'delete' }], before), {
    a: int(1),
    'x.debug.y': int(3),
    b: int(4),
  })
})

test('hash takes the bytes of texts, one byte of booleans and eight of numbers; others become the empty text', async (t) => {
  const sha = (bytes: Uint8Array | string): Value => text(createHash('sha256').update(bytes).digest('hex'))
  const little = (write: (buffer: Buffer) => void): Value => {
    const buffer = Buffer.alloc(8)
    write(buffer)
    return sha(buffer)
  }
  const before = {
    text: text('naïve'),
    empty: text(''),
    true: bool(true),
    false: bool(false),
    int: int('-9007199254740993'),
    double: double(0.1),
    list: { arrayValue: { values: [int(1)] } },
    bytes: { bytesValue: 'AQI=' },
  }
  assert.deepEqual(await act(t, [{ pattern: '.', action: 'hash' }], before), {
    text: sha('naïve'),
    empty: sha(''),
    true: sha(Uint8Array.of(1)),
    false: sha(Uint8Array.of(0)),
    int: little((buffer) => buffer.writeBigInt64LE(-9007199254740993n)),
    double: little((buffer) => buffer.writeDoubleLE(0.1)),
    list: text(''),
    bytes: text(''),
  })
  // SHA-256 of "a" and of that text, from `printf a | sha256sum`.
  const once = 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'
  assert.deepEqual(await act(t, [{ key: 'k', action: 'hash' }], { k: text('a') }), { k: text(once) })
  assert.deepEqual(await act(t, [{ key: 'k', pattern: 'k', action: 'hash' }], { k: text('a') }), { k: sha(once) })
})

test('extract upserts one attribute per named group and keeps its source', async (t) => {
  const actions = [
    { key: 'path', pattern: '/line/(?P<line>\\d+)(/(?P<cell>\\w+))?'.replace('(/', '(?:/'), action: 'extract' },
  ]
  assert.deepEqual(await act(t, actions, { path: text('x/line/3/b'), line: int(1) }), {
    path: text('x/line/3/b'),
    line: text('3'),
    cell: text('b'),
  })
  // A group that took no part upserts the empty text (reference/otelcol-seen.md).
  assert.deepEqual(await act(t, actions, { path: text('/line/3') }), {
    path: text('/line/3'),
    line: text('3'),
    cell: text(''),
  })
  assert.deepEqual(await act(t, actions, { path: text('/none') }), { path: text('/none') })
  assert.deepEqual(await act(t, actions, { path: int(3) }), { path: int(3) })
  assert.deepEqual(await act(t, actions, {}), {})
})

test('convert follows the table of types and leaves what it cannot convert', async (t) => {
  const rows: [Value, 'string' | 'int' | 'double', Value][] = [
    [text('42'), 'int', int(42)],
    [text('+42'), 'int', int(42)],
    [text('-9223372036854775808'), 'int', int('-9223372036854775808')],
    [text('9223372036854775808'), 'int', text('9223372036854775808')],
    [text('-9223372036854775809'), 'int', text('-9223372036854775809')],
    [text('-0'), 'int', int(0)],
    [text('000000000000000000000000000042'), 'int', int(42)],
    [text(''), 'int', text('')],
    [text('+'), 'int', text('+')],
    [text('4.2'), 'int', text('4.2')],
    [text('0x10'), 'int', text('0x10')],
    [text(' 42'), 'int', text(' 42')],
    [text('4.2'), 'double', double(4.2)],
    [text('1e3'), 'double', double(1000)],
    [text('.5'), 'double', double(0.5)],
    [text('1e999'), 'double', text('1e999')],
    [text('-Inf'), 'double', { doubleValue: '-Infinity' }],
    [text('1_000.2_5'), 'double', double(1000.25)],
    [text('1__0'), 'double', text('1__0')],
    [text('abc'), 'double', text('abc')],
    [text(''), 'double', text('')],
    [double(4.9), 'int', int(4)],
    [double(-4.9), 'int', int(-4)],
    [double(1e30), 'int', int('-9223372036854775808')],
    [int(3), 'double', double(3)],
    [bool(true), 'int', int(1)],
    [bool(false), 'double', double(0)],
    [int('9007199254740993'), 'string', text('9007199254740993')],
    [double(1e21), 'string', text('1e+21')],
    [double(0.5), 'string', text('0.5')],
    [bool(true), 'string', text('true')],
    [{ bytesValue: 'AQI=' }, 'string', text('AQI=')],
    [{ arrayValue: { values: [int(1), text('<')] } }, 'string', text('[1,"\\u003c"]')],
    [{ bytesValue: 'AQI=' }, 'int', { bytesValue: 'AQI=' }],
    [text('a'), 'string', text('a')],
  ]
  for (const [before, converted_type, after] of rows) {
    const actual = await act(t, [{ key: 'k', converted_type, action: 'convert' }], { k: before })
    assert.deepEqual(actual, { k: after }, `${JSON.stringify(before)} to ${converted_type}`)
  }
  assert.deepEqual(await act(t, [{ key: 'k', converted_type: 'int', action: 'convert' }], {}), {})
})

test('a text of millions of digits is looked at once and left as it is', async (t) => {
  const before = { k: text('9'.repeat(4_000_000)) }
  const from = cpuUsage()
  assert.deepEqual(await act(t, [{ key: 'k', converted_type: 'int', action: 'convert' }], before), before)
  // BigInt takes 450 ms for it.
  assert.ok(cpuUsage(from).user < 400_000, 'takes longer than reading it')
})

test('actions see what those before them did', async (t) => {
  const actions = [
    { key: 'a', value: '7', action: 'insert' },
    { key: 'b', from_attribute: 'a', action: 'insert' },
    { key: 'b', converted_type: 'int', action: 'convert' },
    { key: 'a', action: 'delete' },
    { key: 'a', value: 'again', action: 'insert' },
  ]
  assert.deepEqual(await act(t, actions, {}), { b: int(7), a: text('again') })
})

const MARK = [{ key: 'mark', value: 1, action: 'insert' }]

/** Names of the spans that a block chooses. */
async function chosen(t: TestContext, config: object, request: object): Promise<string[]> {
  const after = await process(t, { ...config, actions: MARK }, 'traces', request)
  return after.resourceSpans.flatMap((resource: Json) =>
    resource.scopeSpans.flatMap((scope: Json) =>
      scope.spans.filter((s: Json) => toRecord(s.attributes).mark !== undefined).map((s: Json) => s.name),
    ),
  )
}

test('strict rules on spans: any of a list, all kinds of rule, all attributes', async (t) => {
  const request = traces(
    [
      span({ a: int(1), b: text('x') }, { name: 'both', kind: 2 }),
      span({ a: double(1) }, { name: 'other type', kind: 2 }),
      span({}, { name: 'none', kind: 3 }),
    ],
    { 'service.name': text('press'), zone: text('n') },
    { name: 'lib', version: '1.2' },
  )
  const strict = (rules: object) => chosen(t, { include: { match_type: 'strict', ...rules } }, request)
  const all = ['both', 'other type', 'none']
  assert.deepEqual(await strict({ services: ['weld', 'press'] }), all)
  assert.deepEqual(await strict({ services: ['pres'] }), [])
  assert.deepEqual(await strict({ span_names: ['none', 'both'] }), ['both', 'none'])
  assert.deepEqual(await strict({ span_kinds: ['SPAN_KIND_CLIENT'] }), ['none'])
  assert.deepEqual(await strict({ span_kinds: ['SPAN_KIND_SERVER'], span_names: ['both', 'none'] }), ['both'])
  assert.deepEqual(await strict({ attributes: [{ key: 'a' }] }), ['both', 'other type'])
  assert.deepEqual(await strict({ attributes: [{ key: 'a', value: 1 }] }), ['both'])
  assert.deepEqual(await strict({ attributes: [{ key: 'a', value: new YamlFloat(1) }] }), ['other type'])
  assert.deepEqual(await strict({ attributes: [{ key: 'a' }, { key: 'b', value: 'x' }] }), ['both'])
  assert.deepEqual(await strict({ resources: [{ key: 'zone', value: 'n' }] }), all)
  assert.deepEqual(await strict({ resources: [{ key: 'zone', value: 'n' }, { key: 'absent' }] }), [])
  assert.deepEqual(await strict({ libraries: [{ name: 'lib' }] }), all)
  assert.deepEqual(await strict({ libraries: [{ name: 'lib', version: '1.2' }] }), all)
  assert.deepEqual(await strict({ libraries: [{ name: 'lib', version: '' }] }), [])
  assert.deepEqual(await strict({ libraries: [{ name: 'lib' }, { name: 'other' }] }), [])
})

test('regexp rules match anywhere, and see numbers and booleans as texts', async (t) => {
  const request = traces(
    [span({ n: int(-12), d: double(0.5), b: bool(true), l: { arrayValue: {} } }, { name: 'GET /line/3', kind: 2 })],
    { 'service.name': text('press-4') },
    { name: 'lib', version: '1.2' },
  )
  const matches = async (rules: object) =>
    (await chosen(t, { include: { match_type: 'regexp', ...rules } }, request)).length === 1
  assert.equal(await matches({ span_names: ['line/\\d'] }), true)
  assert.equal(await matches({ span_names: ['^line'] }), false)
  assert.equal(await matches({ span_kinds: ['SERVER$'] }), true)
  assert.equal(await matches({ services: ['^press-[0-9]$'], regexp: { cacheenabled: true } }), true)
  assert.equal(await matches({ attributes: [{ key: 'n', value: '^-1' }] }), true)
  assert.equal(await matches({ attributes: [{ key: 'd', value: '^0\\.5$' }] }), true)
  assert.equal(await matches({ attributes: [{ key: 'b', value: 'true' }] }), true)
  assert.equal(await matches({ attributes: [{ key: 'l', value: '.*' }] }), false)
  assert.equal(await matches({ libraries: [{ name: '^l', version: '^1\\.' }] }), true)
})

test('a resource without service.name is called <nil-service-name>', async (t) => {
  const include = { match_type: 'strict', services: ['<nil-service-name>'] }
  assert.deepEqual(await chosen(t, { include }, traces([span({}, { name: 'a' })])), ['a'])
  assert.deepEqual(await chosen(t, { include }, { resourceSpans: [{ scopeSpans: [{ spans: [span({})] }] }] }), ['weld'])
})

test('exclude is asked after include and wins', async (t) => {
  const request = traces([span({}, { name: 'ab' }), span({}, { name: 'a' }), span({}, { name: 'b' })])
  const include = { match_type: 'regexp', span_names: ['a'] }
  const exclude = { match_type: 'regexp', span_names: ['b'] }
  assert.deepEqual(await chosen(t, { include, exclude }, request), ['a'])
  assert.deepEqual(await chosen(t, { exclude }, request), ['a'])
  assert.deepEqual(await chosen(t, {}, request), ['ab', 'a', 'b'])
})

test('rules on log records: body, severity text, severity number', async (t) => {
  const request = logs([
    { body: text('door opened'), severityNumber: 9, severityText: 'INFO' },
    { body: int(5), severityNumber: 17, severityText: 'ERROR' },
    { body: text('no severity') },
  ])
  const which = async (include: object): Promise<number[]> => {
    const after = await process(t, { include, actions: MARK }, 'logs', request)
    return after.resourceLogs[0].scopeLogs[0].logRecords.flatMap((r: Json, i: number) => (r.attributes ? [i] : []))
  }
  assert.deepEqual(await which({ match_type: 'strict', log_bodies: ['door opened'] }), [0])
  assert.deepEqual(await which({ match_type: 'regexp', log_bodies: ['.'] }), [0, 1, 2])
  assert.deepEqual(await which({ match_type: 'strict', log_bodies: ['5'] }), [1])
  assert.deepEqual(await which({ match_type: 'strict', log_severity_texts: ['ERROR', 'INFO'] }), [0, 1])
  const number = (rule: object) => which({ match_type: 'strict', log_severity_number: rule })
  assert.deepEqual(await number({ min: 10 }), [1])
  assert.deepEqual(await number({ min: 9 }), [0, 1])
  assert.deepEqual(await number({ min: 10, match_undefined: true }), [1, 2])
})

const points = (attributes: Attributes) => ({ dataPoints: [{ attributes: keyValues(attributes) }] })
const metrics = {
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            { name: 'gauge', gauge: points({ a: int(1) }) },
            { name: 'sum', sum: points({}) },
            { name: 'histogram', histogram: points({}) },
            { name: 'exponential', exponentialHistogram: points({}) },
            { name: 'summary', summary: points({}) },
          ],
        },
      ],
    },
  ],
}

async function markedMetrics(t: TestContext, config: object): Promise<string[]> {
  const after = await process(t, { ...config, actions: MARK }, 'metrics', metrics)
  return after.resourceMetrics[0].scopeMetrics[0].metrics.flatMap((metric: Json) => {
    const data = metric.gauge ?? metric.sum ?? metric.histogram ?? metric.exponentialHistogram ?? metric.summary
    return toRecord(data.dataPoints[0].attributes).mark === undefined ? [] : [metric.name]
  })
}

test('data points of every kind are edited; metrics are chosen by name alone', async (t) => {
  assert.deepEqual(await markedMetrics(t, {}), ['gauge', 'sum', 'histogram', 'exponential', 'summary'])
  const named = { match_type: 'regexp', metric_names: ['^s'] }
  assert.deepEqual(await markedMetrics(t, { include: named }), ['sum', 'summary'])
  assert.deepEqual(await markedMetrics(t, { exclude: named }), ['gauge', 'histogram', 'exponential'])
  const unheard = { match_type: 'strict', resources: [{ key: 'x' }] }
  assert.deepEqual(await markedMetrics(t, { include: { ...unheard, metric_names: ['sum'] } }), ['sum'])
  const all = await markedMetrics(t, {})
  assert.deepEqual(await markedMetrics(t, { include: unheard }), all)
  assert.deepEqual(await markedMetrics(t, { exclude: unheard }), all)
})

test('attributes of events, links, scopes and resources stay as they are', async (t) => {
  const own = { k: text('v') }
  const list = keyValues(own)
  const request = traces(
    [span(own, { events: [{ name: 'e', attributes: list }], links: [{ attributes: list }] })],
    own,
    {
      name: 'lib',
      attributes: list,
    },
  )
  const after = await process(t, { actions: [{ key: 'k', action: 'delete' }] }, 'traces', request)
  const [resource] = after.resourceSpans
  const [scope] = resource.scopeSpans
  assert.deepEqual(scope.spans[0].attributes ?? [], [])
  assert.deepEqual(scope.spans[0].events[0].attributes, list)
  assert.deepEqual(scope.spans[0].links[0].attributes, list)
  assert.deepEqual(scope.scope.attributes, list)
  assert.deepEqual(resource.resource.attributes, list)
})

test('a batch in which nothing changes keeps its bytes, and every batch keeps its delivery record', async (t) => {
  const { push, sent } = await harness(t, factory, { actions: [{ key: 'absent', action: 'delete' }] })
  const fate = push(traces([span({ a: int(1) })]))
  assert.equal(sent.length, 1)
  sent[0]!.delivery.deliver()
  assert.equal(fate.delivered, true)
})
