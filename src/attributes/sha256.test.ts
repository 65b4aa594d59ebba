import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { chooser } from '../../test/support/scramble.ts'
import { HEX_DIGITS, SHORT_BYTES, Sha256 } from './sha256.ts'

test('texts of every length below and above a block have the digits that node:crypto gives them', () => {
  const choose = chooser(1)
  const sha = new Sha256()
  const out = Buffer.alloc(2 + HEX_DIGITS + 1)
  for (let length = 0; length <= 2 * SHORT_BYTES; length++) {
    for (let i = 0; i < 20; i++) {
      const bytes = Uint8Array.from({ length: length + 7 }, () => choose(256))
      sha.writeHex(bytes, 3, 3 + length, out, 2)
      const expected = createHash('sha256')
        .update(bytes.subarray(3, 3 + length))
        .digest('hex')
      assert.equal(out.toString('latin1', 2, 2 + HEX_DIGITS), expected, `${length} bytes`)
      assert.deepEqual([out[0], out[1], out.at(-1)], [0, 0, 0])
    }
  }
})
