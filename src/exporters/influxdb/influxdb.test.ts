import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { type HttpReply, reply, scriptedHttp } from '../../../test/support/scripted-http.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
const T = '1700000000000000000'

const metrics = (...names: string[]): object => ({
  resourceMetrics: [
    {
      scopeMetrics: [
        { metrics: names.map((name) => ({ name, gauge: { dataPoints: [{ timeUnixNano: T, asInt: '1' }] } })) },
      ],
    },
  ],
})

async function pair(t: TestContext, config: object = {}, answer: HttpReply = reply(204)) {
  const server = await scriptedHttp(t, answer)
  const exporter = await exporterHarness(t, factory, { endpoint: server.url, ...DIRECT, ...config })
  const settled = async (...names: string[]): Promise<Fate> => {
    const fate = exporter.push('metrics', metrics(...names))
    await until(() => fate.delivered || fate.refused !== undefined)
    return fate
  }
  return { ...server, ...exporter, settled }
}

test('v2: lines go to the bucket, with the token', async (t) => {
  const { settled, asked } = await pair(t, { org: 'acme', bucket: 'line 1', token: 'secret', compression: 'gzip' })
  assert.equal((await settled('a')).delivered, true)
  const [{ method, url, headers, body }] = asked as [(typeof asked)[0]]
  assert.deepEqual(
    [method, url.pathname, url.search],
    ['POST', '/api/v2/write', '?org=acme&bucket=line+1&precision=ns'],
  )
  assert.deepEqual([headers.authorization, headers['content-encoding']], ['Token secret', 'gzip'])
  assert.equal(body.toString(), `a gauge=1i ${T}\n`)
})

test('v1: database, retention policy, user; the database is created once', async (t) => {
  const v1 = {
    enabled: true,
    db: 'plant"s',
    username: 'u',
    password: 'p',
    retention_policy: 'year',
    create_database: true,
    retention_duration: '30d',
  }
  const { settled, asked } = await pair(t, { v1_compatibility: v1, precision: 'us' })
  await settled('a')
  await settled('b')
  assert.deepEqual(
    asked.map(({ url }) => [url.pathname, url.searchParams.get('q') ?? url.search]),
    [
      ['/query', 'CREATE DATABASE "plant\\"s" WITH DURATION 30d NAME "year"'],
      ['/write', '?db=plant%22s&rp=year&precision=u'],
      ['/write', '?db=plant%22s&rp=year&precision=u'],
    ],
  )
  assert.equal(asked[1]!.headers.authorization, `Basic ${Buffer.from('u:p').toString('base64')}`)
  assert.equal(asked[1]!.body.toString(), `a gauge=1i ${T.slice(0, -3)}\n`)
})

test('v3: the database, precision in words, partial writes accepted', async (t) => {
  const { settled, asked } = await pair(t, { v3: { enabled: true, db: 'plant', no_sync: true }, token: 'secret' })
  await settled('a')
  assert.equal(
    `${asked[0]!.url.pathname}${asked[0]!.url.search}`,
    '/api/v3/write_lp?db=plant&precision=nanosecond&accept_partial=true&no_sync=true',
  )
  assert.equal(asked[0]!.headers.authorization, 'Bearer secret')
})

test('a path in the endpoint is taken as it is', async (t) => {
  const server = await scriptedHttp(t, reply(204))
  const { push } = await exporterHarness(t, factory, { endpoint: `${server.url}/influx/api/v2/write`, ...DIRECT })
  push('metrics', metrics('a'))
  await until(() => server.asked.length === 1)
  assert.equal(server.asked[0]!.url.pathname, '/influx/api/v2/write')
})

