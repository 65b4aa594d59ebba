// Names with several addresses: who is connected to, in which order, and what happens when one goes away. The addresses are
// of the loopback network, all with the same port.

import assert from 'node:assert/strict'
import { createServer, type Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import { dnsServer } from '../../../test/support/dns-server.ts'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { call, clientTo, failure } from '../../../test/support/grpc-client.ts'
import { grpcPeer, type Peer } from '../../../test/support/grpc-peer.ts'
import { until } from '../../../test/support/until.ts'
import { alternate } from './client-resolver.ts'

const A = '127.0.0.1'
const B = '127.0.0.2'
const C = '127.0.0.3'
const NAME = 'backend.plant.example'

// Elsewhere 127.0.0.1 is the only loopback address.
const skip = process.platform !== 'linux' && 'the loopback network has one address here'

/** Peers on a port that is the same for all of them. */
async function peers(t: TestContext, first: string, ...others: string[]): Promise<[number, ...Peer[]]> {
  for (;;) {
    const one = await grpcPeer(t, { address: `${first}:0` })
    try {
      const rest = await Promise.all(others.map((host) => grpcPeer(t, { address: `${host}:${one.port}` })))
      return [one.port, one, ...rest]
    } catch (error) {
      if (!String(error).includes('EADDRINUSE')) throw error
    }
  }
}

/** A port of an address that nobody listens at, and that stays free meanwhile. */
async function closedPort(host: string): Promise<number> {
  const holder = createServer()
  await new Promise<void>((resolve) => holder.listen(0, host, resolve))
  const { port } = holder.address() as { port: number }
  await new Promise((resolve) => holder.close(resolve))
  return port
}

const many = (client: Parameters<typeof call>[0], count: number): Promise<unknown> =>
  Promise.all(Array.from({ length: count }, () => call(client)))

/** Makes calls until one is answered. */
const untilAnswered = (client: Parameters<typeof call>[0]): Promise<void> =>
  until(() =>
    call(client).then(
      () => true,
      () => false,
    ),
  )

test('round_robin: calls take turns over all addresses', { skip }, async (t) => {
  const [port, a, b, c] = await peers(t, A, B, C)
  const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A, B, C] })
  await untilAnswered(client)
  await until(async () => {
    await call(client)
    return [a, b, c].every((peer) => peer!.calls.length > 0)
  })
  const before = [a, b, c].map((peer) => peer!.calls.length)
  await many(client, 30)
  assert.deepEqual(
    [a, b, c].map((peer, i) => peer!.calls.length - before[i]!),
    [10, 10, 10],
  )
})

test('round_robin: an address that is lost is looked up again; calls go on at the others, and at new ones', {
  skip,
}, async (t) => {
  const clock = new FakeClock()
  const [port, a, b, c] = await peers(t, A, B, C)
  let lookups = 0
  let addresses = [A, B]
  const lookup = async (): Promise<string[]> => {
    lookups++
    return addresses
  }
  const client = clientTo(t, `${NAME}:${port}`, { lookup, clock })
  await until(async () => {
    await call(client)
    return a!.calls.length > 0 && b!.calls.length > 0
  })
  assert.equal(lookups, 1)
  addresses = [B, C]
  a!.server.forceShutdown()
  await until(() => clock.pending > 0)
  clock.advance(4_999)
  assert.equal(lookups, 1, 'at most every 5 s')
  clock.advance(1)
  assert.equal(lookups, 2)
  const before = b!.calls.length
  await until(async () => {
    await call(client)
    return c!.calls.length > 0
  })
  assert.ok(b!.calls.length > before)
})

test('pick_first: one connection, to the first address, as long as it lives; then to the next', { skip }, async (t) => {
  const clock = new FakeClock()
  const [port, a, b, c] = await peers(t, A, B, C)
  const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A, B, C], balancer: 'pick_first', clock })
  await many(client, 20)
  assert.deepEqual(
    [a, b, c].map((peer) => peer!.calls.length),
    [20, 0, 0],
  )
  a!.server.forceShutdown()
  await untilAnswered(client)
  await many(client, 20)
  assert.ok(b!.calls.length >= 21)
  assert.equal(c!.calls.length, 0)
  // It stays where it is when a better address comes back, and goes there when that one is lost.
  const again = await grpcPeer(t, { address: `${A}:${port}` })
  await many(client, 20)
  assert.equal(again.calls.length, 0)
  clock.advance(10_000)
  b!.server.forceShutdown()
  await untilAnswered(client)
  await many(client, 20)
  assert.ok(again.calls.length >= 21)
  assert.equal(c!.calls.length, 0)
})

test('pick_first: an address that refuses is passed over at once, and the next one serves', { skip }, async (t) => {
  const clock = new FakeClock()
  const [port, c] = await peers(t, C)
  const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A, B, C], balancer: 'pick_first', clock })
  await call(client)
  assert.equal(c!.calls.length, 1)
  assert.equal(client.ready, true)
})

