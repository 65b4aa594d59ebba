// The messages of a gRPC call as they stand in the DATA of a stream (grpc/grpc, doc/PROTOCOL-HTTP2.md):
//
//   flag (1 byte: 0 plain, 1 packed)   length (4 bytes, big-endian)   message (length bytes)      ... and again
//
// DATA comes in chunks that know nothing of messages. A unary call has one; a second is refused, and so is anything
// cut short.

import { ChunkList } from '../chunk-list.ts'
import type { CompressionError } from '../compression.ts'
import { GRPC, type RpcError } from '../status.ts'

export const PREFIX_BYTES = 5

export type FrameProblem = 'too_large' | 'second_message' | 'bad_flag'

/**
 * Memory that messages may take before their bytes have come: so many a door. A message whose length is known goes into a
 * buffer of that length at once; one that finds no room here is gathered in chunks, in memory that grows as it does.
 */
export class BytesAhead {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  tryTake(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/** Gathers the one message of a unary call. */
export class UnaryReader {
  readonly #maxBytes: number
  readonly #ahead: BytesAhead
  #flag = 0
  #prefixFilled = 0
  /** The message's own buffer, or its chunks where there was no room for one ahead of them. */
  #whole: Buffer<ArrayBuffer> | undefined
  #chunks: ChunkList | undefined
  #filled = 0
  #length = 0

  constructor(maxBytes: number, ahead = new BytesAhead(maxBytes)) {
    this.#maxBytes = maxBytes
    this.#ahead = ahead
  }

  /** As the prefix declares it; 0 before the prefix is whole. */
  get length(): number {
    return this.#prefixFilled === PREFIX_BYTES ? this.#length : 0
  }

  get packed(): boolean {
    return this.#flag === 1
  }

  /** True when a prefix and as many bytes as it declares are here. */
  get whole(): boolean {
    return this.#prefixFilled === PREFIX_BYTES && this.#filled === this.#length
  }

  /** True before the first byte. */
  get empty(): boolean {
    return this.#prefixFilled === 0
  }

  /** Copies the next bytes of the stream. What comes back, if anything, ends the call. */
  push(chunk: Uint8Array, start = 0, to = chunk.length): FrameProblem | undefined {
    let from = start
    if (this.#prefixFilled < PREFIX_BYTES) {
      while (from < to && this.#prefixFilled < PREFIX_BYTES) {
        const byte = chunk[from++]!
        if (this.#prefixFilled++ === 0) this.#flag = byte
        else this.#length = ((this.#length << 8) | byte) >>> 0
      }
      if (this.#prefixFilled < PREFIX_BYTES) return undefined
      if (this.#flag > 1) return 'bad_flag'
      if (this.#length > this.#maxBytes) return 'too_large'
      if (this.#ahead.tryTake(this.#length)) this.#whole = Buffer.allocUnsafeSlow(this.#length)
      else this.#chunks = new ChunkList()
    }
    const bytes = to - from
    if (bytes === 0) return undefined
    if (bytes > this.#length - this.#filled) return 'second_message'
    if (this.#whole === undefined) this.#chunks!.push(chunk.slice(from, to))
    else {
      copy(chunk, this.#whole, this.#filled, from, to)
      this.#ahead.give(bytes)
    }
    this.#filled += bytes
    return undefined
  }

  /** Forgets everything that was gathered. */
  clear(): void {
    if (this.#whole !== undefined) this.#ahead.give(this.#length - this.#filled)
    this.#whole = undefined
    this.#chunks?.clear()
  }

  /** The message as sent, in a buffer of its own. Empties the reader, of which it takes a whole message. */
  take(): Uint8Array<ArrayBuffer> {
    const whole = this.#whole
    if (whole === undefined) return this.#chunks!.take()
    this.#whole = undefined
    return new Uint8Array(whole.buffer)
  }
}

const copy = (source: Uint8Array, target: Uint8Array, at: number, from: number, to: number): void => {
  Buffer.prototype.copy.call(source, target, at, from, to)
}

/** A message with its prefix. */
export function frameMessage(message: Uint8Array, packed: boolean): Buffer {
  const out = Buffer.allocUnsafe(PREFIX_BYTES + message.length)
  out[0] = packed ? 1 : 0
  out.writeUInt32BE(message.length, 1)
  out.set(message, PREFIX_BYTES)
  return out
}

/** Milliseconds of a grpc-timeout header (`TimeoutValue TimeoutUnit`, at most eight digits); undefined when it is none. */
export function findTimeoutMs(value: string): number | undefined {
  const match = /^(\d{1,8})([HMSmun])$/.exec(value)
  if (match === null) return undefined
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS]
}
const UNIT_MS = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 1e-3, n: 1e-6 } as const

/**
 * Percent-encoding of grpc-message: printable ASCII but `%` stands as it is. Blanks at its ends do not: RFC 9113 8.2.1 wants
 * no field with them, and nghttp2 drops it.
 */
export function encodeGrpcMessage(message: string): string {
  if (/^(?! )[ -$&-~]*(?<! )$/.test(message)) return message
  let out = ''
  for (const byte of Buffer.from(message)) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out += String.fromCharCode(byte)
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out.replace(/^ | $/g, '%20')
}

/** What grpc-go answers for a message that cannot be unpacked. */
export function unpackFailure({ reason, message }: CompressionError, maxBytes: number): RpcError {
  if (reason === 'malformed')
    return { code: GRPC.INTERNAL, message: `grpc: failed to decompress the received message: ${message}` }
  const text = `grpc: received message after decompression larger than max (${maxBytes})`
  return { code: GRPC.RESOURCE_EXHAUSTED, message: text }
}
