// A plant that runs against the clock, or as fast as what it says is taken.

import type { Clock, Timer } from '../graph/clock.ts'
import type { GroundTruth } from './ground-truth.ts'
import type { PlantEvent } from './messages.ts'
import { Plant } from './plant.ts'
import type { Scenario } from './scenario.ts'

export interface SimulationOptions {
  readonly scenario: Scenario
  readonly seed: number
  readonly startMs: number
  /** Seconds of the plant in one second; Infinity: as fast as `settled` allows. */
  readonly speed: number
  /** Of the plant's time. */
  readonly durationMs: number
  readonly clock: Clock
  take(event: PlantEvent): void
  /** Everything before a moment has been taken. */
  told?(): void
  /** Nothing can be taken now: the plant's time waits. */
  isHeld?(): boolean
  /** Resolves when more can be taken; asked for at the highest speed only. */
  settled(): Promise<void>
}

const LOOK_EVERY_MS = 20
/** Time goes in steps of at most so much of the plant's. */
const STRIDE_MS = 1_000
/** In one look; a plant that is asked for more falls behind instead of stopping everything else. */
const MAX_STRIDES = 100

export class Simulation {
  readonly #options: SimulationOptions
  readonly #plant: Plant
  readonly #endMs: number
  #timer: Timer | undefined
  #stopped = false
  #end: () => void = () => {}

  constructor(options: SimulationOptions) {
    const { scenario, seed, startMs, durationMs } = options
    this.#options = options
    this.#plant = new Plant({ scenario, seed, startMs })
    this.#endMs = startMs + durationMs
  }

  get devices(): readonly string[] {
    return this.#plant.devices
  }

  truth(): GroundTruth {
    return this.#plant.truth()
  }

  /** Resolves when the duration is over or `stop` has been called. */
  async run(): Promise<void> {
    if (Number.isFinite(this.#options.speed)) await this.#runByTheClock()
    else await this.#runFast()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.cancel()
    this.#end()
  }

  #runByTheClock(): Promise<void> {
    const { clock, speed, startMs } = this.#options
    let beganAt = clock.monotonic()
    let began = startMs
    let ms = startMs
    return new Promise((resolve) => {
      this.#end = resolve
      this.#timer = clock.every(LOOK_EVERY_MS, () => {
        const wanted = Math.min(began + (clock.monotonic() - beganAt) * speed, this.#endMs)
        for (let strides = 0; ms < wanted && strides < MAX_STRIDES && !this.#isHeld(); strides++)
          ms = this.#stride(ms, wanted)
        if (ms < wanted) {
          began = ms
          beganAt = clock.monotonic()
        }
        if (ms >= this.#endMs) this.stop()
      })
    })
  }

  async #runFast(): Promise<void> {
    const { startMs, settled } = this.#options
    for (let ms = startMs; ms < this.#endMs && !this.#stopped; ) {
      ms = this.#stride(ms, this.#endMs)
      await settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #stride(fromMs: number, wantedMs: number): number {
    const ms = Math.min(fromMs + STRIDE_MS, wantedMs)
    this.#plant.advance(ms, this.#options.take)
    this.#options.told?.()
    return ms
  }

  #isHeld(): boolean {
    return this.#options.isHeld?.() ?? false
  }
}
