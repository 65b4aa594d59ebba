// The gRPC door and a client that sends anything: whole connections, with calls under way, without a network.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ByteBudget } from '../../src/net/byte-budget.ts'
import type { GrpcCall, GrpcServerOptions } from '../../src/net/grpc/engine.ts'
import { Door } from '../../src/net/grpc/lean-door.ts'
import { FLAG, FRAME, FrameReader, H2_ERROR, PREFACE, readU32, settingsFrame } from '../../src/net/http2/frame.ts'
import { HpackDecoder } from '../../src/net/http2/hpack.ts'
import { UnpackLine } from '../../src/net/unpack-line.ts'
import { fuzz } from './harness.ts'
import { assertHoldsLittle, MemorySocket } from './http2-peer.ts'

const PREFIX = Buffer.concat([PREFACE, settingsFrame([])])

interface Stage {
  readonly socket: MemorySocket
  readonly budget: ByteBudget
  readonly held: GrpcCall[]
  readonly door: Door
  receive(chunk: Uint8Array): void
}

/** One connection. Calls of /a are answered at once, those of /b are held, those of /c refused. */
function stage(reads = true): Stage {
  const budget = new ByteBudget(8 * 1024 * 1024, { perRequest: 4096 })
  const held: GrpcCall[] = []
  const options: GrpcServerOptions = {
    listen: { endpoint: '', transport: 'tcp', secure: false },
    handlers: new Map([
      ['/a', (call: GrpcCall) => call.respond(new Uint8Array(2))],
      ['/b', (call: GrpcCall) => held.push(call)],
      ['/c', (call: GrpcCall) => call.fail(14, 'no', 1000)],
    ]),
    maxMessageBytes: 100_000,
    maxConcurrentStreams: 8,
    maxConnections: 1,
    handshakeMs: 1e9,
    bodySilenceMs: 1e9,
    requestMs: 1e9,
    keepalive: {
      maxConnectionIdleMs: 0,
      maxConnectionAgeMs: 0,
      maxConnectionAgeGraceMs: 0,
      timeMs: 1e9,
      timeoutMs: 1e9,
      minTimeMs: 0,
      permitWithoutStream: true,
    },
    budget,
    unpacking: new UnpackLine({ maxWaiting: 16, bytesPerTurn: 1e9 }),
    random: () => 0.5,
    encodeStatus: () => new Uint8Array(3),
    onRefused: () => {},
    onError: (error) => assert.fail(error),
  }
  const socket = new MemorySocket(reads)
  const door = new Door(options)
  const client = door.enter(socket as unknown as Socket)
  return { socket, budget, held, door, receive: (chunk) => client.session.received(chunk) }
}

/** What the door said, frame for frame; throws where it broke the rules itself. */
function readAnswers(chunks: readonly Uint8Array[]): string[] {
  const said: string[] = []
  const ended = new Set<number>()
  const decoder = new HpackDecoder()
  let goneAway = false
  new FrameReader((type, flags, id, bytes, from, to) => {
    assert.equal(goneAway, false, 'a frame behind the last GOAWAY')
    if (type === FRAME.HEADERS) {
      const fields: string[] = []
      decoder.decode(bytes, from, to, (name, value) => fields.push(`${name}=${value}`))
      said.push(`HEADERS ${id} ${fields.join(' ')}`)
    } else if (type === FRAME.GOAWAY) {
      goneAway = readU32(bytes, from + 4) !== H2_ERROR.NO_ERROR
      said.push(`GOAWAY ${readU32(bytes, from + 4)}`)
    } else if (type === FRAME.RST_STREAM) said.push(`RST ${id} ${readU32(bytes, from)}`)
    else if (type !== FRAME.WINDOW_UPDATE) said.push(`${type} ${flags} ${id} ${to - from}`)
    if (type === FRAME.HEADERS || type === FRAME.DATA) {
      assert.equal(ended.has(id), false, `a frame of stream ${id}, which had ended`)
      if ((flags & FLAG.END_STREAM) !== 0) ended.add(id)
    }
  }).push(Buffer.concat(chunks))
  return said
}

/** What the door writes of its own accord: the greeting, GOAWAY with its words. */
const OWN_BYTES = 500

test('whatever frames a client sends, however cut: nothing throws, what comes back keeps the rules, all bytes are given back', async () => {
  const seen = new Map<string, number>()
  await fuzz({
    name: 'http2-server',
    inputs: 2500,
    async run(bytes) {
      const outcomes: string[] = []
      for (const most of [Number.POSITIVE_INFINITY, 1 + (bytes.length % 20)]) {
        const { socket, budget, held, door, receive } = stage()
        receive(PREFIX)
        for (let at = 0; at < bytes.length; at += most) {
          const chunk = bytes.slice(at, at + most)
          receive(chunk)
          chunk.fill(0xff) // nothing of a chunk is kept
        }
        await turn()
        const said = readAnswers(socket.chunks)
        outcomes.push(said.join('\n'))
        if (most === Number.POSITIVE_INFINITY)
          for (const line of said) {
            const [word = '', , ...rest] = line.split(' ')
            const key = word === 'HEADERS' ? /grpc-status=\d+/.exec(rest.join(' '))?.[0] : word
            if (key !== undefined) seen.set(key, (seen.get(key) ?? 0) + 1)
          }
        // An answer may have nine times as many bytes as what asked for it: a HEADERS of some bytes, and our words.
        assert.ok(socket.written <= 40 * bytes.length + OWN_BYTES, `${socket.written} bytes written`)
        socket.destroy()
        await turn()
        for (const call of held) call.respond(new Uint8Array(0))
        assert.equal(budget.used, 0)
        assert.equal(door.clients.size, 0)
        door.stop()
      }
      assert.equal(outcomes[1], outcomes[0], 'the way the bytes were cut made a difference')
    },
  })
  for (const [what, least] of Object.entries({
    'grpc-status=0': 100,
    'grpc-status=14': 20,
    'grpc-status=13': 20,
    RST: 100,
    GOAWAY: 300,
  }))
    assert.ok((seen.get(what) ?? 0) >= least, `too few of ${what}: ${JSON.stringify([...seen])}`)
})

test('a client that repeats one frame for ever and reads nothing makes us hold little', () => {
  assertHoldsLittle('http2-server', () => {
    const { socket, receive } = stage(false)
    receive(PREFIX)
    return { receive, isOver: () => socket.writableEnded, end: () => socket.destroy() }
  })
})
