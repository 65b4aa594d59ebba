import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { certs } from '../../../test/support/certs.ts'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { decompress, type Encoding } from '../../net/compression.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { encodeExportResponse, encodeRpcStatus } from '../../otlp/response.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'

const SPANS = {
  resourceSpans: [
    {
      scopeSpans: [
        {
          spans: [1, 2, 3].map((n) => ({
            traceId: '1'.repeat(32),
            spanId: '2'.repeat(16),
            name: `s${n}`,
            startTimeUnixNano: '1700000000000000001',
          })),
        },
      ],
    },
  ],
}
const LOGS = { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: 'x' } }] }] }] }

interface Request {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

type Answer = (request: Request, response: ServerResponse) => void

const ok: Answer = (_, response) => response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()

async function listen(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    server.closeAllConnections?.()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

const taking =
  (requests: Request[], answer: () => Answer) =>
  (incoming: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('error', () => {})
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming
      const request = { method, url, headers, body: Buffer.concat(chunks) }
      requests.push(request)
      answer()(request, response)
    })
  }

const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }

async function pair(t: TestContext, options: { answer?: Answer; config?: object } = {}) {
  const requests: Request[] = []
  let answer = options.answer ?? ok
  const port = await listen(t, createServer(taking(requests, () => answer)))
  const exporter = await exporterHarness(t, factory, {
    endpoint: `http://127.0.0.1:${port}`,
    ...DIRECT,
    ...options.config,
  })
  return {
    port,
    requests,
    ...exporter,
    answerWith(next: Answer) {
      answer = next
    },
  }
}

const settled = async (fate: Fate): Promise<Fate> => {
  for (let i = 0; i < 1000 && !fate.delivered && fate.refused === undefined; i++) await sleep(2)
  return fate
}

