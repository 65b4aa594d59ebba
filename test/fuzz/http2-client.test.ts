// The HTTP/2 client and a server that sends anything: whole sessions with calls under way, without a network.

import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { MAX_RESPONSE_BYTES, UnaryCall } from '../../src/net/grpc/client-call.ts'
import { ClientSession } from '../../src/net/http2/client-session.ts'
import { settingsFrame } from '../../src/net/http2/frame.ts'
import type { HeaderList } from '../../src/net/http2/hpack.ts'
import { fuzz } from './harness.ts'
import { assertHoldsLittle, MemorySocket } from './http2-peer.ts'

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
    name: 'http2-client',
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

test('a server that repeats one frame for ever and reads nothing makes us hold little', () => {
  assertHoldsLittle('http2-client', () => {
    const { session, heard } = stage(false)
    session.received(settingsFrame([]))
    return {
      receive: (chunk) => session.received(chunk),
      isOver: () => heard.join().includes('closed'),
      end: () => session.destroy(new Error('over')),
    }
  })
})
