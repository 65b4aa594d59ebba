// One batch on its way through the levels, each asked at most once.

import { Delivery } from '../../delivery/delivery.ts'
import { DeliveryError } from '../../delivery/error.ts'
import type { Output } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'

/** The levels as a batch sees them; which one is current changes while it is on its way. */
export interface Levels {
  readonly levels: number
  readonly current: number
  outputsOf(level: number): readonly Output[]
  failed(level: number, error: DeliveryError): void
  recovered(level: number): void
}

export class Attempt {
  readonly #levels: Levels
  readonly #batch: Batch
  readonly #probe: boolean
  readonly #tried: boolean[]
  /** Levels that refused it for good, which may be the batch's fault. */
  readonly #doubtful: { readonly level: number; readonly error: DeliveryError }[] = []
  #passing: DeliveryError | undefined

  /** A probe asks the levels above the current one first. */
  constructor(levels: Levels, batch: Batch, probe: boolean) {
    this.#levels = levels
    this.#batch = batch
    this.#probe = probe
    this.#tried = new Array(levels.levels).fill(false)
  }

  sendTo(level: number): void {
    this.#tried[level] = true
    const { delivery } = this.#batch
    const own = new Delivery({
      onAccepted: () => delivery.accept(),
      onDelivered: () => this.#delivered(level),
      onRefused: (error) => this.#refused(level, error),
    })
    const outputs = this.#levels.outputsOf(level)
    if (outputs.length === 1) {
      outputs[0]!.send(this.#batch.withDelivery(own))
      return
    }
    const parts = own.split(outputs.length)
    for (let i = 0; i < outputs.length; i++) outputs[i]!.send(this.#batch.withDelivery(parts[i]!))
  }

  #delivered(level: number): void {
    for (const { level: doubtful, error } of this.#doubtful) this.#levels.failed(doubtful, error)
    if (this.#probe) this.#levels.recovered(level)
    this.#batch.delivery.deliver()
  }

  #refused(level: number, error: DeliveryError): void {
    if (error.retry === 'never') this.#doubtful.push({ level, error })
    else {
      this.#passing = error
      this.#levels.failed(level, error)
    }
    const next = this.#nextAfter(level)
    if (next === undefined) this.#batch.delivery.refuse(this.#exhausted(error))
    else this.sendTo(next)
  }

  /** From the current level on, and round; a probe first goes on with those above it. */
  #nextAfter(level: number): number | undefined {
    const { levels, current } = this.#levels
    const from = this.#probe && level < current ? level + 1 : current
    for (let step = 0; step < levels; step++) {
      const next = (from + step) % levels
      if (!this.#tried[next]) return next
    }
    return undefined
  }

  /** To be tried again if any level may take it another time. */
  #exhausted(last: DeliveryError): DeliveryError {
    const cause = this.#passing
    if (cause === undefined) return last
    return new DeliveryError('FAILOVER_EXHAUSTED', `every level refused the data: ${cause.message}`, {
      retry: 'backoff',
      cause,
    })
  }
}
