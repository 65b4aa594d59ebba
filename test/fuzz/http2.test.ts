// The HTTP/2 client and a server that sends anything: HPACK, its Huffman code, and whole sessions with calls under way.

import assert from 'node:assert/strict'
import { connect } from 'node:http2'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { MAX_RESPONSE_BYTES, UnaryCall } from '../../src/net/grpc/client-call.ts'
import { ClientSession } from '../../src/net/http2/client-session.ts'
import { FRAME, FrameReader, payloadFrame, settingsFrame } from '../../src/net/http2/frame.ts'
import {
  type HeaderList,
  HpackDecoder,
  HpackEncoder,
  HpackError,
  MAX_HEADER_LIST_BYTES,
} from '../../src/net/http2/hpack.ts'
import { readHuffman } from '../../src/net/http2/huffman.ts'
import { type Choose, chooser } from '../support/scramble.ts'
import { corpus, fuzz, runs } from './harness.ts'

function findHeaders(decoder: HpackDecoder, block: Uint8Array): [string, string][] | undefined {
  const list: [string, string][] = []
  try {
    decoder.decode(block, 0, block.length, (name, value) => list.push([name, value]))
    return list
  } catch (error) {
    assert.ok(error instanceof HpackError, String(error))
    return undefined
  }
}

test('a header block of any bytes is an HpackError or a bounded list, which our encoder writes and we read again', async () => {
  let passed = 0
  await fuzz({
    name: 'hpack',
    inputs: 5000,
    run(bytes) {
      const decoder = new HpackDecoder()
      const list = findHeaders(decoder, bytes)
      if (list === undefined) return
      passed++
      const size = list.reduce((sum, [name, value]) => sum + name.length + value.length + 32, 0)
      assert.ok(size <= MAX_HEADER_LIST_BYTES)
      // The table has changed; whatever the same block means now, it keeps to the rules.
      findHeaders(decoder, bytes)
      // Our encoder writes text as UTF-8, which reads back as one character a byte.
      const bytesOf = (text: string): string => Buffer.from(text).toString('latin1')
      const expected = list.map(([name, value]) => [bytesOf(name), bytesOf(value)])
      for (const tableBytes of [0, 300, 4096]) {
        const encoder = new HpackEncoder(tableBytes)
        const again = new HpackDecoder()
        for (let round = 0; round < 3; round++)
          if (JSON.stringify(expected).length < MAX_HEADER_LIST_BYTES / 2)
            assert.deepEqual(findHeaders(again, encoder.encode(list)), expected)
      }
    },
  })
  assert.ok(passed > 500, `only ${passed} blocks were read`)
})

test('any bytes as a Huffman string are text or an error, and without its last bytes the text begins the same', async () => {
  const find = (bytes: Uint8Array): string | undefined => {
    try {
      return readHuffman(bytes, 0, bytes.length)
    } catch (error) {
      assert.match((error as Error).message, /^HPACK/)
      return undefined
    }
  }
  let passed = 0
  await fuzz({
    name: 'huffman',
    inputs: 5000,
    run(bytes) {
      const text = find(bytes)
      if (text === undefined) return
      passed++
      // The shortest codes have five bits.
      assert.ok(text.length <= (bytes.length * 8) / 5)
      for (let length = 0; length < Math.min(bytes.length, 50); length++) {
        const start = find(bytes.subarray(0, length))
        if (start !== undefined) assert.ok(text.startsWith(start))
      }
    },
  })
  assert.ok(passed > 500, `only ${passed} strings were read`)
})

/** A socket without a network: what is written is counted, and taken at once or never. */
class MemorySocket extends Duplex {
  written = 0
  readonly #reads: boolean
  readonly #seen: ((bytes: Uint8Array) => void) | undefined

  constructor(reads: boolean, seen?: (bytes: Uint8Array) => void) {
    super()
    this.#reads = reads
    this.#seen = seen
  }

  override _read(): void {}

  override _write(bytes: Uint8Array, _encoding: string, done: () => void): void {
    this.written += bytes.length
    this.#seen?.(bytes)
    if (this.#reads) done()
  }

  setTimeout(): this {
    return this
  }

  destroySoon(): void {
    this.destroy()
  }
}

function randomHeaders(choose: Choose): Record<string, string> {
  const headers: Record<string, string> = { ':path': `/${choose(40)}` }
  for (let count = choose(6); count > 0; count--) {
    const length = choose(10) === 0 ? choose(3000) : choose(40)
    // What a value may hold (RFC 9110 5.5): visible ASCII and bytes above it.
    const value = Array.from({ length }, () =>
      String.fromCharCode(choose(3) === 0 ? 0xa1 + choose(95) : 0x21 + choose(94)),
    )
    headers[`x-${choose(12)}`] = value.join('')
  }
  return headers
}

test('what nghttp2 packs, with its Huffman code and its table, we read as it was meant', async () => {
  const choose = chooser(Number(process.env.FUZZ_SEED ?? 1))
  for (let left = runs(300); left > 0; left -= 60) {
    const chunks: Uint8Array[] = []
    const socket = new MemorySocket(true, (bytes) => chunks.push(new Uint8Array(bytes)))
    const client = connect('http://plant.example', { createConnection: () => socket })
    client.on('error', () => {})
    const sent = Array.from({ length: Math.min(60, left) }, () => randomHeaders(choose))
    for (const headers of sent) client.request(headers).on('error', () => {})
    while (client.state.outboundQueueSize !== 0 || chunks.length === 0) await turn()
    await turn()
    const read: Record<string, string>[] = []
    const decoder = new HpackDecoder()
    let block: Uint8Array[] = []
    const reader = new FrameReader((type, flags, _, bytes, from, to) => {
      if (type !== FRAME.HEADERS && type !== FRAME.CONTINUATION) return
      block.push(bytes.slice(from, to))
      if ((flags & 4) === 0) return
      const { ':path': path = '', ...rest } = Object.fromEntries(findHeaders(decoder, Buffer.concat(block))!)
      read.push({ ':path': path, ...Object.fromEntries(Object.entries(rest).filter(([name]) => name[0] === 'x')) })
      block = []
    })
    reader.push(Buffer.concat(chunks).subarray(24))
    client.destroy()
    assert.deepEqual(read, sent)
  }
})

const HEADERS: HeaderList = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/Export'],
  [':authority', 'plant.example'],
]
const BODY_BYTES = [10, 0, 100_000]

