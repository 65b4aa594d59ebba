// One unary call, from its headers to its answer, on whichever engine. Answers as grpc-go does, so that clients see what
// they see from a Collector.
//
//   headers ok ----> reading ---- END_STREAM, one message, unpacked ----> handling ---- respond/fail ----> answered
//      | refuse         | too large, malformed, silent, no room     | deadline
//      +----------------+-------------------------------------------+----> trailers-only answer
//
// Where an authenticator has to ask somebody else, what comes in the meantime is kept and counts, and goes no further until
// its sender is known.
//
// A call counts against the budget from its first byte until its handler has answered, even when the client has gone:
// the handler still holds the message.

import { ROOM_AFTER_MS } from '../../delivery/error.ts'
import { type AuthAttributes, type AuthDecision, AuthRefusal } from '../auth/authenticator.ts'
import { arePiecesSmall, type RequestBytes } from '../byte-budget.ts'
import { CompressionError } from '../compression.ts'
import type { Limits } from '../limits.ts'
import { GRPC } from '../status.ts'
import type { Unpacked, Waiting } from '../unpack-line.ts'
import type { Connection } from './connection.ts'
import { type Deadlined, Deadlines } from './deadlines.ts'
import type { GrpcCall, GrpcHandler, GrpcRefusal, GrpcServerOptions } from './engine.ts'
import { BytesAhead, encodeGrpcMessage, findTimeoutMs, PREFIX_BYTES, UnaryReader, unpackFailure } from './framing.ts'
import { ACCEPT_ENCODING, ENCODINGS, PackedAnswers } from './packed-answers.ts'
import type { CallHead, Wire, WireListener } from './wire.ts'

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

/** What the calls of one door have in common. */
export interface CallServices {
  readonly options: GrpcServerOptions
  readonly limits: Limits
  readonly packed: PackedAnswers
  readonly deadlines: Deadlines
  readonly ahead: BytesAhead
}

/** Messages whose bytes are still to come: eight of the largest by gRPC's own default. */
const AHEAD_BYTES = 32 * 1024 * 1024

export const callServices = (options: GrpcServerOptions, limits: Limits): CallServices => ({
  options,
  limits,
  packed: new PackedAnswers(),
  deadlines: new Deadlines(),
  ahead: new BytesAhead(AHEAD_BYTES),
})

export class Call implements GrpcCall, WireListener, Deadlined {
  readonly path: string
  message: Uint8Array<ArrayBuffer> = NOTHING
  dueAt = Infinity
  slot = -1
  dueSlot = -1
  readonly #wire: Wire
  readonly #head: CallHead
  readonly #connection: Connection
  readonly #options: GrpcServerOptions
  readonly #services: CallServices
  readonly #reader: UnaryReader
  #encoding: string | undefined
  #auth: AuthAttributes | undefined
  #state = READING
  /** The authenticator thinks. */
  #undecided = false
  /** All of the request has come. */
  #ended = false
  /** What it counts against the budget. */
  #bytes: RequestBytes | undefined
  #handler: GrpcHandler | undefined
  /** The whole message, packed, in line. */
  #waiting: Waiting | undefined
  readonly #startedAt = performance.now()
  #heardAt = this.#startedAt
  /** Once answered: when the stream is closed, whatever the client still sends, or does not take of the answer. */
  #endsAt = Infinity
  #closing = false
  #received = 0
  #pieces = 0
  #drained = 0

  constructor(wire: Wire, head: CallHead, connection: Connection, services: CallServices) {
    this.#wire = wire
    this.#head = head
    this.#connection = connection
    this.#options = services.options
    this.#services = services
    this.path = head.path ?? ''
    this.#reader = new UnaryReader(services.options.maxMessageBytes, services.ahead)
  }

  get peer(): string {
    return this.#connection.peer
  }

  get auth(): AuthAttributes | undefined {
    return this.#auth
  }

  metadata(): Map<string, string[]> {
    return this.#head.metadata()
  }

