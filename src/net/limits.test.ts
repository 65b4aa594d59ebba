import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { limitWords } from '../../scripts/limits-table.ts'
import { DECLARED_LIMITS, LIMITS, limitsOfShare, limitsWith } from './limits.ts'

const page = readFileSync(new URL('../../docs/reference/limits.md', import.meta.url), 'utf8')

test('the page of limits and the limits agree both ways, with their values', () => {
  const rows = [...page.matchAll(/^\| `(\w+)` \| ([^|]+) \|/gm)].map(([, name, value]) => [name, value])
  assert.deepEqual(
    rows,
    Object.entries(DECLARED_LIMITS).map(([name, limit]) => [name, limitWords(limit)]),
  )
})

test('every limit is a positive number, and one that is replaced leaves the others', () => {
  for (const [name, value] of Object.entries(LIMITS)) assert.ok(value > 0 && Number.isFinite(value), name)
  assert.deepEqual(limitsWith({ idleMs: 1 }), { ...LIMITS, idleMs: 1 })
})

test('shards that share a port have the bounds of memory together, and the others each', () => {
  assert.deepEqual(limitsOfShare(1), LIMITS)
  const third = limitsOfShare(3)
  const divided = ['maxConnections', 'connectionsPerAddress', 'inFlightBytes', 'arrivingBytesPerConnection'] as const
  for (const name of divided) assert.equal(third[name], Math.ceil(LIMITS[name] / 3))
  assert.deepEqual({ ...third, ...Object.fromEntries(divided.map((name) => [name, LIMITS[name]])) }, LIMITS)
  assert.match(page, /^\| `inFlightBytes` \|.* Divided between the shards\./m)
})
