import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteStore } from './byte-store.ts'
import { KeyTrail } from './key-trail.ts'

const ownRandom = (seed: number) => (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
  return seed / 2 ** 32
}

test('a trail finds what a Map finds, whether keys come in their order or in any other', () => {
  const random = ownRandom(3)
  const trail = new KeyTrail(42)
  const known = new Map<string, number>()
  const pool = Buffer.from(Array.from({ length: 600 }, () => Math.floor(random() * 3)))
  const words = new DataView(pool.buffer, pool.byteOffset, pool.byteLength)
  let from = 0
  for (let round = 0; round < 30_000; round++) {
    // Mostly round and round; now and then somewhere else.
    from = random() < 0.02 ? Math.floor(random() * 500) : (from + 7) % 500
    if (random() < 0.01) trail.restart()
    const parent = from % 2
    const to = from + (from % 13)
    const name = `${parent} ${pool.subarray(from, to).toString('hex')}`
    const found = trail.find(parent, pool, words, from, to)
    assert.equal(found, known.get(name) ?? -1)
    if (found < 0 && random() < 0.5) {
      assert.equal(trail.add(parent, pool, words, from, to), known.size)
      known.set(name, known.size)
    }
    assert.equal(trail.size, known.size)
  }
  assert.ok(trail.byteLength > 4 * trail.size)
})

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
