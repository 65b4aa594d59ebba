import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { EXPORT, grpcPeer } from '../../../test/support/grpc-peer.ts'
import { systemClock } from '../../graph/clock.ts'
import {
  FLAG,
  FRAME,
  FrameReader,
  H2_ERROR,
  numberFrame,
  payloadFrame,
  SETTING,
  settingsFrame,
} from '../http2/frame.ts'
import { HpackEncoder } from '../http2/hpack.ts'
import { GrpcClient, type GrpcClientOptions } from './client.ts'
import { GrpcError } from './client-status.ts'
import { parseTarget } from './client-target.ts'

function clientTo(t: TestContext, endpoint: string, options: Partial<GrpcClientOptions> = {}): GrpcClient {
  const client = new GrpcClient({
    target: parseTarget(endpoint),
    userAgent: 'Millrace/0 (linux/amd64)',
    clock: systemClock,
    random: () => 0.5,
    timeoutMs: 5000,
    ...options,
  })
  t.after(() => client.close())
  return client
}

const call = (client: GrpcClient, body: Uint8Array = Buffer.from('hello'), signal?: AbortSignal): Promise<Uint8Array> =>
  client.call(EXPORT.traces, [body], body.length, signal)

const failure = async (pending: Promise<unknown>): Promise<GrpcError> => {
  try {
    await pending
  } catch (error) {
    assert.ok(error instanceof GrpcError)
    return error
  }
  throw new Error('the call succeeded')
}

const pattern = (length: number): Buffer => Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31) ^ (i >> 8)))

test('a message of several parts arrives as one, whatever its size', async (t) => {
  const peer = await grpcPeer(t)
  const client = clientTo(t, `127.0.0.1:${peer.port}`)
  for (const size of [0, 1, 5, 8_000, 9_000, 16_384, 70_000, 3_000_000]) {
    const whole = pattern(size)
    const cuts = [0, Math.floor(size / 3), Math.floor(size / 3), size]
    const parts = cuts.slice(1).map((to, i) => whole.subarray(cuts[i], to))
    await client.call(EXPORT.logs, parts, size)
    assert.ok(peer.calls.at(-1)!.request.equals(whole), `${size} bytes`)
  }
})

test('the server sees path, authority, user agent, deadline and our headers on every call', async (t) => {
  const peer = await grpcPeer(t)
  const client = clientTo(t, `127.0.0.1:${peer.port}`, {
    headers: [
      ['X-Tenant', 'line-3'],
      ['x-long', 'v'.repeat(5000)],
    ],
  })
  for (let i = 0; i < 3; i++) {
    await call(client)
    const { metadata } = peer.calls[i]!
    assert.deepEqual(metadata.get('x-tenant'), ['line-3'])
    assert.deepEqual(metadata.get('x-long'), ['v'.repeat(5000)])
    assert.deepEqual(metadata.get('user-agent'), ['Millrace/0 (linux/amd64)'])
    assert.equal(peer.calls[i]!.getPath(), EXPORT.traces)
    assert.equal(peer.calls[i]!.getHost(), `127.0.0.1:${peer.port}`)
    const left = Number(peer.calls[i]!.getDeadline()) - Date.now()
    assert.ok(left > 1000 && left <= 5000, `deadline in ${left} ms`)
  }
})

test('headers that together exceed a frame still arrive', async (t) => {
  const peer = await grpcPeer(t, { server: { 'grpc.max_metadata_size': 100_000 } })
  const client = clientTo(t, `127.0.0.1:${peer.port}`, { headers: [['x-long', 'v'.repeat(40_000)]] })
  await call(client)
  assert.equal(peer.calls[0]!.metadata.get('x-long')[0]!.length, 40_000)
})

test('many calls at the same time share a connection, and each gets its own answer', async (t) => {
  const peer = await grpcPeer(t, {
    handler: (one, answer) => setImmediate(() => answer(null, Buffer.from(one.request))),
  })
  const client = clientTo(t, `127.0.0.1:${peer.port}`)
  const bodies = Array.from({ length: 300 }, (_, i) => pattern(1 + ((i * 997) % 60_000)))
  const answers = await Promise.all(bodies.map((body) => call(client, body)))
  for (const [i, answer] of answers.entries()) assert.ok(bodies[i]!.equals(answer))
  assert.equal(new Set(peer.calls.map((one) => one.getPeer())).size, 1)
})

