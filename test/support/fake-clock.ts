// Time that a test owns: nothing happens until `advance`.

import type { Clock, Timer } from '../../src/graph/clock.ts'

interface Due {
  at: number
  readonly order: number
  readonly periodMs: number
  readonly call: () => void
}

export class FakeClock implements Clock {
  /** What now() reads at the start: 2026-01-01T00:00:00Z, unless a test wants another moment. */
  readonly #startMs: number
  #elapsedMs = 0
  #made = 0
  readonly #timers = new Set<Due>()

  constructor(startMs = 1_767_225_600_000) {
    this.#startMs = startMs
  }

  now(): number {
    return this.#startMs + this.#elapsedMs
  }

  monotonic(): number {
    return this.#elapsedMs
  }

  after(delayMs: number, call: () => void): Timer {
    return this.#add(delayMs, 0, call)
  }

  every(periodMs: number, call: () => void): Timer {
    return this.#add(periodMs, periodMs, call)
  }

  /** Timers that have yet to fire; a stopped component leaves none. */
  get pending(): number {
    return this.#timers.size
  }

  /** Moves time on, calling every timer that falls due at its own moment, in order; ties in the order of making. */
  advance(ms: number): void {
    const until = this.#elapsedMs + ms
    for (;;) {
      const next = this.#next()
      if (next === undefined || next.at > until) break
      this.#elapsedMs = Math.max(this.#elapsedMs, next.at)
      if (next.periodMs > 0) next.at += next.periodMs
      else this.#timers.delete(next)
      next.call()
    }
    this.#elapsedMs = until
  }

  /** As advance, in steps, letting promises run in between: for code that starts its next timer after an await. */
  async run(ms: number, stepMs = ms): Promise<void> {
    await flushPromises()
    for (let left = ms; left > 0; left -= stepMs) {
      this.advance(Math.min(stepMs, left))
      await flushPromises()
    }
  }

  #add(delayMs: number, periodMs: number, call: () => void): Timer {
    const due: Due = { at: this.#elapsedMs + Math.max(0, delayMs), order: this.#made++, periodMs, call }
    this.#timers.add(due)
    return { cancel: () => this.#timers.delete(due) }
  }

  #next(): Due | undefined {
    let first: Due | undefined
    for (const due of this.#timers)
      if (first === undefined || due.at < first.at || (due.at === first.at && due.order < first.order)) first = due
    return first
  }
}

/** Lets everything that only waits for promises go on. */
export const flushPromises = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
