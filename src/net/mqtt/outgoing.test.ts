import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { MessageList } from './message-list.ts'
import { Consignment, Outgoing, type OutgoingLimits } from './outgoing.ts'

const LIMITS: OutgoingLimits = {
  version: 5,
  sessionPresent: false,
  receiveMaximum: 10,
  topicAliasMaximum: 0,
  maxPacketBytes: 1e6,
  maxQos: 2,
  retainAvailable: true,
}

/** The broker's side: what was written, in words. */
class Wire {
  readonly lines: string[] = []
  readonly ids: number[] = []
  readonly #drains: ((error?: Error | null) => void)[] = []
  readonly #parser = parser({ protocolVersion: 5 })

  constructor() {
    this.#parser.on('packet', (packet: Packet) => {
      if (packet.cmd === 'publish') {
        const { topic, payload, qos, dup, retain, messageId, properties } = packet as IPublishPacket
        const alias = properties?.topicAlias === undefined ? '' : ` alias ${properties.topicAlias}`
        this.lines.push(`${topic} ${payload} q${qos}${dup ? ' dup' : ''}${retain ? ' retain' : ''}${alias}`)
        this.ids.push(messageId ?? 0)
      } else this.lines.push(`${packet.cmd}`)
    })
  }

  readonly write = (bytes: Uint8Array, written: (error?: Error | null) => void): void => {
    this.#parser.parse(Buffer.from(bytes))
    this.#drains.push(written)
  }

  drain(): void {
    for (const written of this.#drains.splice(0)) written()
  }

  take(): string[] {
    return this.lines.splice(0)
  }
}

function listOf(...messages: [topic: string, payload: string][]): MessageList {
  const list = new MessageList()
  for (const [topic, payload] of messages) {
    const from = list.text.length
    list.text.copy(Buffer.from(topic))
    const topicTo = list.text.length
    list.text.copy(Buffer.from(payload))
    list.add(from, topicTo, topicTo, topicTo, topicTo, list.text.length, 1)
  }
  return list
}

function consign(qos: 0 | 1 | 2, ...messages: [string, string][]): { consignment: Consignment; ends: number[] } {
  const consignment = new Consignment(listOf(...messages), qos, false)
  const ends: number[] = []
  consignment.onEnd = () => void ends.push(consignment.refused.size)
  return { consignment, ends }
}

/** An answer that is a read of the socket by itself. */
function answer(out: Outgoing, type: 'puback' | 'pubrec' | 'pubcomp', id: number, code: number): void {
  out.acknowledged(type, id, code)
  out.readEnd()
}

test('with QoS 0 a consignment is done when it has left the socket', () => {
  const wire = new Wire()
  const out = new Outgoing(10, 0)
  const { consignment, ends } = consign(0, ['a', '1'], ['b', '2'])
  out.send(consignment)
  assert.deepEqual(wire.take(), [])
  out.opened(LIMITS, wire.write)
  assert.deepEqual(wire.take(), ['a 1 q0', 'b 2 q0'])
  assert.equal(ends.length, 0)
  wire.drain()
  assert.equal(ends.length, 1)
})

test("no more messages are on their way than the broker's Receive Maximum allows, and each answer lets the next go", () => {
  const wire = new Wire()
  const out = new Outgoing(100, 0)
  const { consignment, ends } = consign(1, ['a', '1'], ['a', '2'], ['a', '3'], ['a', '4'])
  out.opened({ ...LIMITS, receiveMaximum: 2 }, wire.write)
  out.send(consignment)
  assert.deepEqual(wire.take(), ['a 1 q1', 'a 2 q1'])
  answer(out, 'puback', wire.ids[0]!, 0)
  assert.deepEqual(wire.take(), ['a 3 q1'])
  answer(out, 'puback', wire.ids[1]!, 0)
  answer(out, 'puback', wire.ids[2]!, 0x10)
  assert.deepEqual(wire.take(), ['a 4 q1'])
  assert.equal(ends.length, 0)
  answer(out, 'puback', wire.ids[3]!, 0)
  assert.equal(ends.length, 1)
  assert.equal(out.inFlight, 0)
})

