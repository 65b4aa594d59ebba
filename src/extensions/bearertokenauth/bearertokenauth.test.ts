import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { extensionHarness } from '../../../test/support/harness.ts'
import { type AuthExtension, AuthRefusal } from '../../net/auth/authenticator.ts'
import { readTokens } from './bearertokenauth.ts'
import { factory } from './factory.ts'

async function start(t: TestContext, config: object) {
  const rig = await extensionHarness(t, factory, config)
  const { serverAuthenticator, clientAuthenticator } = rig.extension as AuthExtension
  const ask = (value: string | undefined, header = 'authorization'): string => {
    const decision = serverAuthenticator!.authenticate((name) => (name === header ? value : undefined))
    assert.ok(!(decision instanceof Promise))
    return decision instanceof AuthRefusal ? decision.message : 'in'
  }
  const sent = (): string[] => {
    const headers = new Map<string, string>()
    clientAuthenticator!.authorize(headers, {})
    return [...headers].flat()
  }
  return { ...rig, ask, sent }
}

test('the token lets in, and anything else does not', async (t) => {
  const { ask } = await start(t, { token: 'open sesame' })
  assert.equal(ask('Bearer open sesame'), 'in')
  for (const value of ['Bearer open sesam', 'Bearer open sesame ', 'bearer open sesame', 'open sesame', 'Bearer', ' '])
    assert.equal(ask(value), 'scheme or token does not match', value)
  assert.equal(ask(undefined), 'missing or empty authorization header')
  assert.equal(ask(''), 'missing or empty authorization header')
  assert.equal(ask(`Bearer ${'x'.repeat(20_000)}`), 'the authorization header is too long')
})

test('each of several tokens lets in; a client sends the first', async (t) => {
  const { ask, sent } = await start(t, { tokens: ['a', 'b', 'c'], scheme: '', header: 'X-Api-Key' })
  for (const token of ['a', 'b', 'c']) assert.equal(ask(token, 'x-api-key'), 'in')
  assert.notEqual(ask('d', 'x-api-key'), 'in')
  assert.deepEqual(sent(), ['x-api-key', 'a'])
})

test('a file goes before tokens, is read again when it changes, and a bad one changes nothing', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'millrace-bearer-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const filename = join(at, 'tokens')
  writeFileSync(filename, 'old\n\n', { mode: 0o600 })
  const { ask, sent, clock, logs } = await start(t, { filename, token: 'unused' })
  assert.deepEqual(
    logs.map((line) => line.message),
    ['filename is given, so that token and tokens are not used'],
  )
  assert.equal(ask('Bearer old'), 'in')
  assert.notEqual(ask('Bearer unused'), 'in')
  assert.notEqual(ask('Bearer '), 'in', 'a blank line is no token')

  const change = async (text: string, level: string): Promise<void> => {
    writeFileSync(filename, text)
    const before = logs.length
    clock.advance(1_000)
    for (let i = 0; i < 500 && logs.length === before; i++) await sleep(2)
    assert.equal(logs.at(-1)!.level, level)
  }
  await change('new one\nold\n', 'info')
  assert.equal(ask('Bearer new one'), 'in')
  assert.equal(ask('Bearer old'), 'in')
  assert.deepEqual(sent(), ['authorization', 'Bearer new one'])
  await change('\n', 'error')
  assert.equal(ask('Bearer new one'), 'in')
  assert.ok(!JSON.stringify(logs).includes('new one'), 'a token is never logged')
})

test('a file without a token, or with one that no header can carry, is refused without quoting it', () => {
  assert.throws(() => readTokens('\n \n'), { message: 'there is no token in it' })
  assert.throws(() => readTokens('good\nsäge'), { message: 'token 2 cannot stand in a header' })
})
