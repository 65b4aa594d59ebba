import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type HeaderList,
  HpackDecoder,
  HpackEncoder,
  HpackError,
  MAX_HEADER_LIST_BYTES,
  TABLE_BLOCKS,
} from './hpack.ts'

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex')

function decode(decoder: HpackDecoder, bytes: Uint8Array): string[] {
  const out: string[] = []
  decoder.decode(bytes, 0, bytes.length, (name, value) => out.push(`${name}: ${value}`))
  return out
}

test('what a block may decode to is bounded, however small it is', () => {
  const decoder = new HpackDecoder()
  decode(decoder, Buffer.concat([hex('4001 61'), hex('7f 8101'), Buffer.alloc(256, 98)]))
  const bomb = Buffer.alloc(MAX_HEADER_LIST_BYTES / 256, 0xbe)
  assert.throws(() => decode(decoder, bomb), HpackError)
})

test('what the encoder writes the decoder reads, block after block, also when the table changes its size', () => {
  const lists: HeaderList[] = [
    [
      [':method', 'POST'],
      [':path', '/a'],
      ['x-a', '1'],
      ['te', 'trailers'],
    ],
    [
      [':method', 'POST'],
      [':path', '/b'],
      ['x-a', '1'],
      ['x-long', 'v'.repeat(3000)],
    ],
    [
      [':method', 'POST'],
      [':path', '/c'],
      ['x-longer', 'v'.repeat(5000)],
    ],
  ]
  for (const size of [4096, 0, 100, 65_536]) {
    const encoder = new HpackEncoder(size)
    const decoder = new HpackDecoder()
    const lengths: number[] = []
    for (let round = 0; round < 6; round++)
      for (const list of lists) {
        if (round === 4) encoder.resize(round % 2 === 0 ? 200 : 0)
        const block = encoder.encode(list)
        lengths.push(block.length)
        assert.deepEqual(
          decode(decoder, block),
          list.map(([name, value]) => `${name}: ${value}`),
        )
      }
    if (size >= 4096) assert.ok(lengths[3]! <= 6, 'repeated headers are a byte each')
  }
})

test('credentials that change now and then are a byte again after a while, and never fill the table for ever', () => {
  const encoder = new HpackEncoder()
  const decoder = new HpackDecoder()
  for (let day = 0; day < 10; day++) {
    const list: HeaderList = [
      [':path', '/a'],
      ['authorization', `Bearer ${String(day).repeat(1500)}`],
    ]
    const expected = list.map(([name, value]) => `${name}: ${value}`)
    let length = 0
    for (let i = 0; i <= TABLE_BLOCKS; i++) {
      const block = encoder.encode(list)
      length = block.length
      assert.deepEqual(decode(decoder, block), expected)
    }
    assert.equal(length, 2)
  }
})

test('every truncation of a block is read or refused, and nothing else', () => {
  const encoder = new HpackEncoder(0)
  const block = encoder.encode([
    [':status', '200'],
    ['content-type', 'application/grpc'],
    ['grpc-status', '0'],
    ['x', 'y'.repeat(300)],
  ])
  const whole = Buffer.concat([block, hex('418cf1e3c2e5f23a6ba0ab90f4ff')])
  for (let to = 0; to < whole.length; to++) {
    try {
      decode(new HpackDecoder(), whole.subarray(0, to))
    } catch (error) {
      assert.ok(error instanceof HpackError)
    }
  }
})
