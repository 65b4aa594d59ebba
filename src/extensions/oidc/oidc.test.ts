import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose'
import { certs } from '../../../test/support/certs.ts'
import { extensionHarness } from '../../../test/support/harness.ts'
import { type AuthDecision, type AuthExtension, AuthRefusal } from '../../net/auth/authenticator.ts'
import { GRPC } from '../../net/status.ts'
import { factory } from './factory.ts'
import { COOLDOWN_MS } from './issuer-keys.ts'
import { MAX_CHECKING } from './oidc.ts'

// The clock of the harness.
const NOW_S = Date.parse('2026-01-01T00:00:00Z') / 1000

/** A small issuer: discovery, keys that can be rotated, and tokens. */
async function issuer(t: TestContext, options: { tls?: boolean } = {}) {
  const asked: string[] = []
  let answers = true
  let name: string | undefined
  let key = await generateKeyPair('RS256')
  let kid = 'first'
  let keys: JWK[] = [{ ...(await exportJWK(key.publicKey)), kid, alg: 'RS256' }]
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    asked.push(request.url!)
    if (!answers) response.writeHead(503).end()
    else if (request.url === '/realm/.well-known/openid-configuration')
      response.end(JSON.stringify({ issuer: name ?? url, jwks_uri: `${url}/keys` }))
    else response.end(JSON.stringify({ keys }))
  }
  const server = options.tls
    ? createHttpsServer({ cert: certs.server.cert, key: certs.server.key }, handle)
    : createHttpServer(handle)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `${options.tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/realm`
  return {
    url,
    asked,
    set answers(value: boolean) {
      answers = value
    },
    set name(value: string) {
      name = value
    },
    get keys() {
      return keys
    },
    async rotate(next: string): Promise<void> {
      key = await generateKeyPair('RS256')
      kid = next
      keys = [{ ...(await exportJWK(key.publicKey)), kid, alg: 'RS256' }]
    },
    token(claims: object = {}): Promise<string> {
      const all = { iss: url, aud: 'telemetry', sub: 'press-3', iat: NOW_S, exp: NOW_S + 3600, ...claims }
      return new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid }).sign(key.privateKey)
    },
  }
}

async function start(t: TestContext, config: object) {
  const rig = await extensionHarness(t, factory, config)
  const authenticator = (rig.extension as AuthExtension).serverAuthenticator!
  const decide = (header?: string, name = 'authorization'): AuthDecision | Promise<AuthDecision> =>
    authenticator.authenticate((asked) => (asked === name ? header : undefined))
  const ask = async (token: string): Promise<string> => {
    const decision = await decide(`Bearer ${token}`)
    return decision instanceof AuthRefusal ? decision.message : 'in'
  }
  return { ...rig, decide, ask }
}

test('a token of the issuer, for us and for now, lets in; its claims are known', async (t) => {
  const id = await issuer(t)
  const { ask, decide } = await start(t, {
    providers: [{ issuer_url: id.url, audience: 'telemetry', username_claim: 'email', groups_claim: 'roles' }],
  })
  const token = await id.token({ email: 'press@plant', roles: ['sender', 7], tenant: 'a' })
  assert.equal(await ask(token), 'in')
  const attributes = decide(`Bearer ${token}`)
  assert.ok(!(attributes instanceof Promise), 'a token that was good is answered at once from then on')
  assert.ok(!(attributes instanceof AuthRefusal))
  const seen = ['subject', 'membership', 'tenant', 'sub', 'raw'].map((name) => attributes.get(name))
  assert.deepEqual(seen, ['press@plant', ['sender', '7'], 'a', 'press-3', token])
  assert.equal(id.asked.length, 2, 'discovery and keys are asked for once')
})

test('an expired token, one that is not valid yet, and one for others are refused', async (t) => {
  const id = await issuer(t)
  const { ask, clock } = await start(t, { issuer_url: id.url, audience: 'telemetry' })
  assert.equal(await ask(await id.token({ exp: NOW_S - 10 })), 'the token has expired')
  assert.equal(await ask(await id.token({ nbf: NOW_S + 60 })), "the token's nbf does not fit")
  assert.equal(await ask(await id.token({ aud: 'billing' })), "the token's aud does not fit")
  assert.equal(await ask(await id.token({ aud: undefined })), "the token's aud does not fit")
  assert.equal(await ask(await id.token({ exp: undefined })), "the token's exp does not fit")
  assert.equal(await ask(await id.token({ aud: ['billing', 'telemetry'] })), 'in')
  const short = await id.token({ exp: NOW_S + 60 })
  assert.equal(await ask(short), 'in')
  clock.advance(66_000)
  assert.equal(await ask(short), 'the token has expired', 'also one that was remembered')
})

