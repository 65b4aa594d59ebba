// The body of a request, whole, unpacked and bounded: in size as it arrives, in size unpacked, in the silence between
// two chunks, and in what the whole door may hold.

import type { IncomingMessage } from 'node:http'
import type { ByteBudget } from '../byte-budget.ts'
import { CompressionError, type Decoding, decompress } from '../compression.ts'

export interface BodyLimits {
  /** As it arrives, and again unpacked. */
  readonly maxBytes: number
  readonly silenceMs: number
  readonly budget: ByteBudget
}

export type BodyProblem = 'too_large' | 'malformed' | 'timeout' | 'overload'

export interface BodyReader {
  /** A buffer of its own. `held` bytes stay taken from the budget until the caller gives them back. */
  onBody(bytes: Uint8Array<ArrayBuffer>, held: number): void
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
  const { maxBytes, budget } = limits
  const declared = Number(request.headers['content-length'] ?? 0)
  if (declared > maxBytes) {
    reader.onProblem('too_large', TOO_LARGE)
    return
  }
  const chunks: Buffer[] = []
  let length = 0
  let held = 0
  let over = false
  const finish = (): void => {
    over = true
    clearTimeout(silence)
    request.removeListener('data', onData)
  }
  const fail = (problem: BodyProblem, message: string): void => {
    if (over) return
    finish()
    budget.give(held)
    chunks.length = 0
    reader.onProblem(problem, message)
  }
  // One timer for the request; it looks back when it fires instead of being set anew for every chunk.
  let heardAt = performance.now()
  const watch = (): void => {
    const left = heardAt + limits.silenceMs - performance.now()
    if (left > 0) silence = setTimeout(watch, left + 1).unref()
    else fail('timeout', `no byte of the body came for ${limits.silenceMs} ms`)
  }
  let silence = setTimeout(watch, limits.silenceMs).unref()

  const onData = (chunk: Buffer): void => {
    heardAt = performance.now()
    length += chunk.length
    if (length > maxBytes) fail('too_large', TOO_LARGE)
    else if (!budget.tryTake(chunk.length)) fail('overload', NO_ROOM)
    else {
      held += chunk.length
      chunks.push(chunk)
    }
  }
  request.on('data', onData)
  request.on('end', () => {
    if (over) return
    finish()
    let bytes = join(chunks, length)
    if (encoding !== undefined) {
      budget.give(held)
      held = 0
      try {
        bytes = decompress(encoding, bytes, maxBytes)
      } catch (error) {
        if (!(error instanceof CompressionError)) throw error
        reader.onProblem(error.reason, error.reason === 'too_large' ? TOO_LARGE : error.message)
        return
      }
      if (!budget.tryTake(bytes.length)) {
        reader.onProblem('overload', NO_ROOM)
        return
      }
      held = bytes.length
    }
    reader.onBody(bytes, held)
  })
  request.on('error', () => {})
  request.on('close', () => {
    if (over) return
    finish()
    budget.give(held)
  })
}

/** The words of Go's http.MaxBytesReader. */
const TOO_LARGE = 'http: request body too large'
const NO_ROOM = 'too many bytes of unanswered requests are in flight, try again later'

function join(chunks: readonly Buffer[], length: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(Buffer.allocUnsafeSlow(length).buffer)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