test('no more streams are opened than the server allows', async (t) => {
  let open = 0
  let most = 0
  const peer = await grpcPeer(t, {
    server: { 'grpc.max_concurrent_streams': 3 },
    handler: (_, answer) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        answer(null, Buffer.alloc(0))
      }, 2)
    },
  })
  const client = clientTo(t, `127.0.0.1:${peer.port}`)
  await Promise.all(Array.from({ length: 30 }, () => call(client)))
  assert.equal(most, 3)
})

for (const compression of ['gzip'] as const)
  test(`${compression}: requests are packed and packed answers understood`, async (t) => {
    const body = Buffer.from('span '.repeat(5000))
    const peer = await grpcPeer(t, {
      server: { 'grpc.default_compression_algorithm': 2 },
      handler: (one, answer) => answer(null, Buffer.from(one.request)),
    })
    const client = clientTo(t, `127.0.0.1:${peer.port}`, { compression })
    assert.ok(body.equals(await call(client, body)))
    assert.ok(peer.calls[0]!.request.equals(body))
  })

test('an error carries code, message and details', async (t) => {
  const metadata = new Metadata()
  metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3, 250]))
  const peer = await grpcPeer(t, {
    handler: (_, answer) => answer({ code: status.RESOURCE_EXHAUSTED, details: 'zu viel für 100 % ✓', metadata }),
  })
  const error = await failure(call(clientTo(t, `127.0.0.1:${peer.port}`)))
  assert.equal(error.code, status.RESOURCE_EXHAUSTED)
  assert.equal(error.message, 'zu viel für 100 % ✓')
  assert.deepEqual([...error.details!], [1, 2, 3, 250])
})

test('an unknown method is UNIMPLEMENTED', async (t) => {
  const peer = await grpcPeer(t)
  const error = await failure(clientTo(t, `127.0.0.1:${peer.port}`).call('/a.B/C', [Buffer.from('x')], 1))
  assert.equal(error.code, status.UNIMPLEMENTED)
})

test('TLS checks the server against the authority, and mTLS shows our certificate', async (t) => {
  const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
  const plain = await grpcPeer(t, { credentials: ServerCredentials.createSsl(null, [pair]) })
  await call(clientTo(t, `localhost:${plain.port}`, { tls: { ca: certs.ca } }), pattern(100_000))
  assert.match((await failure(call(clientTo(t, `localhost:${plain.port}`, { tls: {} })))).message, /certificate/)
  const mutual = await grpcPeer(t, { credentials: ServerCredentials.createSsl(Buffer.from(certs.ca), [pair], true) })
  await call(
    clientTo(t, `127.0.0.1:${mutual.port}`, { tls: { ca: certs.ca, cert: certs.client.cert, key: certs.client.key } }),
  )
  const bare = await failure(call(clientTo(t, `127.0.0.1:${mutual.port}`, { tls: { ca: certs.ca } })))
  assert.equal(bare.code, status.UNAVAILABLE)
  const { cert, key } = certs.stranger
  assert.equal(
    (await failure(call(clientTo(t, `127.0.0.1:${mutual.port}`, { tls: { ca: certs.ca, cert, key } })))).code,
    status.UNAVAILABLE,
  )
})

test('server_name_override is what the certificate must name', async (t) => {
  const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
  const peer = await grpcPeer(t, { credentials: ServerCredentials.createSsl(null, [pair]) })
  const good = clientTo(t, `127.0.0.1:${peer.port}`, { tls: { ca: certs.ca, servername: 'millrace.test' } })
  await call(good)
  assert.equal(peer.calls[0]!.getHost(), 'millrace.test')
  const bad = clientTo(t, `127.0.0.1:${peer.port}`, { tls: { ca: certs.ca, servername: 'other.test' } })
  assert.match((await failure(call(bad))).message, /other\.test/)
})

