import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { type FrameHandler, FrameReader, ProtocolError, type PublishFrame, type Version } from './frames.ts'

const text = (bytes: Uint8Array, from: number, to: number): string => Buffer.from(bytes.slice(from, to)).toString()

class Seen implements FrameHandler {
  readonly lines: string[] = []

  publish(frame: PublishFrame): void {
    const { qos, id, dup, retain, topicBytes, topicFrom, topicTo, bytes, payloadFrom, payloadTo } = frame
    const properties = [frame.contentType(), frame.userProperty('traceparent')].filter((p) => p !== undefined)
    const flags = `${dup ? 'd' : ''}${retain ? 'r' : ''}`
    const topic = text(topicBytes, topicFrom, topicTo)
    this.lines.push(`${topic} ${qos}/${id}${flags} ${text(bytes, payloadFrom, payloadTo)} ${properties.join()}`)
  }

  oversized({ topicBytes, topicFrom, topicTo, id }: PublishFrame, bytes: number): void {
    this.lines.push(`oversized ${text(topicBytes, topicFrom, topicTo)} ${id} ${bytes}`)
  }

  acknowledged(): void {}

  pubrel(id: number): void {
    this.lines.push(`pubrel ${id}`)
  }

  packet({ cmd }: Packet): void {
    this.lines.push(cmd)
  }
}

const publish = (topic: string, payload: string, more: object = {}): Packet =>
  ({ cmd: 'publish', topic, payload, qos: 0, dup: false, retain: false, ...more }) as Packet

const bytesOf = (version: Version, ...packets: Packet[]): Buffer =>
  Buffer.concat(packets.map((packet) => generate(packet, { protocolVersion: version }) as Buffer))

function read(version: Version, bytes: Uint8Array, cuts: readonly number[] = [], maxBytes = 1000): string[] {
  const seen = new Seen()
  const reader = new FrameReader(seen, version, maxBytes, 10)
  const at = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length]
  for (let i = 1; i < at.length; i++) if (at[i]! > at[i - 1]!) reader.push(bytes.slice(at[i - 1]!, at[i]!))
  return seen.lines
}

const STREAM = {
  4: bytesOf(
    4,
    { cmd: 'connack', returnCode: 0, sessionPresent: false },
    publish('plant/a', 'x'.repeat(200)),
    publish('plant/b', '2', { qos: 1, messageId: 7, dup: true }),
    { cmd: 'pubrel', messageId: 513 },
    publish('plant/large', 'y'.repeat(5000), { qos: 1, messageId: 8 }),
    { cmd: 'pingresp' },
    publish('plant/c', '', { qos: 2, messageId: 9, retain: true }),
  ),
  5: bytesOf(
    5,
    { cmd: 'connack', reasonCode: 0, sessionPresent: true, properties: { serverKeepAlive: 30 } },
    publish('plant/a', '1', { properties: { topicAlias: 3, contentType: 'text/plain' } }),
    publish('', '2', { properties: { topicAlias: 3 } }),
    publish('plant/large', 'y'.repeat(5000), { qos: 2, messageId: 8 }),
    publish('plant/b', '3', {
      qos: 1,
      messageId: 300,
      properties: {
        subscriptionIdentifier: 200,
        messageExpiryInterval: 5,
        payloadFormatIndicator: true,
        responseTopic: 'r',
        correlationData: Buffer.from('c'),
        userProperties: { other: 'o', traceparent: '00-1' },
      },
    }),
    { cmd: 'suback', messageId: 1, granted: [1] },
    { cmd: 'disconnect', reasonCode: 0x8e },
  ),
} as const

const LINES = {
  4: [
    'connack',
    `plant/a 0/0 ${'x'.repeat(200)} `,
    'plant/b 1/7d 2 ',
    'pubrel 513',
    'oversized plant/large 8 5015',
    'pingresp',
    'plant/c 2/9r  ',
  ],
  5: [
    'connack',
    'plant/a 0/0 1 text/plain',
    'plant/a 0/0 2 ',
    'oversized plant/large 8 5016',
    'plant/b 1/300 3 00-1',
    'suback',
    'disconnect',
  ],
} as const

for (const version of [4, 5] as const) {
  test(`MQTT ${version === 4 ? '3.1.1' : '5'}: wherever a stream is cut, the same packets come out`, () => {
    const stream = STREAM[version]
    assert.deepEqual(read(version, stream), LINES[version])
    for (let cut = 1; cut < stream.length; cut++)
      assert.deepEqual(read(version, stream, [cut]), LINES[version], `${cut}`)
    assert.deepEqual(
      read(
        version,
        stream,
        Array.from({ length: stream.length }, (_, i) => i),
      ),
      LINES[version],
    )
    fc.assert(
      fc.property(fc.array(fc.nat(stream.length - 1), { maxLength: 20 }), (cuts) => {
        assert.deepEqual(read(version, stream, cuts), LINES[version])
      }),
    )
  })

  test(`MQTT ${version === 4 ? '3.1.1' : '5'}: mangled bytes are read or refused, never anything else`, () => {
    const stream = STREAM[version]
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(stream.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        fc.array(fc.nat(stream.length - 1), { maxLength: 3 }),
        (changes, cuts) => {
          const bytes = new Uint8Array(stream)
          for (const [at, byte] of changes) bytes[at] = byte
          try {
            read(version, bytes, cuts)
          } catch (error) {
            assert.ok(error instanceof ProtocolError, String((error as Error).stack))
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
}

test('an answer of a server that knows no MQTT 5 is read in a connection that tries it', () => {
  const seen: Packet[] = []
  const reader = new FrameReader(
    Object.assign(new Seen(), { packet: (packet: Packet) => void seen.push(packet) }),
    5,
    1000,
    0,
  )
  reader.push(Uint8Array.of(0x20, 2, 0, 1))
  assert.deepEqual(seen, [{ cmd: 'connack', sessionPresent: false, returnCode: 1, reasonCode: 1 }])
})

test('what breaks the protocol is told in words', () => {
  const cases: [Uint8Array, RegExp][] = [
    [Uint8Array.of(0x36, 3, 0, 1, 97), /QoS 3/],
    [Uint8Array.of(0x30, 1, 0), /without a topic/],
    [Uint8Array.of(0x30, 3, 0, 9, 97), /longer than itself/],
    [Uint8Array.of(0x32, 3, 0, 1, 97), /without a packet id/],
    [Uint8Array.of(0x32, 6, 0, 1, 97, 0, 0, 0), /packet id 0/],
    [Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0xff, 1), /more than four bytes/],
    [bytesOf(5, publish('', 'x', { properties: { topicAlias: 3 } })), /stands for nothing/],
    [bytesOf(5, publish('a', 'x', { properties: { topicAlias: 99 } })), /was not offered/],
  ]
  for (const [bytes, words] of cases) assert.throws(() => read(5, new Uint8Array(bytes)), words)
})
