// What every gRPC client of ours does, on both engines. The servers are @grpc/grpc-js and, for what it never does, raw frames.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Metadata, ServerCredentials, status } from '@grpc/grpc-js'
import { certs } from '../../../test/support/certs.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { call, clientTo as engineTo, failure, pattern } from '../../../test/support/grpc-client.ts'
import { EXPORT, grpcPeer } from '../../../test/support/grpc-peer.ts'
import { answerOk, headers, rawServer } from '../../../test/support/raw-grpc-server.ts'
import { FLAG, FRAME, H2_ERROR, numberFrame, payloadFrame } from '../http2/frame.ts'
import { GRPC_CLIENT_ENGINES } from './client.ts'
import type { GrpcClientOptions } from './client-engine.ts'

for (const engine of GRPC_CLIENT_ENGINES) {
  const clientTo = (t: TestContext, endpoint: string, options?: Partial<GrpcClientOptions>) =>
    engineTo(t, endpoint, options, engine)

  test(`${engine}: a message of several parts arrives as one, whatever its size`, async (t) => {
    const peer = await grpcPeer(t)
    const client = clientTo(t, `127.0.0.1:${peer.port}`)
    for (const size of [0, 1, 5, 8_000, 9_000, 16_384, 70_000, 3_000_000]) {
      const whole = pattern(size)
      const cuts = [0, Math.floor(size / 3), Math.floor(size / 3), size]
      const parts = cuts.slice(1).map((to, i) => whole.subarray(cuts[i], to))
      await client.call(EXPORT.logs, parts, size)
      assert.ok(peer.calls.at(-1)!.request.equals(whole), `${size} bytes`)
    }
  })

  test(`${engine}: the server sees path, authority, user agent, deadline and our headers on every call`, async (t) => {
    const peer = await grpcPeer(t)
    const client = clientTo(t, `127.0.0.1:${peer.port}`, {
      headers: [
        ['X-Tenant', 'line-3'],
        ['x-long', 'v'.repeat(5000)],
      ],
    })
    for (let i = 0; i < 3; i++) {
      await call(client)
      const { metadata } = peer.calls[i]!
      assert.deepEqual(metadata.get('x-tenant'), ['line-3'])
      assert.deepEqual(metadata.get('x-long'), ['v'.repeat(5000)])
      assert.ok(String(metadata.get('user-agent')).startsWith('Millrace/0 (linux/amd64)'))
      assert.equal(peer.calls[i]!.getPath(), EXPORT.traces)
      assert.equal(peer.calls[i]!.getHost(), `127.0.0.1:${peer.port}`)
      const left = Number(peer.calls[i]!.getDeadline()) - Date.now()
      assert.ok(left > 1000 && left <= 5000, `deadline in ${left} ms`)
    }
  })

  test(`${engine}: headers that together exceed a frame still arrive`, async (t) => {
    const peer = await grpcPeer(t, { server: { 'grpc.max_metadata_size': 100_000 } })
    const client = clientTo(t, `127.0.0.1:${peer.port}`, { headers: [['x-long', 'v'.repeat(40_000)]] })
    await call(client)
    assert.equal(peer.calls[0]!.metadata.get('x-long')[0]!.length, 40_000)
  })

  test(`${engine}: many calls at the same time share a connection, and each gets its own answer`, async (t) => {
    const peer = await grpcPeer(t, {
      handler: (one, answer) => setImmediate(() => answer(null, Buffer.from(one.request))),
    })
    const client = clientTo(t, `127.0.0.1:${peer.port}`, { timeoutMs: 60_000 })
    const bodies = Array.from({ length: 300 }, (_, i) => pattern(1 + ((i * 997) % 60_000)))
    const answers = await Promise.all(bodies.map((body) => call(client, body)))
    for (const [i, answer] of answers.entries()) assert.ok(bodies[i]!.equals(answer))
    assert.equal(new Set(peer.calls.map((one) => one.getPeer())).size, 1)
  })

  test(`${engine}: no more streams are opened than the server allows`, async (t) => {
    let open = 0
    let most = 0
    const peer = await grpcPeer(t, {
      server: { 'grpc.max_concurrent_streams': 3 },
      handler: (_, answer) => {
        most = Math.max(most, ++open)
        setTimeout(() => {
          open--
          answer(null, Buffer.alloc(0))
        }, 2)
      },
    })
    const client = clientTo(t, `127.0.0.1:${peer.port}`)
    await Promise.all(Array.from({ length: 30 }, () => call(client)))
    assert.equal(most, 3)
  })

  test(`${engine}: gzip: requests are packed and packed answers understood`, async (t) => {
    const body = Buffer.from('span '.repeat(5000))
    const peer = await grpcPeer(t, {
      server: { 'grpc.default_compression_algorithm': 2 },
      handler: (one, answer) => answer(null, Buffer.from(one.request)),
    })
    const client = clientTo(t, `127.0.0.1:${peer.port}`, { compression: 'gzip' })
    assert.ok(body.equals(await call(client, body)))
    assert.ok(peer.calls[0]!.request.equals(body))
  })

  test(`${engine}: an error carries code, message and details`, async (t) => {
    const metadata = new Metadata()
    metadata.set('grpc-status-details-bin', Buffer.from([1, 2, 3, 250]))
    const peer = await grpcPeer(t, {
      handler: (_, answer) => answer({ code: status.RESOURCE_EXHAUSTED, details: 'zu viel für 100 % ✓', metadata }),
    })
    const error = await failure(call(clientTo(t, `127.0.0.1:${peer.port}`)))
    assert.equal(error.code, status.RESOURCE_EXHAUSTED)
    assert.equal(error.message, 'zu viel für 100 % ✓')
    assert.deepEqual([...error.details!], [1, 2, 3, 250])
  })

  test(`${engine}: an unknown method is UNIMPLEMENTED`, async (t) => {
    const peer = await grpcPeer(t)
    const error = await failure(clientTo(t, `127.0.0.1:${peer.port}`).call('/a.B/C', [Buffer.from('x')], 1))
    assert.equal(error.code, status.UNIMPLEMENTED)
  })

  test(`${engine}: TLS checks the server against the authority, and mTLS shows our certificate`, async (t) => {
    const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
    const plain = await grpcPeer(t, { credentials: ServerCredentials.createSsl(null, [pair]) })
    await call(clientTo(t, `localhost:${plain.port}`, { tls: { ca: certs.ca } }), pattern(100_000))
    assert.match((await failure(call(clientTo(t, `localhost:${plain.port}`, { tls: {} })))).message, /certificate/)
    const mutual = await grpcPeer(t, { credentials: ServerCredentials.createSsl(Buffer.from(certs.ca), [pair], true) })
    await call(
      clientTo(t, `127.0.0.1:${mutual.port}`, {
        tls: { ca: certs.ca, cert: certs.client.cert, key: certs.client.key },
      }),
    )
    const bare = await failure(call(clientTo(t, `127.0.0.1:${mutual.port}`, { tls: { ca: certs.ca } })))
    assert.equal(bare.code, status.UNAVAILABLE)
    const { cert, key } = certs.stranger
    assert.equal(
      (await failure(call(clientTo(t, `127.0.0.1:${mutual.port}`, { tls: { ca: certs.ca, cert, key } })))).code,
      status.UNAVAILABLE,
    )
  })

  test(`${engine}: server_name_override is what the certificate must name`, async (t) => {
    const pair = { private_key: Buffer.from(certs.server.key), cert_chain: Buffer.from(certs.server.cert) }
    const peer = await grpcPeer(t, { credentials: ServerCredentials.createSsl(null, [pair]) })
    const good = clientTo(t, `127.0.0.1:${peer.port}`, { tls: { ca: certs.ca, servername: 'millrace.test' } })
    await call(good)
    assert.equal(peer.calls[0]!.getHost(), 'millrace.test')
    const bad = clientTo(t, `127.0.0.1:${peer.port}`, { tls: { ca: certs.ca, servername: 'other.test' } })
    assert.match((await failure(call(bad))).message, /other\.test/)
  })

  test(`${engine}: nobody listening is UNAVAILABLE at once, and a later server is found`, async (t) => {
    const clock = new FakeClock()
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    await new Promise((resolve) => holder.close(resolve))
    const client = clientTo(t, `127.0.0.1:${port}`, { clock })
    const error = await failure(call(client))
    assert.equal(error.code, status.UNAVAILABLE)
    assert.match(error.message, /ECONNREFUSED/)
    const again = performance.now()
    assert.equal((await failure(call(client))).code, status.UNAVAILABLE)
    assert.ok(performance.now() - again < 100)
    const peer = await grpcPeer(t, { address: `127.0.0.1:${port}` })
    assert.equal(peer.port, port)
    clock.advance(1200)
    for (
      let i = 0;
      i < 300 &&
      (await call(client).then(
        () => false,
        () => true,
      ));
      i++
    )
      await sleep(10)
    await call(client)
  })

  test(`${engine}: wait_for_ready lets a call wait for its server`, async (t) => {
    const clock = new FakeClock()
    const holder = createServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => holder.once('listening', resolve))
    const { port } = holder.address() as { port: number }
    await new Promise((resolve) => holder.close(resolve))
    const client = clientTo(t, `127.0.0.1:${port}`, { clock, waitForReady: true })
    const given = new AbortController()
    const pending = call(client)
    const givenUp = call(client, Buffer.from('x'), given.signal)
    given.abort(new Error('deadline'))
    assert.equal((await failure(givenUp)).code, status.CANCELLED)
    await sleep(20)
    await grpcPeer(t, { address: `127.0.0.1:${port}` })
    clock.advance(2000)
    await pending
  })

  test(`${engine}: a name with several addresses is connected to on all that answer`, async (t) => {
    const peer = await grpcPeer(t)
    const client = clientTo(t, `dns:///localhost:${peer.port}`)
    await Promise.all(Array.from({ length: 10 }, () => call(client)))
    assert.equal(peer.calls.length, 10)
    const error = await failure(call(clientTo(t, 'no-such-host.invalid:4317')))
    assert.equal(error.code, status.UNAVAILABLE)
  })

  test(`${engine}: a unix socket is connected to`, { skip: process.platform === 'win32' }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-grpc-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const path = join(folder, 'otlp.sock')
    const peer = await grpcPeer(t, { address: `unix:${path}` })
    await call(clientTo(t, `unix://${path}`), pattern(50_000))
    assert.equal(peer.calls[0]!.request.length, 50_000)
    assert.equal(peer.calls[0]!.getHost(), 'localhost')
  })

  test(`${engine}: an abort ends the call here and at the server`, async (t) => {
    let cancelled: (() => void) | undefined
    const seen = new Promise<void>((resolve) => {
      cancelled = resolve
    })
    const peer = await grpcPeer(t, { handler: (one) => one.on('cancelled', () => cancelled?.()) })
    const client = clientTo(t, `127.0.0.1:${peer.port}`)
    const controller = new AbortController()
    const pending = call(client, pattern(1000), controller.signal)
    while (peer.calls.length === 0) await sleep(2)
    const reason = new Error('too late')
    controller.abort(reason)
    const error = await failure(pending)
    assert.equal(error.code, status.CANCELLED)
    assert.equal(error.cause, reason)
    await seen
    assert.equal((await failure(call(client, pattern(10), controller.signal))).code, status.CANCELLED)
    peer.handle((_, answer) => answer(null, Buffer.alloc(0)))
    await call(client)
  })

  test(`${engine}: a graceful shutdown of the server fails no call: what runs ends, what is new goes to the next server`, async (t) => {
    const first = await grpcPeer(t, { handler: (_, answer) => setTimeout(() => answer(null, Buffer.alloc(0)), 30) })
    const { port } = first
    const client = clientTo(t, `127.0.0.1:${port}`, { waitForReady: true })
    const running = Array.from({ length: 20 }, () => call(client))
    while (first.calls.length < 20) await sleep(2)
    const closed = new Promise((resolve) => first.server.tryShutdown(resolve))
    await Promise.all(running)
    await closed
    const second = await grpcPeer(t, { address: `127.0.0.1:${port}` })
    await call(client)
    assert.equal(second.calls.length, 1)
  })

  test(`${engine}: a connection that breaks fails its calls as UNAVAILABLE and is made again`, async (t) => {
    const peer = await grpcPeer(t, { handler: () => {} })
    const client = clientTo(t, `127.0.0.1:${peer.port}`)
    const running = Array.from({ length: 5 }, () => failure(call(client)))
    while (peer.calls.length < 5) await sleep(2)
    peer.server.forceShutdown()
    for (const error of await Promise.all(running))
      assert.ok(error.code === status.UNAVAILABLE || error.code === status.CANCELLED, `${error.code} ${error.message}`)
  })

  test(`${engine}: pick_first makes one connection`, async (t) => {
    const peer = await grpcPeer(t)
    const client = clientTo(t, `dns:///localhost:${peer.port}`, { balancer: 'pick_first' })
    await Promise.all(Array.from({ length: 10 }, () => call(client)))
    assert.equal(new Set(peer.calls.map((one) => one.getPeer())).size, 1)
  })

  test(`${engine}: streams that a GOAWAY leaves unprocessed are sent again on a new connection`, async (t) => {
    const raw = await rawServer(t, (socket, stream, encoder, count) => {
      if (raw.sockets.length > 1) answerOk(socket, stream, encoder)
      else if (count === 3) {
        // Last processed: stream 1. It is answered, 3 and 5 are not.
        socket.write(payloadFrame(FRAME.GOAWAY, 0, 0, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])))
        answerOk(socket, 1, encoder)
      }
    })
    const client = clientTo(t, raw.endpoint)
    await Promise.all([call(client), call(client), call(client)])
    assert.equal(raw.sockets.length, 2)
  })

  test(`${engine}: a stream that is refused is sent again`, async (t) => {
    const raw = await rawServer(t, (socket, stream, encoder, count) => {
      if (count < 2) socket.write(numberFrame(FRAME.RST_STREAM, stream, H2_ERROR.REFUSED_STREAM))
      else answerOk(socket, stream, encoder)
    })
    await call(clientTo(t, raw.endpoint))
  })

  test(`${engine}: a reset stream fails with the code that gRPC gives it`, async (t) => {
    for (const [h2, code] of [
      [2, status.INTERNAL],
      [8, status.CANCELLED],
      [11, status.RESOURCE_EXHAUSTED],
      [12, status.PERMISSION_DENIED],
    ] as const) {
      const raw = await rawServer(t, (socket, stream) => socket.write(numberFrame(FRAME.RST_STREAM, stream, h2)))
      assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, code)
    }
  })

  test(`${engine}: an answer that is no gRPC takes its code from the HTTP status`, async (t) => {
    for (const [http, code] of [
      ['404', status.UNIMPLEMENTED],
      ['503', status.UNAVAILABLE],
      ['401', status.UNAUTHENTICATED],
      ['500', status.UNKNOWN],
    ] as const) {
      const raw = await rawServer(t, (socket, stream, encoder) => {
        socket.write(
          headers(
            encoder,
            stream,
            [
              [':status', http],
              ['content-type', 'text/html'],
            ],
            0,
          ),
        )
        socket.write(payloadFrame(FRAME.DATA, FLAG.END_STREAM, stream, Buffer.from('<html>')))
      })
      assert.equal((await failure(call(clientTo(t, raw.endpoint)))).code, code)
    }
  })
}
