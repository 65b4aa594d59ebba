import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BALANCE, Balance } from './balance.ts'

const always = (): boolean => true

/** A balance on shard 0, told at each tick how busy each shard is when it hands over that share of its work. */
function settle(ticks: number, loads: (share: number) => readonly number[]): Balance {
  const balance = new Balance(0, loads(0).length)
  for (let i = 0; i < ticks; i++) {
    const now = loads(balance.share)
    balance.tick((shard) => now[shard]!, always)
  }
  return balance
}

test('a busy shard hands work over until it is no longer too busy, or the other is as busy', () => {
  // All the work comes to shard 0; a batch costs it 0.2 to take in and either of them 0.8 to do.
  const both =
    (work: number) =>
    (share: number): number[] => [Math.min(1, work * (0.2 + 0.8 * (1 - share))), Math.min(1, work * 0.8 * share)]
  for (const work of [1, 1.3, 1.7, 1.9]) {
    const [own, other] = both(work)(settle(400, both(work)).share) as [number, number]
    const isEven = Math.abs(own - other) <= BALANCE.tolerance + 0.02
    assert.ok(isEven || own <= BALANCE.busyFrom + 0.02, `${work}: ${own} and ${other}`)
  }
})

test('where there is more to do than both can, neither of them idles', () => {
  const both = (share: number): number[] => [Math.min(1, 3 * (0.1 + 0.9 * (1 - share))), Math.min(1, 3 * 0.9 * share)]
  const [own, other] = both(settle(400, both).share) as [number, number]
  assert.ok(own + other > 1.95, `${own} and ${other}`)
})

test('a shard that has little to do, or as much as the others, keeps what it gets', () => {
  assert.equal(settle(50, () => [0.7, 0]).share, 0)
  assert.equal(settle(50, () => [0.9, 0.87]).share, 0)
})

test('what was handed over comes back when the other shard gets work of its own', () => {
  const balance = settle(100, (share) => [1.6 * (1 - share), 1.6 * share])
  assert.ok(balance.share > 0.3)
  for (let i = 0; i < 200; i++) balance.tick((shard) => (shard === 0 ? 0.3 : 0.9), always)
  assert.equal(balance.share, 0)
})

test('the share is spread evenly over the batches, and goes to the least busy shard that is up', () => {
  const balance = new Balance(1, 4)
  const loads = [0.5, 1, 0.1, 0.2]
  for (let i = 0; i < 4; i++)
    balance.tick(
      (shard) => loads[shard]!,
      (shard) => shard !== 2,
    )
  const choices = Array.from({ length: 200 }, () => balance.next(always))
  const handed = choices.filter((shard) => shard !== undefined)
  assert.ok(handed.every((shard) => shard === 3))
  assert.ok(Math.abs(handed.length / 200 - balance.share) < 0.02)
  const gaps = choices.join(',').split('3').length
  assert.ok(gaps > 10, 'in one run instead of evenly')
})

test('a shard that has not accepted what it was handed gets no more', () => {
  const balance = settle(50, () => [1, 0])
  const choices = Array.from({ length: 20 }, () => balance.next(() => false))
  assert.ok(choices.every((shard) => shard === undefined))
})

test('alone among the dead, a shard does everything itself', () => {
  const balance = new Balance(0, 3)
  for (let i = 0; i < 50; i++)
    balance.tick(
      (shard) => (shard === 0 ? 1 : 0),
      () => false,
    )
  assert.equal(balance.next(always), undefined)
})
