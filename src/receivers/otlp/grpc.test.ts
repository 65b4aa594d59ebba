import assert from 'node:assert/strict'
import { type ClientHttp2Session, connect } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { type TestContext, test } from 'node:test'
import {
  type ChannelCredentials,
  Client,
  compressionAlgorithms,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { receiverHarness, sink } from '../../../test/support/harness.ts'
import { loopRelief } from '../../../test/support/loop-relief.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { compress } from '../../net/compression.ts'
import { frameMessage } from '../../net/grpc/framing.ts'
import type { Batch } from '../../otlp/batch.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { readRpcStatus } from '../../otlp/response.ts'
import { factory } from './factory.ts'
import type { OtlpReceiver } from './otlp.ts'

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const LOGS = '/opentelemetry.proto.collector.logs.v1.LogsService/Export'
const METRICS = '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export'

const spans = (count: number, name = 'GET /cart'): Uint8Array<ArrayBuffer> => {
  const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name }
  return jsonToBytes(
    'traces',
    JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: Array(count).fill(span) }] }] }),
  )
}

const GATES = { lean: [], 'node:http2': ['millrace.grpc.nodeHttp2'] } as const
type Engine = keyof typeof GATES
type Options = Parameters<typeof receiverHarness>[3]
type Door = (t: TestContext, grpc?: object, options?: Options) => ReturnType<typeof openDoor>

/** A promise that both engines keep, and that another shard keeps for them. */
function both(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  onEngines(name, run)
  test(`handed over: ${name}`, { timeout: 30_000 }, (t) =>
    run(t, (on, grpc, options) => openDoor('lean', on, grpc, { ...options, relief: loopRelief(on) })),
  )
}

/** What is handed over counts in both shards, and twice where they are one. */
function onEngines(name: string, run: (t: TestContext, door: Door) => Promise<void>): void {
  for (const engine of Object.keys(GATES) as Engine[])
    test(`${engine}: ${name}`, { timeout: 30_000 }, (t) =>
      run(t, (on, grpc, options) => openDoor(engine, on, grpc, options)),
    )
}

async function openDoor(engine: Engine, t: TestContext, grpc: object = {}, options: Options = {}) {
  const config = { protocols: { grpc: { endpoint: '127.0.0.1:0', ...grpc } } }
  const rig = await receiverHarness(t, factory, config, { ...options, gates: GATES[engine] })
  const port = (rig.receiver as OtlpReceiver).listening.grpc!.port
  return { ...rig, port, address: `127.0.0.1:${port}` }
}

function client(
  t: TestContext,
  address: string,
  creds: ChannelCredentials = credentials.createInsecure(),
  options: object = {},
) {
  const stub = new Client(address, creds, options)
  t.after(() => stub.close())
  const identity = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  return (
    path: string,
    message: Uint8Array,
    settings: { deadlineMs?: number; metadata?: Metadata } = {},
  ): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      const deadline = Date.now() + (settings.deadlineMs ?? 8000)
      stub.makeUnaryRequest(
        path,
        identity,
        (bytes: Buffer) => bytes,
        message,
        settings.metadata ?? new Metadata(),
        { deadline },
        (error, answer) => (error === null ? resolve(answer!) : reject(error)),
      )
    })
}

const code = (call: Promise<unknown>): Promise<number> =>
  call.then(
    () => 0,
    (error: ServiceError) => error.code,
  )

/** The client's end of the connection holds an answer before the server has counted it in some cases. */
const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 500 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 4))
  assert.ok(condition())
}

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

// ---- bad input: each row gets its answer, is counted, and a good client on a connection of its own notices nothing

const HEADERS = { ':method': 'POST', ':path': TRACES, 'content-type': 'application/grpc', te: 'trailers' }

interface Answer {
  status: number
  headers: Record<string, unknown>
  trailers: Record<string, unknown>
  body: Buffer
  reset: boolean
}

