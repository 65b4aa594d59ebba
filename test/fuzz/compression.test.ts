// Packed bodies from strangers: whatever the bytes, what comes out is bounded, and only the documented error is thrown.
// What our reader takes, a second reader takes in the same way; what a writer writes comes back.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compress, uncompress } from 'snappyjs'
import { CompressionError, type Decoding, decompress } from '../../src/net/compression.ts'
import {
  readSnappyBlock,
  readSnappyFramed,
  SnappyError,
  writeSnappyBlock,
  writeSnappyFramed,
} from '../../src/net/snappy.ts'
import { UNPACK } from '../../src/net/zlib-context.ts'
import { fuzz } from './harness.ts'

/** Room for every honest seed, and little enough for a lying length to reach beyond. */
const MAX_BYTES = 100_000

const same = (a: Uint8Array, b: Uint8Array): void => assert.ok(Buffer.from(a).equals(b), 'other bytes came back')

function unpacked(encoding: Decoding, bytes: Uint8Array): Uint8Array | undefined {
  try {
    const out = decompress(encoding, bytes, MAX_BYTES)
    assert.ok(out.length <= MAX_BYTES)
    return out
  } catch (error) {
    assert.ok(error instanceof CompressionError, String(error))
    return undefined
  }
}

function findBlock(bytes: Uint8Array): Uint8Array | undefined {
  try {
    return readSnappyBlock(bytes, MAX_BYTES)
  } catch (error) {
    assert.ok(error instanceof SnappyError, String(error))
    return undefined
  }
}

test('snappy: a block or a stream of any bytes is refused, or read as a second reader reads it', async () => {
  let passed = 0
  await fuzz({
    name: 'snappy',
    inputs: 3000,
    run(bytes) {
      unpacked('snappy', bytes)
      unpacked('x-snappy-framed', bytes)
      same(readSnappyBlock(writeSnappyBlock(bytes), bytes.length), bytes)
      same(readSnappyBlock(compress(bytes), bytes.length), bytes)
      same(readSnappyFramed(writeSnappyFramed(bytes), bytes.length), bytes)
      const out = findBlock(bytes)
      if (out === undefined) return
      passed++
      same(uncompress(bytes), out)
      if (out.length === 0 || out.length > 65_536) return
      // The same block as the only chunk of a stream: mutations would never meet its checksum.
      const stored = writeSnappyFramed(out).subarray(0, 18)
      const length = bytes.length + 4
      const chunk = Uint8Array.of(0, length, length >>> 8, length >>> 16, ...stored.subarray(14), ...bytes)
      same(readSnappyFramed(Buffer.concat([stored.subarray(0, 10), chunk]), MAX_BYTES), out)
      chunk[4] = chunk[4]! ^ 1
      assert.throws(() => readSnappyFramed(Buffer.concat([stored.subarray(0, 10), chunk]), MAX_BYTES), SnappyError)
    },
  })
  assert.ok(passed > 100, `only ${passed} blocks were taken`)
})

// lz4_Frame_format.md: version 1, independent blocks, no checksums, blocks of up to 64 KiB.
const LZ4_HEAD = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82)
const lz4Frame = (block: Uint8Array, plain: boolean): Uint8Array => {
  if (block.length === 0) return Buffer.concat([LZ4_HEAD, new Uint8Array(4)])
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length + (plain ? 2 ** 31 : 0))
  return Buffer.concat([LZ4_HEAD, size, block, new Uint8Array(4)])
}

/** A block of LZ4 by its definition (lz4_Block_format.md), one byte after the other; undefined where it is none. */
function readLz4Block(block: Uint8Array): number[] | undefined {
  const out: number[] = []
  const input = block.values()
  const next = (): number => input.next().value ?? Number.NaN
  const length = (nibble: number): number => {
    let sum = nibble
    for (let more = nibble === 15 ? 255 : 0; more === 255; sum += more) more = next()
    return sum
  }
  for (let read = input.next(); !read.done; read = input.next()) {
    const literals = length(read.value >>> 4)
    if (Number.isNaN(literals)) return undefined
    for (let i = 0; i < literals; i++) {
      const byte = next()
      if (Number.isNaN(byte)) return undefined
      out.push(byte)
    }
    const low = input.next()
    if (low.done) return out
    const offset = low.value + 256 * next()
    const match = 4 + length(read.value & 15)
    if (!(offset > 0 && offset <= out.length) || Number.isNaN(match)) return undefined
    for (let i = 0; i < match; i++) out.push(out[out.length - offset]!)
  }
  return out
}

/** The shortest honest way to write a block: all of it literals. */
function literals(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 15) return Uint8Array.of(bytes.length << 4, ...bytes)
  const rest = bytes.length - 15
  return Uint8Array.of(0xf0, ...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255, ...bytes)
}

test('lz4: a frame of any bytes is refused, and a block of any bytes reads as its definition says', async () => {
  let passed = 0
  const skipped = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3)
  await fuzz({
    name: 'lz4',
    inputs: 3000,
    run(bytes) {
      const whole = unpacked('lz4', bytes)
      const after = unpacked('lz4', Buffer.concat([skipped, bytes]))
      if (whole !== undefined) same(after!, whole)
      same(unpacked('lz4', lz4Frame(bytes, true))!, bytes)
      same(unpacked('lz4', lz4Frame(literals(bytes), false))!, bytes)
      const expected = readLz4Block(bytes)
      const got = unpacked('lz4', lz4Frame(bytes, false))
      if (expected === undefined || expected.length > MAX_BYTES) assert.equal(got, undefined)
      else same(got!, Uint8Array.from(expected))
      if (got !== undefined) passed++
    },
  })
  assert.ok(passed > 100, `only ${passed} blocks were taken`)
})

test('gzip, zlib and zstd: a body of any bytes is refused or stays within the bound, as a context of its own would', async () => {
  let passed = 0
  await fuzz({
    name: 'zlib',
    inputs: 1000,
    run(bytes) {
      for (const encoding of ['gzip', 'zlib', 'zstd'] as const) {
        const out = unpacked(encoding, bytes)
        const fresh = unpackedAlone(encoding, bytes)
        assert.equal(out === undefined, fresh === undefined, encoding)
        if (out === undefined) continue
        same(out, fresh!)
        passed++
      }
    },
  })
  assert.ok(passed > 15, `only ${passed} bodies were taken`)
})

/** By node:zlib's one-shot functions. */
function unpackedAlone(encoding: keyof typeof UNPACK, bytes: Uint8Array): Uint8Array | undefined {
  try {
    return UNPACK[encoding].once(bytes, { chunkSize: 1024, maxOutputLength: MAX_BYTES })
  } catch {
    return undefined
  }
}
