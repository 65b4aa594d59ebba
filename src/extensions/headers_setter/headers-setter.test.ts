import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { extensionHarness, rig } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import type { AuthExtension, ClientAuthenticator } from '../../net/auth/authenticator.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { factory } from './factory.ts'

async function start(t: TestContext, headers: object[]) {
  const { extension } = await extensionHarness(t, factory, { headers })
  const client = (extension as AuthExtension).clientAuthenticator!
  return (given: Record<string, string> = {}, info: ClientInfo = {}): Record<string, string> => {
    const all = new Map(Object.entries(given))
    assert.equal(client.authorize(all, info), undefined, 'nothing to wait for')
    return Object.fromEntries(all)
  }
}

test('insert, update, upsert and delete act on the headers that are there', async (t) => {
  const set = await start(t, [
    { action: 'insert', key: 'X-A', value: 'new' },
    { action: 'update', key: 'X-B', value: 'new' },
    { key: 'X-C', value: 'new' },
    { action: 'delete', key: 'X-D' },
  ])
  assert.deepEqual(set(), { 'x-a': 'new', 'x-c': 'new' })
  const old = { 'x-a': 'old', 'x-b': 'old', 'x-c': 'old', 'x-d': 'old', 'x-e': 'old' }
  assert.deepEqual(set(old), { 'x-a': 'old', 'x-b': 'new', 'x-c': 'new', 'x-e': 'old' })
})

test('values come from the client, from what its authenticator found, or else from the default', async (t) => {
  const set = await start(t, [
    { key: 'tenant', from_context: 'X-Tenant', default_value: 'nobody' },
    { key: 'user', from_attribute: 'username' },
    { key: 'groups', from_attribute: 'membership' },
  ])
  assert.deepEqual(set(), { tenant: 'nobody' })
  const info = {
    metadata: new Map([['x-tenant', ['line 3']]]),
    auth: new Map<string, unknown>([
      ['username', 'press'],
      ['membership', ['a', 'b']],
    ]),
  }
  assert.deepEqual(set({}, info), { tenant: 'line 3', user: 'press', groups: '["a","b"]' })
})

test('two values, and a value that no header can carry, are refused for good', async (t) => {
  const set = await start(t, [{ key: 'tenant', from_context: 'x-tenant' }])
  const refused = { code: 'AUTH_BAD_HEADER', retry: 'never' }
  assert.throws(() => set({}, { metadata: new Map([['x-tenant', ['a', 'b']]]) }), refused)
  assert.throws(() => set({}, { metadata: new Map([['x-tenant', ['a\r\nx: y']]]) }), refused)
  assert.throws(() => set({}, { metadata: new Map([['x-tenant', ['säge']]]) }), refused)
})

test('a value of a file is what stands in it', async (t) => {
  const at = mkdtempSync(join(tmpdir(), 'millrace-headers-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  writeFileSync(join(at, 'key'), 'abc\n', { mode: 0o600 })
  const set = await start(t, [{ key: 'X-Key', value_file: join(at, 'key') }])
  assert.deepEqual(set(), { 'x-key': 'abc' })
})

test('additional_auth comes first, and what it has to wait for is waited for', async () => {
  for (const slow of [false, true]) {
    const other: ClientAuthenticator = {
      authorize(headers) {
        headers.set('authorization', 'Bearer x')
        headers.set('x-a', 'other')
        return slow ? Promise.resolve() : undefined
      },
      rejected: () => true,
    }
    const base = rig({ extensions: { other: { clientAuthenticator: other } as object } })
    const config = parseConfig(factory.config, { additional_auth: 'other', headers: [{ key: 'x-a', value: 'ours' }] })
    const shard = { startedAtMs: 0, pipelines: [], extensions: [], status: () => [] }
    const setter = factory.create(config, { ...base.context('extension', 'headers_setter'), shard })
    await setter.start?.()
    const client = (setter as AuthExtension).clientAuthenticator!
    const headers = new Map<string, string>()
    await client.authorize(headers, {})
    assert.deepEqual(
      [...headers],
      [
        ['authorization', 'Bearer x'],
        ['x-a', 'ours'],
      ],
    )
    assert.equal(client.rejected!(headers), true)
  }
})
