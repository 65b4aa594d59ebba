// The unit that moves between components: one signal, a rope of encoded Export*ServiceRequest messages, the number of
// items in them, who sent them, and the delivery record.
//
// A batch and its bytes are immutable. Fan-out hands the same bytes to every branch; an edit makes new bytes and a new
// batch around them (`with`). Whoever receives a batch settles its delivery record exactly once, now or later, or
// passes it on.

import type { Delivery } from '../delivery/delivery.ts'
import type { Signal } from './signal.ts'

/** Who sent a batch. `metadata` holds request headers (lower-case keys) where the receiver's include_metadata is on. */
export interface ClientInfo {
  readonly address?: string
  readonly metadata?: ReadonlyMap<string, readonly string[]>
  readonly auth?: ReadonlyMap<string, unknown>
}

export const NO_CLIENT: ClientInfo = Object.freeze({})

export class Batch {
  readonly signal: Signal
  /** Encoded requests that side by side are one request (concatenated protobuf messages merge). Never changed in place. */
  readonly parts: readonly Uint8Array[]
  /** Spans, metric data points, log records, or profile samples. */
  readonly items: number
  readonly delivery: Delivery
  readonly client: ClientInfo
  /** Sum of the parts' lengths. */
  readonly byteLength: number

  constructor(
    signal: Signal,
    parts: readonly Uint8Array[],
    items: number,
    delivery: Delivery,
    client: ClientInfo = NO_CLIENT,
  ) {
    this.signal = signal
    this.parts = parts
    this.items = items
    this.delivery = delivery
    this.client = client
    let byteLength = 0
    for (const part of parts) byteLength += part.byteLength
    this.byteLength = byteLength
  }

  /** The same batch with other bytes: takes over the delivery record, so only one of the two may travel on. */
  with(parts: readonly Uint8Array[], items = this.items): Batch {
    return new Batch(this.signal, parts, items, this.delivery, this.client)
  }

  /** The same bytes under another delivery record, for fan-out. */
  withDelivery(delivery: Delivery): Batch {
    return new Batch(this.signal, this.parts, this.items, delivery, this.client)
  }
}
