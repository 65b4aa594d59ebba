// A plant that lives in steps of a second. Equal scenario, seed and start give equal messages, byte for byte, however the
// time is cut into pieces.

import { Calendar } from './calendar.ts'
import { Device } from './device.ts'
import { type GroundTruth, truthOf } from './ground-truth.ts'
import type { PlantEvent } from './messages.ts'
import { idsOf, type Scenario } from './scenario.ts'
import type { LineView } from './signals.ts'

export interface PlantOptions {
  readonly scenario: Scenario
  /** Instead of the scenario's. */
  readonly seed?: number
  /** The moment at which it begins, in milliseconds since 1970. */
  readonly startMs: number
}

const STEP_MS = 1000
const DAY_S = 86_400

interface Line extends LineView {
  readonly devices: Device[]
}

export class Plant {
  readonly startMs: number
  readonly seed: number
  readonly #calendar: Calendar
  readonly #lines = new Map<string, Line>()
  readonly #devices: Device[] = []
  /** Of the last step, what is still to be told, in order. */
  #pending: PlantEvent[] = []
  #steps = 0

  constructor({ scenario, seed = scenario.seed, startMs }: PlantOptions) {
    this.startMs = startMs
    this.seed = seed
    this.#calendar = new Calendar(scenario.shifts, scenario.breaks)
    // Warmest in the afternoon.
    const ambient = (nowS: number): number =>
      21 + 3 * Math.sin(((((startMs / 1000 + nowS) % DAY_S) - 9 * 3600) / DAY_S) * 2 * Math.PI)
    for (const spec of scenario.devices)
      for (const id of idsOf(spec)) {
        const line = this.#line(spec.line)
        const emit = (event: PlantEvent): void => void this.#pending.push(event)
        const device = new Device(id, spec, scenario, { seed: this.seed, startMs, line, ambient, emit })
        line.devices.push(device)
        this.#devices.push(device)
      }
  }

  /** Ids, in the scenario's order. */
  get devices(): readonly string[] {
    return this.#devices.map(({ id }) => id)
  }

  /** Tells everything that happens before `ms`, in the order of its time. */
  advance(ms: number, take: (event: PlantEvent) => void): void {
    this.#tell(ms, take)
    // All that a step brings about lies in its second, so that what is pending is always of one step.
    while (this.startMs + this.#steps * STEP_MS < ms) {
      this.#step(this.#steps++)
      this.#pending.sort((a, b) => a.atMs - b.atMs)
      this.#tell(ms, take)
    }
  }

  /** What really happened, up to the last full second. */
  truth(): GroundTruth {
    return truthOf({ seed: this.seed, startMs: this.startMs, seconds: this.#steps, devices: this.#devices })
  }

  #tell(ms: number, take: (event: PlantEvent) => void): void {
    const until = this.#pending.findIndex(({ atMs }) => atMs >= ms)
    const due = until === -1 ? this.#pending : this.#pending.slice(0, until)
    this.#pending = until === -1 ? [] : this.#pending.slice(until)
    for (const event of due) take(event)
  }

  #line(name: string): Line {
    let line = this.#lines.get(name)
    if (line === undefined) {
      line = { devices: [], total: 0, scrap: 0, powerKw: 0, running: 0, machines: 0 }
      this.#lines.set(name, line)
    }
    return line
  }

  #step(nowS: number): void {
    const planned = this.#calendar.shiftAt(this.startMs + nowS * STEP_MS) !== undefined
    for (const line of this.#lines.values()) {
      let powerKw = 0
      for (const device of line.devices) powerKw += device.step(nowS, planned)
      const machines = line.devices.map(({ production }) => production).filter((one) => one !== undefined)
      line.powerKw = powerKw
      line.total = machines.reduce((sum, { tally }) => sum + tally.total, 0)
      line.scrap = machines.reduce((sum, { tally }) => sum + tally.scrap, 0)
      line.machines = machines.length
      line.running = machines.filter(({ state }) => state === 'running').length
    }
  }
}
