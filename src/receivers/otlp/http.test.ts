import assert from 'node:assert/strict'
import { request as httpRequest } from 'node:http'
import { connect as connectH2 } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { Agent, request } from 'undici'
import { certs } from '../../../test/support/certs.ts'
import { receiverHarness, sink } from '../../../test/support/harness.ts'
import { loopRelief } from '../../../test/support/loop-relief.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { compress, ENCODINGS } from '../../net/compression.ts'
import type { Batch } from '../../otlp/batch.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { encodeExportResponse, readRpcStatus } from '../../otlp/response.ts'
import { factory } from './factory.ts'
import type { OtlpReceiver } from './otlp.ts'

const PROTOBUF = 'application/x-protobuf'
const JSON_TYPE = 'application/json'

const json = (count: number): string => {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /cart' }
  return JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array(count).fill(span) }] }] })
}
const spans = (count: number): Uint8Array<ArrayBuffer> => jsonToBytes('traces', json(count))

type Options = Parameters<typeof receiverHarness>[3]
type Door = (t: TestContext, http?: object, options?: Options) => ReturnType<typeof openDoor>

/** A promise that the door keeps, whether its shard does the work or another one. */
function both(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  test(name, (t) => run(t, openDoor))
  test(`handed over: ${name}`, (t) =>
    run(t, (on, http, options) => openDoor(on, http, { ...options, relief: loopRelief(on) })))
}

async function openDoor(t: TestContext, http: object = {}, options: Options = {}) {
  const rig = await receiverHarness(t, factory, { protocols: { http: { endpoint: '127.0.0.1:0', ...http } } }, options)
  const port = (rig.receiver as OtlpReceiver).listening.http!.port
  return { ...rig, port }
}

interface Answer {
  status: number
  type: string | undefined
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

async function post(
  port: number,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
  path = '/v1/traces',
  method = 'POST',
): Promise<Answer> {
  const answer = await request(`http://127.0.0.1:${port}${path}`, {
    method: method as 'POST',
    headers: { 'content-type': PROTOBUF, ...headers },
    ...(method === 'GET' ? {} : { body: typeof body === 'string' ? body : Buffer.from(body) }),
  })
  const bytes = Buffer.from(await answer.body.arrayBuffer())
  return {
    status: answer.statusCode,
    type: answer.headers['content-type'] as string,
    headers: answer.headers,
    body: bytes,
  }
}

/** Bytes as they are, and everything that comes back until the server closes or `quietMs` pass. */
function raw(
  port: number,
  pieces: readonly string[],
  quietMs = 1500,
): Promise<{ text: string; closed: boolean; tookMs: number }> {
  return new Promise((resolve) => {
    const started = performance.now()
    let text = ''
    const socket = connectTcp(port, '127.0.0.1')
    const end = (closed: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ text, closed, tookMs: performance.now() - started })
    }
    const timer = setTimeout(() => end(false), quietMs)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => end(true))
    for (const piece of pieces) socket.write(piece)
  })
}

const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 4))
  assert.ok(condition())
}

both('protobuf and JSON arrive as the same bytes and are answered in their own form', async (t, door) => {
  const { port, sent, metric } = await door(t)
  const binary = await post(port, spans(2))
  assert.deepEqual([binary.status, binary.type, [...binary.body]], [200, PROTOBUF, [...encodeExportResponse()]])
  const text = await post(port, json(2), { 'content-type': 'application/json; charset=utf-8' })
  assert.deepEqual([text.status, text.type, text.body.toString()], [200, JSON_TYPE, '{"partialSuccess":{}}'])
  assert.deepEqual([...sent[0]!.parts[0]!], [...sent[1]!.parts[0]!])
  assert.equal(sent[1]!.items, 2)
  assert.match(sent[0]!.client.address!, /^127\.0\.0\.1:\d+$/)
  assert.equal(metric('receiver_accepted_spans', { transport: 'http' }), 4)
  assert.equal(metric('receiver_refused_spans', { transport: 'http' }), 0)
})

both('every accepted Content-Encoding is unpacked', async (t, door) => {
  const { port, sent } = await door(t)
  for (const encoding of ENCODINGS) {
    const answer = await post(port, compress(encoding, [spans(3)]), { 'content-encoding': encoding })
    assert.equal(answer.status, 200, encoding)
  }
  const framed = await post(port, compress('x-snappy-framed', [spans(3)]), { 'content-encoding': 'snappy' })
  assert.equal(framed.status, 200)
  assert.ok(sent.every((batch) => batch.items === 3))
})

