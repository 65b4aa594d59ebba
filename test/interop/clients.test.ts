// The gRPC door against the clients that plants have: grpc-go (Collectors, Go services), grpcio (Python, on gRPC's C core),
// grpc-java (Netty) and tonic (Rust); plain, and over TLS with ALPN. @grpc/grpc-js proves it
// beside the code.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { factory } from '../../src/receivers/otlp/factory.ts'
import type { OtlpReceiver } from '../../src/receivers/otlp/otlp.ts'
import { certs } from '../support/certs.ts'
import { findGrpcio } from '../support/grpcio.ts'
import { receiverHarness } from '../support/harness.ts'
import { findProgram, type Program } from '../support/programs.ts'

function python(): (Program & { readonly env: NodeJS.ProcessEnv }) | string {
  const found = findGrpcio()
  if (typeof found === 'string') return found
  return { ...found, args: [fileURLToPath(new URL('python/client.py', import.meta.url))] }
}

const BOTH = ['lean', 'node:http2'] as const
const CLIENTS = [
  // node:http2 now and then ends the whole connection (a protocol error of its own) behind a call that it refused while its
  // body was still coming, and the calls beside it then fail with Unavailable.
  { name: 'grpc-go', client: findProgram('grpc-go client'), engines: ['lean'] },
  { name: 'grpcio', client: python(), engines: BOTH },
  { name: 'grpc-java', client: findProgram('grpc-java client'), engines: BOTH },
  { name: 'tonic', client: findProgram('tonic client'), engines: BOTH },
] as const

const GATES = { lean: [], 'node:http2': ['millrace.grpc.nodeHttp2'] } as const
const TLS = { tls: { cert_file: certs.server.certFile, key_file: certs.server.keyFile } }
const YOUNG = { keepalive: { server_parameters: { max_connection_age: '50ms' } } }
const TRANSPORTS = [
  ['plain', {}, []],
  ['over TLS', TLS, [certs.caFile]],
] as const
/**
 * A server that ends connections politely loses no call of clients that send again what it has not looked at. tonic does
 * not, and gives up those that waited for a stream; node:http2 resets what comes behind its GOAWAY.
 */
const ON_YOUNG = ['on connections that end young', YOUNG, []] as const

const transportsOf = (engine: string, client: string) =>
  engine === 'lean' && client !== 'tonic' ? [...TRANSPORTS, ON_YOUNG] : TRANSPORTS

const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /cart' }
const request = jsonToBytes('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }))
/** Plain, gzip, 1.2 MB; then no protobuf (INTERNAL), 5 MiB (RESOURCE_EXHAUSTED), no such method; then 300 at once. */
const EXPECTED = ['0a00', '0a00', '0a00', 13, 8, 12, 300]

for (const { name, client, engines } of CLIENTS)
  for (const engine of engines)
    for (const [transport, more, args] of transportsOf(engine, name)) {
      const skip = typeof client === 'string' ? client : false
      test(`${engine}: ${name}, ${transport}: gzip, large and many calls pass; bad ones get their codes`, {
        skip,
      }, async (t) => {
        if (typeof client === 'string') return
        const config = { protocols: { grpc: { endpoint: '127.0.0.1:0', ...more } } }
        const rig = await receiverHarness(t, factory, config, { gates: GATES[engine] })
        const { port } = (rig.receiver as OtlpReceiver).listening.grpc!
        const all = [...client.args, String(port), Buffer.from(request).toString('hex'), ...args]
        const env = 'env' in client ? client.env : process.env
        const { stdout } = await promisify(execFile)(client.command, all, { timeout: 60_000, env })
        assert.deepEqual(JSON.parse(stdout), EXPECTED)
        assert.equal(
          rig.sent.reduce((sum, batch) => sum + batch.items, 0),
          1 + 1 + 20_000 + 300,
        )
      })
    }
