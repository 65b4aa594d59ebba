import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { formatDuration, shortDuration, tryByteSize, tryDuration } from './units.ts'

const DURATIONS: readonly [text: string, ms: number | undefined, printed: string][] = [
  ['0', 0, '0s'],
  ['1ns', 1e-6, '1ns'],
  ['1.5us', 1.5e-3, '1.5µs'],
  ['200ms', 200, '200ms'],
  ['1.5s', 1500, '1.5s'],
  ['5m', 300_000, '5m0s'],
  ['90s', 90_000, '1m30s'],
  ['1h', 3_600_000, '1h0m0s'],
  ['1d', 86_400_000, '24h0m0s'],
  ['-1m30s', -90_000, '-1m30s'],
  ['+.5s', 500, '500ms'],
  ['', undefined, ''],
  ['5', undefined, ''],
  ['s', undefined, ''],
  ['1 s', undefined, ''],
  ['1S', undefined, ''],
  ['1s2', undefined, ''],
]

for (const [text, ms, printed] of DURATIONS) {
  test(`the duration ${JSON.stringify(text)} is ${ms ?? 'none'}`, () => {
    assert.equal(tryDuration(text), ms)
    if (ms !== undefined) assert.equal(formatDuration(ms), printed)
  })
}

test('for people a duration has no empty parts', () => {
  assert.deepEqual([300_000, 3_600_000, 86_400_000, 90_000, 200].map(shortDuration), [
    '5m',
    '1h',
    '1d',
    '1m30s',
    '200ms',
  ])
})

test('what is printed of a duration reads back to it, to the microsecond', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 45 }),
      (micros) => Math.abs(tryDuration(formatDuration(micros / 1e3))! - micros / 1e3) < 1e-3,
    ),
  )
})

test('byte counts have decimal and binary units', () => {
  const sizes = ['0', '512', '512B', '1kB', '1KiB', '4MiB', '1.5 GiB', '2TB'].map(tryByteSize)
  assert.deepEqual(sizes, [0, 512, 512, 1000, 1024, 4194304, 1610612736, 2e12])
  for (const text of ['', '-1', '4M', '4 parsecs', '1.5', '9999999TiB'])
    assert.equal(tryByteSize(text), undefined, text)
})