both('a request without items succeeds without entering a pipeline', async (t, door) => {
  const { port, sent } = await door(t)
  assert.equal((await post(port, new Uint8Array(0))).status, 200)
  assert.equal((await post(port, '{}', { 'content-type': JSON_TYPE })).status, 200)
  const metrics = '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m"}]}]}]}'
  assert.equal((await post(port, metrics, { 'content-type': JSON_TYPE }, '/v1/metrics')).status, 200)
  assert.equal(sent.length, 0)
})

both('paths can be named anew, and profiles have their fixed one', async (t, door) => {
  const { port, sent } = await door(t, { traces_url_path: 'in/spans' })
  assert.equal((await post(port, spans(1), {}, '/in/spans?x=1')).status, 200)
  assert.equal((await post(port, spans(1))).status, 404)
  assert.equal((await post(port, new Uint8Array(0), {}, '/v1development/profiles')).status, 200)
  assert.equal(sent.length, 1)
})

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

both('a signal without pipelines has no path', async (t, door) => {
  const { port } = await door(t, {}, { signals: ['traces'] })
  assert.equal((await post(port, new Uint8Array(0), {}, '/v1/logs')).status, 404)
})

both(
  'max_request_body_size holds for the body as it comes and unpacked; compression_algorithms names what is accepted',
  async (t, door) => {
    const { port } = await door(t, { max_request_body_size: 1000, compression_algorithms: ['gzip'] })
    const small = compress('gzip', [spans(5)])
    assert.equal((await post(port, small, { 'content-encoding': 'gzip' })).status, 200)
    const unpacksLarge = compress('gzip', [spans(500)])
    assert.ok(unpacksLarge.length < 1000)
    assert.equal((await post(port, unpacksLarge, { 'content-encoding': 'gzip' })).status, 400)
    assert.equal((await post(port, spans(1))).status, 400, 'the empty name is missing from the list')
    assert.equal((await post(port, small, { 'content-encoding': 'zstd' })).status, 400)
    const chunked = await door(t, { max_request_body_size: 1000 })
    const head =
      'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nTransfer-Encoding: chunked\r\n\r\n'
    const answer = await raw(chunked.port, [head, `1000\r\n${'x'.repeat(4096)}\r\n`])
    assert.match(answer.text, /^HTTP\/1\.1 400 /)
  },
)

both(
  "the pipeline's refusals become the statuses of the table, with Retry-After where the next hop named a time",
  async (t, door) => {
    const cases = [
      [new DeliveryError('TEST_FULL', 'full', { retry: 'backoff' }), 503, 14, undefined],
      [new DeliveryError('TEST_BROKEN', 'broken', { retry: 'never' }), 500, 13, undefined],
      [new DeliveryError('TEST_HOP', 'no', { retry: 'never', grpcCode: 3 }), 400, 3, undefined],
      [new DeliveryError('TEST_HOP', 'no', { retry: 'never', grpcCode: 12 }), 404, 12, undefined],
      [new DeliveryError('TEST_HOP', 'slow down', { retry: { afterMs: 2900 }, grpcCode: 8 }), 429, 8, '2'],
    ] as const
    for (const [error, status, code, retryAfter] of cases) {
      const { port, metric } = await door(t, {}, { out: sink(error) })
      const binary = await post(port, spans(2))
      assert.deepEqual([binary.status, binary.headers['retry-after']], [status, retryAfter])
      assert.deepEqual([readRpcStatus(binary.body).code, readRpcStatus(binary.body).message], [code, error.message])
      const text = await post(port, json(1), { 'content-type': JSON_TYPE })
      assert.deepEqual([text.status, JSON.parse(text.body.toString()).code], [status, code])
      assert.equal(metric('receiver_refused_spans', { transport: 'http' }), 3)
      assert.equal(metric('receiver_accepted_spans', { transport: 'http' }), 0)
    }
  },
)

both('include_metadata keeps headers; response_headers are on every answer', async (t, door) => {
  const { port, sent } = await door(t, { include_metadata: true, response_headers: { 'x-router': 'millrace' } })
  const answer = await post(port, spans(1), { 'X-Tenant': 'north' })
  assert.deepEqual(sent[0]!.client.metadata?.get('x-tenant'), ['north'])
  assert.equal(answer.headers['x-router'], 'millrace')
  assert.equal((await post(port, spans(1), {}, '/nowhere')).headers['x-router'], 'millrace')
})

