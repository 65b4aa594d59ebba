// The parts between components: the entry of a pipeline with its counts, the steps through processors, gates and fan-out.
//
// Whatever a component sends to is one of these objects, and all of them can be pointed elsewhere between two turns of the
// event loop: a reload rewires what lives on without telling it (update.ts).

import { Delivery, type DeliveryListener } from '../delivery/delivery.ts'
import type { DeliveryError } from '../delivery/error.ts'
import type { Batch } from '../otlp/batch.ts'
import type { Signal } from '../otlp/signal.ts'
import type { Counter } from '../self/meter.ts'
import type { Connector, Exporter, Output, Processor } from './component.ts'
import type { Guard } from './guard.ts'

/** What a pipeline has seen since its start, in items. `in` is the sum of the others once everything has settled. */
export interface PipelineTotals {
  readonly name: string
  readonly signal: Signal
  readonly in: number
  /** Reached every exporter of the pipeline that should have it, or was dropped on purpose and counted there. */
  readonly delivered: number
  /** Refused to the sender, who may try again. */
  readonly refused: number
  /** Lost after the sender had its answer; the log and the exporter's counters say why. */
  readonly dropped: number
  /** Taken and not settled yet. */
  readonly inFlight: number
}

/** What whoever feeds a pipeline waits for: that some buffer took the batch, or that it is delivered. */
export type AnswersWhen = 'accepted' | 'delivered'

/**
 * An output that can be pointed elsewhere, and closed for a while. Batches that come while it is closed wait, in their
 * order, with their senders unanswered: what may wait is bounded by what the doors, and buffers on the way, let through.
 */
export class Gate implements Output {
  #held: Batch[] = []
  readonly #closed: Output = { send: (batch) => void this.#held.push(batch) }
  #target: Output = this.#closed

  send(batch: Batch): void {
    this.#target.send(batch)
  }

  close(): void {
    this.#target = this.#closed
  }

  /** What comes from here on, and all that waits, goes to `target`. */
  open(target: Output): void {
    this.#target = target
    for (const batch of this.#held.splice(0)) target.send(batch)
  }
}

/**
 * The way into a pipeline. Follows the delivery record of each batch, so that stopping knows when it has run dry, and
 * decides when its sender hears of it.
 */
export class PipelineEntry implements Output {
  readonly name: string
  readonly signal: Signal
  /** Where batches go from here; a reload may set it anew. */
  first: Output
  /** For batches that come from here on; a reload may set it anew. */
  answersWhen: AnswersWhen
  readonly #whenIdle: (() => void)[] = []
  #in = 0
  #delivered = 0
  #refused = 0
  #dropped = 0
  #batches = 0

  constructor(name: string, signal: Signal, first: Output, answersWhen: AnswersWhen = 'accepted') {
    this.name = name
    this.signal = signal
    this.first = first
    this.answersWhen = answersWhen
  }

  send(batch: Batch): void {
    this.#in += batch.items
    this.#batches++
    const waits = this.answersWhen === 'delivered'
    this.first.send(batch.withDelivery(new Delivery(new Passing(this, batch), waits)))
  }

  /** Resolves when every batch that came in has settled. */
  idle(): Promise<void> {
    return this.#batches === 0 ? Promise.resolve() : new Promise((resolve) => this.#whenIdle.push(resolve))
  }

  totals(): PipelineTotals {
    const settled = this.#delivered + this.#refused + this.#dropped
    return {
      name: this.name,
      signal: this.signal,
      in: this.#in,
      delivered: this.#delivered,
      refused: this.#refused,
      dropped: this.#dropped,
      inFlight: this.#in - settled,
    }
  }

  delivered(items: number): void {
    this.#delivered += items
    this.#settle()
  }

  refused(items: number, accepted: boolean): void {
    if (accepted) this.#dropped += items
    else this.#refused += items
    this.#settle()
  }

