import assert from 'node:assert/strict'
import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ClientStream } from './client-stream.ts'
import { FRAME, FrameReader, SETTING } from './frame.ts'
import { SessionWriter } from './session-writer.ts'
import { Slabs } from './slabs.ts'

/** Keeps the very chunks that it is given, in the order and the groups in which they went out. */
class Wire extends Writable {
  readonly chunks: Uint8Array[] = []
  /** As they were then: the memory of small ones is used again. */
  readonly copies: Uint8Array[] = []
  systemCalls = 0

  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    this.systemCalls++
    this.#take(chunk)
    done()
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: () => void): void {
    this.systemCalls++
    for (const { chunk } of chunks) this.#take(chunk)
    done()
  }

  #take(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.copies.push(new Uint8Array(chunk))
  }
}

const WINDOW = 2 ** 30

async function send(parts: readonly Uint8Array[]): Promise<Wire> {
  const wire = new Wire({ highWaterMark: WINDOW })
  const writer = new SessionWriter(wire as unknown as Socket)
  writer.setting(SETTING.MAX_FRAME_SIZE, 1024 * 1024, [])
  writer.growConnection(WINDOW)
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const listener = { onHead() {}, onData() {}, onEnd() {}, onFail() {} }
  writer.add(new ClientStream(1, [[':path', '/x']], parts, length, WINDOW, WINDOW, listener))
  // As on 'drain', until the socket has it all.
  for (let i = 0; i < 10; i++) {
    await turn()
    writer.pump()
  }
  return wire
}

const bodyOf = (wire: Wire): Buffer => {
  const pieces: Uint8Array[] = []
  new FrameReader(
    (type, _, __, bytes, from, to) => {
      if (type === FRAME.DATA) pieces.push(bytes.slice(from, to))
    },
    2 ** 24 - 1,
  ).push(Buffer.concat(wire.copies))
  return Buffer.concat(pieces)
}

test('the large parts of a rope go to the socket as they are: the same memory, in one system call', async () => {
  const parts = [
    new Uint8Array(5),
    new Uint8Array(40_000).fill(1),
    new Uint8Array(7).fill(2),
    new Uint8Array(60_000).fill(3),
  ]
  const wire = await send(parts)
  for (const part of parts.filter(({ length }) => length > 10_000))
    assert.ok(
      wire.chunks.some((chunk) => chunk.buffer === part.buffer),
      `the part of ${part.length} bytes was copied`,
    )
  assert.equal(wire.systemCalls, 1)
  assert.ok(bodyOf(wire).equals(Buffer.concat(parts)))
})

test('the small parts of a rope, as batches of small requests have them, are put together', async () => {
  const parts = Array.from({ length: 800 }, (_, i) => new Uint8Array(4300).fill(i))
  parts[300] = new Uint8Array(50_000).fill(9)
  const wire = await send(parts)
  assert.ok(wire.chunks.length < 70, `${wire.chunks.length} chunks`)
  assert.ok(bodyOf(wire).equals(Buffer.concat(parts)))
})

test('a part that is larger than a frame goes out as views of its memory', async () => {
  const part = new Uint8Array(3_000_000).fill(7)
  const wire = await send([part])
  const views = wire.chunks.filter((chunk) => chunk.buffer === part.buffer)
  assert.equal(
    views.reduce((sum, view) => sum + view.length, 0),
    part.length,
  )
})

test('small bodies are put together with their frames: one piece', async () => {
  const parts = [new Uint8Array(5), new Uint8Array(4_000).fill(1), new Uint8Array(4_000).fill(2)]
  const wire = await send(parts)
  assert.equal(wire.chunks.length, 1)
  assert.ok(bodyOf(wire).equals(Buffer.concat(parts)))
})

test('the memory that small writes are gathered in is used again, also by TLS, which tells later that it is free', async () => {
  for (const encrypted of [false, true]) {
    const wire = new Wire()
    if (encrypted)
      Object.assign(wire, {
        encrypted,
        _write(chunk: Uint8Array, _: string, done: () => void) {
          wire.chunks.push(chunk)
          setImmediate(done)
        },
      })
    const slabs = new Slabs()
    const writer = new SessionWriter(wire as unknown as Socket, slabs)
    writer.write(Uint8Array.of(1, 2, 3))
    for (let i = 0; i < 3; i++) await turn()
    assert.equal(slabs.take().buffer, wire.chunks[0]!.buffer)
  }
})
