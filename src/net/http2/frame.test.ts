import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FLAG, FRAME, FrameReader, H2ConnectionError, numberFrame, payloadFrame, settingsFrame } from './frame.ts'

test('frames come out whole however their bytes were cut', () => {
  const stream = Buffer.concat([
    settingsFrame([[4, 100]]),
    payloadFrame(FRAME.DATA, 0, 1, Buffer.alloc(16_384, 7)),
    payloadFrame(FRAME.PING, 0, 0, Buffer.alloc(8)),
    payloadFrame(FRAME.DATA, FLAG.END_STREAM, 0x7fffffff, Buffer.alloc(0)),
    numberFrame(FRAME.WINDOW_UPDATE, 3, 1),
  ])
  const read = (step: number): string[] => {
    const seen: string[] = []
    const reader = new FrameReader((type, flags, id, bytes, from, to) =>
      seen.push(`${type} ${flags} ${id} ${to - from} ${bytes.subarray(from, to).reduce((a, b) => a + b, 0)}`),
    )
    for (let at = 0; at < stream.length; at += step) {
      const chunk = Buffer.from(stream.subarray(at, at + step))
      reader.push(chunk)
      chunk.fill(0xff) // the reader keeps nothing of a chunk
    }
    return seen
  }
  const whole = read(stream.length)
  assert.equal(whole.length, 5)
  for (const step of [1, 2, 8, 9, 10, 1000, 16_393]) assert.deepEqual(read(step), whole)
  assert.throws(() => new FrameReader(() => {}).push(Buffer.from('010000000000000001', 'hex')), H2ConnectionError)
})