  #settle(): void {
    this.#batches--
    if (this.#batches > 0) return
    for (const resolve of this.#whenIdle.splice(0)) resolve()
  }
}

class Passing implements DeliveryListener {
  readonly #entry: PipelineEntry
  readonly #batch: Batch

  constructor(entry: PipelineEntry, batch: Batch) {
    this.#entry = entry
    this.#batch = batch
  }

  onAccepted(): void {
    this.#batch.delivery.accept()
  }

  onDelivered(): void {
    this.#entry.delivered(this.#batch.items)
    this.#batch.delivery.deliver()
  }

  onRefused(error: DeliveryError, accepted: boolean): void {
    this.#entry.refused(this.#batch.items, accepted)
    this.#batch.delivery.refuse(error)
  }
}

/** What a processor in one pipeline sends to: it counts, and can be pointed elsewhere. A processor may keep it. */
class StepOutput implements Output {
  readonly #outgoing: Counter
  next: Output

  constructor(outgoing: Counter, next: Output) {
    this.#outgoing = outgoing
    this.next = next
  }

  send(batch: Batch): void {
    this.#outgoing.add(batch.items)
    this.next.send(batch)
  }
}

/** Hands a batch to one processor; what the processor sends goes to `next`. Closed until it is opened. */
export class ProcessorStep {
  readonly input = new Gate()
  readonly #incoming: Counter
  readonly #output: StepOutput
  readonly #guard: Guard

  constructor(metrics: { incoming: Counter; outgoing: Counter }, next: Output, guard: Guard) {
    this.#incoming = metrics.incoming
    this.#output = new StepOutput(metrics.outgoing, next)
    this.#guard = guard
  }

  set next(next: Output) {
    this.#output.next = next
  }

  open(processor: Processor): void {
    this.input.open({
      send: (batch) => {
        this.#incoming.add(batch.items)
        try {
          processor.process(batch, this.#output)
        } catch (error) {
          this.#guard.failed(batch, error)
        }
      },
    })
  }
}

/** Who gets what an exporter gives back, once a reload has put another in its place. */
export interface Heir {
  next: Output | undefined
  /** Items that went there. */
  items: number
}

/**
 * The end of a pipeline: hands a batch to an exporter. What a replaced exporter could not send while it drained, and what
 * may be tried again, goes to its heir instead of being lost.
 */
export const exporterEnd = (exporter: Exporter, heir: Heir, guard: Guard): Output => ({
  send(batch) {
    const own = batch.withDelivery(new Delivery(new Exporting(batch, heir)))
    try {
      exporter.export(own)
    } catch (error) {
      guard.failed(own, error)
    }
  },
})

class Exporting implements DeliveryListener {
  readonly #batch: Batch
  readonly #heir: Heir

  constructor(batch: Batch, heir: Heir) {
    this.#batch = batch
    this.#heir = heir
  }

  onAccepted(): void {
    this.#batch.delivery.accept()
  }

  onDelivered(): void {
    this.#batch.delivery.deliver()
  }

  onRefused(error: DeliveryError): void {
    const { next } = this.#heir
    if (next === undefined || error.retry === 'never') {
      this.#batch.delivery.refuse(error)
      return
    }
    this.#heir.items += this.#batch.items
    next.send(this.#batch)
  }
}

/** The end of a pipeline that is the start of others: what the connector sends goes to `out`. */
export const connectorEnd = (connector: Connector, out: Output, guard: Guard): Output => ({
  send(batch) {
    try {
      connector.process(batch, out)
    } catch (error) {
      guard.failed(batch, error)
    }
  },
})

/**
 * Gives the same bytes to every output, each under its own part of the delivery record. Every output is called, also
 * when an earlier one refused (reference/otelcol-core.md 1.8). One output gets the batch as it is.
 */
export function fanOut(outputs: readonly Output[]): Output {
  if (outputs.length === 1) return outputs[0]!
  return {
    send(batch) {
      const parts = batch.delivery.split(outputs.length)
      for (let i = 0; i < outputs.length; i++) outputs[i]!.send(batch.withDelivery(parts[i]!))
    },
  }
}
