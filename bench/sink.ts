// The next hop of benches and fault runs: takes OTLP over gRPC and HTTP, counts, and answers as it is told; moods change
// while it runs. A process of its own.
//
// gRPC is spoken on bare sockets and request headers are not decoded (whatever HPACK the exporter uses), so that the sink
// is cheap next to the router: it takes traces only, and a packed message says by its first bytes how it is packed.

import { createServer as createHttpServer, type ServerResponse } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
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

/** What the sink does with requests. Only what it has received counts as such. */
export const SINK_MODES = {
  answer: 'Receives, and answers OK.',
  stall: 'Holds requests until the mode changes; then those whose client still waits are received and answered.',
  slow: 'As stall, for 200 ms.',
  refuse: 'Refuses with UNAVAILABLE or 503.',
  reject: 'Refuses for good, with INVALID_ARGUMENT or 400.',
  late: 'Receives at once, and answers only after 1.5 s.',
  reset: 'Cuts the connection, every other time after it has received the request.',
  partial: 'Receives two of three items, and says in a partial success that it rejected the third.',
  away: 'Listens no more and cuts all connections; the next mode listens on the same ports again.',
} as const
export type SinkMode = keyof typeof SINK_MODES

export type ToSink =
  | { readonly kind: 'mode'; readonly mode: SinkMode; readonly spansPerSecond?: number }
  | { readonly kind: 'report' }

export interface SinkReport {
  readonly kind: 'report'
  readonly spans: number
  readonly requests: number
  readonly bytes: number
  readonly refused: number
  /** Numbers received, by sender. */
  readonly numbers: ReadonlyMap<number, Uint8Array>
  /** Numbers refused for good, or rejected by a partial success, by sender. */
  readonly rejected: ReadonlyMap<number, Uint8Array>
  /** Spans of all requests refused for good and rejected by partial successes. */
  readonly rejectedSpans: number
  /** Numbers that were received again. */
  readonly duplicates: number
  /** Spans received whose answer was late or withheld, so that the sender has to send them again. */
  readonly unansweredSpans: number
  /** Of one request. */
  readonly largestSpans: number
}

/** A moment before the answer of mode `late`; exporters of fault runs give up before. */
export const LATE_ANSWER_MS = 1_500

export type FromSink = { readonly kind: 'listening'; readonly grpcPort: number; readonly httpPort: number } | SinkReport

const SLOW_ANSWER_MS = 200
const STREAM_WINDOW = 16 << 20
const GRPC_PREFIX_BYTES = 5
const EMPTY = new Uint8Array(0)

/** What a request is answered with; a number is how many items a partial success rejects. */
type Answer = 'ok' | 'unavailable' | 'invalid' | 'cut' | number
/** Returns false when the client is gone. */
type Reply = (answer: Answer) => boolean

class Numbers {
  readonly #bySender = new Map<number, NumberSet>()

  /** False when it was there. */
  add(sender: number, number: number): boolean {
    let numbers = this.#bySender.get(sender)
    if (numbers === undefined) this.#bySender.set(sender, (numbers = new NumberSet()))
    const before = numbers.size
    numbers.add(number)
    return numbers.size > before
  }

