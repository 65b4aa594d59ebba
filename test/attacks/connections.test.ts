// What strangers do with connections alone: many at once, many after each other, from one address.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Door, type DoorOptions, grpcDoor, httpDoor } from '../support/doors.ts'
import { closed, rawSocket } from '../support/http2-attacker.ts'
import { until } from '../support/until.ts'

const DOORS = {
  gRPC: (t: TestContext, options?: DoorOptions) => grpcDoor(t, options),
  'gRPC on node:http2': (t: TestContext, options?: DoorOptions) => grpcDoor(t, { ...options, engine: 'node:http2' }),
  HTTP: (t: TestContext, options?: DoorOptions) => httpDoor(t, false, options),
  'HTTP over TLS': (t: TestContext, options?: DoorOptions) => httpDoor(t, true, options),
} as const
/** So that nothing but their number ends them. */
const PATIENT = { firstByteMs: 60_000, headersMs: 60_000 }

/** Bare connections; resolves when each is open or refused, to those that are closed after a request of somebody else. */
async function connect(t: TestContext, door: Door, count: number): Promise<{ sockets: Socket[]; refused(): number }> {
  let refused = 0
  const sockets = Array.from({ length: count }, () => {
    const socket = rawSocket(t, { port: door.port, secure: false }).resume()
    void closed(socket).then(() => refused++)
    return socket
  })
  await Promise.all(sockets.map((socket) => Promise.race([once(socket, 'connect').catch(() => {}), closed(socket)])))
  return { sockets, refused: () => refused }
}

for (const [name, open] of Object.entries(DOORS)) {
  test(`${name}: one address has so many connections, and one more when one of them has gone`, async (t) => {
    const door = await open(t, { countLoopback: true, limits: { ...PATIENT, connectionsPerAddress: 10 } })
    const { sockets, refused } = await connect(t, door, 30)
    await until(() => refused() === 20)
    assert.deepEqual(door.refused, Array(20).fill('too_many_connections'))
    for (const socket of sockets) socket.destroy()
    await until(() => refused() === 30)
    await until(async () => await succeeds(() => door.bystander()))
    await door.assertNothingLeft()
  })

  test(`${name}: one address opens so many connections in a time, however short they are`, async (t) => {
    const limits = { ...PATIENT, newConnectionsBurst: 10, newConnectionsPerSecond: 0 }
    const door = await open(t, { countLoopback: true, limits })
    for (let i = 0; i < 30; i++) {
      const socket = rawSocket(t, { port: door.port, secure: false }).resume()
      await Promise.race([once(socket, 'connect').catch(() => {}), closed(socket)])
      socket.destroy()
    }
    await until(() => door.refused.length === 20)
    assert.deepEqual(new Set(door.refused), new Set(['connection_rate']))
    await door.assertNothingLeft()
  })

  test(`${name}: the whole door has so many connections, and counts what it turns away`, async (t) => {
    const door = await open(t, { limits: { ...PATIENT, maxConnections: 10 } })
    const { sockets, refused } = await connect(t, door, 30)
    await until(() => refused() === 20)
    assert.deepEqual(door.refused, Array(20).fill('too_many_connections'))
    for (const socket of sockets) socket.destroy()
    await until(async () => await succeeds(() => door.bystander()))
    await door.assertNothingLeft()
  })

  test(`${name}: loopback is not counted by address: a proxy on this machine is many clients`, async (t) => {
    const limits = { ...PATIENT, connectionsPerAddress: 1, newConnectionsBurst: 1, newConnectionsPerSecond: 0 }
    const door = await open(t, { limits })
    const { sockets, refused } = await connect(t, door, 20)
    await door.bystander()
    assert.equal(refused(), 0)
    for (const socket of sockets) socket.destroy()
    await door.assertNothingLeft()
  })
}

const succeeds = (call: () => Promise<void>): Promise<boolean> =>
  call().then(
    () => true,
    () => false,
  )
