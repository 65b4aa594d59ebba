import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { ClientSession, SESSION_WINDOW_BYTES } from './client-session.ts'
import { FLAG, FRAME, FrameReader, numberFrame, PREFACE, payloadFrame, SETTING, settingsFrame } from './frame.ts'
import { HpackEncoder } from './hpack.ts'

/** A socket that keeps what is written. */
class HeldSocket extends EventEmitter {
  destroyed = false
  writableLength = 0
  readonly chunks: Uint8Array[] = []
  cork(): void {}
  uncork(): void {}
  write(bytes: Uint8Array): boolean {
    this.chunks.push(new Uint8Array(bytes))
    return true
  }
  end(bytes: Uint8Array): void {
    this.write(bytes)
  }
  destroySoon(): void {
    this.destroyed = true
  }
}

/** A session over a HeldSocket, what its owner heard, and how its streams ended. */
function stage(firstId?: number) {
  const socket = new HeldSocket()
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
      onHead() {},
      onData() {},
      onEnd: () => heard.push('end'),
      onFail: ({ unprocessed }) => heard.push(unprocessed ? 'unprocessed' : 'fail'),
    })
  const payloads: string[] = []
  /** What has been sent, by name. */
  const frames = async (): Promise<string[]> => {
    await turn()
    const names: string[] = []
    new FrameReader((type, _, __, bytes, from, to) => {
      names.push(Object.keys(FRAME)[type]!)
      payloads.push(Buffer.from(bytes.subarray(from, to)).toString('latin1'))
    }).push(Buffer.concat(socket.chunks), PREFACE.length)
    return names
  }
  return { socket, session, heard, send, frames, payloads }
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
  const headers = new HpackEncoder(0).encode([[':status', '200']])
  session.received(payloadFrame(FRAME.HEADERS, FLAG.END_STREAM | FLAG.END_HEADERS, last.id, headers))
  assert.deepEqual(heard, ['open', 'draining', 'end', 'closed'])
})

test('a GOAWAY opens no stream any more: what waits for the socket is given back, though the server names a later stream', () => {
  const { socket, session, heard, send } = stage()
  const sent = send()
  socket.writableLength = 2 ** 20
  const waiting = send()
  assert.deepEqual([sent.headersSent, waiting.headersSent], [true, false])
  session.received(payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0x7f, 255, 255, 255, 0, 0, 0, 0])))
  assert.deepEqual(heard, ['open', 'draining', 'unprocessed'])
  assert.equal(session.active, 1)
})

test('an answer that comes ahead of the end of its request counts, and the rest of the request is not sent', async () => {
  const { session, heard, send, frames } = stage()
  session.received(settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 10]]))
  const stream = send()
  assert.equal(stream.left, 90)
  const headers = new HpackEncoder(0).encode([[':status', '200']])
  session.received(payloadFrame(FRAME.HEADERS, FLAG.END_STREAM | FLAG.END_HEADERS, stream.id, headers))
  session.received(numberFrame(FRAME.WINDOW_UPDATE, stream.id, 1000))
  assert.deepEqual(heard, ['open', 'room', 'end', 'room'])
  assert.deepEqual(await frames(), [
    'SETTINGS',
    'WINDOW_UPDATE',
    'SETTINGS',
    'SETTINGS',
    'HEADERS',
    'DATA',
    'RST_STREAM',
  ])
})

test('SETTINGS are acknowledged one by one, and a PING comes back as it was (RFC 9113 6.5.3, 6.7)', async () => {
  const { session, frames, payloads } = stage()
  session.received(settingsFrame([]))
  session.received(payloadFrame(FRAME.PING, 0, 0, Buffer.from('01234567')))
  session.received(payloadFrame(FRAME.PING, FLAG.ACK, 0, Buffer.from('76543210')))
  assert.deepEqual(await frames(), ['SETTINGS', 'WINDOW_UPDATE', 'SETTINGS', 'SETTINGS', 'PING'])
  assert.equal(payloads.at(-1), '01234567')
})

test('padding, and what comes for a stream that is gone, are given back to the window of the connection (RFC 9113 6.9.1)', async () => {
  const { session, send, frames } = stage()
  session.cancel(send())
  const frame = payloadFrame(FRAME.DATA, FLAG.PADDED, 1, Buffer.concat([Buffer.of(255), Buffer.alloc(16_383)]))
  for (let sent = 0; sent < SESSION_WINDOW_BYTES; sent += 16_384) session.received(frame)
  const grants = (await frames()).filter((name) => name === 'WINDOW_UPDATE')
  assert.equal(grants.length, 1 + 2)
})
