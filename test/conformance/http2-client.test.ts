// What a client must do by RFC 9113 with what a server sends, a line each: the section, the frames that come after the server's
// SETTINGS while two calls are under way (streams 1 and 3), and what comes of them: how the calls end, and what goes back.
//
//   1 OK    1 INTERNAL    the call on stream 1 ended with this code; a call that is not named still waits
//   RST 1 PROTOCOL_ERROR  GOAWAY PROTOCOL_ERROR    as they are sent back; the connection ends with the latter
//   again 1               the call is to be sent again, on another connection

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { UnaryCall } from '../../src/net/grpc/client-call.ts'
import { frameMessage } from '../../src/net/grpc/framing.ts'
import { ClientSession } from '../../src/net/http2/client-session.ts'
import { FLAG, FRAME, FrameReader, H2_ERROR, PREFACE, payloadFrame, readU32 } from '../../src/net/http2/frame.ts'
import { GRPC } from '../../src/net/status.ts'
import { MemorySocket } from '../fuzz/http2-peer.ts'
import { block, bytes, call, data, type Fields, grow, headers, more, padded, raw, reset, settings } from './frames.ts'

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = FLAG
const END_ALL = END_STREAM | END_HEADERS
const HEAD: Fields = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
]
const OK: Fields = [['grpc-status', '0']]
const head = (id: number, flags?: number): Buffer => headers(id, HEAD, flags)
const message = frameMessage(new Uint8Array(2), false)
const answer = (id: number): Buffer[] => [head(id), data(id, message, 0), headers(id, OK, END_ALL)]
const split = block(HEAD)
const goaway = (lastId: number, code: number): Buffer =>
  payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0, 0, 0, lastId, 0, 0, 0, code]))
const then = (octets: string): Buffer => headers(1, Buffer.concat([split, bytes(octets)]))
/** Octets of DATA in frames of the largest size. */
const flood = (id: number, length: number): Buffer[] =>
  Array.from({ length: Math.ceil(length / 16_384) }, () => data(id, new Uint8Array(16_384), 0))

/** The connection ends, and both calls with it. */
const ends = (code: string): string => `1 UNAVAILABLE, 3 UNAVAILABLE, GOAWAY ${code}`
/** An answer that is malformed ends its call alone. */
const BAD = '1 INTERNAL, RST 1 PROTOCOL_ERROR'
const PROTOCOL = ends('PROTOCOL_ERROR')
const SIZE = ends('FRAME_SIZE_ERROR')
const FLOW = ends('FLOW_CONTROL_ERROR')
const COMPRESSION = ends('COMPRESSION_ERROR')

type Row = readonly [section: string, what: string, sent: readonly Uint8Array[], outcome: string]

