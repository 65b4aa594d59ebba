import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { type HttpReply, reply, scriptedHttp } from '../../../test/support/scripted-http.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'
import { type ReadSeries, readRequest } from './testing.ts'

const T = 1_767_225_600_000
const DIRECT = { remote_write_queue: { enabled: false }, retry_on_failure: { enabled: false } }
const nanos = (ms: number): string => `${T + ms}000000`
const gauge = (name: string, ms: number, value = ms): object => ({
  name,
  gauge: { dataPoints: [{ timeUnixNano: nanos(ms), asDouble: value }] },
})
const request = (...metrics: object[]): object => ({ resourceMetrics: [{ scopeMetrics: [{ metrics }] }] })

async function pair(t: TestContext, config: object = {}, answer: HttpReply = reply(204)) {
  const server = await scriptedHttp(t, answer)
  const exporter = await exporterHarness(t, factory, { endpoint: `${server.url}/api/v1/write`, ...config })
  const settled = async (...metrics: object[]): Promise<Fate> => {
    const fate = exporter.push('metrics', request(...metrics))
    await until(() => fate.delivered || fate.refused !== undefined)
    return fate
  }
  const series = (i: number): ReadSeries[] => {
    const { body, headers } = server.asked[i]!
    return readRequest(body, String(headers['x-prometheus-remote-write-version'])).series
  }
  return { ...server, ...exporter, settled, series }
}

/** Keeps requests until the test lets them go. */
function held(): { readonly answer: HttpReply; readonly waiting: (() => void)[] } {
  const waiting: (() => void)[] = []
  return { waiting, answer: (question, response) => void waiting.push(() => reply(204)(question, response)) }
}

for (const [message, type, version] of [
  ['prometheus.WriteRequest', 'application/x-protobuf', '0.1.0'],
  ['io.prometheus.write.v2.Request', 'application/x-protobuf;proto=io.prometheus.write.v2.Request', '2.0.0'],
] as const)
  test(`${message}: the protocol's headers stand, whatever is configured`, async (t) => {
    const headers = { 'Content-Type': 'text/plain', 'x-prometheus-remote-write-version': '9', 'X-Scope-OrgID': 'plant' }
    const { settled, asked } = await pair(t, { ...DIRECT, protobuf_message: message, headers })
    assert.equal((await settled(gauge('a', 1))).delivered, true)
    const [question] = asked
    assert.equal(question!.url.pathname, '/api/v1/write')
    assert.deepEqual(
      [
        question!.headers['content-type'],
        question!.headers['content-encoding'],
        question!.headers['x-prometheus-remote-write-version'],
        question!.headers['x-scope-orgid'],
      ],
      [type, 'snappy', version, 'plant'],
    )
  })

for (const [status, headers, retry] of [
  [429, { 'retry-after': '7' }, { afterMs: 7000 }],
  [503, {}, 'backoff'],
  [500, {}, 'backoff'],
  [401, {}, 'never'],
  [415, {}, 'never'],
  [400, {}, 'never'],
] as const)
  test(`status ${status} is tried again: ${JSON.stringify(retry)}`, async (t) => {
    const { settled, asked } = await pair(t, DIRECT, reply(status, 'the  reason\n', headers))
    const { refused } = await settled(gauge('a', 1), gauge('b', 1))
    assert.deepEqual(refused?.retry, retry)
    assert.match(refused!.message, /Message=the reason$/)
    assert.equal(asked.length, 1)
  })

test('retry_on_http_429: false makes 429 final', async (t) => {
  const { settled } = await pair(t, { ...DIRECT, retry_on_http_429: false }, reply(429))
  assert.equal((await settled(gauge('a', 1))).refused?.retry, 'never')
})

