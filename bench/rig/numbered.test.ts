import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countItems } from './count-items.ts'
import { FRAME, FrameReader, frame, settings } from './http2-frames.ts'
import { countMissing, findLastMark, NumberSet, readMarks, writeMark } from './numbered.ts'
import { payload } from './payloads.ts'

test('a number written into a request is read again, wherever the request stands in a batch', () => {
  const numbered = (number: number): Buffer => {
    const request = Buffer.from(payload({ items: 5 }))
    writeMark(request, findLastMark(request), 3, number)
    return request
  }
  const found: number[][] = []
  // Concatenated requests are the merged request.
  const merged = Buffer.concat([numbered(7), numbered(70_000)])
  readMarks(merged, (...seen) => found.push(seen))
  assert.equal(countItems('traces', merged), 10)
  assert.deepEqual(found, [
    [3, 7],
    [3, 70_000],
  ])
})

test('missing numbers are those that were sent and not received', () => {
  const set = (...numbers: number[]): Uint8Array => {
    const made = new NumberSet()
    for (const number of numbers) made.add(number)
    return made.bits
  }
  assert.equal(countMissing(set(1, 2, 3, 20_000), set(2, 20_000, 40_000)), 2)
  assert.equal(countMissing(set(1, 2), undefined), 2)
  assert.equal(countMissing(set(), set(5)), 0)
})

test('a number that comes twice counts once', () => {
  const set = new NumberSet()
  for (const number of [4, 4, 9_999]) set.add(number)
  assert.equal(set.size, 2)
})

test('frames come out whole however the bytes are cut', () => {
  const preface = Buffer.from('preface')
  const sent = [
    settings([[4, 1 << 20]]),
    frame(FRAME.DATA, 1, 5, Buffer.alloc(3000, 7)),
    frame(FRAME.PING, 0, 0, Buffer.alloc(8)),
  ]
  const bytes = Buffer.concat([preface, ...sent])
  for (const size of [1, 2, 10, 1000, bytes.length]) {
    const seen: unknown[] = []
    const reader = new FrameReader(
      (type, flags, stream, from, at, to) => seen.push([type, flags, stream, to - at, from[to - 1]]),
      preface.length,
    )
    for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size))
    assert.deepEqual(seen, [
      [FRAME.SETTINGS, 0, 0, 6, 0],
      [FRAME.DATA, 1, 5, 3000, 7],
      [FRAME.PING, 0, 0, 8, 0],
    ])
  }
})

test('payloads are the same ones in every run', () => {
  assert.deepEqual(payload({ items: 3 }), payload({ items: 3 }))
  assert.notDeepEqual(payload({ items: 3 }), payload({ items: 3, seed: 2 }))
})
