// What a server must do by RFC 9113 (HTTP/2) and RFC 7541 (HPACK), a line each: the section, what a client sends after its
// preface and SETTINGS, and what must come back (test/support/http2-peer.ts says how to read it). Where the connection lives,
// it also answers a PING after it.
//
// Where node:http2 does something else, the last column says what, and why that may be.

import { frameMessage } from '../../src/net/grpc/framing.ts'
import { FLAG, FRAME, PREFACE, payloadFrame } from '../../src/net/http2/frame.ts'
import {
  block,
  bytes,
  call,
  data,
  EXPORT,
  type Fields,
  grow,
  headers,
  message,
  more,
  padded,
  raw,
  reset,
  settings,
} from './frames.ts'

const { END_STREAM, END_HEADERS, PADDED, PRIORITY } = FLAG
/** Its calls are not answered. */
export const HOLD = '/test.Service/Hold'
/** What the server announces. */
export const MAX_STREAMS = 3
const FRAME_BYTES = 1024 * 1024

// ---- words of the table

const LARGE = frameMessage(new Uint8Array(4e6), false)
const without = (name: string): Fields => call().filter(([is]) => is !== name)
const instead = (name: string, value: string): Fields =>
  call().map((field) => (field[0] === name ? [name, value] : field))
const whole = (id: number, fields?: Fields | Buffer): Buffer[] => [headers(id, fields), data(id)]
const split = block(call())
const END_ALL = END_STREAM | END_HEADERS
/** A usual block, and then these octets. */
const then = (octets: string): Buffer => Buffer.concat([split, bytes(octets)])
/** A block that begins with these octets and goes on as a usual call. */
const after = (octets: string): Buffer => Buffer.concat([bytes(octets), split])
const withPriority = (octets: string): Buffer => headers(1, after(octets), END_HEADERS | PRIORITY)

const PROTOCOL = 'GOAWAY PROTOCOL_ERROR'
const SIZE = 'GOAWAY FRAME_SIZE_ERROR'
const FLOW = 'GOAWAY FLOW_CONTROL_ERROR'
const CLOSED = 'GOAWAY STREAM_CLOSED'
const COMPRESSION = 'GOAWAY COMPRESSION_ERROR'
const MALFORMED = 'RST 1 PROTOCOL_ERROR'

// ---- what node:http2 does instead

interface Other {
  /** undefined: the table does not hold it to anything. */
  readonly back: string | undefined
  readonly why: string
}
const RACE: Other = { back: undefined, why: 'it depends on whether its answer or the next frame comes first' }
const stricter = (back: string): Other => ({ back, why: 'a stream error may be made a connection error (5.4.1)' })
const forgotten = (back: string): Other => ({ back, why: 'it keeps no memory of streams that have ended' })
const dropped: Other = { back: '1 OK', why: 'it leaves the field out and keeps the call' }
const unnamed: Other = {
  back: 'GOAWAY INTERNAL_ERROR',
  why: 'it does not tell what its parser found from its own faults',
}
const lax = (back: string): Other => ({ back, why: 'it does not look at this' })

export type Row = readonly [section: string, what: string, sent: readonly Uint8Array[], back: string, node?: Other]