test('nobody listening is UNAVAILABLE at once, and a later server is found', async (t) => {
  const clock = new FakeClock()
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  await new Promise((resolve) => holder.close(resolve))
  const client = clientTo(t, `127.0.0.1:${port}`, { clock })
  const error = await failure(call(client))
  assert.equal(error.code, status.UNAVAILABLE)
  assert.match(error.message, /ECONNREFUSED/)
  const again = performance.now()
  assert.equal((await failure(call(client))).code, status.UNAVAILABLE)
  assert.ok(performance.now() - again < 100)
  const peer = await grpcPeer(t, { address: `127.0.0.1:${port}` })
  assert.equal(peer.port, port)
  clock.advance(1200)
  for (
    let i = 0;
    i < 100 &&
    (await call(client).then(
      () => false,
      () => true,
    ));
    i++
  )
    await sleep(10)
  await call(client)
})

test('wait_for_ready lets a call wait for its server', async (t) => {
  const clock = new FakeClock()
  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  await new Promise((resolve) => holder.close(resolve))
  const client = clientTo(t, `127.0.0.1:${port}`, { clock, waitForReady: true })
  const given = new AbortController()
  const pending = call(client)
  const givenUp = call(client, Buffer.from('x'), given.signal)
  given.abort(new Error('deadline'))
  assert.equal((await failure(givenUp)).code, status.CANCELLED)
  await sleep(20)
  await grpcPeer(t, { address: `127.0.0.1:${port}` })
  clock.advance(2000)
  await pending
})

test('a name with several addresses is connected to on all that answer', async (t) => {
  const peer = await grpcPeer(t)
  const client = clientTo(t, `dns:///localhost:${peer.port}`)
  await Promise.all(Array.from({ length: 10 }, () => call(client)))
  assert.equal(peer.calls.length, 10)
  const error = await failure(call(clientTo(t, 'no-such-host.invalid:4317')))
  assert.equal(error.code, status.UNAVAILABLE)
})

test('a unix socket is connected to', { skip: process.platform === 'win32' }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-grpc-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'otlp.sock')
  const peer = await grpcPeer(t, { address: `unix:${path}` })
  await call(clientTo(t, `unix://${path}`), pattern(50_000))
  assert.equal(peer.calls[0]!.request.length, 50_000)
  assert.equal(peer.calls[0]!.getHost(), 'localhost')
})

test('an abort ends the call here and at the server', async (t) => {
  let cancelled: (() => void) | undefined
  const seen = new Promise<void>((resolve) => {
    cancelled = resolve
  })
  const peer = await grpcPeer(t, { handler: (one) => one.on('cancelled', () => cancelled?.()) })
  const client = clientTo(t, `127.0.0.1:${peer.port}`)
  const controller = new AbortController()
  const pending = call(client, pattern(1000), controller.signal)
  while (peer.calls.length === 0) await sleep(2)
  const reason = new Error('too late')
  controller.abort(reason)
  const error = await failure(pending)
  assert.equal(error.code, status.CANCELLED)
  assert.equal(error.cause, reason)
  await seen
  assert.equal((await failure(call(client, pattern(10), controller.signal))).code, status.CANCELLED)
  peer.handle((_, answer) => answer(null, Buffer.alloc(0)))
  await call(client)
})

test('a graceful shutdown of the server fails no call: what runs ends, what is new goes to the next server', async (t) => {
  const first = await grpcPeer(t, { handler: (_, answer) => setTimeout(() => answer(null, Buffer.alloc(0)), 30) })
  const { port } = first
  const client = clientTo(t, `127.0.0.1:${port}`, { waitForReady: true })
  const running = Array.from({ length: 20 }, () => call(client))
  while (first.calls.length < 20) await sleep(2)
  const closed = new Promise((resolve) => first.server.tryShutdown(resolve))
  await Promise.all(running)
  await closed
  const second = await grpcPeer(t, { address: `127.0.0.1:${port}` })
  await call(client)
  assert.equal(second.calls.length, 1)
})

test('a connection that breaks fails its calls as UNAVAILABLE and is made again', async (t) => {
  const peer = await grpcPeer(t, { handler: () => {} })
  const client = clientTo(t, `127.0.0.1:${peer.port}`)
  const running = Array.from({ length: 5 }, () => failure(call(client)))
  while (peer.calls.length < 5) await sleep(2)
  peer.server.forceShutdown()
  for (const error of await Promise.all(running))
    assert.ok(error.code === status.UNAVAILABLE || error.code === status.CANCELLED, `${error.code} ${error.message}`)
})

