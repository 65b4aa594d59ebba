import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeMessage, encodeMessage } from '../../test/support/oracle.ts'
import { MalformedOtlp } from './malformed.ts'
import {
  encodeExportResponse,
  encodeRpcStatus,
  exportResponseToJson,
  LONGEST_RETRY_DELAY_MS,
  readExportResponse,
  readExportResponseJson,
  readRpcStatus,
  readRpcStatusJson,
  rpcStatusToJson,
} from './response.ts'

const TRACE_RESPONSE = 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse'

test('a success is an empty partial success, in both encodings', () => {
  assert.deepEqual([...encodeExportResponse()], [0x0a, 0x00])
  assert.equal(exportResponseToJson('traces'), '{"partialSuccess":{}}')
  assert.equal(readExportResponse(encodeExportResponse()), undefined)
  assert.equal(readExportResponse(new Uint8Array(0)), undefined)
  assert.equal(readExportResponseJson('traces', '{"partialSuccess":{}}'), undefined)
  assert.equal(readExportResponseJson('traces', ''), undefined)
})

test('a partial success carries its count and words both ways, as protobufjs reads it', () => {
  const partial = { rejected: 3_000_000_000, message: 'too old' }
  const bytes = encodeExportResponse(partial)
  assert.deepEqual(decodeMessage(TRACE_RESPONSE, bytes), {
    partialSuccess: { rejectedSpans: 3_000_000_000n, errorMessage: 'too old' },
  })
  assert.deepEqual(readExportResponse(bytes), partial)
  const json = exportResponseToJson('logs', partial)
  assert.equal(json, '{"partialSuccess":{"rejectedLogRecords":"3000000000","errorMessage":"too old"}}')
  assert.deepEqual(readExportResponseJson('logs', json), partial)
  assert.deepEqual(readExportResponseJson('metrics', '{"partialSuccess":{"rejectedDataPoints":2}}'), {
    rejected: 2,
    message: '',
  })
})

test('a status keeps code, words and the time to wait, as protobufjs reads it', () => {
  const status = { code: 14, message: 'voll: später', retryAfterMs: 1500.5 }
  const bytes = encodeRpcStatus(status)
  const delay = encodeMessage('google.rpc.RetryInfo', { retryDelay: { seconds: 1n, nanos: 500_500_000 } })
  assert.deepEqual(decodeMessage('google.rpc.Status', bytes), {
    code: 14,
    message: 'voll: später',
    details: [{ value: delay }], // protobufjs brings a google.protobuf.Any of its own, whose first field is type_url
  })
  assert.ok(Buffer.from(bytes).includes('type.googleapis.com/google.rpc.RetryInfo'))
  assert.deepEqual(readRpcStatus(bytes), status)
  const json = rpcStatusToJson({ code: 8, message: 'slow down', retryAfterMs: 1500 })
  assert.equal(
    json,
    '{"code":8,"message":"slow down","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"1.5s"}]}',
  )
  assert.deepEqual(readRpcStatusJson(json), { code: 8, message: 'slow down', retryAfterMs: 1500 })
})

test('a detail that nobody knows is passed over', () => {
  const bytes = encodeMessage('google.rpc.Status', {
    code: 3,
    details: [{ type_url: 'type.googleapis.com/google.rpc.BadRequest', value: Uint8Array.of(1, 2, 3) }],
  })
  assert.deepEqual(readRpcStatus(bytes), { code: 3, message: '' })
})

test('an answer that is no answer is malformed, never a crash', () => {
  assert.throws(() => readRpcStatus(Buffer.from('<html>')), MalformedOtlp)
  assert.throws(() => readExportResponse(Buffer.from('{"partialSuccess":{}}')), MalformedOtlp)
  assert.throws(() => readRpcStatusJson('<html>'), MalformedOtlp)
  assert.throws(() => readRpcStatusJson('[]'), MalformedOtlp)
  assert.throws(() => readExportResponseJson('logs', '{"partialSuccess":{"rejectedLogRecords":"x"}}'), MalformedOtlp)
})

test('a time to wait that no Duration can hold is written and read as the longest or as none', () => {
  for (const [asked, kept] of [
    [Infinity, LONGEST_RETRY_DELAY_MS],
    [1e22, LONGEST_RETRY_DELAY_MS],
    [-5, 0],
    [999.9999999, 1000],
    [0.0625, 0.0625],
  ] as const) {
    const status = { code: 14, message: 'later', retryAfterMs: asked }
    assert.equal(readRpcStatus(encodeRpcStatus(status)).retryAfterMs, kept)
    assert.equal(readRpcStatusJson(rpcStatusToJson(status)).retryAfterMs, kept)
  }
})
