import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { copyUnescaped } from './unescaped.ts'

const view = (bytes: Buffer): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

function copied(source: Buffer, from: number, to: number): string | undefined {
  const target = Buffer.alloc(to - from + 5, '-')
  const end = copyUnescaped(view(source), from, to, view(target), 2)
  if (end < 0) return undefined
  assert.equal(target.subarray(0, 2).toString(), '--')
  return target.subarray(2, end).toString()
}

test('every byte that needs an escape is found, in every place of a text, whatever stands around it', () => {
  for (let length = 1; length < 10; length++)
    for (let at = 0; at < length; at++)
      for (let char = 0; char < 0x80; char++) {
        const source = Buffer.concat([Buffer.from('""""'), Buffer.alloc(length, 'x'), Buffer.from('""""')])
        source[4 + at] = char
        const needsEscape = char < 0x20 || char === 0x22 || char === 0x5c
        assert.equal(copied(source, 4, 4 + length) === undefined, needsEscape, `${char} at ${at} of ${length}`)
      }
})

test('a text without such a byte is copied, whatever else is in it', () => {
  const text = fc.string({
    unit: fc.constantFrom(' ', '!', '#', '[', ']', 'a', '\u007f', 'é', '漢', '😀'),
    maxLength: 40,
  })
  fc.assert(
    fc.property(text, (words) => {
      const source = Buffer.from(`"\\"\\${words}"`)
      assert.equal(copied(source, 4, source.length - 1), words)
    }),
  )
})
