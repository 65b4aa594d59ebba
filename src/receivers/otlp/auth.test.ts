// Authenticators at both doors, with the extensions that there are, over real sockets.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { request } from 'undici'
import { receiverHarness, rig } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { factory as basicauth } from '../../extensions/basicauth/factory.ts'
import { factory as bearertokenauth } from '../../extensions/bearertokenauth/factory.ts'
import { factory as oidc } from '../../extensions/oidc/factory.ts'
import type { Extension, ExtensionFactory } from '../../graph/component.ts'
import { type AuthDecision, AuthRefusal, type RequestHeaders } from '../../net/auth/authenticator.ts'
import { GRPC } from '../../net/status.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import { readRpcStatus } from '../../otlp/response.ts'
import { factory } from './factory.ts'
import type { OtlpReceiver } from './otlp.ts'

const TRACES = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'
const JSON_SPAN =
  '{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174","name":"GET"}]}]}]}'
const SPAN = jsonToBytes('traces', JSON_SPAN)

async function extension<C>(t: TestContext, made: ExtensionFactory<C>, config: object): Promise<Extension> {
  const base = rig()
  const shard = { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] }
  const running = made.create(parseConfig(made.config, config), { ...base.context('extension', made.type), shard })
  t.after(() => running.stop?.(AbortSignal.abort()))
  await running.start?.()
  return running
}

async function doors(t: TestContext, auth: Extension, http: object = {}) {
  const endpoint = '127.0.0.1:0'
  const protocols = {
    grpc: { endpoint, auth: { authenticator: 'auth/doors' } },
    http: { endpoint, auth: { authenticator: 'auth/doors', ...http }, cors: { allowed_origins: ['*'] } },
  }
  const receiver = await receiverHarness(t, factory, { protocols }, { extensions: { 'auth/doors': auth } })
  const { grpc: grpcAt, http: httpAt } = (receiver.receiver as OtlpReceiver).listening
  const stub = new Client(`127.0.0.1:${grpcAt!.port}`, credentials.createInsecure())
  t.after(() => stub.close())
  /** The status code of a call with this header, and its words. */
  const grpc = (header?: string, message: Uint8Array = SPAN): Promise<[number, string]> =>
    new Promise((resolve) => {
      const metadata = new Metadata()
      if (header !== undefined) metadata.set('authorization', header)
      const same = (bytes: Buffer): Buffer => bytes
      const done = (error: ServiceError | null): void => resolve(error === null ? [0, ''] : [error.code, error.details])
      stub.makeUnaryRequest(TRACES, same, same, Buffer.from(message), metadata, { deadline: Date.now() + 8000 }, done)
    })
  const post = async (
    header?: string,
    options: { json?: boolean; path?: string; method?: string; origin?: string } = {},
  ) => {
    const { json = false, path = '/v1/traces', method = 'POST' } = options
    const answer = await request(`http://127.0.0.1:${httpAt!.port}${path}`, {
      method: method as 'POST',
      headers: {
        'content-type': json ? 'application/json' : 'application/x-protobuf',
        ...(header === undefined ? {} : { authorization: header }),
        ...(options.origin === undefined ? {} : { origin: options.origin }),
        ...(method === 'OPTIONS' ? { origin: 'http://page', 'access-control-request-method': 'POST' } : {}),
      },
      ...(method === 'POST' ? { body: json ? JSON_SPAN : Buffer.from(SPAN) } : {}),
    })
    return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) }
  }
  return { ...receiver, grpc, post, httpPort: httpAt!.port }
}

