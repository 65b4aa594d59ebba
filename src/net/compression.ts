// Compressed bodies, in both directions, with one hard rule: unpacking never makes more than `maxBytes`, whatever the
// sender wrote. A bomb costs the time and memory of one message at the limit, then it is refused.
//
// All of it is synchronous and goes through contexts that stay (zlib-context.ts). The thread pool would cost more CPU for
// the same body (docs/decisions/compression.md), and what is unpacked is bounded, so is the time it takes.

import { constants } from 'node:zlib'
import { Lz4Error, readLz4 } from './lz4.ts'
import {
  isFramedSnappy,
  readSnappyBlock,
  readSnappyFramed,
  SnappyError,
  writeSnappyBlock,
  writeSnappyFramed,
} from './snappy.ts'
import { type Codec, ownBytes, PACK, TooLong, UNPACK, ZlibContext, type ZlibOptions } from './zlib-context.ts'
import { zstdContentSize } from './zstd-frame.ts'

/** Names as in Content-Encoding; `deflate` and `zlib` are both the zlib format, as the Collector reads them. */
export const ENCODINGS = ['gzip', 'zstd', 'zlib', 'deflate', 'snappy', 'x-snappy-framed'] as const
export type Encoding = (typeof ENCODINGS)[number]

/** What can be unpacked: `lz4` is read and never written. */
export const DECODINGS = [...ENCODINGS, 'lz4'] as const
export type Decoding = (typeof DECODINGS)[number]

export const isDecoding = (name: string): name is Decoding => (DECODINGS as readonly string[]).includes(name)

/** Why bytes could not be unpacked. */
export class CompressionError extends Error {
  readonly reason: 'too_large' | 'malformed'
  constructor(reason: 'too_large' | 'malformed', message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'CompressionError'
    this.reason = reason
  }
}

/**
 * Unpacks into a buffer of its own, never a pooled one. `snappy` takes a block or a framed stream, whichever it is.
 * Throws CompressionError.
 */
export function decompress(encoding: Decoding, bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  try {
    switch (encoding) {
      case 'gzip':
        return unpack(UNPACK.gzip, bytes, gzipSize(bytes), maxBytes)
      case 'zstd':
        return unpack(UNPACK.zstd, bytes, zstdContentSize(bytes) ?? bytes.length * 4, maxBytes, zstdWindow(maxBytes))
      case 'zlib':
      case 'deflate':
        return unpack(UNPACK.zlib, bytes, bytes.length * 4, maxBytes)
      case 'snappy':
        return isFramedSnappy(bytes) ? readSnappyFramed(bytes, maxBytes) : readSnappyBlock(bytes, maxBytes)
      case 'x-snappy-framed':
        return readSnappyFramed(bytes, maxBytes)
      case 'lz4':
        return readLz4(bytes, maxBytes)
    }
  } catch (error) {
    const tooLarge =
      error instanceof SnappyError || error instanceof Lz4Error ? error.tooLarge : error instanceof TooLong
    if (tooLarge) throw new CompressionError('too_large', `${encoding}: more than ${maxBytes} bytes unpacked`, error)
    throw new CompressionError('malformed', `${encoding}: ${(error as Error).message}`, error)
  }
}

/**
 * Packs the parts, one after the other, into one body. `level` as the encoding counts it (gzip, zlib and deflate 1 to 9,
 * zstd 1 to 22); without it the library's own default. Snappy has no levels.
 */
export function compress(encoding: Encoding, parts: readonly Uint8Array[], level?: number): Uint8Array {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  switch (encoding) {
    case 'gzip':
      return pack(PACK.gzip, bytes, level)
    case 'zlib':
    case 'deflate':
      return pack(PACK.zlib, bytes, level)
    case 'zstd':
      return pack(PACK.zstd, bytes, level)
    case 'snappy':
      return writeSnappyBlock(bytes)
    case 'x-snappy-framed':
      return writeSnappyFramed(bytes)
  }
}

/**
 * Of a thread, by codec, and by level or window: as many as levels that the configuration names. Each holds some hundred
 * KiB, of zstd about 1 MiB; only levels that search hard keep more, 40 MiB at zstd's 19 after batches of 8192 spans.
 */
const contexts = new Map<Codec, Map<number | undefined, ZlibContext>>()

function contextOf(codec: Codec, by: number | undefined, options: (by: number) => ZlibOptions): ZlibContext {
  let ofCodec = contexts.get(codec)
  if (ofCodec === undefined) contexts.set(codec, (ofCodec = new Map()))
  let context = ofCodec.get(by)
  if (context === undefined) ofCodec.set(by, (context = new ZlibContext(codec, by === undefined ? {} : options(by))))
  return context
}

const windowOptions = (log: number): ZlibOptions => ({ params: { [constants.ZSTD_d_windowLogMax]: log } })
const zlibLevel = (level: number): ZlibOptions => ({ level })
const zstdLevel = (level: number): ZlibOptions => ({ params: { [constants.ZSTD_c_compressionLevel]: level } })

/** One byte more than the sender declared: when that was true, it is known to be the end. */
function unpack(
  codec: Codec,
  bytes: Uint8Array,
  declared: number,
  maxBytes: number,
  windowLog?: number,
): Uint8Array<ArrayBuffer> {
  const room = ownBytes(Math.min(declared, maxBytes) + 1)
  return own(contextOf(codec, windowLog, windowOptions).run(bytes, room, maxBytes))
}

/** What packed bytes are written to before their size is known. */
const SCRATCH_BYTES = 256 * 1024
let scratch: Uint8Array<ArrayBuffer> | undefined

function pack(codec: Codec, bytes: Uint8Array, level: number | undefined): Uint8Array {
  scratch ??= ownBytes(SCRATCH_BYTES)
  const options = codec === PACK.zstd ? zstdLevel : zlibLevel
  const packed = contextOf(codec, level, options).run(bytes, scratch, Number.POSITIVE_INFINITY)
  return packed.buffer === scratch.buffer ? packed.slice() : packed
}

/** RFC 1952 2.3.1: the last four bytes are the size modulo 2^32. */
function gzipSize(bytes: Uint8Array): number {
  if (bytes.length < 18) return 0
  const at = bytes.length - 4
  return (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0
}

/**
 * The window is memory that the sender asks for: 128 MiB by the library's own bound. RFC 8878 3.1.1.1.2 recommends to
 * support at least 8 MiB (2^23); beyond that nobody needs more than the message may be long.
 */
const zstdWindow = (maxBytes: number): number => Math.min(27, Math.max(23, Math.ceil(Math.log2(maxBytes))))

/** A buffer that belongs to nobody else and carries no large slack. */
function own(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes
  if (byteOffset === 0 && buffer instanceof ArrayBuffer && buffer.byteLength - byteLength <= byteLength >>> 3)
    return new Uint8Array(buffer, 0, byteLength)
  return new Uint8Array(bytes)
}