// The answers as InfluxDB 1.6.7 and 2.7.12 gave them, and as the API page of InfluxDB 3 has them.
const PARTIAL: readonly (readonly [string, HttpReply, number])[] = [
  [
    'v1',
    reply(400, {
      error:
        'partial write: field type conflict: input field "gauge" on measurement "b" is type integer, already exists as type float dropped=2',
    }),
    2,
  ],
  [
    'v2',
    reply(422, {
      code: 'unprocessable entity',
      message: 'failure writing points to database: partial write: field type conflict: input field "gauge" dropped=1',
    }),
    1,
  ],
  [
    'v3',
    reply(400, {
      error: 'partial write of line protocol occurred',
      data: [{ original_line: 'b gauge=1i', line_number: 2, error_message: 'invalid column type' }],
    }),
    1,
  ],
]
for (const [version, answer, lines] of PARTIAL)
  test(`${version}: of a partial write the lost lines are counted and told, and nothing is sent again`, async (t) => {
    const { settled, asked, metric, logs } = await pair(t, {}, answer)
    assert.equal((await settled('a', 'b', 'c')).delivered, true)
    assert.equal(asked.length, 1)
    assert.equal(metric('exporter_rejected_metric_points'), lines)
    const told = logs.filter(({ message }) => message.includes('does not take lines'))
    assert.deepEqual(told.length, 1)
    assert.match(String(told[0]!.fields.error), /field type conflict|partial write/)
  })

const refusing =
  (bad: string, answer: HttpReply): HttpReply =>
  (question, response) =>
    question.body.toString().includes(bad) ? answer(question, response) : reply(204)(question, response)

test('where one line makes the server refuse all, that line alone is set aside', async (t) => {
  const unparsable = reply(400, { code: 'invalid', message: "unable to parse 'bad gauge=1i': invalid field format" })
  const { settled, asked, metric } = await pair(t, {}, refusing('bad', unparsable))
  const names = Array.from({ length: 40 }, (_, i) => (i === 23 ? 'bad' : `m${i}`))
  assert.equal((await settled(...names)).delivered, true)
  assert.equal(metric('exporter_rejected_metric_points'), 1)
  const stored = asked
    .filter(({ body }) => !body.toString().includes('bad'))
    .flatMap(({ body }) => body.toString().trim().split('\n'))
  assert.equal(stored.length, 39)
  assert.ok(asked.length < 16, `${asked.length} requests`)
})

test('a server that refuses every line is not asked for each of them', async (t) => {
  const unparsable = reply(400, { code: 'invalid', message: 'unable to parse: invalid everything' })
  const { settled, asked, metric } = await pair(t, {}, unparsable)
  await settled(...Array.from({ length: 500 }, (_, i) => `m${i}`))
  assert.equal(metric('exporter_rejected_metric_points'), 500)
  assert.ok(asked.length < 100, `${asked.length} requests`)
})

test('what is too much for one request is sent in two', async (t) => {
  const { settled, asked, metric } = await pair(t, {}, (question, response) =>
    reply(question.body.length > 70 ? 413 : 204)(question, response),
  )
  assert.equal((await settled('a', 'b', 'c', 'd')).delivered, true)
  assert.deepEqual([asked.length, metric('exporter_rejected_metric_points')], [3, undefined])
})

for (const [status, headers, retry] of [
  [429, { 'retry-after': '7' }, { afterMs: 7000 }],
  [503, {}, 'backoff'],
  [500, {}, 'backoff'],
  [401, {}, 'never'],
  [404, {}, 'never'],
] as const)
  test(`status ${status} is tried again: ${JSON.stringify(retry)}`, async (t) => {
    const said = { code: 'x', message: 'the reason' }
    const { settled, asked } = await pair(t, {}, reply(status, said, headers))
    const { refused } = await settled('a')
    assert.deepEqual(refused?.retry, retry)
    assert.match(refused!.message, /the reason/)
    assert.equal(asked.length, 1)
  })

test('what cannot be written is counted by reason and told once', async (t) => {
  const { push, metric, logs } = await pair(t)
  const nan = { name: 'nan', gauge: { dataPoints: [{ timeUnixNano: T, asDouble: 'NaN' }] } }
  for (let i = 0; i < 2; i++) {
    const fate = push('metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [nan] }] }] })
    await until(() => fate.delivered)
  }
  assert.equal(metric('exporter_influxdb_dropped', { reason: 'not_a_number' }), 2)
  assert.equal(logs.filter(({ message }) => message.includes('cannot be written')).length, 1)
})

test('a token is in no log line and in no error', async (t) => {
  const { settled, logs } = await pair(t, { token: 'very-secret' }, reply(401, { message: 'unauthorized' }))
  const { refused } = await settled('a')
  assert.ok(!JSON.stringify([refused?.message, logs]).includes('very-secret'))
})
