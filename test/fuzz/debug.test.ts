// What passes the door can be printed in full by the debug exporter, however odd its contents.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { detailedText } from '../../src/exporters/debug/detailed.ts'
import { Message } from '../../src/exporters/debug/message.ts'
import { normalText } from '../../src/exporters/debug/normal.ts'
import { checkRequest } from '../../src/otlp/check.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { MalformedOtlp } from '../../src/otlp/malformed.ts'
import { SIGNALS, type Signal } from '../../src/otlp/signal.ts'
import { fuzz } from './harness.ts'

const isRequest = (signal: Signal, bytes: Uint8Array): boolean => {
  try {
    checkRequest(signal, bytes)
    return true
  } catch (error) {
    assert.ok(error instanceof MalformedOtlp, String(error))
    return false
  }
}

test('every request that passes the structural check is printed, in text in proportion to it', async () => {
  let printed = 0
  await fuzz({
    name: 'check',
    inputs: 1500,
    run(bytes) {
      for (const signal of SIGNALS) {
        if (!isRequest(signal, bytes)) continue
        printed++
        const request = new Message(JSON.parse(bytesToJson(signal, [bytes])))
        for (const text of [normalText, detailedText])
          assert.ok(text(signal, request).length < 1000 + 200 * bytes.length)
      }
    },
  })
  assert.ok(printed > 100, `only ${printed} requests were printed`)
})
