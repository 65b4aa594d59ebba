// The body of a request, whole, unpacked and bounded: in size as it arrives, in size unpacked, in the silence between
// two chunks, in the time it takes, and in what the whole door may hold.

import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { ByteBudget, ConnectionBytes, RequestBytes } from '../byte-budget.ts'
import { ChunkList } from '../chunk-list.ts'
import { CompressionError, type Decoding, decompress } from '../compression.ts'

export interface BodyLimits {
  /** As it arrives, and again unpacked. */
  readonly maxBytes: number
  readonly silenceMs: number
  /** From the first look at the body to its last byte. */
  readonly requestMs: number
  readonly budget: ByteBudget
}

export type BodyProblem = 'too_large' | 'malformed' | 'timeout' | 'overload'

export interface BodyReader {
  /** A buffer of its own. `held` is the caller's to end when the request is answered. */
  onBody(bytes: Uint8Array<ArrayBuffer>, held: RequestBytes): void
  /** Nothing stays taken. The rest of the body is not read. */
  onProblem(problem: BodyProblem, message: string): void
}

/** Calls one of the two, once; neither when the client goes away first. */
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
  const finish = (): void => {
    over = true
    clearTimeout(timer)
    request.removeListener('data', onData)
  }
  const fail = (problem: BodyProblem, message: string): void => {
    if (over) return
    finish()
    held?.end()
    chunks.clear()
    reader.onProblem(problem, message)
  }
  const held = connectionOf(request, limits.budget).open(maxBytes, () => fail('overload', NO_ROOM))
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
    if (chunks.length + chunk.length > maxBytes) fail('too_large', TOO_LARGE)
    else if (!held.take(chunk.length)) fail('overload', NO_ROOM)
    else chunks.push(chunk)
  }
  request.on('data', onData)
  request.on('end', () => {
    if (over) return
    finish()
    let bytes = chunks.take()
    if (encoding !== undefined) {
      try {
        bytes = decompress(encoding, bytes, maxBytes)
      } catch (error) {
        held.end()
        if (!(error instanceof CompressionError)) throw error
        reader.onProblem(error.reason, error.reason === 'too_large' ? TOO_LARGE : error.message)
        return
      }
    }
    if (held.arrived(bytes.length)) reader.onBody(bytes, held)
    else reader.onProblem('overload', NO_ROOM)
  })
  request.on('error', () => {})
  request.on('close', () => {
    if (over) return
    finish()
    held.end()
  })
}

/** HTTP/2 carries many requests on one connection. */
function connectionOf(request: IncomingMessage, budget: ByteBudget): ConnectionBytes {
  if (request.httpVersionMajor < 2) return budget.connection(request.socket)
  const { stream } = request as unknown as Http2ServerRequest
  return budget.connection(stream.session ?? stream)
}

/** The words of Go's http.MaxBytesReader. */
const TOO_LARGE = 'http: request body too large'
const NO_ROOM = 'too many bytes of unanswered requests are in flight, try again later'
