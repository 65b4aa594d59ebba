// What a session publishes: consignments in the order of coming, their messages written as fast as the broker takes them.
//
//   waiting ──written──▶ in flight ──PUBACK, PUBCOMP, QoS 0: drained──▶ done
//      ▲                    │ └──a reason of 0x80 and above──▶ refused for good, or failed for now
//      └──session lost──────┘
//
// In flight are at most as many messages as the broker's Receive Maximum and our own bound allow (MQTT-4.9.0-1), and so many
// bytes stand in the socket. What is in flight when a connection is lost goes again, in the same order: with DUP and its
// packet id where the broker has kept the session (MQTT-4.4.0-1), else as a new message.
//
// Packet ids of messages count down from the top: those of SUBSCRIBE count up.

import { type ByteKeyed, ByteTable } from '../../collections/byte-table.ts'
import { Writer } from '../../wire/writer.ts'
import type { Version } from './frames.ts'
import type { FrameOptions, MessageList } from './message-list.ts'
import { mayPassLater, REASON } from './reasons.ts'

const CHUNK_BYTES = 64 * 1024
const SOCKET_MAX_BYTES = 256 * 1024
const MAX_ID = 65_535

const STATUS = { WAITING: 0, IN_FLIGHT: 1, RELEASED: 2, DONE: 3, REFUSED: 4, FAILED: 5 } as const

/** Messages of one batch with the same QoS; sent again after a failure, it goes on with what is not done. */
export class Consignment {
  readonly list: MessageList
  readonly qos: 0 | 1 | 2
  readonly retain: boolean
  readonly status: Uint8Array
  /** Not done, refused or failed yet. */
  left: number
  next = 0
  isWithdrawn = false
  /** Messages and items that the broker refused for good, by reason code. */
  readonly refused = new Map<number, { messages: number; items: number; readonly topic: string }>()
  /** The reason of a message that failed for now; undefined when none did. */
  failure: number | undefined
  /** Called each time that nothing is left. */
  onEnd: () => void = nothing
  #done = 0

  constructor(list: MessageList, qos: 0 | 1 | 2, retain: boolean) {
    this.list = list
    this.qos = qos
    this.retain = retain
    this.status = new Uint8Array(list.count)
    this.left = list.count
  }

  /** Before it is sent again. */
  reopen(): void {
    this.failure = undefined
    this.isWithdrawn = false
    this.next = 0
    for (let i = 0; i < this.status.length; i++)
      if (this.status[i] === STATUS.FAILED) {
        this.status[i] = STATUS.WAITING
        this.left++
      }
  }

  /** Messages that were done since it was asked last. */
  takeDone(): number {
    const done = this.#done
    this.#done = 0
    return done
  }

  end(i: number, code: number): void {
    if (code < 0x80) {
      this.status[i] = STATUS.DONE
      this.#done++
    } else if (mayPassLater(code)) {
      this.status[i] = STATUS.FAILED
      this.failure ??= code
    } else {
      this.status[i] = STATUS.REFUSED
      const counts = this.refused.get(code) ?? { messages: 0, items: 0, topic: this.list.topic(i) }
      counts.messages++
      counts.items += this.list.items(i)
      this.refused.set(code, counts)
    }
    if (--this.left === 0) this.onEnd()
  }
}

/** What CONNACK allows. */
export interface OutgoingLimits {
  readonly version: Version
  readonly sessionPresent: boolean
  readonly receiveMaximum: number
  readonly topicAliasMaximum: number
  readonly maxPacketBytes: number
  readonly maxQos: 0 | 1 | 2
  readonly retainAvailable: boolean
}

/** Writes to the broker; `written` is called when the bytes have left, or with an error. */
export type OutgoingWrite = (bytes: Uint8Array, written: (error?: Error | null) => void) => void

interface Alias extends ByteKeyed {
  readonly alias: number
}

interface Span {
  readonly consignment: Consignment
  from: number
  to: number
}

export class Outgoing {
  readonly #maxInFlight: number
  readonly #maxAliases: number
  readonly #maxPacketBytes: number
  /** Messages that went again with DUP. */
  repeated = 0
  /** With something that is not done. */
  readonly #open = new Set<Consignment>()
  #line: Consignment[] = []
  #write: OutgoingWrite | undefined
  #limits: OutgoingLimits | undefined
  #epoch = 0
  #socketBytes = 0
  #aliases = new ByteTable<Alias>()
  // By slot: a slot stands for the packet id MAX_ID - slot.
  readonly #owners: (Consignment | undefined)[] = []
  readonly #indexes: number[] = []
  readonly #orders: number[] = []
  readonly #free: number[] = []
  #order = 0
  /** Slots that go again, in order, before anything else. */
  #again: number[] = []
  /** Sent on this connection and not answered. */
  #inFlight = 0
  #isPumping = false
  #lastChunkBytes = 0

