import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { extensionHarness } from '../../../test/support/harness.ts'
import { type AuthDecision, type AuthExtension, AuthRefusal } from '../../net/auth/authenticator.ts'
import { GRPC } from '../../net/status.ts'
import { factory } from './factory.ts'
import { readHtpasswd } from './htpasswd.ts'
import { readBasic } from './server.ts'
import { verifySlow } from './slow-hash.ts'
import { MAX_WAITING } from './verifier.ts'

// As htpasswd -B, -m, -s, -p and openssl passwd -apr1 write them.
const LINES = `# who may send
press:$2b$04$DD2wH9rpu0hz.4K/z3c/uezn7MaR3D3fab60BZPoe.JoJWel31s3u
mill:$apr1$saltsalt$IH3US2W8qKS6bb/.6SAea1
saw:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=
lathe:in the clear: with a colon
`
const PASSWORDS = { press: 'pa55', mill: 'm1dnight', saw: 'password', lathe: 'in the clear: with a colon' }

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`

async function server(t: TestContext, htpasswd: object = { inline: LINES }) {
  const rig = await extensionHarness(t, factory, { htpasswd })
  const authenticator = (rig.extension as AuthExtension).serverAuthenticator!
  const ask = (header?: string): AuthDecision | Promise<AuthDecision> =>
    authenticator.authenticate((name) => (name === 'authorization' ? header : undefined))
  return { ...rig, ask }
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'millrace-basicauth-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const isIn = async (decision: AuthDecision | Promise<AuthDecision>): Promise<boolean> =>
  !((await decision) instanceof AuthRefusal)

test('every kind of hash that htpasswd writes lets the right password in, and no other', async (t) => {
  const { ask } = await server(t)
  for (const [name, password] of Object.entries(PASSWORDS)) {
    assert.ok(await isIn(ask(basic(name, password))), name)
    assert.ok(!(await isIn(ask(basic(name, `${password}x`)))), name)
    assert.ok(!(await isIn(ask(basic(name, '')))), name)
  }
  assert.ok(!(await isIn(ask(basic('nobody', 'pa55')))))
})

test('a caller that is let in is known by its name and by its credentials as they came', async (t) => {
  const { ask } = await server(t)
  const header = basic('lathe', PASSWORDS.lathe)
  const attributes = (await ask(header)) as ReadonlyMap<string, unknown>
  assert.deepEqual(
    [...attributes],
    [
      ['username', 'lathe'],
      ['raw', header.slice(6)],
    ],
  )
})

test('a missing, malformed or overlong header is refused at once', async (t) => {
  const { ask } = await server(t)
  const refused = (header?: string): string => (ask(header) as AuthRefusal).message
  assert.equal(refused(), 'no basic auth provided')
  for (const header of ['Basic', 'Basic ', 'Bearer abc', 'Basic !!!!', 'Basic YWI', 'Basic YWJj', 'Basic YTpi YTpi'])
    assert.equal(refused(header), 'invalid format of the authorization header', header)
  assert.equal(refused(`Basic ${'A'.repeat(20_000)}`), 'the authorization header is too long')
})

test('a slow hash is checked once: the same header is answered without a promise from then on', async (t) => {
  const { ask, clock } = await server(t)
  const right = basic('press', PASSWORDS.press)
  const wrong = basic('press', 'guess')
  const first = ask(right)
  assert.ok(first instanceof Promise)
  assert.equal(ask(right), first, 'a second question waits for the first answer')
  await first
  assert.ok(!(ask(right) instanceof Promise))
  await ask(wrong)
  assert.ok(ask(wrong) instanceof AuthRefusal)
  clock.advance(10_000)
  assert.ok(ask(wrong) instanceof Promise, 'a wrong one is checked again after a while')
  assert.ok(!(ask(right) instanceof Promise))
})

test('a stranger who guesses passwords fills a bounded queue, and costs those who are known nothing', async (t) => {
  const { ask } = await server(t)
  const right = basic('press', PASSWORDS.press)
  await ask(right)
  const guesses = Array.from({ length: MAX_WAITING + 10 }, (_, i) => ask(basic('press', `guess ${i}`)))
  const busy = guesses.filter((decision) => decision instanceof AuthRefusal)
  assert.equal(busy.length, 10)
  assert.equal((busy[0] as AuthRefusal).code, GRPC.UNAVAILABLE)
  assert.ok(!(ask(right) instanceof Promise))
  assert.ok(ask(basic('lathe', 'guess')) instanceof AuthRefusal, 'quick hashes need no queue')
  for (const decision of guesses) assert.ok(!(await isIn(decision)))
})

test('a name that nobody has takes as long to refuse as one that somebody has', async (t) => {
  const { ask } = await server(t)
  assert.ok(ask(basic('nobody', 'guess')) instanceof Promise)
})

test('the file is read again when it changes, and a bad one leaves the names it held before', async (t) => {
  const file = join(folder(t), 'htpasswd')
  writeFileSync(file, 'saw:first\nlathe:of the file\n', { mode: 0o600 })
  const { ask, clock, logs } = await server(t, { file, inline: 'lathe:inline' })
  assert.ok(await isIn(ask(basic('saw', 'first'))))
  assert.ok(await isIn(ask(basic('lathe', 'inline'))), 'inline goes before the file')
  assert.ok(!(await isIn(ask(basic('lathe', 'of the file')))))

  const change = async (text: string, line: string): Promise<void> => {
    writeFileSync(file, text)
    const before = logs.length
    clock.advance(1_000)
    for (let i = 0; i < 500 && logs.length === before; i++) await sleep(2)
    assert.match(logs.at(-1)!.message, new RegExp(line))
  }
  await change('saw:second, which is longer\n', 'was read again')
  assert.ok(!(await isIn(ask(basic('saw', 'first')))))
  assert.ok(await isIn(ask(basic('saw', 'second, which is longer'))))
  await change('no colon here\n', 'stays in use')
  assert.ok(await isIn(ask(basic('saw', 'second, which is longer'))))
  assert.ok(!JSON.stringify(logs).includes('no colon here'), 'what stands in the file is never logged')
})

test('a file that everybody can read is warned of once, with its mode and what to write', async (t) => {
  const file = join(folder(t), 'htpasswd')
  writeFileSync(file, 'saw:first\n', { mode: 0o644 })
  const { logs } = await server(t, { file })
  const warnings = logs.filter((line) => line.level === 'warn')
  assert.equal(warnings.length, 1)
  assert.deepEqual(warnings[0]!.fields, {
    ...warnings[0]!.fields,
    path: file,
    mode: '0644',
    fix: `chmod 600 ${file}`,
  })
})

test('a file that is missing or holds a bad line ends the start, by its line and not by its text', async (t) => {
  await assert.rejects(server(t, { file: '/nowhere/htpasswd' }), /\/nowhere\/htpasswd cannot be used: ENOENT/)
  const file = join(folder(t), 'htpasswd')
  writeFileSync(file, 'saw:first\nlathe:$6$salt$abc\n', { mode: 0o600 })
  await assert.rejects(server(t, { file }), (error: Error) => {
    assert.match(error.message, /line 2 has a hash of a kind that is not supported/)
    return !error.message.includes('$6$')
  })
})

test('lines that are no htpasswd lines are named', () => {
  for (const [text, words] of [
    ['abc', 'line 1 is not name:password'],
    [':abc', 'line 1 is not name:password'],
    ['a:', 'line 1 has no password'],
    ['# c\na:$2y$10$short', 'line 2 is no whole bcrypt hash'],
    ['a:$2y$99$DD2wH9rpu0hz.4K/z3c/uezn7MaR3D3fab60BZPoe.JoJWel31s3u', 'line 1 is no whole bcrypt hash'],
    ['a:$apr1$x', 'line 1 is no whole $apr1$ hash'],
    ['a:{SHA}abc', 'line 1 is no whole {SHA} hash'],
  ] as const)
    assert.throws(() => readHtpasswd(text), { message: words })
})

test('passwords outside ASCII are bytes in UTF-8 to every hash', () => {
  assert.ok(verifySlow('größe', '$apr1$saltsalt$WShH7aW5XN5o7xG7f.1Ka/'))
  assert.deepEqual(readBasic(basic('säge', 'größe')), {
    name: 'säge',
    password: 'größe',
    raw: basic('säge', 'größe').slice(6),
  })
})

test('a client sends name and password, and takes new ones from its files', async (t) => {
  const at = folder(t)
  const passwordFile = join(at, 'password')
  writeFileSync(passwordFile, 'first\n', { mode: 0o600 })
  const { extension, clock, logs } = await extensionHarness(t, factory, {
    client_auth: { username: 'gateway', password: 'unused', password_file: passwordFile },
  })
  const { clientAuthenticator, serverAuthenticator } = extension as AuthExtension
  assert.equal(serverAuthenticator, undefined)
  const sent = (): string | undefined => {
    const headers = new Map([['authorization', 'of the exporter']])
    assert.equal(clientAuthenticator!.authorize(headers, {}), undefined)
    return headers.get('authorization')
  }
  assert.equal(sent(), basic('gateway', 'first'))
  writeFileSync(passwordFile, 'the second\n')
  clock.advance(1_000)
  for (let i = 0; i < 500 && logs.length === 0; i++) await sleep(2)
  assert.equal(sent(), basic('gateway', 'the second'))
})
