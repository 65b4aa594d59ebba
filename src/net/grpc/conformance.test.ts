// What a server must do by RFC 9113 (HTTP/2) and RFC 7541 (HPACK), a line each: the section, what a client sends after its
// preface and SETTINGS, and what must come back (test/support/http2-peer.ts says how to read it). Where the connection
// lives, it must also answer a PING after it. Both engines are held to the table; where node:http2 does something else that
// the RFC allows, the last column says what.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { memoryLogger } from '../../../test/support/harness.ts'
import { Http2Peer } from '../../../test/support/http2-peer.ts'
import { ByteBudget } from '../byte-budget.ts'
import { FLAG, FRAME, numberFrame, PREFACE, payloadFrame, settingsFrame } from '../http2/frame.ts'
import { HpackEncoder } from '../http2/hpack.ts'
import { UnpackLine } from '../unpack-line.ts'
import type { GrpcCall, GrpcServer } from './engine.ts'
import { frameMessage } from './framing.ts'
import { createGrpcServer, GRPC_ENGINES, type GrpcEngine } from './server.ts'

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = FLAG
const EXPORT = '/test.Service/Export'
/** Its calls are not answered. */
const HOLD = '/test.Service/Hold'
const MAX_STREAMS = 3
const FRAME_BYTES = 1024 * 1024

// ---- words of the table

type Fields = readonly (readonly [name: string, value: string])[]
const bytes = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')
/** A header block that puts nothing into the table. */
const block = (fields: Fields): Buffer => new HpackEncoder(4096).encodeOnce(fields)
const call = (path = EXPORT, ...more: Fields): Fields => [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', path],
  [':authority', 'plant.example'],
  ['content-type', 'application/grpc'],
  ['te', 'trailers'],
  ...more,
]
const without = (name: string): Fields => call().filter(([is]) => is !== name)
const headers = (id: number, fields: Fields | Buffer = call(), flags: number = END_HEADERS): Buffer =>
  payloadFrame(FRAME.HEADERS, flags, id, Buffer.isBuffer(fields) ? fields : block(fields))
const more = (id: number, part: Uint8Array, flags = 0): Buffer => payloadFrame(FRAME.CONTINUATION, flags, id, part)
const message = frameMessage(new Uint8Array(20), false)
const data = (id: number, payload: Uint8Array = message, flags: number = END_STREAM): Buffer =>
  payloadFrame(FRAME.DATA, flags, id, payload)
const reset = (id: number): Buffer => numberFrame(FRAME.RST_STREAM, id, 8)
const grow = (id: number, by: number): Buffer => numberFrame(FRAME.WINDOW_UPDATE, id, by)
const settings = (...list: [number, number][]): Buffer => settingsFrame(list)
const raw = (type: number, flags: number, id: number, payload = ''): Buffer =>
  payloadFrame(type, flags, id, bytes(payload))
const padded = (payload: Uint8Array, pad: number): Buffer =>
  Buffer.concat([Uint8Array.of(pad), payload, new Uint8Array(pad)])
const whole = (id: number, fields?: Fields | Buffer): Buffer[] => [headers(id, fields), data(id)]
const split = block(call())
const END_ALL = END_STREAM | END_HEADERS
const then = (octets: string): Buffer => Buffer.concat([split, bytes(octets)])
/** A block that begins with these octets and goes on as a usual call. */
const after = (octets: string): Buffer => Buffer.concat([bytes(octets), split])

const PROTOCOL = 'GOAWAY PROTOCOL_ERROR'
const SIZE = 'GOAWAY FRAME_SIZE_ERROR'
const FLOW = 'GOAWAY FLOW_CONTROL_ERROR'
const COMPRESSION = 'GOAWAY COMPRESSION_ERROR'
const MALFORMED = 'RST 1 PROTOCOL_ERROR'

/** node:http2 drops the header and keeps the call. */
const DROPPED = '1 OK'
/** With node:http2 it depends on what is written first. */
const RACE = undefined