// ---- a server of raw frames, for what no well-behaved library does

interface RawServer {
  readonly endpoint: string
  readonly sockets: Socket[]
  /** Payload bytes of DATA frames so far. */
  bodyBytes: number
}

const OK_HEADERS = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const
const OK_TRAILERS = [['grpc-status', '0']] as const

/** `onStream` is called when a request is complete, with the encoder of its connection. */
async function rawServer(
  t: TestContext,
  onStream: (socket: Socket, stream: number, encoder: HpackEncoder, count: number) => void,
  greeting: Uint8Array = settingsFrame([]),
  windows = true,
): Promise<RawServer> {
  const sockets: Socket[] = []
  let count = 0
  const raw: RawServer = { endpoint: '', sockets, bodyBytes: 0 }
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.setNoDelay(true)
    const encoder = new HpackEncoder(0)
    let preface = 24
    const reader = new FrameReader((type, flags, stream, _, from, to) => {
      if (type === FRAME.DATA) raw.bodyBytes += to - from
      if (type === FRAME.DATA && windows && to > from) {
        socket.write(numberFrame(FRAME.WINDOW_UPDATE, 0, to - from))
        if ((flags & FLAG.END_STREAM) === 0) socket.write(numberFrame(FRAME.WINDOW_UPDATE, stream, to - from))
      }
      if (type === FRAME.DATA && (flags & FLAG.END_STREAM) !== 0) onStream(socket, stream, encoder, ++count)
    }, 1 << 20)
    socket.on('data', (chunk: Buffer) => {
      const skip = Math.min(preface, chunk.length)
      preface -= skip
      reader.push(chunk.subarray(skip))
    })
    socket.on('error', () => {})
    socket.write(greeting)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Object.assign(raw, { endpoint: `127.0.0.1:${(server.address() as { port: number }).port}` })
}

const headers = (
  encoder: HpackEncoder,
  stream: number,
  list: readonly (readonly [string, string])[],
  flags: number,
): Buffer => payloadFrame(FRAME.HEADERS, flags | FLAG.END_HEADERS, stream, encoder.encode([...list]))

function answerOk(socket: Socket, stream: number, encoder: HpackEncoder, body: Uint8Array = new Uint8Array(5)): void {
  socket.write(headers(encoder, stream, OK_HEADERS, 0))
  if (body.length > 0) socket.write(payloadFrame(FRAME.DATA, 0, stream, body))
  socket.write(headers(encoder, stream, OK_TRAILERS, FLAG.END_STREAM))
}

test('streams that a GOAWAY leaves unprocessed are sent again on a new connection', async (t) => {
  const raw = await rawServer(t, (socket, stream, encoder, count) => {
    if (raw.sockets.length > 1) answerOk(socket, stream, encoder)
    else if (count === 3) {
      // Last processed: stream 1. It is answered, 3 and 5 are not.
      socket.write(payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])))
      answerOk(socket, 1, encoder)
    }
  })
  const client = clientTo(t, raw.endpoint)
  await Promise.all([call(client), call(client), call(client)])
  assert.equal(raw.sockets.length, 2)
})

test('a stream that is refused after its answer began is not sent again, and nothing of the answer counts', async (t) => {
  let tries = 0
  const { endpoint } = await rawServer(t, (socket, stream, encoder) => {
    tries++
    socket.write(headers(encoder, stream, [...OK_HEADERS, ...OK_TRAILERS], FLAG.END_HEADERS))
    socket.write(numberFrame(FRAME.RST_STREAM, stream, H2_ERROR.REFUSED_STREAM))
  })
  await assert.rejects(call(clientTo(t, endpoint)), { name: 'GrpcError', code: status.UNAVAILABLE })
  assert.equal(tries, 1)
})

test('a grpc-status that is no code means UNKNOWN, however many digits it has', async (t) => {
  for (const code of ['17', '-1', '', '9'.repeat(400)]) {
    const { endpoint } = await rawServer(t, (socket, stream, encoder) => {
      const answer = [...OK_HEADERS, ['grpc-status', code]] as const
      socket.write(headers(encoder, stream, answer, FLAG.END_HEADERS | FLAG.END_STREAM))
    })
    await assert.rejects(call(clientTo(t, endpoint)), { name: 'GrpcError', code: status.UNKNOWN })
  }
})

