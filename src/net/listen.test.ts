import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type LogLine, memoryLogger } from '../../test/support/harness.ts'
import { listen, listenersOf, listenWarning, type Transport } from './listen.ts'

test('a listener that others can reach is told what it lacks, and nothing where it lacks nothing', () => {
  const said = (endpoint: string, secure: boolean, authenticated: boolean): string | undefined =>
    listenWarning({ endpoint, transport: 'tcp', secure, authenticated })
  const reached = 'listening on an address that other machines can reach, '
  for (const endpoint of ['0.0.0.0:4317', ':4317', '[::]:4317', '10.0.0.7:4317', 'gateway.plant:4317']) {
    assert.ok(
      said(endpoint, false, false)?.startsWith(`${reached}without TLS and without an authenticator: `),
      endpoint,
    )
    assert.ok(
      said(endpoint, false, true)?.startsWith(`${reached}without TLS, so that credentials can be read `),
      endpoint,
    )
    assert.ok(said(endpoint, true, false)?.startsWith(`${reached}without an authenticator: `), endpoint)
    assert.equal(said(endpoint, true, true), undefined, endpoint)
  }
  for (const endpoint of ['localhost:4317', '127.0.0.1:4317', '[::1]:4317'])
    assert.equal(said(endpoint, false, false), undefined, endpoint)
  assert.equal(listenWarning({ endpoint: '/run/millrace.sock', transport: 'unix', secure: false }), undefined)
})

test('a bound of a door is divided by the shards that listen on it: by all of them, or by none', () => {
  const listeners = (endpoint: string, sharePorts: boolean, transport: Transport = 'tcp'): number =>
    listenersOf({ endpoint, transport, sharing: { index: 1, count: 4, sharePorts, alone: false } })
  assert.equal(listeners('localhost:4317', true), 4)
  assert.equal(listeners('localhost:4317', false), 1)
  assert.equal(listeners('localhost:0', true), 1)
  assert.equal(listeners('/run/millrace.sock', true, 'unix'), 1)
  assert.equal(listenersOf({ endpoint: 'localhost:4317', transport: 'tcp' }), 1)
})

test('where one shard listens for all, though this system lets them share ports, the log says so', async (t) => {
  const said = async (endpoint: string, transport: Transport, index: number): Promise<string[]> => {
    const lines: LogLine[] = []
    const server = createServer()
    const sharing = { index, count: 2, sharePorts: true, alone: index === 0 }
    await listen(server, { endpoint, transport, secure: false, sharing }, memoryLogger(lines))
    if (server.listening) await new Promise((resolve) => server.close(resolve))
    return lines.map(({ message }) => message)
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-listen-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const words = ['Only shard 0 listens here, for all of them.']
  assert.deepEqual(await said(join(folder, 'sock'), 'unix', 0), words)
  assert.deepEqual(await said('127.0.0.1:0', 'tcp', 0), words)
  assert.deepEqual(await said('127.0.0.1:0', 'tcp', 1), [])
})
