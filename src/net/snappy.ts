// Snappy, both forms: the bare block (google/snappy, format_description.txt) and the framed stream (framing_format.txt).
//
//   block   varint length of the output, then elements:
//             00 literal   length-1 in the tag's upper six bits, or 60..63 for 1..4 length bytes; then the bytes
//             01 copy      length 4..11, offset 11 bits     10 copy  length 1..64, offset 16 bits
//             11 copy      length 1..64, offset 32 bits
//   framed  chunks of  type, u24 length, payload:
//             ff "sNaPpY"   00 crc32c + block of at most 64 KiB   01 crc32c + plain bytes   fe, 80..fd skipped
//
// Reading is our own: snappyjs 0.7.0 goes round for ever on a literal whose four length bytes are negative as an int32,
// so five bytes from a client would stop the process. It still compresses.

import { compress } from 'snappyjs'

export class SnappyError extends Error {
  readonly tooLarge: boolean
  constructor(message: string, tooLarge = false) {
    super(message)
    this.tooLarge = tooLarge
  }
}

const corrupt = (): SnappyError => new SnappyError('snappy: corrupt input')
const tooLarge = (): SnappyError => new SnappyError('snappy: decoded block is too large', true)

const STREAM_HEADER = Uint8Array.of(0xff, 6, 0, 0, 0x73, 0x4e, 0x61, 0x50, 0x70, 0x59)
const MAX_FRAME_BYTES = 65536

export const isFramedSnappy = (bytes: Uint8Array): boolean =>
  bytes.length >= STREAM_HEADER.length && STREAM_HEADER.every((byte, at) => bytes[at] === byte)

/** The output's declared length and where the elements begin. */
function readLength(bytes: Uint8Array, from: number, to: number): { length: number; at: number } {
  let length = 0
  for (let at = from, scale = 1; at < to && at < from + 5; at++, scale *= 128) {
    const byte = bytes[at]!
    length += (byte & 0x7f) * scale
    if (byte < 0x80) {
      if (length > 0xffffffff) break
      return { length, at: at + 1 }
    }
  }
  throw corrupt()
}

/** Writes one block's elements to `out` from `start`, filling exactly to `end`. */
function readElements(bytes: Uint8Array, from: number, to: number, out: Uint8Array, start: number, end: number): void {
  let at = from
  let filled = start
  while (at < to) {
    const tag = bytes[at++]!
    if ((tag & 3) === 0) {
      let length = (tag >>> 2) + 1
      if (length > 60) {
        const width = length - 60
        if (at + width > to) throw corrupt()
        length = 0
        for (let i = width - 1; i >= 0; i--) length = length * 256 + bytes[at + i]!
        length++
        at += width
      }
      if (length > to - at || length > end - filled) throw corrupt()
      if (length < 16) for (let i = 0; i < length; i++) out[filled + i] = bytes[at + i]!
      else out.set(bytes.subarray(at, at + length), filled)
      at += length
      filled += length
      continue
    }
    let length: number
    let offset: number
    if ((tag & 3) === 1) {
      if (at >= to) throw corrupt()
      length = ((tag >>> 2) & 7) + 4
      offset = ((tag >>> 5) << 8) | bytes[at]!
      at += 1
    } else {
      const width = (tag & 3) === 2 ? 2 : 4
      if (at + width > to) throw corrupt()
      length = (tag >>> 2) + 1
      offset = 0
      for (let i = width - 1; i >= 0; i--) offset = offset * 256 + bytes[at + i]!
      at += width
    }
    if (offset === 0 || offset > filled - start || length > end - filled) throw corrupt()
    for (let i = 0; i < length; i++, filled++) out[filled] = out[filled - offset]!
  }
  if (filled !== end) throw corrupt()
}