test('a refused stream is sent again, and given up after three tries', async (t) => {
  const refused = await rawServer(t, (socket, stream, encoder, count) => {
    if (count < 3) socket.write(numberFrame(FRAME.RST_STREAM, stream, 7))
    else answerOk(socket, stream, encoder)
  })
  await call(clientTo(t, refused.endpoint))
  let tries = 0
  const never = await rawServer(t, (socket, stream) => {
    tries++
    socket.write(numberFrame(FRAME.RST_STREAM, stream, 7))
  })
  assert.equal((await failure(call(clientTo(t, never.endpoint)))).code, status.UNAVAILABLE)
  assert.equal(tries, 3)
})

test('a reset stream fails with the code that gRPC gives it', async (t) => {
  for (const [h2, code] of [
    [2, status.INTERNAL],
    [8, status.CANCELLED],
    [11, status.RESOURCE_EXHAUSTED],
    [12, status.PERMISSION_DENIED],
  ] as const) {
    const raw = await rawServer(t, (socket, stream) => socket.write(numberFrame(FRAME.RST_STREAM, stream, h2)))
    assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, code)
  }
})

test('an answer that is no gRPC takes its code from the HTTP status', async (t) => {
  for (const [http, code] of [
    ['404', status.UNIMPLEMENTED],
    ['503', status.UNAVAILABLE],
    ['401', status.UNAUTHENTICATED],
    ['500', status.UNKNOWN],
  ] as const) {
    const raw = await rawServer(t, (socket, stream, encoder) => {
      socket.write(
        headers(
          encoder,
          stream,
          [
            [':status', http],
            ['content-type', 'text/html'],
          ],
          0,
        ),
      )
      socket.write(payloadFrame(FRAME.DATA, FLAG.END_STREAM, stream, Buffer.from('<html>')))
    })
    assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, code)
  }
})

test('an answer that is cut, too long or packed in a way not asked for is an error and no crash', async (t) => {
  const bodies: [Uint8Array, number][] = [
    [Buffer.from([0, 0, 0, 0]), status.INTERNAL],
    [Buffer.from([0, 0, 0, 0, 9, 1]), status.INTERNAL],
    [Buffer.from([1, 0, 0, 0, 1, 1]), status.INTERNAL],
    [Buffer.from([0, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]), status.INTERNAL],
  ]
  for (const [body, code] of bodies) {
    const raw = await rawServer(t, (socket, stream, encoder) => answerOk(socket, stream, encoder, body))
    assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, code)
  }
  const bomb = gzipSync(Buffer.alloc(5_000_000))
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(bomb.length, 1)
  const raw = await rawServer(t, (socket, stream, encoder) => {
    socket.write(headers(encoder, stream, [...OK_HEADERS, ['grpc-encoding', 'gzip']], 0))
    socket.write(payloadFrame(FRAME.DATA, 0, stream, Buffer.concat([head, bomb])))
    socket.write(headers(encoder, stream, OK_TRAILERS, FLAG.END_STREAM))
  })
  assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, status.RESOURCE_EXHAUSTED)
})

test('a padded answer with continued, interleaved and informational headers is understood', async (t) => {
  const raw = await rawServer(t, (socket, stream, encoder) => {
    socket.write(headers(encoder, stream, [[':status', '103']], 0))
    const block = encoder.encode([...OK_HEADERS])
    socket.write(payloadFrame(FRAME.HEADERS, 0, stream, block.subarray(0, 3)))
    socket.write(payloadFrame(FRAME.CONTINUATION, 0, stream, block.subarray(3, 4)))
    socket.write(payloadFrame(FRAME.CONTINUATION, FLAG.END_HEADERS, stream, block.subarray(4)))
    socket.write(payloadFrame(FRAME.PING, 0, 0, Buffer.alloc(8)))
    socket.write(payloadFrame(0x77, 0xff, stream, Buffer.from('unknown')))
    socket.write(payloadFrame(FRAME.DATA, FLAG.PADDED, stream, Buffer.from([4, 0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0])))
    const trailers = encoder.encode([['grpc-status', '0']])
    socket.write(
      payloadFrame(
        FRAME.HEADERS,
        FLAG.END_HEADERS | FLAG.END_STREAM | FLAG.PRIORITY | FLAG.PADDED,
        stream,
        Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 9]), trailers, Buffer.alloc(2)]),
      ),
    )
  })
  assert.deepEqual([...(await call(clientTo(t, raw.endpoint)))], [8, 1])
})