test('pick_first: beside an address that is silent the next one is tried after 250 ms', { skip }, async (t) => {
  const clock = new FakeClock()
  const [port, b] = await peers(t, B)
  const silent = createServer()
  const sockets: Socket[] = []
  silent.on('connection', (socket) => sockets.push(socket.resume().on('error', () => {})))
  await new Promise<void>((resolve) => silent.listen(port, A, resolve))
  t.after(() => {
    silent.close()
    for (const socket of sockets) socket.destroy()
  })
  const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A, B], balancer: 'pick_first', clock })
  const pending = call(client)
  await until(() => sockets.length === 1)
  clock.advance(249)
  await sleep(20)
  assert.equal(client.ready, false)
  clock.advance(1)
  await pending
  assert.equal(b!.calls.length, 1)
  // The silent one is let go of.
  await until(() => sockets[0]!.destroyed || sockets[0]!.readableEnded)
})

test('pick_first: where nobody answers, calls fail at once, and the first to come back serves', { skip }, async (t) => {
  const clock = new FakeClock()
  const port = await closedPort(B)
  const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A, B], balancer: 'pick_first', clock })
  const error = await failure(call(client))
  assert.equal(error.code, status.UNAVAILABLE)
  assert.match(error.message, /ECONNREFUSED/)
  const b = await grpcPeer(t, { address: `${B}:${port}` })
  await until(async () => {
    clock.advance(1_000)
    return await call(client).then(
      () => true,
      () => false,
    )
  })
  assert.equal(b.calls.length, 1)
})

test('addresses of two families are tried in turn, beginning with the family of the first (RFC 8305 4)', () => {
  assert.deepEqual(alternate(['::1', '::2', '::3', '10.0.0.1']), ['::1', '10.0.0.1', '::2', '::3'])
  assert.deepEqual(alternate(['10.0.0.1', '::1', '10.0.0.2', '::2']), ['10.0.0.1', '::1', '10.0.0.2', '::2'])
  assert.deepEqual(alternate(['10.0.0.1', '10.0.0.2']), ['10.0.0.1', '10.0.0.2'])
})

test('a server that hangs up on every connection is tried after 1 s, 1.6 s, 2.56 s and so on, and no more often', async (t) => {
  for (const balancer of ['round_robin', 'pick_first'] as const) {
    const clock = new FakeClock()
    let connections = 0
    const rude = createServer((socket) => {
      connections++
      socket.on('error', () => {})
      socket.destroy()
    })
    await new Promise<void>((resolve) => rude.listen(0, '127.0.0.1', resolve))
    t.after(() => rude.close())
    const { port } = rude.address() as { port: number }
    const client = clientTo(t, `${NAME}:${port}`, { lookup: async () => [A], balancer, clock })
    assert.equal((await failure(call(client))).code, status.UNAVAILABLE)
    for (const [i, waitMs] of [1_000, 1_600, 2_560, 4_096].entries()) {
      clock.advance(waitMs - 1)
      await sleep(10)
      assert.equal(connections, i + 1, `${balancer}: ${waitMs - 1} ms`)
      clock.advance(1)
      await until(() => connections === i + 2)
      assert.equal((await failure(call(client))).code, status.UNAVAILABLE)
      await sleep(10)
    }
  }
})

test('dns://server/name asks that server, again when a connection is lost', { skip }, async (t) => {
  const clock = new FakeClock()
  const [port, a, b] = await peers(t, A, B)
  const dns = await dnsServer(t, [A])
  const client = clientTo(t, `dns://${dns.address}/${NAME}:${port}`, { clock })
  await call(client)
  assert.deepEqual([a!.calls.length, new Set(dns.asked)], [1, new Set([NAME])])
  dns.addresses = [B]
  clock.advance(5_000)
  a!.server.forceShutdown()
  await untilAnswered(client)
  assert.equal(b!.calls.length, 1)
  assert.equal(b!.calls[0]!.getHost(), `${NAME}:${port}`)
})

test('a name without addresses is UNAVAILABLE, is looked up again after 5 s, and found then', async (t) => {
  const clock = new FakeClock()
  const peer = await grpcPeer(t)
  let addresses: string[] = []
  const lookup = async (): Promise<string[]> => addresses
  const client = clientTo(t, `${NAME}:${peer.port}`, { lookup, clock })
  const error = await failure(call(client))
  assert.equal(error.code, status.UNAVAILABLE)
  assert.match(error.message, /backend\.plant\.example cannot be resolved: it has no addresses/)
  addresses = [A]
  clock.advance(5_000)
  await untilAnswered(client)
  assert.equal(peer.calls.length, 1)
})
