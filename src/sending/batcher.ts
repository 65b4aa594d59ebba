// Joins what waits in a queue into larger requests (Collector reference 3.1, `batch`).
//
// One open batch for each combination of the partition's header values. It goes when it has reached min_size, or when
// flush_timeout has passed since its first part came. Nothing is copied: parts lie side by side in the rope, and only a
// batch above max_size is cut. An empty partition is forgotten at once, so there are never more than requests waiting.
// Requests of a signal that cannot stand side by side (profiles) wait for nobody.

import { Delivery } from '../delivery/delivery.ts'
import type { Clock, Timer } from '../graph/clock.ts'
import { Batch, type ClientInfo, NO_CLIENT } from '../otlp/batch.ts'
import { canMerge } from '../otlp/merge.ts'
import { splitBatch } from '../otlp/split.ts'
import type { BatchConfig } from './config.ts'

type BatchSizer = 'items' | 'bytes'

interface Partition {
  readonly key: string
  readonly client: ClientInfo
  batches: Batch[]
  size: number
  timer: Timer | undefined
}

export class Batcher {
  readonly #config: BatchConfig
  readonly #sizer: BatchSizer
  readonly #keys: readonly string[]
  readonly #clock: Clock
  readonly #emit: (batch: Batch) => void
  readonly #partitions = new Map<string, Partition>()

  constructor(config: BatchConfig, sizer: BatchSizer, clock: Clock, emit: (batch: Batch) => void) {
    this.#config = config
    this.#sizer = sizer
    this.#keys = config.partition.metadataKeys.map((key) => key.toLowerCase())
    this.#clock = clock
    this.#emit = emit
  }

  add(batch: Batch): void {
    const { maxSize } = this.#config
    if (!canMerge(batch.signal)) {
      for (const piece of maxSize === 0 ? [batch] : splitBatch(batch, maxSize, maxSize, this.#sizer)) this.#emit(piece)
      return
    }
    const partition = this.#partitionOf(batch)
    const size = this.#sizeOf(batch)
    if (maxSize === 0 || partition.size + size <= maxSize) this.#append(partition, batch, size)
    else this.#fill(partition, batch)
  }

  /** Sends what is held, whatever its size. */
  flush(): void {
    for (const partition of [...this.#partitions.values()]) this.#flush(partition)
  }

  /** Forgets what is held: its owner has it elsewhere. */
  discard(): void {
    for (const partition of this.#partitions.values()) partition.timer?.cancel()
    this.#partitions.clear()
  }

  #append(partition: Partition, batch: Batch, size: number): void {
    partition.batches.push(batch)
    partition.size += size
    if (partition.size >= this.#config.minSize) this.#flush(partition)
    else partition.timer ??= this.#clock.after(this.#config.flushTimeoutMs, () => this.#flush(partition))
  }

  /** Tops the open batch up to max_size, sends full ones, and keeps the rest as the new open batch. */
  #fill(partition: Partition, batch: Batch): void {
    const { maxSize } = this.#config
    const pieces = splitBatch(batch, maxSize, maxSize - partition.size, this.#sizer)
    for (const piece of pieces) {
      const size = this.#sizeOf(piece)
      let open = this.#partitions.get(partition.key)
      if (open !== undefined && open.size > 0 && open.size + size > maxSize) {
        this.#flush(open)
        open = undefined
      }
      this.#append(open ?? this.#open(partition.key, partition.client), piece, size)
    }
  }

  #flush(partition: Partition): void {
    partition.timer?.cancel()
    this.#partitions.delete(partition.key)
    const { batches } = partition
    if (batches.length === 0) return
    this.#emit(batches.length === 1 ? batches[0]! : join(batches, partition.client))
  }

  #sizeOf(batch: Batch): number {
    return this.#sizer === 'items' ? batch.items : batch.byteLength
  }

  #partitionOf(batch: Batch): Partition {
    let key = ''
    // A length before each value, so that no two combinations read alike.
    for (const name of this.#keys) {
      const values = batch.client.metadata?.get(name)
      key += values === undefined ? '-' : `${values.length}[`
      if (values !== undefined) for (const value of values) key += `${value.length}:${value}`
    }
    return this.#partitions.get(key) ?? this.#open(key, this.#clientOf(batch))
  }

  #open(key: string, client: ClientInfo): Partition {
    const partition: Partition = { key, client, batches: [], size: 0, timer: undefined }
    this.#partitions.set(key, partition)
    return partition
  }

  /** Only the headers that all parts share travel on with a joined batch. */
  #clientOf(batch: Batch): ClientInfo {
    if (this.#keys.length === 0) return NO_CLIENT
    const metadata = new Map<string, readonly string[]>()
    for (const name of this.#keys) {
      const values = batch.client.metadata?.get(name)
      if (values !== undefined) metadata.set(name, values)
    }
    return { metadata }
  }
}

function join(batches: readonly Batch[], client: ClientInfo): Batch {
  const parts: Uint8Array[] = []
  const deliveries: Delivery[] = []
  let items = 0
  for (const batch of batches) {
    for (const part of batch.parts) parts.push(part)
    deliveries.push(batch.delivery)
    items += batch.items
  }
  return new Batch(batches[0]!.signal, parts, items, Delivery.merge(deliveries), client)
}