test('flow control holds at both levels: a body goes out only as the server makes room', async (t) => {
  const raw = await rawServer(t, () => {}, settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 1000]]), false)
  const pending = call(clientTo(t, raw.endpoint), pattern(200_000))
  const settle = async (expected: number): Promise<void> => {
    for (let i = 0; i < 100 && raw.bodyBytes < expected; i++) await sleep(2)
    await sleep(10)
    assert.equal(raw.bodyBytes, expected)
  }
  await settle(1000)
  const socket = raw.sockets[0]!
  socket.write(numberFrame(FRAME.WINDOW_UPDATE, 1, 500))
  await settle(1500)
  socket.write(settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 1_000_000]]))
  await settle(65_535) // the connection's window
  socket.write(numberFrame(FRAME.WINDOW_UPDATE, 0, 134_465))
  await settle(200_000)
  socket.write(numberFrame(FRAME.WINDOW_UPDATE, 0, 1_000_000))
  await settle(200_005)
  answerOk(socket, 1, new HpackEncoder(0))
  await pending
})

test('a server that breaks the rules costs its connection, and its calls fail as UNAVAILABLE', async (t) => {
  const bad: Record<string, Uint8Array> = {
    'no SETTINGS first': payloadFrame(FRAME.PING, 0, 0, Buffer.alloc(8)),
    'HTTP/1': Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n'),
    'frame too large': Buffer.from([1, 0, 0, 4, 0, 0, 0, 0, 0]),
    'SETTINGS of five bytes': payloadFrame(FRAME.SETTINGS, 0, 0, Buffer.alloc(5)),
    'window beyond 2^31': settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 2 ** 31]]),
    'frame size out of range': settingsFrame([[SETTING.MAX_FRAME_SIZE, 100]]),
  }
  for (const [what, greeting] of Object.entries(bad)) {
    const raw = await rawServer(t, () => {}, greeting)
    assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, status.UNAVAILABLE, what)
  }
  const frames: Record<string, (stream: number) => Uint8Array> = {
    'push promise': (stream) => payloadFrame(FRAME.PUSH_PROMISE, FLAG.END_HEADERS, stream, Buffer.alloc(4)),
    'stream never opened': () => payloadFrame(FRAME.DATA, 0, 99, Buffer.alloc(1)),
    'even stream': () => payloadFrame(FRAME.HEADERS, FLAG.END_HEADERS, 2, Buffer.alloc(0)),
    'CONTINUATION alone': (stream) => payloadFrame(FRAME.CONTINUATION, FLAG.END_HEADERS, stream, Buffer.alloc(1)),
    'interrupted headers': (stream) =>
      Buffer.concat([
        payloadFrame(FRAME.HEADERS, 0, stream, Buffer.alloc(0)),
        payloadFrame(FRAME.PING, 0, 0, Buffer.alloc(8)),
      ]),
    'bad HPACK': (stream) =>
      payloadFrame(FRAME.HEADERS, FLAG.END_HEADERS, stream, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff])),
    'window overflow': () => numberFrame(FRAME.WINDOW_UPDATE, 0, 2 ** 31 - 1),
    'window of zero': () => numberFrame(FRAME.WINDOW_UPDATE, 0, 0),
    'padding too long': (stream) => payloadFrame(FRAME.DATA, FLAG.PADDED, stream, Buffer.from([9, 1])),
    'endless headers': (stream) =>
      Buffer.concat([
        payloadFrame(FRAME.HEADERS, 0, stream, Buffer.alloc(0)),
        ...Array.from({ length: 100 }, () => payloadFrame(FRAME.CONTINUATION, 0, stream, Buffer.alloc(0))),
      ]),
  }
  for (const [what, frame] of Object.entries(frames)) {
    const raw = await rawServer(t, (socket, stream) => socket.write(frame(stream)))
    assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, status.UNAVAILABLE, what)
  }
})

