// What strangers do to an HTTP/2 door with frames: each attack ends its own connection after a bounded number of frames,
// others are answered in the meantime, and nothing is left behind. The door is a black box: any engine has to pass.

import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { payloadFrame, SETTING, settingsFrame } from '../../src/net/http2/frame.ts'
import { type DoorOptions, grpcDoor, httpDoor } from '../support/doors.ts'
import {
  attacker,
  closed,
  continuationFrame,
  dataFrame,
  emptySettings,
  FLAG,
  type Http2Attacker,
  headerBlock,
  headersFrame,
  hpackInteger,
  literal,
  pingFrame,
  priorityFrame,
  rawSocket,
  repeat,
  resetFrame,
  windowFrame,
} from '../support/http2-attacker.ts'
import { until } from '../support/until.ts'

const DOORS = {
  gRPC: (t: TestContext, options?: DoorOptions) => grpcDoor(t, options),
  'gRPC over TLS': (t: TestContext, options?: DoorOptions) => grpcDoor(t, { ...options, secure: true }),
  'gRPC on node:http2': (t: TestContext, options?: DoorOptions) => grpcDoor(t, { ...options, engine: 'node:http2' }),
  'HTTP over TLS': (t: TestContext, options?: DoorOptions) => httpDoor(t, true, options),
} as const

/** Many frames in one write, so that an attack is over soon. */
const AT_ONCE = 500

interface Flood {
  readonly what: string
  /** One write. */
  round(attack: Http2Attacker, block: Buffer): Uint8Array
  /** Sent once, ahead. */
  before?(attack: Http2Attacker, block: Buffer): Uint8Array
  /** As it is counted; without it the engine's own bound may have spoken under another word. */
  readonly reason?: string
}

const many = (round: () => Uint8Array, times = AT_ONCE): Buffer => Buffer.concat(Array.from({ length: times }, round))

const FLOODS: readonly Flood[] = [
  {
    what: 'rapid reset (CVE-2023-44487)',
    round: (attack, block) =>
      many(() => {
        const stream = attack.nextStream()
        return Buffer.concat([headersFrame(stream, block), resetFrame(stream)])
      }, 20),
  },
  {
    what: 'resets that the door is made to send (CVE-2025-8671)',
    round: (attack, block) =>
      many(() => {
        const stream = attack.nextStream()
        return Buffer.concat([headersFrame(stream, block), windowFrame(stream, 0)])
      }, 20),
  },
  {
    what: 'requests that are malformed',
    round: (attack, block) =>
      many(() => headersFrame(attack.nextStream(), Buffer.concat([block, literal('connection', 'close')])), 50),
  },
  { what: 'SETTINGS', round: () => repeat(emptySettings(), AT_ONCE), reason: 'flood' },
  { what: 'PING', round: () => repeat(pingFrame(), AT_ONCE) },
  { what: 'PING answers that nobody asked for', round: () => repeat(pingFrame(FLAG.ACK), AT_ONCE) },
  {
    what: 'empty CONTINUATION',
    before: (attack, block) => headersFrame(attack.nextStream(), block, 0),
    round: () => repeat(continuationFrame(1, Buffer.alloc(0)), AT_ONCE),
  },
  {
    what: 'CONTINUATION with headers',
    before: (attack, block) => headersFrame(attack.nextStream(), block, 0),
    round: () => repeat(continuationFrame(1, literal('x-more', 'x'.repeat(100))), AT_ONCE),
  },
  {
    what: 'empty DATA',
    before: (attack, block) => headersFrame(attack.nextStream(), block),
    round: () => repeat(dataFrame(1, Buffer.alloc(0)), AT_ONCE),
  },
  {
    what: 'DATA of one byte',
    before: (attack, block) =>
      Buffer.concat([headersFrame(attack.nextStream(), block), dataFrame(1, Buffer.from([0, 0, 1, 0, 0]))]),
    round: () => repeat(dataFrame(1, Buffer.from('x')), AT_ONCE),
    reason: 'flood',
  },
  {
    what: 'DATA that is padding alone',
    before: (attack, block) => headersFrame(attack.nextStream(), block),
    round: () => repeat(dataFrame(1, Buffer.from([255, ...Array(255).fill(0)]), 0x8), 50),
  },
  { what: 'WINDOW_UPDATE', round: () => repeat(windowFrame(0, 1), AT_ONCE) },
  { what: 'PRIORITY', round: () => repeat(priorityFrame(1), AT_ONCE) },
  { what: 'frames of an unknown type', round: () => repeat(payloadFrame(0xfa, 0, 0, Buffer.alloc(8)), AT_ONCE) },
  {
    what: 'header lists that are too large',
    round: (attack, block) => {
      const large = Buffer.concat([block, literal('x-large', 'x'.repeat(16_000))])
      const first = attack.nextStream()
      const rest = literal('x-more', 'y'.repeat(16_000))
      return Buffer.concat([
        headersFrame(first, large.subarray(0, 16_000), 0),
        continuationFrame(first, Buffer.concat([large.subarray(16_000), rest]).subarray(0, 16_384)),
        continuationFrame(first, Buffer.concat([large.subarray(16_000), rest]).subarray(16_384)),
        ...Array.from({ length: 3 }, () => continuationFrame(first, rest)),
        continuationFrame(first, rest, FLAG.END_HEADERS),
      ])
    },
  },
  {
    what: 'too many header fields',
    round: (attack, block) =>
      many(() => headersFrame(attack.nextStream(), Buffer.concat([block, repeat(literal('x', 'y'), 1000)])), 5),
  },
  {
    what: 'an HPACK bomb',
    round: (attack, block) => {
      // One entry of nearly the whole table, named again and again: 4 kB for each byte.
      const entry = literal('x-bomb', 'x'.repeat(4000), 0x40)
      return many(
        () => headersFrame(attack.nextStream(), Buffer.concat([block, entry, Buffer.alloc(10_000, 0x80 | 62)])),
        5,
      )
    },
  },
  {
    what: 'an HPACK table of 2 GiB',
    round: (attack, block) =>
      headersFrame(attack.nextStream(), Buffer.concat([Buffer.from(hpackInteger(0x20, 5, 2 ** 31)), block])),
  },
  {
    what: 'streams beyond the announced number',
    round: (attack, block) => many(() => headersFrame(attack.nextStream(), block), 50),
  },
  {
    what: 'RST_STREAM for streams that never were',
    round: () => repeat(resetFrame(2001), AT_ONCE),
  },
  { what: 'a frame larger than allowed', round: () => Buffer.from([0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 1]) },
  { what: 'bytes that are no HTTP/2', round: () => Buffer.alloc(4096, 0xaa) },
]