  constructor(maxInFlight: number, maxAliases: number, maxPacketBytes: number = Number.POSITIVE_INFINITY) {
    this.#maxPacketBytes = maxPacketBytes
    this.#maxInFlight = Math.min(maxInFlight, MAX_ID)
    this.#maxAliases = maxAliases
  }

  /** Messages that the broker has not answered. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** What of it is not done goes out, behind all others; its onEnd is called in the end, perhaps at once. */
  send(consignment: Consignment): void {
    consignment.reopen()
    if (consignment.left === 0) {
      consignment.onEnd()
      return
    }
    this.#open.add(consignment)
    if (!this.#line.includes(consignment)) this.#line.push(consignment)
    this.#pump()
  }

  /** What of it was not sent stays; what is in flight is still waited for. */
  withdraw(consignment: Consignment): void {
    consignment.isWithdrawn = true
  }

  /** For the session: a connection has been taken by the broker. */
  opened(limits: OutgoingLimits, write: OutgoingWrite): void {
    this.#limits = limits
    this.#write = write
    this.#epoch++
    this.#socketBytes = 0
    this.#inFlight = 0
    this.#aliases = new ByteTable()
    if (limits.sessionPresent) this.#again = this.#slotsInOrder()
    else this.#forget()
    this.#rewind()
    this.#pump()
  }

  /** For the session: there is no connection any more. */
  closed(): void {
    this.#write = undefined
    this.#epoch++
    this.#inFlight = 0
    this.#again = []
  }

  acknowledged(type: 'puback' | 'pubrec' | 'pubcomp', id: number, code: number): void {
    const slot = MAX_ID - id
    const consignment = this.#owners[slot]
    if (consignment === undefined) return
    const i = this.#indexes[slot]!
    if (type === 'pubrec' && code < 0x80) {
      consignment.status[i] = STATUS.RELEASED
      this.#release(slot)
      return
    }
    this.#owners[slot] = undefined
    this.#free.push(slot)
    if (this.#inFlight > 0) this.#inFlight--
    // PUBCOMP, packet identifier not found: the broker has let go of it, as we ask.
    consignment.end(i, type === 'pubcomp' ? 0 : code)
    if (consignment.left === 0) this.#open.delete(consignment)
  }

  /** For the session: all answers of one read of the socket have come. What they make room for goes out together. */
  readEnd(): void {
    if (this.#line.length > 0 || this.#again.length > 0) this.#pump()
  }

  #release(slot: number): void {
    const id = MAX_ID - slot
    this.#write?.(Uint8Array.of(0x62, 2, id >> 8, id & 0xff), nothing)
  }

  #slotsInOrder(): number[] {
    const slots: number[] = []
    for (let slot = 0; slot < this.#owners.length; slot++) if (this.#owners[slot] !== undefined) slots.push(slot)
    return slots.sort((a, b) => this.#orders[a]! - this.#orders[b]!)
  }

  /** The broker knows nothing of what was in flight: it waits again. */
  #forget(): void {
    this.#again = []
    for (const slot of this.#slotsInOrder()) {
      this.#owners[slot]!.status[this.#indexes[slot]!] = STATUS.WAITING
      this.#owners[slot] = undefined
      this.#free.push(slot)
    }
  }

  #rewind(): void {
    for (const consignment of this.#open) {
      consignment.next = 0
      // Those have packet ids.
      if (consignment.qos > 0 && this.#limits!.maxQos > 0) continue
      const { status } = consignment
      for (let i = 0; i < status.length; i++) if (status[i] === STATUS.IN_FLIGHT) status[i] = STATUS.WAITING
    }
    this.#line = [...this.#open]
  }

  #pump(): void {
    if (this.#isPumping) return
    this.#isPumping = true
    while (this.#write !== undefined && this.#socketBytes < SOCKET_MAX_BYTES && this.#writeChunk());
    this.#isPumping = false
  }

  /** False when there is nothing to write, or nothing that may be written. */
  #writeChunk(): boolean {
    const limits = this.#limits!
    const hasMore = this.#again.length > 0 || this.#line.length > 0
    // Before anything is allocated: with a full window this is asked at every read of the socket.
    if (!hasMore || (!this.#hasWindow(limits) && (this.#again.length > 0 || this.#line[0]!.qos > 0))) return false
    const out = new Writer()
    // As the last one was: an array that grows is copied again and again.
    out.reserve(this.#lastChunkBytes)
    const spans: Span[] = []
    while (out.length < CHUNK_BYTES && this.#again.length > 0 && this.#hasWindow(limits))
      this.#writeAgain(this.#again.shift()!, limits, out)
    if (this.#again.length === 0)
      while (out.length < CHUNK_BYTES) {
        const head = this.#line[0]
        if (head === undefined) break
        if (!this.#writeSome(head, limits, out, spans)) break
        this.#line.shift()
      }
    if (out.length === 0) return false
    const epoch = this.#epoch
    const { length } = out
    this.#lastChunkBytes = length
    this.#socketBytes += length
    this.#write!(out.bytes.subarray(0, length), (error) => {
      if (epoch !== this.#epoch) return
      this.#socketBytes -= length
      if (error === undefined || error === null) this.#drained(spans)
      this.#pump()
    })
    return true
  }

  #hasWindow({ receiveMaximum }: OutgoingLimits): boolean {
    return this.#inFlight < Math.min(receiveMaximum, this.#maxInFlight)
  }

  #writeAgain(slot: number, limits: OutgoingLimits, out: Writer): void {
    const consignment = this.#owners[slot]
    if (consignment === undefined) return
    const { list, retain } = consignment
    const i = this.#indexes[slot]!
    const id = MAX_ID - slot
    this.#inFlight++
    if (consignment.status[i] === STATUS.RELEASED) {
      out.copy(Uint8Array.of(0x62, 2, id >> 8, id & 0xff))
      return
    }
    const qos = Math.min(consignment.qos, limits.maxQos)
    const { version } = limits
    this.repeated++
    list.writeFrame(out, i, { version, qos, retain, dup: true, id, alias: 0, hasTopic: true })
  }

  /** False when it stays at the head: the window or the chunk is full. */
  #writeSome(head: Consignment, limits: OutgoingLimits, out: Writer, spans: Span[]): boolean {
    const { list, status } = head
    const qos = Math.min(head.qos, limits.maxQos) as 0 | 1 | 2
    const retain = head.retain && limits.retainAvailable
    const { version } = limits
    for (; head.next < list.count; head.next++) {
      if (head.isWithdrawn) break
      const i = head.next
      if (status[i] !== STATUS.WAITING) continue
      if (out.length >= CHUNK_BYTES || (qos > 0 && !this.#hasWindow(limits))) return false
      const alias = version === 5 ? this.#alias(list, i, limits) : 0
      const id = qos === 0 ? 0 : this.#take(head, i)
      const frame: FrameOptions = { version, qos, retain, dup: false, id, alias: Math.abs(alias), hasTopic: alias >= 0 }
      if (list.frameBytes(i, frame) > Math.min(limits.maxPacketBytes, this.#maxPacketBytes)) {
        if (qos > 0) this.#giveBack(id)
        this.#end(head, i, REASON.PACKET_TOO_LARGE)
        continue
      }
      if (alias > 0) this.#remember(list, i, alias)
      list.writeFrame(out, i, frame)
      status[i] = STATUS.IN_FLIGHT
      if (qos > 0) this.#inFlight++
      else {
        const last = spans.at(-1)
        if (last?.consignment === head && last.to === i) last.to++
        else spans.push({ consignment: head, from: i, to: i + 1 })
      }
    }
    if (head.left === 0 || (head.isWithdrawn && !status.includes(STATUS.IN_FLIGHT))) this.#open.delete(head)
    return true
  }

  #drained(spans: readonly Span[]): void {
    for (const { consignment, from, to } of spans)
      for (let i = from; i < to; i++) if (consignment.status[i] === STATUS.IN_FLIGHT) this.#end(consignment, i, 0)
  }

  #end(consignment: Consignment, i: number, code: number): void {
    consignment.end(i, code)
    if (consignment.left === 0) this.#open.delete(consignment)
  }

  #take(consignment: Consignment, i: number): number {
    const slot = this.#free.pop() ?? this.#owners.length
    this.#owners[slot] = consignment
    this.#indexes[slot] = i
    this.#orders[slot] = this.#order++
    return MAX_ID - slot
  }

  #giveBack(id: number): void {
    this.#owners[MAX_ID - id] = undefined
    this.#free.push(MAX_ID - id)
  }

  /** Above 0: the alias that the topic is to get; below: the one that it has; 0: none. */
  #alias(list: MessageList, i: number, { topicAliasMaximum }: OutgoingLimits): number {
    const maximum = Math.min(topicAliasMaximum, this.#maxAliases)
    if (maximum === 0) return 0
    const known = this.#aliases.find(list.text.bytes, list.topicFrom(i), list.topicTo(i))
    if (known !== undefined) return -known.alias
    return this.#aliases.size < maximum ? this.#aliases.size + 1 : 0
  }

  #remember(list: MessageList, i: number, alias: number): void {
    this.#aliases.add({ key: list.text.bytes.slice(list.topicFrom(i), list.topicTo(i)), alias })
  }
}

const nothing = (): void => {}
