import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, ratiosOf, verdictLine } from './check.ts'

const before = { 'to the check': 3, 'to otelcol': 0.2 }

test('of each figure the least of the rounds counts, so that a disturbed round does not', () => {
  const [check, peer] = ratiosOf({ own: [0.6, 1.9, 0.7], others: [0], check: [0.4, 0.2, 0.3], peer: [3.1, 3, 9] })
  assert.equal(check!.now, 0.6 / 0.2)
  assert.equal(peer!.now, 0.6 / 3)
})

test('a case is dearer when all its ratios are beyond the tolerance', () => {
  assert.equal(judge('a', { own: [0.75], others: [0], check: [0.2], peer: [3] }, before, 0.2).dearer, true)
  assert.equal(judge('a', { own: [0.7], others: [0], check: [0.2], peer: [3] }, before, 0.2).dearer, false)
})

test('one ratio alone that is beyond it is taken for a disturbance, unless it is the only one at hand', () => {
  assert.equal(judge('a', { own: [0.75], others: [0], check: [0.2], peer: [3.7] }, before, 0.2).dearer, false)
  assert.equal(judge('a', { own: [0.75], others: [0], check: [0.2] }, before, 0.2).dearer, true)
  assert.equal(
    judge('a', { own: [0.75], others: [0], check: [0.2], peer: [3.7] }, { 'to the check': 3 }, 0.2).dearer,
    true,
  )
})

test('a case that the baseline lacks is new, not dearer', () => {
  const verdict = judge('a', { own: [0.6], others: [0], check: [0.2] }, {})
  assert.equal(verdict.dearer, false)
  assert.match(verdictLine(verdict), /^new +a +not in the baseline$/)
})

test('a line tells the ratio, what it was, the change and the spread', () => {
  const verdict = judge('gzip 1000', { own: [0.66, 0.6732], others: [0], check: [0.2, 0.22] }, { 'to the check': 3 })
  assert.equal(
    verdictLine(verdict),
    'ok      gzip 1000               to the check 3.30, was 3.00 (+10 %); spread of rounds 2 %',
  )
})

test('a case that seems dearer while other programs took the machine is not called so', () => {
  const disturbed = judge('a', { own: [0.9, 0.9], check: [0.2, 0.2], others: [1.5, 0.9] }, before)
  assert.match(verdictLine(disturbed), /^UNSURE /)
  const quietOnce = judge('a', { own: [0.9, 0.9], check: [0.2, 0.2], others: [1.5, 0.1] }, before)
  assert.match(verdictLine(quietOnce), /^DEARER /)
})

test('what is dearer by twice the tolerance to the check and to the peer is called so on a busy machine too', () => {
  const busy = { check: [0.2, 0.2], peer: [3, 3], others: [1.5, 1.4] }
  assert.match(verdictLine(judge('a', { own: [0.93, 0.95], ...busy }, before)), /^DEARER /)
  assert.match(verdictLine(judge('a', { own: [0.85, 0.95], ...busy }, before)), /^UNSURE /)
})
