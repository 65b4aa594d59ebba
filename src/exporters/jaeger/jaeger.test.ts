import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServerCredentials, status } from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { grpcPeer } from '../../../test/support/grpc-peer.ts'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { factory } from './factory.ts'

const POST_SPANS = '/jaeger.api_v2.CollectorService/PostSpans'
const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false }, tls: { insecure: true } }
const ofServices = (...names: readonly string[]): object => ({
  resourceSpans: names.map((stringValue) => ({
    resource: { attributes: [{ key: 'service.name', value: { stringValue } }] },
    scopeSpans: [{ spans: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), name: 'weld' }] }],
  })),
})

async function settled(fate: Fate, meanwhile = (): void => {}): Promise<Fate> {
  for (let i = 0; i < 2000 && !fate.delivered && fate.refused === undefined; i++) {
    meanwhile()
    await sleep(2)
  }
  return fate
}

test('spans are posted, a call for each resource, and counted as sent', async (t) => {
  const peer = await grpcPeer(t, { paths: [POST_SPANS] })
  const { push, metric } = await exporterHarness(t, factory, { endpoint: `127.0.0.1:${peer.port}`, ...DIRECT })
  assert.ok((await settled(push('traces', ofServices('press', 'oven')))).delivered)
  assert.deepEqual(
    peer.calls.map((call) => call.getPath()),
    [POST_SPANS, POST_SPANS],
  )
  assert.ok(peer.calls[0]!.request.includes('press') && peer.calls[1]!.request.includes('oven'))
  assert.equal(peer.calls[0]!.metadata.get('grpc-encoding').length, 0)
  assert.equal(metric('exporter_sent_spans'), 2)
  assert.equal(metric('exporter_remote_healthy'), 1)
})

test('what was answered is not posted again when a later call of the same batch fails', async (t) => {
  let failures = 2
  const peer = await grpcPeer(t, {
    paths: [POST_SPANS],
    handler: (call, answer) => {
      if (call.request.includes('oven') && failures-- > 0) answer({ code: status.UNAVAILABLE })
      else answer(null, Buffer.alloc(0))
    },
  })
  const { push, clock } = await exporterHarness(t, factory, {
    endpoint: `127.0.0.1:${peer.port}`,
    tls: { insecure: true },
    retry_on_failure: { initial_interval: '1s', max_interval: '1s', randomization_factor: 0 },
    timeout: '1m',
  })
  assert.ok((await settled(push('traces', ofServices('press', 'oven', 'paint')), () => clock.advance(100))).delivered)
  const posted = peer.calls.map(({ request }) => ['press', 'oven', 'paint'].find((name) => request.includes(name)))
  assert.deepEqual(posted, ['press', 'oven', 'oven', 'oven', 'paint'])
})

test('codes are tried again or final as for OTLP', async (t) => {
  let code: number = status.OK
  const peer = await grpcPeer(t, { paths: [POST_SPANS], handler: (_, answer) => answer({ code, details: 'no' }) })
  const { push } = await exporterHarness(t, factory, { endpoint: `127.0.0.1:${peer.port}`, ...DIRECT })
  for (code of [status.UNAVAILABLE, status.ABORTED, status.INVALID_ARGUMENT, status.UNIMPLEMENTED]) {
    const { refused } = await settled(push('traces', ofServices('press')))
    assert.equal(refused!.grpcCode, code)
    assert.equal(refused!.retry, code === status.UNAVAILABLE || code === status.ABORTED ? 'backoff' : 'never')
  }
})

test('TLS is on unless it is turned off', async (t) => {
  const keys = [{ private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }]
  const credentials = ServerCredentials.createSsl(null, keys)
  const peer = await grpcPeer(t, { paths: [POST_SPANS], credentials })
  const tls = { ca_file: certs.caFile }
  const { push } = await exporterHarness(t, factory, { ...DIRECT, endpoint: `localhost:${peer.port}`, tls })
  assert.ok((await settled(push('traces', ofServices('press')))).delivered)
})
