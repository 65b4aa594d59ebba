// What a server that is in trouble answers, by a script: whatever the trouble, every document arrives once or is accounted for.

import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'

interface Request {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** The documents' `n`. */
  readonly numbers: number[]
  readonly lines: string[]
}

type Answer = (request: Request, response: ServerResponse) => void

const json = (response: ServerResponse, status: number, body: unknown): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const ok: Answer = ({ numbers }, response) =>
  json(response, 200, { errors: false, items: numbers.map(() => ({ create: { status: 201 } })) })

/** A status for each document. */
const each =
  (status: (n: number) => number): Answer =>
  ({ numbers }, response) =>
    json(response, 200, {
      errors: true,
      items: numbers.map((n) => ({
        create: {
          status: status(n),
          ...(status(n) >= 300 && { error: { type: `error_${status(n)}`, reason: 'why' } }),
        },
      })),
    })

const refuse =
  (status: number, headers: Record<string, string> = {}): Answer =>
  (_, response) =>
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error: { type: 'trouble', reason: 'of some kind' }, status }))

/** Half of an answer, and the connection is gone. */
const half: Answer = (_, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"errors":false,"items":[{"create"', () => response.destroy())
}

async function server(t: TestContext, ...answers: Answer[]) {
  const requests: Request[] = []
  const http = createServer((incoming, response) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const body = Buffer.concat(chunks)
      const text = (incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString()
      const lines = text.split('\n').filter((line) => line !== '')
      const numbers = lines.filter((_, i) => i % 2 === 1).map((line) => JSON.parse(line).attributes?.n ?? -1)
      const request = { url: incoming.url ?? '', headers: incoming.headers, numbers, lines }
      requests.push(request)
      const answer = answers.shift() ?? ok
      answer(request, response)
    })
  })
  http.listen(0, '127.0.0.1')
  await new Promise((resolve) => http.once('listening', resolve))
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  const close = (): void => {
    http.closeAllConnections()
    http.close()
  }
  t.after(close)
  return { url, requests, close }
}

const logs = (...numbers: number[]) => ({
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: numbers.map((n) => ({
            timeUnixNano: '1767225600000000000',
            attributes: [{ key: 'n', value: { intValue: n } }],
          })),
        },
      ],
    },
  ],
})

const DIRECT = { sending_queue: { enabled: false }, logs_index: 'x' }

const settled = (fate: Fate) => until(() => fate.delivered || fate.refused !== undefined)

test('documents that are refused with 429 or 503 are sent again alone, and none of the others twice', async (t) => {
  const { url, requests } = await server(
    t,
    each((n) => (n === 2 ? 429 : n === 3 ? 503 : 201)),
  )
  const { push, clock, metric, logs: lines } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT })
  const fate = push('logs', logs(1, 2, 3, 4))
  await until(() => lines.some(({ message }) => message.includes('Will retry')))
  clock.advance(1_000)
  await settled(fate)
  assert.equal(fate.delivered, true)
  assert.deepEqual(
    requests.map(({ numbers }) => numbers),
    [
      [1, 2, 3, 4],
      [2, 3],
    ],
  )
  assert.equal(metric('exporter_sent_log_records'), 4)
  assert.equal(metric('exporter_rejected_log_records'), undefined)
  assert.equal(metric('elasticsearch_docs_retried'), 2)
  assert.equal(metric('elasticsearch_docs_processed', { outcome: 'success' }), 4)
})

for (const [name, answer] of [
  ['429 for the whole request', refuse(429, { 'retry-after': '3' })],
  ['503', refuse(503)],
  ['half of an answer', half],
] as const) {
  test(`${name}: the request is sent again as a whole, and delivered`, async (t) => {
    const { url, requests } = await server(t, answer, answer)
    const { push, clock, logs: lines } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT })
    const fate = push('logs', logs(1, 2))
    await until(() => lines.some(({ message }) => message.includes('Will retry')))
    assert.equal(fate.delivered || fate.refused !== undefined, false)
    for (let i = 0; i < 100 && !fate.delivered; i++) {
      clock.advance(1_000)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await settled(fate)
    assert.equal(fate.delivered, true)
    assert.deepEqual(
      requests.map(({ numbers }) => numbers),
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
    )
  })
}

test('a server that says nothing is given up after timeout, and asked again', async (t) => {
  const { url, requests } = await server(t, () => {})
  const { push, clock } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT, timeout: '5s' })
  const fate = push('logs', logs(1))
  await until(() => requests.length === 1)
  clock.advance(5_000)
  for (let i = 0; i < 100 && !fate.delivered; i++) {
    clock.advance(1_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.equal(fate.delivered, true)
  assert.deepEqual(
    requests.map(({ numbers }) => numbers),
    [[1], [1]],
  )
})

test('max_retries bounds the tries, and what is left then is refused with the reason', async (t) => {
  const { url, requests } = await server(t, ...Array.from({ length: 5 }, () => refuse(503)))
  const { push, clock } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT, retry: { max_retries: 2 } })
  const fate = push('logs', logs(1))
  for (let i = 0; i < 200 && fate.refused === undefined; i++) {
    clock.advance(1_000)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  assert.match(String(fate.refused?.message), /no more retries left: .*503, Message=trouble: of some kind/)
  assert.equal(requests.length, 3)
})

