import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CounterStarts, type Counts } from './counter-starts.ts'
import { KIND, Metrics } from './naming.ts'

const NO_MARKS = new Uint8Array(0)
const metric = new Metrics().get('parts', '1', KIND.COUNTER)

const observe = (starts: CounterStarts, counts: Counts, value: number, second: number, generation = 0): number => {
  assert.equal(starts.observe(counts, metric, NO_MARKS, value, second, 0, generation), true)
  return starts.low
}

test('counts of thousands of sources are kept apart, also where places of forgotten ones are taken again', () => {
  const starts = new CounterStarts(10_000)
  const sources: Counts[] = Array.from({ length: 5_000 }, () => new Map())
  for (const [i, counts] of sources.entries()) assert.equal(observe(starts, counts, 10, 1_000 + i), 1_000 + i)
  // Every second one is heard of in the next generation, and the others are forgotten.
  for (let i = 0; i < sources.length; i += 2) observe(starts, sources[i]!, 11, 10_000, 1)
  for (const counts of sources) starts.forget(counts, 1)
  assert.equal(starts.size, 2_500)
  for (const [i, counts] of sources.entries()) {
    const start = i % 2 === 0 ? 1_000 + i : 20_000 + i
    assert.equal(observe(starts, counts, 12, 20_000 + i, 1), start)
  }
  // Each begins anew by itself.
  assert.equal(observe(starts, sources[7]!, 1, 40_000, 1), 40_000)
  assert.equal(observe(starts, sources[8]!, 13, 40_000, 1), 1_008)
  assert.equal(starts.size, 5_000)
})

test('beyond the bound a new count has no start, and takes no place', () => {
  const starts = new CounterStarts(1)
  observe(starts, new Map(), 1, 1_000)
  const other: Counts = new Map()
  assert.equal(starts.observe(other, metric, NO_MARKS, 1, 1_000, 0, 0), false)
  assert.deepEqual([starts.size, other.size], [1, 0])
})
