// One unary call on node:http2, from its headers to its answer. Answers as grpc-go does, so that clients see what they
// see from a Collector.
//
//   headers ok ----> reading ---- END_STREAM, one message, unpacked ----> handling ---- respond/fail ----> answered
//      | refuse         | too large, malformed, silent, no room     | deadline
//      +----------------+-------------------------------------------+----> trailers-only answer
//
// Where an authenticator has to ask somebody else, the stream is paused between headers and reading: flow control holds
// the message back until its sender is known.
//
// A call counts against the budget from its first byte until its handler has answered, even when the client has gone:
// the handler still holds the message.

import { constants as H2, type IncomingHttpHeaders, type ServerHttp2Stream } from 'node:http2'
import { ROOM_AFTER_MS } from '../../delivery/error.ts'
import { type AuthAttributes, type AuthDecision, AuthRefusal } from '../auth/authenticator.ts'
import { arePiecesSmall, type RequestBytes } from '../byte-budget.ts'
import { CompressionError, compress, type Encoding } from '../compression.ts'
import type { Limits } from '../limits.ts'
import { GRPC } from '../status.ts'
import type { Unpacked, Waiting } from '../unpack-line.ts'
import type { Connection } from './connection.ts'
import type { GrpcCall, GrpcHandler, GrpcRefusal, GrpcServerOptions } from './engine.ts'
import { encodeGrpcMessage, findTimeoutMs, frameMessage, PREFIX_BYTES, UnaryReader } from './framing.ts'

/** gRPC's names; its snappy is the framed form. */
const ENCODINGS: Readonly<Record<string, Encoding>> = { gzip: 'gzip', zstd: 'zstd', snappy: 'x-snappy-framed' }
const ACCEPT_ENCODING = 'gzip,snappy,zstd'

/** A client that does not stop sending what nobody wants is reset after this. */
const DRAIN_MS = 1000

/**
 * Clients take so many KiB of headers, 8 of them with gRPC's C core, and answer more with a code of their own. A
 * character takes up to nine bytes.
 */
const MAX_WORDS = 500

const READING = 0
const HANDLING = 1
const ANSWERED = 2

