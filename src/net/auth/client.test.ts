// Authenticators of clients in both OTLP exporters, over real sockets.

import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { grpcPeer } from '../../../test/support/grpc-peer.ts'
import { exporterHarness, type Fate, rig } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { DeliveryError } from '../../delivery/error.ts'
import { factory as otlpGrpc } from '../../exporters/otlp_grpc/factory.ts'
import { factory as otlpHttp } from '../../exporters/otlp_http/factory.ts'
import { factory as basicauth } from '../../extensions/basicauth/factory.ts'
import { factory as bearertokenauth } from '../../extensions/bearertokenauth/factory.ts'
import { factory as headersSetter } from '../../extensions/headers_setter/factory.ts'
import type { Extension, ExtensionFactory } from '../../graph/component.ts'
import type { ClientAuthenticator } from './authenticator.ts'

const LOG = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}'
const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false }, tls: { insecure: true } }

async function extension<C>(t: TestContext, factory: ExtensionFactory<C>, config: object): Promise<Extension> {
  const shard = { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] }
  const made = factory.create(parseConfig(factory.config, config), { ...rig().context('extension', 'x'), shard })
  await made.start?.()
  t.after(() => made.stop?.(AbortSignal.abort()))
  return made
}

const settled = async (fate: Fate): Promise<Fate> => {
  for (let i = 0; i < 2000 && !fate.delivered && fate.refused === undefined; i++) await sleep(2)
  return fate
}

/** Both exporters with this authenticator, and the headers that their servers saw; `refuse` answers 16 and 401. */
async function both(t: TestContext, auth: Extension, headers: Record<string, string> = {}) {
  const seen: Record<string, string | undefined>[] = []
  let refuse = false
  const peer = await grpcPeer(t, {
    handler: (call, answer) => {
      seen.push(call.metadata.getMap() as Record<string, string>)
      if (refuse) answer({ code: status.UNAUTHENTICATED, details: 'who?' })
      else answer(null, Buffer.alloc(0))
    },
  })
  const server = createServer((request, response) => {
    seen.push(request.headers as Record<string, string>)
    request.resume().on('end', () => response.writeHead(refuse ? 401 : 200).end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const common = { ...DIRECT, headers, auth: { authenticator: 'who' } }
  const options = { extensions: { who: auth } }
  const grpc = await exporterHarness(t, otlpGrpc, { ...common, endpoint: `127.0.0.1:${peer.port}` }, options)
  const { port } = server.address() as AddressInfo
  const http = await exporterHarness(t, otlpHttp, { ...common, endpoint: `http://127.0.0.1:${port}` }, options)
  return {
    grpc,
    http,
    seen,
    refuseAll() {
      refuse = true
    },
  }
}

test('name and password, or a token, go with every request of both exporters', async (t) => {
  const basic = await extension(t, basicauth, { client_auth: { username: 'plant', password: 'pa55' } })
  const token = await extension(t, bearertokenauth, { token: 'sesame' })
  for (const [auth, header] of [
    [basic, `Basic ${Buffer.from('plant:pa55').toString('base64')}`],
    [token, 'Bearer sesame'],
  ] as const) {
    const { grpc, http, seen } = await both(t, auth, { 'X-Own': 'kept', Authorization: 'of the exporter' })
    for (const { push } of [grpc, http]) assert.equal((await settled(push('logs', LOG))).delivered, true)
    assert.deepEqual(
      seen.map(({ authorization, 'x-own': own }) => [authorization, own]),
      [
        [header, 'kept'],
        [header, 'kept'],
      ],
    )
  }
})

test('headers of the client that sent a batch go with it, and never with the next one', async (t) => {
  const auth = await extension(t, headersSetter, { headers: [{ key: 'X-Tenant', from_context: 'tenant' }] })
  const { grpc, http, seen } = await both(t, auth)
  for (const { push } of [grpc, http])
    for (const tenant of ['a', 'b', undefined, 'a'])
      await settled(push('logs', LOG, tenant === undefined ? {} : { metadata: new Map([['tenant', [tenant]]]) }))
  assert.deepEqual(
    seen.map((headers) => headers['x-tenant']),
    ['a', 'b', undefined, 'a', 'a', 'b', undefined, 'a'],
  )
})

test('a header that cannot be sent refuses its batch for good, and the next one goes through', async (t) => {
  const auth = await extension(t, headersSetter, { headers: [{ key: 'X-Tenant', from_context: 'tenant' }] })
  const { grpc, http, seen } = await both(t, auth)
  for (const { push } of [grpc, http]) {
    const { refused } = await settled(push('logs', LOG, { metadata: new Map([['tenant', ['a', 'b']]]) }))
    assert.deepEqual([refused?.code, refused?.retry], ['AUTH_BAD_HEADER', 'never'])
    assert.equal((await settled(push('logs', LOG))).delivered, true)
  }
  assert.equal(seen.length, 2)
})

test('without a credential nothing is sent, and the batch may be tried again', async (t) => {
  const none = new DeliveryError('AUTH_NO_CREDENTIAL', 'no token', { retry: 'backoff' })
  for (const authorize of [() => Promise.reject(none), (): void => void assert.fail(none)]) {
    const auth = { clientAuthenticator: { authorize } satisfies ClientAuthenticator } as Extension
    const { grpc, http, seen } = await both(t, auth)
    for (const { push } of [grpc, http]) assert.deepEqual((await settled(push('logs', LOG))).refused?.retry, 'backoff')
    assert.equal(seen.length, 0)
  }
})

test('a credential that the next hop refuses is given back; another try is made only where it may help', async (t) => {
  for (const again of [true, false]) {
    const rejected: (string | undefined)[] = []
    const client: ClientAuthenticator = {
      authorize(headers) {
        headers.set('authorization', 'Bearer old')
      },
      rejected(headers) {
        rejected.push(headers.get('authorization'))
        return again
      },
    }
    const { grpc, http, refuseAll } = await both(t, { clientAuthenticator: client } as Extension)
    refuseAll()
    for (const { push } of [grpc, http]) {
      const { refused } = await settled(push('logs', LOG))
      assert.deepEqual(
        [refused?.code, refused?.retry, refused?.grpcCode],
        ['NEXT_HOP_REFUSED', again ? 'backoff' : 'never', 16],
      )
    }
    assert.deepEqual(rejected, ['Bearer old', 'Bearer old'])
  }
})

test('an exporter whose authenticator does not run does not start', async (t) => {
  const common = { ...DIRECT, auth: { authenticator: 'who' } }
  const words = /there is no running extension who/
  await assert.rejects(exporterHarness(t, otlpGrpc, { ...common, endpoint: '127.0.0.1:1' }), words)
  await assert.rejects(exporterHarness(t, otlpHttp, { ...common, endpoint: 'http://127.0.0.1:1' }), words)
})
