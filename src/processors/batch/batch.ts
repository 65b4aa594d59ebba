// Joins requests into larger ones (reference/otelcol-core.md 3.4).
//
//   process --> pending, per combination of metadata values --> outgoing batch --> next
//               leaves when there are send_batch_size items,
//               or when the timer finds anything
//
// The timer runs from the last time that size made a batch leave, or from its own last turn: what comes in waits for the
// rest of a period, not for a whole one. It is set only while something waits.
//
// A sender gets its answer as soon as its request is taken, as from the Collector, unless its pipeline answers when
// delivered: then accept() says nothing, and it waits. Its delivery record travels on either way, so that what becomes of
// the outgoing batch becomes of every request in it.
//
// Where senders wait, a batch also leaves when nothing more comes: no batch of this processor is on its way, and no
// request came for a moment. Senders that send their next request on the answer to the last would else get one answer
// per period; where requests keep coming, batches are as large as ever.

import { Delivery, type DeliveryListener } from '../../delivery/delivery.ts'
import { DeliveryError, WHEN_THERE_IS_ROOM } from '../../delivery/error.ts'
import type { Timer } from '../../graph/clock.ts'
import { type Output, type Processor, type ProcessorContext, shareOf } from '../../graph/component.ts'
import { Batch, type ClientInfo, NO_CLIENT } from '../../otlp/batch.ts'
import type { BatchConfig } from './config.ts'
import { BatchMetrics } from './metrics.ts'
import { Pending, type Taken } from './pending.ts'

/** Bounds that no key sets; of several shards each has its share. */
export interface BatchBounds {
  /** Waiting for company, over all combinations; one more request makes its batch leave early. Default 64 MiB. */
  readonly pendingMaxBytes: number
  /** Sent on and taken by nobody yet; above it senders wait for their answer. Default 16 MiB. */
  readonly untakenAnsweredMaxBytes: number
  /** The same; above it senders are refused and may try again. Default 64 MiB. */
  readonly untakenMaxBytes: number
  /** Without a request for this long, senders that wait for delivery are waiting for each other. Default 10 ms. */
  readonly quietMs: number
}

export const BATCH_BOUNDS: BatchBounds = {
  pendingMaxBytes: 64 * 2 ** 20,
  untakenAnsweredMaxBytes: 16 * 2 ** 20,
  untakenMaxBytes: 64 * 2 ** 20,
  quietMs: 10,
}

/** Telemetry that travels together: one combination of metadata values. */
interface Partition {
  readonly client: ClientInfo
  readonly pending: Pending
  timer: Timer | undefined
  /** When the timer's current period began. */
  periodFromMs: number
  /** Whether senders wait until it is delivered. */
  waits: boolean
  /** When the last request came. */
  lastMs: number
  /** Finds out whether none came since; runs only where senders wait. */
  quiet: Timer | undefined
  out: Output
}

export class BatchProcessor implements Processor {
  readonly #config: BatchConfig
  readonly #context: ProcessorContext
  readonly #bounds: BatchBounds
  readonly #metrics: BatchMetrics
  readonly #keys: readonly string[]
  readonly #partitions = new Map<string, Partition>()
  readonly #waits: boolean
  #stopped = false
  #pendingBytes = 0
  #untakenBytes = 0
  /** Batches that were sent on and are not settled. */
  #onTheirWay = 0

