// The texts and the framing of gRPC and HTTP that come from the other side, whichever side that is.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, readGrpcStatus } from '../../src/net/grpc/client-status.ts'
import {
  encodeGrpcMessage,
  findTimeoutMs,
  frameMessage,
  PREFIX_BYTES,
  UnaryReader,
} from '../../src/net/grpc/framing.ts'
import { LONGEST_RETRY_AFTER_MS, readRetryAfterMs } from '../../src/net/http/retry-after.ts'
import { chooser } from '../support/scramble.ts'
import { fuzz } from './harness.ts'

const MAX_BYTES = 2000

/** The message of a stream by its definition: what is wrong with it, its bytes, or undefined where it is cut short. */
function expected(stream: Uint8Array): string | Uint8Array | undefined {
  if (stream.length < PREFIX_BYTES) return undefined
  if (stream[0]! > 1) return 'bad_flag'
  const length = Buffer.from(stream).readUInt32BE(1)
  if (length > MAX_BYTES) return 'too_large'
  if (stream.length > PREFIX_BYTES + length) return 'second_message'
  return stream.length === PREFIX_BYTES + length ? stream.subarray(PREFIX_BYTES) : undefined
}

test('the message of a call comes out, or its problem, however the stream was cut', async () => {
  let whole = 0
  await fuzz({
    name: 'grpc',
    inputs: 4000,
    run(bytes) {
      const want = expected(bytes)
      const choose = chooser(bytes.length)
      const cuts = { whole: () => bytes.length, bytes: () => 1, pairs: () => 2, pieces: () => choose(300) }
      for (const [name, next] of Object.entries(cuts)) {
        const reader = new UnaryReader(MAX_BYTES)
        let got: string | Uint8Array | undefined
        for (let at = 0; at < bytes.length && got === undefined; ) {
          const to = at + next()
          got = reader.push(bytes.slice(at, to))
          at = to
        }
        if (got === undefined && reader.whole) {
          assert.equal(reader.packed, bytes[0] === 1)
          got = reader.take()
          whole++
        }
        assert.deepEqual(got, want, `cut in ${name}`)
      }
      const reader = new UnaryReader(bytes.length)
      assert.equal(reader.push(frameMessage(bytes, true)), undefined)
      assert.ok(reader.whole && reader.packed && Buffer.from(reader.take()).equals(bytes))
    },
  })
  assert.ok(whole > 500, `only ${whole} messages came out`)
})

test('any text as grpc-timeout, grpc-status, grpc-message or Retry-After has a bounded meaning', async () => {
  const nowMs = Date.UTC(2026, 0, 1)
  await fuzz({
    name: 'headers',
    inputs: 5000,
    words: [
      '9'.repeat(400),
      '%',
      '%C3',
      '%zz',
      'S',
      'u',
      '-',
      ' ',
      '.',
      'e9',
      'Mon, 01 Jan 2035 00:00:00 GMT',
      '\u20ac',
    ],
    run(bytes) {
      const text = Buffer.from(bytes).toString()
      const timeoutMs = findTimeoutMs(text)
      assert.ok(timeoutMs === undefined || (timeoutMs >= 0 && timeoutMs < 1e8 * 3_600_000), `timeout ${timeoutMs}`)
      const retryMs = readRetryAfterMs(text, nowMs)
      assert.ok(retryMs >= 0 && retryMs <= LONGEST_RETRY_AFTER_MS, `Retry-After ${retryMs}`)
      assert.ok([...Array(17).keys()].includes(readGrpcStatus(text)), `grpc-status ${readGrpcStatus(text)}`)
      assert.equal(typeof decodeMessage(text), 'string')
      const encoded = encodeGrpcMessage(text)
      assert.match(encoded, /^[ -~]*$/)
      assert.equal(decodeMessage(encoded), text)
    },
  })
})
