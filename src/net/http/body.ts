// The body of a request, whole, unpacked and bounded: in size as it arrives, in size unpacked, in the silence between
// two chunks, in the time it takes, and in what the whole door may hold.

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest, ServerHttp2Session } from 'node:http2'
import { arePiecesSmall, type ByteBudget, type ConnectionBytes, type RequestBytes } from '../byte-budget.ts'
import { ChunkList } from '../chunk-list.ts'
import { CompressionError, type Decoding } from '../compression.ts'
import { endSession, watchOf } from '../http2/flood-watch.ts'
import { endSocket } from '../linger.ts'
import { GRPC, type RpcError } from '../status.ts'
import type { Unpacked, UnpackLine, Waiting } from '../unpack-line.ts'

export interface BodyLimits {
  /** As it arrives, and again unpacked. */
  readonly maxBytes: number
  readonly silenceMs: number
  /** From the first look at the body to its last byte. */
  readonly requestMs: number
  readonly budget: ByteBudget
  readonly unpacking: UnpackLine
  /** So many pieces of a body may be tiny. */
  readonly smallPieces: number
}

/** `flood`: the connection is to end. */
export type BodyProblem = 'too_large' | 'malformed' | 'timeout' | 'overload' | 'flood'

export interface BodyReader {
  /** A buffer of its own. `held` is the caller's to end when the request is answered. */
  onBody(bytes: Uint8Array<ArrayBuffer>, held: RequestBytes): void
  /** Asked when a body has come, ahead of unpacking: who takes it as it came, instead of onBody. */
  findTaker?(): ((bytes: Uint8Array<ArrayBuffer>, held: RequestBytes) => void) | undefined
  /** Nothing stays taken. The rest of the body is not read. */
  onProblem(problem: BodyProblem, message: string): void
}

/** Calls one of them, once; neither when the client goes away first. */
export function readBody(
  request: IncomingMessage,
  encoding: Decoding | undefined,
  limits: BodyLimits,
  reader: BodyReader,
): void {
  const { maxBytes } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) {
    reader.onProblem('too_large', TOO_LARGE)
    return
  }
  const chunks = new ChunkList()
  let over = false
  let pieces = 0
  let ended = false
  let waiting: Waiting | undefined
  const finish = (): void => {
    over = true
    clearTimeout(timer)
    request.removeListener('data', onData)
    waiting?.cancel()
  }
  const fail = (problem: BodyProblem, message: string): void => {
    if (over) return
    finish()
    held?.end()
    chunks.clear()
    reader.onProblem(problem, message)
  }
  const connection = connectionOf(request, limits.budget)
  const held = connection.open(maxBytes, () => fail('overload', NO_ROOM))
  if (held === undefined) {
    reader.onProblem('overload', NO_ROOM)
    return
  }
  // One timer for the request; it looks back when it fires instead of being set anew for every chunk.
  const startedAt = performance.now()
  let heardAt = startedAt
  const watch = (): void => {
    const now = performance.now()
    const left = Math.min(heardAt + limits.silenceMs, startedAt + limits.requestMs) - now
    if (left > 0) timer = setTimeout(watch, left + 1).unref()
    else if (now - heardAt >= limits.silenceMs) fail('timeout', `no byte of the body came for ${limits.silenceMs} ms`)
    else fail('timeout', `the request did not arrive within ${limits.requestMs} ms`)
  }
  let timer = setTimeout(watch, Math.min(limits.silenceMs, limits.requestMs)).unref()

  const onData = (chunk: Buffer): void => {
    heardAt = performance.now()
    countBody(request, chunk.length)
    if (arePiecesSmall(chunks.length + chunk.length, ++pieces, limits.smallPieces))
      fail('flood', 'a request in too many small pieces')
    else if (chunks.length + chunk.length > maxBytes) fail('too_large', TOO_LARGE)
    else if (!held.take(chunk.length)) fail('overload', NO_ROOM)
    else chunks.push(chunk)
  }
  request.on('data', onData)
  const handOver = (bytes: Uint8Array<ArrayBuffer>): void => {
    finish()
    if (held.arrived(bytes.length)) reader.onBody(bytes, held)
    else reader.onProblem('overload', NO_ROOM)
  }
  const onUnpacked = (result: Unpacked): void => {
    waiting = undefined
    if (result === 'overload') fail('overload', NO_TURN)
    else if (!(result instanceof CompressionError)) handOver(result)
    else fail(result.reason, bodyFailure(result).message)
  }
  request.on('end', () => {
    if (over) return
    ended = true
    clearTimeout(timer)
    const bytes = chunks.take()
    const taker = reader.findTaker?.()
    if (taker !== undefined) {
      finish()
      held.arrived(bytes.length)
      taker(bytes, held)
    } else if (encoding === undefined) handOver(bytes)
    else waiting = limits.unpacking.unpack(connection, encoding, bytes, maxBytes, onUnpacked)
  })
  request.on('error', () => {})
  // Also comes behind 'end'; a whole request stays in line then, and its answer finds out who is still there.
  request.on('close', () => {
    if (over || ended) return
    finish()
    held.end()
  })
}

/** The connection ends, behind what was answered on it: over HTTP/2 with GOAWAY. */
export function endConnection(request: IncomingMessage): void {
  if (request.httpVersionMajor < 2) endSocket(request.socket)
  else {
    const { session } = (request as unknown as Http2ServerRequest).stream
    if (session !== undefined) endSession(session as ServerHttp2Session)
  }
}

/** Whoever reads a body tells of its pieces: over HTTP/2 what is not told counts as a flood. */
export function countBody(request: IncomingMessage, bytes: number): void {
  if (request.httpVersionMajor < 2) return
  const { session } = (request as unknown as Http2ServerRequest).stream
  if (session !== undefined) watchOf(session)?.bodyPiece(bytes)
}

/** HTTP/2 carries many requests on one connection. */
function connectionOf(request: IncomingMessage, budget: ByteBudget): ConnectionBytes {
  if (request.httpVersionMajor < 2) return budget.connection(request.socket)
  const { stream } = request as unknown as Http2ServerRequest
  return budget.connection(stream.session ?? stream)
}

/** What the client of a body hears that cannot be unpacked; one that is too large is 400 too, as in the Collector. */
export const bodyFailure = ({ reason, message }: CompressionError): RpcError => ({
  code: GRPC.INVALID_ARGUMENT,
  message: reason === 'too_large' ? TOO_LARGE : message,
})

/** The words of Go's http.MaxBytesReader. */
const TOO_LARGE = 'http: request body too large'
const NO_TURN = 'too many requests wait to be unpacked, try again later'
const NO_ROOM = 'too many bytes of unanswered requests are in flight, try again later'
