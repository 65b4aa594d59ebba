import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, verdictLine } from './check.ts'

const both = (check: number, peer: number) => ({ 'to the check': check, 'to otelcol': peer })

test('a case is dearer when the medians of all its ratios are beyond the tolerance', () => {
  const before = both(3, 0.2)
  assert.equal(judge('a', [both(3.9, 0.26), both(3.7, 0.25), both(2, 0.1)], before, 0.2).dearer, true)
  assert.equal(judge('a', [both(3.5, 0.23)], before, 0.2).dearer, false)
})

test('one ratio alone that is beyond it is taken for a disturbance, unless it is the only one at hand', () => {
  assert.equal(judge('a', [both(3.9, 0.2)], both(3, 0.2), 0.2).dearer, false)
  assert.equal(judge('a', [both(3.9, 0.2)], { 'to the check': 3 }, 0.2).dearer, true)
  assert.equal(judge('a', [{ 'to the check': 3.9 }], both(3, 0.2), 0.2).dearer, true)
})

test('a case that the baseline lacks is new, not dearer', () => {
  const verdict = judge('a', [both(3, 0.2)], {})
  assert.equal(verdict.dearer, false)
  assert.match(verdictLine(verdict), /^new +a +not in the baseline$/)
})

test('a line tells the ratio, what it was, the change and the spread', () => {
  const verdict = judge('gzip 1000', [{ 'to the check': 3 }, { 'to the check': 3.3 }, { 'to the check': 3.6 }], {
    'to the check': 3,
  })
  assert.equal(verdictLine(verdict), 'ok      gzip 1000               to the check 3.30, was 3.00 (+10 %, spread 18 %)')
})
