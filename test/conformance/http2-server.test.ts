// The doors as RFC 9113 and RFC 7541 want a server (http2-server-cases.ts): both engines are held to the table. What a table
// cannot say stands below it.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type IncomingHttpHeaders } from 'node:http2'
import { type TestContext, test } from 'node:test'
import { ByteBudget } from '../../src/net/byte-budget.ts'
import type { GrpcCall, GrpcServer } from '../../src/net/grpc/engine.ts'
import { createGrpcServer, GRPC_ENGINES, type GrpcEngine } from '../../src/net/grpc/server.ts'
import { FLAG, FRAME, PREFACE, payloadFrame } from '../../src/net/http2/frame.ts'
import type { Limits } from '../../src/net/limits.ts'
import { UnpackLine } from '../../src/net/unpack-line.ts'
import { memoryLogger } from '../support/harness.ts'
import { Http2Peer } from '../support/http2-peer.ts'
import { call, data, EXPORT, grow, headers, message, padded, raw, reset, settings } from './frames.ts'
import { beginnings, HOLD, MAX_STREAMS, type Row, rows } from './http2-server-cases.ts'

const whole = (id: number): Buffer[] => [headers(id), data(id)]

async function openDoor(
  t: TestContext,
  engine: GrpcEngine,
  limits: Partial<Limits> = {},
): Promise<{ server: GrpcServer; port: number }> {
  const held: GrpcCall[] = []
  const server = await createGrpcServer(
    {
      listen: { endpoint: '127.0.0.1:0', transport: 'tcp', secure: false },
      handlers: new Map([
        [EXPORT, (made: GrpcCall) => made.respond(new Uint8Array(2))],
        [HOLD, (made: GrpcCall) => held.push(made)],
      ]),
      limits,
      maxMessageBytes: 4 * 1024 * 1024,
      maxConcurrentStreams: MAX_STREAMS,
      maxConnections: 1000,
      handshakeMs: 30_000,
      bodySilenceMs: 30_000,
      requestMs: 300_000,
      keepalive: {
        maxConnectionIdleMs: 0,
        maxConnectionAgeMs: 0,
        maxConnectionAgeGraceMs: 0,
        timeMs: 7_200_000,
        timeoutMs: 20_000,
        minTimeMs: 0,
        permitWithoutStream: true,
      },
      budget: new ByteBudget(64 * 1024 * 1024),
      unpacking: new UnpackLine({ maxWaiting: 16, bytesPerTurn: 1024 * 1024 }),
      random: () => 0.5,
      encodeStatus: () => new Uint8Array(0),
      onRefused: () => {},
      onError: (error) => assert.fail(error),
    },
    memoryLogger(),
    engine,
  )
  const { port } = await server.listen()
  t.after(() => server.close(AbortSignal.abort()))
  return { server, port }
}

const door = async (t: TestContext, engine: GrpcEngine, limits?: Partial<Limits>): Promise<number> =>
  (await openDoor(t, engine, limits)).port

const waitFor = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 2))
}

