// Clients that are mistaken, slow, hostile or gone: each gets its answer, is counted, and costs nobody else anything.

import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { certs } from '../../../test/support/certs.ts'
import { both, JSON_TYPE, json, openDoor, PROTOBUF, post, raw, spans } from '../../../test/support/otlp-http-door.ts'
import { until } from '../../../test/support/until.ts'
import { compress } from '../../net/compression.ts'
import type { Batch } from '../../otlp/batch.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { readRpcStatus } from '../../otlp/response.ts'

interface Row {
  name: string
  body?: string | Uint8Array
  headers?: Record<string, string>
  path?: string
  method?: string
  status: number
  type: string
  text?: RegExp
  reason: string
}

const zeros = new Uint8Array(128 * 1024 * 1024)
const plain = 'text/plain'
const rows: readonly Row[] = [
  {
    name: 'GET',
    method: 'GET',
    status: 405,
    type: plain,
    text: /^405 method not allowed, supported: \[POST\]$/,
    reason: 'method',
  },
  { name: 'OPTIONS without cors', method: 'OPTIONS', status: 405, type: plain, reason: 'method' },
  {
    name: 'an unknown path',
    path: '/v1/nothing',
    status: 404,
    type: 'text/plain; charset=utf-8',
    text: /^404 page not found\n$/,
    reason: 'path',
  },
  {
    name: 'another content type',
    headers: { 'content-type': 'text/html' },
    status: 415,
    type: plain,
    text: /^415 unsupported media type, supported: \[application\/json, application\/x-protobuf\]$/,
    reason: 'content_type',
  },
  { name: 'an empty content type', headers: { 'content-type': '' }, status: 415, type: plain, reason: 'content_type' },
  {
    name: 'encoding br',
    headers: { 'content-encoding': 'br' },
    status: 400,
    type: PROTOBUF,
    text: /unsupported Content-Encoding: br/,
    reason: 'encoding',
  },
  {
    name: 'encoding identity',
    headers: { 'content-encoding': 'identity', 'content-type': JSON_TYPE },
    status: 400,
    type: JSON_TYPE,
    text: /unsupported Content-Encoding: identity/,
    reason: 'encoding',
  },
  {
    name: 'an unknown encoding of an unknown type',
    headers: { 'content-encoding': 'br', 'content-type': 'text/html' },
    status: 500,
    type: JSON_TYPE,
    text: /"code": 13/,
    reason: 'encoding',
  },
  { name: 'not protobuf', body: 'hello, collector', status: 400, type: PROTOBUF, reason: 'malformed' },
  { name: 'protobuf cut short', body: spans(3).subarray(0, 100), status: 400, type: PROTOBUF, reason: 'malformed' },
  {
    name: 'not JSON',
    body: '{"resourceSpans":[',
    headers: { 'content-type': JSON_TYPE },
    status: 400,
    type: JSON_TYPE,
    reason: 'malformed',
  },
  {
    name: 'an empty JSON body',
    body: '',
    headers: { 'content-type': JSON_TYPE },
    status: 400,
    type: JSON_TYPE,
    reason: 'malformed',
  },
  {
    name: 'a trace id of a wrong size',
    body: json(1).replace('5b8efff798038103d269b633813fc60c', '5b8e'),
    headers: { 'content-type': JSON_TYPE },
    status: 400,
    type: JSON_TYPE,
    reason: 'malformed',
  },
  {
    name: 'gzip that is none',
    body: 'nonsense',
    headers: { 'content-encoding': 'gzip' },
    status: 400,
    type: PROTOBUF,
    reason: 'malformed',
  },
  {
    name: 'gzip cut short',
    body: compress('gzip', [spans(50)]).subarray(0, 60),
    headers: { 'content-encoding': 'gzip' },
    status: 400,
    type: PROTOBUF,
    reason: 'malformed',
  },
  {
    name: 'a body above the limit',
    body: new Uint8Array(21 * 1024 * 1024),
    status: 400,
    type: PROTOBUF,
    text: /request body too large/,
    reason: 'too_large',
  },
  ...(['gzip', 'zstd', 'deflate', 'snappy', 'x-snappy-framed'] as const).map((encoding) => ({
    name: `a ${encoding} bomb`,
    body: compress(encoding, [zeros]),
    headers: { 'content-encoding': encoding },
    status: 400,
    type: PROTOBUF,
    text: /request body too large/,
    reason: 'too_large',
  })),
]