/** One request as written, chunk for chunk. Trailers-only answers show their status in `trailers` too. */
function raw(
  t: TestContext,
  port: number,
  headers: object,
  chunks: readonly Uint8Array[],
  end = true,
): Promise<Answer> {
  const session: ClientHttp2Session = connect(`http://127.0.0.1:${port}`)
  session.on('error', () => {})
  t.after(() => session.destroy())
  return new Promise((resolve) => {
    const answer: Answer = { status: 0, headers: {}, trailers: {}, body: Buffer.alloc(0), reset: false }
    const stream = session.request({ ...HEADERS, ...headers }, { endStream: end && chunks.length === 0 })
    stream.on('response', (got) => {
      answer.status = got[':status'] ?? 0
      answer.headers = got
      answer.trailers = got
    })
    stream.on('trailers', (got) => {
      answer.trailers = got
    })
    stream.on('data', (chunk: Buffer) => {
      answer.body = Buffer.concat([answer.body, chunk])
    })
    stream.on('error', () => {
      answer.reset = true
    })
    stream.on('close', () => resolve(answer))
    for (const chunk of chunks) stream.write(chunk)
    if (end) stream.end()
  })
}

const prefix = (flag: number, length: number): Buffer => {
  const bytes = Buffer.alloc(5, flag)
  bytes.writeUInt32BE(length, 1)
  return bytes
}
const good = frameMessage(spans(1), false)
const zeros = new Uint8Array(64 * 1024 * 1024)

const rows: readonly {
  name: string
  headers?: object
  chunks: readonly Uint8Array[]
  http?: number
  code: number
  text: RegExp
  reason: string
}[] = [
  {
    name: 'a wrong content type',
    headers: { 'content-type': 'application/json' },
    chunks: [good],
    http: 415,
    code: 3,
    text: /invalid gRPC request content-type "application\/json"/,
    reason: 'content_type',
  },
  {
    name: 'another method than POST',
    headers: { ':method': 'GET' },
    chunks: [],
    http: 405,
    code: 13,
    text: /should be POST/,
    reason: 'method',
  },
  {
    name: 'a malformed timeout',
    headers: { 'grpc-timeout': '5x' },
    chunks: [good],
    http: 400,
    code: 13,
    text: /malformed grpc-timeout/,
    reason: 'bad_request',
  },
  {
    name: 'an unknown method',
    headers: { ':path': '/opentelemetry.proto.collector.trace.v1.TraceService/Import' },
    chunks: [good],
    code: 12,
    text: /unknown method Import for service opentelemetry/,
    reason: 'unknown_method',
  },
  {
    name: 'an unknown service',
    headers: { ':path': '/no.Such/Export' },
    chunks: [good],
    code: 12,
    text: /no\.Such/,
    reason: 'unknown_method',
  },
  {
    name: 'a path that is none',
    headers: { ':path': '/' },
    chunks: [good],
    code: 12,
    text: /malformed method name/,
    reason: 'unknown_method',
  },
  {
    name: 'an unknown encoding',
    headers: { 'grpc-encoding': 'brotli' },
    chunks: [good],
    code: 12,
    text: /Decompressor is not installed for grpc-encoding "brotli"/,
    reason: 'encoding',
  },
  {
    name: 'a packed message without an encoding',
    chunks: [prefix(1, 2), Buffer.from('ab')],
    code: 13,
    text: /compressed flag set/,
    reason: 'malformed',
  },
  {
    name: 'an unknown flag',
    chunks: [prefix(7, 2), Buffer.from('ab')],
    code: 13,
    text: /unexpected payload format/,
    reason: 'malformed',
  },
  { name: 'no message at all', chunks: [], code: 13, text: /no message/, reason: 'malformed' },
  { name: 'a prefix cut short', chunks: [Buffer.from([0, 0])], code: 13, text: /cut short/, reason: 'malformed' },
  {
    name: 'a message cut short',
    chunks: [good.subarray(0, good.length - 3)],
    code: 13,
    text: /cut short/,
    reason: 'malformed',
  },
  { name: 'a second message', chunks: [good, good], code: 13, text: /more than one message/, reason: 'malformed' },
  {
    name: 'a message above the limit',
    chunks: [prefix(0, 4 * 1024 * 1024 + 1)],
    code: 8,
    text: /received message larger than max \(4194305 vs\. 4194304\)/,
    reason: 'too_large',
  },
  {
    name: 'a length that lies',
    chunks: [prefix(0, 0xffffffff)],
    code: 8,
    text: /larger than max/,
    reason: 'too_large',
  },
  {
    name: 'a gzip bomb',
    headers: { 'grpc-encoding': 'gzip' },
    chunks: [frameMessage(compress('gzip', [zeros]), true)],
    code: 8,
    text: /after decompression larger than max/,
    reason: 'too_large',
  },
  {
    name: 'a zstd bomb',
    headers: { 'grpc-encoding': 'zstd' },
    chunks: [frameMessage(compress('zstd', [zeros]), true)],
    code: 8,
    text: /after decompression larger than max/,
    reason: 'too_large',
  },
  {
    name: 'gzip that is none',
    headers: { 'grpc-encoding': 'gzip' },
    chunks: [frameMessage(Buffer.from('nonsense'), true)],
    code: 13,
    text: /failed to decompress/,
    reason: 'malformed',
  },
  {
    name: 'bytes that are not protobuf',
    chunks: [frameMessage(Buffer.from('not protobuf at all'), false)],
    code: 13,
    text: /error unmarshalling request/,
    reason: 'malformed',
  },
  {
    name: 'a trace id of a wrong size',
    chunks: [frameMessage(Uint8Array.of(10, 8, 18, 6, 18, 4, 10, 2, 1, 2), false)],
    code: 13,
    text: /trace_id/i,
    reason: 'malformed',
  },
]