test('a token lets calls through both doors; without it they hear 16 and 401, and no pipeline sees them', async (t) => {
  const { grpc, post, sent, metric } = await doors(t, await extension(t, bearertokenauth, { token: 'sesame' }))
  assert.deepEqual(await grpc('Bearer sesame'), [0, ''])
  assert.equal((await post('Bearer sesame')).status, 200)
  assert.equal(sent.length, 2)

  const words = 'scheme or token does not match'
  assert.deepEqual(await grpc('Bearer wrong'), [status.UNAUTHENTICATED, words])
  assert.deepEqual(await grpc(), [status.UNAUTHENTICATED, 'missing or empty authorization header'])
  const refused = await post('Bearer wrong')
  assert.equal(refused.status, 401)
  assert.equal(refused.headers['www-authenticate'], 'Bearer')
  assert.equal(refused.headers['content-type'], 'application/x-protobuf')
  const { code, message } = readRpcStatus(refused.body)
  assert.deepEqual([code, message], [GRPC.UNAUTHENTICATED, words])
  const asJson = await post(undefined, { json: true })
  assert.equal(asJson.status, 401)
  assert.deepEqual(JSON.parse(asJson.body.toString()), { code: 16, message: 'missing or empty authorization header' })

  assert.equal(sent.length, 2)
  assert.equal(metric('receiver_refused_requests', { transport: 'grpc', reason: 'auth' }), 2)
  assert.equal(metric('receiver_refused_requests', { transport: 'http', reason: 'auth' }), 2)
})

test('name and password let calls through both doors, and the batch knows the name', async (t) => {
  const { grpc, post, sent, logs } = await doors(
    t,
    await extension(t, basicauth, {
      // The password is pa55.
      htpasswd: { inline: 'press:$2b$04$DD2wH9rpu0hz.4K/z3c/uezn7MaR3D3fab60BZPoe.JoJWel31s3u' },
    }),
  )
  const right = `Basic ${Buffer.from('press:pa55').toString('base64')}`
  const wrong = `Basic ${Buffer.from('press:hunter2').toString('base64')}`
  assert.deepEqual(await Promise.all([grpc(right), grpc(right), grpc(right)]), [
    [0, ''],
    [0, ''],
    [0, ''],
  ])
  assert.equal((await post(right)).status, 200)
  assert.deepEqual(
    sent.map((batch) => batch.client.auth?.get('username')),
    ['press', 'press', 'press', 'press'],
  )
  assert.deepEqual(await grpc(wrong), [status.UNAUTHENTICATED, 'invalid credentials'])
  const refused = await post(wrong)
  assert.equal(refused.status, 401)
  assert.equal(refused.headers['www-authenticate'], 'Basic realm="millrace", charset="UTF-8"')
  for (const header of ['Basic ???', 'Digest username="x"']) assert.equal((await post(header)).status, 401)
  assert.ok(!JSON.stringify(logs).includes('hunter2'))
  assert.ok(!JSON.stringify(logs).includes(wrong.slice(6)), 'credentials are never logged')
})

test('a token of an issuer lets calls through both doors, and the batch knows its claims', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'millrace-doors-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const { publicKey, privateKey } = await generateKeyPair('ES256')
  const file = join(at, 'keys.json')
  writeFileSync(file, JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k' }] }), { mode: 0o600 })
  const provider = { issuer_url: 'https://id.example.com', audience: 'telemetry', public_keys_file: file }
  const { grpc, post, sent, metric } = await doors(t, await extension(t, oidc, { providers: [provider] }))
  // The clock of the harness stands at 2026-01-01.
  const sign = (claims: object): Promise<string> =>
    new SignJWT({ iss: 'https://id.example.com', aud: 'telemetry', sub: 'press', exp: 1_767_229_200, ...claims })
      .setProtectedHeader({ alg: 'ES256', kid: 'k' })
      .sign(privateKey)
  const right = `Bearer ${await sign({ tenant: 'a' })}`
  assert.deepEqual(await grpc(right), [0, ''])
  assert.equal((await post(right)).status, 200)
  assert.deepEqual(
    sent.map(({ client: { auth } }) => [auth?.get('subject'), auth?.get('tenant')]),
    [
      ['press', 'a'],
      ['press', 'a'],
    ],
  )
  const expired = `Bearer ${await sign({ exp: 1_767_225_000 })}`
  assert.deepEqual(await grpc(expired), [status.UNAUTHENTICATED, 'the token has expired'])
  assert.equal((await post(expired)).status, 401)
  assert.equal(metric('receiver_refused_requests', { reason: 'auth' }), 2)
})

