import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import {
  type ChannelCredentials,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { sink } from '../../../test/support/harness.ts'
import { both, client, code, HEADERS, LOGS, METRICS, raw, spans, TRACES } from '../../../test/support/otlp-grpc-door.ts'
import { until } from '../../../test/support/until.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { compress } from '../../net/compression.ts'
import { frameMessage } from '../../net/grpc/framing.ts'
import type { Batch } from '../../otlp/batch.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { readRpcStatus } from '../../otlp/response.ts'

both('a request of each signal arrives whole and is answered with an empty partial success', async (t, door) => {
  const { address, sent, metric } = await door(t)
  const call = client(t, address)
  const request = spans(3)
  assert.deepEqual([...(await call(TRACES, request))], [0x0a, 0])
  const log = jsonToBytes('logs', '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}')
  await call(LOGS, log)
  assert.deepEqual(
    sent.map((batch) => [batch.signal, batch.items]),
    [
      ['traces', 3],
      ['logs', 1],
    ],
  )
  assert.deepEqual([...sent[0]!.parts[0]!], [...request])
  assert.equal(sent[0]!.parts[0]!.byteOffset, 0)
  assert.match(sent[0]!.client.address!, /^127\.0\.0\.1:\d+$/)
  assert.equal(metric('receiver_accepted_spans', { transport: 'grpc', receiver: 'otlp' }), 3)
  assert.equal(metric('receiver_refused_spans', { transport: 'grpc' }), 0)
  assert.equal(metric('receiver_accepted_metric_points'), undefined)
})

both('a request without items succeeds without entering a pipeline', async (t, door) => {
  const { address, sent, metric } = await door(t)
  const call = client(t, address)
  await call(TRACES, new Uint8Array(0))
  await call(METRICS, jsonToBytes('metrics', '{"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"m"}]}]}]}'))
  assert.equal(sent.length, 0)
  assert.equal(metric('receiver_accepted_spans'), undefined)
})

both('many calls at once on one connection, small and large, all arrive', async (t, door) => {
  const { address, sent } = await door(t)
  const call = client(t, address)
  const large = spans(30_000, 'x'.repeat(60))
  assert.ok(large.length > 1_500_000 && large.length < 4_000_000)
  const calls = Array.from({ length: 400 }, (_, i) => call(TRACES, i % 50 === 0 ? large : spans(1 + (i % 7))))
  await Promise.all(calls)
  assert.equal(sent.length, 400)
  assert.equal(
    sent.reduce((sum, batch) => sum + batch.items, 0),
    8 * 30_000 + sumOfSmall(),
  )
  function sumOfSmall(): number {
    let sum = 0
    for (let i = 0; i < 400; i++) if (i % 50 !== 0) sum += 1 + (i % 7)
    return sum
  }
})

both('a gzip request is understood and gets a gzip answer', async (t, door) => {
  const { address, sent, port } = await door(t)
  const call = client(t, address, credentials.createInsecure(), {
    'grpc.default_compression_algorithm': compressionAlgorithms.gzip,
  })
  for (let i = 0; i < 3; i++) assert.deepEqual([...(await call(TRACES, spans(50)))], [0x0a, 0])
  assert.equal(sent[2]!.items, 50)
  const answer = await raw(t, port, { 'grpc-encoding': 'gzip' }, [frameMessage(compress('gzip', [spans(2)]), true)])
  assert.equal(answer.headers['grpc-encoding'], 'gzip')
  assert.equal(answer.body[0], 1)
})

both('zstd and snappy requests are understood', async (t, door) => {
  const { port, sent } = await door(t)
  for (const [name, encoding] of [
    ['zstd', 'zstd'],
    ['snappy', 'x-snappy-framed'],
  ] as const) {
    const answer = await raw(t, port, { 'grpc-encoding': name }, [frameMessage(compress(encoding, [spans(2)]), true)])
    assert.equal(answer.trailers['grpc-status'], '0', name)
    assert.equal(answer.headers['grpc-encoding'], name)
  }
  assert.equal(sent.length, 2)
})

both('over TLS, and with client certificates, only who belongs gets in', async (t, door) => {
  const tls = { cert_file: certs.server.certFile, key_file: certs.server.keyFile }
  const plain = await door(t, { tls })
  const ca = Buffer.from(certs.ca)
  const trusting = credentials.createSsl(ca)
  const local = (port: number): string => `localhost:${port}`
  await client(t, local(plain.port), trusting)(TRACES, spans(1))
  assert.equal(await code(client(t, local(plain.port))(TRACES, spans(1), { deadlineMs: 1500 })), status.UNAVAILABLE)

  const mutual = await door(t, { tls: { ...tls, client_ca_file: certs.caFile } })
  const own = (pair: { cert: string; key: string }): ChannelCredentials =>
    credentials.createSsl(ca, Buffer.from(pair.key), Buffer.from(pair.cert))
  await client(t, local(mutual.port), own(certs.client))(TRACES, spans(1))
  assert.equal(
    await code(client(t, local(mutual.port), own(certs.stranger))(TRACES, spans(1), { deadlineMs: 1500 })),
    status.UNAVAILABLE,
  )
  assert.equal(
    await code(client(t, local(mutual.port), trusting)(TRACES, spans(1), { deadlineMs: 1500 })),
    status.UNAVAILABLE,
  )
  assert.equal(mutual.sent.length, 1)
})

both('a Unix socket serves as well', async (t, door) => {
  const path = `${process.env.TMPDIR ?? '/tmp'}/millrace-test-${process.pid}.sock`
  const { sent } = await door(t, { endpoint: path, transport: 'unix' })
  await client(t, `unix:${path}`)(TRACES, spans(1))
  assert.equal(sent.length, 1)
})

both("the pipeline's refusals reach the client with their code, and RetryInfo where there is one", async (t, door) => {
  const errors = [
    [new DeliveryError('QUEUE_FULL', 'queue is 100 % full: ü', { retry: 'backoff' }), status.UNAVAILABLE],
    [new DeliveryError('TEST_BROKEN', 'cannot', { retry: 'never' }), status.INTERNAL],
    [new DeliveryError('TEST_NEXT_HOP', 'no', { retry: 'never', grpcCode: 16 }), status.UNAUTHENTICATED],
    [new DeliveryError('TEST_THROTTLED', 'wait', { retry: { afterMs: 2500 }, grpcCode: 8 }), status.RESOURCE_EXHAUSTED],
  ] as const
  for (const [error, expected] of errors) {
    const { address, metric } = await door(t, {}, { out: sink(error) })
    const failed = await client(t, address)(TRACES, spans(2)).then(
      () => assert.fail('accepted'),
      (e: ServiceError) => e,
    )
    assert.equal(failed.code, expected)
    assert.equal(failed.details, error.message)
    const details = failed.metadata.get('grpc-status-details-bin')[0]
    if (error.code === 'TEST_THROTTLED') assert.equal(readRpcStatus(details as Buffer).retryAfterMs, 2500)
    else assert.equal(details, undefined)
    assert.equal(metric('receiver_refused_spans', { transport: 'grpc' }), 2)
    assert.equal(metric('receiver_accepted_spans', { transport: 'grpc' }), 0)
  }
})

both('a deadline ends a call that the pipeline keeps; the late answer is thrown away quietly', async (t, door) => {
  const held: Batch[] = []
  const { address, metric } = await door(t, {}, { out: { send: (batch) => held.push(batch) } })
  const call = client(t, address)
  assert.equal(await code(call(TRACES, spans(1), { deadlineMs: 150 })), status.DEADLINE_EXCEEDED)
  await until(() => held.length === 1)
  held[0]!.delivery.deliver()
  assert.equal(metric('receiver_accepted_spans'), 1)
  const next = call(TRACES, spans(1))
  await until(() => held.length === 2)
  held[1]!.delivery.deliver()
  await next
})

both('a client that goes away before its answer disturbs nobody', async (t, door) => {
  const held: Batch[] = []
  const { port, address } = await door(t, {}, { out: { send: (batch) => held.push(batch) } })
  const session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  const stream = session.request(HEADERS)
  stream.on('error', () => {})
  stream.end(frameMessage(spans(1), false))
  await until(() => held.length === 1)
  session.destroy()
  await new Promise((resolve) => setTimeout(resolve, 20))
  held[0]!.delivery.refuse(new DeliveryError('TEST', 'late', { retry: 'backoff' }))
  const call = client(t, address)(TRACES, spans(1))
  await until(() => held.length === 2)
  held[1]!.delivery.accept()
  await call
})

both('include_metadata keeps headers with the batch, otherwise none are kept', async (t, door) => {
  const metadata = new Metadata()
  metadata.set('x-tenant', 'north')
  const off = await door(t)
  await client(t, off.address)(TRACES, spans(1), { metadata })
  assert.equal(off.sent[0]!.client.metadata, undefined)
  const on = await door(t, { include_metadata: true })
  await client(t, on.address)(TRACES, spans(1), { metadata })
  assert.deepEqual(on.sent[0]!.client.metadata?.get('x-tenant'), ['north'])
  assert.equal(on.sent[0]!.client.metadata?.has(':path'), false)
})

both('stop answers the calls in progress and then lets nobody in', async (t, door) => {
  const held: Batch[] = []
  const { address, stop } = await door(t, {}, { out: { send: (batch) => held.push(batch) } })
  const call = client(t, address)
  const last = call(TRACES, spans(1))
  await until(() => held.length === 1)
  const stopping = stop()
  held[0]!.delivery.deliver()
  await last
  await stopping
  assert.equal(await code(call(TRACES, spans(1), { deadlineMs: 500 })), status.UNAVAILABLE)
})

both('a signal that no pipeline takes is Unimplemented', async (t, door) => {
  const { address } = await door(t, {}, { signals: ['traces'] })
  const call = client(t, address)
  await call(TRACES, spans(1))
  assert.equal(await code(call(METRICS, new Uint8Array(0))), status.UNIMPLEMENTED)
})

both('max_recv_msg_size_mib lifts the limit', async (t, door) => {
  const { address, sent } = await door(t, { max_recv_msg_size_mib: 20 })
  await client(t, address)(TRACES, spans(120_000))
  assert.equal(sent[0]!.items, 120_000)
})