test('what failed is sent again by itself, not before Retry-After, and nothing overtakes it', async (t) => {
  const { push, asked, answerWith, series, clock, logs } = await pair(t, {}, reply(429, '', { 'retry-after': '3' }))
  const first = push('metrics', request(gauge('a', 1)))
  assert.equal(first.accepted, true)
  await until(() => logs.some(({ message }) => message.includes('Will retry')))
  const second = push('metrics', request(gauge('a', 2)))
  answerWith(reply(204))
  clock.advance(2_000)
  assert.equal(asked.length, 1)
  clock.advance(2_000)
  await until(() => second.delivered)
  assert.equal(first.delivered, true)
  assert.deepEqual(
    [1, 2].map((i) => series(i).map(({ samples }) => samples.map(({ value }) => value))),
    [[[1]], [[2]]],
  )
})

test('a store that is down for longer than max_elapsed_time costs the batch, and says so once', async (t) => {
  const { push, clock, logs, metric } = await pair(
    t,
    { retry_on_failure: { max_elapsed_time: '1s', max_interval: '200ms' } },
    reply(500),
  )
  const fate = push('metrics', request(gauge('a', 1)))
  while (fate.refused === undefined) {
    await until(() => fate.refused !== undefined || clock.pending > 0)
    clock.advance(100)
  }
  assert.match(fate.refused.message, /no more retries left/)
  assert.equal(metric('exporter_send_failed_metric_points'), 1)
  assert.equal(logs.filter(({ message }) => message.includes('Dropping data')).length, 1)
})

test('while a request is on its way what comes gathers in the next one', async (t) => {
  const { answer, waiting } = held()
  const { push, asked, series } = await pair(t, {}, answer)
  const fates = [1, 2, 3].map((ms) => push('metrics', request(gauge('a', ms), gauge('b', ms))))
  await until(() => waiting.length === 1)
  waiting[0]!()
  await until(() => waiting.length === 2)
  assert.deepEqual(
    series(1).map(({ name, samples }) => [name, samples.map(({ value }) => value)]),
    [
      ['a', [2, 3]],
      ['b', [2, 3]],
    ],
  )
  assert.deepEqual(
    fates.map(({ delivered }) => delivered),
    [true, false, false],
  )
  waiting[1]!()
  await until(() => fates.every(({ delivered }) => delivered))
  assert.equal(asked.length, 2)
})