test('who is not known is refused before a byte of the body is read', async (t) => {
  const { httpPort, grpc } = await doors(t, await extension(t, bearertokenauth, { token: 'sesame' }))
  const socket = connectTcp(httpPort, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write(
    'POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n',
  )
  const answer = await new Promise<string>((resolve) => socket.once('data', (chunk) => resolve(chunk.toString())))
  assert.match(answer, /^HTTP\/1\.1 401 /)
  // Larger than any message may be, which is asked after who sends it.
  assert.equal((await grpc('Bearer wrong', new Uint8Array(6 * 1024 * 1024)))[0], status.UNAUTHENTICATED)
})

test('an overlong header is refused, and the connection serves the next call', async (t) => {
  const { grpc, post } = await doors(t, await extension(t, bearertokenauth, { token: 'sesame' }))
  const long = `Bearer ${'x'.repeat(20_000)}`
  assert.deepEqual(await grpc(long), [status.UNAUTHENTICATED, 'the authorization header is too long'])
  assert.equal((await post(long)).status, 401)
  assert.deepEqual(await grpc('Bearer sesame'), [0, ''])
  assert.equal((await post('Bearer sesame')).status, 200)
})

test('a preflight needs no credentials: browsers send none with it', async (t) => {
  const { post } = await doors(t, await extension(t, bearertokenauth, { token: 'sesame' }))
  const answer = await post(undefined, { method: 'OPTIONS' })
  assert.equal(answer.status, 204)
  assert.equal(answer.headers['access-control-allow-origin'], '*')
  assert.equal((await post(undefined, { method: 'GET' })).status, 401)
  const refused = await post(undefined, { origin: 'http://page' })
  assert.deepEqual(
    [refused.status, refused.headers['access-control-allow-origin']],
    [401, '*'],
    'a script may read why it was refused',
  )
})

test('request_params are headers to the authenticator, and no others are', async (t) => {
  const token = await extension(t, bearertokenauth, { token: 'sesame', scheme: '', header: 'X-Token' })
  const { post } = await doors(t, token, { request_params: ['X-Token'] })
  assert.equal((await post(undefined, { path: '/v1/traces?X-Token=sesame' })).status, 200)
  assert.equal((await post(undefined, { path: '/v1/traces?X-Token=other' })).status, 401)
  assert.equal((await post(undefined, { path: '/v1/traces?x-other=sesame' })).status, 401)
})

/** Says what a test tells it to, later. */
function slowly(): { auth: Extension; asked: ((decision: AuthDecision) => void)[] } {
  const asked: ((decision: AuthDecision) => void)[] = []
  const authenticate = (_: RequestHeaders): Promise<AuthDecision> => new Promise((resolve) => asked.push(resolve))
  return { auth: { serverAuthenticator: { challenge: 'Slow', authenticate } } as Extension, asked }
}

test('an authenticator that has to ask holds the body back, and the answer of a batch waits for it', async (t) => {
  const { auth, asked } = slowly()
  const { grpc, post, sent } = await doors(t, auth)
  const until = async (count: number): Promise<void> => {
    for (let i = 0; i < 1000 && asked.length < count; i++) await new Promise((resolve) => setTimeout(resolve, 2))
    assert.equal(asked.length, count)
  }
  const large = jsonToBytes('traces', JSON_SPAN.replace('GET', 'x'.repeat(3_000_000)))
  const calls = [grpc('a', large), post('b')] as const
  await until(2)
  assert.equal(sent.length, 0)
  for (const answer of asked) answer(new Map([['username', 'late']]))
  assert.deepEqual(await calls[0], [0, ''])
  assert.equal((await calls[1]).status, 200)
  assert.deepEqual(
    sent.map((batch) => batch.client.auth?.get('username')),
    ['late', 'late'],
  )

  const refused = [grpc('a', large), post('b')] as const
  await until(4)
  for (const answer of asked.slice(2)) answer(new AuthRefusal('the issuer is down', GRPC.UNAVAILABLE))
  assert.deepEqual(await refused[0], [status.UNAVAILABLE, 'the issuer is down'])
  const { status: http, headers } = await refused[1]
  assert.deepEqual([http, headers['www-authenticate']], [503, undefined])
})

test('a receiver whose authenticator does not run does not start', async (t) => {
  const protocols = { http: { endpoint: '127.0.0.1:0', auth: { authenticator: 'nobody' } } }
  await assert.rejects(receiverHarness(t, factory, { protocols }), /there is no running extension nobody/)
})
