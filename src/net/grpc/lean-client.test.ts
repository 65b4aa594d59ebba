import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import { status } from '@grpc/grpc-js'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { call, clientTo, failure, pattern } from '../../../test/support/grpc-client.ts'
import { grpcPeer } from '../../../test/support/grpc-peer.ts'
import { answerOk, headers, OK_HEADERS, OK_TRAILERS, rawServer } from '../../../test/support/raw-grpc-server.ts'
import { until } from '../../../test/support/until.ts'
import { FLAG, FRAME, H2_ERROR, numberFrame, payloadFrame, SETTING, settingsFrame } from '../http2/frame.ts'
import { HpackEncoder } from '../http2/hpack.ts'
import { parseTarget } from './client-target.ts'

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
    if (count < 3) socket.write(numberFrame(FRAME.RST_STREAM, stream, H2_ERROR.REFUSED_STREAM))
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
    'padding too long': (stream) =>
      Buffer.concat([
        headers(new HpackEncoder(0), stream, OK_HEADERS, 0),
        payloadFrame(FRAME.DATA, FLAG.PADDED, stream, Buffer.from([9, 1])),
      ]),
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

test('pings come in the time of keepalive while calls run, and without them only where that is permitted', async (t) => {
  for (const permitWithoutStream of [false, true]) {
    const clock = new FakeClock()
    let held: (() => void) | undefined
    const raw = await rawServer(t, (socket, stream, encoder) => {
      held = () => answerOk(socket, stream, encoder)
    })
    raw.answersPings = true
    const keepalive = { timeMs: 10_000, timeoutMs: 3_000, permitWithoutStream }
    const client = clientTo(t, raw.endpoint, { clock, keepalive })
    const pending = call(client)
    await until(() => held !== undefined)
    clock.advance(9_999)
    await sleep(10)
    assert.equal(raw.pings, 0)
    clock.advance(1)
    await until(() => raw.pings === 1)
    held!()
    await pending
    await sleep(10)
    clock.advance(10_000)
    await sleep(20)
    assert.equal(raw.pings, permitWithoutStream ? 2 : 1)
    assert.equal(raw.sockets.length, 1)
  }
})

test('a server that complains of too many pings is pinged half as often, on its next connection', async (t) => {
  const clock = new FakeClock()
  const raw = await rawServer(t, () => {})
  raw.answersPings = true
  const keepalive = { timeMs: 10_000, timeoutMs: 3_000, permitWithoutStream: true }
  const client = clientTo(t, raw.endpoint, { clock, keepalive })
  client.connect()
  await until(() => client.ready)
  const calm = Buffer.concat([
    Buffer.from([0, 0, 0, 0, 0, 0, 0, H2_ERROR.ENHANCE_YOUR_CALM]),
    Buffer.from('too_many_pings'),
  ])
  raw.sockets[0]!.write(payloadFrame(FRAME.GOAWAY, 0, 0, calm))
  await until(() => raw.sockets.length === 2 && client.ready)
  clock.advance(19_999)
  await sleep(20)
  assert.equal(raw.pings, 0)
  clock.advance(1)
  await until(() => raw.pings === 1)
})

test('a server that goes away in two steps: what runs is answered, what it has not seen and what is new goes elsewhere', async (t) => {
  const streams: [socket: number, stream: number][] = []
  const raw = await rawServer(t, (socket, stream, encoder, count) => {
    const connection = raw.sockets.indexOf(socket)
    streams.push([connection, stream])
    if (connection > 0) answerOk(socket, stream, encoder)
    if (count === 2) socket.write(payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0x7f, 255, 255, 255, 0, 0, 0, 0])))
  })
  const client = clientTo(t, raw.endpoint)
  const [one, two] = [call(client), call(client)]
  await until(() => raw.sockets.length === 2)
  await call(client)
  // The last stream that the first connection serves is 1.
  raw.sockets[0]!.write(payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])))
  await two
  answerOk(raw.sockets[0]!, 1, new HpackEncoder(0))
  await one
  assert.deepEqual(streams, [
    [0, 1],
    [0, 3],
    [1, 1],
    [1, 3],
  ])
})

test('calls that wait for a stream are not lost with the connection: the next one takes them', async (t) => {
  const oneAtATime = settingsFrame([[SETTING.MAX_CONCURRENT_STREAMS, 1]])
  const raw = await rawServer(
    t,
    (socket, stream, encoder) => {
      if (raw.sockets.length === 1) socket.destroy()
      else answerOk(socket, stream, encoder)
    },
    oneAtATime,
  )
  const client = clientTo(t, raw.endpoint)
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => call(client)))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', ...Array(9).fill('fulfilled')],
  )
})

test('a server that allows no streams any more is waited for until it does', async (t) => {
  const raw = await rawServer(t, (socket, stream, encoder) => answerOk(socket, stream, encoder))
  const client = clientTo(t, raw.endpoint)
  await call(client)
  raw.sockets[0]!.write(settingsFrame([[SETTING.MAX_CONCURRENT_STREAMS, 0]]))
  await sleep(20)
  let answered = false
  const pending = call(client).then(() => {
    answered = true
  })
  await sleep(20)
  assert.equal(answered, false)
  raw.sockets[0]!.write(settingsFrame([[SETTING.MAX_CONCURRENT_STREAMS, 1]]))
  await pending
  assert.equal(raw.sockets.length, 1)
})

test('an answer with more headers than we take costs its call, and no other', async (t) => {
  const raw = await rawServer(t, (socket, stream, encoder, count) => {
    const fields = Array.from({ length: count === 1 ? 5 : 0 }, (_, i) => [`x-${i}`, 'v'.repeat(14_000)] as const)
    if (count > 1) answerOk(socket, stream, encoder)
    else {
      const block = encoder.encode([...OK_HEADERS, ...fields])
      socket.write(payloadFrame(FRAME.HEADERS, 0, stream, block.subarray(0, 16_000)))
      for (let from = 16_000; from < block.length; from += 16_000)
        socket.write(
          payloadFrame(
            FRAME.CONTINUATION,
            from + 16_000 >= block.length ? FLAG.END_HEADERS : 0,
            stream,
            block.subarray(from, from + 16_000),
          ),
        )
    }
  })
  const client = clientTo(t, raw.endpoint)
  const error = await failure(call(client))
  assert.equal(error.code, status.INTERNAL)
  assert.match(error.message, /more than 65536 bytes of headers/)
  await call(client)
  assert.equal(raw.sockets.length, 1)
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
