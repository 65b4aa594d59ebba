import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteStore } from './byte-store.ts'

const ownRandom = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

test('a store gives back by number what was put into it', () => {
  const random = ownRandom(5)
  const store = new ByteStore()
  const all = Array.from({ length: 500 }, () =>
    Buffer.from(Array.from({ length: random() * 60 }, () => random() * 256)),
  )
  for (const [number, bytes] of all.entries())
    assert.equal(store.add(Buffer.concat([Buffer.alloc(3), bytes, Buffer.alloc(2)]), 3, 3 + bytes.length), number)
  for (const [number, bytes] of all.entries()) {
    const { words } = store
    assert.deepEqual(Buffer.from(words.bytes.subarray(store.from(number), store.to(number))), bytes)
    assert.equal(words.view.buffer, words.bytes.buffer)
  }
  assert.equal(store.size, all.length)
})