both(
  'bad requests get the statuses and bodies that a Collector gives, are counted, and disturb nobody',
  async (t, door) => {
    const { port, sent, metric } = await door(t)
    await post(port, spans(1))
    for (const row of rows) {
      const before = metric('receiver_refused_requests', { transport: 'http', reason: row.reason }) ?? 0
      const memory = process.memoryUsage().arrayBuffers
      const started = performance.now()
      const [answer, neighbour] = await Promise.all([
        post(port, row.body ?? spans(1), row.headers, row.path, row.method).catch((error: Error) => error),
        post(port, spans(1)),
      ])
      assert.ok(!(answer instanceof Error), `${row.name}: ${answer}`)
      assert.ok(performance.now() - started < 3000, `${row.name} took ${performance.now() - started} ms`)
      assert.ok(process.memoryUsage().arrayBuffers - memory < 96 * 1024 * 1024, `${row.name} cost memory`)
      assert.equal(neighbour.status, 200, row.name)
      assert.deepEqual([answer.status, answer.type], [row.status, row.type], row.name)
      if (row.text !== undefined) assert.match(answer.body.toString(), row.text, row.name)
      if (row.status === 400) {
        const code = row.type === PROTOBUF ? readRpcStatus(answer.body).code : JSON.parse(answer.body.toString()).code
        assert.equal(code, 3, row.name)
      }
      assert.equal(metric('receiver_refused_requests', { transport: 'http', reason: row.reason }), before + 1, row.name)
    }
    assert.equal(sent.length, rows.length + 1)
  },
)

both('a missing Content-Type is 415; with an unknown encoding it is taken for JSON', async (t, door) => {
  const { port } = await door(t)
  const head = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n'
  assert.match((await raw(port, [`${head}\r\n`])).text, /^HTTP\/1\.1 415 /)
  assert.match(
    (await raw(port, [`${head}Content-Encoding: br\r\n\r\n`])).text,
    /^HTTP\/1\.1 400 .*application\/json.*"code":3/s,
  )
})

both(
  'requests that are not HTTP, contradict themselves or have endless headers are refused and counted',
  async (t, door) => {
    const { port, metric } = await door(t)
    assert.match((await raw(port, ['\x16\x03\x01\x00 hello\r\n\r\n'])).text, /^HTTP\/1\.1 400 /)
    const both =
      'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'
    assert.match((await raw(port, [both])).text, /^HTTP\/1\.1 400 /)
    assert.equal(metric('receiver_refused_requests', { reason: 'malformed' }), 2)
    const endless = `POST /v1/traces HTTP/1.1\r\nHost: x\r\n${`X-A: ${'a'.repeat(1000)}\r\n`.repeat(100)}\r\n`
    assert.match((await raw(port, [endless])).text, /^HTTP\/1\.1 431 /)
    assert.equal(metric('receiver_refused_requests', { reason: 'headers_too_large' }), 1)
    assert.equal((await post(port, spans(1))).status, 200)
  },
)

both(
  'silent connections, slow headers and slow bodies end after their time; a good client meanwhile notices nothing',
  async (t, door) => {
    const { port, metric } = await door(t, {
      read_header_timeout: '300ms',
      read_timeout: '900ms',
      idle_timeout: '300ms',
    })
    const head = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'
    const [silent, slowHeaders, slowBody, idle, good] = await Promise.all([
      raw(port, [], 4000),
      raw(port, [head], 4000),
      raw(port, [`${head}Content-Length: 100\r\n\r\n`, 'abc'], 4000),
      raw(port, [`${head}Content-Length: 0\r\n\r\n`], 4000),
      post(port, spans(1)),
    ])
    for (const [name, end] of Object.entries({ silent, slowHeaders, slowBody, idle }))
      assert.ok(end.closed && end.tookMs < 3500, `${name}: ${JSON.stringify(end)}`)
    assert.match(slowHeaders.text, /^HTTP\/1\.1 408 /)
    assert.match(idle.text, /^HTTP\/1\.1 200 /)
    assert.equal(good.status, 200)
    assert.ok((metric('receiver_refused_requests', { reason: 'timeout' }) ?? 0) >= 2)
  },
)