/** Far more than the bounds allow: whoever gets here was not stopped. */
const MOST_ROUNDS = 20_000

for (const [name, open] of Object.entries(DOORS)) {
  for (const flood of FLOODS) {
    test(`${name}: a flood of ${flood.what} ends its connection, and only that`, async (t) => {
      const door = await open(t)
      const attack = await attacker(t, door)
      await door.bystander()
      const before = door.handled()
      const block = headerBlock(door.headers)
      if (flood.before !== undefined) await attack.send(flood.before(attack, block))
      let answered = 0
      const rounds = await attack.flood(
        () => flood.round(attack, block),
        MOST_ROUNDS,
        async () => {
          await door.bystander()
          answered++
        },
      )
      await attack.whenClosed
      assert.ok(rounds < MOST_ROUNDS, `${rounds} rounds`)
      await door.bystander()
      const reached = door.handled() - before - answered - 1
      assert.equal(reached, 0, 'requests of the attack reached the handler')
      assert.notEqual(door.refused.length, 0)
      if (flood.reason !== undefined) assert.deepEqual([...new Set(door.refused)], [flood.reason])
      await door.assertNothingLeft()
    })
  }
}

for (const [name, open] of Object.entries(DOORS)) {
  test(`${name}: whole requests that are reset while the pipeline holds them are bounded, and end their connection`, async (t) => {
    const door = await open(t, { hold: true })
    const attack = await attacker(t, door)
    const block = headerBlock(door.headers)
    const whole = door.body(new Uint8Array(10))
    const rounds = await attack.flood(
      () => {
        const stream = attack.nextStream()
        return Buffer.concat([headersFrame(stream, block), dataFrame(stream, whole, FLAG.END_STREAM)])
      },
      door.limits.streamsPerConnection,
      async () => {},
    )
    assert.equal(rounds, door.limits.streamsPerConnection)
    await until(() => door.handled() === rounds)
    for (let stream = 1; stream < 2 * rounds; stream += 2) await attack.send(resetFrame(stream))
    await attack.flood(
      (n) => {
        const stream = attack.nextStream()
        const request = Buffer.concat([headersFrame(stream, block), dataFrame(stream, whole, FLAG.END_STREAM)])
        return n % 2 === 0 ? request : Buffer.concat([request, resetFrame(stream), resetFrame(stream - 2)])
      },
      MOST_ROUNDS,
      () => new Promise((resolve) => setImmediate(resolve)),
    )
    await attack.whenClosed
    const { resetsBurst, streamsPerConnection } = door.limits
    // nghttp2's own bound is twice ours, and what has arrived in one read is read.
    assert.ok(door.handled() <= 3 * resetsBurst + 2 * streamsPerConnection, `${door.handled()} requests`)
  })

  test(`${name}: headers that never end are given up after their time, also where they drip`, async (t) => {
    const door = await open(t)
    const attack = await attacker(t, door)
    const block = headerBlock(door.headers)
    // A frame whose payload comes byte by byte, and one continued in small frames: the next byte is due at any time.
    const dripping = headersFrame(attack.nextStream(), Buffer.concat([block, literal('x', 'y'.repeat(10_000))]))
    await attack.send(dripping.subarray(0, 1000))
    let at = 1000
    const drip = setInterval(() => void attack.send(dripping.subarray(at, (at += 5))), 5)
    t.after(() => clearInterval(drip))
    await attack.whenClosed
    await door.bystander()
    assert.ok(at < dripping.length)
    assert.deepEqual(door.refused, ['timeout'])
    await door.assertNothingLeft()
  })

  test(`${name}: a connection that says nothing, half a preface or half a handshake is closed after its time`, async (t) => {
    const door = await open(t)
    const said = ['', 'P', 'PRI * HTTP/2.0\r\n\r\nSM\r\n']
    const silent = said.map((text) => {
      const socket = rawSocket(t, { port: door.port, secure: false })
      socket.resume().write(text)
      return closed(socket)
    })
    if (door.secure) silent.push(closed(rawSocket(t, door).resume()))
    await door.bystander()
    await Promise.all(silent)
    await door.bystander()
    await door.assertNothingLeft()
  })

  test(`${name}: bodies that drip or stand still end with their request, the connection stays good`, async (t) => {
    const door = await open(t)
    const attack = await attacker(t, door)
    const block = headerBlock(door.headers)
    const [still, drips] = [attack.nextStream(), attack.nextStream()]
    const body = door.body(new Uint8Array(1000))
    await attack.send(headersFrame(still, block), dataFrame(still, body.subarray(0, 100)), headersFrame(drips, block))
    let at = 0
    const drip = setInterval(() => void attack.send(dataFrame(drips, body.subarray(at, ++at))), 100)
    t.after(() => clearInterval(drip))
    await until(() => attack.ended.has(still) || attack.resets.has(still))
    await until(() => attack.ended.has(drips) || attack.resets.has(drips))
    clearInterval(drip)
    assert.deepEqual(door.refused, ['timeout', 'timeout'])
    await until(() => door.budget.used === 0)
    const good = attack.nextStream()
    await attack.send(headersFrame(good, block), dataFrame(good, body, FLAG.END_STREAM))
    await until(() => attack.ended.has(good))
    attack.socket.destroy()
    await door.assertNothingLeft()
  })

  test(`${name}: a client that opens no window for its answers loses their streams, and no more`, async (t) => {
    // After twice this time the connection ends as well: a busy machine may not lose that much between two looks.
    const door = await open(t, { limits: { bodySilenceMs: 1_500 } })
    const noWindow = settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 0]])
    const attack = await attacker(t, door, noWindow)
    const block = headerBlock(door.headers)
    const whole = door.body(new Uint8Array(10))
    const streams = Array.from({ length: 10 }, () => attack.nextStream())
    for (const stream of streams)
      await attack.send(headersFrame(stream, block), dataFrame(stream, whole, FLAG.END_STREAM))
    await until(() => door.handled() === streams.length)
    await door.bystander()
    // An empty gRPC answer still holds five bytes of DATA.
    await until(() => streams.every((stream) => attack.resets.has(stream)))
    assert.equal(attack.closed, false)
    assert.equal(door.budget.used, 0)
    attack.socket.destroy()
    await door.assertNothingLeft()
  })

  test(`${name}: a client that never reads its socket is cut off, whatever it sends`, async (t) => {
    const door = await open(t, { answerBytes: 16_384 })
    const attack = await attacker(t, door, settingsFrame([[SETTING.INITIAL_WINDOW_SIZE, 2 ** 31 - 1]]))
    await attack.send(windowFrame(0, 2 ** 31 - 1 - 65_535))
    attack.socket.pause()
    const block = headerBlock(door.headers)
    const whole = door.body(new Uint8Array(10))
    let sent = 0
    const send = (): void => {
      if (attack.closed || sent > 2_000_000) return
      const frames: Uint8Array[] = []
      for (let i = 0; i < 10; i++) {
        const stream = attack.nextStream()
        frames.push(headersFrame(stream, block), dataFrame(stream, whole, FLAG.END_STREAM))
      }
      sent += 10
      attack.socket.write(Buffer.concat(frames), () => setImmediate(send))
    }
    send()
    await attack.whenClosed
    await door.bystander()
    await door.assertNothingLeft()
  })

  test(`${name}: settings of the largest values cost nothing and the client is served`, async (t) => {
    const door = await open(t)
    const large = settingsFrame([
      [SETTING.HEADER_TABLE_SIZE, 2 ** 32 - 1],
      [SETTING.MAX_CONCURRENT_STREAMS, 2 ** 32 - 1],
      [SETTING.INITIAL_WINDOW_SIZE, 2 ** 31 - 1],
      [SETTING.MAX_FRAME_SIZE, 2 ** 24 - 1],
      [SETTING.MAX_HEADER_LIST_SIZE, 2 ** 32 - 1],
    ])
    const attack = await attacker(t, door, large)
    const stream = attack.nextStream()
    const whole = door.body(new Uint8Array(10))
    await attack.send(headersFrame(stream, headerBlock(door.headers)), dataFrame(stream, whole, FLAG.END_STREAM))
    await until(() => attack.ended.has(stream))
    attack.socket.destroy()
    await door.assertNothingLeft()
  })
}
