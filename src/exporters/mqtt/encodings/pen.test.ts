import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Writer } from '../../../wire/writer.ts'
import { Pen } from './pen.ts'

const written = (write: (pen: Pen) => void): string => {
  const pen = new Pen()
  write(pen)
  const out = new Writer()
  pen.copyTo(out)
  return Buffer.from(out.toBytes()).toString()
}

test('a number is written as JavaScript writes it', () => {
  const number = fc.oneof(
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer().map((n) => n / 1000),
    fc.integer().map((n) => n / 100),
    fc.maxSafeInteger().map((n) => n / 1000),
    fc.maxSafeInteger(),
    fc.constantFrom(-0, 0.1, 1e21, 1e-7, 0.001, -0.001, 999999999999.999),
  )
  fc.assert(
    fc.property(number, (value) => {
      const expected = Object.is(value, -0) ? '-0' : String(value)
      assert.equal(
        written((pen) => pen.number(value)),
        expected,
      )
    }),
    { numRuns: 2000 },
  )
})

test('an int64 keeps all of its digits', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const bits = BigInt.asUintN(64, value)
      const [low, high] = [Number(bits & 0xffffffffn), Number(bits >> 32n)]
      assert.equal(
        written((pen) => pen.int64(low, high)),
        String(value),
      )
    }),
  )
})

test('a time is RFC 3339 with the digits that it needs, to the nanosecond', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), (nanos) => {
      const [low, high] = [Number(nanos & 0xffffffffn), Number(nanos >> 32n)]
      const text = JSON.parse(written((pen) => pen.time(low, high)))
      const [, second, fraction = ''] = /^(.*T\d\d:\d\d:\d\d)(?:\.(\d{3}|\d{6}|\d{9}))?Z$/.exec(text)!
      assert.equal(BigInt(Date.parse(`${second}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0')), nanos)
    }),
  )
})