  constructor(config: BatchConfig, context: ProcessorContext, bounds: BatchBounds = BATCH_BOUNDS) {
    this.#config = config
    this.#context = context
    this.#bounds = {
      ...bounds,
      pendingMaxBytes: shareOf(bounds.pendingMaxBytes, context.shards),
      untakenAnsweredMaxBytes: shareOf(bounds.untakenAnsweredMaxBytes, context.shards),
      untakenMaxBytes: shareOf(bounds.untakenMaxBytes, context.shards),
    }
    this.#keys = config.metadataKeys.map((key) => key.toLowerCase()).sort()
    this.#waits = config.timeoutMs > 0 && config.sendBatchSize > 0
    this.#metrics = new BatchMetrics(context.meter, context.signal, () =>
      this.#keys.length === 0 ? 1 : this.#partitions.size,
    )
  }

  process(batch: Batch, out: Output): void {
    if (batch.items === 0) {
      batch.delivery.deliver() // nothing to send: requests without items end here
      return
    }
    const partition = this.#partitionOf(batch, out)
    if (partition === undefined || !this.#take(batch)) return
    partition.out = out
    this.#add(partition, batch)
    const { sendBatchSize } = this.#config
    let sent = false
    while (
      partition.pending.items > 0 &&
      (!this.#waits || this.#stopped || partition.pending.items >= sendBatchSize || this.#isFull())
    ) {
      sent = true
      this.#send(partition, 'size')
    }
    if (sent) this.#restartTimer(partition)
    this.#ensureTimer(partition)
    partition.waits = batch.delivery.waits
    if (!partition.waits) return
    partition.lastMs = this.#context.clock.monotonic()
    this.#watchForQuiet(partition)
  }

  stop(): void {
    this.#stopped = true
    for (const partition of this.#partitions.values()) {
      partition.timer?.cancel()
      partition.timer = undefined
      partition.quiet?.cancel()
      while (partition.pending.items > 0) this.#send(partition, 'timeout')
    }
  }

  /** Takes the request over, or refuses it. The one place that says when a sender gets its answer. */
  #take(batch: Batch): boolean {
    if (this.#untakenBytes > this.#bounds.untakenMaxBytes) {
      const text = `${this.#context.id} holds ${this.#untakenBytes} bytes that the next component has not taken`
      batch.delivery.refuse(new DeliveryError('BATCH_FULL', text, { retry: WHEN_THERE_IS_ROOM }))
      return false
    }
    if (this.#untakenBytes <= this.#bounds.untakenAnsweredMaxBytes) batch.delivery.accept()
    return true
  }

  #add(partition: Partition, batch: Batch): void {
    const before = partition.pending.bytes
    partition.pending.add(batch)
    this.#pendingBytes += partition.pending.bytes - before
  }

  #isFull(): boolean {
    return this.#pendingBytes > this.#bounds.pendingMaxBytes
  }

  #send(partition: Partition, trigger: 'size' | 'timeout'): void {
    const before = partition.pending.bytes
    const taken = partition.pending.take(this.#config.sendBatchMaxSize)
    this.#pendingBytes += partition.pending.bytes - before
    const outgoing = new Outgoing(this, taken)
    const { signal } = this.#context
    const batch = new Batch(signal, taken.parts, taken.items, new Delivery(outgoing), partition.client)
    outgoing.bytes = batch.byteLength
    this.#untakenBytes += batch.byteLength
    this.#onTheirWay++
    this.#metrics.sent(trigger, batch)
    partition.out.send(batch)
  }

  /** The next component took an outgoing batch, or refused it before that. */
  taken(bytes: number): void {
    this.#untakenBytes -= bytes
  }

  /** An outgoing batch is settled; the requests in it hear of it after this. */
  settled(): void {
    this.#onTheirWay--
    if (this.#onTheirWay === 0)
      for (const partition of this.#partitions.values()) if (partition.waits) this.#watchForQuiet(partition)
  }

  /** `lost` counts the items whose senders had their answer; the others may try again. */
  refused(error: DeliveryError, lost: number): void {
    if (lost > 0) this.#metrics.dropped(lost)
    this.#context.log.warn('Sender failed', { error: error.message, code: error.code, dropped_items: lost })
  }

  /** Sends what waits once it is quiet. While a batch is on its way nothing is watched: its end begins anew. */
  #watchForQuiet(partition: Partition): void {
    if (partition.quiet !== undefined || partition.pending.items === 0 || this.#onTheirWay > 0 || this.#stopped) return
    const { clock } = this.#context
    const watch = (afterMs: number): void => {
      partition.quiet = clock.after(afterMs, () => {
        partition.quiet = undefined
        if (partition.pending.items === 0 || this.#onTheirWay > 0) return
        const restMs = partition.lastMs + this.#bounds.quietMs - clock.monotonic()
        if (restMs > 0) return watch(restMs)
        this.#send(partition, 'timeout')
        this.#restartTimer(partition)
        this.#ensureTimer(partition)
      })
    }
    watch(this.#bounds.quietMs)
  }

  #ensureTimer(partition: Partition): void {
    if (!this.#waits || this.#stopped || partition.timer !== undefined || partition.pending.items === 0) return
    const { timeoutMs } = this.#config
    const passedMs = (this.#context.clock.monotonic() - partition.periodFromMs) % timeoutMs
    partition.timer = this.#context.clock.after(timeoutMs - passedMs, () => {
      this.#restartTimer(partition)
      if (partition.pending.items > 0) this.#send(partition, 'timeout')
      this.#ensureTimer(partition)
    })
  }

  #restartTimer(partition: Partition): void {
    partition.timer?.cancel()
    partition.timer = undefined
    partition.periodFromMs = this.#context.clock.monotonic()
  }

  #partitionOf(batch: Batch, out: Output): Partition | undefined {
    const name = this.#keys.length === 0 ? '' : this.#nameOf(batch.client)
    const known = this.#partitions.get(name)
    if (known !== undefined) return known
    const limit = this.#config.metadataCardinalityLimit
    if (this.#keys.length > 0 && limit > 0 && this.#partitions.size >= limit) {
      const text = 'too many batcher metadata-value combinations'
      batch.delivery.refuse(new DeliveryError('BATCH_TOO_MANY_COMBINATIONS', text, { retry: 'never' }))
      return undefined
    }
    const partition: Partition = {
      client: this.#clientOf(batch.client),
      pending: new Pending(),
      timer: undefined,
      periodFromMs: this.#context.clock.monotonic(),
      waits: false,
      lastMs: 0,
      quiet: undefined,
      out,
    }
    this.#partitions.set(name, partition)
    return partition
  }

  /** An absent header and one with a single empty value are the same. */
  #nameOf(client: ClientInfo): string {
    return JSON.stringify(this.#keys.map((key) => valuesOf(client, key) ?? ['']))
  }

  /** Of the client only the chosen headers travel on. */
  #clientOf(client: ClientInfo): ClientInfo {
    if (this.#keys.length === 0) return NO_CLIENT
    const metadata = new Map<string, readonly string[]>()
    for (const key of this.#keys) {
      const values = valuesOf(client, key)
      if (values !== undefined) metadata.set(key, values)
    }
    return { metadata }
  }
}

