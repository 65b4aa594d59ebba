// From a read of the socket to its settlement: batches go out, those that are refused for now wait and go again, and a
// group is settled when nothing of it is left to do.
//
// While something waits, what comes later waits behind it: what one device has sent keeps its order. How much can wait is
// bounded by the session, which stops reading.

import { Delivery, type DeliveryListener } from '../../delivery/delivery.ts'
import type { DeliveryError } from '../../delivery/error.ts'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Output } from '../../graph/component.ts'
import { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'

export interface Cargo {
  /** It holds what could not be read or was refused: there is nowhere else to go. */
  readonly isDead?: boolean
  readonly signal: Signal
  readonly bytes: Uint8Array
  readonly items: number
  readonly output: Output
}

export interface OutboxOptions {
  /** A group is settled when its data are delivered; otherwise when they are accepted. */
  readonly waitsForDelivery: boolean
  readonly backoff: { readonly initialMs: number; readonly maxMs: number }
}

export interface OutboxEvents {
  accepted(signal: Signal, items: number): void
  /** For good. What is returned goes out instead, and the group waits for it. */
  refused(cargo: Cargo, error: DeliveryError): Cargo | undefined
  /** Will be sent again. */
  postponed(signal: Signal, items: number, error: DeliveryError, waitMs: number): void
}

/** Of one group: settles it when all of its parcels are done. */
interface Load {
  left: number
  readonly done: () => void
}

class Parcel implements DeliveryListener {
  readonly order: number
  readonly cargo: Cargo
  readonly load: Load
  readonly #outbox: Outbox
  isDone = false

  constructor(order: number, cargo: Cargo, load: Load, outbox: Outbox) {
    this.order = order
    this.cargo = cargo
    this.load = load
    this.#outbox = outbox
  }

  onAccepted(): void {
    this.#outbox.accepted(this)
  }

  onDelivered(): void {
    this.#outbox.delivered(this)
  }

  onRefused(error: DeliveryError, accepted: boolean): void {
    this.#outbox.refused(this, error, accepted)
  }
}

export class Outbox {
  readonly #options: OutboxOptions
  readonly #events: OutboxEvents
  readonly #clock: Clock
  readonly #random: () => number
  /** In the order of coming. */
  #waiting: Parcel[] = []
  #timer: Timer | undefined
  #failures = 0
  #made = 0
  #isSending = false
  #isStopped = false

  constructor(options: OutboxOptions, events: OutboxEvents, clock: Clock, random: () => number) {
    this.#options = options
    this.#events = events
    this.#clock = clock
    this.#random = random
  }

  /** Calls `done` once nothing of it is left to do: at once when there is no cargo. */
  send(cargoes: readonly Cargo[], done: () => void): void {
    if (cargoes.length === 0) {
      done()
      return
    }
    const load = { left: cargoes.length, done }
    for (const cargo of cargoes) this.#dispatch(new Parcel(this.#made++, cargo, load, this))
  }

  /** Nothing is sent again from here on: what waits, or is refused yet, stays unsettled. */
  stop(): void {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#timer = undefined
    this.#waiting = []
  }

  accepted(parcel: Parcel): void {
    this.#events.accepted(parcel.cargo.signal, parcel.cargo.items)
    this.#failures = 0
    if (!this.#options.waitsForDelivery) this.#done(parcel)
  }

  delivered(parcel: Parcel): void {
    if (this.#options.waitsForDelivery) this.#done(parcel)
  }

  refused(parcel: Parcel, error: DeliveryError, accepted: boolean): void {
    const { signal, items } = parcel.cargo
    // Accepted and then lost: whoever lost it has counted it, and the broker has its answer.
    if (accepted && !this.#options.waitsForDelivery) return
    if (error.retry === 'never') {
      const instead = this.#events.refused(parcel.cargo, error)
      if (instead !== undefined) {
        parcel.load.left++
        this.#dispatch(new Parcel(this.#made++, instead, parcel.load, this))
      }
      this.#done(parcel)
      return
    }
    if (this.#isStopped) return
    let at = this.#waiting.length
    while (at > 0 && this.#waiting[at - 1]!.order > parcel.order) at--
    this.#waiting.splice(at, 0, parcel)
    if (this.#timer !== undefined) return
    const { initialMs, maxMs } = this.#options.backoff
    const wish = error.retry === 'backoff' ? 0 : error.retry.afterMs
    const waitMs = Math.max(wish, Math.min(maxMs, initialMs * 2 ** Math.min(this.#failures++, 30)))
    const jittered = waitMs * (0.75 + this.#random() / 2)
    this.#events.postponed(signal, items, error, jittered)
    this.#timer = this.#clock.after(jittered, () => this.#again())
  }

  #done(parcel: Parcel): void {
    if (parcel.isDone) return
    parcel.isDone = true
    if (--parcel.load.left === 0) parcel.load.done()
  }

  #dispatch(parcel: Parcel): void {
    if (this.#waiting.length > 0 || this.#isSending) {
      this.#waiting.push(parcel)
      return
    }
    this.#give(parcel)
  }

  #give(parcel: Parcel): void {
    const { signal, bytes, items, output } = parcel.cargo
    output.send(new Batch(signal, [bytes], items, new Delivery(parcel, this.#options.waitsForDelivery)))
  }

  #again(): void {
    this.#timer = undefined
    this.#isSending = true
    // One that is refused again at once stands in front again, and the rest need not try.
    while (this.#timer === undefined && this.#waiting.length > 0) this.#give(this.#waiting.shift()!)
    this.#isSending = false
  }
}
