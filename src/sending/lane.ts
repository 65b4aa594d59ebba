// The queue of one signal in memory, and the senders behind it (Collector reference 3.1). disk-lane.ts is the other kind.
//
//   offer --room.ts--> waiting (accepted) --a sender is free--> on its way --> settled
//                        \--with `batch`: joined first--/

import { Fifo } from '../collections/fifo.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { DeliveryError } from '../delivery/error.ts'
import type { Clock } from '../graph/clock.ts'
import type { Batch } from '../otlp/batch.ts'
import { Batcher } from './batcher.ts'
import { batchSizer, type LaneConfig } from './config.ts'
import { stopping } from './errors.ts'
import { Room } from './room.ts'
import type { Sender } from './sender.ts'

export interface LaneOptions {
  readonly config: LaneConfig
  readonly sender: Sender
  readonly clock: Clock
  /** Before the batch is refused at the queue's entrance. */
  onRejected(batch: Batch, error: DeliveryError): void
  onBatched(batch: Batch): void
}

/** What stands between an exporter and its senders, for one signal. */
export interface Lane {
  /** What is waiting or on its way, in the queue's unit. */
  readonly size: number
  /** Requests on their way. */
  readonly inFlight: number
  offer(batch: Batch): void
  /** Takes nothing more; `onIdle` is called once everything that was taken is settled, or safe. */
  stop(onIdle: () => void): void
  /** Gives up what still waits. What is on its way is the sender's to abort. */
  abort(): void
}

export class QueueLane implements Lane {
  readonly #options: LaneOptions
  readonly #config: LaneConfig
  readonly #room: Room
  readonly #batcher: Batcher | undefined
  readonly #waiting = new Fifo<Batch>()
  #sending = 0
  #onIdle: (() => void) | undefined

  constructor(options: LaneOptions) {
    this.#options = options
    this.#config = options.config
    this.#room = new Room(
      options.config,
      (batch, size) => this.#take(batch, size),
      (batch, error) => options.onRejected(batch, error),
    )
    this.#batcher = makeBatcher(options, (ready) => {
      this.#waiting.push(ready)
      this.#sendNext()
    })
  }

  get size(): number {
    return this.#room.size
  }

  get inFlight(): number {
    return this.#sending
  }

  offer(batch: Batch): void {
    this.#room.offer(batch)
  }

  stop(onIdle: () => void): void {
    this.#room.stop()
    this.#onIdle = onIdle
    this.#batcher?.flush()
    this.#noteIdle()
  }

  abort(): void {
    for (;;) {
      const batch = this.#waiting.shift()
      if (batch === undefined) return
      const error = stopping()
      this.#options.sender.options.onFailed(batch, error)
      batch.delivery.refuse(error)
      if (this.#batcher === undefined) this.#release(this.#room.sizeOf(batch))
    }
  }

  #take(batch: Batch, size: number): void {
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
    if (this.#batcher === undefined) this.#release(this.#room.sizeOf(batch))
    this.#sendNext()
    this.#noteIdle()
  }

  #release(size: number): void {
    this.#room.release(size)
    this.#noteIdle()
  }

  #noteIdle(): void {
    if (this.#onIdle === undefined || this.#room.size > 0 || this.#sending > 0) return
    const onIdle = this.#onIdle
    this.#onIdle = undefined
    onIdle()
  }
}

/** Joins what the queue holds, where its configuration has `batch`. */
export function makeBatcher(options: LaneOptions, emit: (ready: Batch) => void): Batcher | undefined {
  const { batch, sizer } = options.config
  if (batch === undefined) return undefined
  const unit = batchSizer(batch.sizer, sizer) === 'bytes' ? 'bytes' : 'items'
  return new Batcher(batch, unit, options.clock, (ready) => {
    options.onBatched(ready)
    emit(ready)
  })
}
