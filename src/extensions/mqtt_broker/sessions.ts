// What the broker keeps in memory: retained messages, and for each session that outlives its connection its
// subscriptions and the messages that are not acknowledged yet.
//
// The library's own store looks through all messages of a session for each that it sends or that is acknowledged, and
// keeps whatever comes. This one finds them at once and is bounded: beyond a bound a message is not kept, and counted. A
// client that is connected still gets it, once.
//
//   Session   byOrder  order of the broker -> Kept     in order of arrival; the order is never used twice
//             byId     packet identifier   -> Kept     once it is on its way to the client
//
// Of messages with QoS 2 that come in it keeps the packet identifiers alone, from PUBLISH to PUBREL, which is what tells a
// repetition: the message itself is published at once.

import { Readable } from 'node:stream'
import MemoryPersistence, { type StoredClient, type StoredPacket } from 'aedes-persistence/asyncPersistence.js'

export interface StoreBounds {
  readonly maxQueuedMessages: number
  readonly maxStoredBytes: number
}

export type NotKept = 'session_full' | 'store_full'

interface Kept {
  readonly order: number
  readonly bytes: number
  /** The message; a PUBREL in its place once the client has it (QoS 2). */
  packet: StoredPacket
}

interface Session {
  readonly byOrder: Map<number, Kept>
  readonly byId: Map<number, Kept>
}

/** What a message takes beside topic and payload. */
const OVERHEAD_BYTES = 300

const sizeOf = ({ topic, payload }: StoredPacket): number => OVERHEAD_BYTES + topic.length + payload.length

const copyOf = (packet: StoredPacket): StoredPacket => ({ ...packet, messageId: undefined })

export class SessionStore extends MemoryPersistence {
  readonly #bounds: StoreBounds
  readonly #onNotKept: (reason: NotKept) => void
  readonly #sessions = new Map<string, Session>()
  readonly #retainedBytes = new Map<string, number>()
  /** By client. */
  readonly #halfReceived = new Map<string, Set<number>>()
  #storedBytes = 0

  constructor(bounds: StoreBounds, onNotKept: (reason: NotKept) => void) {
    super()
    this.#bounds = bounds
    this.#onNotKept = onNotKept
  }

  get storedBytes(): number {
    return this.#storedBytes
  }

  get sessionCount(): number {
    return this.#sessions.size
  }

  /** Clients of which messages with QoS 2 are between PUBLISH and PUBREL. */
  get halfReceivedClients(): number {
    return this.#halfReceived.size
  }

  get retainedCount(): number {
    return this.#retainedBytes.size
  }

  hasSession(clientId: string): boolean {
    return this.#sessions.has(clientId)
  }

  /** From here on the client has a session, with or without subscriptions. */
  open(clientId: string): void {
    if (!this.hasSession(clientId)) this.#sessions.set(clientId, { byOrder: new Map(), byId: new Map() })
  }

  override async storeRetained(packet: StoredPacket): Promise<void> {
    const before = this.#retainedBytes.get(packet.topic) ?? 0
    const bytes = packet.payload.length === 0 ? 0 : sizeOf(packet)
    if (bytes > before && !this.#hasRoom(bytes - before)) return
    this.#storedBytes += bytes - before
    if (bytes === 0) this.#retainedBytes.delete(packet.topic)
    else this.#retainedBytes.set(packet.topic, bytes)
    await super.storeRetained(packet)
  }

  override async cleanSubscriptions(client: StoredClient): Promise<void> {
    for (const kept of this.#sessions.get(client.id)?.byOrder.values() ?? []) this.#storedBytes -= kept.bytes
    this.#sessions.delete(client.id)
    await super.cleanSubscriptions(client)
  }

  override async outgoingEnqueue(subscriber: { readonly clientId: string }, packet: StoredPacket): Promise<void> {
    this.#keep(subscriber.clientId, packet)
  }

  override async outgoingEnqueueCombi(
    subscribers: readonly { readonly clientId: string }[],
    packet: StoredPacket,
  ): Promise<void> {
    for (const { clientId } of subscribers) this.#keep(clientId, packet)
  }

  // A message that was not kept is sent all the same, and forgotten.
  override async outgoingUpdate(client: StoredClient, packet: StoredPacket): Promise<void> {
    const session = this.#sessions.get(client.id)
    if (session === undefined) return
    const { messageId } = packet
    const isMessage = packet.cmd === 'publish'
    const kept = isMessage ? session.byOrder.get(packet.brokerCounter) : session.byId.get(messageId ?? -1)
    if (kept === undefined || messageId === undefined) return
    if (!isMessage) {
      kept.packet = packet
      return
    }
    if (kept.packet.messageId !== undefined) session.byId.delete(kept.packet.messageId)
    kept.packet.messageId = messageId
    session.byId.set(messageId, kept)
  }

  override async outgoingClearMessageId(client: StoredClient, packet: StoredPacket): Promise<StoredPacket | undefined> {
    const session = this.#sessions.get(client.id)
    const kept = session?.byId.get(packet.messageId ?? -1)
    if (session === undefined || kept === undefined) return undefined
    session.byId.delete(packet.messageId!)
    session.byOrder.delete(kept.order)
    this.#storedBytes -= kept.bytes
    return kept.packet
  }

  override outgoingStream(client: StoredClient): Readable {
    return Readable.from([...(this.#sessions.get(client.id)?.byOrder.values() ?? [])].map(({ packet }) => packet))
  }

  override async addSubscriptions(client: StoredClient, subscriptions: readonly object[]): Promise<void> {
    this.open(client.id)
    await super.addSubscriptions(client, subscriptions)
  }

  override async incomingStorePacket({ id }: StoredClient, { messageId = 0 }: StoredPacket): Promise<void> {
    let ids = this.#halfReceived.get(id)
    if (ids === undefined) this.#halfReceived.set(id, (ids = new Set()))
    ids.add(messageId)
  }

  /** The library wants to know whether there is one: it rejects when there is not. */
  override async incomingGetPacket({ id }: StoredClient, packet: StoredPacket): Promise<StoredPacket> {
    if (this.#halfReceived.get(id)?.has(packet.messageId ?? 0) !== true) throw new Error('no such packet')
    return packet
  }

  override async incomingDelPacket({ id }: StoredClient, { messageId = 0 }: StoredPacket): Promise<void> {
    const ids = this.#halfReceived.get(id)
    if (ids?.delete(messageId) !== true) throw new Error('no such packet')
    if (ids.size === 0) this.#halfReceived.delete(id)
  }

  override async cleanIncoming({ id }: StoredClient): Promise<void> {
    this.#halfReceived.delete(id)
  }

  #keep(clientId: string, packet: StoredPacket): void {
    const session = this.#sessions.get(clientId)
    if (session === undefined) return
    if (session.byOrder.size >= this.#bounds.maxQueuedMessages) {
      this.#onNotKept('session_full')
      return
    }
    const bytes = sizeOf(packet)
    if (!this.#hasRoom(bytes)) return
    this.#storedBytes += bytes
    session.byOrder.set(packet.brokerCounter, { order: packet.brokerCounter, bytes, packet: copyOf(packet) })
  }

  #hasRoom(bytes: number): boolean {
    if (this.#storedBytes + bytes <= this.#bounds.maxStoredBytes) return true
    this.#onNotKept('store_full')
    return false
  }
}
