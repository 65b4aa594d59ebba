import assert from 'node:assert/strict'
import { test } from 'node:test'
import { writeShort, writeSixDigits, writeSmall, writeTriple } from './digit-triples.ts'

type Write = (target: DataView, at: number, value: number) => number

function written(write: Write, value: number): string {
  const target = Buffer.alloc(16)
  const end = write(new DataView(target.buffer, target.byteOffset, target.length), 2, value)
  return target.subarray(2, end).toString()
}

test('every number below a thousand has its digits, with zeros in front and without', () => {
  for (let value = 0; value < 1000; value++) {
    assert.equal(written(writeTriple, value), String(value).padStart(3, '0'))
    assert.equal(written(writeShort, value), String(value))
    for (const more of [0, 7, 999]) {
      const large = value * 1000 + more
      assert.equal(written(writeSixDigits, large), String(large).padStart(6, '0'))
      assert.equal(written(writeSmall, large), String(large))
    }
  }
})
