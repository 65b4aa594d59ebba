import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Cursor, MalformedBytes } from './cursor.ts'
import { Writer } from './writer.ts'

// biome-ignore format: one field a line
const message = new Writer()
  .tag(1, 0).varint(300)
  .tag(2, 1).f64(1.5)
  .field(3, Uint8Array.of(1, 2, 3))
  .tag(4, 5).copy(Uint8Array.of(1, 2, 3, 4))
  .field(2 ** 29 - 1, new Uint8Array(200))
  .toBytes()

test('every field is found with its number, wire type and place', () => {
  const seen: number[][] = []
  for (const c = new Cursor().reset(message); c.next(); ) seen.push([c.field, c.wireType, c.at, c.start, c.end])
  assert.deepEqual(seen, [
    [1, 0, 0, 1, 3],
    [2, 1, 3, 4, 12],
    [3, 2, 12, 14, 17],
    [4, 5, 17, 18, 22],
    [2 ** 29 - 1, 2, 22, 29, 229],
  ])
})

test('a message cut anywhere but between fields is malformed, and nothing outside it is read', () => {
  const whole = new Set([0, 3, 12, 17, 22, 229])
  for (let to = 0; to <= message.length; to++) {
    const walk = (): void => {
      for (const c = new Cursor().reset(message, 0, to); c.next(); ) assert.ok(c.end <= to)
    }
    if (whole.has(to)) walk()
    else assert.throws(walk, MalformedBytes)
  }
})

test('random bytes either are fields to the last byte or are malformed', () => {
  void fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      let end = 0
      try {
        for (const c = new Cursor().reset(bytes); c.next(); end = c.end) {
          assert.equal(c.at, end)
          assert.ok(c.field > 0 && c.field < 2 ** 29 && c.start <= c.end)
        }
        assert.equal(end, bytes.length)
      } catch (error) {
        assert.ok(error instanceof MalformedBytes, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})
