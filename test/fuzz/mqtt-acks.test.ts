// What a broker says of messages that we publish, and a broker that says anything: from the bytes of the socket to
// consignments, without a network. Afterwards a broker that keeps to the protocol finishes what is left.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { FrameReader, ProtocolError, type Version } from '../../src/net/mqtt/frames.ts'
import { MessageList } from '../../src/net/mqtt/message-list.ts'
import { Consignment, Outgoing, type OutgoingLimits } from '../../src/net/mqtt/outgoing.ts'
import { fuzz } from './harness.ts'

const WINDOW = 5
const MESSAGES = 8
/** Statuses of a message from which something is still to come. */
const OPEN_STATUS = 3
const limits = (version: Version, sessionPresent: boolean): OutgoingLimits => ({
  version,
  sessionPresent,
  receiveMaximum: WINDOW,
  topicAliasMaximum: 2,
  maxPacketBytes: 1e6,
  maxQos: 2,
  retainAvailable: true,
})

function consign(qos: 0 | 1 | 2): { consignment: Consignment; ends: string[] } {
  const list = new MessageList()
  for (let i = 0; i < MESSAGES; i++) {
    const from = list.text.length
    list.text.copy(Buffer.from(`t/${i % 3}`))
    const topicTo = list.text.length
    list.text.copy(Buffer.from(`payload ${i}`))
    list.add(from, topicTo, topicTo, topicTo, topicTo, list.text.length, 1)
  }
  const consignment = new Consignment(list, qos, false)
  const ends: string[] = []
  consignment.onEnd = () => void ends.push(`qos ${qos}`)
  return { consignment, ends }
}

class Stage {
  readonly outgoing = new Outgoing(WINDOW, 2)
  readonly all = [consign(0), consign(1), consign(2)]
  readonly version: Version
  /** Of this connection, to be answered by the broker that keeps to the protocol. */
  readonly #written: Packet[] = []
  #drains: (() => void)[] = []

  constructor(version: Version) {
    this.version = version
    for (const { consignment } of this.all) this.outgoing.send(consignment)
  }

  connect(sessionPresent: boolean): void {
    this.#written.length = 0
    this.#drains = []
    const reader = parser({ protocolVersion: this.version })
    reader.on('packet', (packet) => this.#written.push(packet))
    this.outgoing.opened(limits(this.version, sessionPresent), (bytes, written) => {
      reader.parse(Buffer.from(bytes))
      this.#drains.push(() => written())
    })
  }

  /** What a broker sends, in chunks of at most `most` bytes; how it ended, in words. */
  hear(bytes: Uint8Array, most: number): string {
    const answered: string[] = []
    const nothing = (): void => {}
    const reader = new FrameReader(
      {
        publish: nothing,
        oversized: nothing,
        pubrel: nothing,
        packet: nothing,
        acknowledged: (type, id, code) => {
          answered.push(`${type} ${id} ${code}`)
          this.outgoing.acknowledged(type, id, code)
          this.check()
        },
      },
      this.version,
      1000,
      2,
    )
    try {
      for (let at = 0; at < bytes.length; at += most) reader.push(bytes.slice(at, at + most))
    } catch (error) {
      assert.ok(error instanceof ProtocolError, String((error as Error).stack))
      answered.push(error.message)
    }
    this.outgoing.readEnd()
    this.check()
    return answered.join(', ')
  }

  /** All that is written is answered as the protocol says, until nothing more is. */
  finish(): void {
    while (this.#written.length > 0 || this.#drains.length > 0) {
      for (const drain of this.#drains.splice(0)) drain()
      for (const packet of this.#written.splice(0)) {
        const id = packet.messageId ?? 0
        if (packet.cmd === 'pubrel') this.outgoing.acknowledged('pubcomp', id, 0)
        else if (packet.cmd === 'publish') {
          const { qos } = packet as IPublishPacket
          if (qos > 0) this.outgoing.acknowledged(qos === 1 ? 'puback' : 'pubrec', id, 0)
        }
        this.check()
      }
      this.outgoing.readEnd()
    }
  }

  check(): void {
    assert.ok(this.outgoing.inFlight >= 0 && this.outgoing.inFlight <= WINDOW, `${this.outgoing.inFlight} in flight`)
    for (const { consignment, ends } of this.all) {
      const open = consignment.status.filter((status) => status < OPEN_STATUS).length
      assert.equal(consignment.left, open)
      assert.equal(ends.length, open === 0 ? 1 : 0)
    }
  }
}

const FIRST_ID = 65_535
const acks = (version: Version, ...codes: number[]): Uint8Array =>
  new Uint8Array(
    Buffer.concat(
      codes.flatMap((reasonCode, i) => {
        const messageId = FIRST_ID - i
        return (['puback', 'pubrec', 'pubcomp'] as const).map(
          (cmd) => generate({ cmd, messageId, reasonCode } as Packet, { protocolVersion: version }) as Buffer,
        )
      }),
    ),
  )

for (const version of [4, 5] as const)
  test(`MQTT ${version === 4 ? '3.1.1' : '5'}: whatever a broker says of our messages, however cut: each ends once, and none is stuck`, async () => {
    let ended = 0
    await fuzz({
      name: 'mqtt-acks',
      inputs: 500,
      seeds: [acks(version, 0, 0, 0, 0, 0), acks(version, 0x10, 0x97, 0x87, 0x80, 0), acks(4, 0, 0)],
      run(bytes) {
        const heard: string[] = []
        for (const most of [Number.POSITIVE_INFINITY, 1 + (bytes.length % 7)])
          for (const sessionPresent of [true, false]) {
            const stage = new Stage(version)
            stage.connect(false)
            heard.push(stage.hear(bytes, most))
            stage.outgoing.closed()
            stage.connect(sessionPresent)
            stage.check()
            stage.finish()
            for (const { ends } of stage.all) ended += ends.length
            assert.deepEqual(
              stage.all.map(({ consignment }) => consignment.left),
              [0, 0, 0],
            )
            assert.equal(stage.outgoing.inFlight, 0)
          }
        assert.equal(new Set(heard).size, 1, heard.join('\n'))
      },
    })
    assert.ok(ended > 0)
  })
