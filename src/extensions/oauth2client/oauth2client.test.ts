import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { extensionHarness } from '../../../test/support/harness.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { AuthExtension } from '../../net/auth/authenticator.ts'
import { factory } from './factory.ts'

interface Asked {
  readonly authorization: string | undefined
  readonly form: Record<string, string>
}

/** A token endpoint; `answer` decides what it says next. */
async function endpoint(t: TestContext) {
  const asked: Asked[] = []
  let count = 0
  const it = {
    asked,
    url: '',
    answer: (_: IncomingMessage): { status: number; body: object } => ({
      status: 200,
      body: { access_token: `token-${++count}`, token_type: 'bearer', expires_in: 3600 },
    }),
  }
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk) => {
      body += chunk
    })
    request.on('end', () => {
      asked.push({ authorization: request.headers.authorization, form: Object.fromEntries(new URLSearchParams(body)) })
      const { status, body: answer } = it.answer(request)
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`
  return it
}

async function start(t: TestContext, url: string, config: object = {}) {
  const rig = await extensionHarness(t, factory, {
    token_url: url,
    client_id: 'plant:7',
    client_secret: 's3cret',
    ...config,
  })
  const client = (rig.extension as AuthExtension).clientAuthenticator!
  const headers = new Map<string, string>()
  /** What a request carries, and whether it had to wait. */
  const ask = async (): Promise<[header: string | undefined, waited: boolean]> => {
    headers.clear()
    const wait = client.authorize(headers, {})
    await wait
    return [headers.get('authorization'), wait !== undefined]
  }
  return { ...rig, client, headers, ask }
}

test('a token is fetched with the first request and kept: later ones wait for nothing', async (t) => {
  const at = await endpoint(t)
  const { ask } = await start(t, at.url, { scopes: ['a', 'b'], endpoint_params: { audience: 'telemetry', n: [1] } })
  assert.deepEqual(await ask(), ['Bearer token-1', true])
  assert.deepEqual(await ask(), ['Bearer token-1', false])
  assert.deepEqual(at.asked, [
    {
      authorization: `Basic ${Buffer.from('plant%3A7:s3cret').toString('base64')}`,
      form: { grant_type: 'client_credentials', scope: 'a b', audience: 'telemetry', n: '1' },
    },
  ])
})

test('requests that come together share one fetch', async (t) => {
  const at = await endpoint(t)
  const { client } = await start(t, at.url)
  const all = Array.from({ length: 20 }, () => new Map<string, string>())
  await Promise.all(all.map((headers) => client.authorize(headers, {})))
  assert.ok(all.every((headers) => headers.get('authorization') === 'Bearer token-1'))
  assert.equal(at.asked.length, 1)
})

test('a token is replaced ahead of its end while requests go on with it, and waited for after its end', async (t) => {
  const at = await endpoint(t)
  const { ask, clock } = await start(t, at.url, { expiry_buffer: '10m' })
  await ask()
  clock.advance(50 * 60_000 + 1)
  assert.deepEqual(await ask(), ['Bearer token-1', false])
  for (let i = 0; i < 500 && at.asked.length < 2; i++) await sleep(2)
  for (let i = 0; i < 500 && (await ask())[0] !== 'Bearer token-2'; i++) await sleep(2)
  assert.deepEqual(await ask(), ['Bearer token-2', false])
  clock.advance(2 * 3600_000)
  assert.deepEqual(await ask(), ['Bearer token-3', true])
  assert.equal(at.asked.length, 3)
})

test('without a token a request fails so that it is tried again; the server is not asked for each', async (t) => {
  const at = await endpoint(t)
  const { answer } = at
  at.answer = () => ({ status: 503, body: {} })
  const { ask, clock, logs } = await start(t, at.url)
  const fails = (error: unknown): boolean =>
    error instanceof DeliveryError && error.code === 'AUTH_NO_CREDENTIAL' && error.retry === 'backoff'
  await assert.rejects(ask(), fails)
  await assert.rejects(ask(), fails)
  assert.equal(at.asked.length, 1)
  clock.advance(1_000)
  await assert.rejects(ask(), fails)
  assert.equal(at.asked.length, 2)
  assert.equal(logs.filter((line) => line.level === 'error').length, 1, 'said once')
  at.answer = answer
  clock.advance(1_000)
  assert.deepEqual(await ask(), ['Bearer token-1', true])
})

test('a server that wants id and secret in the body gets them there, and then at once', async (t) => {
  const at = await endpoint(t)
  const { answer } = at
  at.answer = (request) =>
    request.headers.authorization === undefined ? answer(request) : { status: 401, body: { error: 'invalid_client' } }
  const { ask, clock } = await start(t, at.url)
  assert.equal((await ask())[0], 'Bearer token-1')
  clock.advance(2 * 3600_000)
  assert.equal((await ask())[0], 'Bearer token-2')
  assert.deepEqual(
    at.asked.map(({ form }) => [form.client_id, form.client_secret]),
    [
      [undefined, undefined],
      ['plant:7', 's3cret'],
      ['plant:7', 's3cret'],
    ],
  )
})

test('the words of a refusal are passed on, and no secret is', async (t) => {
  const at = await endpoint(t)
  at.answer = () => ({ status: 401, body: { error: 'invalid_client', error_description: 'no such client' } })
  const { ask, logs } = await start(t, at.url)
  await assert.rejects(ask(), /it answered 401, invalid_client: no such client/)
  assert.ok(!JSON.stringify(logs).includes('s3cret'))
})

test('answers that are no token are refused', async (t) => {
  const at = await endpoint(t)
  const { ask, clock } = await start(t, at.url)
  for (const body of [{}, { access_token: '' }, { access_token: 'two\nlines' }, { access_token: 7 }, []]) {
    at.answer = () => ({ status: 200, body })
    await assert.rejects(ask(), /the answer has no access_token/)
    clock.advance(1_000)
  }
})

test('a token that the next hop refuses is dropped; only one that had been good is worth another try', async (t) => {
  const at = await endpoint(t)
  const { ask, client, clock } = await start(t, at.url)
  await ask()
  const used = new Map([['authorization', 'Bearer token-1']])
  assert.equal(client.rejected!(used), false, 'a fresh token is refused for what it is')
  assert.deepEqual(await ask(), ['Bearer token-2', true])
  assert.equal(client.rejected!(used), true, 'a call with an older token says nothing of this one')
  assert.deepEqual(await ask(), ['Bearer token-2', false])
  clock.advance(10_000)
  assert.equal(client.rejected!(new Map([['authorization', 'Bearer token-2']])), true)
  assert.deepEqual(await ask(), ['Bearer token-3', true])
})

test('id and secret are read from their files for each token', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-oauth2-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const [client_id_file, client_secret_file] = [join(folder, 'id'), join(folder, 'secret')]
  writeFileSync(client_id_file, 'of the file\n')
  writeFileSync(client_secret_file, 'first\n', { mode: 0o604 })
  const at = await endpoint(t)
  const { ask, clock, logs } = await start(t, at.url, { client_id_file, client_secret_file })
  await ask()
  writeFileSync(client_secret_file, 'second\n')
  clock.advance(2 * 3600_000)
  await ask()
  const sent = at.asked.map(({ authorization }) => Buffer.from(authorization!.slice(6), 'base64').toString())
  assert.deepEqual(sent, ['of+the+file:first', 'of+the+file:second'])
  assert.deepEqual(
    logs.map((line) => line.fields.fix),
    [`chmod 600 ${client_secret_file}`],
  )
})
