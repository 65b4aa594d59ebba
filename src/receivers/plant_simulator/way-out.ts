// What the plant has said, on its way into the pipelines: one batch after the other, in order. A batch that is refused for
// now goes again after a wait, and what comes later stands behind it; who fills it looks at `isBusy` first, which bounds it.

import { Delivery, type DeliveryListener } from '../../delivery/delivery.ts'
import type { DeliveryError } from '../../delivery/error.ts'
import type { Clock, Timer } from '../../graph/clock.ts'
import type { Output } from '../../graph/component.ts'
import { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'

export interface Cargo {
  readonly signal: Signal
  readonly bytes: Uint8Array
  readonly items: number
  readonly output: Output
}

export interface WayOutOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly backoff: { readonly initialMs: number; readonly maxMs: number }
  accepted(cargo: Cargo): void
  /** For good. */
  refused(cargo: Cargo, error: DeliveryError): void
  /** Goes again later. */
  postponed(cargo: Cargo, error: DeliveryError): void
}

export class WayOut {
  readonly #options: WayOutOptions
  readonly #cargoes: Cargo[] = []
  readonly #idle: (() => void)[] = []
  #isUnderWay = false
  #isGiving = false
  #isStopped = false
  #failures = 0
  #timer: Timer | undefined

  constructor(options: WayOutOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#cargoes.length > 0
  }

  send(cargo: Cargo): void {
    if (this.#isStopped) return
    this.#cargoes.push(cargo)
    this.#give()
  }

  /** Resolves when nothing is on its way any more. */
  idle(): Promise<void> {
    if (!this.isBusy) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** Gives up; returns how many items are left. */
  stop(): number {
    this.#isStopped = true
    this.#timer?.cancel()
    this.#timer = undefined
    const left = this.#cargoes.splice(0).reduce((sum, { items }) => sum + items, 0)
    this.#tellIdle()
    return left
  }

  #give(): void {
    // Many a pipeline answers at once: a loop instead of a call from within the answer.
    if (this.#isGiving) return
    this.#isGiving = true
    while (!this.#isUnderWay && this.#timer === undefined && this.#cargoes.length > 0) {
      const cargo = this.#cargoes[0]!
      this.#isUnderWay = true
      cargo.output.send(new Batch(cargo.signal, [cargo.bytes], cargo.items, new Delivery(this.#listener(cargo))))
    }
    this.#isGiving = false
  }

  #listener(cargo: Cargo): DeliveryListener {
    return {
      onAccepted: () => {
        this.#failures = 0
        this.#options.accepted(cargo)
        this.#done()
      },
      onRefused: (error, accepted) => {
        // Accepted and then lost: whoever lost it has counted it.
        if (accepted) return
        if (error.retry === 'never') {
          this.#options.refused(cargo, error)
          this.#done()
        } else this.#later(cargo, error)
      },
    }
  }

  #done(): void {
    if (this.#isStopped) return
    this.#cargoes.shift()
    this.#isUnderWay = false
    this.#give()
    if (!this.isBusy) this.#tellIdle()
  }

  #later(cargo: Cargo, error: DeliveryError): void {
    if (this.#isStopped) return
    const { clock, random, backoff } = this.#options
    const wish = typeof error.retry === 'object' ? error.retry.afterMs : 0
    const waitMs = Math.max(wish, Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(this.#failures++, 30)))
    this.#options.postponed(cargo, error)
    this.#isUnderWay = false
    this.#timer = clock.after(waitMs * (0.75 + random() / 2), () => {
      this.#timer = undefined
      this.#give()
    })
  }

  #tellIdle(): void {
    for (const resolve of this.#idle.splice(0)) resolve()
  }
}