test('QoS 2 is done with PUBCOMP, and PUBREL is what goes again after PUBREC', () => {
  const wire = new Wire()
  const out = new Outgoing(10, 0)
  const { consignment, ends } = consign(2, ['a', '1'], ['a', '2'])
  out.opened(LIMITS, wire.write)
  out.send(consignment)
  assert.deepEqual(wire.take(), ['a 1 q2', 'a 2 q2'])
  answer(out, 'pubrec', wire.ids[0]!, 0)
  assert.deepEqual(wire.take(), ['pubrel'])
  out.closed()
  out.opened({ ...LIMITS, sessionPresent: true }, wire.write)
  assert.deepEqual(wire.take(), ['pubrel', 'a 2 q2 dup'])
  assert.equal(wire.ids[2], wire.ids[1], 'the packet id stays')
  answer(out, 'pubcomp', wire.ids[0]!, 0)
  answer(out, 'pubrec', wire.ids[1]!, 0)
  assert.equal(ends.length, 0)
  answer(out, 'pubcomp', wire.ids[1]!, 0)
  assert.equal(ends.length, 1)
})

test('a broker that has lost the session gets what was in flight as new messages, in order', () => {
  for (const qos of [0, 1, 2] as const) {
    const wire = new Wire()
    const out = new Outgoing(2, 0)
    const { consignment, ends } = consign(qos, ['a', '1'], ['a', '2'], ['a', '3'])
    out.opened(LIMITS, wire.write)
    out.send(consignment)
    const first = wire.take()
    out.closed()
    wire.drain()
    assert.equal(ends.length, 0, 'the socket broke before anything had left')
    out.opened(LIMITS, wire.write)
    assert.deepEqual(wire.take(), first)
  }
})

test('a refusal for good is counted by its reason, one for now goes again when it is asked for, and no other', () => {
  const wire = new Wire()
  const out = new Outgoing(10, 0)
  const { consignment, ends } = consign(1, ['a', '1'], ['b', '2'], ['c', '3'])
  out.opened(LIMITS, wire.write)
  out.send(consignment)
  wire.take()
  answer(out, 'puback', wire.ids[0]!, 0x87)
  answer(out, 'puback', wire.ids[1]!, 0x97)
  answer(out, 'puback', wire.ids[2]!, 0)
  assert.equal(ends.length, 1)
  assert.deepEqual([...consignment.refused], [[0x87, { messages: 1, items: 1, topic: 'a' }]])
  assert.equal(consignment.failure, 0x97)
  out.send(consignment)
  assert.deepEqual(wire.take(), ['b 2 q1'])
  answer(out, 'puback', wire.ids[3]!, 0)
  assert.equal(ends.length, 2)
  assert.equal(consignment.failure, undefined)
})

test("a message above the broker's Maximum Packet Size is refused alone", () => {
  const wire = new Wire()
  const out = new Outgoing(10, 0)
  const { consignment, ends } = consign(0, ['a', '1'], ['a', 'x'.repeat(100)], ['a', '3'])
  out.opened({ ...LIMITS, maxPacketBytes: 50 }, wire.write)
  out.send(consignment)
  wire.drain()
  assert.deepEqual(wire.take(), ['a 1 q0', 'a 3 q0'])
  assert.deepEqual([...consignment.refused.keys()], [0x95])
  assert.equal(ends.length, 1)
})

test('a topic is sent once where the broker takes aliases, as many as it takes and we want', () => {
  const wire = new Wire()
  const out = new Outgoing(10, 5)
  const { consignment } = consign(0, ['a', '1'], ['b', '2'], ['a', '3'], ['b', '4'])
  out.opened({ ...LIMITS, topicAliasMaximum: 1 }, wire.write)
  out.send(consignment)
  assert.deepEqual(wire.take(), ['a 1 q0 alias 1', 'b 2 q0', ' 3 q0 alias 1', 'b 4 q0'])
  out.closed()
  out.opened({ ...LIMITS, version: 4, topicAliasMaximum: 0, sessionPresent: true }, () => {})
})

test('what is withdrawn before it was written stays, and what is in flight is waited for', () => {
  const wire = new Wire()
  const out = new Outgoing(1, 0)
  const { consignment, ends } = consign(1, ['a', '1'], ['a', '2'])
  const other = consign(1, ['b', '1'])
  out.opened(LIMITS, wire.write)
  out.send(consignment)
  out.send(other.consignment)
  assert.deepEqual(wire.take(), ['a 1 q1'])
  out.withdraw(consignment)
  answer(out, 'puback', wire.ids[0]!, 0)
  assert.deepEqual(wire.take(), ['b 1 q1'])
  assert.equal(ends.length, 0)
  out.send(consignment)
  answer(out, 'puback', wire.ids[1]!, 0)
  assert.deepEqual(wire.take(), ['a 2 q1'])
})