  bits(): ReadonlyMap<number, Uint8Array> {
    return new Map([...this.#bySender].map(([sender, { bits }]) => [sender, bits]))
  }
}

class Sink {
  mode: SinkMode = 'answer'
  #held: (() => void)[] = []
  #spansPerMs = Number.POSITIVE_INFINITY
  #pacedUntilMs = 0
  #spans = 0
  #requests = 0
  #bytes = 0
  #refused = 0
  #rejectedSpans = 0
  #duplicates = 0
  #unansweredSpans = 0
  #largestSpans = 0
  #receivedBeforeReset = false
  readonly #numbers = new Numbers()
  readonly #rejected = new Numbers()

  setMode(mode: SinkMode, spansPerSecond = Number.POSITIVE_INFINITY): void {
    this.mode = mode
    this.#spansPerMs = spansPerSecond / 1000
    if (mode === 'stall') return
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Answers now or later, as the mode says. */
  receive(body: Uint8Array, reply: Reply): void {
    switch (this.mode) {
      case 'refuse':
      case 'away':
        this.#refused++
        reply('unavailable')
        return
      case 'reject':
        this.#rejectedSpans += readRequest(unpack(body), (sender, number) => this.#rejected.add(sender, number))
        reply('invalid')
        return
      case 'stall':
        this.#held.push(() => this.#answerLate(body, reply))
        return
      case 'slow':
        setTimeout(() => this.#answerLate(body, reply), SLOW_ANSWER_MS)
        return
      case 'late':
        this.#unansweredSpans += this.#count(body)
        setTimeout(() => reply('ok'), LATE_ANSWER_MS)
        return
      case 'reset':
        this.#receivedBeforeReset = !this.#receivedBeforeReset
        if (this.#receivedBeforeReset) this.#unansweredSpans += this.#count(body)
        reply('cut')
        return
      case 'partial': {
        const before = this.#rejectedSpans
        this.#count(body, (number) => number % 3 === 2)
        reply(this.#rejectedSpans - before)
        return
      }
      case 'answer':
        if (this.#spansPerMs === Number.POSITIVE_INFINITY) {
          if (reply('ok')) this.#count(body)
        } else this.#receivePaced(body, reply)
    }
  }

  /** The client may just be giving up, and then sends again what counts as received here. */
  #answerLate(body: Uint8Array, reply: Reply): void {
    if (reply('ok')) this.#unansweredSpans += this.#count(body)
  }

  /** Answers when the spans before it, and its own, have had their time. */
  #receivePaced(body: Uint8Array, reply: Reply): void {
    const now = performance.now()
    const spans = readRequest(unpack(body), () => {})
    this.#pacedUntilMs = Math.max(now, this.#pacedUntilMs) + spans / this.#spansPerMs
    setTimeout(() => {
      if (reply('ok')) this.#count(body)
    }, this.#pacedUntilMs - now)
  }

  #count(body: Uint8Array, isRejected?: (number: number) => boolean): number {
    this.#requests++
    this.#bytes += body.length
    const spans = readRequest(unpack(body), (sender, number) => {
      if (isRejected?.(number) === true) {
        this.#rejectedSpans++
        this.#rejected.add(sender, number)
      } else if (!this.#numbers.add(sender, number)) this.#duplicates++
    })
    this.#spans += spans
    if (spans > this.#largestSpans) this.#largestSpans = spans
    return spans
  }

  report(): SinkReport {
    return {
      kind: 'report',
      spans: this.#spans,
      requests: this.#requests,
      bytes: this.#bytes,
      refused: this.#refused,
      numbers: this.#numbers.bits(),
      rejected: this.#rejected.bits(),
      rejectedSpans: this.#rejectedSpans,
      duplicates: this.#duplicates,
      unansweredSpans: this.#unansweredSpans,
      largestSpans: this.#largestSpans,
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
const refusal = (status: number, words: string): Buffer =>
  Buffer.concat([OK_HEADERS, literal('grpc-status', String(status)), literal('grpc-message', words)])
const REFUSALS = { unavailable: refusal(14, 'the sink refuses'), invalid: refusal(3, 'the sink rejects') } as const
const OK_MESSAGE = new Uint8Array(GRPC_PREFIX_BYTES)

function serveGrpc(sink: Sink, socket: Socket): void {
  socket.setNoDelay(true)
  socket.on('error', () => socket.destroy())
  const bodies = new Map<number, Uint8Array[]>()
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
      sink.receive(whole.subarray(GRPC_PREFIX_BYTES), (answer) => reply(stream, answer))
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

/** ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1, error_message = 2 } }. */
function partialResponse(rejected: number): Uint8Array {
  const words = Buffer.from('the sink rejects every third')
  const count: number[] = []
  for (let rest = rejected; ; rest = Math.floor(rest / 128)) {
    count.push(rest < 128 ? rest : (rest % 128) + 128)
    if (rest < 128) break
  }
  const partial = [8, ...count, 18, words.length, ...words]
  return Uint8Array.from([10, partial.length, ...partial])
}

function partialMessage(rejected: number): Uint8Array {
  const response = partialResponse(rejected)
  const message = Buffer.alloc(GRPC_PREFIX_BYTES + response.length)
  message.writeUInt32BE(response.length, 1)
  message.set(response, GRPC_PREFIX_BYTES)
  return message
}

const HTTP_STATUS = { ok: 200, unavailable: 503, invalid: 400 } as const

function answerHttp(response: ServerResponse, answer: Answer): boolean {
  const { socket } = response
  if (response.destroyed || socket === null) return false
  if (answer === 'cut') {
    ;(socket as Socket).resetAndDestroy()
    return true
  }
  const body = typeof answer === 'number' ? partialResponse(answer) : EMPTY
  response.writeHead(typeof answer === 'number' ? 200 : HTTP_STATUS[answer], {
    'content-type': 'application/x-protobuf',
    'content-length': body.length,
  })
  response.end(body)
  return true
}

const sink = new Sink()
const sockets = new Set<Socket>()
const grpc = createServer((socket) => serveGrpc(sink, socket))
const http = createHttpServer((request, response) => {
  const body: Buffer[] = []
  request.on('data', (chunk: Buffer) => body.push(chunk))
  request.on('error', () => {})
  request.on('end', () => sink.receive(Buffer.concat(body), (answer) => answerHttp(response, answer)))
})
http.keepAliveTimeout = 60_000
for (const server of [grpc, http])
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject)
      resolve((server.address() as AddressInfo).port)
    })
  })

// Ports may be given, so that they lie outside of the range from which the kernel takes those of clients.
const [grpcPort = 0, httpPort = 0] = process.argv.slice(2).map(Number)
const ports = { grpcPort: await listen(grpc, grpcPort), httpPort: await listen(http, httpPort) }

async function setMode({ mode, spansPerSecond }: Extract<ToSink, { kind: 'mode' }>): Promise<void> {
  const wasAway = sink.mode === 'away'
  sink.setMode(mode, spansPerSecond)
  if (wasAway && mode !== 'away') await Promise.all([listen(grpc, ports.grpcPort), listen(http, ports.httpPort)])
  if (wasAway || mode !== 'away') return
  const closed = [grpc, http].map((server) => new Promise((resolve) => server.close(resolve)))
  for (const socket of sockets) socket.resetAndDestroy()
  await Promise.all(closed)
}

const send = (message: FromSink): void => void process.send!(message)
// One after the other: a report tells what was before it, and a server that closes is closed before it listens again.
let asked: Promise<void> = Promise.resolve()
process.on('message', (message: ToSink) => {
  asked = asked.then(async () => {
    if (message.kind === 'mode') await setMode(message)
    else send(sink.report())
  })
})
process.on('disconnect', () => process.exit(0))
send({ kind: 'listening', ...ports })