  begin(): void {
    const head = this.#head
    this.#connection.begin(this)

    if (head.method !== 'POST') {
      const text = `Received a HEADERS frame with :method "${head.method}" which should be POST`
      this.#refuse('method', GRPC.INTERNAL, text, 405)
      return
    }
    const type = head.find('content-type')
    if (type !== 'application/grpc' && (type === undefined || !/^application\/grpc(?:$|[+;])/i.test(type))) {
      const text = `invalid gRPC request content-type "${type ?? ''}"`
      this.#refuse('content_type', GRPC.INVALID_ARGUMENT, text, 415)
      return
    }
    const timeout = head.find('grpc-timeout')
    if (timeout !== undefined) {
      const ms = findTimeoutMs(timeout)
      if (ms === undefined) {
        this.#refuse('bad_request', GRPC.INTERNAL, `malformed grpc-timeout: "${timeout}"`, 400)
        return
      }
      this.#services.deadlines.arm(this, ms)
    }
    const handler = this.#options.handlers.get(this.path)
    if (handler === undefined) {
      this.#refuse('unknown_method', GRPC.UNIMPLEMENTED, unknownMethod(this.path))
      return
    }
    const encoding = head.find('grpc-encoding')
    if (encoding !== undefined && encoding !== 'identity') {
      if (!Object.hasOwn(ENCODINGS, encoding)) {
        const text = `grpc: Decompressor is not installed for grpc-encoding "${encoding}"`
        this.#refuse('encoding', GRPC.UNIMPLEMENTED, text)
        return
      }
      this.#encoding = encoding
    }
    this.#handler = handler
    const { authenticator } = this.#options
    if (authenticator === undefined) {
      this.#open()
      return
    }
    const decision = authenticator.authenticate(this.#header)
    if (!(decision instanceof Promise)) {
      if (this.#admit(decision)) this.#open()
      return
    }
    // What comes in the meantime is kept, and counts.
    this.#undecided = true
    this.#open()
    void decision.then((late) => {
      if (this.#state !== READING || !this.#admit(late)) return
      this.#undecided = false
      if (this.#ended) this.onEnd()
    })
  }

  readonly #header = (name: string): string | undefined => this.#head.find(name)

  #admit(decision: AuthDecision): boolean {
    if (decision instanceof AuthRefusal) {
      this.#refuse('auth', decision.code, decision.message)
      return false
    }
    this.#auth = decision
    return true
  }

  #open(): void {
    this.#bytes = this.#connection.bytes.open(this.#options.maxMessageBytes + PREFIX_BYTES, () => this.#refuseForRoom())
    if (this.#bytes === undefined) this.#refuseForRoom()
  }

  onDeadline(): void {
    this.#refuse('timeout', GRPC.DEADLINE_EXCEEDED, 'context deadline exceeded')
  }

  onData(bytes: Uint8Array, from: number, to: number): void {
    const { limits } = this.#services
    this.#connection.heard(to - from)
    this.#received += to - from
    if (arePiecesSmall(this.#received, ++this.#pieces, limits.smallPieces)) {
      this.#connection.flood('a request in too many small pieces')
      return
    }
    if (this.#state !== READING) {
      this.#drained += to - from
      if (this.#drained > limits.callDrainBytes) this.#wire.stopReading()
      return
    }
    this.#heardAt = performance.now()
    const problem = this.#reader.push(bytes, from, to)
    if (problem !== undefined) {
      this.#refuseFrame(problem)
      return
    }
    if (this.#bytes?.take(to - from) !== true) this.#refuseForRoom()
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

  #refuseForRoom(): void {
    const text = 'too many bytes of unanswered requests are in flight, try again later'
    this.#refuse('overload', GRPC.UNAVAILABLE, text, 200, ROOM_AFTER_MS)
  }

  onEnd(): void {
    // A stream that was reset ends too, ahead of its close.
    if (this.#state !== READING || !this.#wire.open) return
    this.#ended = true
    if (this.#undecided) return
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
    const encoding = reader.packed ? ENCODINGS[this.#encoding!]! : undefined
    const taker = this.#options.findTaker?.()
    if (taker !== undefined) {
      this.#bytes?.arrived(message.length)
      this.#state = HANDLING
      taker(this, encoding, message)
      return
    }
    if (encoding === undefined) {
      this.#handle(message)
      return
    }
    const { maxMessageBytes, unpacking } = this.#options
    this.#waiting = unpacking.unpack(this.#connection, encoding, message, maxMessageBytes, (result) => {
      this.#waiting = undefined
      this.#onUnpacked(result)
    })
  }

  #onUnpacked(result: Unpacked): void {
    if (result === 'overload') this.#refuse('overload', GRPC.UNAVAILABLE, NO_TURN)
    else if (!(result instanceof CompressionError)) this.#handle(result)
    else {
      const { code, message } = unpackFailure(result, this.#options.maxMessageBytes)
      this.#refuse(result.reason, code, message)
    }
  }

  #handle(message: Uint8Array<ArrayBuffer>): void {
    if (this.#bytes?.arrived(message.length) !== true) {
      this.#refuseForRoom()
      return
    }
    this.message = message
    this.#state = HANDLING
    this.#handler!(this)
  }

  respond(message: Uint8Array): void {
    if (!this.#finish()) return
    this.#endsAt = performance.now() + this.#options.bodySilenceMs
    const encoding = this.#reader.packed ? this.#encoding : undefined
    this.#wire.answer(encoding, this.#services.packed.framed(encoding, message))
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
    if (!handled) {
      this.#reader.clear()
      this.#release()
    }
    this.#services.deadlines.disarm(this)
    this.#options.onRefused(reason, message)
    if (this.#wire.open) this.#trailersOnly(httpStatus, code, message, retryAfterMs)
  }

  #trailersOnly(httpStatus: number, code: number, words: string, retryAfterMs?: number): void {
    const message = words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}...` : words
    const headers: [string, string][] = [
      [':status', String(httpStatus)],
      ['content-type', 'application/grpc'],
      ['grpc-status', String(code)],
      ['grpc-message', encodeGrpcMessage(message)],
    ]
    if (code === GRPC.UNIMPLEMENTED) headers.push(['grpc-accept-encoding', ACCEPT_ENCODING])
    if (retryAfterMs !== undefined) {
      const details = Buffer.from(this.#options.encodeStatus({ code, message, retryAfterMs })).toString('base64')
      headers.push(['grpc-status-details-bin', details.replace(/=+$/, '')])
    }
    this.#connection.answered()
    this.#endsAt = performance.now() + DRAIN_MS
    // What the client still has to send is read and thrown away for a while (onData, sweep): a RST_STREAM at once could
    // overtake the answer, and grpc-js would report the reset instead of the status.
    this.#wire.refuse(headers)
  }

  /** The handler's answer came: gives the bytes back. True when somebody is still there to hear it. */
  #finish(): boolean {
    const waiting = this.#state === HANDLING
    this.#state = ANSWERED
    this.#release()
    this.#services.deadlines.disarm(this)
    if (!waiting || !this.#wire.open) return false
    this.#connection.answered()
    return true
  }

  #release(): void {
    this.#waiting?.cancel()
    this.#waiting = undefined
    this.#bytes?.end()
    this.message = NOTHING
  }

  onClosed(): void {
    this.#connection.forget(this, this.#state === ANSWERED)
    this.#services.deadlines.disarm(this)
    if (this.#state === READING) {
      this.#state = ANSWERED
      this.#reader.clear()
      this.#release()
    }
  }

  /** Ends a request that stands still. Called by the connection's sweep. */
  sweep(now: number): void {
    if (this.#state === ANSWERED) {
      if (now <= this.#endsAt) return
      // The reset does not go out either: the socket is full.
      if (this.#closing) this.#connection.stuck()
      this.#closing = true
      this.#endsAt = now + this.#options.bodySilenceMs
      this.#wire.close()
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

/** Words of grpc-go. */
function unknownMethod(path: string): string {
  const slash = path.lastIndexOf('/')
  if (!path.startsWith('/') || slash === 0) return `malformed method name: "${path}"`
  return `unknown method ${path.slice(slash + 1)} for service ${path.slice(1, slash)}`
}
