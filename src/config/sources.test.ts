import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { MAX_SOURCE_LENGTH } from './parse.ts'
import { parseSourceUri, type Retriever, readOnce, retrieverOf, tryUri } from './sources.ts'

const URIS: readonly [text: string, scheme: string, opaque: string][] = [
  ['plant.yaml', 'file', 'plant.yaml'],
  ['/etc/plant.yaml', 'file', '/etc/plant.yaml'],
  ['./a:b.yaml', 'file', './a:b.yaml'],
  ['C:\\plant.yaml', 'file', 'C:\\plant.yaml'],
  ['file:plant.yaml', 'file', 'plant.yaml'],
  ['env:PLANT', 'env', 'PLANT'],
  ['yaml:processors::batch::timeout: 2s', 'yaml', 'processors::batch::timeout: 2s'],
  ['http://host/x', 'http', '//host/x'],
  ['a.b+c-d:x', 'a.b+c-d', 'x'],
]

for (const [text, scheme, opaque] of URIS) {
  test(`--config ${text} has the scheme ${scheme}`, () => assert.deepEqual(parseSourceUri(text), { scheme, opaque }))
}

test('a scheme has at least two characters and starts with a letter', () => {
  for (const text of ['a:b', '1a:b', ':b', 'ab']) assert.equal(tryUri(text), undefined)
})

const retrieve: Retriever = retrieverOf({ env: { SET: 'a: 1', EMPTY: '' } })

test('env: gives the value, its default where it is unset, and tells unset from empty', async () => {
  const get = (opaque: string) => retrieve({ scheme: 'env', opaque })
  assert.deepEqual(await get('SET'), { ok: true, name: 'env:SET', text: 'a: 1' })
  assert.deepEqual(await get('SET:-b'), { ok: true, name: 'env:SET', text: 'a: 1' })
  assert.deepEqual(await get('GONE:-b'), { ok: true, name: 'env:GONE', text: 'b' })
  assert.deepEqual(await get('GONE'), { ok: true, name: 'env:GONE', text: '', state: 'unset' })
  assert.deepEqual(await get('EMPTY:-b'), { ok: true, name: 'env:EMPTY', text: '', state: 'empty' })
  assert.equal((await get('A-B')).ok, false)
})

test('file: reads a file, and says why it cannot', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-sources-'))
  t.after(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'a.yaml'), 'a: 1\n')
  const get = (path: string) => retrieve({ scheme: 'file', opaque: join(folder, path) })
  assert.deepEqual(await get('a.yaml'), { ok: true, name: join(folder, 'a.yaml'), text: 'a: 1\n' })
  const [none, aFolder] = [await get('none'), await get('.')]
  assert.ok(!none.ok && none.what.includes('there is no such file'))
  assert.ok(!aFolder.ok && aFolder.what.includes('it is a folder'))
})

test('http: gives the body of a 200, and nothing else passes', async (t) => {
  const server = createServer((request, response) => {
    if (request.url === '/ok') response.end('a: 1\n')
    else if (request.url === '/large') response.end('x'.repeat(MAX_SOURCE_LENGTH + 1))
    else if (request.url === '/who') response.end(`who: ${request.headers.authorization}`)
    else if (request.url === '/moved') response.writeHead(302, { location: '/ok' }).end()
    else response.writeHead(404).end('no')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const get = (path: string) => retrieve({ scheme: 'http', opaque: `//127.0.0.1:${port}${path}` })
  const ok = await get('/ok')
  assert.ok(ok.ok && ok.text === 'a: 1\n')
  const moved = await get('/moved')
  assert.ok(moved.ok && moved.text === 'a: 1\n')
  const who = await retrieve({ scheme: 'http', opaque: `//user:s3cr3t@127.0.0.1:${port}/who` })
  assert.deepEqual(who, { ok: true, name: `http://127.0.0.1:${port}/who`, text: `who: Basic ${btoa('user:s3cr3t')}` })
  for (const [path, why] of [
    ['/none', /404, not 200/],
    ['/large', /more than 4194304 bytes/],
  ] as const) {
    const got = await get(path)
    assert.ok(!got.ok)
    assert.match(got.what, why)
  }
})

test('a URL that nobody answers is a problem, and its password stays out of it', async () => {
  const got = await retrieve({ scheme: 'http', opaque: '//user:s3cr3t@127.0.0.1:1/x' })
  assert.ok(!got.ok && got.code === 'CONFIG_SOURCE')
  assert.equal(got.what.includes('s3cr3t'), false)
})

test('each source is read once, whoever asks', async () => {
  let reads = 0
  const retrieve = readOnce(async ({ opaque }) => {
    reads++
    return { ok: true, name: opaque, text: `${reads}` }
  })
  const uri = { scheme: 'file', opaque: 'a' }
  assert.deepEqual(await retrieve(uri), await retrieve(uri))
  assert.equal(reads, 1)
})