test('a silent connection is given up when a keepalive ping goes unanswered', async (t) => {
  const clock = new FakeClock()
  const raw = await rawServer(t, () => {})
  const client = clientTo(t, raw.endpoint, {
    clock,
    keepalive: { timeMs: 10_000, timeoutMs: 3_000, permitWithoutStream: false },
  })
  const pending = failure(call(client))
  while (raw.sockets.length === 0) await sleep(2)
  await sleep(20)
  clock.advance(10_000)
  clock.advance(3_000)
  const error = await pending
  assert.equal(error.code, status.UNAVAILABLE)
  assert.match(error.message, /keepalive/)
})

test('after a call without an answer a dead connection is found out and replaced, a slow one kept', async (t) => {
  const clock = new FakeClock()
  const dead = await rawServer(t, (socket, stream, encoder) => {
    if (dead.sockets.length > 1) answerOk(socket, stream, encoder)
  })
  const client = clientTo(t, dead.endpoint, { clock })
  const controller = new AbortController()
  const pending = failure(call(client, pattern(10), controller.signal))
  while (dead.bodyBytes === 0) await sleep(2)
  controller.abort()
  await pending
  clock.advance(10_000)
  for (let i = 0; i < 500 && dead.sockets.length < 2; i++) await sleep(2)
  await call(client)

  const peer = await grpcPeer(t, { handler: () => {} })
  const patient = clientTo(t, `127.0.0.1:${peer.port}`, { clock })
  const second = new AbortController()
  const slow = failure(call(patient, pattern(10), second.signal))
  while (peer.calls.length === 0) await sleep(2)
  second.abort()
  await slow
  await sleep(30)
  clock.advance(10_000)
  peer.handle((_, answer) => answer(null, Buffer.alloc(0)))
  await call(patient)
  assert.equal(peer.calls[0]!.getPeer(), peer.calls[1]!.getPeer())
})

test('a server that hangs up is noticed at once', async (t) => {
  const raw = await rawServer(t, (socket) => socket.end())
  const error = await failure(call(clientTo(t, raw.endpoint)))
  assert.equal(error.code, status.UNAVAILABLE)
})

test('an idle client that is closed leaves nothing behind', async (t) => {
  const clock = new FakeClock()
  const peer = await grpcPeer(t)
  const client = clientTo(t, `127.0.0.1:${peer.port}`, { clock })
  await call(client)
  client.close()
  assert.equal(clock.pending, 0)
  assert.equal((await failure(call(client))).code, status.CANCELLED)
})

test('endpoints are read in every form', () => {
  const read = (text: string) => {
    const { kind, host, port, path, authority, forcesTls } = parseTarget(text)
    return [kind, host, port, path, authority, forcesTls]
  }
  assert.deepEqual(read('localhost:4317'), ['dns', 'localhost', 4317, '', 'localhost:4317', false])
  assert.deepEqual(read('http://10.0.0.1:4317'), ['passthrough', '10.0.0.1', 4317, '', '10.0.0.1:4317', false])
  assert.deepEqual(read('https://a.b:443'), ['dns', 'a.b', 443, '', 'a.b:443', true])
  assert.deepEqual(read('dns:///a:1'), ['dns', 'a', 1, '', 'a:1', false])
  assert.deepEqual(read('dns://8.8.8.8/a:1'), ['dns', 'a', 1, '', 'a:1', false])
  assert.deepEqual(read('passthrough:///a:1'), ['passthrough', 'a', 1, '', 'a:1', false])
  assert.deepEqual(read('[::1]:4317'), ['passthrough', '::1', 4317, '', '[::1]:4317', false])
  assert.deepEqual(read('unix:///run/x.sock'), ['unix', '', 0, '/run/x.sock', 'localhost', false])
  assert.deepEqual(read(':4317').slice(1, 3), ['localhost', 4317])
  for (const bad of [
    'localhost',
    'localhost:',
    'localhost:http',
    'http://localhost:4317/',
    'a:99999',
    '::1:4317',
    'unix:',
  ])
    assert.throws(() => parseTarget(bad), Error, bad)
})
