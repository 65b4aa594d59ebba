import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { CompressionError, compress, decompress, ENCODINGS } from './compression.ts'

const MAX = 4 * 1024 * 1024
const text = (length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  for (let i = 0, seed = 7; i < length; i++) {
    seed = (seed * 48271) % 2147483647
    bytes[i] = i % 3 === 0 ? seed & 0xff : 97 + (i % 20)
  }
  return bytes
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: what was packed comes back, from none to a megabyte, in one part or several`, () => {
    for (const length of [0, 1, 10, 61, 300, 65536, 65537, 1_000_000]) {
      const bytes = text(length)
      const cut = length >>> 1
      const back = decompress(encoding, compress(encoding, [bytes.subarray(0, cut), bytes.subarray(cut)]), MAX)
      assert.ok(Buffer.from(bytes).equals(back), `${length} bytes`)
      assert.equal(back.byteOffset, 0)
      assert.ok(back.buffer.byteLength <= length + (length >>> 3) + 64, 'no slack, no pool')
    }
  })

  test(`${encoding}: a body of exactly the limit passes, one byte more is too large`, () => {
    const bytes = new Uint8Array(100_000)
    const packed = compress(encoding, [bytes])
    assert.equal(decompress(encoding, packed, 100_000).length, 100_000)
    assert.throws(
      () => decompress(encoding, packed, 99_999),
      (error) => error instanceof CompressionError && error.reason === 'too_large',
    )
  })

  test(`${encoding}: every truncation and a flipped bit anywhere ends in an error or in other bytes, and ends`, () => {
    const bytes = text(2000)
    const packed = compress(encoding, [bytes])
    for (let length = 0; length < packed.length; length += 7) {
      try {
        const got = decompress(encoding, packed.subarray(0, length), MAX)
        assert.ok(encoding.includes('snappy') && got.length < bytes.length, `cut at ${length}`)
      } catch (error) {
        assert.ok(error instanceof CompressionError, String(error))
      }
    }
    for (let at = 0; at < packed.length; at += 3) {
      const broken = packed.slice()
      broken[at] = broken[at]! ^ 0x55
      try {
        assert.ok(decompress(encoding, broken, MAX).length <= MAX)
      } catch (error) {
        assert.ok(error instanceof CompressionError, String(error))
      }
    }
  })
}

test('a gzip or zstd bomb costs no more than the limit in time and memory', () => {
  const zeros = new Uint8Array(256 * 1024 * 1024)
  const gzip = gzipSync(zeros, { level: 9 })
  const zstd = zstdCompressSync(zeros)
  // Claims a small size: gzip in its trailer, so that the first chunk is too small.
  const liar = new Uint8Array(gzip)
  liar.fill(0, liar.length - 4)
  for (const [encoding, bomb] of [
    ['gzip', gzip],
    ['gzip', liar],
    ['zstd', zstd],
  ] as const) {
    const before = process.memoryUsage()
    const started = performance.now()
    assert.throws(
      () => decompress(encoding, bomb, MAX),
      (error) => error instanceof CompressionError && error.reason === 'too_large',
    )
    const after = process.memoryUsage()
    assert.ok(performance.now() - started < 500, `${encoding} took ${performance.now() - started} ms`)
    assert.ok(
      after.arrayBuffers - before.arrayBuffers < 4 * MAX,
      `${encoding} kept ${after.arrayBuffers - before.arrayBuffers}`,
    )
  }
})

test('a zstd frame that asks for a window of 128 MiB is refused without getting it', () => {
  const frame = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, (27 - 10) << 3, 0x01, 0x00, 0x00)
  assert.throws(() => decompress('zstd', frame, MAX), CompressionError)
})

test('snappy: a literal with a huge length, a copy from before the start, a lying length are all refused at once', () => {
  for (const block of [
    [0x0a, 0xfc, 0xfa, 0xff, 0xff, 0xff, 1, 2, 3, 4, 5],
    [0x0a, 0x01, 0x01],
    [0x0a, 0x00, 0x61, 0x01],
    [0xff, 0xff, 0xff, 0x01, 0x00, 0x61],
    [0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
    [],
  ])
    assert.throws(() => decompress('snappy', Uint8Array.from(block), MAX), CompressionError)
})

// Made with the reference implementation, through its Python binding.
const LZ4 = {
  plain: '04224d18604082100000006f68656c6c6f200600055068656c6c6f00000000',
  'with every checksum and a size':
    '04224d187c402300000000000000eb100000006f68656c6c6f200600055068656c6c6f7220b52800000000bd9cd674',
}

test('lz4: frames of the reference implementation are read, and no truncation or flipped bit passes its checksums', () => {
  const text = 'hello hello hello hello hello hello'
  for (const [name, hex] of Object.entries(LZ4)) {
    const frame = Buffer.from(hex, 'hex')
    assert.equal(Buffer.from(decompress('lz4', frame, MAX)).toString(), text, name)
    assert.equal(Buffer.from(decompress('lz4', Buffer.concat([frame, frame]), MAX)).toString(), text + text)
    // lz4_Frame_format.md, "Skippable Frames".
    const skipped = Buffer.from('5a2a4d1803000000010203', 'hex')
    assert.equal(Buffer.from(decompress('lz4', Buffer.concat([skipped, frame]), MAX)).toString(), text)
    for (let length = 0; length < frame.length; length++)
      assert.throws(
        () => decompress('lz4', frame.subarray(0, length), MAX),
        CompressionError,
        `${name} cut at ${length}`,
      )
    assert.throws(
      () => decompress('lz4', frame, 34),
      (error) => (error as CompressionError).reason === 'too_large',
    )
  }
  const summed = Buffer.from(LZ4['with every checksum and a size'], 'hex')
  for (let at = 0; at < summed.length; at++) {
    const broken = Buffer.from(summed)
    broken[at] = broken[at]! ^ 0x10
    assert.throws(() => decompress('lz4', broken, MAX), CompressionError, `byte ${at}`)
  }
})

test('lz4: a few bytes that promise much cost no more than the limit', () => {
  const length = Buffer.alloc(200_000, 255)
  const block = Buffer.concat([Buffer.from([0x1f, 0x61, 1, 0]), length, Buffer.from([0, 0])])
  const head = Buffer.from('04224d18604082', 'hex')
  const size = Buffer.alloc(4)
  size.writeUInt32LE(block.length)
  assert.throws(
    () => decompress('lz4', Buffer.concat([head, size, block, Buffer.alloc(4)]), MAX),
    (error) => error instanceof CompressionError && error.reason === 'too_large',
  )
})