both('bad requests get the answers that a Collector gives, are counted, and disturb nobody', async (t, door) => {
  const { port, address, sent, metric } = await door(t)
  const neighbour = client(t, address)
  await neighbour(TRACES, spans(1))
  for (const row of rows) {
    const before = metric('receiver_refused_requests', { transport: 'grpc', reason: row.reason }) ?? 0
    const heap = process.memoryUsage().arrayBuffers
    const started = performance.now()
    const [answer] = await Promise.all([raw(t, port, row.headers ?? {}, row.chunks), neighbour(TRACES, spans(1))])
    assert.ok(performance.now() - started < 2000, `${row.name} took ${performance.now() - started} ms`)
    assert.ok(process.memoryUsage().arrayBuffers - heap < 32 * 1024 * 1024, `${row.name} cost memory`)
    assert.equal(answer.status, row.http ?? 200, `${row.name}: HTTP status`)
    assert.equal(Number(answer.trailers['grpc-status']), row.code, `${row.name}: code`)
    assert.match(decodeURIComponent(String(answer.trailers['grpc-message'])), row.text, row.name)
    assert.equal(metric('receiver_refused_requests', { transport: 'grpc', reason: row.reason }), before + 1, row.name)
  }
  assert.equal(sent.length, rows.length + 1)
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

both('a message may come in any chunks', async (t, door) => {
  const { port, sent } = await door(t)
  const bytes = frameMessage(spans(2), false)
  const answer = await raw(
    t,
    port,
    {},
    [...bytes].map((byte) => Uint8Array.of(byte)),
  )
  assert.equal(answer.trailers['grpc-status'], '0')
  assert.equal(sent[0]!.items, 2)
})

onEngines(
  'over the bound of unanswered bytes calls are refused at once with Unavailable, and pass again when answers came',
  async (t, door) => {
    const held: Batch[] = []
    const { address, metric } = await door(
      t,
      { max_recv_msg_size_mib: 30 },
      { out: { send: (batch) => held.push(batch) } },
    )
    const large = spans(1, 'x'.repeat(22 * 1024 * 1024))
    const one = client(t, address)
    const two = client(t, address)
    const waiting = [one(TRACES, large), two(TRACES, large)]
    await until(() => held.length === 2)
    assert.equal(await code(one(TRACES, large)), status.UNAVAILABLE)
    assert.equal(metric('receiver_refused_requests', { reason: 'overload' }), 1)
    for (const batch of held) batch.delivery.deliver()
    await Promise.all(waiting)
    const again = one(TRACES, large)
    await until(() => held.length === 3)
    held[2]!.delivery.deliver()
    await again
  },
)

both('a thousand idle connections, and bytes that are no HTTP/2, leave a good client alone', async (t, door) => {
  const { port, address } = await door(t)
  const sockets = await Promise.all(
    Array.from(
      { length: 1000 },
      () =>
        new Promise<ReturnType<typeof connectTcp>>((resolve, reject) => {
          const socket = connectTcp(port, '127.0.0.1', () => resolve(socket))
          socket.on('error', reject)
        }),
    ),
  )
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  for (const socket of sockets.slice(0, 20)) {
    socket.removeAllListeners('error').on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  }
  // Of processor time: what else the machine does is not the door's.
  const before = process.cpuUsage()
  await client(t, address)(TRACES, spans(1))
  const { user, system } = process.cpuUsage(before)
  assert.ok(user + system < 1_000_000, `${user + system} microseconds`)
})