interface Stage {
  readonly session: ClientSession
  readonly socket: MemorySocket
  /** How each call ended; a call that was never sent has no entry. */
  readonly ends: string[][]
  readonly heard: string[]
}

/** A session that sends three calls as soon as it may. */
function stage(reads = true): Stage {
  const socket = new MemorySocket(reads)
  const heard: string[] = []
  const ends: string[][] = []
  const start = (): void => {
    while (session.room > 0 && ends.length < BODY_BYTES.length) {
      const end: string[] = []
      const body = new Uint8Array(BODY_BYTES[ends.length]!)
      ends.push(end)
      new UnaryCall(
        HEADERS,
        [body],
        body.length,
        undefined,
        () => end.push('again'),
        (message) => {
          assert.ok(message.length <= MAX_RESPONSE_BYTES)
          end.push(`message ${Buffer.from(message).toString('base64')}`)
        },
        (error) => end.push(`${error.code} ${error.message}`),
      ).start(session)
    }
  }
  const session: ClientSession = new ClientSession(socket as unknown as Socket, {
    onOpen() {
      heard.push('open')
      start()
    },
    onRoom: start,
    onDraining: () => heard.push('draining'),
    onCancelled: () => heard.push('cancelled'),
    onClosed: (reason) => heard.push(`closed: ${reason.message}`),
  })
  return { session, socket, ends, heard }
}

/** What the client writes of its own accord: preface, three requests, three resets, one GOAWAY. */
const OWN_BYTES = 101_000

test('whatever frames a server sends, however cut: nothing throws, every call ends once, replies stay in proportion', async () => {
  const endings = new Map<string, number>()
  await fuzz({
    name: 'http2',
    inputs: 1500,
    async run(bytes) {
      const outcomes: string[] = []
      for (const most of [Number.POSITIVE_INFINITY, 1 + (bytes.length % 20)]) {
        const { session, socket, ends, heard } = stage()
        for (let at = 0; at < bytes.length; at += most) {
          const chunk = bytes.slice(at, at + most)
          session.received(chunk)
          chunk.fill(0xff) // nothing of a chunk is kept
        }
        session.destroy(new Error('over'))
        for (const end of ends) assert.equal(end.length, 1, `a call ended as ${JSON.stringify(end)}`)
        assert.equal(heard.filter((what) => what.startsWith('closed')).length, 1)
        assert.equal(session.active, 0)
        outcomes.push(JSON.stringify([ends, heard]))
        if (most === Number.POSITIVE_INFINITY)
          for (const [end] of ends) endings.set(end!.slice(0, 2), (endings.get(end!.slice(0, 2)) ?? 0) + 1)
        await turn()
        assert.ok(socket.written <= bytes.length + OWN_BYTES, `${socket.written} bytes written`)
      }
      assert.equal(outcomes[1], outcomes[0], 'the way the bytes were cut made a difference')
    },
  })
  for (const [end, least] of Object.entries({ me: 150, '14': 150, '13': 30, ag: 30 }))
    assert.ok((endings.get(end) ?? 0) >= least, `too few calls ended as ${end}: ${JSON.stringify([...endings])}`)
})

/** More than any seed may make a session hold: an answer of 4 MiB, and what the heap moves on its own. */
const MAX_HELD_BYTES = 6 * 1024 * 1024

test('a server that repeats one frame for ever and reads nothing makes us hold little', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heldBytes = (): number => {
    collect()
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return heapUsed + arrayBuffers
  }
  const frames = new Map<string, Uint8Array>()
  for (const seed of corpus('http2'))
    new FrameReader((type, flags, id, bytes, from, to) => {
      const frame = payloadFrame(type, flags, id, bytes.subarray(from, to))
      frames.set(frame.toString('hex'), frame)
    }).push(seed)
  assert.ok(frames.size > 20)
  for (const [hex, frame] of frames) {
    const { session, heard } = stage(false)
    session.received(settingsFrame([]))
    const chunk = Buffer.concat(new Array<Uint8Array>(Math.ceil(65_536 / frame.length)).fill(frame))
    const before = heldBytes()
    for (let fed = 0; fed < 2 ** 20 && !heard.join().includes('closed'); fed += chunk.length) session.received(chunk)
    const held = heldBytes() - before
    assert.ok(held < MAX_HELD_BYTES, `${held} bytes are held after many of ${hex}`)
    session.destroy(new Error('over'))
  }
})