both(
  'cors: an allowed origin is answered with credentials and its header echoed, a refused one with a bare 204',
  async (t, door) => {
    const { port } = await door(t, {
      cors: { allowed_origins: ['https://*.plant.test'], allowed_headers: ['X-Key'], max_age: 60 },
    })
    const ask = (origin: string): Promise<Answer> =>
      post(
        port,
        '',
        { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-key' },
        '/v1/traces',
        'OPTIONS',
      )
    const allowed = await ask('https://hmi.plant.test')
    assert.equal(allowed.status, 204)
    assert.equal(allowed.headers['access-control-allow-origin'], 'https://hmi.plant.test')
    assert.equal(allowed.headers['access-control-allow-credentials'], 'true')
    assert.equal(allowed.headers['access-control-allow-headers'], 'x-key')
    assert.equal(allowed.headers['access-control-max-age'], '60')
    const refused = await ask('https://elsewhere.test')
    assert.equal(refused.status, 204)
    assert.ok(Object.keys(refused.headers).every((name) => !name.startsWith('access-control')))
    const sent = await post(port, spans(1), { origin: 'https://hmi.plant.test' })
    assert.deepEqual([sent.status, sent.headers['access-control-allow-origin']], [200, 'https://hmi.plant.test'])
  },
)

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

both('over TLS both HTTP/1.1 and h2 are spoken', async (t, door) => {
  const { port, sent } = await door(t, { tls: { cert_file: certs.server.certFile, key_file: certs.server.keyFile } })
  const agent = new Agent({ connect: { ca: certs.ca }, allowH2: false })
  t.after(() => agent.close())
  const options = { method: 'POST' as const, headers: { 'content-type': PROTOBUF }, body: Buffer.from(spans(1)) }
  const answer = await request(`https://localhost:${port}/v1/traces`, { ...options, dispatcher: agent })
  await answer.body.dump()
  assert.equal(answer.statusCode, 200)
  const session = connectH2(`https://localhost:${port}`, { ca: certs.ca })
  t.after(() => session.destroy())
  const status = await new Promise((resolve, reject) => {
    const stream = session.request({ ':method': 'POST', ':path': '/v1/traces', 'content-type': PROTOBUF })
    stream.on('response', (headers) => resolve(headers[':status']))
    stream.on('error', reject)
    stream.end(Buffer.from(spans(2)))
  })
  assert.equal(status, 200)
  assert.deepEqual(
    sent.map((batch) => batch.items),
    [1, 2],
  )
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

both('response_headers that no answer can carry are a mistake in the configuration', async (t, door) => {
  for (const headers of [{ 'bad name': 'x' }, { 'x-a': 'line\nbreak' }, { 'x-a': '\u2028' }])
    await assert.rejects(door(t, { response_headers: headers }), /header/)
})

both('over TLS stop does not wait for idle connections of either kind', async (t, door) => {
  const { port, stop } = await door(t, { tls: { cert_file: certs.server.certFile, key_file: certs.server.keyFile } })
  const agent = new Agent({ connect: { ca: certs.ca }, allowH2: false })
  t.after(() => agent.close())
  const answer = await request(`https://localhost:${port}/v1/traces`, { method: 'GET', dispatcher: agent })
  await answer.body.dump()
  const session = connectH2(`https://localhost:${port}`, { ca: certs.ca })
  t.after(() => session.destroy())
  await new Promise((resolve) => session.once('remoteSettings', resolve))
  const started = performance.now()
  await stop()
  assert.ok(performance.now() - started < 2000)
})

both('keep_alives_enabled: false ends the connection after each answer', async (t, door) => {
  const { port } = await door(t, { keep_alives_enabled: false })
  const answer = await raw(port, [
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n',
  ])
  assert.match(answer.text, /connection: close/i)
  assert.ok(answer.closed)
})

both('stop answers what is in progress and then lets nobody in', async (t, door) => {
  const held: Batch[] = []
  const { port, stop } = await door(t, {}, { out: { send: (batch) => held.push(batch) } })
  const last = post(port, spans(1))
  await until(() => held.length === 1)
  const stopping = stop()
  held[0]!.delivery.deliver()
  assert.equal((await last).status, 200)
  await stopping
  await assert.rejects(post(port, spans(1)))
})

both('listening where others can reach it, without TLS and without an authenticator, is said once', async (t, door) => {
  const open = await door(t, { endpoint: '0.0.0.0:0' })
  assert.equal(open.logs.filter((line) => line.level === 'warn').length, 1)
  const local = await door(t)
  assert.equal(local.logs.filter((line) => line.level === 'warn').length, 0)
})
