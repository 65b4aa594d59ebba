import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDouble, readInteger64 } from './json-number.ts'

const integer = (text: string): bigint | undefined => {
  const bytes = Buffer.from(`x${text}x`)
  const read = readInteger64(bytes, 1, bytes.length - 1)
  return read === undefined ? undefined : BigInt.asIntN(64, (BigInt(read.high) << 32n) | BigInt(read.low))
}

test('integers of 64 bits are read with all digits, others are not read', () => {
  const edges = [
    0n,
    1n,
    -1n,
    2n ** 32n,
    -(2n ** 32n),
    2n ** 32n - 1n,
    2n ** 53n + 1n,
    -(2n ** 53n) - 1n,
    2n ** 63n - 1n,
  ]
  for (const edge of [...edges, -(2n ** 63n), -(2n ** 63n) + 1n]) assert.equal(integer(String(edge)), edge)
  let seed = 7n
  for (let i = 0; i < 1000; i++) {
    seed = BigInt.asIntN(64, seed * 6364136223846793005n + 1442695040888963407n)
    assert.equal(integer(String(seed)), seed)
  }
  for (const text of ['', '-', '1.5', '1e3', '9223372036854775808', '-9223372036854775809', '99999999999999999999999'])
    assert.equal(integer(text), undefined, text)
})

test('doubles are those that JSON.parse reads, with the sign of zero', () => {
  for (const text of ['-0', '0', '-0.0', '1e400', '-1e400', '5e-324', '1e-400', '1.7976931348623157e308', '1E+3']) {
    const bytes = Buffer.from(text)
    assert.ok(Object.is(readDouble(bytes, 0, bytes.length), JSON.parse(text)), text)
  }
})
