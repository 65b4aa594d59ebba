// The sink's gRPC door: HTTP/2 on a bare socket. Request headers are not decoded, whatever HPACK the exporter uses, so that
// the sink is cheap next to the router.

import type { Socket } from 'node:net'
import {
  ACK,
  DEFAULT_WINDOW,
  END_HEADERS,
  END_STREAM,
  FRAME,
  FrameReader,
  frame,
  literal,
  PADDED,
  PREFACE,
  SETTING,
  settings,
  windowUpdate,
} from './http2-frames.ts'
import { type Answer, partialResponse, type Receive } from './sink-answers.ts'

const STREAM_WINDOW = 16 << 20
const GRPC_PREFIX_BYTES = 5

const OK_HEADERS = Buffer.concat([Buffer.from([0x88]), literal('content-type', 'application/grpc')])
const OK_TRAILERS = literal('grpc-status', '0')
const refusal = (status: number, words: string): Buffer =>
  Buffer.concat([OK_HEADERS, literal('grpc-status', String(status)), literal('grpc-message', words)])
const REFUSALS = { unavailable: refusal(14, 'the sink refuses'), invalid: refusal(3, 'the sink rejects') } as const
const OK_MESSAGE = new Uint8Array(GRPC_PREFIX_BYTES)

export function serveGrpc(receive: Receive, socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const bodies = new Map<number, Buffer[]>()
  const answers: { readonly stream: number; readonly message: Uint8Array }[] = []
  let sendWindow = DEFAULT_WINDOW
  let consumed = 0
  let corked = false
  const write = (bytes: Uint8Array): void => {
    if (!corked) {
      corked = true
      socket.cork()
      setImmediate(() => {
        corked = false
        socket.uncork()
      })
    }
    socket.write(bytes)
  }
  const open = new Set<number>()
  const reply = (stream: number, answer: Answer): boolean => {
    if (socket.destroyed || !open.delete(stream)) return false
    if (answer === 'cut') socket.resetAndDestroy()
    else if (answer === 'unavailable' || answer === 'invalid')
      write(frame(FRAME.HEADERS, END_HEADERS | END_STREAM, stream, REFUSALS[answer]))
    else answers.push({ stream, message: answer === 'ok' ? OK_MESSAGE : partialMessage(answer) })
    flush()
    return true
  }
  const flush = (): void => {
    while (answers.length > 0 && sendWindow >= answers[0]!.message.length) {
      const { stream, message } = answers.shift()!
      sendWindow -= message.length
      write(okAnswer(stream, message))
    }
  }
  const reader = new FrameReader((type, flags, stream, bytes, from, to) => {
    if (type === FRAME.DATA) {
      consumed += to - from
      if (consumed > STREAM_WINDOW / 2) {
        write(windowUpdate(0, consumed))
        consumed = 0
      }
      const padding = (flags & PADDED) === 0 ? 0 : bytes[from]! + 1
      const start = padding > 0 ? from + 1 : from
      const body = bodies.get(stream)
      if (body === undefined) return
      body.push(bytes.subarray(start, to - Math.max(0, padding - 1)))
      if ((flags & END_STREAM) === 0) return
      bodies.delete(stream)
      const whole = body.length === 1 ? body[0]! : Buffer.concat(body)
      receive(whole.subarray(GRPC_PREFIX_BYTES), (answer) => reply(stream, answer))
    } else if (type === FRAME.HEADERS) {
      bodies.set(stream, [])
      open.add(stream)
    } else if (type === FRAME.RST_STREAM) {
      bodies.delete(stream)
      open.delete(stream)
    } else if (type === FRAME.WINDOW_UPDATE && stream === 0) {
      sendWindow += bytes.readUInt32BE(from)
      flush()
    } else if (type === FRAME.SETTINGS && (flags & ACK) === 0) write(frame(FRAME.SETTINGS, ACK, 0))
    else if (type === FRAME.PING && (flags & ACK) === 0)
      write(frame(FRAME.PING, ACK, 0, Buffer.from(bytes.subarray(from, to))))
  }, PREFACE.length)
  write(
    settings([
      [SETTING.MAX_CONCURRENT_STREAMS, 1000],
      [SETTING.INITIAL_WINDOW_SIZE, STREAM_WINDOW],
    ]),
  )
  write(windowUpdate(0, 1 << 30))
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
}

const okAnswer = (stream: number, message: Uint8Array): Buffer =>
  Buffer.concat([
    frame(FRAME.HEADERS, END_HEADERS, stream, OK_HEADERS),
    frame(FRAME.DATA, 0, stream, message),
    frame(FRAME.HEADERS, END_HEADERS | END_STREAM, stream, OK_TRAILERS),
  ])

function partialMessage(rejected: number): Uint8Array {
  const response = partialResponse(rejected)
  const message = Buffer.alloc(GRPC_PREFIX_BYTES + response.length)
  message.writeUInt32BE(response.length, 1)
  message.set(response, GRPC_PREFIX_BYTES)
  return message
}
