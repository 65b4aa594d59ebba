// The door against grpc-go, the client of Collectors, plain and over TLS.

import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { certs } from '../../../test/support/certs.ts'
import { findGoClient } from '../../../test/support/go-client.ts'
import { receiverHarness } from '../../../test/support/harness.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { factory } from './factory.ts'
import type { OtlpReceiver } from './otlp.ts'

const client = findGoClient()
const skip = typeof client === 'string' ? client : false

const TLS = { tls: { cert_file: certs.server.certFile, key_file: certs.server.keyFile } }
const span = { traceId: '5b8efff798038103d269b633813fc60c', spanId: 'eee19b7ec3c1b174', name: 'GET /cart' }
const request = jsonToBytes('traces', JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] }))

// On the lean engine alone: node:http2 now and then ends the whole connection (a protocol error of its own) behind a call
// that it refused while its body was still coming, and the calls beside it then fail with Unavailable.
for (const [name, tls, more] of [
  ['plain', {}, []],
  ['over TLS', TLS, [certs.caFile]],
] as const)
  test(`grpc-go, ${name}: gzip, large and many calls pass; bad ones get their codes`, { skip }, async (t) => {
    if (typeof client === 'string') return
    const config = { protocols: { grpc: { endpoint: '127.0.0.1:0', ...tls } } }
    const rig = await receiverHarness(t, factory, config)
    const { port } = (rig.receiver as OtlpReceiver).listening.grpc!
    const args = [`127.0.0.1:${port}`, Buffer.from(request).toString('hex'), ...more]
    const { stdout } = await promisify(execFile)(client.command, args, { timeout: 30_000 })
    const expected = ['0a00', '0a00', '0a00', 'Internal', 'ResourceExhausted', 'Unimplemented', 300]
    assert.deepEqual(JSON.parse(stdout), expected)
    assert.equal(
      rig.sent.reduce((sum, batch) => sum + batch.items, 0),
      1 + 1 + 20_000 + 300,
    )
  })
