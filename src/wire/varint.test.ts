import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import * as varint from './varint.ts'
import { Writer } from './writer.ts'

const u64 = fc.oneof(
  fc.bigInt(0n, 2n ** 64n - 1n),
  fc.integer({ min: 0, max: 64 }).map((n) => 2n ** BigInt(n) - (n === 64 ? 1n : 0n)),
)

function encode(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
  return Uint8Array.from([...bytes, Number(rest)])
}

test('a varint is read as two halves without loss, and as the nearest double', () => {
  void fc.assert(
    fc.property(u64, (value) => {
      const bytes = encode(value)
      assert.equal(varint.varintLow(bytes, 0), Number(value & 0xffffffffn))
      assert.equal(varint.varintHigh(bytes, 0), Number(value >> 32n))
      assert.equal(varint.varintUnsigned(bytes, 0), Number(value))
      assert.equal(varint.varintSigned(bytes, 0), Number(BigInt.asIntN(64, value)))
    }),
  )
})

test('a number up to 2^53 is written in as many bytes as varintSize tells, and reads back', () => {
  void fc.assert(
    fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 53 }), (value, shift) => {
      for (const number of [value, 2 ** shift, 2 ** shift - 1]) {
        const target = new Uint8Array(12)
        const end = varint.writeVarint(target, 1, number)
        assert.deepEqual(target.subarray(1, end), encode(BigInt(number)))
        assert.equal(end - 1, varint.varintSize(number))
      }
    }),
  )
})

test('a signed number is written as protobuf writes int64', () => {
  void fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      assert.deepEqual(new Writer().signedVarint(value).toBytes(), encode(BigInt.asUintN(64, BigInt(value))))
    }),
  )
})

test('fixed numbers and doubles read as a DataView reads them', () => {
  void fc.assert(
    fc.property(fc.uint8Array({ minLength: 11, maxLength: 11 }), (bytes) => {
      const view = new DataView(bytes.buffer)
      assert.equal(varint.readU32(bytes, 3), view.getUint32(3, true))
      assert.equal(varint.readU64(bytes, 3), Number(view.getBigUint64(3, true)))
      assert.equal(varint.readI64(bytes, 3), Number(view.getBigInt64(3, true)))
      assert.equal(varint.readF64(bytes, 3), view.getFloat64(3, true))
      const copy = new Uint8Array(8)
      if (!Number.isNaN(view.getFloat64(3, true))) {
        varint.writeF64(copy, 0, view.getFloat64(3, true))
        assert.deepEqual(copy, bytes.slice(3))
      }
    }),
  )
})
