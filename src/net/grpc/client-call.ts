// One unary call: its answer as it comes in, and the one moment at which it ends.

import { ChunkList } from '../chunk-list.ts'
import { CompressionError, decompress } from '../compression.ts'
import type { ClientSession } from '../http2/client-session.ts'
import type { ClientStream, StreamFailure, StreamListener } from '../http2/client-stream.ts'
import { readU32 } from '../http2/frame.ts'
import type { HeaderList } from '../http2/hpack.ts'
import type { ResponseHead } from '../http2/response-head.ts'
import { GRPC } from '../status.ts'
import { codeOfHttpStatus, codeOfReset, decodeMessage, GrpcError, readGrpcStatus } from './client-status.ts'

/** gRPC's own default for a client, before and after unpacking. */
export const MAX_RESPONSE_BYTES = 4 * 1024 * 1024
/** How often a call that a server promised not to have touched is sent again (gRFC A6, transparent retries). */
export const MAX_UNPROCESSED_TRIES = 3
/** Compressed flag and length, before the message. */
export const MESSAGE_HEAD_BYTES = 5

const NO_BYTES = new Uint8Array(0)
const SMALL_ANSWER_BYTES = 64

export class UnaryCall implements StreamListener {
  readonly #headers: HeaderList
  readonly #parts: readonly Uint8Array[]
  readonly #byteLength: number
  readonly #signal: AbortSignal | undefined
  readonly #again: (call: UnaryCall) => void
  readonly #resolve: (message: Uint8Array) => void
  readonly #reject: (error: GrpcError) => void
  #session: ClientSession | undefined
  #stream: ClientStream | undefined
  #tries = 0
  #over = false

  #answered = false
  #httpStatus = 0
  #isGrpc = false
  #encoding = 'identity'
  #grpcStatus: number | undefined
  #grpcMessage = ''
  #details: string | undefined
  /** The answer so far: one small piece, or many. */
  #small: Buffer | undefined
  #received: ChunkList | undefined
  #receivedBytes = 0

