// A gRPC server of raw frames, for what no well-behaved library does.

import { createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import {
  FLAG,
  FRAME,
  FrameReader,
  numberFrame,
  PREFACE,
  payloadFrame,
  settingsFrame,
} from '../../src/net/http2/frame.ts'
import { HpackEncoder } from '../../src/net/http2/hpack.ts'

export interface RawServer {
  readonly endpoint: string
  readonly sockets: Socket[]
  /** Payload bytes of DATA frames so far. */
  bodyBytes: number
  /** PINGs that came, which are answered when `answersPings`. */
  pings: number
  answersPings: boolean
}

export const OK_HEADERS = [
  [':status', '200'],
  ['content-type', 'application/grpc'],
] as const
export const OK_TRAILERS = [['grpc-status', '0']] as const

/** `onStream` is called when a request is complete, with the encoder of its connection. */
export async function rawServer(
  t: TestContext,
  onStream: (socket: Socket, stream: number, encoder: HpackEncoder, count: number) => void,
  greeting: Uint8Array = settingsFrame([]),
  windows = true,
): Promise<RawServer> {
  const sockets: Socket[] = []
  let count = 0
  const raw: RawServer = { endpoint: '', sockets, bodyBytes: 0, pings: 0, answersPings: false }
  const server: Server = createServer((socket) => {
    sockets.push(socket)
    socket.setNoDelay(true)
    const encoder = new HpackEncoder(0)
    let preface = PREFACE.length
    const reader = new FrameReader((type, flags, stream, bytes, from, to) => {
      if (type === FRAME.PING && (flags & FLAG.ACK) === 0) {
        raw.pings++
        if (raw.answersPings) socket.write(payloadFrame(FRAME.PING, FLAG.ACK, 0, bytes.subarray(from, to)))
      }
      if (type === FRAME.DATA) raw.bodyBytes += to - from
      if (type === FRAME.DATA && windows && to > from) {
        socket.write(numberFrame(FRAME.WINDOW_UPDATE, 0, to - from))
        if ((flags & FLAG.END_STREAM) === 0) socket.write(numberFrame(FRAME.WINDOW_UPDATE, stream, to - from))
      }
      if (type === FRAME.DATA && (flags & FLAG.END_STREAM) !== 0) onStream(socket, stream, encoder, ++count)
    }, 1 << 20)
    socket.on('data', (chunk: Buffer) => {
      const skip = Math.min(preface, chunk.length)
      preface -= skip
      reader.push(chunk.subarray(skip))
    })
    socket.on('error', () => {})
    socket.write(greeting)
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return Object.assign(raw, { endpoint: `127.0.0.1:${(server.address() as { port: number }).port}` })
}

export const headers = (
  encoder: HpackEncoder,
  stream: number,
  list: readonly (readonly [string, string])[],
  flags: number,
): Buffer => payloadFrame(FRAME.HEADERS, flags | FLAG.END_HEADERS, stream, encoder.encode([...list]))

export function answerOk(
  socket: Socket,
  stream: number,
  encoder: HpackEncoder,
  body: Uint8Array = new Uint8Array(5),
): void {
  socket.write(headers(encoder, stream, OK_HEADERS, 0))
  if (body.length > 0) socket.write(payloadFrame(FRAME.DATA, 0, stream, body))
  socket.write(headers(encoder, stream, OK_TRAILERS, FLAG.END_STREAM))
}