test('a token of another issuer, or signed by somebody else in its name, is refused', async (t) => {
  const [id, other] = [await issuer(t), await issuer(t)]
  const { ask } = await start(t, { providers: [{ issuer_url: id.url, audience: 'telemetry' }] })
  assert.equal(await ask(await other.token()), 'no OIDC provider is configured for the issuer of the token')
  await other.rotate('first')
  assert.equal(await ask(await other.token({ iss: id.url })), 'the signature of the token is wrong')
  const [head, body] = (await id.token()).split('.')
  assert.equal(await ask(`${head}.${body}.AAAA`), 'the signature of the token is wrong')
  const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}`
  assert.equal(await ask(`${none}.`), 'invalid authorization header format')
  assert.equal(await ask(`${none}.AAAA`), 'the token cannot be verified')
  const secret = new TextEncoder().encode(JSON.stringify(id.keys[0]))
  const hmac = new SignJWT({ iss: id.url, aud: 'telemetry', exp: NOW_S + 60 }).setProtectedHeader({ alg: 'HS256' })
  assert.equal(await ask(await hmac.sign(secret)), 'the token cannot be verified')
})

test('a header that carries no token is refused at once', async (t) => {
  const id = await issuer(t)
  const { decide } = await start(t, {
    providers: [{ issuer_url: id.url, audience: 'telemetry' }],
    attribute: 'X-Token',
  })
  const words = (header?: string): string => (decide(header, 'x-token') as AuthRefusal).message
  assert.equal(words(), 'missing or empty authorization header')
  for (const header of ['Bearer', 'Bearer a.b', 'a.b.c', 'Bearer a.b.c d', 'Bearer !.!.!', 'Bearer aaaa.bbbb.cccc'])
    assert.equal(words(header), 'invalid authorization header format', header)
  assert.equal(words(`Bearer ${'a'.repeat(20_000)}`), 'the authorization header is too long')
})

test('a key that the issuer has rotated to is found with its first token, and strangers cannot make us ask for more', async (t) => {
  const id = await issuer(t)
  const { ask, clock } = await start(t, { providers: [{ issuer_url: id.url, audience: 'telemetry' }] })
  assert.equal(await ask(await id.token()), 'in')
  await id.rotate('second')
  const token = await id.token()
  const unknown = 'the token is signed with a key that its issuer does not have'
  assert.equal(await ask(token), unknown, 'not so soon after the last question')
  clock.advance(COOLDOWN_MS)
  assert.equal(await ask(token), 'in')
  assert.equal(id.asked.length, 4)
  const stranger = await issuer(t)
  await stranger.rotate('third')
  for (let i = 0; i < 5; i++) assert.equal(await ask(await stranger.token({ iss: id.url, jti: String(i) })), unknown)
  assert.equal(id.asked.length, 4)
})

test('an issuer that is down costs a retry and not the start; its keys stay good while it is down', async (t) => {
  const id = await issuer(t)
  id.answers = false
  const { decide, ask, clock, logs } = await start(t, { providers: [{ issuer_url: id.url, audience: 'telemetry' }] })
  const token = await id.token()
  const refused = (await decide(`Bearer ${token}`)) as AuthRefusal
  assert.equal(refused.code, GRPC.UNAVAILABLE)
  id.answers = true
  clock.advance(COOLDOWN_MS)
  assert.equal(await ask(token), 'in')
  id.answers = false
  clock.advance(3_000_000)
  assert.equal(await ask(await id.token({ jti: 'new' })), 'in')
  assert.ok(logs.some((line) => line.level === 'error' && /cannot be had/.test(line.message)))
  assert.ok(!JSON.stringify(logs).includes(token))
})

test('an issuer that calls itself otherwise is not believed', async (t) => {
  const id = await issuer(t)
  id.name = 'https://evil.example.com'
  const { decide } = await start(t, { providers: [{ issuer_url: id.url, audience: 'telemetry' }] })
  assert.equal(((await decide(`Bearer ${await id.token()}`)) as AuthRefusal).code, GRPC.UNAVAILABLE)
})

test('an issuer with a certificate of its own is asked with its authority alone', async (t) => {
  const id = await issuer(t, { tls: true })
  const provider = { issuer_url: id.url, audience: 'telemetry' }
  const trusting = await start(t, { providers: [{ ...provider, issuer_ca_path: certs.caFile }] })
  assert.equal(await trusting.ask(await id.token()), 'in')
  const doubting = await start(t, { providers: [provider] })
  assert.equal(((await doubting.decide(`Bearer ${await id.token()}`)) as AuthRefusal).code, GRPC.UNAVAILABLE)
})

test('keys of a file are used without asking anybody, and read again when they change', async (t) => {
  const id = await issuer(t)
  const at = mkdtempSync(join(tmpdir(), 'millrace-oidc-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const file = join(at, 'keys.json')
  writeFileSync(file, JSON.stringify({ keys: id.keys }), { mode: 0o600 })
  const { ask, clock, logs } = await start(t, {
    providers: [{ issuer_url: id.url, ignore_audience: true, public_keys_file: file }],
  })
  assert.equal(await ask(await id.token({ aud: undefined })), 'in')
  await id.rotate('second')
  writeFileSync(file, JSON.stringify({ keys: id.keys }))
  clock.advance(1_000)
  for (let i = 0; i < 500 && logs.length === 0; i++) await sleep(2)
  assert.equal(await ask(await id.token()), 'in')
  assert.deepEqual(id.asked, [])
})

test('tokens that are being checked are bounded', async (t) => {
  const id = await issuer(t)
  const { decide } = await start(t, { providers: [{ issuer_url: id.url, audience: 'telemetry' }] })
  const tokens = await Promise.all(Array.from({ length: MAX_CHECKING + 3 }, (_, i) => id.token({ jti: String(i) })))
  const decisions = tokens.map((token) => decide(`Bearer ${token}`))
  assert.equal(decisions.filter((one) => one instanceof AuthRefusal).length, 3)
  for (const one of decisions.slice(0, MAX_CHECKING)) assert.ok(!((await one) instanceof AuthRefusal))
})
