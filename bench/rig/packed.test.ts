import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { frameEnds } from './load-grpc.ts'
import { findLastMark, writeMark } from './numbered.ts'
import { pack } from './packed.ts'
import { payload } from './payloads.ts'

const UNPACK = { none: (bytes: Buffer) => bytes, gzip: gunzipSync, zstd: zstdDecompressSync } as const

for (const encoding of ['none', 'gzip', 'zstd'] as const) {
  for (const items of [1, 10, 1000])
    test(`a request of ${items} packed with ${encoding} can be given one number after another, wherever it is copied to`, () => {
      const request = Buffer.from(payload({ items }))
      const packed = pack(request, encoding)
      const markAt = findLastMark(request)
      const head = Buffer.from('head')
      const copy = Buffer.concat([head, packed.bytes])
      for (const number of [0, 1, 0xffff_ffff, 42]) {
        packed.number(copy, copy.length, 7, number)
        writeMark(request, markAt, 7, number)
        assert.deepEqual(Buffer.from(UNPACK[encoding](copy.subarray(head.length))), request)
      }
      const before = copy.length - packed.tailBytes
      assert.deepEqual(copy.subarray(head.length, before), packed.bytes.subarray(0, before - head.length))
    })
}

test('packing makes requests small, as senders would', () => {
  const request = payload({ items: 1000 })
  for (const encoding of ['gzip', 'zstd'] as const)
    assert.ok(pack(request, encoding).bytes.length < request.length / 4, encoding)
})

test('a message is cut into frames of at most 16 KiB, the last of which holds the whole tail', () => {
  for (const length of [10, 16_384, 16_385, 16_500, 32_768, 32_800, 422_000]) {
    const ends = frameEnds(length, 200)
    const sizes = ends.map((end, index) => end - (ends[index - 1] ?? 0))
    assert.equal(ends.at(-1), length)
    assert.ok(
      sizes.every((size) => size > 0 && size <= 16_384),
      String(sizes),
    )
    assert.ok(sizes.at(-1)! >= Math.min(200, length), String(sizes))
  }
})
