import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { ClientSession } from './client-session.ts'
import { FLAG, FRAME, payloadFrame, settingsFrame } from './frame.ts'
import { HpackEncoder } from './hpack.ts'

/** A socket that only counts. */
class NullSocket extends EventEmitter {
  destroyed = false
  writableLength = 0
  written = 0
  cork(): void {}
  uncork(): void {}
  write(bytes: Uint8Array): boolean {
    this.written += bytes.length
    return true
  }
  end(bytes: Uint8Array): void {
    this.write(bytes)
  }
  destroySoon(): void {
    this.destroyed = true
  }
}

/** A session over a NullSocket, what its owner heard, and how its streams ended. */
function stage(firstId?: number) {
  const socket = new NullSocket()
  const heard: string[] = []
  const session = new ClientSession(
    socket as unknown as Socket,
    {
      onOpen: () => heard.push('open'),
      onRoom: () => heard.push('room'),
      onDraining: () => heard.push('draining'),
      onCancelled: () => heard.push('cancelled'),
      onClosed: () => heard.push('closed'),
    },
    firstId,
  )
  session.received(settingsFrame([[3, 5]]))
  const send = () =>
    session.request([[':path', '/x']], [new Uint8Array(100)], 100, {
      onHeader() {},
      onHeadersEnd() {},
      onData() {},
      onEnd: () => heard.push('end'),
      onFail: () => heard.push('fail'),
    })
  return { socket, session, heard, send }
}

test('a stream that is cancelled before the socket took any of it makes room, is told, and lets a draining session close', () => {
  const { socket, session, heard, send } = stage()
  socket.writableLength = 2 ** 30
  const [one, two] = [send(), send()]
  assert.equal(one.headersSent, false)
  session.cancel(one)
  assert.deepEqual(heard, ['open', 'cancelled', 'room'])
  session.drain()
  session.cancel(two)
  assert.deepEqual(heard.slice(3), ['draining', 'cancelled', 'closed'])
})

test('the last stream that a connection can carry gets its answer before the connection ends', () => {
  const { session, heard, send } = stage(2 ** 31 - 3)
  const last = send()
  assert.deepEqual([session.room, session.active, last.headersSent], [0, 1, true])
  const headers = new HpackEncoder(0).encode([['grpc-status', '0']])
  session.received(payloadFrame(FRAME.HEADERS, FLAG.END_STREAM | FLAG.END_HEADERS, last.id, headers))
  assert.deepEqual(heard, ['open', 'draining', 'end', 'closed'])
})