// biome-ignore format: a line each
export const rows: readonly Row[] = [
  // ---- frames, and the blocks that several of them carry
  ['4.1', 'a frame of an unknown type', [raw(0xbb, 0xff, 1, '00'), ...whole(1)], '1 OK'],
  ['4.1', 'a large one, in the middle of a call', [headers(1), payloadFrame(0x20, 0, 1, new Uint8Array(100_000)), data(1)], '1 OK'],
  ['4.1', 'flags that mean nothing', [headers(1, call(), END_HEADERS | (0xd0 & ~PRIORITY & ~PADDED)), data(1, message, END_STREAM | (0xe0 & ~PADDED))], '1 OK'],
  ['4.1', 'the reserved bit of a stream id', [headers(0x80000001 | 0), data(0x80000001 | 0)], '1 OK'],
  ['4.2', 'a frame as large as SETTINGS_MAX_FRAME_SIZE', [headers(1), data(1, frameMessage(new Uint8Array(FRAME_BYTES - 5), false))], '1 OK'],
  ['4.2', 'DATA above SETTINGS_MAX_FRAME_SIZE', [headers(1), bytes('100001 00 00 00000001'), new Uint8Array(FRAME_BYTES + 1)], SIZE],
  ['4.2', 'HEADERS above it', [bytes('100001 01 04 00000001'), new Uint8Array(FRAME_BYTES + 1)], SIZE],
  ['4.2', 'an unknown frame above it', [bytes('100001 bb 00 00000000'), new Uint8Array(FRAME_BYTES + 1)], SIZE],
  ['4.3', 'a PING inside a header block', [headers(1, split, 0), raw(FRAME.PING, 0, 0, '0000000000000000')], PROTOCOL],
  ['4.3', 'an unknown frame inside a header block', [headers(1, split, 0), raw(0xbb, 0, 0)], PROTOCOL],
  ['4.3', 'another HEADERS inside a header block', [headers(1, split, 0), headers(3)], PROTOCOL],
  ['4.3', 'DATA inside a header block', [headers(1, split, 0), data(1)], PROTOCOL],
  ['4.3', 'RST_STREAM inside a header block', [headers(1, split, 0), reset(1)], PROTOCOL],

  // ---- states of streams
  ['5.1', 'idle: DATA', [data(1)], PROTOCOL],
  ['5.1', 'idle: RST_STREAM', [reset(1)], PROTOCOL],
  ['5.1', 'idle: WINDOW_UPDATE', [grow(1, 1)], PROTOCOL],
  ['5.1', 'idle: CONTINUATION', [more(1, split, END_HEADERS)], PROTOCOL],
  ['5.1', 'idle: PRIORITY is nothing', [raw(FRAME.PRIORITY, 0, 1, '0000000010'), ...whole(1)], '1 OK'],
  ['5.1', 'half-closed (remote): DATA', [...whole(1, call(HOLD)), data(1)], 'RST 1 STREAM_CLOSED', stricter(CLOSED)],
  ['5.1', 'half-closed (remote): HEADERS', [...whole(1, call(HOLD)), headers(1, [['x', 'y']], END_ALL)], 'RST 1 STREAM_CLOSED', stricter(CLOSED)],
  ['5.1', 'half-closed (remote): CONTINUATION', [...whole(1, call(HOLD)), more(1, split, END_HEADERS)], PROTOCOL],
  ['5.1', 'half-closed (remote): WINDOW_UPDATE, PRIORITY', [...whole(1, call(HOLD)), grow(1, 5), raw(FRAME.PRIORITY, 0, 1, '0000000010')], ''],
  ['5.1', 'half-closed (remote): RST_STREAM', [...whole(1, call(HOLD)), reset(1)], ''],
  ['5.1', 'half-closed (local): the rest of a refused request', [headers(1, call('/no')), data(1, message, 0), data(1)], '1 status 12'],
  ['5.1', 'closed by both: DATA', [...whole(1), data(1)], '1 OK, RST 1 STREAM_CLOSED', RACE],
  ['5.1', 'closed by both: HEADERS', [...whole(1), headers(1)], '1 OK, GOAWAY STREAM_CLOSED', RACE],
  ['5.1', 'closed by both: CONTINUATION', [...whole(1), more(1, split, END_HEADERS)], '1 OK, GOAWAY PROTOCOL_ERROR', RACE],
  ['5.1', 'closed by both: WINDOW_UPDATE, RST_STREAM, PRIORITY', [...whole(1), grow(1, 5), reset(1), raw(FRAME.PRIORITY, 0, 1, '0000000010')], '1 OK', RACE],
  ['5.1', 'reset by the client: DATA', [headers(1), reset(1), data(1)], 'RST 1 STREAM_CLOSED', forgotten('')],
  ['5.1', 'reset by the client: HEADERS', [headers(1), reset(1), headers(1)], CLOSED, forgotten('')],
  ['5.1', 'reset by the client: WINDOW_UPDATE, RST_STREAM, PRIORITY', [headers(1), reset(1), grow(1, 5), reset(1), raw(FRAME.PRIORITY, 0, 1, '0000000010')], ''],
  ['5.1', 'reset by the client: another call goes on', [headers(1), headers(3), reset(1), data(3)], '3 OK'],
  ['5.1', 'reset by the server: what was on its way', [headers(1, [...call(), ['A', 'b']]), data(1, message, 0), data(1), grow(1, 5), headers(1, [['x', 'y']], END_ALL)], MALFORMED],
  ['5.1.1', 'an even stream id', [headers(2)], PROTOCOL],
  ['5.1.1', 'a stream id lower than the last', [...whole(5), headers(3)], '5 OK, GOAWAY PROTOCOL_ERROR', forgotten('5 OK')],
  ['5.1.1', 'the highest stream id', whole(2 ** 31 - 1), '2147483647 OK'],
  ['5.1.2', 'one stream too many', [1, 3, 5, 7].map((id) => headers(id, call(HOLD))), 'RST 7 REFUSED_STREAM', stricter(PROTOCOL)],
  ['5.1.2', 'streams that have ended leave room', [1, 3, 5, 7].flatMap((id) => [headers(id, call(HOLD)), reset(id)]), ''],
  ['5.3.2', 'PRIORITY that depends on itself, which RFC 7540 did not want', [headers(1), raw(FRAME.PRIORITY, 0, 1, '0000000110'), data(1)], '1 OK'],
  ['5.3.2', 'HEADERS that depends on itself', [withPriority('0000000110'), data(1)], '1 OK', { back: PROTOCOL, why: 'it keeps to RFC 7540 5.3.1 here' }],

  // ---- frame by frame
  ['6.1', 'DATA on stream 0', [data(0)], PROTOCOL],
  ['6.1', 'DATA with padding', [headers(1), data(1, padded(message, 200), END_STREAM | PADDED)], '1 OK'],
  ['6.1', 'DATA of padding alone', [headers(1), data(1, padded(bytes(''), 9), PADDED), data(1)], '1 OK'],
  ['6.1', 'the shortest padding: its length alone', [headers(1), data(1, padded(message, 0), END_STREAM | PADDED)], '1 OK'],
  ['6.1', 'padding as long as its frame', [headers(1), data(1, bytes('02 00'), END_STREAM | PADDED)], PROTOCOL],
  ['6.1', 'padded, without a length', [headers(1), data(1, bytes(''), END_STREAM | PADDED)], SIZE, { back: PROTOCOL, why: 'both are wrong: no octet for the length, and a length above the frame' }],
  ['6.2', 'HEADERS on stream 0', [headers(0)], PROTOCOL],
  ['6.2', 'HEADERS with padding and priority', [headers(1, Buffer.concat([Uint8Array.of(4), bytes('0000000010'), split, new Uint8Array(4)]), END_HEADERS | PADDED | PRIORITY), data(1)], '1 OK'],
  ['6.2', 'padding longer than HEADERS', [headers(1, bytes('09 82'), END_HEADERS | PADDED)], PROTOCOL],
  ['6.2', 'padding that leaves no room for the priority', [headers(1, bytes('04 0000000010 0000'), END_HEADERS | PADDED | PRIORITY)], SIZE, { back: PROTOCOL, why: 'as above' }],
  ['6.2', 'no room for the priority', [headers(1, bytes('82'), END_HEADERS | PRIORITY)], SIZE],
  ['6.2', 'HEADERS that end the stream without a message', [headers(1, call(), END_ALL)], '1 status 13'],
  ['6.3', 'PRIORITY on stream 0', [raw(FRAME.PRIORITY, 0, 0, '0000000010')], PROTOCOL, lax('')],
  ['6.3', 'PRIORITY of a wrong size', [headers(1), raw(FRAME.PRIORITY, 0, 1, '00000000')], 'RST 1 FRAME_SIZE_ERROR', stricter(SIZE)],
  ['6.3', 'PRIORITY of a wrong size, for a stream that is idle', [raw(FRAME.PRIORITY, 0, 9, '00000000')], SIZE],
  ['6.4', 'RST_STREAM on stream 0', [reset(0)], PROTOCOL],
  ['6.4', 'RST_STREAM too short', [headers(1), raw(FRAME.RST_STREAM, 0, 1, '000008')], SIZE],
  ['6.4', 'RST_STREAM too long', [headers(1), raw(FRAME.RST_STREAM, 0, 1, '0000000008')], SIZE],
  ['6.4', 'RST_STREAM with a code that nobody knows', [headers(1), raw(FRAME.RST_STREAM, 0, 1, '000000ff'), ...whole(3)], '3 OK'],
  ['6.5', 'SETTINGS on a stream', [raw(FRAME.SETTINGS, 0, 1)], PROTOCOL],
  ['6.5', 'SETTINGS of a wrong size', [raw(FRAME.SETTINGS, 0, 0, '0001000010')], SIZE],
  ['6.5', 'an acknowledgement that says something', [raw(FRAME.SETTINGS, 1, 0, '000100001000')], SIZE],
  ['6.5', 'more settings than any client has', [settings(...Array.from({ length: 33 }, (): [number, number] => [4, 70_000]))], 'GOAWAY ENHANCE_YOUR_CALM'],
  ['6.5', 'as many as that, and they count', [settings(...Array.from({ length: 31 }, (): [number, number] => [4, 0]), [4, 100]), ...whole(1)], '1 OK'],
  ['6.5', 'SETTINGS without any', [settings(), ...whole(1)], '1 OK'],
  ['6.5.2', 'a setting that nobody knows', [settings([0xabc, 5]), ...whole(1)], '1 OK'],
  ['6.5.2', 'every setting at its least', [settings([1, 0], [2, 0], [3, 0], [4, 100], [5, 16_384], [6, 0]), ...whole(1)], '1 OK'],
  ['6.5.2', 'every setting at its most', [settings([1, 2 ** 32 - 1], [2, 1], [3, 2 ** 32 - 1], [4, 2 ** 31 - 1], [5, 2 ** 24 - 1], [6, 2 ** 32 - 1]), ...whole(1)], '1 OK'],
  ['6.5.2', 'ENABLE_PUSH of 2', [settings([2, 2])], PROTOCOL],
  ['6.5.2', 'INITIAL_WINDOW_SIZE of 2^31', [settings([4, 2 ** 31])], FLOW],
  ['6.5.2', 'MAX_FRAME_SIZE below 2^14', [settings([5, 16_383])], PROTOCOL],
  ['6.5.2', 'MAX_FRAME_SIZE of 2^24', [settings([5, 2 ** 24])], PROTOCOL],
  ['6.5.3', 'one setting twice: the last one counts', [settings([4, 0], [4, 100]), ...whole(1)], '1 OK'],
  ['6.6', 'PUSH_PROMISE', [headers(1), raw(FRAME.PUSH_PROMISE, END_HEADERS, 1, '00000002 82')], PROTOCOL],
  ['6.7', 'PING on a stream', [raw(FRAME.PING, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.7', 'PING of a wrong size', [raw(FRAME.PING, 0, 0, '00000000000000')], SIZE],
  ['6.7', 'an answer to a PING that nobody sent', [raw(FRAME.PING, 1, 0, '0000000000000009'), ...whole(1)], '1 OK', unnamed],
  ['6.8', 'GOAWAY on a stream', [raw(FRAME.GOAWAY, 0, 1, '0000000000000000')], PROTOCOL],
  ['6.8', 'GOAWAY of a wrong size', [raw(FRAME.GOAWAY, 0, 0, '00000000')], SIZE],
  ['6.8', 'GOAWAY: what runs is answered', [headers(1), raw(FRAME.GOAWAY, 0, 0, '0000000000000000 627965'), data(1)], '1 OK', RACE],
  ['6.9', 'WINDOW_UPDATE of a wrong size', [raw(FRAME.WINDOW_UPDATE, 0, 0, '000001')], SIZE],
  ['6.9', 'WINDOW_UPDATE of a wrong size for a stream', [headers(1), raw(FRAME.WINDOW_UPDATE, 0, 1, '0000000001')], SIZE],
  ['6.9', 'WINDOW_UPDATE of 0 for the connection', [grow(0, 0)], PROTOCOL],
  ['6.9', 'WINDOW_UPDATE of 0 for a stream', [headers(1), grow(1, 0)], MALFORMED, stricter(PROTOCOL)],
  ['6.9', 'the reserved bit of WINDOW_UPDATE', [settings([4, 0]), ...whole(1), grow(1, 0x80000064)], '1 OK'],
  ['6.9.1', 'a window of the connection above 2^31 - 1', [grow(0, 2 ** 31 - 1)], FLOW],
  ['6.9.1', 'a window of a stream above 2^31 - 1', [headers(1), grow(1, 2 ** 31 - 1)], 'RST 1 FLOW_CONTROL_ERROR', stricter(FLOW)],
  ['6.9.1', 'more DATA than the window of the stream', [headers(1), data(1, LARGE.subarray(0, 500_000), 0), data(1, LARGE.subarray(0, FRAME_BYTES), 0)], 'RST 1 FLOW_CONTROL_ERROR', lax('')],
  ['6.9.1', 'no window for the answer', [settings([4, 0]), ...whole(1)], '1 ...'],
  ['6.9.1', 'a window for a part of the answer', [settings([4, 0]), ...whole(1), grow(1, 3)], '1 ...'],
  ['6.9.1', 'a window that opens in parts', [settings([4, 0]), ...whole(1), grow(1, 3), grow(1, 40)], '1 OK'],
  ['6.9.2', 'a new initial window opens those of streams', [settings([4, 0]), ...whole(1), settings([4, 100])], '1 OK'],
  ['6.9.2', 'a window below 0 opens when it is above', [settings([4, 5]), ...whole(1), settings([4, 0]), grow(1, 5), grow(1, 40)], '1 OK'],
  ['6.9.2', 'a new initial window that makes one too large', [headers(1), grow(1, 2 ** 31 - 65_536), settings([4, 70_000])], FLOW],
  ['6.10', 'a header block in pieces', [headers(1, split.subarray(0, 3), 0), more(1, split.subarray(3, 4)), more(1, bytes('')), more(1, split.subarray(4), END_HEADERS), data(1)], '1 OK'],
  ['6.10', 'one that ends the stream', [headers(1, split.subarray(0, 3), END_STREAM), more(1, split.subarray(3), END_HEADERS)], '1 status 13'],
  ['6.10', 'CONTINUATION on stream 0', [headers(1, split, 0), more(0, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION of another stream', [headers(1, split, 0), more(3, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION behind a whole block', [headers(1), more(1, split, END_HEADERS)], PROTOCOL],
  ['6.10', 'CONTINUATION behind DATA', [headers(1), data(1, message, 0), more(1, split, END_HEADERS)], PROTOCOL],

  // ---- requests
  ['8.1', 'a request and its answer', whole(1), '1 OK'],
  ['8.1', 'a body in many frames', [headers(1), ...[...message].map((b) => data(1, Uint8Array.of(b), 0)), data(1, bytes(''))], '1 OK'],
  ['8.1', 'a request that trailers end', [headers(1), data(1, message, 0), headers(1, [['x', 'y']], END_ALL)], '1 OK'],
  ['8.1', 'calls side by side', [headers(1), headers(3), data(3), data(1)], '3 OK, 1 OK', RACE],
  ['8.1', 'trailers that do not end the stream', [headers(1), headers(1, [['x', 'y']])], MALFORMED],
  ['8.1.1', 'content-length as the body', whole(1, call(EXPORT, ['content-length', '25'])), '1 OK'],
  ['8.1.1', 'content-length as a body in two frames', [headers(1, call(EXPORT, ['content-length', '25'])), data(1, message.subarray(0, 9), 0), data(1, message.subarray(9))], '1 OK'],
  ['8.1.1', 'content-length as a body with padding', [headers(1, call(EXPORT, ['content-length', '25'])), data(1, padded(message, 30), END_STREAM | PADDED)], '1 OK'],
  ['8.1.1', 'content-length below the body', whole(1, call(EXPORT, ['content-length', '24'])), MALFORMED, unnamed],
  ['8.1.1', 'content-length above the body', whole(1, call(EXPORT, ['content-length', '26'])), MALFORMED],
  ['8.1.1', 'content-length above a body that trailers end', [headers(1, call(EXPORT, ['content-length', '26'])), data(1, message, 0), headers(1, [['x', 'y']], END_ALL)], MALFORMED],
  ['8.1.1', 'content-length without a body', [headers(1, call(EXPORT, ['content-length', '1']), END_ALL)], MALFORMED],
  ['8.1.1', 'content-length that is no number', whole(1, call(EXPORT, ['content-length', '2x'])), MALFORMED],
  ['8.1.1', 'content-length below 0', whole(1, call(EXPORT, ['content-length', '-25'])), MALFORMED],
  ['8.1.1', 'content-length twice, and not the same', whole(1, call(EXPORT, ['content-length', '25'], ['content-length', '26'])), MALFORMED],
  ['8.2', 'a name in upper case', whole(1, call(EXPORT, ['X-Y', 'z'])), MALFORMED],
  ['8.2', 'a name in upper case, in trailers', [headers(1), data(1, message, 0), headers(1, [['X', 'y']], END_ALL)], MALFORMED],
  ['8.2.1', 'a name with a blank', whole(1, call(EXPORT, ['x y', 'z'])), MALFORMED, dropped],
  ['8.2.1', 'a name with a colon', whole(1, call(EXPORT, ['x:y', 'z'])), MALFORMED, dropped],
  ['8.2.1', 'a name beyond ASCII', whole(1, then('00 01 ff 01 7a')), MALFORMED, dropped],
  ['8.2.1', 'an empty name', whole(1, call(EXPORT, ['', 'z'])), MALFORMED, dropped],
  ['8.2.1', 'an empty value', whole(1, call(EXPORT, ['x', ''])), '1 OK'],
  ['8.2.1', 'a value with a line feed', whole(1, call(EXPORT, ['x', 'a\nb'])), MALFORMED, dropped],
  ['8.2.1', 'a value with a carriage return', whole(1, call(EXPORT, ['x', 'a\rb'])), MALFORMED, dropped],
  ['8.2.1', 'a value with a NUL', whole(1, call(EXPORT, ['x', 'a\0b'])), MALFORMED, dropped],
  ['8.2.1', 'a value with a blank at its end', whole(1, call(EXPORT, ['x', 'a '])), MALFORMED, dropped],
  ['8.2.1', 'a value with a tab at its beginning', whole(1, call(EXPORT, ['x', '\ta'])), MALFORMED, dropped],
  ['8.2.1', 'a value with a blank and octets beyond ASCII inside', whole(1, call(EXPORT, ['x', 'a \u00e9'])), '1 OK'],
  ['8.2.2', 'connection', whole(1, call(EXPORT, ['connection', 'close'])), MALFORMED],
  ['8.2.2', 'keep-alive', whole(1, call(EXPORT, ['keep-alive', 'timeout=5'])), MALFORMED],
  ['8.2.2', 'proxy-connection', whole(1, call(EXPORT, ['proxy-connection', 'close'])), MALFORMED],
  ['8.2.2', 'transfer-encoding', whole(1, call(EXPORT, ['transfer-encoding', 'chunked'])), MALFORMED],
  ['8.2.2', 'upgrade', whole(1, call(EXPORT, ['upgrade', 'h2c'])), MALFORMED],
  ['8.2.2', 'te with more than trailers', whole(1, instead('te', 'gzip')), MALFORMED],
  ['8.2.2', 'te with trailers and more', whole(1, instead('te', 'trailers, gzip')), MALFORMED],
  ['8.2.3', 'cookies in crumbs', whole(1, call(EXPORT, ['cookie', 'a=b'], ['cookie', 'c=d'])), '1 OK'],
  ['8.3', 'an unknown pseudo-header', whole(1, [[':x', 'y'], ...call()]), MALFORMED],
  ['8.3', 'one of a response', whole(1, [[':status', '200'], ...call()]), MALFORMED],
  ['8.3', 'one behind a header', whole(1, [...without(':path'), [':path', EXPORT]]), MALFORMED],
  ['8.3', 'one twice', whole(1, [[':method', 'POST'], ...call()]), MALFORMED],
  ['8.3', 'one in trailers', [headers(1), data(1, message, 0), headers(1, [[':path', '/']], END_ALL)], MALFORMED],
  ['8.3.1', 'no :method', whole(1, without(':method')), MALFORMED],
  ['8.3.1', 'no :scheme', whole(1, without(':scheme')), MALFORMED],
  ['8.3.1', 'no :path', whole(1, without(':path')), MALFORMED],
  ['8.3.1', 'an empty :path', whole(1, call('')), MALFORMED],
  ['8.3.1', 'a :path that is no path', whole(1, call('*')), '1 status 12', { back: MALFORMED, why: 'it takes * with OPTIONS only' }],
  ['8.3.1', 'no :authority, and a host in its place', whole(1, [...without(':authority'), ['host', 'plant.example']]), '1 OK'],
  ['8.3.1', 'neither of them', whole(1, without(':authority')), MALFORMED],
  ['8.3.1', 'a host beside :authority', whole(1, call(EXPORT, ['host', 'plant.example'])), '1 OK'],
  ['8.5', 'CONNECT', whole(1, [[':method', 'CONNECT'], [':authority', 'plant.example:4317']]), '1 status 13'],
  ['8.5', 'CONNECT with a path', whole(1, instead(':method', 'CONNECT')), MALFORMED],
  ['10.5.1', 'more headers than we allow', whole(1, call(EXPORT, ...Array.from({ length: 6 }, (_, i) => [`x${i}`, 'y'.repeat(12_000)] as const))), 'RST 1 ENHANCE_YOUR_CALM'],
  ['10.5.1', 'more header fields than we allow', whole(1, call(EXPORT, ...Array.from({ length: 150 }, (_, i) => [`x${i}`, 'y'] as const))), 'RST 1 ENHANCE_YOUR_CALM'],
  ['10.5.1', 'trailers with more headers than we allow', [headers(1), data(1, message, 0), headers(1, Array.from({ length: 6 }, (_, i) => [`x${i}`, 'y'.repeat(12_000)] as const), END_ALL)], 'RST 1 ENHANCE_YOUR_CALM'],
  ['10.5.1', 'a header block that goes on in frame after frame', [headers(1, split, 0), ...Array.from({ length: 80 }, () => more(1, bytes('00 0178 0179')))], 'GOAWAY ENHANCE_YOUR_CALM', { back: 'GOAWAY INTERNAL_ERROR', why: unnamed.why }],

  // ---- HPACK, as far as a connection shows it; test/conformance/hpack.test.ts has the rest
  ['7541 2.3.2', 'a header from the dynamic table', [...whole(1, then('40 0178 0179')), ...whole(3, then('be'))], '1 OK, 3 OK'],
  ['7541 2.3.2', 'the table of a connection grows with trailers too', [headers(1), data(1, message, 0), headers(1, bytes('40 0178 0179'), END_ALL), ...whole(3, then('be'))], '1 OK, 3 OK'],
  ['7541 2.3.2', 'and with the headers of a call that is malformed', [headers(1, Buffer.concat([bytes('40 0141 0179'), split])), ...whole(3, then('40 0178 017a')), ...whole(5, then('be'))], 'RST 1 PROTOCOL_ERROR, 3 OK, 5 OK', RACE],
  ['7541 2.3.3', 'an index beyond both tables', [headers(1, after('ff 40'))], COMPRESSION],
  ['7541 4.2', 'a size update ahead of the block', whole(1, after('20 3fe11f')), '1 OK'],
  ['7541 4.2', 'a size update inside the block', [headers(1, then('20'))], COMPRESSION],
  ['7541 4.3', 'an entry that a smaller table lost', [...whole(1, then('40 0178 0179')), headers(3, after('20 be'))], '1 OK, GOAWAY COMPRESSION_ERROR', RACE],
  ['7541 4.4', 'an entry larger than the table', whole(1, Buffer.concat([bytes('21'), split, bytes('40 0178 0179')])), '1 OK'],
  ['7541 5.1', 'an integer in more octets than it needs', whole(1, Buffer.concat([split, bytes('00 7f 80 80 00'), Buffer.alloc(127, 'n'), bytes('00')])), '1 OK'],
  ['7541 5.1', 'an integer without end', [headers(1, after('ff ffffffff ffffffff'))], COMPRESSION],
  ['7541 5.1', 'an integer cut short', [headers(1, then('ff'))], COMPRESSION],
  ['7541 5.2', 'Huffman text', whole(1, then('00 88 25a849e95ba97d7f 89 25a849e95bb8e8b4bf')), '1 OK'],
  ['7541 5.2', 'Huffman text with the padding of eight bits', [headers(1, then('00 0178 82 1fff'))], COMPRESSION],
  ['7541 5.2', 'Huffman text with a padding of zeros', [headers(1, then('00 0178 81 18'))], COMPRESSION],
  ['7541 5.2', 'Huffman text with an end-of-string symbol', [headers(1, then('00 0178 84 ffffffff'))], COMPRESSION],
  ['7541 5.2', 'a string cut short', [headers(1, then('00 0178 05 79'))], COMPRESSION],
  ['7541 6.1', 'index 0', [headers(1, then('80'))], COMPRESSION],
  ['7541 6.2.3', 'a header that is never indexed', whole(1, then('10 0178 0179')), '1 OK'],
  ['7541 6.3', 'a table larger than we allow', [headers(1, after('3fe2ff03'))], COMPRESSION],
]

/** The same for what comes in place of a preface and SETTINGS. */
// biome-ignore format: a line each
export const beginnings: readonly Row[] = [
  ['3.4', 'a preface in pieces', [...[...PREFACE].map((byte) => Uint8Array.of(byte)), settings()], ''],
  ['3.4', 'HTTP/1', [Buffer.from('GET / HTTP/1.1\r\nHost: plant.example\r\n\r\n')], PROTOCOL, unnamed],
  ['3.4', 'a preface that ends wrong', [PREFACE.subarray(0, 23), bytes('00'), settings()], PROTOCOL, unnamed],
  ['3.4', 'a call ahead of SETTINGS', [PREFACE, ...whole(1)], PROTOCOL],
  ['3.4', 'a PING ahead of SETTINGS', [PREFACE, raw(FRAME.PING, 0, 0, '0000000000000000')], PROTOCOL],
  ['3.4', 'an unknown frame ahead of SETTINGS', [PREFACE, raw(0xbb, 0, 0)], PROTOCOL],
  ['3.4', 'an acknowledgement in place of SETTINGS', [PREFACE, raw(FRAME.SETTINGS, FLAG.ACK, 0)], PROTOCOL],
  ['3.4', 'a call with the SETTINGS, ahead of ours', [PREFACE, settings(), ...whole(1)], '1 OK'],
]
