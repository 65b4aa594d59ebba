// The queue of one signal on disk, and the senders behind it (Collector reference 3.1 and 3.2).
//
//   offer --room.ts--> appended --durable--> delivered, for whoever sent it
//                                   |
//                                   v
//                 DiskQueue.take() --a sender is free--> on its way --> delivered, or given up: settled in the queue
//                        ^    \--with `batch`: joined first--/    \
//                        |                                         \--the router stops: kept
//                        +--after a restart, in the same order-------'
//
// The sender's record ends when the disk has its request; what follows has a record of the queue's own. A request counts
// against queue_size until it is settled, also when a process before this one took it.

import { Fifo } from '../collections/fifo.ts'
import { Delivery } from '../delivery/delivery.ts'
import type { DeliveryError } from '../delivery/error.ts'
import { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import type { RecordQueue, TakenRecord } from '../storage/disk-queue.ts'
import type { Totals } from '../storage/format.ts'
import type { Batcher } from './batcher.ts'
import { notOpen, stopping } from './errors.ts'
import { type Lane, type LaneOptions, makeBatcher } from './lane.ts'
import { decodeClient, encodeClient } from './queue-meta.ts'
import { Room } from './room.ts'

/** Bytes that were taken from the disk and gather in open batches; more are not taken until some of them leave. */
const GATHERED_MAX_BYTES = 16 * 2 ** 20

export interface DiskLaneOptions extends LaneOptions {
  readonly signal: Signal
}

export class DiskLane implements Lane {
  readonly #options: DiskLaneOptions
  readonly #room: Room
  readonly #batcher: Batcher | undefined
  /** Joined batches that wait for a sender. */
  readonly #ready = new Fifo<Batch>()
  #queue: RecordQueue | undefined
  #gatheredBytes = 0
  #sending = 0
  #stopped = false
  #onIdle: (() => void) | undefined

  constructor(options: DiskLaneOptions) {
    this.#options = options
    this.#room = new Room(
      options.config,
      (batch, size) => this.#append(batch, size),
      (batch, error) => options.onRejected(batch, error),
    )
    this.#batcher = makeBatcher(options, (ready) => {
      this.#ready.push(ready)
      this.sendNext()
    })
  }

  get size(): number {
    return this.#room.size
  }

  get inFlight(): number {
    return this.#sending
  }

  get diskBytes(): number {
    return this.#queue?.diskBytes ?? 0
  }

  get diskMaxBytes(): number {
    return this.#queue?.maxBytes ?? 0
  }

  /** Sends what the queue holds. Until then everything is refused. */
  open(queue: RecordQueue): void {
    this.#queue = queue
    this.#room.occupy(this.#sizeOf(queue.left))
    this.sendNext()
  }

  offer(batch: Batch): void {
    if (this.#queue === undefined) this.#room.reject(batch, notOpen())
    else this.#room.offer(batch)
  }

  /** Records that the queue could not read back: they wait for nobody any more. */
  lost(totals: Totals): void {
    // What was lost before the queue opened was never counted.
    if (this.#queue !== undefined) this.#release(this.#sizeOf(totals))
  }

  /** Nothing more is sent; requests are still taken. */
  hold(): void {
    this.#stopped = true
  }

  /** What is on its way ends; the rest stays on disk. */
  stop(onIdle: () => void): void {
    this.hold()
    this.#room.stop()
    this.#batcher?.discard()
    while (this.#ready.shift() !== undefined);
    this.#onIdle = onIdle
    this.#noteIdle()
  }

  abort(): void {
    this.#queue?.abort(stopping())
  }

  async close(): Promise<void> {
    await this.#queue?.close()
  }

  /** As many as there are senders. */
  sendNext(): void {
    while (!this.#stopped && this.#sending < this.#options.config.consumers) {
      const batch = this.#ready.shift() ?? this.#next()
      if (batch === undefined) return
      this.#sending++
      this.#options.sender.send(batch, this.#sent)
    }
  }

  #next(): Batch | undefined {
    const batcher = this.#batcher
    while (batcher === undefined || this.#gatheredBytes < GATHERED_MAX_BYTES) {
      const record = this.#queue?.take()
      if (record === undefined) return undefined
      const batch = this.#batchOf(record)
      if (batcher === undefined) return batch
      this.#gatheredBytes += record.bytes
      batcher.add(batch)
      const ready = this.#ready.shift()
      if (ready !== undefined) return ready
    }
    return undefined
  }

  #append(batch: Batch, size: number): void {
    const record = { items: batch.items, meta: encodeClient(batch.client), parts: batch.parts }
    this.#queue!.append(record, (error) => {
      if (error === undefined) batch.delivery.deliver()
      else {
        this.#room.reject(batch, error)
        this.#release(size)
      }
    })
  }

  #batchOf(record: TakenRecord): Batch {
    const { items, parts, meta } = record
    const delivery = new Delivery({
      onDelivered: () => this.#settle(record),
      onRefused: (error) => {
        if (!this.isKept(error)) this.#settle(record)
      },
    })
    return new Batch(this.#options.signal, parts, items, delivery, decodeClient(meta))
  }

  /**
   * Whether what failed stays in the queue, because the router stops: it is as good as before. Of a request that was cut, one
   * piece's refusal says nothing of the others, so then all of it stays.
   */
  isKept(error: DeliveryError): boolean {
    return this.#stopped && (error.code === 'EXPORTER_STOPPED' || this.#batcher !== undefined)
  }

  #settle(record: TakenRecord): void {
    this.#queue!.settle(record)
    if (this.#batcher !== undefined) this.#gatheredBytes -= record.bytes
    this.#release(this.#sizeOf({ records: 1, items: record.items, bytes: record.bytes }))
  }

  readonly #sent = (): void => {
    this.#sending--
    this.sendNext()
    this.#noteIdle()
  }

  #release(size: number): void {
    this.#room.release(size)
    this.#noteIdle()
  }

  #sizeOf({ records, items, bytes }: Totals): number {
    return this.#room.sizeOf({ items, byteLength: bytes }, records)
  }

  #noteIdle(): void {
    if (this.#onIdle === undefined || this.#sending > 0) return
    const onIdle = this.#onIdle
    this.#onIdle = undefined
    onIdle()
  }
}