function valuesOf(client: ClientInfo, key: string): readonly string[] | undefined {
  const values = client.metadata?.get(key)
  return values === undefined || values.length === 0 ? undefined : values
}

/** Listens to an outgoing batch for all the requests in it. */
class Outgoing implements DeliveryListener {
  bytes = 0
  readonly #processor: BatchProcessor
  readonly #deliveries: readonly Delivery[]
  readonly #counts: readonly number[]

  constructor(processor: BatchProcessor, taken: Taken) {
    this.#processor = processor
    this.#deliveries = taken.deliveries
    this.#counts = taken.counts
  }

  onAccepted(): void {
    this.#processor.taken(this.bytes)
    for (const delivery of this.#deliveries) delivery.accept()
  }

  onDelivered(): void {
    this.#processor.settled()
    for (const delivery of this.#deliveries) delivery.deliver()
  }

  onRefused(error: DeliveryError, accepted: boolean): void {
    this.#processor.settled()
    // Once a buffer has accepted it, that buffer counts and logs its loss.
    if (!accepted) {
      this.#processor.taken(this.bytes)
      let lost = 0
      for (let i = 0; i < this.#deliveries.length; i++) if (this.#deliveries[i]!.accepted) lost += this.#counts[i]!
      this.#processor.refused(error, lost)
    }
    for (const delivery of this.#deliveries) delivery.refuse(error)
  }
}
