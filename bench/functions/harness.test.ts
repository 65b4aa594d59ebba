import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, shortNumber } from '../results.ts'
import { bench, measure, summarize } from './harness.ts'
import { tableHead, tableRow } from './table.ts'

test('the median is the middle value, or the mean of the two in the middle', () => {
  assert.equal(median([3, 1, 2]), 2)
  assert.equal(median([4, 1, 3, 2]), 2.5)
  assert.ok(Number.isNaN(median([])))
})

test('figures are medians of the rounds, divided by the items of a round', () => {
  const round = { calls: 10, wallMs: 1000, cpuMicros: 2_000_000, allocatedBytes: 50_000 }
  const slow = { ...round, wallMs: 9000, cpuMicros: 18_000_000 }
  const result = summarize('x', 100, 43_000, [round, slow, round], 1 << 20)
  assert.equal(result.items, 3000)
  // 2 CPU-seconds for 1000 items are 2000 for a million.
  assert.equal(result.cpuSecondsPerMillionItems, 2000)
  assert.equal(result.itemsPerSecond, 1000)
  assert.equal(result.bytesPerSecond, 430_000)
  assert.equal(result.allocatedBytesPerItem, 50)
})

test('a case that allocates shows it, one that does not shows next to nothing', async () => {
  const options = { rounds: 3, roundMs: 20, warmUpMs: 20 }
  // So many that one of V8's areas of some tens of KiB is little, however few calls a busy machine leaves us.
  const idle = await measure(bench({ name: 'idle', items: 1_000_000, bytes: 0, run: () => 1 }), options)
  const busy = await measure(
    bench({ name: 'busy', items: 1000, bytes: 0, run: () => Array.from({ length: 1000 }, () => [1, 2, 3, 4]) }),
    options,
  )
  assert.ok(busy.allocatedBytesPerItem! > 40, String(busy.allocatedBytesPerItem))
  assert.ok(idle.allocatedBytesPerItem! < 1, String(idle.allocatedBytesPerItem))
})

test('amounts may depend on what setup made, and run may be asynchronous', async () => {
  const result = await measure(
    bench({
      name: 'async',
      items: (state) => state.length,
      bytes: (state) => state.length * 2,
      setup: async () => [1, 2, 3],
      run: async (state) => state.length,
      iterations: 5,
    }),
    { rounds: 2, roundMs: 1, warmUpMs: 1 },
  )
  assert.equal(result.items, 2 * 5 * 3)
  assert.ok(Math.abs(result.bytesPerSecond! / result.itemsPerSecond! - 2) < 1e-9)
})

test('the table keeps its columns, and leaves out what a case does not know', () => {
  assert.equal(shortNumber(1_234_567), '1.23M')
  assert.equal(shortNumber(999.7), '1.00k')
  assert.equal(shortNumber(12), '12')
  const row = tableRow({ name: 'a', items: 1, cpuSecondsPerMillionItems: 0.5, notes: { lost: 0 } }, 10)
  assert.equal(row.slice(0, tableHead(10).length).trimEnd().endsWith('0.500'), true)
  assert.match(row, / {2}lost 0$/)
})
