// Paces the requests of `millrace send` and counts what became of them.

import type { Clock } from '../graph/clock.ts'
import { RequestGenerator } from './generate.ts'
import type { SendOptions } from './options.ts'
import type { Outcome, Transport } from './transport.ts'

export interface SendTotals {
  accepted: number
  /** Items that the router answered not to take, partial successes included. */
  refused: number
  /** Items without an answer. */
  failed: number
  requests: number
  /** Requests by what went wrong with them; at most REASONS of them. */
  readonly reasons: Map<string, number>
}

/** Kinds of failure that are told apart; texts of servers may vary without end. */
const REASONS = 20

export class Sending {
  readonly totals: SendTotals = { accepted: 0, refused: 0, failed: 0, requests: 0, reasons: new Map() }
  readonly #options: SendOptions
  readonly #transport: Transport
  readonly #clock: Clock
  #stopped = false
  readonly #wakes = new Set<() => void>()

  constructor(options: SendOptions, transport: Transport, clock: Clock) {
    this.#options = options
    this.#transport = transport
    this.#clock = clock
  }

  /** Resolves when all workers have ended; what is under way then has its answer. */
  async run(): Promise<SendTotals> {
    await Promise.all(Array.from({ length: this.#options.workers }, (_, index) => this.#work(index)))
    return this.totals
  }

  /** Sends nothing more. */
  stop(): void {
    this.#stopped = true
    for (const wake of this.#wakes) wake()
  }

  async #work(worker: number): Promise<void> {
    const { signal, itemsPerRequest, attributes, service, resource, rate, durationMs, requests } = this.#options
    const seed = this.#options.seed + worker
    const generator = new RequestGenerator({ signal, itemsPerRequest, attributes, service, resource, seed })
    const clock = this.#clock
    const from = clock.monotonic()
    const everyMs = rate === 0 ? 0 : (itemsPerRequest / rate) * 1000
    for (let sent = 0; sent < requests; sent++) {
      // By the plan and not by the last answer, so that a slow answer is caught up with.
      const due = from + sent * everyMs
      if (due >= from + durationMs) return
      const wait = due - clock.monotonic()
      if (wait > 0) await this.#sleep(wait)
      if (this.#stopped || clock.monotonic() >= from + durationMs) return
      this.#count(await this.#transport.send(generator.next(clock.now())))
    }
  }

  #count(outcome: Outcome): void {
    const { totals } = this
    const items = this.#options.itemsPerRequest
    totals.requests++
    if (outcome.kind === 'accepted') {
      const rejected = Math.min(items, outcome.rejected)
      totals.accepted += items - rejected
      totals.refused += rejected
      if (rejected > 0) this.#reason('partial success')
    } else {
      totals[outcome.kind] += items
      this.#reason(outcome.reason)
    }
    if (outcome.kind !== 'accepted' && !this.#options.goOnAfterFailure) this.stop()
  }

  #reason(reason: string): void {
    const { reasons } = this.totals
    const key = reasons.has(reason) || reasons.size < REASONS ? reason : 'other reasons'
    reasons.set(key, (reasons.get(key) ?? 0) + 1)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        timer.cancel()
        this.#wakes.delete(wake)
        resolve()
      }
      const timer = this.#clock.after(ms, wake)
      this.#wakes.add(wake)
    })
  }
}

/** 0 when everything was accepted, or, where failures are allowed, anything; else 1. */
export const exitCodeOf = ({ accepted, refused, failed }: SendTotals, goOnAfterFailure: boolean): number =>
  refused + failed === 0 || (goOnAfterFailure && accepted > 0) ? 0 : 1
