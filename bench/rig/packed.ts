// Requests made beforehand, packed or not, whose number can be changed without packing them again.
//
//   plain   ...................................... mark, rest
//   gzip    head, deflate blocks of what comes before | a stored block: mark, rest | CRC-32, length   (RFC 1951, 1952)
//   zstd    head, blocks of what comes before         | a raw block:    mark, rest                    (RFC 8878)
//
// To a reader these are ordinary members and frames: one, whose last block happens to be not compressed.

import { constants, crc32, deflateRawSync, zstdCompressSync } from 'node:zlib'
import { findLastMark, writeMark } from './numbered.ts'

export type Encoding = 'none' | 'gzip' | 'zstd'

export interface PackedRequest {
  readonly bytes: Buffer
  readonly encoding: Encoding
  /** All that a number changes lies in so many bytes at the end. */
  readonly tailBytes: number
  /** Writes a number into a copy of the request that ends at `end` of `to`. */
  number(to: Buffer, end: number, sender: number, number: number): void
}

export function pack(request: Uint8Array, encoding: Encoding): PackedRequest {
  const markAt = findLastMark(request)
  const before = request.subarray(0, markAt)
  const tail = Buffer.from(request.subarray(markAt))
  if (encoding === 'gzip') return gzip(before, tail)
  const bytes = encoding === 'none' ? Buffer.from(request) : zstd(before, tail)
  const tailBytes = tail.length
  return {
    bytes,
    encoding,
    tailBytes,
    number: (to, end, sender, number) => writeMark(to, end - tailBytes, sender, number),
  }
}

const GZIP_HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
const GZIP_FOOT_BYTES = 8

function gzip(before: Uint8Array, tail: Buffer): PackedRequest {
  // A flush ends on a whole byte, and leaves the stream open for the last block.
  const blocks = deflateRawSync(before, { finishFlush: constants.Z_SYNC_FLUSH })
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt16LE(tail.length, 1)
  head.writeUInt16LE(~tail.length & 0xffff, 3)
  const foot = Buffer.alloc(GZIP_FOOT_BYTES)
  const crcBefore = crc32(before)
  foot.writeUInt32LE(crc32(tail, crcBefore), 0)
  foot.writeUInt32LE(before.length + tail.length, 4)
  const tailBytes = tail.length + GZIP_FOOT_BYTES
  return {
    bytes: Buffer.concat([GZIP_HEAD, blocks, head, tail, foot]),
    encoding: 'gzip',
    tailBytes,
    number: (to, end, sender, number) => {
      const from = end - tailBytes
      writeMark(to, from, sender, number)
      to.writeUInt32LE(crc32(to.subarray(from, end - GZIP_FOOT_BYTES), crcBefore), end - GZIP_FOOT_BYTES)
    },
  }
}

const ZSTD_MAGIC = 0xfd2f_b528
/** Single segment, a content size of four bytes, no checksum. */
const ZSTD_HEAD = 0xa0
const BLOCK_HEAD_BYTES = 3
const RLE_BLOCK = 1

function zstd(before: Uint8Array, tail: Buffer): Buffer {
  const frame = zstdCompressSync(before)
  const { from, last } = readZstdFrame(frame)
  const blocks = Buffer.from(frame.subarray(from))
  blocks[last - from]! &= ~1
  const head = Buffer.alloc(9)
  head.writeUInt32LE(ZSTD_MAGIC, 0)
  head[4] = ZSTD_HEAD
  head.writeUInt32LE(before.length + tail.length, 5)
  const tailHead = Buffer.alloc(BLOCK_HEAD_BYTES)
  tailHead.writeUIntLE(tail.length * 8 + 1, 0, BLOCK_HEAD_BYTES)
  return Buffer.concat([head, blocks, tailHead, tail])
}

/** Where the blocks of a frame begin, and its last one. */
function readZstdFrame(frame: Buffer): { readonly from: number; readonly last: number } {
  const descriptor = frame[4]!
  if ((descriptor & 4) !== 0) throw new Error('a zstd frame with a checksum cannot be given another end')
  const single = (descriptor & 0x20) !== 0
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][descriptor >> 6]!
  const from = 5 + (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + sizeBytes
  for (let at = from; ; ) {
    const head = frame.readUIntLE(at, BLOCK_HEAD_BYTES)
    if ((head & 1) !== 0) return { from, last: at }
    at += BLOCK_HEAD_BYTES + (((head >> 1) & 3) === RLE_BLOCK ? 1 : head >> 3)
  }
}
