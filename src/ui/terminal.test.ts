import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import type { SlowTrace } from './slowest-trace.ts'
import { pipelineRates, type RouterSnapshot } from './snapshot.ts'
import { type RenderOptions, renderPlain, renderScreen, renderTotals, renderTrace } from './terminal.ts'
import { countText, durationText, fit, rateText, shortText, uptimeText } from './text.ts'

/** Compares with golden/NAME.golden.txt; GOLDEN=write writes it instead. */
function golden(name: string, lines: readonly string[]): void {
  const file = new URL(`./golden/${name}.golden.txt`, import.meta.url)
  const text = `${lines.join('\n')}\n`
  if (process.env.GOLDEN === 'write') writeFileSync(file, text)
  assert.equal(text, readFileSync(file, 'utf8'))
}

const slowest: SlowTrace = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  durationMs: 1240,
  spanCount: 7,
  spans: [
    { service: 'storefront', name: 'POST /checkout/{id}', startMs: 0, durationMs: 1240, depth: 0, error: true },
    { service: 'storefront', name: 'read cart', startMs: 1, durationMs: 3.2, depth: 1, error: false },
    { service: 'orders', name: 'POST /orders/{id}', startMs: 6, durationMs: 1228, depth: 1, error: true },
    { service: 'orders', name: 'SELECT stock', startMs: 7, durationMs: 11, depth: 2, error: false },
    { service: 'payments', name: 'POST /payments/{id}', startMs: 20, durationMs: 1200, depth: 2, error: true },
    { service: 'payments', name: 'ask the bank', startMs: 24, durationMs: 1190, depth: 3, error: true },
  ],
}

const none = { refused: 0, dropped: 0, inFlight: 0 }
const before: RouterSnapshot = {
  uptimeMs: 62_000,
  healthy: true,
  endpoints: [],
  pipelines: [
    { name: 'traces', signal: 'traces', in: 1000, delivered: 990, ...none },
    { name: 'logs', signal: 'logs', in: 0, delivered: 0, ...none },
  ],
}
const now: RouterSnapshot = {
  uptimeMs: 64_000,
  healthy: true,
  endpoints: [
    { protocol: 'grpc', address: 'localhost:4317' },
    { protocol: 'http', address: 'localhost:4318' },
  ],
  pipelines: [
    { name: 'traces', signal: 'traces', in: 1250, delivered: 1200, refused: 30, dropped: 0, inFlight: 20 },
    { name: 'logs', signal: 'logs', in: 2_468_024, delivered: 2_468_000, refused: 0, dropped: 7, inFlight: 17 },
    { name: 'metrics/machines', signal: 'metrics', in: 12, delivered: 12, ...none },
  ],
  slowest,
}
const rates = pipelineRates(before, now)
const plain: RenderOptions = { width: 100, color: false }

test('rates are differences by the time between, and zero for a pipeline that is new', () => {
  assert.deepEqual(rates.get('traces'), { inPerSecond: 125, outPerSecond: 105 })
  assert.deepEqual(rates.get('metrics/machines'), { inPerSecond: 0, outPerSecond: 0 })
  assert.deepEqual(pipelineRates(undefined, now).get('traces'), { inPerSecond: 0, outPerSecond: 0 })
  // Counts that fall, after a reload, are no negative rate.
  assert.equal(pipelineRates(now, { ...before, uptimeMs: 65_000 }).get('traces')!.inPerSecond, 0)
})

test('the screen at 100 columns', () => golden('screen-100', renderScreen(now, rates, plain)))

test('the screen at 60 columns drops columns, never lines of the table', () =>
  golden('screen-60', renderScreen(now, rates, { width: 60, color: false })))

test('the screen before anything came, and of a router that is not healthy', () =>
  golden('screen-empty', renderScreen({ ...before, healthy: false, pipelines: [] }, new Map(), plain)))

test('plain lines for pipes', () => golden('plain', renderPlain(now, rates)))

test('totals', () => golden('totals', renderTotals(now)))

test('colors change nothing but the colors', () => {
  const colored = renderScreen(now, rates, { ...plain, color: true })
  assert.ok(colored.some((line) => line.includes('\x1b[31m')))
  assert.deepEqual(
    colored.map((line) => stripVTControlCharacters(line)),
    renderScreen(now, rates, plain),
  )
})

test('no line is wider than the terminal, except one word that cannot be broken', () => {
  for (const width of [40, 53, 80, 132])
    for (const line of renderScreen(now, rates, { width, color: true }))
      assert.ok([...stripVTControlCharacters(line)].length <= width || !line.trim().includes(' '), `${width}: ${line}`)
})

test('a waterfall shows so many rows and says how many more there are', () => {
  const lines = renderTrace(slowest, { ...plain, traceRows: 2 })
  assert.equal(lines.length, 4)
  assert.equal(lines[3], 'and 5 more')
})

test('names of spans cannot reach the terminal as control characters', () => {
  const evil: SlowTrace = { ...slowest, spans: [{ ...slowest.spans[0]!, name: 'a\x1b[2Jb\nc' }] }
  for (const line of renderTrace(evil, plain)) assert.ok(!line.includes('\x1b') && !line.includes('\n'))
})

test('numbers and durations read well', () => {
  assert.deepEqual([0.31, 3.24, 812.4, 1240, 61_234].map(durationText), [
    '310 µs',
    '3.2 ms',
    '812 ms',
    '1.24 s',
    '61.2 s',
  ])
  assert.deepEqual([42_000, 185_000, 7_620_000].map(uptimeText), ['42s', '3m 05s', '2h 07m'])
  assert.deepEqual([0, 999, 1_234_567].map(countText), ['0', '999', '1 234 567'])
  assert.deepEqual([0, 12.34, 1234.5].map(rateText), ['0', '12.3', '1 235'])
  assert.deepEqual([shortText('1 234 567', 9), shortText('1 234 567', 8)], ['1 234 567', '1.23M'])
  assert.deepEqual([fit('abc', 5), fit('abcdef', 4), fit('ab', 0)], ['abc  ', 'abc…', ''])
})
