// Bad input: each row gets its answer, is counted, and a good client on a connection of its own notices nothing.

import assert from 'node:assert/strict'
import { connect as connectTcp } from 'node:net'
import { status } from '@grpc/grpc-js'
import { both, client, code, onEngines, raw, spans, TRACES } from '../../../test/support/otlp-grpc-door.ts'
import { until } from '../../../test/support/until.ts'
import { compress } from '../../net/compression.ts'
import { frameMessage } from '../../net/grpc/framing.ts'
import type { Batch } from '../../otlp/batch.ts'

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
