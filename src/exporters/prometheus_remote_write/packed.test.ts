import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readSnappyBlock } from '../../net/snappy.ts'
import { blockOf, PackedWriter } from './packed.ts'

const unpacked = (...writers: PackedWriter[]): Uint8Array => readSnappyBlock(blockOf(...writers), 1e7)

/** Bytes that say where they stand. */
const pattern = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)

for (const length of [0, 1, 59, 60, 61, 255, 256, 257, 1000, 70_000])
  test(`${length} bytes come out as they went in`, () => {
    const writer = new PackedWriter()
    writer.begin(length)
    writer.bytes(pattern(length))
    assert.equal(writer.position, length)
    assert.deepEqual(unpacked(writer), pattern(length))
  })

for (const [distance, length] of [
  [1, 200],
  [63, 63],
  [64, 64],
  [65, 65],
  [300, 129],
  [0xffff, 5],
  [0x10000, 300],
  [69_000, 4],
] as const)
  test(`a copy of ${length} bytes from ${distance} before is what stood there`, () => {
    const before = pattern(70_000)
    const writer = new PackedWriter()
    writer.begin(before.length + length + 1)
    writer.bytes(before)
    writer.copy(distance, length)
    writer.byte(99)
    const expected = [...before]
    for (let i = 0; i < length; i++) expected.push(expected[expected.length - distance]!)
    assert.deepEqual(unpacked(writer), Uint8Array.from([...expected, 99]))
  })

test('numbers stand as protobuf has them, wherever a literal ends', () => {
  const writer = new PackedWriter()
  writer.begin(20_000)
  const view = new DataView(new ArrayBuffer(8))
  const expected: number[] = []
  for (let i = 0; i < 700; i++) {
    writer.varint(i * 2 ** (i % 40))
    for (let rest = BigInt(i * 2 ** (i % 40)); ; rest >>= 7n) {
      expected.push(Number(rest & 127n) | (rest > 127n ? 128 : 0))
      if (rest <= 127n) break
    }
    writer.f64(i / 3)
    view.setFloat64(0, i / 3, true)
    expected.push(...new Uint8Array(view.buffer))
    writer.fixed64(i, 0x7ff00000)
    view.setUint32(0, i, true)
    view.setUint32(4, 0x7ff00000, true)
    expected.push(...new Uint8Array(view.buffer))
  }
  assert.deepEqual(unpacked(writer), Uint8Array.from(expected))
})

test('two writers make one block, and can be used again', () => {
  const [head, rest] = [new PackedWriter(), new PackedWriter()]
  for (const length of [5, 3000, 10]) {
    head.begin(length)
    rest.begin(length + 3)
    head.bytes(pattern(length))
    rest.bytes(pattern(length))
    rest.copy(length, 3)
    const expected = [...pattern(length), ...pattern(length), ...pattern(length).subarray(0, 3)]
    assert.deepEqual(unpacked(head, rest), Uint8Array.from(expected))
  }
})
