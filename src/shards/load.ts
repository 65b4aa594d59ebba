// How busy each shard is, in memory that all of them see: one word a shard, the share of the last while in which its event
// loop worked, in thousandths. A shard through which nothing flows says 0, and its clock stands.

import { performance } from 'node:perf_hooks'
import type { Clock, Timer } from '../graph/clock.ts'

const LOAD_BOUNDS = {
  /** How often a shard that works says how busy it is. */
  tickMs: 50,
  /** After so many ticks without a batch it falls silent. */
  quietTicks: 20,
} as const

export const makeLoadTable = (shards: number): SharedArrayBuffer => new SharedArrayBuffer(shards * 4)

/** Of 1: how long the event loop worked since the last call. */
export type Busyness = () => number

export function eventLoopBusyness(): Busyness {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}

export class LoadMeter {
  readonly #loads: Int32Array
  readonly #index: number
  readonly #clock: Clock
  readonly #busyness: Busyness
  readonly #onTick: () => void
  #timer: Timer | undefined
  #quiet = 0

  /** `onTick` is called after each measurement, while batches flow. */
  constructor(
    table: SharedArrayBuffer,
    index: number,
    options: { readonly clock: Clock; readonly busyness: Busyness; readonly onTick: () => void },
  ) {
    this.#loads = new Int32Array(table)
    this.#index = index
    this.#clock = options.clock
    this.#busyness = options.busyness
    this.#onTick = options.onTick
  }

  /** A batch flows. */
  note(): void {
    this.#quiet = 0
    if (this.#timer !== undefined) return
    this.#busyness()
    this.#timer = this.#clock.every(LOAD_BOUNDS.tickMs, () => this.#tick())
  }

  /** From 0 to 1. */
  of(shard: number): number {
    return Atomics.load(this.#loads, shard) / 1000
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    Atomics.store(this.#loads, this.#index, 0)
  }

  #tick(): void {
    if (++this.#quiet > LOAD_BOUNDS.quietTicks) {
      this.stop()
      this.#onTick()
      return
    }
    Atomics.store(this.#loads, this.#index, Math.round(this.#busyness() * 1000))
    this.#onTick()
  }
}
