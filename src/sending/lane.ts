// The queue of one signal and the senders behind it (Collector reference 3.1).
//
//   offer --fits--> waiting (accepted) --a sender is free--> on its way --> settled
//     |  \                \--with `batch`: joined first--/
//     |   \--full, block_on_overflow--> blocked --room--> waiting
//     \--full, too large, stopped--> refused
//
// A request counts against queue_size from the moment it is taken until it is settled.

import { Delivery } from '../delivery/delivery.ts'
import type { DeliveryError } from '../delivery/error.ts'
import type { Clock } from '../graph/clock.ts'
import type { Batch } from '../otlp/batch.ts'
import { Batcher } from './batcher.ts'
import { batchSizer, type QueueConfig } from './config.ts'
import { queueFull, stopping, tooLarge } from './errors.ts'
import { Fifo } from './fifo.ts'
import type { Sender } from './sender.ts'

export interface LaneOptions {
  readonly config: QueueConfig
  readonly sender: Sender
  readonly clock: Clock
  /** Before the batch is refused at the queue's entrance. */
  onRejected(batch: Batch, error: DeliveryError): void
  onBatched(batch: Batch): void
}

export class QueueLane {
  readonly #options: LaneOptions
  readonly #config: QueueConfig
  readonly #sizer: 'requests' | 'items' | 'bytes'
  readonly #batcher: Batcher | undefined
  readonly #waiting = new Fifo<Batch>()
  readonly #blocked = new Fifo<Batch>()
  #blockedSize = 0
  #size = 0
  #sending = 0
  #stopped = false
  #onIdle: (() => void) | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.#config = options.config
    this.#sizer = options.config.sizer ?? 'requests'
    const { batch } = options.config
    if (batch === undefined) return
    const sizer = batchSizer(batch.sizer, options.config.sizer) === 'bytes' ? 'bytes' : 'items'
    this.#batcher = new Batcher(batch, sizer, options.clock, (ready) => {
      options.onBatched(ready)
      this.#waiting.push(ready)
      this.#sendNext()
    })
  }

  /** What is waiting or on its way, in the queue's unit. */
  get size(): number {
    return this.#size
  }

  get inFlight(): number {
    return this.#sending
  }

  offer(batch: Batch): void {
    if (batch.items === 0) {
      batch.delivery.deliver()
      return
    }
    const size = this.#sizeOf(batch)
    const { queueSize, blockOnOverflow } = this.#config
    if (this.#stopped) {
      this.#reject(batch, stopping())
      return
    }
    if (size > queueSize) {
      this.#reject(batch, tooLarge(size, queueSize, this.#sizer))
      return
    }
    if (this.#blocked.length === 0 && this.#size + size <= queueSize) {
      this.#take(batch, size)
      return
    }
    // Those who may wait are bounded too: together as much as the queue itself holds.
    if (!blockOnOverflow || this.#blockedSize + size > queueSize) {
      this.#reject(batch, queueFull())
      return
    }
    this.#blockedSize += size
    this.#blocked.push(batch)
  }

  /** Takes nothing more; `onIdle` is called once everything that was taken is settled. */
  stop(onIdle: () => void): void {
    this.#stopped = true
    this.#rejectBlocked()
    this.#onIdle = onIdle
    this.#batcher?.flush()
    this.#noteIdle()
  }

  /** Refuses what still waits. What is on its way is the sender's to abort. */
  abort(): void {
    for (;;) {
      const batch = this.#waiting.shift()
      if (batch === undefined) return
      const error = stopping()
      this.#options.sender.options.onFailed(batch, error)
      batch.delivery.refuse(error)
      if (this.#batcher === undefined) this.#release(this.#sizeOf(batch))
    }
  }

  #take(batch: Batch, size: number): void {
    this.#size += size
    if (!this.#config.waitForResult) batch.delivery.accept()
    if (this.#batcher === undefined) {
      this.#waiting.push(batch)
      this.#sendNext()
    } else this.#batcher.add(batch.withDelivery(this.#releasing(batch.delivery, size)))
  }

  /** Joined and cut batches end at different times: each request gives its room back when its own record is settled. */
  #releasing(delivery: Delivery, size: number): Delivery {
    return new Delivery({
      onAccepted: () => delivery.accept(),
      onDelivered: () => {
        delivery.deliver()
        this.#release(size)
      },
      onRefused: (error) => {
        delivery.refuse(error)
        this.#release(size)
      },
    })
  }

  #sendNext(): void {
    while (this.#sending < this.#config.consumers) {
      const batch = this.#waiting.shift()
      if (batch === undefined) return
      this.#sending++
      this.#options.sender.send(batch, this.#sent)
    }
  }

  readonly #sent = (batch: Batch): void => {
    this.#sending--
    if (this.#batcher === undefined) this.#release(this.#sizeOf(batch))
    this.#sendNext()
    this.#noteIdle()
  }

  #release(size: number): void {
    this.#size -= size
    for (let next = this.#blocked.peek(); next !== undefined; next = this.#blocked.peek()) {
      const wanted = this.#sizeOf(next)
      if (this.#size + wanted > this.#config.queueSize) break
      this.#blocked.shift()
      this.#blockedSize -= wanted
      this.#take(next, wanted)
    }
    this.#noteIdle()
  }

  #rejectBlocked(): void {
    for (let batch = this.#blocked.shift(); batch !== undefined; batch = this.#blocked.shift())
      this.#reject(batch, stopping())
    this.#blockedSize = 0
  }

  #reject(batch: Batch, error: DeliveryError): void {
    this.#options.onRejected(batch, error)
    batch.delivery.refuse(error)
  }

  #noteIdle(): void {
    if (this.#onIdle === undefined || this.#size > 0 || this.#sending > 0) return
    const onIdle = this.#onIdle
    this.#onIdle = undefined
    onIdle()
  }

  #sizeOf(batch: Batch): number {
    if (this.#sizer === 'requests') return 1
    return this.#sizer === 'items' ? batch.items : batch.byteLength
  }
}