  constructor(
    headers: HeaderList,
    parts: readonly Uint8Array[],
    byteLength: number,
    signal: AbortSignal | undefined,
    again: (call: UnaryCall) => void,
    resolve: (message: Uint8Array) => void,
    reject: (error: GrpcError) => void,
  ) {
    this.#headers = headers
    this.#parts = parts
    this.#byteLength = byteLength
    this.#signal = signal
    this.#again = again
    this.#resolve = resolve
    this.#reject = reject
    signal?.addEventListener('abort', this.#aborted)
  }

  /** Ended, perhaps while it still waited for a connection. */
  get over(): boolean {
    return this.#over
  }

  start(session: ClientSession): void {
    this.#tries++
    this.#session = session
    this.#stream = session.request(this.#headers, this.#parts, this.#byteLength, this)
  }

  fail(error: GrpcError): void {
    if (this.#over) return
    this.#end()
    this.#reject(error)
  }

  onHead(head: ResponseHead): void {
    this.#answered = true
    if (head.status !== 0) this.#httpStatus = head.status
    const { names, values } = head
    for (let i = 0; i < names.length; i++) this.#field(names[i]!, values[i]!)
  }

  #field(name: string, value: string): void {
    switch (name) {
      case 'content-type':
        this.#isGrpc = value.startsWith('application/grpc')
        break
      case 'grpc-encoding':
        this.#encoding = value
        break
      case 'grpc-status':
        this.#grpcStatus = readGrpcStatus(value)
        break
      case 'grpc-message':
        this.#grpcMessage = decodeMessage(value)
        break
      case 'grpc-status-details-bin':
        this.#details = value
        break
    }
  }

  onData(bytes: Uint8Array, from: number, to: number): void {
    this.#receivedBytes += to - from
    if (this.#receivedBytes > MAX_RESPONSE_BYTES + MESSAGE_HEAD_BYTES) {
      this.#cancel()
      this.fail(new GrpcError(GRPC.RESOURCE_EXHAUSTED, `the answer is larger than ${MAX_RESPONSE_BYTES} bytes`))
      return
    }
    // What is no gRPC may be a page of any kind: it only counts.
    if (this.#isGrpc) this.#keep(bytes, from, to)
  }

  /** Nearly every answer is one piece of some bytes, for which the pool will do. */
  #keep(bytes: Uint8Array, from: number, to: number): void {
    if (this.#receivedBytes === to - from && to - from <= SMALL_ANSWER_BYTES) {
      this.#small = Buffer.allocUnsafe(to - from)
      for (let at = from; at < to; at++) this.#small[at - from] = bytes[at]!
      return
    }
    this.#received ??= new ChunkList()
    if (this.#small !== undefined) this.#received.push(new Uint8Array(this.#small))
    this.#small = undefined
    this.#received.push(new Uint8Array(bytes.subarray(from, to)))
  }

  onEnd(): void {
    if (this.#over) return
    const code = this.#grpcStatus
    // A page of some proxy is no answer, whatever its trailers say.
    if (code === undefined || (code === GRPC.OK && !this.#isGrpc)) {
      const gate = this.#httpStatus === 200 && this.#isGrpc
      const words = gate ? 'the answer has no grpc-status' : `no gRPC answer: HTTP status ${this.#httpStatus}`
      this.fail(new GrpcError(codeOfHttpStatus(this.#httpStatus), words))
    } else if (code !== GRPC.OK) {
      const details = this.#details === undefined ? undefined : Buffer.from(this.#details, 'base64')
      this.fail(new GrpcError(code, this.#grpcMessage, { details }))
    } else this.#succeed()
  }

  onFail(failure: StreamFailure): void {
    if (this.#over) return
    // Who answers has looked at it, and what it said must not mix with another server's answer.
    if (failure.unprocessed && !this.#answered && this.#tries < MAX_UNPROCESSED_TRIES) {
      this.#session = this.#stream = undefined
      this.#again(this)
      return
    }
    const code = failure.h2Code === undefined ? GRPC.UNAVAILABLE : codeOfReset(failure.h2Code)
    this.fail(new GrpcError(code, failure.message))
  }

  #succeed(): void {
    let message: Uint8Array
    try {
      message = this.#message()
    } catch (error) {
      this.fail(error as GrpcError)
      return
    }
    this.#end()
    this.#resolve(message)
  }

  #message(): Uint8Array {
    if (this.#receivedBytes === 0) return NO_BYTES
    const bytes = this.#small ?? this.#received!.take()
    const length = bytes.length - MESSAGE_HEAD_BYTES
    if (length < 0 || readU32(bytes, 1) !== length)
      throw new GrpcError(GRPC.INTERNAL, 'the answer is not one whole gRPC message')
    const message = bytes.subarray(MESSAGE_HEAD_BYTES)
    if (bytes[0] === 0) return message
    if (this.#encoding !== 'gzip')
      throw new GrpcError(GRPC.INTERNAL, `the answer is packed with ${this.#encoding}, which was not asked for`)
    try {
      return decompress('gzip', message, MAX_RESPONSE_BYTES)
    } catch (error) {
      const tooLarge = error instanceof CompressionError && error.reason === 'too_large'
      throw new GrpcError(tooLarge ? GRPC.RESOURCE_EXHAUSTED : GRPC.INTERNAL, (error as Error).message)
    }
  }

  readonly #aborted = (): void => {
    this.#cancel()
    const reason = this.#signal!.reason
    const words = reason instanceof Error ? reason.message : 'cancelled'
    this.fail(new GrpcError(GRPC.CANCELLED, words, { cause: reason }))
  }

  #cancel(): void {
    if (this.#stream !== undefined) this.#session?.cancel(this.#stream)
  }

  #end(): void {
    this.#over = true
    this.#session = this.#stream = undefined
    this.#signal?.removeEventListener('abort', this.#aborted)
  }
}
