import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ExponentialState } from './states.ts'

const side = fc.record({
  offset: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  counts: fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 20 }),
})
const state = fc
  .record({
    scale: fc.integer({ min: -20, max: 30 }),
    zero: fc.integer({ min: 0, max: 9 }),
    threshold: fc.constantFrom(0, 1e-9, 0.5, 1e9),
    positive: side,
    negative: side,
  })
  .map(({ scale, zero, threshold, positive, negative }) => {
    const made = new ExponentialState()
    const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0)
    const count = zero + sum(positive.counts) + sum(negative.counts)
    return Object.assign(made, {
      scale,
      count,
      sum: count,
      zeroCount: zero,
      zeroThreshold: threshold,
      positive: positive.counts,
      negative: negative.counts,
      positiveOffset: positive.offset,
      negativeOffset: negative.offset,
    })
  })

test('two exponential histograms of any scale and offset add up, and never take more than a bounded number of buckets', () => {
  void fc.assert(
    fc.property(state, state, (older, newer) => {
      const total = older.count + newer.count
      newer.add(older)
      assert.equal(newer.count, total)
      assert.ok(newer.addsUp(), JSON.stringify(newer))
      assert.ok(newer.positive.length <= 4096 && newer.negative.length <= 4096)
    }),
  )
})

test('a wider zero bucket takes in what lies below it, on both sides', () => {
  const made = (values: Partial<ExponentialState>): ExponentialState => Object.assign(new ExponentialState(), values)
  // Scale 0: buckets (1, 2], (2, 4], (4, 8].
  const older = made({ count: 12, zeroCount: 0, positive: [1, 2, 3], negative: [1, 2, 3] })
  const newer = made({ count: 1, zeroCount: 1, zeroThreshold: 4 })
  newer.add(older)
  assert.equal(newer.zeroCount, 1 + 3 + 3)
  assert.deepEqual([newer.positiveOffset, newer.positive], [2, [3]])
  assert.deepEqual([newer.negativeOffset, newer.negative], [2, [3]])
  assert.equal(newer.zeroThreshold, 4)
})
