import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { CODE_POINT } from '../../test/support/text.ts'
import { ESCAPINGS, escapeName, isPlainName, labelText, readLabelText } from './escape.ts'
import { labelName } from './names.ts'
import { coarserBucket, nativeBuckets, nativeShift } from './native-histogram.ts'
import { NUMBER_MAX_BYTES, writeOpenMetricsValue, writeValue } from './number-bytes.ts'
import { boundText, openMetricsBoundText, openMetricsValueText, valueText } from './number-text.ts'

test('a name in other letters is escaped as the reader asks, and one in the old letters stays', () => {
  const escaped = (name: string): string[] => ESCAPINGS.map((escaping) => escapeName(name, escaping))
  assert.deepEqual(escaped('http.status_code'), [
    'http.status_code',
    'http_status_code',
    'http_dot_status__code',
    'U__http_2e_status__code',
  ])
  assert.deepEqual(escaped('9 Öl'), ['9 Öl', '___l', '______l', 'U___39__20__d6_l'])
  assert.deepEqual(escaped('plain_name:x'), new Array(4).fill('plain_name:x'))
  for (const name of ['9 Öl', 'a.b', '😀'])
    for (const escaping of ESCAPINGS.slice(1)) assert.ok(isPlainName(escapeName(name, escaping)), name)
})

test('label text can be read back, whatever names and values hold', () => {
  const label = fc.tuple(fc.string({ minLength: 1, unit: CODE_POINT }), fc.string({ unit: CODE_POINT }))
  void fc.assert(
    fc.property(fc.array(label), (labels) => {
      assert.deepEqual(readLabelText(labelText(labels)), labels)
    }),
  )
  const tricky: [string, string][] = [
    ['a', '",b="'],
    ['c"d', '\\n\n'],
    ['e=f,g', '\\'],
  ]
  assert.deepEqual(readLabelText(labelText(tricky)), tricky)
})

test('labels keep runs of underscores unless they are to collapse, and never begin with a digit', () => {
  const kept = { utf8: false, collapses: false }
  const collapsed = { utf8: false, collapses: true }
  assert.deepEqual(
    ['a__b', 'a..b', '1st', '__x__', 'käse', '___'].map((name) => labelName(name, kept)),
    ['a__b', 'a__b', 'key_1st', '__x__', 'k_se', undefined],
  )
  assert.deepEqual(
    ['a__b', 'a..b', '1st', '__x..y__', '___'].map((name) => labelName(name, collapsed)),
    ['a_b', 'a_b', 'key_1st', '__x_y__', undefined],
  )
})

test('bounds are spelled as Go does, values in the digits of JavaScript', () => {
  const bounds = [0.00001, 0.0001, 0.5, 0, -1, 5, 999_999, 1e6, 1_234_567, 1e21, Infinity]
  const spelled = ['1e-05', '0.0001', '0.5', '0', '-1', '5', '999999', '1e+06', '1.234567e+06', '1e+21', '+Inf']
  assert.deepEqual(bounds.map(boundText), spelled)
  assert.deepEqual([0, 5, 0.5, 1e6].map(openMetricsBoundText), ['0.0', '5.0', '0.5', '1e+06'])
  assert.deepEqual([NaN, Infinity, -Infinity, -0, 1e6].map(valueText), ['NaN', '+Inf', '-Inf', '-0', '1000000'])
  assert.deepEqual([1, 0.5, 1e21, NaN].map(openMetricsValueText), ['1.0', '0.5', '1e+21', 'NaN'])
})

test('a value written as bytes has the digits of its text, whatever it is', () => {
  const bytes = Buffer.alloc(NUMBER_MAX_BYTES + 1)
  const check = (value: number): void => {
    assert.equal(bytes.toString('latin1', 1, writeValue(bytes, 1, value)), valueText(value))
    assert.equal(bytes.toString('latin1', 1, writeOpenMetricsValue(bytes, 1, value)), openMetricsValueText(value))
  }
  const edges = [
    NaN,
    Infinity,
    0,
    2 ** 31 - 1,
    2 ** 31,
    2 ** 31 + 0.5,
    999_999_999,
    1e9,
    2 ** 53 - 1,
    2 ** 53,
    1e20,
    1e21,
  ]
  const small = [0.001, 0.0005, 0.1, 0.2 + 0.1, 1.005, 0.9999, 21.5, 1e-6, 1e-7, 5e-324, Number.MAX_VALUE]
  for (const value of [...edges, ...small]) for (const signed of [value, -value]) check(signed)
  void fc.assert(fc.property(fc.double(), check))
  void fc.assert(fc.property(fc.maxSafeInteger(), check))
  const decimals = fc.tuple(fc.maxSafeInteger(), fc.integer({ min: 1, max: 6 }))
  void fc.assert(fc.property(decimals, ([value, digits]) => check(value / 10 ** digits)))
  const short = fc.tuple(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.integer({ min: 1, max: 4 }))
  void fc.assert(fc.property(short, ([value, digits]) => check(value / 10 ** digits)))
})

test('buckets become spans: small gaps are filled, larger ones begin a new span, empty ones at the ends are left out', () => {
  const into = { spans: [], deltas: [] }
  const native = (offset: number, counts: number[], shift = 0) => {
    const { spans, deltas } = nativeBuckets(offset, counts, shift, into)
    return { spans: [...spans], deltas: [...deltas] }
  }
  assert.deepEqual(native(2, [1, 0, 5]), { spans: [3, 3], deltas: [1, -1, 5] })
  assert.deepEqual(native(0, [0, 2, 0, 0, 0, 3, 0]), { spans: [2, 1, 3, 1], deltas: [2, 1] })
  assert.deepEqual(native(-1, [2]), { spans: [0, 1], deltas: [2] })
  assert.deepEqual(native(0, []), { spans: [], deltas: [] })
  assert.deepEqual(native(-3, [1, 1, 1, 1, 1, 1], 1), { spans: [-1, 4], deltas: [1, 1, 0, -1] })
  assert.equal(nativeShift(5), 0)
  assert.equal(nativeShift(20), 12)
  assert.deepEqual(
    [-5, -1, 0, 7].map((index) => coarserBucket(index, 40)),
    [-1, -1, 0, 0],
  )
})