/** One block. The declared length is compared with `maxBytes` before anything is allocated. */
export function readSnappyBlock(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  const { length, at } = readLength(bytes, 0, bytes.length)
  if (length > maxBytes) throw tooLarge()
  // An element of three bytes makes at most 64: a longer promise is a lie, and is not worth an allocation.
  if (length > (bytes.length - at) * 64) throw corrupt()
  const out = new Uint8Array(length)
  readElements(bytes, at, bytes.length, out, 0, length)
  return out
}

/** A framed stream. Two passes: the first adds up the declared lengths, so the output is allocated once and never grows. */
export function readSnappyFramed(bytes: Uint8Array, maxBytes: number): Uint8Array<ArrayBuffer> {
  if (!isFramedSnappy(bytes)) throw corrupt()
  let total = 0
  for (const chunk of chunks(bytes)) {
    const length = chunk.type === 0 ? readLength(bytes, chunk.from, chunk.to).length : chunk.to - chunk.from
    if (length > MAX_FRAME_BYTES || (chunk.type === 0 && length > (chunk.to - chunk.from) * 64)) throw corrupt()
    total += length
    if (total > maxBytes) throw tooLarge()
  }
  const out = new Uint8Array(total)
  let filled = 0
  for (const chunk of chunks(bytes)) {
    const start = filled
    if (chunk.type === 0) {
      const { length, at } = readLength(bytes, chunk.from, chunk.to)
      filled += length
      readElements(bytes, at, chunk.to, out, start, filled)
    } else {
      out.set(bytes.subarray(chunk.from, chunk.to), start)
      filled += chunk.to - chunk.from
    }
    if (maskedCrc32c(out, start, filled) !== chunk.checksum) throw corrupt()
  }
  return out
}

/** The data chunks (types 0 and 1) of a framed stream, without their checksums. */
function* chunks(bytes: Uint8Array): Generator<{ type: number; from: number; to: number; checksum: number }> {
  for (let at = 0; at < bytes.length; ) {
    if (bytes.length - at < 4) throw corrupt()
    const type = bytes[at]!
    const from = at + 4
    const to = from + (bytes[at + 1]! | (bytes[at + 2]! << 8) | (bytes[at + 3]! << 16))
    if (to > bytes.length) throw corrupt()
    if (type <= 1) {
      if (to - from < 4) throw corrupt()
      const checksum =
        (bytes[from]! | (bytes[from + 1]! << 8) | (bytes[from + 2]! << 16) | (bytes[from + 3]! << 24)) >>> 0
      yield { type, from: from + 4, to, checksum }
    } else if (type < 0x80) throw corrupt()
    at = to
  }
}

export const writeSnappyBlock = (bytes: Uint8Array): Uint8Array<ArrayBuffer> => compress(plain(bytes))

export function writeSnappyFramed(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const pieces: Uint8Array[] = [STREAM_HEADER]
  for (let at = 0; at < bytes.length; at += MAX_FRAME_BYTES) {
    const to = Math.min(at + MAX_FRAME_BYTES, bytes.length)
    const packed = compress(plain(bytes.subarray(at, to)))
    const smaller = packed.length < to - at
    const body = smaller ? packed : bytes.subarray(at, to)
    const length = body.length + 4
    const sum = maskedCrc32c(bytes, at, to)
    pieces.push(
      Uint8Array.of(smaller ? 0 : 1, length, length >>> 8, length >>> 16, sum, sum >>> 8, sum >>> 16, sum >>> 24),
      body,
    )
  }
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out
}

/** snappyjs gives a Buffer for a Buffer; a plain view of the same bytes gives a plain array. */
const plain = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)

const CRC32C = (() => {
  const table = new Uint32Array(256)
  for (let i = 0; i < 256; i++) {
    let value = i
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
    table[i] = value >>> 0
  }
  return table
})()

/** CRC-32C, rotated and moved as framing_format.txt 3 asks. */
function maskedCrc32c(bytes: Uint8Array, from: number, to: number): number {
  let crc = 0xffffffff
  for (let at = from; at < to; at++) crc = (crc >>> 8) ^ CRC32C[(crc ^ bytes[at]!) & 0xff]!
  crc = ~crc >>> 0
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}
