import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeyIndex } from './key-index.ts'

const ownRandom = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

test('keys are found by parent and bytes, and by nothing else, while they come and go', () => {
  const random = ownRandom(7)
  const index = new KeyIndex(42)
  const known = new Map<string, number>()
  const numbers = new Set<number>()
  const pool = Buffer.from(Array.from({ length: 4096 }, () => Math.floor(random() * 3)))
  const words = new DataView(pool.buffer, pool.byteOffset, pool.byteLength)
  for (let round = 0; round < 50_000; round++) {
    const parent = Math.floor(random() * 3)
    const from = Math.floor(random() * 4000)
    const to = from + Math.floor(random() * 9)
    const name = `${parent} ${pool.subarray(from, to).toString('hex')}`
    const found = index.find(parent, pool, words, from, to)
    assert.equal(found, known.get(name) ?? -1)
    if (found < 0) {
      const number = index.add(parent, pool, words, from, to)
      assert.ok(!numbers.has(number), 'a number stands for two keys')
      numbers.add(number)
      known.set(name, number)
      assert.equal(index.parentOf(number), parent)
    } else if (random() < 0.6) {
      index.remove(found)
      known.delete(name)
      numbers.delete(found)
    }
    assert.equal(index.size, known.size)
  }
})

test('the bytes of keys that are gone are given back', () => {
  const index = new KeyIndex()
  const bytes = new Uint8Array(1024)
  const words = new DataView(bytes.buffer)
  const put = (n: number): number => {
    words.setUint32(0, n)
    return index.add(0, bytes, words, 0, 1024)
  }
  for (let n = 0; n < 1000; n++) put(n)
  const full = index.byteLength
  for (let n = 0; n < 900; n++) index.remove(n)
  assert.ok(index.byteLength < full / 2, `${index.byteLength} of ${full}`)
  for (let n = 900; n < 1000; n++) {
    words.setUint32(0, n)
    assert.equal(index.find(0, bytes, words, 0, 1024), n)
  }
  assert.throws(() => index.remove(5), /invariant/)
})
