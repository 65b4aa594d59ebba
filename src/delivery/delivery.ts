// The delivery record of a batch: settled exactly once, as delivered or as refused, and perhaps accepted before.
//
//            accept()              deliver()
//   pending ----------> accepted ------------> delivered
//      |  \_______________________________________^
//      |        refuse()   |  refuse()
//      +-------------------+-----------> refused
//
// A record that waits for delivery has no accepted state: buffers on its way hold the batch, and nobody is told before
// it is delivered or refused.
//
// Splitting, merging, fanning out and dropping keep the record: see split and merge below. Settling twice is a broken
// invariant and throws at once, except for a batch that was abandoned: who failed on it may not know what it holds.

import type { DeliveryError } from './error.ts'

/** What the owner of a batch wants to hear. Called synchronously, at most once each, accepted before the others. */
export interface DeliveryListener {
  /** Some buffer took the batch, or it was delivered without one: what OTLP clients wait for by default. */
  onAccepted?(): void
  /** Every exporter that should have it has it, or it is safe on disk. */
  onDelivered?(): void
  /** Final. `accepted` tells whether onAccepted came before, that is, whether a client already got its answer. */
  onRefused?(error: DeliveryError, accepted: boolean): void
}

const PENDING = 0
const ACCEPTED = 1
const DELIVERED = 2
const REFUSED = 3
const ABANDONED = 4

export class Delivery {
  #state = PENDING
  readonly #listener: DeliveryListener
  /** Acceptance is not heard: whoever sent the batch waits until it is delivered. Parts of it wait, too. */
  readonly waits: boolean

  constructor(listener: DeliveryListener, waits = false) {
    this.#listener = listener
    this.waits = waits
  }

  /** True once delivered or refused. */
  get settled(): boolean {
    return this.#state >= DELIVERED
  }

  /** True once a buffer took it (or it was delivered). */
  get accepted(): boolean {
    return this.#state === ACCEPTED || this.#state === DELIVERED
  }

  /**
   * A buffer holds the batch from here on. Calling it again is harmless: a batch may pass several buffers. Without
   * effect on a record that waits for delivery.
   */
  accept(): void {
    if (this.#state === ACCEPTED || this.#isOver('batch accepted after it was settled') || this.waits) return
    this.#state = ACCEPTED
    this.#listener.onAccepted?.()
  }

  /** Delivered: settles the batch. Implies accept(). */
  deliver(): void {
    if (this.#isOver('batch settled twice')) return
    const first = this.#state === PENDING
    this.#state = DELIVERED
    if (first) this.#listener.onAccepted?.()
    this.#listener.onDelivered?.()
  }

  /** Refused: settles the batch. */
  refuse(error: DeliveryError): void {
    if (this.#isOver('batch settled twice')) return
    const accepted = this.#state === ACCEPTED
    this.#state = REFUSED
    this.#listener.onRefused?.(error, accepted)
  }

  /**
   * Refused on behalf of a component that failed while it had the batch: unless it is settled, it is now, and whatever
   * is said of it from here on is not heard.
   */
  abandon(error: DeliveryError): void {
    if (this.settled) return
    const accepted = this.#state === ACCEPTED
    this.#state = ABANDONED
    this.#listener.onRefused?.(error, accepted)
  }

  /** Whether a further word is not heard; throws where it must not come. */
  #isOver(broken: string): boolean {
    if (this.#state === ABANDONED) return true
    if (this.#state >= DELIVERED) throw new Error(`invariant: ${broken}`)
    return false
  }

  /**
   * `count` records that together are this one: accepted when all are, delivered when all are, refused when none is
   * pending and at least one was refused (the first refusal's reason is passed on). Whoever splits must not settle the
   * original again. `count` is at least 1.
   */
  split(count: number): Delivery[] {
    let unaccepted = count
    let unsettled = count
    let refusal: DeliveryError | undefined
    // Once no part is pending, a refusal is passed on at once: the client may retry while the other parts travel on.
    const decide = (): void => {
      if (this.settled || unaccepted > 0) return
      if (refusal !== undefined) this.refuse(refusal)
      else if (unsettled === 0) this.deliver()
      else this.accept()
    }
    const part = (): Delivery =>
      new Delivery(
        {
          onAccepted: () => {
            unaccepted--
            // A delivered part reports both at once; wait for onDelivered when it is the last word of the last part.
            if (unaccepted === 0 && unsettled > 0) decide()
          },
          onDelivered: () => {
            unsettled--
            if (unsettled === 0) decide()
          },
          onRefused: (error, accepted) => {
            refusal ??= error
            unsettled--
            if (!accepted) unaccepted--
            decide()
          },
        },
        this.waits,
      )
    return Array.from({ length: count }, part)
  }

  /** One record for several batches that travel on together: what happens to it happens to each of them. */
  static merge(parts: readonly Delivery[]): Delivery {
    if (parts.length === 1) return parts[0]!
    return new Delivery({
      onAccepted: () => {
        for (const part of parts) part.accept()
      },
      onDelivered: () => {
        for (const part of parts) part.deliver()
      },
      onRefused: (error) => {
        for (const part of parts) part.refuse(error)
      },
    })
  }

  /** A record nobody listens to, for telemetry the router makes itself. */
  static none(): Delivery {
    return new Delivery({})
  }
}
