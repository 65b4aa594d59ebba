// The part that is used of the broker library's store in memory: the package declares its types elsewhere than its code.

declare module 'aedes-persistence/asyncPersistence.js' {
  import type { Readable } from 'node:stream'

  /** A message, or a PUBREL that stands for one. */
  export interface StoredPacket {
    readonly cmd: string
    readonly topic: string
    readonly payload: Buffer
    readonly brokerCounter: number
    messageId?: number | undefined
  }

  export interface StoredClient {
    readonly id: string
  }

  export default class MemoryPersistence {
    storeRetained(packet: StoredPacket): Promise<void>
    addSubscriptions(client: StoredClient, subscriptions: readonly object[]): Promise<void>
    cleanSubscriptions(client: StoredClient): Promise<void>
    outgoingEnqueue(subscriber: { readonly clientId: string }, packet: StoredPacket): Promise<void>
    outgoingEnqueueCombi(subscribers: readonly { readonly clientId: string }[], packet: StoredPacket): Promise<void>
    outgoingUpdate(client: StoredClient, packet: StoredPacket): Promise<void>
    outgoingClearMessageId(client: StoredClient, packet: StoredPacket): Promise<StoredPacket | undefined>
    /** The next four: messages with QoS 2 between PUBLISH and PUBREL. */
    incomingStorePacket(client: StoredClient, packet: StoredPacket): Promise<void>
    incomingGetPacket(client: StoredClient, packet: StoredPacket): Promise<StoredPacket>
    incomingDelPacket(client: StoredClient, packet: StoredPacket): Promise<void>
    cleanIncoming(client: StoredClient): Promise<void>
    outgoingStream(client: StoredClient): Readable
  }
}