// biome-ignore format: a line each
const ROWS: readonly Row[] = [
  ['8.1', 'two answers', [...answer(1), ...answer(3)], '1 OK, 3 OK'],
  ['8.1', 'two answers, frame by frame in turn', [head(3), head(1), data(1, message, 0), data(3, message, 0), headers(1, OK, END_ALL), headers(3, OK, END_ALL)], '1 OK, 3 OK'],
  ['8.1', 'trailers alone', [headers(1, [...HEAD, ...OK], END_ALL)], '1 OK'],
  ['8.1', 'informational headers ahead of an answer', [headers(1, [[':status', '103']]), headers(1, [[':status', '100']]), ...answer(1)], '1 OK'],
  ['8.1', 'informational headers that end the stream', [headers(1, [[':status', '103']], END_ALL), ...answer(3)], '1 INTERNAL, 3 OK'],
  ['8.1', 'informational headers behind the headers', [head(1), headers(1, [[':status', '103']])], BAD],
  ['8.1', 'DATA ahead of the headers', [data(1, message, 0), ...answer(1), ...answer(3)], `${BAD}, 3 OK`],
  ['8.1', 'DATA between informational headers and those of the answer', [headers(1, [[':status', '103']]), data(1, message, 0), ...answer(1)], BAD],
  ['8.1', 'headers behind the headers', [head(1), head(1)], BAD],
  ['8.1', 'headers of an answer as its trailers', [head(1), data(1, message, 0), headers(1, [...HEAD, ...OK], END_ALL)], '1 INTERNAL'],
  ['8.1', 'trailers that do not end the stream', [head(1), data(1, message, 0), headers(1, OK)], BAD],
  ['8.1', 'the end of a stream with DATA: no trailers', [head(1), data(1, message)], '1 UNKNOWN'],
  ['8.3.2', 'an answer without :status', [headers(1, OK, END_ALL)], '1 INTERNAL'],
  ['8.3.2', 'the same, and more to come', [headers(1, OK)], BAD],
  ['8.3.2', 'a :status that is none', [headers(1, [[':status', '2x0'], ...OK])], BAD],
  ['8.3.2', ':status twice', [headers(1, [[':status', '200'], ...HEAD, ...OK])], BAD],
  ['8.1.1', 'content-length as the body', [headers(1, [...HEAD, ['content-length', '7']]), data(1, message.subarray(0, 3), 0), data(1, padded(message.subarray(3), 9), PADDED), headers(1, OK, END_ALL)], '1 OK'],
  ['8.1.1', 'content-length above the body', [headers(1, [...HEAD, ['content-length', '8']]), data(1, message, 0), headers(1, OK, END_ALL)], '1 INTERNAL'],
  ['8.1.1', 'content-length below the body, of a page', [headers(1, [[':status', '503'], ['content-length', '6']]), data(1, message), ...answer(3)], '1 INTERNAL, 3 OK'],
  ['8.1.1', 'content-length of a page', [headers(1, [[':status', '503'], ['content-length', '7']]), data(1, message)], '1 UNAVAILABLE'],
  ['8.1.1', 'content-length without a body', [headers(1, [...HEAD, ...OK, ['content-length', '1']], END_ALL)], '1 INTERNAL'],
  ['8.2', 'a name in upper case', [headers(1, [...HEAD, ['X-Y', 'z']]), ...answer(3)], `${BAD}, 3 OK`],
  ['8.2', 'a name in upper case, in trailers', [head(1), data(1, message, 0), headers(1, [...OK, ['X', 'y']], END_ALL)], '1 INTERNAL'],
  ['8.2.1', 'a name with a blank', [headers(1, [...HEAD, ['x y', 'z']])], BAD],
  ['8.2.1', 'a value with a line feed', [headers(1, [...HEAD, ['x', 'a\nb']])], BAD],
  ['8.2.1', 'a value with a NUL', [headers(1, [...HEAD, ['x', 'a\0b']])], BAD],
  ['8.2.1', 'a value with a blank at its end, as gRPC has them', [headers(1, [...HEAD, ['grpc-status', '14'], ['grpc-message', 'later: ']], END_ALL)], '1 UNAVAILABLE'],
  ['8.2.2', 'connection', [headers(1, [...HEAD, ['connection', 'close']])], BAD],
  ['8.2.2', 'transfer-encoding', [headers(1, [...HEAD, ['transfer-encoding', 'chunked']])], BAD],
  ['8.3', 'an unknown pseudo-header', [headers(1, [[':x', 'y'], ...HEAD])], BAD],
  ['8.3', 'one of a request', [headers(1, [[':path', '/'], ...HEAD])], BAD],
  ['8.3', 'one behind a header', [headers(1, [['x', 'y'], ...HEAD])], BAD],
  ['8.3', 'one in trailers', [head(1), data(1, message, 0), headers(1, [[':path', '/'], ...OK], END_ALL)], '1 INTERNAL'],

  ['4.1', 'a frame of an unknown type', [raw(0xbb, 0xff, 1, '00'), raw(0xbb, 0, 0), ...answer(1)], '1 OK'],
  ['4.1', 'the reserved bit of a stream id', [headers(0x80000001 | 0, [...HEAD, ...OK], END_ALL)], '1 OK'],
  ['4.2', 'a frame above the size that we take', [bytes('004001 00 00 00000001')], SIZE],
  ['4.3', 'a PING inside a header block', [head(1, 0), raw(FRAME.PING, 0, 0, '0000000000000000')], PROTOCOL],
  ['4.3', 'an unknown frame inside a header block', [head(1, 0), raw(0xbb, 0, 1)], PROTOCOL],
  ['4.3', 'DATA inside a header block', [head(1, 0), data(1)], PROTOCOL],
  ['5.1', 'idle: DATA', [data(5)], PROTOCOL],
  ['5.1', 'idle: HEADERS', [head(5)], PROTOCOL],
  ['5.1', 'idle: RST_STREAM', [reset(5)], PROTOCOL],
  ['5.1', 'idle: WINDOW_UPDATE', [grow(5, 1)], PROTOCOL],
  ['5.1', 'idle: PRIORITY is nothing', [raw(FRAME.PRIORITY, 0, 5, '0000000010'), ...answer(1)], '1 OK'],
  ['5.1', 'closed: whatever was on its way', [...answer(1), data(1), headers(1, OK, END_ALL), grow(1, 1), reset(1), ...answer(3)], '1 OK, 3 OK'],
  ['5.1.1', 'a stream that a server began', [head(2)], PROTOCOL],
  ['6.1', 'DATA on stream 0', [data(0)], PROTOCOL],
  ['6.1', 'DATA with padding', [head(1), data(1, padded(message, 200), PADDED), headers(1, OK, END_ALL)], '1 OK'],
  ['6.1', 'DATA of padding alone', [head(1), data(1, padded(bytes(''), 9), PADDED), data(1, message, 0), headers(1, OK, END_ALL)], '1 OK'],
  ['6.1', 'padding as long as its frame', [head(1), data(1, bytes('02 00'), PADDED)], PROTOCOL],
  ['6.1', 'padded, without a length', [head(1), data(1, bytes(''), PADDED)], SIZE],
  ['6.2', 'HEADERS on stream 0', [head(0)], PROTOCOL],
  ['6.2', 'HEADERS with padding and priority', [headers(1, Buffer.concat([Uint8Array.of(4), bytes('0000000010'), block([...HEAD, ...OK]), new Uint8Array(4)]), END_ALL | PADDED | PRIORITY)], '1 OK'],
  ['6.2', 'padding longer than HEADERS', [headers(1, bytes('09 88'), END_HEADERS | PADDED)], PROTOCOL],
  ['6.2', 'no room for the priority', [headers(1, bytes('88'), END_HEADERS | PRIORITY)], SIZE],
  ['6.3', 'PRIORITY on stream 0', [raw(FRAME.PRIORITY, 0, 0, '0000000010')], PROTOCOL],
  ['6.3', 'PRIORITY of a wrong size', [raw(FRAME.PRIORITY, 0, 1, '00')], '1 INTERNAL, RST 1 FRAME_SIZE_ERROR'],
  ['6.4', 'RST_STREAM', [reset(1), ...answer(3)], '1 CANCELLED, 3 OK'],
  ['6.4', 'RST_STREAM with NO_ERROR behind a whole answer', [...answer(1), raw(FRAME.RST_STREAM, 0, 1, '00000000')], '1 OK'],
  ['6.4', 'RST_STREAM with NO_ERROR and no answer', [raw(FRAME.RST_STREAM, 0, 1, '00000000')], '1 INTERNAL'],
  ['6.4', 'RST_STREAM inside an answer', [head(1), data(1, message, 0), reset(1), ...answer(3)], '1 CANCELLED, 3 OK'],
  ['6.4', 'RST_STREAM on stream 0', [reset(0)], PROTOCOL],
  ['6.4', 'RST_STREAM of a wrong size', [raw(FRAME.RST_STREAM, 0, 1, '000008')], SIZE],
  ['6.5', 'SETTINGS on a stream', [raw(FRAME.SETTINGS, 0, 1)], PROTOCOL],
  ['6.5', 'SETTINGS of a wrong size', [raw(FRAME.SETTINGS, 0, 0, '0001000010')], SIZE],
  ['6.5', 'an acknowledgement that says something', [raw(FRAME.SETTINGS, FLAG.ACK, 0, '000100001000')], SIZE],
  ['6.5', 'more settings than any server has', [settings(...Array.from({ length: 33 }, (): [number, number] => [4, 70_000]))], ends('ENHANCE_YOUR_CALM')],
  ['6.5.2', 'a setting that nobody knows', [settings([0xabc, 5]), ...answer(1)], '1 OK'],
  ['6.5.2', 'ENABLE_PUSH of 0', [settings([2, 0]), ...answer(1)], '1 OK'],
  ['6.5.2', 'ENABLE_PUSH of 1', [settings([2, 1])], PROTOCOL],
  ['6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', [settings([4, 2 ** 31])], FLOW],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', [settings([5, 16_383])], PROTOCOL],
  ['6.5.2', 'MAX_FRAME_SIZE of 2^24', [settings([5, 2 ** 24])], PROTOCOL],
  ['6.6', 'PUSH_PROMISE', [raw(FRAME.PUSH_PROMISE, END_HEADERS, 1, '00000002 82')], PROTOCOL],
  ['6.7', 'PING on a stream', [raw(FRAME.PING, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.7', 'PING of a wrong size', [raw(FRAME.PING, 0, 0, '00')], SIZE],
  ['6.7', 'an answer to a PING that nobody sent', [raw(FRAME.PING, FLAG.ACK, 0, '0000000000000009'), ...answer(1)], '1 OK'],
  ['6.8', 'GOAWAY that names the last stream', [goaway(1, 0), ...answer(1)], 'again 3, 1 OK, GOAWAY NO_ERROR'],
  ['6.8', 'GOAWAY that names none', [goaway(0, 2)], 'again 1, again 3, GOAWAY NO_ERROR'],
  ['6.8', 'a second GOAWAY, which names fewer streams', [goaway(3, 0), goaway(1, 0), ...answer(1)], 'again 3, 1 OK, GOAWAY NO_ERROR'],
  ['6.8', 'GOAWAY with an error: what it names may still be answered', [goaway(3, 2), ...answer(1), ...answer(3)], '1 OK, 3 OK, GOAWAY NO_ERROR'],
  ['6.8', 'GOAWAY on a stream', [raw(FRAME.GOAWAY, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.8', 'GOAWAY of a wrong size', [raw(FRAME.GOAWAY, 0, 0, '00000000')], SIZE],
  ['6.9', 'WINDOW_UPDATE of a wrong size', [raw(FRAME.WINDOW_UPDATE, 0, 0, '000001')], SIZE],
  ['6.9', 'WINDOW_UPDATE of 0 for the connection', [grow(0, 0)], PROTOCOL],
  ['6.9', 'WINDOW_UPDATE of 0 for a stream', [grow(1, 0), ...answer(3)], '1 INTERNAL, RST 1 PROTOCOL_ERROR, 3 OK'],
  ['6.9.1', 'a window of the connection above 2^31 - 1', [grow(0, 2 ** 31 - 1)], FLOW],
  ['6.9.1', 'a window of a stream above 2^31 - 1', [grow(1, 2 ** 31 - 1), ...answer(3)], '1 INTERNAL, RST 1 FLOW_CONTROL_ERROR, 3 OK'],
  ['6.9.1', 'more of an answer than we take', [head(1), ...flood(1, 5_000_000), ...answer(3)], '1 RESOURCE_EXHAUSTED, RST 1 CANCEL, 3 OK'],
  ['6.9.2', 'a new initial window that makes one too large', [grow(1, 2 ** 31 - 65_536), settings([4, 70_000])], FLOW],
  ['6.10', 'a header block in pieces', [headers(1, split.subarray(0, 3), 0), more(1, bytes('')), more(1, split.subarray(3), END_HEADERS), data(1, message, 0), headers(1, OK, END_ALL)], '1 OK'],
  ['6.10', 'CONTINUATION of another stream', [head(1, 0), more(3, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION alone', [more(1, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION behind a whole block', [head(1), more(1, split, END_HEADERS)], PROTOCOL],
  ['8.7', 'REFUSED_STREAM', [raw(FRAME.RST_STREAM, 0, 1, '00000007'), ...answer(3)], 'again 1, 3 OK'],
  ['8.7', 'REFUSED_STREAM behind informational headers', [headers(1, [[':status', '103']]), raw(FRAME.RST_STREAM, 0, 1, '00000007')], 'again 1'],
  ['8.7', 'REFUSED_STREAM behind the beginning of an answer', [head(1), raw(FRAME.RST_STREAM, 0, 1, '00000007')], '1 UNAVAILABLE'],
  ['gRPC', 'a page with the trailers of an answer', [headers(1, [[':status', '200'], ['content-type', 'text/html']]), data(1, message, 0), headers(1, OK, END_ALL)], '1 UNKNOWN'],
  ['10.5.1', 'a header block that goes on in frame after frame', [head(1, 0), ...Array.from({ length: 80 }, () => more(1, bytes('00 0178 0179')))], ends('ENHANCE_YOUR_CALM')],

  ['7541 2.3.2', 'the table of a connection grows with the headers of a call that has ended', [...answer(1), headers(1, bytes('40 0178 0179'), END_ALL), headers(3, Buffer.concat([block([...HEAD, ...OK]), bytes('be')]), END_ALL)], '1 OK, 3 OK'],
  ['7541 2.3.3', 'an index beyond both tables', [then('be')], COMPRESSION],
  ['7541 4.2', 'a size update inside the block', [then('20')], COMPRESSION],
  ['7541 5.1', 'an integer without end', [then('ff ffffffff ffffffff')], COMPRESSION],
  ['7541 5.2', 'an end-of-string symbol', [then('00 0178 84 ffffffff')], COMPRESSION],
  ['7541 6.1', 'index 0', [then('80')], COMPRESSION],
  ['7541 6.3', 'a table larger than we allow', [headers(1, bytes('3fe2ff03'))], COMPRESSION],
]

/** What comes in place of SETTINGS: no call has begun. */
// biome-ignore format: a line each
const BEGINNINGS: readonly Row[] = [
  ['3.4', 'a PING ahead of SETTINGS', [raw(FRAME.PING, 0, 0, '0000000000000000')], 'GOAWAY PROTOCOL_ERROR'],
  ['3.4', 'an acknowledgement in place of SETTINGS', [raw(FRAME.SETTINGS, FLAG.ACK, 0)], 'GOAWAY PROTOCOL_ERROR'],
  ['3.4', 'HTTP/1', [Buffer.from('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n')], 'GOAWAY FRAME_SIZE_ERROR'],
  ['6.5.2', 'no streams at all', [settings([3, 0])], ''],
]

const nameOf = (names: Readonly<Record<string, number>>, code: number): string =>
  Object.entries(names).find(([, value]) => value === code)?.[0] ?? String(code)

/** Sends frames to a client with two calls under way, and tells what came of them. */
async function outcomeOf(sent: readonly Uint8Array[], greeting: Uint8Array | undefined): Promise<string> {
  const told: string[] = []
  const socket = new MemorySocket()
  const session = new ClientSession(socket as unknown as Socket, {
    onOpen() {},
    onRoom() {},
    onDraining() {},
    onCancelled() {},
    onClosed() {},
  })
  const list = call()
  if (greeting !== undefined) {
    session.received(greeting)
    for (const id of [1, 3])
      new UnaryCall(
        list,
        [new Uint8Array(5)],
        5,
        undefined,
        () => told.push(`again ${id}`),
        () => told.push(`${id} OK`),
        (error) => told.push(`${id} ${nameOf(GRPC, error.code)}`),
      ).start(session)
  }
  const written = new FrameReader((type, _, id, octets, from) => {
    if (type === FRAME.RST_STREAM) told.push(`RST ${id} ${nameOf(H2_ERROR, readU32(octets, from))}`)
    if (type === FRAME.GOAWAY) told.push(`GOAWAY ${nameOf(H2_ERROR, readU32(octets, from + 4))}`)
  })
  let preface = PREFACE.length
  for (const frame of sent) {
    session.received(frame)
    await turn()
    for (const chunk of socket.chunks.splice(0)) {
      const skip = Math.min(preface, chunk.length)
      preface -= skip
      written.push(chunk.subarray(skip))
    }
  }
  socket.destroy()
  return told.join(', ')
}

for (const [rows, greeting] of [
  [ROWS, settings()],
  [BEGINNINGS, undefined],
] as const)
  for (const [section, what, sent, outcome] of rows)
    test(`${section}: ${what}`, async () => {
      assert.equal(await outcomeOf(sent, greeting), outcome)
    })
