// What a server answers an exporter: protobuf and JSON of export responses and of google.rpc.Status. Any bytes are read
// as protobufjs reads them or are MalformedOtlp, and what was read can always be written again.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MalformedOtlp } from '../../src/otlp/malformed.ts'
import {
  encodeExportResponse,
  encodeRpcStatus,
  exportResponseToJson,
  LONGEST_RETRY_DELAY_MS,
  type RpcStatus,
  readExportResponse,
  readExportResponseJson,
  readRpcStatus,
  readRpcStatusJson,
  rpcStatusToJson,
} from '../../src/otlp/response.ts'
import { SIGNALS } from '../../src/otlp/signal.ts'
import { decodeMessage } from '../support/oracle.ts'
import { fuzz } from './harness.ts'

const RESPONSE = 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse'

function find<T>(read: () => T): { readonly value: T } | undefined {
  try {
    return { value: read() }
  } catch (error) {
    assert.ok(error instanceof MalformedOtlp, String(error))
    return undefined
  }
}

const isText = (text: string): boolean => !text.includes('\ufffd')

/** protobufjs's opinion; undefined where it refuses what we may take: it reads fields that we pass over. */
function oracle(name: string, bytes: Uint8Array): Record<string, unknown> | undefined {
  try {
    return decodeMessage(name, bytes)
  } catch {
    return undefined
  }
}

function checkStatus(status: RpcStatus): void {
  const { code, message, retryAfterMs: delayMs } = status
  assert.ok(Number.isInteger(code) && code === (code | 0), `code ${code}`)
  assert.equal(typeof message, 'string')
  if (delayMs !== undefined) assert.ok(delayMs >= 0 && delayMs <= LONGEST_RETRY_DELAY_MS, `delay ${delayMs}`)
  for (const again of [readRpcStatus(encodeRpcStatus(status)), readRpcStatusJson(rpcStatusToJson(status))]) {
    assert.deepEqual([again.code, again.message.toWellFormed()], [code, message.toWellFormed()])
    // Both carry whole nanoseconds; a double of so many seconds may have fewer digits.
    if (delayMs === undefined) assert.equal(again.retryAfterMs, undefined)
    else
      assert.ok(Math.abs(again.retryAfterMs! - delayMs) <= 1e-6 + delayMs * 1e-15, `${delayMs} ${again.retryAfterMs}`)
  }
}

test('whatever a server answers is read or malformed, and what was read is written and read the same', async () => {
  const passed = { status: 0, response: 0, statusJson: 0, responseJson: 0 }
  await fuzz({
    name: 'response',
    inputs: 5000,
    words: [
      '"',
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      'null',
      '-1',
      '1e308',
      '9'.repeat(400),
      '"s"',
      '"retryDelay":',
      '.5s',
      '-',
    ],
    run(bytes) {
      const status = find(() => readRpcStatus(bytes))
      if (status !== undefined) {
        passed.status++
        checkStatus(status.value)
        const expected = oracle('google.rpc.Status', bytes)
        if (expected !== undefined) {
          assert.equal(status.value.code, expected.code ?? 0)
          if (isText(status.value.message)) assert.equal(status.value.message, expected.message ?? '')
        }
      }
      const response = find(() => readExportResponse(bytes))
      if (response !== undefined) {
        passed.response++
        const { value } = response
        assert.ok(value === undefined || Number.isInteger(value.rejected))
        const expected = oracle(RESPONSE, bytes)?.partialSuccess as Record<string, unknown> | undefined
        if (expected !== undefined) assert.equal(value?.rejected ?? 0, Number(expected.rejectedLogRecords ?? 0))
        if (Math.abs(value?.rejected ?? 0) <= 2 ** 53)
          assert.deepEqual(readExportResponse(encodeExportResponse(value)), value)
      }
      const text = Buffer.from(bytes).toString()
      const json = find(() => readRpcStatusJson(text))
      if (json !== undefined) {
        passed.statusJson++
        checkStatus(json.value)
      }
      for (const signal of SIGNALS) {
        const read = find(() => readExportResponseJson(signal, text))
        if (read === undefined) continue
        passed.responseJson++
        assert.ok(read.value === undefined || Number.isInteger(read.value.rejected))
        assert.deepEqual(readExportResponseJson(signal, exportResponseToJson(signal, read.value)), read.value)
      }
    },
  })
  for (const [what, count] of Object.entries(passed)) assert.ok(count > 100, `only ${count} of ${what} were read`)
})
