import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PacketGuard } from './packet-guard.ts'

/** A fixed header and as much content as it announces. */
function packet(length: number): number[] {
  const header = [0x30]
  let left = length
  do {
    header.push((left % 128) + (left >= 128 ? 0x80 : 0))
    left = Math.floor(left / 128)
  } while (left > 0)
  return [...header, ...new Array<number>(length).fill(0xff)]
}

test('packets up to the bound pass, however they are cut into chunks, and the first larger one does not', () => {
  const lengths = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 8 })
  fc.assert(
    fc.property(lengths, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes, cuts) => {
      const bytes = Uint8Array.from(sizes.flatMap(packet))
      const guard = new PacketGuard(200)
      let ok = true
      for (let at = 0, turn = 0; at < bytes.length && ok; turn++) {
        const end = at + cuts[turn % cuts.length]!
        ok = guard.take(bytes.subarray(at, end))
        at = end
      }
      assert.equal(
        ok,
        sizes.every((size) => size <= 200),
      )
    }),
  )
})

test('a length of more than four bytes does not pass', () => {
  assert.equal(new PacketGuard(2 ** 40).take(Uint8Array.of(0x30, 0x80, 0x80, 0x80, 0x80, 0x01)), false)
})
