import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judge, PRESENCE, Presence } from './liveness.ts'

const RULES = { silenceFactor: 3, minSilenceMs: 60_000 }

function sending(everyMs: number, times: number, presence = new Presence(), fromMs = 1_000_000): number {
  for (let i = 0; i < times; i++) presence.see(fromMs + i * everyMs)
  return fromMs + (times - 1) * everyMs
}

test('a device is silent after three of its intervals, said once, and back when it sends', () => {
  const presence = new Presence()
  const last = sending(30_000, 5, presence)
  assert.equal(judge(presence, last + 90_000, RULES), PRESENCE.UP)
  assert.equal(judge(presence, last + 90_001, RULES), PRESENCE.FELL_SILENT)
  assert.equal(judge(presence, last + 100_000, RULES), PRESENCE.SILENT)
  presence.see(last + 200_000)
  assert.equal(judge(presence, last + 200_001, RULES), PRESENCE.CAME_BACK)
  assert.equal(judge(presence, last + 200_002, RULES), PRESENCE.UP)
  assert.equal(presence.intervalMs, 30_000)
})

test('a device that sends every 10 ms is not silent before the shortest silence', () => {
  const presence = new Presence()
  const last = sending(10, 100, presence)
  assert.equal(judge(presence, last + 60_000, RULES), PRESENCE.UP)
  assert.equal(judge(presence, last + 60_001, RULES), PRESENCE.FELL_SILENT)
})

test('a device that sleeps for an hour between bursts is not silent while it sleeps', () => {
  const presence = new Presence()
  let at = 0
  for (let hour = 1; hour <= 4; hour++) at = sending(1000, 10, presence, hour * 3_600_000)
  assert.equal(judge(presence, at + 3_600_000, RULES), PRESENCE.UP)
})

test('nothing is said of a device before it has paused twice, nor after we were cut off', () => {
  const presence = new Presence()
  const last = sending(1000, 2, presence)
  assert.equal(judge(presence, last + 1e9, RULES), PRESENCE.UNKNOWN)
  presence.see(last + 1000)
  assert.equal(judge(presence, last + 1001, RULES), PRESENCE.UP)
  presence.forget()
  assert.equal(judge(presence, last + 1e9, RULES), PRESENCE.UNKNOWN)
  presence.see(last + 1e9)
  assert.equal(judge(presence, last + 1e9, RULES), PRESENCE.UP)
  assert.equal(presence.intervalMs, 1000)
})

test('several messages of one read are one sign of life', () => {
  const presence = new Presence()
  for (let i = 0; i < 10; i++) presence.see(1_000_000)
  assert.equal(presence.pauses, 0)
})
