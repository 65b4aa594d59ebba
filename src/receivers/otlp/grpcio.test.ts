// The door against Python's grpcio, a client on gRPC's C core.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { findGrpcio } from '../../../test/support/grpcio.ts'
import { receiverHarness } from '../../../test/support/harness.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { factory } from './factory.ts'
import type { OtlpReceiver } from './otlp.ts'

const python = findGrpcio()
const skip = typeof python === 'string' ? python : false

const PROGRAM = `
import sys, grpc, json
body = bytes.fromhex(sys.argv[2])
path = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
seen = []
def call(channel, message, compression=None, path=path, timeout=8):
    try:
        seen.append(channel.unary_unary(path)(message, timeout=timeout, compression=compression).hex())
    except grpc.RpcError as error:
        seen.append(error.code().name)
with grpc.insecure_channel('127.0.0.1:' + sys.argv[1]) as channel:
    call(channel, body)
    call(channel, body, grpc.Compression.Gzip)
    call(channel, body * 20000)
    call(channel, b'not protobuf')
    call(channel, b'\\0' * (5 << 20))
    call(channel, body, path='/no.Such/Method')
    futures = [channel.unary_unary(path).future(body, timeout=8) for _ in range(300)]
    seen.append(sum(f.result() is not None for f in futures))
print(json.dumps(seen))
`

for (const [engine, gates] of [
  ['lean', []],
  ['node:http2', ['millrace.grpc.nodeHttp2']],
] as const)
  test(`${engine}: grpcio: plain, gzip, large and many calls pass; bad ones get their codes`, { skip }, async (t) => {
    if (typeof python === 'string') return
    const rig = await receiverHarness(t, factory, { protocols: { grpc: { endpoint: '127.0.0.1:0' } } }, { gates })
    const { port } = (rig.receiver as OtlpReceiver).listening.grpc!
    const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /cart' }
    const request = jsonToBytes('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }))
    const run = promisify(execFile)
    const { stdout } = await run(python.command, ['-c', PROGRAM, String(port), Buffer.from(request).toString('hex')], {
      env: python.env,
      timeout: 30_000,
    })
    const expected = ['0a00', '0a00', '0a00', 'INTERNAL', 'RESOURCE_EXHAUSTED', 'UNIMPLEMENTED', 300]
    assert.deepEqual(JSON.parse(stdout), expected)
    assert.equal(
      rig.sent.reduce((sum, batch) => sum + batch.items, 0),
      1 + 1 + 20_000 + 300,
    )
  })
