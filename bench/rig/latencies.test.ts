import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Latencies } from './latencies.ts'
import { Schedule } from './schedule.ts'

const near = (actual: number, expected: number): void =>
  assert.ok(actual >= expected * 0.999 && actual <= expected * 1.012, `${actual} is not ${expected}`)

test('percentiles are never below the truth, and a hundredth above it at most', () => {
  const latencies = new Latencies()
  for (let ms = 1; ms <= 10_000; ms++) latencies.add(ms / 10)
  near(latencies.percentile(0.5), 500)
  near(latencies.percentile(0.99), 990)
  near(latencies.percentile(0.999), 999)
  near(latencies.percentile(1), 1000)
})

test('what is extreme counts in the first and the last bucket, and of nothing there is no percentile', () => {
  assert.ok(Number.isNaN(new Latencies().percentile(0.5)))
  const latencies = new Latencies()
  for (const ms of [0, -1, 1e-9, 1e12]) latencies.add(ms)
  assert.equal(latencies.total, 4)
  assert.ok(latencies.percentile(0.75) < 0.0011)
  assert.ok(latencies.percentile(1) > 200_000)
})

test('what two runs counted adds up, also when it came as plain counts from another process', () => {
  const [fast, slow] = [new Latencies(), new Latencies()]
  for (let index = 0; index < 90; index++) fast.add(1)
  for (let index = 0; index < 10; index++) slow.add(100)
  const both = new Latencies(fast.counts).merge(new Latencies(slow.counts))
  assert.equal(both.total, 100)
  near(both.percentile(0.9), 1)
  near(both.percentile(0.91), 100)
})

test('due times stand before the run: neither a late sender nor a slow answer moves them', () => {
  const schedule = new Schedule(1000, 200)
  assert.equal(schedule.dueMs(0), 1000)
  assert.equal(schedule.dueMs(7), 1035)
  assert.equal(schedule.countBefore(1000), 0)
  assert.equal(schedule.countBefore(1000.1), 1)
  assert.equal(schedule.countBefore(2000), 200)
  assert.equal(schedule.countBefore(900), 0)
})

test('a router that stands still for a second shows it in all requests that were due meanwhile', () => {
  // 100 a second; all answered at once but for those due between 2 s and 3 s, which are answered at 3 s.
  const schedule = new Schedule(0, 100)
  const latencies = new Latencies()
  for (let index = 0; index < schedule.countBefore(10_000); index++) {
    const dueMs = schedule.dueMs(index)
    latencies.add((dueMs >= 2000 && dueMs < 3000 ? 3000 : dueMs + 1) - dueMs)
  }
  near(latencies.percentile(0.5), 1)
  // A tenth of the requests waited between 10 ms and 1 s.
  near(latencies.percentile(0.95), 500)
  near(latencies.percentile(0.999), 990)
})
