// Bodies that are small as they arrive and large when unpacked: one costs its own limit, many at once wait in line, and
// others are served in between.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { compress } from '../../src/net/compression.ts'
import { type Door, grpcDoor, httpDoor } from '../support/doors.ts'
import {
  attacker,
  closed,
  dataFrame,
  FLAG,
  type Http2Attacker,
  headerBlock,
  headersFrame,
  rawSocket,
} from '../support/http2-attacker.ts'
import { until } from '../support/until.ts'

const MiB = 1024 * 1024
const ZEROS = new Uint8Array(64 * MiB)
const BOMBS = {
  gzip: gzipSync(ZEROS),
  'gzip in many members': Buffer.concat(Array(64).fill(gzipSync(ZEROS.subarray(0, MiB)))),
  'gzip that says it is small': lying(gzipSync(ZEROS)),
  zstd: zstdCompressSync(ZEROS),
} as const
const encodingOf = (name: string): string => name.split(' ', 1)[0]!

/** RFC 1952: the last four bytes are the size. */
function lying(packed: Buffer): Buffer {
  const out = Buffer.from(packed)
  out.writeUInt32LE(100, out.length - 4)
  return out
}

/** A gRPC message that is packed. */
function packed(bytes: Uint8Array): Buffer {
  const head = Buffer.alloc(5)
  head[0] = 1
  head.writeUInt32BE(bytes.length, 1)
  return Buffer.concat([head, bytes])
}

async function send(attack: Http2Attacker, door: Door, encoding: string, body: Uint8Array): Promise<number> {
  const stream = attack.nextStream()
  const name = 'te' in door.headers ? 'grpc-encoding' : 'content-encoding'
  const frames = [headersFrame(stream, headerBlock({ ...door.headers, [name]: encoding }))]
  for (let at = 0; at < body.length; at += 16_384)
    frames.push(dataFrame(stream, body.subarray(at, at + 16_384), at + 16_384 >= body.length ? FLAG.END_STREAM : 0))
  await attack.send(...frames)
  return stream
}

for (const [name, bomb] of Object.entries(BOMBS)) {
  test(`gRPC: ${name}: a bomb is refused at the size of a message, its connection stays`, async (t) => {
    const door = await grpcDoor(t)
    const attack = await attacker(t, door)
    const stream = await send(attack, door, encodingOf(name), packed(bomb))
    await until(() => attack.ended.has(stream))
    assert.deepEqual(door.refused, ['too_large'])
    assert.equal(door.handled(), 0)
    await door.bystander()
    attack.socket.destroy()
    await door.assertNothingLeft()
  })

  for (const secure of [false, true]) {
    test(`HTTP/1${secure ? ' over TLS' : ''}: ${name}: a bomb is refused at the size of a body`, async (t) => {
      const door = await httpDoor(t, secure)
      const socket = rawSocket(t, door, 'http/1.1')
      let said = ''
      socket.setEncoding('latin1').on('data', (text: string) => {
        said += text
      })
      socket.write(`POST / HTTP/1.1\r\nhost: x\r\ncontent-encoding: ${encodingOf(name)}\r\n`)
      socket.write(`content-length: ${bomb.length}\r\n\r\n`)
      socket.write(bomb)
      await until(() => said !== '')
      assert.match(said, /^HTTP\/1\.1 400 /)
      assert.deepEqual(door.refused, ['too_large'])
      await door.bystander()
      socket.destroy()
      await closed(socket)
      await door.assertNothingLeft()
    })
  }
}

for (const [name, open] of [
  ['gRPC', grpcDoor],
  [
    'HTTP over TLS',
    (t: Parameters<typeof httpDoor>[0]) => httpDoor(t, true, { limits: { streamsPerConnection: 100 } }),
  ],
] as const) {
  test(`${name}: many bombs at once wait in a bounded line, and a packed request of somebody else overtakes them`, async (t) => {
    const door = await open(t, { limits: { streamsPerConnection: 100 } })
    const bomb = zstdCompressSync(ZEROS)
    const attack = await attacker(t, door)
    const other = await attacker(t, door)
    const framed = (bytes: Uint8Array): Uint8Array => (name === 'gRPC' ? packed(bytes) : bytes)
    const bombs: number[] = []
    let mostWaiting = 0
    const watch = setInterval(() => {
      mostWaiting = Math.max(mostWaiting, door.unpacking.waiting)
    }, 1)
    t.after(() => clearInterval(watch))
    for (let i = 0; i < 60; i++) bombs.push(await send(attack, door, 'zstd', framed(bomb)))
    const good = await send(other, door, 'zstd', framed(compress('zstd', [new Uint8Array(1000)])))
    await until(() => other.ended.has(good))
    await door.bystander()
    await until(() => bombs.every((stream) => attack.ended.has(stream)))
    assert.equal(door.handled(), 2)
    assert.ok(mostWaiting <= door.limits.unpackingWaiting, `${mostWaiting}`)
    assert.deepEqual(
      [...new Set(door.refused)].filter((reason) => reason !== 'overload'),
      ['too_large'],
    )
    assert.equal(door.refused.length, bombs.length)
    for (const { socket } of [attack, other]) socket.destroy()
    await door.assertNothingLeft()
  })
}