type Row = readonly [
  section: string,
  what: string,
  sent: readonly Uint8Array[],
  back: string,
  node?: string | undefined,
]

// biome-ignore format: a line each
const rows: readonly Row[] = [
  ['8.1', 'a request and its answer', whole(1), '1 OK'],
  ['8.1', 'a body in many frames', [headers(1), ...[...message].map((b) => data(1, Uint8Array.of(b), 0)), data(1, bytes(''))], '1 OK'],
  ['8.1', 'a request that trailers end', [headers(1), data(1, message, 0), headers(1, [['x', 'y']], END_ALL)], '1 OK'],
  ['8.1', 'calls side by side', [headers(1), headers(3), data(3), data(1)], '3 OK, 1 OK', RACE],
  ['8.1', 'trailers that do not end the stream', [headers(1), headers(1, [['x', 'y']])], MALFORMED],

  ['4.1', 'a frame of an unknown type', [raw(0xbb, 0xff, 1, '00'), ...whole(1)], '1 OK'],
  ['4.1', 'a large one, in the middle of a call', [headers(1), payloadFrame(0x20, 0, 1, new Uint8Array(100_000)), data(1)], '1 OK'],
  ['4.1', 'flags that mean nothing', [headers(1, call(), END_HEADERS | (0xd0 & ~PRIORITY & ~PADDED)), data(1, message, END_STREAM | (0xe0 & ~PADDED))], '1 OK'],
  ['4.1', 'the reserved bit of a stream id', [headers(0x80000001 | 0), data(0x80000001 | 0)], '1 OK'],
  ['4.2', 'a frame above SETTINGS_MAX_FRAME_SIZE', [headers(1), bytes('100001 00 00 00000001'), new Uint8Array(FRAME_BYTES + 1)], SIZE],
  ['4.3', 'a PING inside a header block', [headers(1, split, 0), raw(FRAME.PING, 0, 0, '0000000000000000')], PROTOCOL],
  ['4.3', 'an unknown frame inside a header block', [headers(1, split, 0), raw(0xbb, 0, 0)], PROTOCOL],
  ['4.3', 'another HEADERS inside a header block', [headers(1, split, 0), headers(3)], PROTOCOL],
  ['4.3', 'DATA inside a header block', [headers(1, split, 0), data(1)], PROTOCOL],

  ['5.1', 'idle: DATA', [data(1)], PROTOCOL],
  ['5.1', 'idle: RST_STREAM', [reset(1)], PROTOCOL],
  ['5.1', 'idle: WINDOW_UPDATE', [grow(1, 1)], PROTOCOL],
  ['5.1', 'idle: CONTINUATION', [more(1, split, END_HEADERS)], PROTOCOL],
  ['5.1', 'idle: PRIORITY is nothing', [raw(FRAME.PRIORITY, 0, 1, '0000000010'), ...whole(1)], '1 OK'],
  ['5.1', 'half-closed (remote): DATA', [...whole(1, call(HOLD)), data(1)], 'RST 1 STREAM_CLOSED', 'GOAWAY STREAM_CLOSED'],
  ['5.1', 'half-closed (remote): HEADERS', [...whole(1, call(HOLD)), headers(1, [['x', 'y']], END_ALL)], 'RST 1 STREAM_CLOSED', 'GOAWAY STREAM_CLOSED'],
  ['5.1', 'half-closed (remote): WINDOW_UPDATE, PRIORITY', [...whole(1, call(HOLD)), grow(1, 5), raw(FRAME.PRIORITY, 0, 1, '0000000010')], ''],
  ['5.1', 'half-closed (remote): RST_STREAM', [...whole(1, call(HOLD)), reset(1)], ''],
  ['5.1', 'half-closed (local): the rest of a refused request', [headers(1, call('/no')), data(1, message, 0), data(1)], '1 status 12'],
  ['5.1', 'closed by both: DATA', [...whole(1), data(1)], '1 OK, RST 1 STREAM_CLOSED', RACE],
  ['5.1', 'closed by both: HEADERS', [...whole(1), headers(1)], '1 OK, GOAWAY STREAM_CLOSED', RACE],
  ['5.1', 'closed by both: WINDOW_UPDATE, RST_STREAM, PRIORITY', [...whole(1), grow(1, 5), reset(1), raw(FRAME.PRIORITY, 0, 1, '0000000010')], '1 OK', RACE],
  ['5.1', 'reset by the client: DATA', [headers(1), reset(1), data(1)], 'RST 1 STREAM_CLOSED', ''],
  ['5.1', 'reset by the client: HEADERS', [headers(1), reset(1), headers(1)], 'GOAWAY STREAM_CLOSED', ''],
  ['5.1', 'reset by the server: what was on its way', [headers(1, [...call(), ['A', 'b']]), data(1, message, 0), data(1), grow(1, 5), headers(1, [['x', 'y']], END_ALL)], MALFORMED],
  ['5.1.1', 'an even stream id', [headers(2)], PROTOCOL],
  ['5.1.1', 'a stream id lower than the last', [...whole(5), headers(3)], '5 OK, GOAWAY PROTOCOL_ERROR', '5 OK'],
  ['5.1.2', 'one stream too many', [1, 3, 5, 7].map((id) => headers(id, call(HOLD))), 'RST 7 REFUSED_STREAM', PROTOCOL],

  ['6.1', 'DATA on stream 0', [data(0)], PROTOCOL],
  ['6.1', 'DATA with padding', [headers(1), data(1, padded(message, 200), END_STREAM | PADDED)], '1 OK'],
  ['6.1', 'DATA of padding alone', [headers(1), data(1, padded(bytes(''), 9), PADDED), data(1)], '1 OK'],
  ['6.1', 'padding as long as its frame', [headers(1), data(1, bytes('02 00'), END_STREAM | PADDED)], PROTOCOL],
  ['6.1', 'padded, without a length', [headers(1), data(1, bytes(''), END_STREAM | PADDED)], SIZE, PROTOCOL],
  ['6.2', 'HEADERS on stream 0', [headers(0)], PROTOCOL],
  ['6.2', 'HEADERS with padding and priority', [headers(1, Buffer.concat([Uint8Array.of(4), bytes('0000000010'), split, new Uint8Array(4)]), END_HEADERS | PADDED | PRIORITY), data(1)], '1 OK'],
  ['6.2', 'padding longer than HEADERS', [headers(1, bytes('09 82'), END_HEADERS | PADDED)], PROTOCOL],
  ['6.2', 'no room for the priority', [headers(1, bytes('82'), END_HEADERS | PRIORITY)], SIZE, SIZE],
  ['6.3', 'PRIORITY on stream 0', [raw(FRAME.PRIORITY, 0, 0, '0000000010')], PROTOCOL, ''],
  ['6.3', 'PRIORITY of a wrong size', [headers(1), raw(FRAME.PRIORITY, 0, 1, '00000000')], 'RST 1 FRAME_SIZE_ERROR', SIZE],
  ['6.4', 'RST_STREAM on stream 0', [reset(0)], PROTOCOL],
  ['6.4', 'RST_STREAM of a wrong size', [headers(1), raw(FRAME.RST_STREAM, 0, 1, '000008')], SIZE],
  ['6.5', 'SETTINGS on a stream', [raw(FRAME.SETTINGS, 0, 1)], PROTOCOL],
  ['6.5', 'SETTINGS of a wrong size', [raw(FRAME.SETTINGS, 0, 0, '0001000010')], SIZE],
  ['6.5', 'an acknowledgement that says something', [raw(FRAME.SETTINGS, 1, 0, '000100001000')], SIZE],
  ['6.5.2', 'a setting that nobody knows', [settings([0xabc, 5]), ...whole(1)], '1 OK'],
  ['6.5.2', 'ENABLE_PUSH of 2', [settings([2, 2])], PROTOCOL],
  ['6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', [settings([4, 2 ** 31])], FLOW],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', [settings([5, 16_383])], PROTOCOL],
  ['6.5.2', 'MAX_FRAME_SIZE of 2^24', [settings([5, 2 ** 24])], PROTOCOL],
  ['6.6', 'PUSH_PROMISE', [headers(1), raw(FRAME.PUSH_PROMISE, END_HEADERS, 1, '00000002 82')], PROTOCOL],
  ['6.7', 'PING on a stream', [raw(FRAME.PING, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.7', 'PING of a wrong size', [raw(FRAME.PING, 0, 0, '00000000000000')], SIZE],
  ['6.7', 'an answer to a PING that nobody sent', [raw(FRAME.PING, 1, 0, '0000000000000009'), ...whole(1)], '1 OK', 'GOAWAY INTERNAL_ERROR'],
  ['6.8', 'GOAWAY on a stream', [raw(FRAME.GOAWAY, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.8', 'GOAWAY of a wrong size', [raw(FRAME.GOAWAY, 0, 0, '00000000')], SIZE],
  ['6.9', 'WINDOW_UPDATE of a wrong size', [raw(FRAME.WINDOW_UPDATE, 0, 0, '000001')], SIZE],
  ['6.9', 'WINDOW_UPDATE of 0 for the connection', [grow(0, 0)], PROTOCOL],
  ['6.9', 'WINDOW_UPDATE of 0 for a stream', [headers(1), grow(1, 0)], MALFORMED, PROTOCOL],
  ['6.9.1', 'a window of the connection above 2^31 - 1', [grow(0, 2 ** 31 - 1)], FLOW],
  ['6.9.1', 'a window of a stream above 2^31 - 1', [headers(1), grow(1, 2 ** 31 - 1)], 'RST 1 FLOW_CONTROL_ERROR', FLOW],
  ['6.9.1', 'more DATA than the window of the stream', [headers(1), data(1, frameMessage(new Uint8Array(4e6), false).subarray(0, 500_000), 0), data(1, new Uint8Array(FRAME_BYTES), 0)], 'RST 1 FLOW_CONTROL_ERROR', ''],
  ['6.9.1', 'no window for the answer', [settings([4, 0]), ...whole(1)], '1 ...'],
  ['6.9.1', 'a window for a part of the answer', [settings([4, 0]), ...whole(1), grow(1, 3)], '1 ...'],
  ['6.9.1', 'a window that opens in parts', [settings([4, 0]), ...whole(1), grow(1, 3), grow(1, 40)], '1 OK'],
  ['6.9.2', 'a new initial window opens those of streams', [settings([4, 0]), ...whole(1), settings([4, 100])], '1 OK'],
  ['6.9.2', 'a window below 0 opens when it is above', [settings([4, 5]), ...whole(1), settings([4, 0]), grow(1, 5), grow(1, 40)], '1 OK'],
  ['6.9.2', 'a new initial window that makes one too large', [headers(1), grow(1, 2 ** 31 - 65_536), settings([4, 70_000])], FLOW],
  ['6.10', 'a header block in pieces', [headers(1, split.subarray(0, 3), 0), more(1, split.subarray(3, 4)), more(1, bytes('')), more(1, split.subarray(4), END_HEADERS), data(1)], '1 OK'],
  ['6.10', 'CONTINUATION of another stream', [headers(1, split, 0), more(3, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION behind a whole block', [headers(1), more(1, split, END_HEADERS)], PROTOCOL],

  ['8.1.1', 'content-length as the body', whole(1, call(EXPORT, ['content-length', '25'])), '1 OK'],
  ['8.1.1', 'content-length below the body', whole(1, call(EXPORT, ['content-length', '24'])), MALFORMED, 'GOAWAY INTERNAL_ERROR'],
  ['8.1.1', 'content-length above the body', whole(1, call(EXPORT, ['content-length', '26'])), MALFORMED],
  ['8.1.1', 'content-length that is no number', whole(1, call(EXPORT, ['content-length', '2x'])), MALFORMED],
  ['8.2', 'a name in upper case', whole(1, call(EXPORT, ['X-Y', 'z'])), MALFORMED],
  ['8.2.1', 'a name with a blank', whole(1, call(EXPORT, ['x y', 'z'])), MALFORMED, DROPPED],
  ['8.2.1', 'an empty name', whole(1, call(EXPORT, ['', 'z'])), MALFORMED, DROPPED],
  ['8.2.1', 'a value with a line feed', whole(1, call(EXPORT, ['x', 'a\nb'])), MALFORMED, DROPPED],
  ['8.2.1', 'a value with a NUL', whole(1, call(EXPORT, ['x', 'a\0b'])), MALFORMED, DROPPED],
  ['8.2.1', 'a value with a blank at its end', whole(1, call(EXPORT, ['x', 'a '])), MALFORMED, DROPPED],
  ['8.2.2', 'connection', whole(1, call(EXPORT, ['connection', 'close'])), MALFORMED],
  ['8.2.2', 'transfer-encoding', whole(1, call(EXPORT, ['transfer-encoding', 'chunked'])), MALFORMED],
  ['8.2.2', 'te with more than trailers', whole(1, [...without('te'), ['te', 'gzip']]), MALFORMED],
  ['8.3', 'an unknown pseudo-header', whole(1, [[':x', 'y'], ...call()]), MALFORMED],
  ['8.3', 'one of a response', whole(1, [[':status', '200'], ...call()]), MALFORMED],
  ['8.3', 'one behind a header', whole(1, call(EXPORT, [':authority', 'x'])), MALFORMED],
  ['8.3', 'one twice', whole(1, [[':method', 'POST'], ...call()]), MALFORMED],
  ['8.3', 'one in trailers', [headers(1), data(1, message, 0), headers(1, [[':path', '/']], END_ALL)], MALFORMED],
  ['8.3.1', 'no :method', whole(1, without(':method')), MALFORMED],
  ['8.3.1', 'no :scheme', whole(1, without(':scheme')), MALFORMED],
  ['8.3.1', 'no :path', whole(1, without(':path')), MALFORMED],
  ['8.3.1', 'an empty :path', whole(1, call('')), MALFORMED],
  ['10.5.1', 'more headers than we allow', whole(1, call(EXPORT, ...Array.from({ length: 6 }, (_, i) => [`x${i}`, 'y'.repeat(12_000)] as const))), 'RST 1 ENHANCE_YOUR_CALM', 'RST 1 ENHANCE_YOUR_CALM'],

  ['7541 2.3.2', 'a header from the dynamic table', [...whole(1, then('40 0178 0179')), ...whole(3, then('be'))], '1 OK, 3 OK'],
  ['7541 2.3.3', 'an index beyond both tables', [headers(1, after('ff 40'))], COMPRESSION],
  ['7541 4.2', 'a size update ahead of the block', whole(1, after('20 3fe11f')), '1 OK'],
  ['7541 4.2', 'a size update inside the block', [headers(1, then('20'))], COMPRESSION],
  ['7541 4.3', 'an entry that a smaller table lost', [...whole(1, then('40 0178 0179')), headers(3, after('20 be'))], '1 OK, GOAWAY COMPRESSION_ERROR', RACE],
  ['7541 4.4', 'an entry larger than the table', whole(1, Buffer.concat([bytes('21'), split, bytes('40 0178 0179')])), '1 OK'],
  ['7541 5.1', 'an integer in more octets than it needs', whole(1, Buffer.concat([split, bytes('00 7f 80 80 00'), Buffer.alloc(127, 'n'), bytes('00')])), '1 OK'],
  ['7541 5.1', 'an integer without end', [headers(1, after('ff ffffffff ffffffff'))], COMPRESSION],
  ['7541 5.1', 'an integer cut short', [headers(1, then('ff'))], COMPRESSION],
  ['7541 5.2', 'Huffman text', whole(1, Buffer.concat([split, bytes('00 82 f3 c7 84 25a8 49e9')]).subarray(0, split.length)), '1 OK'],
  ['7541 5.2', 'Huffman text with the padding of eight bits', [headers(1, then('00 0178 82 1fff'))], COMPRESSION],
  ['7541 5.2', 'Huffman text with a padding of zeros', [headers(1, then('00 0178 81 18'))], COMPRESSION],
  ['7541 5.2', 'Huffman text with an end-of-string symbol', [headers(1, then('00 0178 84 ffffffff'))], COMPRESSION],
  ['7541 5.2', 'a string cut short', [headers(1, then('00 0178 05 79'))], COMPRESSION],
  ['7541 6.1', 'index 0', [headers(1, then('80'))], COMPRESSION],
  ['7541 6.2.3', 'a header that is never indexed', whole(1, then('10 0178 0179')), '1 OK'],
  ['7541 6.3', 'a table larger than we allow', [headers(1, after('3fe2ff03'))], COMPRESSION],
]

/** The same for what comes in place of a preface and SETTINGS. */
const beginnings: readonly Row[] = [
  ['3.4', 'a preface in pieces', [...[...PREFACE].map((byte) => Uint8Array.of(byte)), settings()], ''],
  ['3.4', 'HTTP/1', [Buffer.from('GET / HTTP/1.1\r\nHost: plant.example\r\n\r\n')], PROTOCOL, 'GOAWAY INTERNAL_ERROR'],
  [
    '3.4',
    'a preface that ends wrong',
    [PREFACE.subarray(0, 23), bytes('00'), settings()],
    PROTOCOL,
    'GOAWAY INTERNAL_ERROR',
  ],
  ['3.4', 'a call ahead of SETTINGS', [PREFACE, ...whole(1)], PROTOCOL],
  ['3.4', 'an acknowledgement in place of SETTINGS', [PREFACE, raw(FRAME.SETTINGS, FLAG.ACK, 0)], PROTOCOL],
]

async function openDoor(t: TestContext, engine: GrpcEngine): Promise<{ server: GrpcServer; port: number }> {
  const held: GrpcCall[] = []
  const server = await createGrpcServer(
    {
      listen: { endpoint: '127.0.0.1:0', transport: 'tcp', secure: false },
      handlers: new Map([
        [EXPORT, (made: GrpcCall) => made.respond(new Uint8Array(2))],
        [HOLD, (made: GrpcCall) => held.push(made)],
      ]),
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

const door = async (t: TestContext, engine: GrpcEngine): Promise<number> => (await openDoor(t, engine)).port

const waitFor = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 1000 && !condition(); i++) await new Promise((resolve) => setTimeout(resolve, 2))
}

for (const engine of GRPC_ENGINES) {
  test(`${engine}: each frame or header block gets what the RFCs want`, async (t) => {
    const port = await door(t, engine)
    const start = [PREFACE, settings(), raw(FRAME.SETTINGS, FLAG.ACK, 0)]
    const wrong: string[] = []
    for (const row of [...rows, ...beginnings]) {
      const [section, what, sent, lean, node] = row
      if (engine !== 'lean' && row.length === 5 && node === RACE) continue
      const expected = engine === 'lean' ? lean : (node ?? lean)
      const peer = new Http2Peer(t, port)
      peer.send(...(beginnings.includes(row) ? [] : start), ...sent)
      const alive = await peer.settle()
      await waitFor(() => peer.outcome === expected)
      if (peer.outcome !== expected)
        wrong.push(`${section} ${what}: ${peer.outcome || 'nothing'}; ${expected || 'nothing'} was to come`)
      else if (!alive && !/GOAWAY|closed/.test(expected)) wrong.push(`${section} ${what}: no answer to a PING`)
      peer.socket.destroy()
    }
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
