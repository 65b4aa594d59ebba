// A plant that runs against the clock, or as fast as a broker takes what it says.

import type { Clock, Timer } from '../graph/clock.ts'
import type { GroundTruth } from '../plant/ground-truth.ts'
import type { PlantEvent } from '../plant/messages.ts'
import { Plant } from '../plant/plant.ts'
import type { Scenario } from '../plant/scenario.ts'

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
  /** Resolves when more can be taken. */
  settled(): Promise<void>
}

const LOOK_EVERY_MS = 20
/** As fast as possible goes in steps of so much of the plant's time. */
const STRIDE_MS = 1_000

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
    const { clock, speed, startMs, take } = this.#options
    const beganAt = clock.monotonic()
    return new Promise((resolve) => {
      this.#end = resolve
      this.#timer = clock.every(LOOK_EVERY_MS, () => {
        const ms = startMs + (clock.monotonic() - beganAt) * speed
        this.#plant.advance(Math.min(ms, this.#endMs), take)
        if (ms >= this.#endMs) this.stop()
      })
    })
  }

  async #runFast(): Promise<void> {
    const { startMs, take, settled } = this.#options
    for (let ms = startMs; ms < this.#endMs && !this.#stopped; ) {
      ms = Math.min(ms + STRIDE_MS, this.#endMs)
      this.#plant.advance(ms, take)
      await settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
}