test('several consumers have series of their own, and samples of a series never overtake one another', async (t) => {
  const { answer, waiting } = held()
  // Requests of about twenty series.
  const { push, asked, series } = await pair(
    t,
    { max_batch_size_bytes: 2000, remote_write_queue: { num_consumers: 3 } },
    answer,
  )
  const names = Array.from({ length: 40 }, (_, i) => `m${i}`)
  const fates = Array.from({ length: 8 }, (_, ms) =>
    push('metrics', request(...names.map((name) => gauge(name, ms + 1)))),
  )
  const open = (): number => asked.length - answered
  let answered = 0
  let most = 0
  let seed = 7
  while (fates.some(({ delivered }) => !delivered)) {
    await until(() => waiting.length > 0 || fates.every(({ delivered }) => delivered))
    most = Math.max(most, open())
    if (waiting.length === 0) break
    seed = (seed * 16807) % 2147483647
    // Any of them may be the slow one.
    waiting.splice(seed % waiting.length, 1)[0]!()
    answered++
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.ok(most > 1 && most <= 3, `${most} requests at the same time`)
  const seen = new Map<string, number[]>()
  for (let i = 0; i < asked.length; i++)
    for (const { name, samples } of series(i))
      seen.set(name, [...(seen.get(name) ?? []), ...samples.map(({ value }) => value)])
  assert.equal(seen.size, names.length)
  for (const values of seen.values()) assert.deepEqual(values, [1, 2, 3, 4, 5, 6, 7, 8])
})

test('no request is larger than max_batch_size_bytes', async (t) => {
  const { settled, asked, series } = await pair(t, { max_batch_size_bytes: 3000, max_batch_request_parallelism: 1 })
  const metrics = Array.from({ length: 200 }, (_, i) => gauge(`metric.number.${i}`, 1))
  assert.equal((await settled(...metrics)).delivered, true)
  assert.ok(asked.length > 3)
  for (const { body } of asked) assert.ok(body.length <= 3000, `${body.length} bytes`)
  assert.equal(asked.flatMap((_, i) => series(i)).length, 200)
})

const refusing =
  (bad: string): HttpReply =>
  (question, response) =>
    question.body.toString('latin1').includes(bad)
      ? reply(400, `out of order sample: {__name__="${bad}"}\n`)(question, response)
      : reply(204)(question, response)

for (const message of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'] as const)
  test(`${message}: a series that makes the store refuse all is set aside alone`, async (t) => {
    // Texts of 2.0 stand in every piece: there the value tells.
    const isBad = (series: ReadSeries[]): boolean => series.some(({ name }) => name === 'bad')
    const { settled, asked, series, metric, logs, answerWith } = await pair(t, { protobuf_message: message })
    answerWith((question, response) =>
      (isBad(series(asked.length - 1)) ? reply(400, 'out of order sample') : reply(204))(question, response),
    )
    const metrics = Array.from({ length: 40 }, (_, i) => gauge(i === 23 ? 'bad' : `m${i}`, 1))
    assert.equal((await settled(...metrics)).delivered, true)
    assert.equal(metric('exporter_rejected_metric_points'), 1)
    assert.equal(metric('exporter_sent_metric_points'), 40)
    const taken = asked.flatMap((_, i) => (isBad(series(i)) ? [] : series(i)))
    assert.equal(new Set(taken.map(({ name }) => name)).size, 39)
    assert.equal(taken.length, 39)
    assert.ok(asked.length < 16, `${asked.length} requests`)
    await settled(gauge('bad', 2))
    assert.equal(logs.filter(({ message: said }) => said.includes('does not take samples')).length, 1)
  })

test('what the store has is not sent again when a later piece has to wait', async (t) => {
  const { push, asked, series, clock, answerWith, logs } = await pair(t, {}, refusing('bad'))
  let isDown = true
  answerWith((question, response) => {
    const text = question.body.toString('latin1')
    if (text.includes('bad')) reply(400, 'out of order sample')(question, response)
    else if (text.includes('m3') && isDown) reply(503)(question, response)
    else reply(204)(question, response)
  })
  const fate = push('metrics', request(gauge('m0', 1), gauge('bad', 1), gauge('m2', 1), gauge('m3', 1)))
  await until(() => logs.some(({ message }) => message.includes('Will retry')))
  isDown = false
  const before = asked.length
  clock.advance(1_000)
  await until(() => fate.delivered)
  const again = asked.slice(before).flatMap((_, i) => series(before + i).map(({ name }) => name))
  assert.deepEqual(again, ['m2', 'm3'])
})

test('a store that has written the rest says so in 2.0, and nothing is sent again', async (t) => {
  const { settled, asked, metric } = await pair(
    t,
    { protobuf_message: 'io.prometheus.write.v2.Request' },
    reply(400, 'out of order sample', { 'x-prometheus-remote-write-samples-written': '3' }),
  )
  assert.equal((await settled(...[1, 2, 3, 4].map((n) => gauge(`m${n}`, n)))).delivered, true)
  assert.deepEqual([asked.length, metric('exporter_rejected_metric_points')], [1, 1])
})

test('of the samples that a store has not written each one counts, whatever points they belong to', async (t) => {
  const { settled, metric } = await pair(
    t,
    { protobuf_message: 'io.prometheus.write.v2.Request' },
    reply(400, 'out of order sample', { 'x-prometheus-remote-write-samples-written': '3' }),
  )
  const points = [1, 2, 3].map((ms) => ({ timeUnixNano: nanos(ms), asDouble: ms }))
  assert.equal(
    (await settled({ name: 'a', gauge: { dataPoints: points } }, gauge('b', 1), gauge('c', 1))).delivered,
    true,
  )
  assert.equal(metric('exporter_rejected_metric_points'), 2)
})

test('exemplars that alone were not written cost no point, and are told', async (t) => {
  const { settled, metric, logs } = await pair(
    t,
    { protobuf_message: 'io.prometheus.write.v2.Request' },
    reply(400, 'out of order exemplar', { 'x-prometheus-remote-write-samples-written': '1' }),
  )
  assert.equal((await settled(gauge('a', 1))).delivered, true)
  assert.equal(metric('exporter_rejected_metric_points'), undefined)
  assert.equal(logs.filter(({ message }) => message.includes('not all of their exemplars')).length, 1)
})

for (const message of ['prometheus.WriteRequest', 'io.prometheus.write.v2.Request'])
  test(`${message}: exemplars of a series stand in the order of time, then of value`, async (t) => {
    const { settled, series } = await pair(t, { protobuf_message: message })
    const exemplars = [
      [2, 0.5],
      [1, 9],
      [2, 0.25],
      [3, -1],
    ].map(([ms, asDouble]) => ({ timeUnixNano: nanos(ms!), asDouble }))
    const dataPoints = [{ timeUnixNano: nanos(4), asDouble: 7, exemplars }]
    await settled({ name: 'a', sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints } })
    assert.deepEqual(
      series(0)[0]!
        .lines.filter((line) => /@/.test(line))
        .map((line) => line.replace(/.*} /, ''))
        .slice(1),
      ['9', '0.25', '0.5', '-1'].map((value, i) => `${value} @${T + [1, 2, 2, 3][i]!}`),
    )
  })

