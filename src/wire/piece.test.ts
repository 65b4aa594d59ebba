import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { PIECE_OVERRUN, Piece } from './piece.ts'

const text = fc.string({
  unit: fc.constantFrom('a', '"', '\u0000', '\u007f', 'é', '漢', '😀', '\u{10ffff}'),
  maxLength: 700,
})

test('a piece writes exactly its text, wherever it is put, and what it became last', () => {
  const piece = new Piece()
  fc.assert(
    fc.property(text, fc.nat(20), (words, at) => {
      const bytes = Buffer.from(`xx${words}yy`)
      piece.set(bytes, 2, bytes.length - 2)
      const target = Buffer.alloc(at + piece.length + PIECE_OVERRUN, 'z')
      const end = piece.write(target, new DataView(target.buffer, target.byteOffset, target.length), at)
      assert.equal(target.subarray(0, end).toString(), 'z'.repeat(at) + words)
      assert.equal(piece.toString(), words)
      assert.equal(new Piece(words).toString(), words)
    }),
  )
})
