import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { ChunkList } from './chunk-list.ts'

test('chunks of any size come back as one buffer of its own, in order', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 9000 })), { maxLength: 80 })
  fc.assert(
    fc.property(sizes, (lengths) => {
      const list = new ChunkList()
      const chunks = lengths.map((length, i) => new Uint8Array(length).fill(i + 1))
      for (const chunk of chunks) list.push(chunk)
      const whole = Buffer.concat(chunks)
      assert.equal(list.length, whole.length)
      const taken = list.take()
      assert.ok(whole.equals(taken))
      assert.deepEqual([taken.byteOffset, taken.buffer.byteLength, list.length], [0, whole.length, 0])
    }),
    { numRuns: 50 },
  )
})

test('what is kept is in proportion to the bytes, whatever they were cut from', async () => {
  const mebibytes = (): number => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    return (heapUsed + arrayBuffers) / 2 ** 20
  }
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const list = new ChunkList()
  collect()
  const before = mebibytes()
  // 64 MiB of reads, of which each leaves a byte.
  for (let i = 0; i < 1024; i++) list.push(new Uint8Array(64 * 1024).subarray(i, i + 1))
  for (let i = 0; i < 300_000; i++) list.push(Uint8Array.of(i))
  // Buffers are freed beside the program.
  let kept = Infinity
  for (let tries = 0; tries < 50 && kept >= 4; tries++) {
    await new Promise(setImmediate)
    collect()
    kept = mebibytes() - before
  }
  assert.ok(kept < 4, `${kept} MiB`)
  assert.equal(list.length, 301_024)
})
