import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { describeTakenPorts, readAddress, type Wanted } from './ports.ts'

const wanted = (port: number): Wanted => ({
  use: 'OTLP/gRPC',
  host: '127.0.0.1',
  port,
  variable: 'MILLRACE_GRPC_ENDPOINT',
  value: (other) => `127.0.0.1:${other}`,
})

test('a taken port is said in words, with what to type', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const text = (await describeTakenPorts([wanted(port)])).join('\n')
  assert.match(text, new RegExp(`127\\.0\\.0\\.1:${port} \\(OTLP/gRPC\\) is taken`))
  assert.match(text, /MILLRACE_GRPC_ENDPOINT=127\.0\.0\.1:\d+ npm start/)
})

test('free ports need no words', async () => {
  assert.deepEqual(await describeTakenPorts([wanted(0)]), [])
})

test('addresses are read as the variables hold them', () => {
  assert.deepEqual(readAddress('localhost:4317'), { host: 'localhost', port: 4317 })
  assert.deepEqual(readAddress('[::1]:4317'), { host: '::1', port: 4317 })
  assert.deepEqual(readAddress(':4317'), { host: '', port: 4317 })
})
