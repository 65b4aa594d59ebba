// The messages of a gRPC call as they stand in the DATA of a stream (grpc/grpc, doc/PROTOCOL-HTTP2.md):
//
//   flag (1 byte: 0 plain, 1 packed)   length (4 bytes, big-endian)   message (length bytes)      ... and again
//
// DATA comes in chunks that know nothing of messages. A unary call has one; a second is refused, and so is anything
// cut short.

import { ChunkList } from '../chunk-list.ts'

export const PREFIX_BYTES = 5

export type FrameProblem = 'too_large' | 'second_message' | 'bad_flag'

/** Gathers the one message of a unary call. */
export class UnaryReader {
  readonly #maxBytes: number
  readonly #prefix = new Uint8Array(PREFIX_BYTES)
  #prefixFilled = 0
  readonly #chunks = new ChunkList()
  #filled = 0
  #length = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  /** As the prefix declares it; 0 before the prefix is whole. */
  get length(): number {
    return this.#length
  }

  get packed(): boolean {
    return this.#prefix[0] === 1
  }

  /** True when a prefix and as many bytes as it declares are here. */
  get whole(): boolean {
    return this.#prefixFilled === PREFIX_BYTES && this.#filled === this.#length
  }

  /** True before the first byte. */
  get empty(): boolean {
    return this.#prefixFilled === 0
  }

  /** Takes the next bytes of the stream and keeps them. What comes back, if anything, ends the call. */
  push(chunk: Uint8Array): FrameProblem | undefined {
    let at = 0
    if (this.#prefixFilled < PREFIX_BYTES) {
      while (at < chunk.length && this.#prefixFilled < PREFIX_BYTES) this.#prefix[this.#prefixFilled++] = chunk[at++]!
      if (this.#prefixFilled < PREFIX_BYTES) return undefined
      const prefix = this.#prefix
      if (prefix[0]! > 1) return 'bad_flag'
      this.#length = ((prefix[1]! << 24) | (prefix[2]! << 16) | (prefix[3]! << 8) | prefix[4]!) >>> 0
      if (this.#length > this.#maxBytes) return 'too_large'
    }
    const rest = chunk.length - at
    if (rest === 0) return undefined
    if (rest > this.#length - this.#filled) return 'second_message'
    this.#filled += rest
    this.#chunks.push(at === 0 ? chunk : chunk.subarray(at))
    return undefined
  }

  /** Forgets everything that was gathered. */
  clear(): void {
    this.#chunks.clear()
  }

  /** The message as sent, in a buffer of its own. Empties the reader. */
  take(): Uint8Array<ArrayBuffer> {
    return this.#chunks.take()
  }
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

/** Percent-encoding of grpc-message: printable ASCII but `%` stands as it is. */
export function encodeGrpcMessage(message: string): string {
  if (/^[ -$&-~]*$/.test(message)) return message
  let out = ''
  for (const byte of Buffer.from(message)) {
    if (byte >= 0x20 && byte <= 0x7e && byte !== 0x25) out += String.fromCharCode(byte)
    else out += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}
