// What strangers do to an HTTP/1 door: slow, endless, many, unread. Each ends its own connection.

import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Door, type DoorOptions, httpDoor } from '../support/doors.ts'
import { closed, rawSocket } from '../support/http2-attacker.ts'
import { until } from '../support/until.ts'

const DOORS = { HTTP: false, 'HTTP/1 over TLS': true } as const
const POST = 'POST / HTTP/1.1\r\nhost: x\r\n'

interface Attack {
  readonly socket: Socket
  said: string
  closed: boolean
  readonly whenClosed: Promise<unknown>
}

async function open(t: TestContext, secure: boolean, options?: DoorOptions): Promise<{ door: Door; attack: Attack }> {
  const door = await httpDoor(t, secure, options)
  return { door, attack: await connection(t, door) }
}

async function connection(t: TestContext, door: Door): Promise<Attack> {
  const socket = rawSocket(t, door, 'http/1.1')
  await once(socket, door.secure ? 'secureConnect' : 'connect')
  const whenClosed = closed(socket).then(() => {
    attack.closed = true
  })
  const attack: Attack = { socket, said: '', closed: false, whenClosed }
  socket.setEncoding('latin1').on('data', (text: string) => {
    attack.said += text
  })
  return attack
}

/** Writes until the door ends the connection; others are served in between. Resolves to the pieces that were sent. */
async function flood(attack: Attack, door: Door, piece: string | ((n: number) => string), most = 100_000) {
  let sent = 0
  for (; sent < most && !attack.closed; sent++) {
    const text = typeof piece === 'string' ? piece : piece(sent)
    if (!attack.socket.write(text)) await Promise.race([drained(attack.socket), attack.whenClosed])
    if (sent % 256 === 3) await door.bystander()
    else if (sent % 16 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  await door.bystander()
  assert.ok(attack.closed, `${sent} pieces, and it is still open`)
  return sent
}

const drained = (socket: Socket): Promise<void> => new Promise((resolve) => socket.once('drain', () => resolve()))

for (const [name, secure] of Object.entries(DOORS)) {
  const of = (what: string): string => `${name}: ${what}`

  test(of('a header that never ends is cut at the size of headers'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(`${POST}x-endless: `)
    await flood(attack, door, 'x'.repeat(1000))
    assert.deepEqual(door.refused, ['headers_too_large'])
    await door.assertNothingLeft()
  })

  test(of('headers without end are cut at the size of headers'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(POST)
    await flood(attack, door, (n) => `x-${n}: y\r\n`.repeat(20))
    assert.deepEqual(door.refused, ['headers_too_large'])
    await door.assertNothingLeft()
  })

  test(of('more header fields than allowed are refused, not forgotten'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(`${POST}${'x: y\r\n'.repeat(door.limits.headersPerRequest)}content-length: 0\r\n\r\n`)
    await attack.whenClosed
    assert.match(attack.said, /^HTTP\/1\.1 431 /)
    assert.deepEqual(door.refused, ['headers_too_large'])
    assert.equal(door.handled(), 0)
    await door.assertNothingLeft()
  })

  test(of('headers that drip are answered with 408 after their time'), async (t) => {
    const { door, attack } = await open(t, secure)
    const drip = setInterval(() => attack.socket.write('x'), 20)
    t.after(() => clearInterval(drip))
    attack.socket.write(`${POST}x-slow: `)
    await attack.whenClosed
    assert.match(attack.said, /^HTTP\/1\.1 408 /)
    assert.deepEqual(door.refused, ['timeout'])
    await door.bystander()
    await door.assertNothingLeft()
  })

  test(of('a body that drips ends after the time of a request, one that stands still after its silence'), async (t) => {
    const { door, attack } = await open(t, secure)
    const still = await connection(t, door)
    const drip = setInterval(() => attack.socket.write('x'), 50)
    t.after(() => clearInterval(drip))
    attack.socket.write(`${POST}content-length: 100000\r\n\r\n`)
    still.socket.write(`${POST}content-length: 100000\r\n\r\nxx`)
    await until(() => still.said !== '')
    assert.equal(attack.said, '')
    await until(() => attack.said !== '')
    assert.match(still.said, /^HTTP\/1\.1 400 /)
    // Node's own check of the same time answers 408, where it comes first.
    assert.match(attack.said, /^HTTP\/1\.1 40[08] /)
    clearInterval(drip)
    assert.deepEqual([...new Set(door.refused)], ['timeout'])
    for (const { socket } of [attack, still]) socket.destroy()
    await door.assertNothingLeft()
  })

  test(of('a body in chunks of one byte ends its connection'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(`${POST}transfer-encoding: chunked\r\n\r\n`)
    await flood(attack, door, '1\r\nx\r\n'.repeat(10))
    assert.deepEqual(door.refused, ['flood'])
    await door.assertNothingLeft()
  })

  test(of('chunk extensions without end are cut'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(`${POST}transfer-encoding: chunked\r\n\r\n1;`)
    await flood(attack, door, 'x'.repeat(1000))
    assert.deepEqual(door.refused, ['malformed'])
    await door.assertNothingLeft()
  })

  test(of('trailers without end are cut'), async (t) => {
    const { door, attack } = await open(t, secure)
    attack.socket.write(`${POST}transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n`)
    await flood(attack, door, (n) => `x-${n}: ${'y'.repeat(100)}\r\n`.repeat(10))
    assert.deepEqual(door.refused, ['headers_too_large'])
    await door.assertNothingLeft()
  })

  test(of('requests piled up on one connection end it'), async (t) => {
    const { door, attack } = await open(t, secure, { hold: true })
    attack.socket.write(`${POST}content-length: 0\r\n\r\n`.repeat(100))
    await attack.whenClosed
    assert.equal(door.handled(), door.limits.streamsPerConnection)
    assert.deepEqual(door.refused, ['flood'])
    await until(() => door.budget.used === 0)
    await door.assertNothingLeft()
  })

  test(of('a client that sends requests and never reads an answer is cut off'), async (t) => {
    const { door, attack } = await open(t, secure, { limits: { streamsPerConnection: 1_000_000 }, answerBytes: 16_384 })
    attack.socket.pause()
    const request = `${POST}content-length: 0\r\n\r\n`.repeat(10)
    const send = (): void => {
      if (!attack.closed) attack.socket.write(request, () => setImmediate(send))
    }
    send()
    await attack.whenClosed
    await door.bystander()
    // Its requests may come to count too much first. Over TLS node:http ends a client whose parser it has paused.
    const ends = secure ? ['malformed', 'timeout'] : ['timeout']
    const reason = door.refused.find((word) => word !== 'overload') ?? 'none'
    assert.ok(ends.includes(reason), reason)
    await door.assertNothingLeft()
  })

  test(of('bytes that are no HTTP are answered once and cut off'), async (t) => {
    const { door, attack } = await open(t, secure)
    await flood(attack, door, '\0'.repeat(1000))
    assert.deepEqual(door.refused, ['malformed'])
    await door.assertNothingLeft()
  })

  test(of('an idle connection, and one that never says anything, are closed after their times'), async (t) => {
    const { door, attack } = await open(t, secure, { limits: { idleMs: 100 } })
    const silent = await connection(t, door)
    attack.socket.write(`${POST}content-length: 0\r\n\r\n`)
    await Promise.all([attack.whenClosed, silent.whenClosed])
    assert.match(attack.said, /^HTTP\/1\.1 200 /)
    await door.assertNothingLeft()
  })
}
