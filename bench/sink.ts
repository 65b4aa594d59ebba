// The next hop of a bench: takes OTLP over gRPC and HTTP, counts, and answers as it is told. A process of its own.
//
// gRPC is spoken on bare sockets and request headers are not decoded (whatever HPACK the exporter uses), so that the sink
// is cheap next to the router: it takes traces only, and a packed message says by its first bytes how it is packed.

import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { createServer, type Socket } from 'node:net'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
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
import { NumberSet, readRequest } from './numbered.ts'

/** `stall` takes requests and answers them when the mode changes; what is not answered does not count as received. */
export type SinkMode = 'answer' | 'stall' | 'refuse' | 'slow'

export type ToSink = { readonly kind: 'mode'; readonly mode: SinkMode } | { readonly kind: 'report' }

export interface SinkReport {
  readonly kind: 'report'
  readonly spans: number
  readonly requests: number
  readonly bytes: number
  readonly refused: number
  /** Numbers received, by sender. */
  readonly numbers: ReadonlyMap<number, Uint8Array>
}

export type FromSink = { readonly kind: 'listening'; readonly grpcPort: number; readonly httpPort: number } | SinkReport

const SLOW_ANSWER_MS = 200
const STREAM_WINDOW = 16 << 20
const GRPC_PREFIX_BYTES = 5
const EMPTY = new Uint8Array(0)

class Sink {
  mode: SinkMode = 'answer'
  #held: (() => void)[] = []
  #spans = 0
  #requests = 0
  #bytes = 0
  #refused = 0
  readonly #numbers = new Map<number, NumberSet>()

  setMode(mode: SinkMode): void {
    this.mode = mode
    if (mode === 'stall') return
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Answers now or later; `reply` returns false when the client is gone, and then nothing was received. */
  receive(body: Uint8Array, reply: (ok: boolean) => boolean): void {
    if (this.mode === 'refuse') {
      this.#refused++
      reply(false)
      return
    }
    const answer = (): void => {
      if (reply(true)) this.#count(body)
    }
    if (this.mode === 'stall') this.#held.push(answer)
    else if (this.mode === 'slow') setTimeout(answer, SLOW_ANSWER_MS)
    else answer()
  }

  #count(body: Uint8Array): void {
    this.#requests++
    this.#bytes += body.length
    this.#spans += readRequest(unpack(body), (sender, number) => {
      let numbers = this.#numbers.get(sender)
      if (numbers === undefined) this.#numbers.set(sender, (numbers = new NumberSet()))
      numbers.add(number)
    })
  }

  report(): SinkReport {
    return {
      kind: 'report',
      spans: this.#spans,
      requests: this.#requests,
      bytes: this.#bytes,
      refused: this.#refused,
      numbers: new Map([...this.#numbers].map(([sender, { bits }]) => [sender, bits])),
    }
  }
}

function unpack(body: Uint8Array): Uint8Array {
  if (body[0] === 0x1f && body[1] === 0x8b) return gunzipSync(body)
  if (body[0] === 0x28 && body[1] === 0xb5) return zstdDecompressSync(body)
  return body
}

const OK_HEADERS = Buffer.concat([Buffer.from([0x88]), literal('content-type', 'application/grpc')])
const OK_TRAILERS = literal('grpc-status', '0')
const REFUSAL = Buffer.concat([OK_HEADERS, literal('grpc-status', '14'), literal('grpc-message', 'the sink refuses')])
const OK_MESSAGE = new Uint8Array(GRPC_PREFIX_BYTES)

function serveGrpc(sink: Sink, socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const bodies = new Map<number, Uint8Array[]>()
  const answers: (() => void)[] = []
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
  const reply = (stream: number, ok: boolean): boolean => {
    if (socket.destroyed || !open.delete(stream)) return false
    if (!ok) write(frame(FRAME.HEADERS, END_HEADERS | END_STREAM, stream, REFUSAL))
    else answers.push(() => write(okAnswer(stream)))
    flush()
    return true
  }
  const flush = (): void => {
    while (answers.length > 0 && sendWindow >= GRPC_PREFIX_BYTES) {
      sendWindow -= GRPC_PREFIX_BYTES
      answers.shift()!()
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
      sink.receive(whole.subarray(GRPC_PREFIX_BYTES), (ok) => reply(stream, ok))
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

const okAnswer = (stream: number): Buffer =>
  Buffer.concat([
    frame(FRAME.HEADERS, END_HEADERS, stream, OK_HEADERS),
    frame(FRAME.DATA, 0, stream, OK_MESSAGE),
    frame(FRAME.HEADERS, END_HEADERS | END_STREAM, stream, OK_TRAILERS),
  ])

function answerHttp(response: ServerResponse, ok: boolean): boolean {
  if (response.destroyed) return false
  response.writeHead(ok ? 200 : 503, { 'content-type': 'application/x-protobuf', 'content-length': 0 })
  response.end(EMPTY)
  return true
}

const sink = new Sink()
const grpc = createServer((socket) => serveGrpc(sink, socket))
const http = createHttpServer((request, response) => {
  const body: Buffer[] = []
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('end', () => sink.receive(Buffer.concat(body), (ok) => answerHttp(response, ok)))
})
http.keepAliveTimeout = 60_000

const portOf = (server: { address(): unknown }): number => (server.address() as { port: number }).port
const send = (message: FromSink): void => void process.send!(message)
grpc.listen(0, '127.0.0.1', () =>
  http.listen(0, '127.0.0.1', () => send({ kind: 'listening', grpcPort: portOf(grpc), httpPort: portOf(http) })),
)
process.on('message', (message: ToSink) => {
  if (message.kind === 'mode') sink.setMode(message.mode)
  else send(sink.report())
})
process.on('disconnect', () => process.exit(0))
