import assert from 'node:assert/strict'
import { mock, test } from 'node:test'
import { systemClock } from './clock.ts'

test('a wait that is longer than a timer can be does not end at once', () => {
  mock.timers.enable({ apis: ['setTimeout'] })
  let fired = 0
  const day = 24 * 60 * 60 * 1000
  systemClock.after(60 * day, () => fired++)
  const other = systemClock.after(60 * day, () => fired++)
  // A tick runs no timer that was made during it.
  for (let i = 0; i < 59; i++) mock.timers.tick(day)
  assert.equal(fired, 0)
  other.cancel()
  for (let i = 0; i < 2; i++) mock.timers.tick(day)
  assert.equal(fired, 1)
  mock.timers.reset()
})
