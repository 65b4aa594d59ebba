// Certificates that are replaced under running doors and clients, over real connections.

import assert from 'node:assert/strict'
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectH2 } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import { ServerCredentials } from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { grpcPeer } from '../../../test/support/grpc-peer.ts'
import { exporterHarness, type Fate, type LogLine, receiverHarness } from '../../../test/support/harness.ts'
import { factory as otlpGrpc } from '../../exporters/otlp_grpc/factory.ts'
import { factory as otlpHttp } from '../../exporters/otlp_http/factory.ts'
import { factory as otlp } from '../../receivers/otlp/factory.ts'
import type { OtlpReceiver } from '../../receivers/otlp/otlp.ts'

const LOG = '{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"a"}}]}]}]}'

/** A folder with `cert.pem`, `key.pem` and `ca.pem`, which a test replaces. */
function files(t: TestContext) {
  const at = mkdtempSync(join(tmpdir(), 'millrace-tls-'))
  t.after(() => rmSync(at, { recursive: true, force: true }))
  const [cert, key, ca] = [join(at, 'cert.pem'), join(at, 'key.pem'), join(at, 'ca.pem')]
  const put = (pair: { certFile: string; keyFile: string }): void => {
    copyFileSync(pair.keyFile, key)
    copyFileSync(pair.certFile, cert)
  }
  return { cert, key, ca, put }
}

/** Waits for the line that the clock's tick sets off. */
async function said(logs: readonly LogLine[], pattern: RegExp, from: number): Promise<void> {
  for (let i = 0; i < 1000 && !logs.slice(from).some((line) => pattern.test(line.message)); i++) await sleep(2)
  assert.ok(
    logs.slice(from).some((line) => pattern.test(line.message)),
    JSON.stringify(logs.slice(from)),
  )
}

const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject.CN)

async function dial(t: TestContext, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connectTls({
    host: '127.0.0.1',
    port,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
    ...options,
  })
  t.after(() => socket.destroy())
  socket.on('error', () => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve)
    socket.once('error', reject)
  })
  return socket
}

/** One request on this connection: the status line. */
function ask(socket: TLSSocket): Promise<string> {
  socket.write(
    `POST /v1/logs HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${LOG.length}\r\n\r\n${LOG}`,
  )
  return new Promise((resolve, reject) => {
    socket.once('data', (chunk) => resolve(chunk.toString().split('\r\n')[0]!))
    socket.once('close', () => reject(new Error('closed')))
  })
}

test('a new certificate goes to new connections of both doors, and those that stand go on', async (t) => {
  const own = files(t)
  own.put(certs.server)
  const tls = { cert_file: own.cert, key_file: own.key, reload_interval: '30s' }
  const endpoint = '127.0.0.1:0'
  const { receiver, clock, logs } = await receiverHarness(t, otlp, {
    protocols: { grpc: { endpoint, tls }, http: { endpoint, tls } },
  })
  const { grpc, http } = (receiver as OtlpReceiver).listening
  const before = await dial(t, http!.port)
  const call = connectH2(`https://127.0.0.1:${grpc!.port}`, { rejectUnauthorized: false })
  t.after(() => call.destroy())
  await new Promise((resolve) => call.once('remoteSettings', resolve))
  const old = nameOf(before)
  assert.equal(await ask(before), 'HTTP/1.1 200 OK')

  own.put(certs.stranger)
  const mark = logs.length
  clock.advance(30_000)
  const taken = (): number => logs.slice(mark).filter((line) => /new connections use them/.test(line.message)).length
  for (let i = 0; i < 1000 && taken() < 2; i++) await sleep(2)
  assert.equal(taken(), 2, 'both doors have read it')
  assert.notEqual(nameOf(await dial(t, http!.port)), old)
  assert.notEqual(nameOf(await dial(t, grpc!.port, { ALPNProtocols: ['h2'] })), old)
  assert.equal(await ask(before), 'HTTP/1.1 200 OK', 'the old connection still works')
  assert.equal(nameOf(before), old)
  await new Promise<void>((resolve, reject) => call.ping((error) => (error === null ? resolve() : reject(error))))
})

