import assert from 'node:assert/strict'
import { connect as connectH2 } from 'node:http2'
import { Agent, request } from 'undici'
import { certs } from '../../../test/support/certs.ts'
import { sink } from '../../../test/support/harness.ts'
import { type Answer, both, JSON_TYPE, json, PROTOBUF, post, raw, spans } from '../../../test/support/otlp-http-door.ts'
import { until } from '../../../test/support/until.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { compress, ENCODINGS } from '../../net/compression.ts'
import type { Batch } from '../../otlp/batch.ts'
import { encodeExportResponse, readRpcStatus } from '../../otlp/response.ts'

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
