import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { DECIMAL_MAX_BYTES, writeDecimal, writePadded, writeWhole } from './digits.ts'

const bytes = new Uint8Array(64)
const text = (end: number): string => Buffer.from(bytes.subarray(3, end)).toString()

test('a whole number is written in the digits of String(), up to 2^53', () => {
  for (let power = 1; power < 1e16; power *= 10)
    for (const value of [power - 1, power, power + 1])
      assert.equal(text(writeWhole(bytes, 3, value)), String(value), String(value))
  fc.assert(fc.property(fc.maxSafeNat(), (value) => text(writeWhole(bytes, 3, value)) === String(value)))
})

test('zeros stand in front of what has fewer digits than asked for', () => {
  assert.equal(text(writePadded(bytes, 3, 42, 6)), '000042')
  assert.equal(text(writePadded(bytes, 3, 999_999_999, 9)), '999999999')
  assert.equal(writePadded(bytes, 3, 0, 0), 3)
})

test('a double is written as String() would, or not at all', () => {
  const decimals = fc.tuple(fc.integer(), fc.integer({ min: 0, max: 9 })).map(([whole, places]) => whole / 10 ** places)
  const numbers = fc.oneof(decimals, fc.double(), fc.integer(), fc.maxSafeInteger())
  fc.assert(
    fc.property(numbers, (value) => {
      bytes.fill(0)
      const end = writeDecimal(bytes, 3, value)
      if (end === 0) return bytes.every((byte) => byte === 0)
      return text(end) === String(value) && end - 3 <= DECIMAL_MAX_BYTES
    }),
    { numRuns: 3000 },
  )
})

test('what sensors send is written', () => {
  for (const value of [0, -0, 1, -7, 21.5, 0.1, -0.000001, 999_999_999.999999, 1e9, -(2 ** 53 - 1), 50_123_456])
    assert.equal(text(writeDecimal(bytes, 3, value)), String(value))
  for (const value of [1e-7, 0.1 + 0.2, 2 ** 53, 1e21, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(writeDecimal(bytes, 3, value), 0)
})