test('a certificate whose key is not there yet, or no certificate at all, leaves the old one in use', async (t) => {
  const own = files(t)
  own.put(certs.server)
  const tls = { cert_file: own.cert, key_file: own.key, reload_interval: '30s' }
  const { receiver, clock, logs } = await receiverHarness(t, otlp, {
    protocols: { http: { endpoint: '127.0.0.1:0', tls } },
  })
  const { port } = (receiver as OtlpReceiver).listening.http!
  const old = nameOf(await dial(t, port))
  const change = async (write: () => void, pattern: RegExp): Promise<void> => {
    const mark = logs.length
    write()
    clock.advance(30_000)
    await said(logs, pattern, mark)
  }
  await change(() => copyFileSync(certs.stranger.certFile, own.cert), /cannot be used/)
  assert.equal(nameOf(await dial(t, port)), old)
  await change(() => writeFileSync(own.cert, 'garbage'), /cannot be used/)
  assert.equal(nameOf(await dial(t, port)), old)
  await change(() => rmSync(own.key), /cannot be used/)
  assert.equal(nameOf(await dial(t, port)), old)
  await change(() => own.put(certs.stranger), /new connections use them/)
  assert.notEqual(nameOf(await dial(t, port)), old)
  const mark = logs.length
  clock.advance(300_000)
  await sleep(20)
  assert.equal(logs.length, mark, 'files that stay as they are are not read again')
})

test('client_ca_file_reload: who is trusted from now on is asked of new connections alone', async (t) => {
  const own = files(t)
  writeFileSync(own.ca, certs.stranger.cert)
  const tls = {
    cert_file: certs.server.certFile,
    key_file: certs.server.keyFile,
    client_ca_file: own.ca,
    client_ca_file_reload: true,
  }
  const { receiver, clock, logs } = await receiverHarness(t, otlp, {
    protocols: { http: { endpoint: '127.0.0.1:0', tls } },
  })
  const { port } = (receiver as OtlpReceiver).listening.http!
  const asClient = { cert: certs.client.cert, key: certs.client.key }
  const isIn = async (): Promise<boolean> => {
    try {
      return (await ask(await dial(t, port, asClient))) === 'HTTP/1.1 200 OK'
    } catch {
      return false
    }
  }
  assert.equal(await isIn(), false)
  const trust = async (ca: string): Promise<void> => {
    writeFileSync(own.ca, ca)
    const mark = logs.length
    clock.advance(1_000)
    await said(logs, /new connections use them/, mark)
  }
  await trust(certs.ca)
  const standing = await dial(t, port, asClient)
  assert.equal(await ask(standing), 'HTTP/1.1 200 OK')
  await trust(certs.stranger.cert)
  assert.equal(await isIn(), false)
  assert.equal(await ask(standing), 'HTTP/1.1 200 OK')
})

const settled = async (fate: Fate): Promise<Fate> => {
  for (let i = 0; i < 2000 && !fate.delivered && fate.refused === undefined; i++) await sleep(2)
  return fate
}

test('an HTTP exporter shows its new certificate with its next request', async (t) => {
  const own = files(t)
  own.put(certs.stranger)
  const names: string[] = []
  const server = createHttpsServer(
    { cert: certs.server.cert, key: certs.server.key, requestCert: true, rejectUnauthorized: false },
    (request, response) => {
      names.push(nameOf(request.socket as TLSSocket))
      request.resume().on('end', () => response.end())
    },
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { push, clock, logs } = await exporterHarness(t, otlpHttp, {
    endpoint: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    tls: { ca_file: certs.caFile, cert_file: own.cert, key_file: own.key, reload_interval: '1m' },
    sending_queue: { enabled: false },
    retry_on_failure: { enabled: false },
  })
  assert.equal((await settled(push('logs', LOG))).delivered, true)
  own.put(certs.client)
  const mark = logs.length
  clock.advance(60_000)
  await said(logs, /new connections use them/, mark)
  assert.equal((await settled(push('logs', LOG))).delivered, true)
  assert.equal(new Set(names).size, 2)
})

test('a gRPC exporter keeps its connection, and takes the new certificate for the next one', async (t) => {
  const own = files(t)
  own.put(certs.client)
  const { ca } = certs
  const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
  const peer = await grpcPeer(t, { credentials: ServerCredentials.createSsl(Buffer.from(ca), [pair], true) })
  const { push, clock, logs } = await exporterHarness(t, otlpGrpc, {
    endpoint: `127.0.0.1:${peer.port}`,
    tls: { ca_file: certs.caFile, cert_file: own.cert, key_file: own.key, reload_interval: '1m' },
    sending_queue: { enabled: false },
    retry_on_failure: { enabled: false },
  })
  assert.equal((await settled(push('logs', LOG))).delivered, true)
  // The peer does not know the stranger: a connection that took it would be refused.
  own.put(certs.stranger)
  const mark = logs.length
  clock.advance(60_000)
  await said(logs, /new connections use them/, mark)
  assert.equal((await settled(push('logs', LOG))).delivered, true)
  assert.equal(new Set(peer.calls.map((call) => call.getPeer())).size, 1)
})