for (const engine of GRPC_ENGINES) {
  test(`${engine}: each frame or header block gets what the RFCs want`, async (t) => {
    const port = await door(t, engine)
    const begin = [PREFACE, settings(), raw(FRAME.SETTINGS, FLAG.ACK, 0)]
    const wrong: string[] = []
    const check = async ([section, what, sent, back, node]: Row, start: readonly Uint8Array[]): Promise<void> => {
      const expected = engine === 'lean' || node === undefined ? back : node.back
      if (expected === undefined) return
      const peer = new Http2Peer(t, port)
      peer.send(...start, ...sent)
      const alive = await peer.settle()
      await waitFor(() => peer.outcome === expected)
      if (peer.outcome !== expected)
        wrong.push(`${section} ${what}: ${peer.outcome || 'nothing'}; ${expected || 'nothing'} was to come`)
      else if (!alive && !/GOAWAY|closed/.test(expected)) wrong.push(`${section} ${what}: no answer to a PING`)
      peer.socket.destroy()
    }
    for (const row of rows) await check(row, begin)
    for (const row of beginnings) await check(row, [])
    assert.deepEqual(wrong, [])
  })

  test(`${engine}: SETTINGS are acknowledged one by one, and a PING comes back as it was`, async (t) => {
    const peer = new Http2Peer(t, await door(t, engine))
    peer.send(PREFACE, settings(), settings([3, 5]), raw(FRAME.PING, 0, 0, '0102030405060708'))
    await peer.settle()
    assert.equal(peer.settingsAcks, 2)
    assert.equal(peer.pongs[0], '0102030405060708')
  })

  test(`${engine}: an answer takes no more than the window, to the byte`, async (t) => {
    const peer = new Http2Peer(t, await door(t, engine))
    peer.send(PREFACE, settings([4, 0]), ...whole(1), grow(1, 3))
    await peer.settle()
    await waitFor(() => peer.dataBytes.get(1) === 3)
    assert.equal(peer.dataBytes.get(1), 3)
    peer.send(grow(1, 100))
    await waitFor(() => peer.outcome === '1 OK')
    assert.equal(peer.dataBytes.get(1), 7)
  })

  test(`${engine}: padding, and what comes for a stream that was reset, count for the window of the connection (6.9.1)`, async (t) => {
    const patient = { overheadBytes: 1e9, overheadBytesPerSecond: 1e9 }
    const peer = new Http2Peer(t, await door(t, engine, patient))
    peer.send(PREFACE, settings())
    await peer.settle()
    const before = peer.connectionWindow
    const frame = padded(new Uint8Array(16_000), 255)
    let sent = 0
    for (let id = 1; sent < 2 * before; id += 2) {
      peer.send(headers(id, call('/no')))
      for (let i = 0; i < 50; i++) peer.send(data(id, frame, FLAG.PADDED))
      sent += 50 * frame.length
      peer.send(reset(id))
      await peer.settle()
    }
    // What was granted is at most half a window behind what was sent.
    await waitFor(() => peer.connectionWindow > before / 2 + sent - before)
    assert.ok(peer.connectionWindow - sent >= 0, `${sent} sent, ${peer.connectionWindow} granted`)
  })

  test(`${engine}: a client may cut its bytes as it likes`, async (t) => {
    const port = await door(t, engine)
    const sent = Buffer.concat([
      PREFACE,
      settings(),
      raw(FRAME.SETTINGS, FLAG.ACK, 0),
      ...whole(1),
      raw(0xbb, 0, 1, '00'),
      ...whole(3),
    ])
    for (const size of [1, 2, 7, 9, 10, 50]) {
      const peer = new Http2Peer(t, port)
      peer.socket.setNoDelay(true)
      for (let at = 0; at < sent.length; at += size) {
        peer.send(sent.subarray(at, at + size))
        if (at % 5 === 0) await new Promise((resolve) => setImmediate(resolve))
      }
      await waitFor(() => peer.outcome === '1 OK, 3 OK')
      assert.equal(peer.outcome, '1 OK, 3 OK', `pieces of ${size}`)
    }
  })
}

test('lean: a door that closes says so, answers what was on its way, and then names the last stream (6.8)', async (t) => {
  const { server, port } = await openDoor(t, 'lean')
  const [polite, mute] = [new Http2Peer(t, port), new Http2Peer(t, port)]
  for (const peer of [polite, mute]) {
    peer.send(PREFACE, settings(), ...whole(1))
    await peer.settle()
  }
  const closed = server.close(new AbortController().signal)
  await waitFor(() => polite.goaways.length === 1)
  polite.send(...whole(3))
  await waitFor(() => polite.outcome === '1 OK, 3 OK')
  polite.send(payloadFrame(FRAME.PING, FLAG.ACK, 0, polite.pings[0]!), ...whole(5))
  await closed
  await waitFor(() => polite.closed && mute.closed)
  assert.deepEqual(polite.goaways.slice(0, 2), [2 ** 31 - 1, 3])
  assert.equal(polite.outcome, '1 OK, 3 OK, closed')
  // One that does not answer is waited for a second.
  assert.deepEqual(mute.goaways.slice(0, 2), [2 ** 31 - 1, 1])
})

test('lean: nghttp2 reads our header blocks whatever table it allows, also when that changes (7541 4.2, 6.3)', async (t) => {
  const port = await door(t, 'lean')
  for (const sizes of [[4096], [0, 4096], [60, 0, 100], [65_536, 33, 4096, 1]]) {
    const session = connect(`http://127.0.0.1:${port}`, { settings: { headerTableSize: sizes[0]! } })
    t.after(() => session.destroy())
    const statusOf = async (path: string): Promise<unknown> => {
      const request = session.request({
        ':method': 'POST',
        ':path': path,
        'content-type': 'application/grpc',
        te: 'trailers',
      })
      request.end(message)
      request.resume()
      const [head] = (await once(request, 'response')) as [IncomingHttpHeaders]
      if (head['grpc-status'] !== undefined) return head['grpc-status']
      const [trailers] = (await once(request, 'trailers')) as [IncomingHttpHeaders]
      return trailers['grpc-status']
    }
    for (const size of sizes) {
      await new Promise<void>((resolve) => session.settings({ headerTableSize: size }, () => resolve()))
      for (let round = 0; round < 3; round++) {
        assert.equal(await statusOf(EXPORT), '0')
        assert.equal(await statusOf('/no'), '12')
      }
    }
    session.destroy()
  }
})
