import assert from 'node:assert/strict'
import { test } from 'node:test'
import passthrough from './cases/passthrough.ts'
import { warnings } from './compare.ts'
import { type HarnessOptions, parseCommandLine, settingsOf } from './options.ts'
import { NumberSet } from './rig/numbered.ts'
import { laneKey } from './rig/sink-report.ts'
import { addRows, medians, type ResultFile } from './rows.ts'
import { reconcile, runOnce } from './run.ts'
import { findSut, type Sut } from './suts.ts'

const numbers = (...values: number[]): Uint8Array => {
  const set = new NumberSet()
  for (const value of values) set.add(value)
  return set.bits
}
const setting = { items: 100, copies: 1, kept: 1 }

test('what was answered OK and never came is lost, number by number', () => {
  const received = { distinctItems: 200, numbers: new Map([[1, numbers(0, 2)]]), duplicates: 0 }
  assert.deepEqual(reconcile(setting, numbers(0, 1, 2), received, 300), { lost: 100, duplicates: 0 })
})

test('what came again does not make up for what never came', () => {
  const received = { distinctItems: 200, numbers: new Map([[1, numbers(0, 2)]]), duplicates: 1 }
  assert.deepEqual(reconcile(setting, numbers(0, 1, 2), received, 300), { lost: 100, duplicates: 100 })
})

test('a part of a request that is missing shows in the sum of items', () => {
  const received = { distinctItems: 270, numbers: new Map([[1, numbers(0, 1, 2)]]), duplicates: 0 }
  assert.deepEqual(reconcile(setting, numbers(0, 1, 2), received, 300), { lost: 30, duplicates: 0 })
})

test('each copy has to come', () => {
  const received = {
    distinctItems: 500,
    numbers: new Map([
      [laneKey(0, 1), numbers(0, 1, 2)],
      [laneKey(1, 1), numbers(0, 1)],
    ]),
    duplicates: 0,
  }
  assert.deepEqual(reconcile({ ...setting, copies: 2 }, numbers(0, 1, 2), received, 600), { lost: 100, duplicates: 0 })
})

test('what came though its answer was lost hides no loss', () => {
  // Number 3 was not answered, number 1 never came.
  const received = { distinctItems: 300, numbers: new Map([[1, numbers(0, 2, 3)]]), duplicates: 0 }
  assert.deepEqual(reconcile(setting, numbers(0, 1, 2), received, 300), { lost: 100, duplicates: 0 })
})

test('where a share is kept on purpose, the sum has to be there', () => {
  const received = { distinctItems: 27, numbers: new Map(), duplicates: 0 }
  const kept = { ...setting, kept: 0.1 }
  assert.deepEqual(reconcile(kept, numbers(0, 1, 2), received, 24), { lost: 0, duplicates: 0 })
  assert.deepEqual(reconcile(kept, numbers(0, 1, 2), received, 30), { lost: 3, duplicates: 0 })
})

/** Short runs: they show that the harness works, not what the router costs. */
const measure = (words: string) => {
  const line = `--case passthrough --sut millrace --duration 700ms --warm-up 200ms --items 100 ${words}`
  const options = parseCommandLine(line.split(' '), ['passthrough']) as unknown as HarnessOptions
  return runOnce(findSut('millrace', console.log) as Sut, settingsOf('passthrough', passthrough, options)[0]!)
}

const linux = { skip: process.platform === 'linux' ? false : 'CPU and memory are read from /proc' }

test('a closed loop through the router as it is installed has its figures, and loses nothing', linux, async () => {
  const figures = await measure('--compression gzip')
  assert.ok(figures.items > 0)
  assert.equal(figures.lost, 0)
  assert.equal(figures.duplicates, 0)
  assert.equal(figures.refused, 0)
  assert.equal(figures.unanswered, 0)
  assert.ok(figures.cpuSecondsPerMillionItems > 0, 'the CPU of the router')
  assert.ok(figures.peakRssBytes > 20 * 2 ** 20, 'the memory of the router')
  assert.ok(figures.allocatedBytesPerItem! > 0, 'what the router says itself')
  assert.ok(figures.answerMs.p50 > 0 && figures.answerMs.p50 <= figures.answerMs.p999, 'latencies')
  assert.equal(figures.arrivalMs, undefined)
})

test(
  'an open loop sends what is due, and times requests from then to their answer and to the sink',
  linux,
  async () => {
    const figures = await measure('--protocol http --rate 5000')
    // A machine that stands still may leave some of the 35 requests unsent; then the row says so.
    assert.equal(figures.items + figures.unsent * 100, 3500)
    assert.equal(figures.lost, 0)
    assert.ok(figures.arrivalMs!.p50 > 0, 'arrivals at the sink')
    assert.ok(figures.loadDelayP99Ms! >= 0)
  },
)

test('a load generator or a sink that has no core left is said to be the limit, and so are others on the machine', () => {
  const figures = medians([])
  const row = { median: { ...figures, unsent: 0 } } as unknown as Parameters<typeof warnings>[0]
  assert.deepEqual(warnings({ ...row, median: { ...row.median, loadCores: 0.5, sinkCores: 0.5, otherCores: 0.1 } }), [])
  const busy = warnings({ ...row, median: { ...row.median, loadCores: 0.95, sinkCores: 1, otherCores: 1.2 } })
  assert.match(busy[0]!, /^the load generator was busy for 95 % of a core: the rate is its limit/)
  assert.match(busy[1]!, /^the sink was busy for 100 % of a core/)
  assert.match(busy[2]!, /^other programs took 1.2 cores meanwhile: all figures are disturbed/)
})

test('rows are added to a result file, or take the place of the same ones; other commits are refused', () => {
  const file = (commit: string, ...rows: readonly [items: number, sut: string, spread: number][]): ResultFile => ({
    suts: { millrace: commit },
    rows: rows.map(([items, sut, spread]) => ({
      case: 'a',
      variant: '',
      input: 'grpc',
      compression: 'none',
      attributes: 10,
      items,
      sut,
      spread,
    })) as unknown as ResultFile['rows'],
  })
  const before = file('1', [10, 'millrace', 0.1], [10, 'otelcol', 0.2], [100, 'millrace', 0.3])
  const after = addRows(before, file('1', [10, 'millrace', 0.4], [1000, 'millrace', 0.5]))
  assert.deepEqual(
    after.rows.map(({ items, sut, spread }) => [items, sut, spread]),
    [
      [10, 'otelcol', 0.2],
      [100, 'millrace', 0.3],
      [10, 'millrace', 0.4],
      [1000, 'millrace', 0.5],
    ],
  )
  assert.throws(() => addRows(before, file('2')), /--add: the file has millrace 1, this is 2/)
  assert.equal(addRows(undefined, before).rows.length, 3)
})
