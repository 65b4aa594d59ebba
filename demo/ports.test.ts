import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { describeTakenPorts } from './ports.ts'

test('a taken port is said in words, with what to type', async (t) => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const { port } = server.address() as { port: number }
  const wanted = { protocol: 'grpc', address: `127.0.0.1:${port}`, variable: 'MILLRACE_GRPC_ENDPOINT' } as const
  const text = (await describeTakenPorts([wanted])).join('\n')
  assert.match(text, new RegExp(`127\\.0\\.0\\.1:${port} \\(OTLP/gRPC\\) is taken`))
  assert.match(text, /MILLRACE_GRPC_ENDPOINT=127\.0\.0\.1:\d+ npm start/)
})

test('free ports need no words', async () => {
  assert.deepEqual(await describeTakenPorts([{ protocol: 'http', address: '127.0.0.1:0', variable: 'X' }]), [])
})
