import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CompressionError, compress } from './compression.ts'
import { type Unpacked, UnpackLine } from './unpack-line.ts'

const KiB = 1024
const body = (bytes: number): Uint8Array => compress('gzip', [new Uint8Array(bytes)])
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
const words = (result: Unpacked): string | number =>
  result === 'overload' ? result : result instanceof CompressionError ? result.reason : result.length

function line(options: { maxWaiting?: number; bytesPerTurn?: number } = {}) {
  const of = new UnpackLine({ maxWaiting: 10, bytesPerTurn: KiB, ...options })
  const done: [who: string, result: string | number][] = []
  const connections = new Map<string, object>()
  const unpack = (who: string, bytes = body(KiB), maxBytes = 64 * KiB) => {
    const name = who[0]!
    if (!connections.has(name)) connections.set(name, {})
    return of.unpack(connections.get(name)!, 'gzip', bytes, maxBytes, (result) => done.push([who, words(result)]))
  }
  return { of, done, unpack }
}

test('a body is unpacked at once while the turn has room, and waits for the next turn beyond it', async () => {
  const { of, done, unpack } = line()
  assert.equal(unpack('a1'), undefined)
  assert.deepEqual(done, [['a1', KiB]])
  assert.notEqual(unpack('a2'), undefined)
  assert.deepEqual([done.length, of.waiting], [1, 1])
  await turn()
  assert.deepEqual(done, [
    ['a1', KiB],
    ['a2', KiB],
  ])
  await turn()
  assert.equal(unpack('a3'), undefined)
})

test('connections take turns, however many bodies one of them has in line', async () => {
  const { done, unpack } = line()
  for (const who of ['a1', 'a2', 'a3', 'a4', 'b1', 'c1']) unpack(who)
  while (done.length < 6) await turn()
  assert.deepEqual(
    done.map(([who]) => who),
    ['a1', 'a2', 'b1', 'c1', 'a3', 'a4'],
  )
})

test('where the line is full the connection with the most in it gives way, the newest first', async () => {
  const { of, done, unpack } = line({ maxWaiting: 3 })
  for (const who of ['a1', 'a2', 'a3', 'a4', 'b1', 'a5']) unpack(who)
  assert.deepEqual(done, [
    ['a1', KiB],
    ['a4', 'overload'],
    ['a5', 'overload'],
  ])
  assert.equal(of.waiting, 3)
  while (of.waiting > 0) await turn()
  assert.deepEqual(
    done.slice(3).map(([who]) => who),
    ['a2', 'b1', 'a3'],
  )
})

test('whoever leaves the line is not called, and leaves no trace', async () => {
  const { of, done, unpack } = line()
  unpack('a1')
  const waiting = unpack('a2')
  waiting?.cancel()
  waiting?.cancel()
  assert.equal(of.waiting, 0)
  for (let i = 0; i < 3; i++) await turn()
  assert.deepEqual(done, [['a1', KiB]])
})

test('a bomb counts with what it may unpack, and bad bytes with their own length', async () => {
  const { done, unpack } = line({ bytesPerTurn: 8 * KiB })
  unpack('a1', new Uint8Array(100), 64 * KiB)
  unpack('a2', body(1000 * KiB), 64 * KiB)
  unpack('a3')
  assert.deepEqual(done, [
    ['a1', 'malformed'],
    ['a2', 'too_large'],
  ])
  await turn()
  assert.deepEqual(done.at(-1), ['a3', KiB])
})
