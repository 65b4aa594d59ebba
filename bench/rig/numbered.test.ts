import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytesToJsonBytes } from '../../src/otlp/json/index.ts'
import { countItems } from './count-items.ts'
import { FRAME, FrameReader, frame, settings } from './http2-frames.ts'
import { countMissing, findLastMark, findMarks, NumberSet, readMarks, writeMark } from './numbered.ts'
import { payload } from './payloads.ts'

const readAll = (request: Buffer): number[][] => {
  const found: number[][] = []
  readMarks(request, (...seen) => found.push(seen))
  return found
}

test('a number written into a request is read again, wherever the request stands in a batch', () => {
  for (const signal of ['traces', 'metrics', 'logs'] as const)
    for (const attributes of [4, 10]) {
      const numbered = (number: number): Buffer => {
        const request = Buffer.from(payload({ signal, items: 25, attributes }))
        writeMark(request, findLastMark(request), 3, number)
        return request
      }
      // Concatenated requests are the merged request.
      const merged = Buffer.concat([numbered(7), numbered(4_000_000_000)])
      assert.deepEqual(readAll(merged), [
        [3, 7],
        [3, 4_000_000_000],
      ])
      assert.equal(countItems(signal, merged), 50)
    }
})

test('each item can carry a number, and so can a request in JSON', () => {
  const request = Buffer.from(payload({ items: 5 }))
  for (const [index, at] of findMarks(request).entries()) writeMark(request, at, 255, index)
  const json = Buffer.from(bytesToJsonBytes('traces', [request]))
  for (const bytes of [request, json])
    assert.deepEqual(
      readAll(bytes),
      [0, 1, 2, 3, 4].map((number) => [255, number]),
    )
  assert.equal(findMarks(Buffer.from(bytesToJsonBytes('traces', [payload({ items: 5 })]))).length, 5)
})

test('three bytes that look like a number by chance are none', () => {
  assert.deepEqual(readAll(Buffer.from('x~mr0000000x0z~mr~mr0a000000ff')), [[10, 255]])
})

test('a request that is cut short is not counted', () => {
  const request = payload({ items: 3 })
  assert.throws(() => countItems('traces', request.subarray(0, request.length - 1)), RangeError)
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
