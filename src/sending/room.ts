// The entrance of a queue: who gets in, who waits for room, who is refused (Collector reference 3.1).
//
//   offer --fits--> taken
//     |  \--full, block_on_overflow--> blocked --room--> taken
//     \--full, too large, stopped--> rejected
//
// A request counts against queue_size from the moment it is taken until its room is given back.

import { Fifo } from '../collections/fifo.ts'
import type { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import type { LaneConfig } from './config.ts'
import { queueFull, stopping, tooLarge } from './errors.ts'

type RoomConfig = Pick<LaneConfig, 'queueSize' | 'requestMaxSize' | 'blockOnOverflow' | 'sizer'>

export class Room {
  readonly #config: RoomConfig
  readonly #sizer: 'requests' | 'items' | 'bytes'
  readonly #take: (batch: Batch, size: number) => void
  readonly #onRejected: (batch: Batch, error: DeliveryError) => void
  readonly #blocked = new Fifo<Batch>()
  #blockedSize = 0
  #size = 0
  #stopped = false

  /** `onRejected` is called before the batch is refused. */
  constructor(
    config: RoomConfig,
    take: (batch: Batch, size: number) => void,
    onRejected: (batch: Batch, error: DeliveryError) => void,
  ) {
    this.#config = config
    this.#sizer = config.sizer ?? 'requests'
    this.#take = take
    this.#onRejected = onRejected
  }

  /** What is taken, in the queue's unit. */
  get size(): number {
    return this.#size
  }

  sizeOf(batch: { readonly items: number; readonly byteLength: number }, requests = 1): number {
    if (this.#sizer === 'requests') return requests
    return this.#sizer === 'items' ? batch.items : batch.byteLength
  }

  offer(batch: Batch): void {
    if (batch.items === 0) {
      batch.delivery.deliver()
      return
    }
    const size = this.sizeOf(batch)
    const { requestMaxSize, blockOnOverflow } = this.#config
    if (this.#stopped) this.reject(batch, stopping())
    else if (size > requestMaxSize) this.reject(batch, tooLarge(size, requestMaxSize, this.#sizer))
    else if (this.#blocked.length === 0 && this.#fits(size, this.#size)) this.#enter(batch, size)
    // Those who may wait are bounded too: together as much as the queue itself holds.
    else if (!blockOnOverflow || !this.#fits(size, this.#blockedSize)) this.reject(batch, queueFull())
    else {
      this.#blockedSize += size
      this.#blocked.push(batch)
    }
  }

  /** Counts what was in the queue before this process; may be more than queue_size. */
  occupy(size: number): void {
    this.#size += size
  }

  /** Gives room back, and lets those in who wait for it. */
  release(size: number): void {
    this.#size -= size
    for (let next = this.#blocked.peek(); next !== undefined; next = this.#blocked.peek()) {
      const wanted = this.sizeOf(next)
      if (!this.#fits(wanted, this.#size)) break
      this.#blocked.shift()
      this.#blockedSize -= wanted
      this.#enter(next, wanted)
    }
  }

  /** Nobody gets in any more; who waits is refused. */
  stop(): void {
    this.#stopped = true
    for (let batch = this.#blocked.shift(); batch !== undefined; batch = this.#blocked.shift())
      this.reject(batch, stopping())
    this.#blockedSize = 0
  }

  reject(batch: Batch, error: DeliveryError): void {
    this.#onRejected(batch, error)
    batch.delivery.refuse(error)
  }

  #fits(size: number, beside: number): boolean {
    return beside === 0 || beside + size <= this.#config.queueSize
  }

  #enter(batch: Batch, size: number): void {
    this.#size += size
    this.#take(batch, size)
  }
}
