import assert from 'node:assert/strict'
import { test } from 'node:test'
import { constants, zstdCompressSync } from 'node:zlib'
import { isOneZstdFrame, zstdContentSize } from './zstd-frame.ts'

const FRAMES = [0, 1, 255, 256, 300, 65_791, 65_792, 300_000].flatMap((length) => {
  const bytes = Buffer.from(Array.from({ length }, (_, i) => (i * i) % 251))
  return [0, 1].flatMap((checksum) => {
    const params = { [constants.ZSTD_c_checksumFlag]: checksum }
    return [
      { length, frame: zstdCompressSync(bytes, { params, pledgedSrcSize: length }) },
      { length, frame: zstdCompressSync(bytes, { params: { ...params, [constants.ZSTD_c_contentSizeFlag]: 0 } }) },
      { length, frame: zstdCompressSync(Buffer.alloc(length, 7), { params }) },
    ]
  })
})

test('a frame is one whole frame, and neither cut nor continued', () => {
  for (const { length, frame } of FRAMES) {
    assert.ok(isOneZstdFrame(frame), `of ${length} bytes`)
    for (const cut of [0, 1, 3, 4, 5, 8, frame.length >> 1, frame.length - 5, frame.length - 1])
      if (cut >= 0 && cut < frame.length)
        assert.ok(!isOneZstdFrame(frame.subarray(0, cut)), `${cut} of ${frame.length}`)
    assert.ok(!isOneZstdFrame(Buffer.concat([frame, Buffer.alloc(1)])))
    assert.ok(!isOneZstdFrame(Buffer.concat([frame, frame])))
  }
})

test('the size that a frame declares is that of its content', () => {
  const sizes = FRAMES.map(({ frame }) => zstdContentSize(frame))
  for (const [i, { length }] of FRAMES.entries())
    assert.ok(sizes[i] === undefined || sizes[i] === length, `${sizes[i]} of ${length}`)
  assert.ok(sizes.includes(undefined) && sizes.includes(1) && sizes.includes(300) && sizes.includes(300_000))
  assert.equal(zstdContentSize(new Uint8Array(0)), undefined)
})