test('a request leaves byte for byte as it came, to the path of its signal', async (t) => {
  const { push, requests, metric, port } = await pair(t, { config: { compression: 'none' } })
  assert.equal((await settled(push('traces', SPANS))).delivered, true)
  const [{ method, url, headers, body }] = requests as [Request]
  assert.deepEqual(
    [method, url, headers['content-type'], headers['content-encoding']],
    ['POST', '/v1/traces', 'application/x-protobuf', undefined],
  )
  assert.equal(headers['content-length'], String(body.length))
  assert.match(headers['user-agent']!, /^Millrace\/0\.0\.0-test \(/)
  assert.ok(body.equals(jsonToBytes('traces', JSON.stringify(SPANS))))
  await settled(push('logs', LOGS))
  assert.equal(requests[1]!.url, '/v1/logs')
  assert.equal(metric('exporter_sent_spans', { 'server.port': String(port), 'url.path': '/v1/traces' }), 3)
})

for (const encoding of ['gzip', 'zstd', 'zlib', 'deflate', 'snappy', 'x-snappy-framed'] as const)
  test(`compression ${encoding} says so and can be unpacked`, async (t) => {
    const { push, requests } = await pair(t, { config: { compression: encoding } })
    await settled(push('traces', SPANS))
    assert.equal(requests[0]!.headers['content-encoding'], encoding)
    const unpacked = decompress(encoding as Encoding, requests[0]!.body, 1e6)
    assert.deepEqual(Buffer.from(unpacked), Buffer.from(jsonToBytes('traces', JSON.stringify(SPANS))))
  })

test('encoding json sends OTLP/JSON', async (t) => {
  const { push, requests } = await pair(t, {
    config: { encoding: 'json', compression: 'none' },
    answer: (_, response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"partialSuccess":{}}'),
  })
  assert.equal((await settled(push('traces', SPANS))).delivered, true)
  assert.equal(requests[0]!.headers['content-type'], 'application/json')
  assert.equal(JSON.parse(requests[0]!.body.toString()).resourceSpans[0].scopeSpans[0].spans[2].name, 's3')
})

test('an endpoint of a signal is taken as it is, and the base has one slash', async (t) => {
  const { port } = await pair(t)
  const requests: Request[] = []
  const other = await listen(t, createServer(taking(requests, () => ok)))
  const { push } = await exporterHarness(t, factory, {
    ...DIRECT,
    endpoint: `http://127.0.0.1:${other}/base/`,
    traces_endpoint: `http://127.0.0.1:${other}/insert/x?tenant=3`,
  })
  await settled(push('traces', SPANS))
  await settled(push('logs', LOGS))
  assert.deepEqual(
    requests.map(({ url }) => url),
    ['/insert/x?tenant=3', '/base/v1/logs'],
  )
  void port
})

test('headers are sent, Host among them, and a password in the URL becomes Basic', async (t) => {
  const { push, requests } = await pair(t, {
    config: { headers: { Host: 'backend.test', Authorization: 'Bearer x', 'User-Agent': 'me' } },
  })
  await settled(push('traces', SPANS))
  const { host, authorization, 'user-agent': agent } = requests[0]!.headers
  assert.deepEqual([host, authorization, agent], ['backend.test', 'Bearer x', 'me'])
  const more: Request[] = []
  const port = await listen(t, createServer(taking(more, () => ok)))
  const basic = await exporterHarness(t, factory, { ...DIRECT, endpoint: `http://us%40er:pa@127.0.0.1:${port}` })
  await settled(basic.push('traces', SPANS))
  assert.equal(more[0]!.headers.authorization, `Basic ${Buffer.from('us@er:pa').toString('base64')}`)
  const odd = await exporterHarness(t, factory, { ...DIRECT, endpoint: `http://user:100%@127.0.0.1:${port}` })
  assert.equal((await settled(odd.push('traces', SPANS))).delivered, true)
  assert.equal(more[1]!.headers.authorization, `Basic ${Buffer.from('user:100%').toString('base64')}`)
})

test("a refusal relays the server's status as a gRPC code and is tried again where OTLP says so", async (t) => {
  const table: Record<number, [code: number, retry: boolean]> = {
    400: [3, false],
    401: [16, false],
    403: [7, false],
    404: [12, false],
    413: [2, false],
    429: [8, true],
    500: [2, false],
    501: [2, false],
    502: [14, true],
    503: [14, true],
    504: [14, true],
    302: [2, false],
  }
  const { push, answerWith, port } = await pair(t)
  for (const [status, [code, retry]] of Object.entries(table)) {
    answerWith((_, response) =>
      response
        .writeHead(Number(status), { 'content-type': 'application/x-protobuf' })
        .end(encodeRpcStatus({ code: 5, message: 'why not' })),
    )
    const { refused } = await settled(push('traces', SPANS))
    assert.equal(refused!.grpcCode, code, status)
    assert.equal(refused!.retry, retry ? 'backoff' : 'never', status)
    assert.equal(
      refused!.message,
      `error exporting items, request to http://127.0.0.1:${port}/v1/traces responded with HTTP Status Code ${status}, Message=why not`,
    )
  }
})

test('whether the server takes data is told from the first answer on', async (t) => {
  const { push, metric, answerWith, port } = await pair(t)
  const healthy = (): number | undefined => metric('exporter_remote_healthy', { endpoint: `http://127.0.0.1:${port}` })
  assert.equal(healthy(), undefined)
  await settled(push('traces', SPANS))
  assert.equal(healthy(), 1)
  answerWith((_, response) => response.writeHead(503).end())
  await settled(push('traces', SPANS))
  assert.equal(healthy(), 0)
  answerWith((_, response) => response.writeHead(400).end())
  await settled(push('traces', SPANS))
  assert.equal(healthy(), 1)
})

test('Retry-After is kept in seconds or as a date, for 429 and 503 only', async (t) => {
  const { push, answerWith, clock } = await pair(t)
  const at = (ms: number): string => new Date(clock.now() + ms).toUTCString()
  const cases: [number, string, unknown][] = [
    [429, '7', { afterMs: 7000 }],
    [503, at(90_000), { afterMs: 90_000 }],
    [503, at(-90_000), 'backoff'],
    [503, 'soon', 'backoff'],
    [503, '0', 'backoff'],
    [502, '7', 'backoff'],
    [400, '7', 'never'],
  ]
  for (const [status, value, retry] of cases) {
    answerWith((_, response) => response.writeHead(status, { 'retry-after': value }).end())
    assert.deepEqual((await settled(push('traces', SPANS))).refused!.retry, retry, `${status} ${value}`)
  }
})

test('a partial success is logged and counts as sent, and what it rejected is counted, in both encodings', async (t) => {
  const { push, answerWith, logs, metric } = await pair(t)
  answerWith((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/x-protobuf' })
      .end(encodeExportResponse({ rejected: 2, message: 'old' })),
  )
  await settled(push('traces', SPANS))
  answerWith((_, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
      .end('{"partialSuccess":{"rejectedSpans":"1"}}'),
  )
  await settled(push('traces', SPANS))
  assert.deepEqual(
    logs.filter(({ level }) => level === 'warn').map(({ fields }) => fields.dropped_items),
    [2, 1],
  )
  assert.equal(metric('exporter_sent_spans'), 6)
  assert.equal(metric('exporter_rejected_spans'), 3)
})

test('an answer of success that cannot be read is final; of an unknown type it is not read', async (t) => {
  const { push, answerWith } = await pair(t)
  answerWith((_, response) =>
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end(Buffer.from([0xff, 0xff])),
  )
  assert.equal((await settled(push('traces', SPANS))).refused?.code, 'NEXT_HOP_BAD_ANSWER')
  answerWith((_, response) => response.writeHead(202, { 'content-type': 'text/html' }).end('<html>'))
  assert.equal((await settled(push('traces', SPANS))).delivered, true)
})

test('an endless answer is read up to its bound', async (t) => {
  const { push, answerWith } = await pair(t)
  answerWith((_, response) => {
    response.writeHead(500, { 'content-type': 'text/plain' })
    const more = (): void => {
      if (!response.destroyed) response.write(Buffer.alloc(16_384), () => setImmediate(more))
    }
    more()
    response.on('error', () => {})
  })
  assert.equal((await settled(push('traces', SPANS))).refused?.grpcCode, 2)
})

test('a server that is not there, breaks off or does not answer in time can be tried again', async (t) => {
  const gone = await exporterHarness(t, factory, { ...DIRECT, endpoint: 'http://127.0.0.1:1' })
  const refused = (await settled(gone.push('traces', SPANS))).refused!
  assert.equal(refused.retry, 'backoff')
  assert.equal(refused.grpcCode, undefined)
  assert.match(refused.message, /ECONNREFUSED/)
  const { push, answerWith, clock, requests } = await pair(t, { config: { timeout: '3s' } })
  answerWith((_, response) => response.destroy())
  assert.equal((await settled(push('traces', SPANS))).refused?.retry, 'backoff')
  answerWith(() => {})
  const slow = push('traces', SPANS)
  while (requests.length < 2) await sleep(2)
  clock.advance(3000)
  assert.equal((await settled(slow)).refused?.code, 'SEND_TIMEOUT')
  assert.equal(slow.refused?.retry, 'backoff')
})

test('with a queue a failure that passes is sent again and nobody notices', async (t) => {
  let failures = 2
  const { push, clock, requests } = await pair(t, {
    config: { sending_queue: {}, retry_on_failure: { initial_interval: '1s', randomization_factor: 0 } },
    answer: (request, response) => (failures-- > 0 ? response.writeHead(503).end() : ok(request, response)),
  })
  const fate = push('traces', SPANS)
  assert.equal(fate.accepted, true)
  for (let i = 0; i < 200 && !fate.delivered; i++) {
    clock.advance(100)
    await sleep(2)
  }
  assert.equal(fate.delivered, true)
  assert.equal(requests.length, 3)
})

test('https checks the server and shows our certificate', async (t) => {
  const requests: Request[] = []
  const server = createHttpsServer(
    { cert: certs.server.cert, key: certs.server.key, ca: certs.ca, requestCert: true, rejectUnauthorized: true },
    taking(requests, () => ok),
  )
  const port = await listen(t, server)
  const tls = { ca_file: certs.caFile, cert_file: certs.client.certFile, key_file: certs.client.keyFile }
  const good = await exporterHarness(t, factory, { ...DIRECT, endpoint: `https://localhost:${port}`, tls })
  assert.equal((await settled(good.push('traces', SPANS))).delivered, true)
  const bare = await exporterHarness(t, factory, {
    ...DIRECT,
    endpoint: `https://localhost:${port}`,
    tls: { ca_file: certs.caFile },
  })
  assert.equal((await settled(bare.push('traces', SPANS))).refused?.retry, 'backoff')
  const strict = await exporterHarness(t, factory, { ...DIRECT, endpoint: `https://localhost:${port}` })
  assert.match((await settled(strict.push('traces', SPANS))).refused!.message, /certificate/)
})

test('HTTP/2 is spoken where the server offers it, and not when it is turned off', async (t) => {
  const versions: string[] = []
  const server = createSecureServer(
    { cert: certs.server.cert, key: certs.server.key, allowHTTP1: true },
    (request, response) => {
      versions.push(request.httpVersion)
      request.resume()
      request.on('end', () => {
        response.writeHead(200)
        response.end()
      })
    },
  )
  const port = await listen(t, server as unknown as Server)
  for (const force_attempt_http2 of [true, false]) {
    const { push, stop } = await exporterHarness(t, factory, {
      ...DIRECT,
      endpoint: `https://localhost:${port}`,
      tls: { ca_file: certs.caFile },
      force_attempt_http2,
    })
    assert.equal((await settled(push('traces', SPANS))).delivered, true)
    await stop()
  }
  assert.deepEqual(versions, ['2.0', '1.1'])
})

test('a proxy is gone through', async (t) => {
  const seen: string[] = []
  const proxy = await listen(
    t,
    createServer((request, response) => {
      seen.push(request.url!)
      request.resume()
      request.on('end', () => response.writeHead(200).end())
    }),
  )
  const { push } = await exporterHarness(t, factory, {
    ...DIRECT,
    endpoint: 'http://backend.invalid:4318',
    proxy_url: `http://127.0.0.1:${proxy}`,
  })
  assert.equal((await settled(push('traces', SPANS))).delivered, true)
  assert.deepEqual(seen, ['http://backend.invalid:4318/v1/traces'])
})

test('a proxy of the environment is not asked for this machine', async (t) => {
  process.env.HTTP_PROXY = 'http://127.0.0.1:1'
  t.after(() => {
    delete process.env.HTTP_PROXY
  })
  const { push, port } = await pair(t)
  assert.equal((await settled(push('traces', SPANS))).delivered, true)
  const named = await exporterHarness(t, factory, { ...DIRECT, endpoint: `http://localhost:${port}` })
  assert.equal((await settled(named.push('traces', SPANS))).delivered, true)
  const other = await exporterHarness(t, factory, { ...DIRECT, endpoint: 'http://backend.invalid:4318' })
  assert.match((await settled(other.push('traces', SPANS))).refused!.message, /ECONNREFUSED|[Pp]roxy/)
})

test('connections are kept, bounded by max_conns_per_host, or made anew with disable_keep_alives', async (t) => {
  const connectionsFor = async (keys: object): Promise<number> => {
    let connections = 0
    const server = createServer(taking([], () => (_, response) => setTimeout(() => response.writeHead(200).end(), 2)))
    server.on('connection', () => connections++)
    const port = await listen(t, server)
    const { push } = await exporterHarness(t, factory, { ...DIRECT, endpoint: `http://127.0.0.1:${port}`, ...keys })
    for (let round = 0; round < 2; round++)
      for (const fate of Array.from({ length: 6 }, () => push('traces', SPANS)))
        assert.equal((await settled(fate)).delivered, true)
    return connections
  }
  assert.equal(await connectionsFor({}), 6)
  assert.equal(await connectionsFor({ max_conns_per_host: 2 }), 2)
  assert.equal(await connectionsFor({ disable_keep_alives: true }), 12)
})

test('configuration that cannot work is refused with words', () => {
  const problems = (value: object): string[] => {
    try {
      parseConfig(config, value)
      return []
    } catch (error) {
      return (error as { problems: { path: string }[] }).problems.map(({ path }) => path)
    }
  }
  const endpoint = 'http://a:1'
  assert.deepEqual(problems({}), ['endpoint'])
  assert.deepEqual(problems({ endpoint: 'localhost:4318' }), ['endpoint'])
  assert.deepEqual(problems({ logs_endpoint: 'x' }), ['logs_endpoint'])
  assert.deepEqual(problems({ logs_endpoint: endpoint }), [])
  assert.deepEqual(problems({ endpoint, compression: 'lz4' }), ['compression'])
  assert.deepEqual(problems({ endpoint, compression: 'snappy', compression_params: { level: 3 } }), [
    'compression_params.level',
  ])
  assert.deepEqual(problems({ endpoint, compression: 'zstd', compression_params: { level: 3 } }), [])
  assert.deepEqual(problems({ endpoint, cookies: {} }), ['cookies'])
  assert.deepEqual(problems({ endpoint, middlewares: [{ id: 'x' }] }), ['middlewares'])
  assert.deepEqual(problems({ endpoint, headers: { 'a b': 'c', d: 'e\nf' } }), ['headers', 'headers'])
  assert.deepEqual(problems({ endpoint, proxy_url: 'nowhere' }), ['proxy_url'])
})
