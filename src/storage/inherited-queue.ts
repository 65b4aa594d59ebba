// A queue beside those that shards which are gone have left behind: what it gives comes from these first.
//
//   append() ----------------> own
//   take()   <-- left by shard 4 <-- left by shard 6 <-- own
//                     \-- all of it settled: closed, and its directory removed
//
// Each of them keeps its order. While one is read from disk, the next in line is asked, so that senders do not stand idle.

import type { DeliveryError } from '../delivery/error.ts'
import type { QueueRecord, RecordQueue, TakenRecord } from './disk-queue.ts'
import type { Totals } from './format.ts'

/** A queue that nobody appends to any more. */
export interface Inheritance {
  readonly queue: RecordQueue
  /** Called once it is empty and closed. */
  emptied(): Promise<void>
}

export class InheritedQueue implements RecordQueue {
  readonly #own: RecordQueue
  readonly #inherited: Set<Inheritance>
  /** Where a record that was taken is to be settled; those of the own queue are not in it. */
  readonly #taken = new Map<TakenRecord, Inheritance>()
  readonly #closing = new Set<Promise<void>>()
  #closed = false

  constructor(own: RecordQueue, inherited: Iterable<Inheritance>) {
    this.#own = own
    this.#inherited = new Set(inherited)
    this.lookForEmpty()
  }

  get left(): Totals {
    const sum = { records: 0, items: 0, bytes: 0 }
    for (const { left } of this.#all()) {
      sum.records += left.records
      sum.items += left.items
      sum.bytes += left.bytes
    }
    return sum
  }

  get diskBytes(): number {
    return this.#own.diskBytes + this.inheritedBytes
  }

  /** Of what is left behind by others. */
  get inheritedBytes(): number {
    let bytes = 0
    for (const { queue } of this.#inherited) bytes += queue.diskBytes
    return bytes
  }

  get maxBytes(): number {
    return this.#own.maxBytes
  }

  append(record: QueueRecord, done: (error?: DeliveryError) => void): void {
    this.#own.append(record, done)
  }

  take(): TakenRecord | undefined {
    for (const inheritance of this.#inherited) {
      const record = inheritance.queue.take()
      if (record === undefined) continue
      this.#taken.set(record, inheritance)
      return record
    }
    return this.#own.take()
  }

  settle(record: TakenRecord): void {
    const inheritance = this.#taken.get(record)
    if (inheritance === undefined) {
      this.#own.settle(record)
      return
    }
    this.#taken.delete(record)
    inheritance.queue.settle(record)
    if (inheritance.queue.left.records === 0) this.#empty(inheritance)
  }

  /** Closes what is empty: to be called when records were lost, too. */
  lookForEmpty(): void {
    for (const inheritance of this.#inherited) if (inheritance.queue.left.records === 0) this.#empty(inheritance)
  }

  abort(error: DeliveryError): void {
    this.#own.abort(error)
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#all()].map((queue) => queue.close()))
    await Promise.all(this.#closing)
  }

  *#all(): Iterable<RecordQueue> {
    for (const { queue } of this.#inherited) yield queue
    yield this.#own
  }

  #empty(inheritance: Inheritance): void {
    if (this.#closed || !this.#inherited.delete(inheritance)) return
    const closing = inheritance.queue
      .close()
      .then(() => inheritance.emptied())
      .catch(() => undefined)
      .finally(() => this.#closing.delete(closing))
    this.#closing.add(closing)
  }
}
