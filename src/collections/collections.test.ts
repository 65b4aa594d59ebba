import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fifo } from './fifo.ts'
import { IdTable } from './id-table.ts'
import { Slots } from './slots.ts'

/** Repeatable. */
function randomOf(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

test('slots hold what was added and not removed, whatever the order', () => {
  const random = randomOf(1)
  const slots = new Slots<string>()
  const expected = new Map<string, number>()
  for (let step = 0; step < 5000; step++) {
    if (random(100) < 55) expected.set(`item ${step}`, slots.add(`item ${step}`))
    else if (expected.size > 0) {
      const [item, slot] = [...expected][random(expected.size)]!
      slots.remove(slot)
      expected.delete(item)
    }
    assert.equal(slots.size, expected.size)
  }
  const found: string[] = []
  slots.each((item) => found.push(item))
  assert.deepEqual(found.sort(), [...expected.keys()].sort())
})

test('a slot that is emptied twice is a broken invariant', () => {
  const slots = new Slots<string>()
  const slot = slots.add('one')
  slots.remove(slot)
  assert.throws(() => slots.remove(slot), /emptied twice/)
})

test('members may leave while the others are visited', () => {
  const slots = new Slots<number>()
  const places = [1, 2, 3, 4].map((item) => slots.add(item))
  const seen: number[] = []
  slots.each((item) => {
    seen.push(item)
    if (item === 2) slots.remove(places[2]!)
  })
  assert.deepEqual(seen, [1, 2, 4])
})

test('an id table finds what a Map finds, with ids that come in order and go in any', () => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = randomOf(seed)
    const table = new IdTable<{ readonly id: number }>()
    const expected = new Map<number, { readonly id: number }>()
    let nextId = 1
    for (let step = 0; step < 2000; step++) {
      if (random(100) < 51) {
        const item = { id: nextId }
        table.add(item)
        expected.set(nextId, item)
        nextId += random(10) === 0 ? 2 + 2 * random(100) : 2
      } else {
        const id = random(4) === 0 ? random(nextId + 10) : ([...expected.keys()][random(expected.size)] ?? 1)
        assert.equal(table.delete(id), expected.delete(id), `seed ${seed}, id ${id}`)
      }
      const id = random(nextId + 10)
      assert.equal(table.get(id), expected.get(id), `seed ${seed}, id ${id}`)
    }
    assert.equal(table.size, expected.size)
    assert.deepEqual(table.values(), [...expected.values()], `seed ${seed}`)
    assert.equal([...table].length, expected.size)
    table.clear()
    assert.equal(table.size, 0)
    assert.deepEqual(table.values(), [])
  }
})

test('a fifo gives back everything in order, however it grows and shrinks', () => {
  const random = randomOf(3)
  const fifo = new Fifo<number>()
  const expected: number[] = []
  let next = 0
  for (let round = 0; round < 40; round++) {
    for (let n = random(300); n > 0; n--) {
      fifo.push(next)
      expected.push(next++)
    }
    for (let n = random(320); n > 0; n--) {
      assert.equal(fifo.peek(), expected[0])
      assert.equal(fifo.shift(), expected.shift())
      assert.equal(fifo.length, expected.length)
    }
  }
})
