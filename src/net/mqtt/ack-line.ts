// Acknowledgements in the order in which the messages came (MQTT-4.6.0-2), each when what it was made of is delivered.
//
//   one read of the socket ──▶ a group: its messages, and their acknowledgements as they will be sent
//   groups settle in any order ──▶ those at the head of the line go out, together
//
// What is in the line is what bounds memory. Groups of a connection that is lost are acknowledged to nobody, and count
// until they settle.

import { Fifo } from '../../collections/fifo.ts'

const ACK_BYTES = 4
const ACK_HEAD = { 1: 0x40, 2: 0x50 } as const

export class AckGroup {
  messages = 0
  bytes = 0
  settled = false
  /** What it waits for: 1 is whoever deals with its messages. */
  holds = 1
  /** PUBACK and PUBREC, as they are sent. */
  acks = new Uint8Array(16 * ACK_BYTES)
  acksLength = 0
  /** Others wait for it: messages with QoS 2 that came again while it was on its way. */
  followers: (() => void)[] | undefined

  /** `id` is of a message with QoS 1 or 2. */
  ack(qos: 1 | 2, id: number): void {
    if (this.acksLength === this.acks.length) {
      const grown = new Uint8Array(this.acks.length * 4)
      grown.set(this.acks)
      this.acks = grown
    }
    const { acks, acksLength: at } = this
    acks[at] = ACK_HEAD[qos]
    acks[at + 1] = 2
    acks[at + 2] = id >> 8
    acks[at + 3] = id & 0xff
    this.acksLength += ACK_BYTES
  }
}

export class AckLine {
  messages = 0
  bytes = 0
  readonly #write: (acks: Uint8Array) => void
  #line = new Fifo<AckGroup>()

  constructor(write: (acks: Uint8Array) => void) {
    this.#write = write
  }

  add(group: AckGroup): void {
    this.messages += group.messages
    this.bytes += group.bytes
    this.#line.push(group)
  }

  settle(group: AckGroup): void {
    if (group.settled) throw new Error('invariant: a group of messages settled twice')
    group.settled = true
    this.messages -= group.messages
    this.bytes -= group.bytes
    for (const follower of group.followers ?? []) follower()
    if (this.#line.peek() !== group) return
    let length = 0
    const ready: AckGroup[] = []
    for (let head = this.#line.peek(); head?.settled === true; head = this.#line.peek()) {
      this.#line.shift()
      if (head.acksLength === 0) continue
      ready.push(head)
      length += head.acksLength
    }
    if (length === 0) return
    const first = ready[0]!
    if (ready.length === 1) this.#write(first.acks.subarray(0, first.acksLength))
    else this.#write(Buffer.concat(ready.map(({ acks, acksLength }) => acks.subarray(0, acksLength))))
  }

  /** The connection is gone: nobody waits for what is in the line. */
  abandon(): void {
    this.#line = new Fifo()
  }
}