test('a store that does not answer is tried again after timeout', async (t) => {
  const { push, asked, answerWith, clock } = await pair(t, { timeout: '2s' }, () => {})
  const fate = push('metrics', request(gauge('a', 1)))
  await until(() => asked.length === 1)
  answerWith(reply(204))
  clock.advance(2_000)
  await until(() => {
    clock.advance(50)
    return fate.delivered
  })
  assert.equal(asked.length, 2)
})

test('a full queue refuses what comes, and keeps what it has', async (t) => {
  const { answer, waiting } = held()
  const { push } = await pair(t, { remote_write_queue: { queue_size: 2 } }, answer)
  const fates = [1, 2, 3].map((ms) => push('metrics', request(gauge('a', ms))))
  assert.deepEqual(
    fates.map(({ refused }) => refused?.code),
    [undefined, undefined, 'QUEUE_FULL'],
  )
  await until(() => waiting.length === 1)
  waiting[0]!()
  await until(() => waiting.length === 2)
  waiting[1]!()
  await until(() => fates[1]!.delivered)
})

test('at the end of its time a stop refuses what the store has not', async (t) => {
  const { push, asked, exporter } = await pair(t, {}, () => {})
  const fates = [1, 2].map((ms) => push('metrics', request(gauge('a', ms))))
  await until(() => asked.length === 1)
  await exporter.stop?.(AbortSignal.timeout(20))
  assert.deepEqual(
    fates.map(({ refused }) => refused?.code),
    ['EXPORTER_STOPPED', 'EXPORTER_STOPPED'],
  )
})

test('wal without storage is warned of: it keeps nothing', async (t) => {
  const { logs } = await pair(t, { wal: { directory: './wal', truncate_frequency: '45s' } })
  assert.deepEqual(
    logs.filter(({ level }) => level === 'warn').map(({ message }) => message.split(':')[0]),
    ['wal keeps nothing'],
  )
})

test('metadata is told once a minute', async (t) => {
  const { settled, asked, clock } = await pair(t, { ...DIRECT, send_metadata: true })
  const told = (): number => readRequest(asked.at(-1)!.body, '0.1.0').metadata.length
  const counts: number[] = []
  for (const ms of [1, 2, 3]) {
    await settled(gauge('a', ms))
    counts.push(told())
    if (ms === 2) clock.advance(60_000)
  }
  assert.deepEqual(counts, [1, 0, 1])
})