export class Call implements GrpcCall {
  readonly path: string
  message: Uint8Array<ArrayBuffer> = NOTHING
  readonly #stream: ServerHttp2Stream
  readonly #headers: IncomingHttpHeaders
  readonly #connection: Connection
  readonly #options: GrpcServerOptions
  readonly #limits: Limits
  readonly #packed: PackedAnswers
  readonly #reader: UnaryReader
  #encoding: string | undefined
  #auth: AuthAttributes | undefined
  #state = READING
  /** What it counts against the budget. */
  #bytes: RequestBytes | undefined
  /** The whole message, packed, in line. */
  #waiting: Waiting | undefined
  #deadline: NodeJS.Timeout | undefined
  readonly #startedAt = performance.now()
  #heardAt = this.#startedAt
  /** Once answered: when the stream is closed, whatever the client still sends, or does not take of the answer. */
  #endsAt = Infinity
  #closing = false
  #received = 0
  #pieces = 0
  #drained = 0

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    connection: Connection,
    options: GrpcServerOptions,
    limits: Limits,
    packed: PackedAnswers,
  ) {
    this.#stream = stream
    this.#headers = headers
    this.#connection = connection
    this.#options = options
    this.#limits = limits
    this.#packed = packed
    this.path = headers[':path'] ?? ''
    this.#reader = new UnaryReader(options.maxMessageBytes)
  }

  get peer(): string {
    return this.#connection.peer
  }

  get auth(): AuthAttributes | undefined {
    return this.#auth
  }

  metadata(): Map<string, string[]> {
    const metadata = new Map<string, string[]>()
    for (const name in this.#headers) {
      const value = this.#headers[name]
      if (value === undefined || (name.startsWith(':') && name !== ':authority')) continue
      metadata.set(name, typeof value === 'string' ? [value] : [...value])
    }
    const authority = metadata.get(':authority')
    if (authority !== undefined && !metadata.has('host')) metadata.set('host', authority)
    return metadata
  }

  begin(): void {
    const stream = this.#stream
    const headers = this.#headers
    stream.on('error', () => {})
    stream.on('close', () => this.#onClose())
    stream.on('data', (chunk: Buffer) => this.#onData(chunk))
    this.#connection.begin(this)

    if (this.#connection.areHeadersTooLarge(headers)) {
      this.#state = ANSWERED
      this.#options.onRefused('bad_request', `more than ${this.#limits.headerBytes} bytes of headers`)
      stream.close(H2.NGHTTP2_ENHANCE_YOUR_CALM)
      return
    }
    if (headers[':method'] !== 'POST') {
      const text = `Received a HEADERS frame with :method "${headers[':method']}" which should be POST`
      this.#refuse('method', GRPC.INTERNAL, text, 405)
      return
    }
    const type = headers['content-type']
    if (type === undefined || !/^application\/grpc(?:$|[+;])/i.test(type)) {
      const text = `invalid gRPC request content-type "${type ?? ''}"`
      this.#refuse('content_type', GRPC.INVALID_ARGUMENT, text, 415)
      return
    }
    const timeout = headers['grpc-timeout']
    if (timeout !== undefined) {
      const ms = findTimeoutMs(String(timeout))
      if (ms === undefined) {
        this.#refuse('bad_request', GRPC.INTERNAL, `malformed grpc-timeout: "${timeout}"`, 400)
        return
      }
      this.#arm(ms)
    }
    const handler = this.#options.handlers.get(this.path)
    if (handler === undefined) {
      this.#refuse('unknown_method', GRPC.UNIMPLEMENTED, unknownMethod(this.path))
      return
    }
    const encoding = headers['grpc-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      if (!Object.hasOwn(ENCODINGS, String(encoding))) {
        const text = `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`
        this.#refuse('encoding', GRPC.UNIMPLEMENTED, text)
        return
      }
      this.#encoding = String(encoding)
    }
    const { authenticator } = this.#options
    if (authenticator === undefined) {
      this.#open(handler)
      return
    }
    const decision = authenticator.authenticate(this.#header)
    if (!(decision instanceof Promise)) {
      this.#admit(decision, handler)
      return
    }
    stream.pause()
    void decision.then((late) => {
      if (this.#state !== READING) return
      this.#admit(late, handler)
      stream.resume()
    })
  }

  readonly #header = (name: string): string | undefined => {
    const value = this.#headers[name]
    return typeof value === 'string' || value === undefined ? value : value[0]
  }

  #admit(decision: AuthDecision, handler: GrpcHandler): void {
    if (decision instanceof AuthRefusal) {
      this.#refuse('auth', decision.code, decision.message)
      return
    }
    this.#auth = decision
    this.#open(handler)
  }

  #open(handler: GrpcHandler): void {
    this.#bytes = this.#connection.bytes.open(this.#options.maxMessageBytes + PREFIX_BYTES, this.#refuseForRoom)
    if (this.#bytes === undefined) {
      this.#refuseForRoom()
      return
    }
    this.#stream.on('end', () => this.#onEnd(handler))
  }

  #arm(ms: number): void {
    // Whole seconds share a timer list; the client counts its own milliseconds.
    const delay = ms > 1000 ? Math.ceil(ms / 1000) * 1000 : ms
    if (delay > 0x7fffffff) return
    this.#deadline = setTimeout(
      () => this.#refuse('timeout', GRPC.DEADLINE_EXCEEDED, 'context deadline exceeded'),
      delay,
    ).unref()
  }

  #onData(chunk: Buffer): void {
    this.#connection.heard(chunk.length)
    this.#received += chunk.length
    if (arePiecesSmall(this.#received, ++this.#pieces, this.#limits.smallPieces)) {
      this.#connection.flood('a request in too many small pieces')
      return
    }
    if (this.#state !== READING) {
      this.#drained += chunk.length
      if (this.#drained > this.#limits.callDrainBytes) this.#stream.close(H2.NGHTTP2_NO_ERROR)
      return
    }
    this.#heardAt = performance.now()
    const problem = this.#reader.push(chunk)
    if (problem !== undefined) {
      this.#refuseFrame(problem)
      return
    }
    if (this.#bytes?.take(chunk.length) !== true) this.#refuseForRoom()
  }

  #refuseFrame(problem: 'too_large' | 'second_message' | 'bad_flag'): void {
    const { length } = this.#reader
    const max = this.#options.maxMessageBytes
    if (problem === 'too_large')
      this.#refuse(
        'too_large',
        GRPC.RESOURCE_EXHAUSTED,
        `grpc: received message larger than max (${length} vs. ${max})`,
      )
    else if (problem === 'second_message')
      this.#refuse('malformed', GRPC.INTERNAL, 'grpc: more than one message in the request of a unary call')
    else this.#refuse('malformed', GRPC.INTERNAL, 'grpc: received unexpected payload format')
  }

  readonly #refuseForRoom = (): void => {
    const text = 'too many bytes of unanswered requests are in flight, try again later'
    this.#refuse('overload', GRPC.UNAVAILABLE, text, 200, ROOM_AFTER_MS)
  }

  #onEnd(handler: GrpcHandler): void {
    // A stream that was reset ends too, ahead of its close.
    if (this.#state !== READING || this.#stream.closed) return
    const reader = this.#reader
    if (!reader.whole) {
      const text = reader.empty
        ? 'grpc: the request holds no message'
        : 'grpc: the request was cut short (unexpected EOF)'
      this.#refuse('malformed', GRPC.INTERNAL, text)
      return
    }
    if (reader.packed && this.#encoding === undefined) {
      this.#refuse('malformed', GRPC.INTERNAL, 'grpc: compressed flag set with identity or empty encoding')
      return
    }
    const message = reader.take()
    if (!reader.packed) {
      this.#handle(handler, message)
      return
    }
    const { maxMessageBytes, unpacking } = this.#options
    const encoding = ENCODINGS[this.#encoding!]!
    this.#waiting = unpacking.unpack(this.#connection, encoding, message, maxMessageBytes, (result) => {
      this.#waiting = undefined
      this.#onUnpacked(handler, result)
    })
  }

  #onUnpacked(handler: GrpcHandler, result: Unpacked): void {
    if (result === 'overload') this.#refuse('overload', GRPC.UNAVAILABLE, NO_TURN)
    else if (!(result instanceof CompressionError)) this.#handle(handler, result)
    else if (result.reason === 'too_large') {
      const max = this.#options.maxMessageBytes
      const text = `grpc: received message after decompression larger than max (${max})`
      this.#refuse('too_large', GRPC.RESOURCE_EXHAUSTED, text)
    } else {
      const text = `grpc: failed to decompress the received message: ${result.message}`
      this.#refuse('malformed', GRPC.INTERNAL, text)
    }
  }

  #handle(handler: GrpcHandler, message: Uint8Array<ArrayBuffer>): void {
    if (this.#bytes?.arrived(message.length) !== true) {
      this.#refuseForRoom()
      return
    }
    this.message = message
    this.#state = HANDLING
    handler(this)
  }

  respond(message: Uint8Array): void {
    if (!this.#finish()) return
    const stream = this.#stream
    this.#endsAt = performance.now() + this.#options.bodySilenceMs
    const encoding = this.#reader.packed ? this.#encoding : undefined
    const head = encoding === undefined ? PLAIN_HEAD : { ...PLAIN_HEAD, 'grpc-encoding': encoding }
    stream.respond(head, TRAILERS_FOLLOW)
    stream.once('wantTrailers', sendOkTrailers)
    stream.end(encoding === undefined ? frameMessage(message, false) : this.#packed.framed(encoding, message))
  }

  fail(code: number, message: string, retryAfterMs?: number): void {
    if (!this.#finish()) return
    this.#trailersOnly(200, code, message, retryAfterMs)
  }

  /** The engine's own refusal, in any state: it comes before the handler's answer, or instead of it. */
  #refuse(reason: GrpcRefusal, code: number, message: string, httpStatus = 200, retryAfterMs?: number): void {
    if (this.#state === ANSWERED) return
    const handled = this.#state === HANDLING
    this.#state = ANSWERED
    if (!handled) this.#release()
    clearTimeout(this.#deadline)
    this.#options.onRefused(reason, message)
    if (!this.#stream.destroyed && !this.#stream.closed) this.#trailersOnly(httpStatus, code, message, retryAfterMs)
  }

  #trailersOnly(httpStatus: number, code: number, words: string, retryAfterMs?: number): void {
    const message = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}...` : words
    const head: Record<string, string | number> = {
      ':status': httpStatus,
      'content-type': 'application/grpc',
      'grpc-status': code,
      'grpc-message': encodeGrpcMessage(message),
    }
    if (code === GRPC.UNIMPLEMENTED) head['grpc-accept-encoding'] = ACCEPT_ENCODING
    if (retryAfterMs !== undefined)
      head['grpc-status-details-bin'] = Buffer.from(this.#options.encodeStatus({ code, message, retryAfterMs }))
        .toString('base64')
        .replace(/=+$/, '')
    this.#connection.answered()
    this.#endsAt = performance.now() + DRAIN_MS
    this.#reader.clear()
    this.#stream.respond(head, { endStream: true })
    // What the client still has to send is read and thrown away for a while (#onData, sweep): a RST_STREAM at once could
    // overtake the answer, and grpc-js would report the reset instead of the status.
    if (!this.#stream.readableEnded) this.#stream.resume()
  }

  /** The handler's answer came: gives the bytes back. True when somebody is still there to hear it. */
  #finish(): boolean {
    const waiting = this.#state === HANDLING
    this.#state = ANSWERED
    this.#release()
    clearTimeout(this.#deadline)
    if (!waiting || this.#stream.destroyed || this.#stream.closed) return false
    this.#connection.answered()
    return true
  }

  #release(): void {
    this.#waiting?.cancel()
    this.#waiting = undefined
    this.#bytes?.end()
    this.message = NOTHING
  }

  #onClose(): void {
    this.#connection.forget(this, this.#state === ANSWERED)
    clearTimeout(this.#deadline)
    if (this.#state === READING) {
      this.#state = ANSWERED
      this.#reader.clear()
      this.#release()
    }
  }

  /** Ends a request that stands still. Called by the connection's sweep. */
  sweep(now: number): void {
    if (this.#state === ANSWERED) {
      // node:http2 keeps a stream that is closed with NO_ERROR until its answer has gone out.
      if (now <= this.#endsAt) return
      // The reset does not go out either: the socket is full.
      if (this.#closing) this.#connection.stuck()
      this.#closing = true
      this.#endsAt = now + this.#options.bodySilenceMs
      this.#stream.close(this.#stream.writableFinished ? H2.NGHTTP2_NO_ERROR : H2.NGHTTP2_CANCEL)
      return
    }
    if (this.#state !== READING) return
    const { bodySilenceMs, requestMs } = this.#options
    if (now - this.#heardAt > bodySilenceMs)
      this.#refuse('timeout', GRPC.DEADLINE_EXCEEDED, `no byte of the request came for ${bodySilenceMs} ms`)
    else if (now - this.#startedAt > requestMs)
      this.#refuse('timeout', GRPC.DEADLINE_EXCEEDED, `the request did not arrive within ${requestMs} ms`)
  }
}

const NO_TURN = 'too many requests wait to be unpacked, try again later'
const NOTHING = new Uint8Array(0)
const PLAIN_HEAD = { ':status': 200, 'content-type': 'application/grpc' } as const
const TRAILERS_FOLLOW = { waitForTrailers: true } as const
const OK_TRAILERS = { 'grpc-status': '0', 'grpc-message': '' } as const

function sendOkTrailers(this: ServerHttp2Stream): void {
  this.sendTrailers(OK_TRAILERS)
}

/** Answers as they go out packed. Nearly all are the same few bytes, and packing them anew costs as much as the call. */
export class PackedAnswers {
  readonly #known = new Map<string, WeakMap<Uint8Array, Buffer>>()

  framed(encoding: string, message: Uint8Array): Buffer {
    let known = this.#known.get(encoding)
    if (known === undefined) {
      known = new WeakMap()
      this.#known.set(encoding, known)
    }
    let answer = known.get(message)
    if (answer === undefined) {
      answer = frameMessage(compress(ENCODINGS[encoding]!, [message]), true)
      known.set(message, answer)
    }
    return answer
  }
}

/** Words of grpc-go. */
function unknownMethod(path: string): string {
  const slash = path.lastIndexOf('/')
  if (!path.startsWith('/') || slash === 0) return `malformed method name: "${path}"`
  return `unknown method ${path.slice(slash + 1)} for service ${path.slice(1, slash)}`
}