both(
  'a client that goes away in its body or before its answer disturbs nobody, and its bytes are given back',
  async (t, door) => {
    const held: Batch[] = []
    const { port } = await door(t, {}, { out: { send: (batch) => held.push(batch) } })
    const head =
      'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 20000000\r\n\r\n'
    for (let i = 0; i < 8; i++) await raw(port, [head, 'x'.repeat(15_000_000)], 60)
    const abandoned = httpRequest({
      port,
      host: '127.0.0.1',
      path: '/v1/traces',
      method: 'POST',
      headers: { 'content-type': PROTOBUF },
    })
    abandoned.on('error', () => {})
    abandoned.end(spans(1))
    await until(() => held.length === 1)
    abandoned.destroy()
    held[0]!.delivery.deliver()
    const next = post(port, spans(1))
    await until(() => held.length === 2)
    held[1]!.delivery.accept()
    assert.equal((await next).status, 200)
  },
)

test('over the bound of unanswered bytes requests are refused at once with 503 and Retry-After', async (t) => {
  const held: Batch[] = []
  const { port } = await openDoor(t, {}, { out: { send: (batch) => held.push(batch) } })
  const large = jsonToBytes('traces', json(1).replace('GET /cart', 'x'.repeat(17 * 1024 * 1024)))
  const waiting = [post(port, large), post(port, large), post(port, large)]
  await until(() => held.length === 3)
  const refused = await post(port, large)
  assert.deepEqual([refused.status, refused.headers['retry-after']], [503, '1'])
  for (const batch of held) batch.delivery.accept()
  assert.deepEqual(
    (await Promise.all(waiting)).map((answer) => answer.status),
    [200, 200, 200],
  )
})

both('half-sent bodies on other connections do not shut a good client out', async (t, door) => {
  const { port, metric } = await door(t)
  const half = 'x'.repeat(16 * 1024 * 1024)
  const head = `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nContent-Length: 20000000\r\n\r\n`
  const hostile = Array.from({ length: 5 }, () => raw(port, [head, half]))
  await until(() => (metric('receiver_refused_requests', { reason: 'overload' }) ?? 0) > 0)
  assert.equal((await post(port, spans(1000))).status, 200)
  await Promise.all(hostile)
})

both('a body that comes a byte at a time costs about its bytes', async (t, door) => {
  const { port } = await door(t)
  const head = `POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: ${PROTOBUF}\r\nTransfer-Encoding: chunked\r\n\r\n`
  const before = process.memoryUsage.rss()
  const answer = raw(port, [head, '1\r\nx\r\n'.repeat(400_000)])
  await answer
  assert.ok(process.memoryUsage.rss() - before < 120 * 1024 * 1024)
})

both(
  'over TLS too silent connections, slow headers and idle connections of either kind end after their time',
  async (t, door) => {
    const tls = { cert_file: certs.server.certFile, key_file: certs.server.keyFile }
    const { port } = await door(t, { tls, read_header_timeout: '300ms', read_timeout: '900ms', idle_timeout: '300ms' })
    const head = 'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n'
    const secure = (text: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connectTls({ port, host: 'localhost', ca: certs.ca, ALPNProtocols: ['http/1.1'] })
        socket.on('close', () => resolve())
        socket.on('error', () => {})
        socket.resume()
        socket.write(text)
      })
    const session = connectH2(`https://localhost:${port}`, { ca: certs.ca })
    session.on('error', () => {})
    const idle = new Promise((resolve) => session.on('close', resolve))
    const started = performance.now()
    await Promise.all([
      secure(head),
      secure(`${head}Content-Length: 100\r\n\r\nabc`),
      secure(`${head}Content-Length: 0\r\n\r\n`),
      idle,
    ])
    assert.ok(performance.now() - started < 3500)
  },
)
