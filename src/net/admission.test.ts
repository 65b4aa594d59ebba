import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Admission, clientOf } from './admission.ts'
import { type Limits, limitsWith } from './limits.ts'

function admission(limits: Partial<Limits>, countLoopback = false) {
  const refused: string[] = []
  const settings = { limits: limitsWith(limits), countLoopback, onRefused: (reason: string) => refused.push(reason) }
  return { of: new Admission(settings), refused }
}

test('an address has so many connections at once; others are not touched', () => {
  const { of, refused } = admission({ connectionsPerAddress: 2 })
  assert.deepEqual(
    [1, 2, 3].map(() => of.enter('10.0.0.1', 0)),
    [true, true, false],
  )
  assert.equal(of.enter('10.0.0.2', 0), true)
  of.leave('10.0.0.1', 0)
  assert.equal(of.enter('10.0.0.1', 0), true)
  assert.deepEqual(refused, ['too_many_connections'])
})

test('an address opens so many connections at once, then so many a second, also when none stays', () => {
  const { of, refused } = admission({ newConnectionsBurst: 3, newConnectionsPerSecond: 2 })
  const visit = (now: number): boolean => {
    const entered = of.enter('10.0.0.1', now)
    if (entered) of.leave('10.0.0.1', now)
    return entered
  }
  assert.deepEqual([0, 0, 0, 0].map(visit), [true, true, true, false])
  assert.deepEqual([500, 500, 1000].map(visit), [true, false, true])
  assert.deepEqual([60_000, 60_000, 60_000, 60_000].map(visit), [true, true, true, false])
  assert.deepEqual(new Set(refused), new Set(['connection_rate']))
})

test('the memory of addresses is bounded, and who is connected is never forgotten', () => {
  const { of } = admission({ rememberedAddresses: 100, newConnectionsBurst: 1, newConnectionsPerSecond: 0.001 })
  assert.equal(of.enter('10.9.9.9', 0), true)
  for (let i = 0; i < 10_000; i++) {
    const address = `10.0.${i >>> 8}.${i & 255}`
    assert.equal(of.enter(address, 0), true)
    of.leave(address, 0)
  }
  assert.equal(of.size, 101)
  assert.equal(of.enter('10.9.9.9', 0), false)
})

test('an address whose rate is whole again is not remembered', () => {
  const { of } = admission({ newConnectionsBurst: 10, newConnectionsPerSecond: 10 })
  of.enter('10.0.0.1', 0)
  of.leave('10.0.0.1', 1000)
  assert.equal(of.size, 0)
})

test('Unix sockets and loopback are not counted', () => {
  const { of, refused } = admission({ connectionsPerAddress: 1 })
  for (const address of [undefined, '127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
    assert.deepEqual(
      [1, 2, 3].map(() => of.enter(address, 0)),
      [true, true, true],
      String(address),
    )
  assert.deepEqual([of.size, refused], [0, []])
})

test('an IPv6 client is its /64, an IPv4 client in IPv6 is its IPv4 address', () => {
  assert.equal(clientOf('2001:db8:1:2:3:4:5:6'), '2001:db8:1:2::/64')
  assert.equal(clientOf('2001:db8:1:2::9'), '2001:db8:1:2::/64')
  assert.equal(clientOf('2001:db8::9'), '2001:db8:0:0::/64')
  assert.equal(clientOf('fe80::1%eth0'), 'fe80:0:0:0::/64')
  assert.equal(clientOf('::ffff:10.0.0.1'), '10.0.0.1')
  assert.equal(clientOf('10.0.0.1'), '10.0.0.1')
})