test('wrong credentials are final, and said once however many requests they meet', async (t) => {
  const { url, requests } = await server(t, ...Array.from({ length: 3 }, () => refuse(401)))
  const { push, logs: lines } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT, api_key: 'a2V5' })
  for (let i = 0; i < 3; i++) {
    const fate = push('logs', logs(1))
    await settled(fate)
    assert.equal(fate.refused?.retry, 'never')
  }
  assert.equal(requests[0]!.headers.authorization, 'ApiKey a2V5')
  assert.equal(lines.filter(({ level }) => level === 'error').length, 1)
})

test('a request that is too large for the server is cut in two until it is taken', async (t) => {
  const large: Answer = (request, response) =>
    request.numbers.length > 1 ? refuse(413)(request, response) : ok(request, response)
  const { url, requests } = await server(t, large, large, large, large, large)
  const { push } = await exporterHarness(t, factory, { endpoint: url, ...DIRECT })
  const fate = push('logs', logs(1, 2, 3))
  await settled(fate)
  assert.equal(fate.delivered, true)
  assert.deepEqual(
    requests.filter(({ numbers }) => numbers.length === 1).flatMap(({ numbers }) => numbers),
    [1, 2, 3],
  )
})

test('several servers take turns; one that is away is left out, and no document with it', async (t) => {
  const [first, second] = [await server(t), await server(t)]
  const { push } = await exporterHarness(t, factory, { endpoints: [first.url, second.url], ...DIRECT })
  for (let n = 0; n < 4; n++) await settled(push('logs', logs(n)))
  assert.equal(first.requests.length, 2)
  assert.equal(second.requests.length, 2)
  first.close()
  for (let n = 4; n < 8; n++) {
    const fate = push('logs', logs(n))
    await settled(fate)
    assert.equal(fate.delivered, true)
  }
  assert.deepEqual(
    second.requests.slice(2).map(({ numbers }) => numbers[0]),
    [4, 5, 6, 7],
  )
})

test('what OpenSearch does not know is left out once it has said so, also by requests that were on their way', async (t) => {
  const foreign: Answer = (request, response) =>
    request.url.includes('require_data_stream')
      ? json(response, 400, {
          error: {
            type: 'illegal_argument_exception',
            reason: 'request [/_bulk] contains unrecognized parameter: [require_data_stream]',
          },
          status: 400,
        })
      : ok(request, response)
  const { url, requests } = await server(t, ...Array.from({ length: 9 }, () => foreign))
  const { push, logs: lines } = await exporterHarness(t, factory, {
    endpoint: url,
    sending_queue: { enabled: false },
  })
  const fates = [push('logs', logs(1)), push('logs', logs(2))]
  for (const fate of fates) await settled(fate)
  fates.push(push('logs', logs(3)))
  await settled(fates[2]!)
  assert.ok(fates.every(({ delivered }) => delivered))
  const taken = requests.filter((request) => !request.url.includes('require_data_stream'))
  assert.deepEqual(taken.flatMap(({ numbers }) => numbers).sort(), [1, 2, 3])
  assert.equal(requests.length, 5)
  assert.equal(lines.filter(({ message }) => message.startsWith('The server is no Elasticsearch')).length, 1)
})

test('ids, pipelines, parameters of the endpoint and credentials stand where the server looks for them', async (t) => {
  const { url, requests } = await server(t)
  const { push } = await exporterHarness(t, factory, {
    endpoint: `${url}/es/?routing=a`,
    ...DIRECT,
    user: 'elastic',
    password: 'p:w',
    pipeline: 'clean',
    logs_dynamic_pipeline: { enabled: true },
  })
  const request = logs(1)
  request.resourceLogs[0]!.scopeLogs[0]!.logRecords[0]!.attributes.push({
    key: 'elasticsearch.ingest_pipeline',
    value: { stringValue: 'own' },
  } as never)
  await settled(push('logs', request))
  const [sent] = requests
  const at = new URL(sent!.url, url)
  assert.equal(at.pathname, '/es/_bulk')
  assert.equal(at.searchParams.get('routing'), 'a')
  assert.equal(at.searchParams.get('pipeline'), 'clean')
  assert.equal(sent!.headers.authorization, `Basic ${Buffer.from('elastic:p:w').toString('base64')}`)
  assert.deepEqual(JSON.parse(sent!.lines[0]!), { create: { _index: 'x', pipeline: 'own' } })
})

test('by default requests are joined up to their size, and packed', async (t) => {
  const { url, requests } = await server(t)
  const { push, clock } = await exporterHarness(t, factory, { endpoint: url, logs_index: 'x' })
  const fates = [1, 2, 3].map((n) => push('logs', logs(n)))
  assert.ok(fates.every(({ accepted, delivered }) => accepted && !delivered))
  clock.advance(10_000)
  await until(() => fates.every(({ delivered }) => delivered))
  assert.deepEqual(
    requests.map(({ numbers }) => numbers),
    [[1, 2, 3]],
  )
  assert.equal(requests[0]!.headers['content-encoding'], 'gzip')
})
