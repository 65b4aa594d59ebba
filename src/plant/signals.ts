// What the devices of each type measure: names, units, and how the values follow from what the device does.

import type { Production } from './production.ts'
import type { Random } from './random.ts'
import type { DeviceSpec, DeviceType } from './scenario.ts'

/** `value` is a finite number, rounded to what the device would show. */
export type Reading = [name: string, value: number, unit: string]

/** Readings that count up; the others are measured. */
export const COUNTERS: ReadonlySet<string> = new Set(['part_count', 'reject_count', 'item_count', 'energy', 'distance'])

/** What a device sees of its line. */
export interface LineView {
  total: number
  scrap: number
  powerKw: number
  /** Machines that run, of those that make pieces. */
  running: number
  machines: number
}

export interface SignalContext {
  readonly spec: DeviceSpec
  readonly chance: Random
  readonly production: Production | undefined
  readonly line: LineView
  /** Temperature of the hall, degrees Celsius. */
  ambient(nowS: number): number
}

export interface Signals {
  /** Readings that chance may disturb: name, and by how much. */
  readonly disturbed: readonly (readonly [name: string, by: number])[]
  /** Power in kW in the second that begins now. */
  step(nowS: number): number
  read(nowS: number): Reading[]
}

const round = (value: number, digits: number): number => {
  const scale = 10 ** digits
  return Math.round(value * scale) / scale
}

/** Goes towards its target by two thirds in `overS` seconds. */
class Slow {
  value: number
  readonly #share: number

  constructor(value: number, overS: number) {
    this.value = value
    this.#share = 1 - Math.exp(-1 / overS)
  }

  step(target: number): number {
    this.value += (target - this.value) * this.#share
    return this.value
  }
}

/** DeviceStatus as a number: idle, running, maintenance, error, offline. */
export const STATUS = { off: 0, setup: 0, micro_stop: 0, running: 1, maintenance: 2, fault: 3 } as const

abstract class MachineSignals implements Signals {
  abstract readonly disturbed: Signals['disturbed']
  protected readonly context: SignalContext
  protected readonly heat: Slow
  protected power = 0

  constructor(context: SignalContext) {
    this.context = context
    this.heat = new Slow(context.ambient(0), context.spec.warmUpMs / 1000)
  }

  abstract step(nowS: number): number
  abstract read(nowS: number): Reading[]

  protected get state() {
    return this.context.production!.state
  }

  /** Pieces, rejects and state, which every machine that makes pieces tells. */
  protected counts(): Reading[] {
    const { tally } = this.context.production!
    return [
      ['part_count', tally.total, 'pcs'],
      ['reject_count', tally.scrap, 'pcs'],
      ['state', STATUS[this.state], ''],
    ]
  }
}

class Cnc extends MachineSignals {
  readonly disturbed = [
    ['temperature', 18],
    ['vibration', 3.5],
    ['power', 6],
  ] as const
  #load = 0

  step(nowS: number): number {
    const { chance } = this.context
    this.#load = this.state === 'running' ? 0.6 + 0.4 * Math.sin(nowS / 7) ** 2 : 0
    this.heat.step(this.context.ambient(nowS) + 38 * this.#load)
    this.power = this.state === 'off' ? 0.4 : 1.2 + 9 * this.#load + 0.2 * chance.normal()
    return this.power
  }

  read(): Reading[] {
    const { chance } = this.context
    const turning = this.state === 'running'
    const wear = (this.context.production!.tally.total % 500) / 500
    return [
      ['temperature', round(this.heat.value + 0.2 * chance.normal(), 1), '°C'],
      ['spindle_speed', turning ? round(8000 + 60 * chance.normal(), 0) : 0, 'rpm'],
      ['vibration', round(Math.max(0, turning ? 1.4 + 0.6 * wear + 0.12 * chance.normal() : 0.05), 2), 'mm/s'],
      ['power', round(this.power, 2), 'kW'],
      ...this.counts(),
    ]
  }
}

class Robot extends MachineSignals {
  readonly disturbed = [
    ['joint_temperature', 15],
    ['motor_current', 4],
  ] as const

  step(nowS: number): number {
    const { chance } = this.context
    const busy = this.state === 'running' ? 1 : 0
    this.heat.step(this.context.ambient(nowS) + 22 * busy)
    this.power = this.state === 'off' ? 0.2 : 0.6 + 2.6 * busy + 0.1 * chance.normal()
    return this.power
  }

  read(nowS: number): Reading[] {
    const { chance } = this.context
    const busy = this.state === 'running'
    return [
      ['joint_temperature', round(this.heat.value + 0.2 * chance.normal(), 1), '°C'],
      ['motor_current', round(busy ? 6.5 + 2 * Math.sin(nowS / 3) + 0.3 * chance.normal() : 0.8, 2), 'A'],
      ['power', round(this.power, 2), 'kW'],
      ...this.counts(),
    ]
  }
}

class Plc implements Signals {
  readonly disturbed = [['pressure', -1.5]] as const
  readonly #context: SignalContext
  readonly #rate = new Slow(0, 60)
  #before = 0

  constructor(context: SignalContext) {
    this.#context = context
  }

  step(): number {
    const { total } = this.#context.line
    this.#rate.step((total - this.#before) * 3600)
    this.#before = total
    return 0.15
  }

  read(): Reading[] {
    const { line, chance } = this.#context
    return [
      ['line_speed', round(this.#rate.value, 0), 'parts/h'],
      [
        'pressure',
        round(6.2 - 0.4 * (line.machines === 0 ? 0 : line.running / line.machines) + 0.03 * chance.normal(), 2),
        'bar',
      ],
      ['machines_running', line.running, ''],
      ['part_count', line.total, 'pcs'],
      ['reject_count', line.scrap, 'pcs'],
    ]
  }
}

class Conveyor implements Signals {
  readonly disturbed = [['motor_current', 2.5]] as const
  readonly #context: SignalContext
  readonly #speed = new Slow(0, 3)

  constructor(context: SignalContext) {
    this.#context = context
  }

  step(): number {
    return 0.1 + this.#speed.step(this.#context.line.running > 0 ? 0.5 : 0) * 1.5
  }

  read(): Reading[] {
    const { line, chance } = this.#context
    const speed = this.#speed.value
    return [
      ['speed', round(speed, 2), 'm/s'],
      ['motor_current', round(speed === 0 ? 0 : 0.4 + 5 * speed + 0.08 * chance.normal(), 2), 'A'],
      ['item_count', line.total, 'pcs'],
    ]
  }
}

class Agv implements Signals {
  readonly disturbed = [['motor_temperature', 20]] as const
  readonly #context: SignalContext
  readonly #heat: Slow
  #battery: number
  #charging = false
  #distance = 0
  #speed = 0

  constructor(context: SignalContext) {
    this.#context = context
    this.#battery = context.chance.between(45, 95)
    this.#heat = new Slow(context.ambient(0), context.spec.warmUpMs / 1000)
  }

  step(nowS: number): number {
    if (this.#battery < 20) this.#charging = true
    else if (this.#battery > 95) this.#charging = false
    this.#battery += this.#charging ? 0.09 : -0.02
    // A trip takes a minute and a half, of which it stands half a minute.
    const drives = !this.#charging && (nowS + this.#context.chance.next()) % 90 < 60
    this.#speed = drives ? 1.2 + 0.1 * this.#context.chance.normal() : 0
    this.#distance += this.#speed
    this.#heat.step(this.#context.ambient(nowS) + (drives ? 25 : 0))
    return this.#charging ? 2.4 : 0
  }

  read(): Reading[] {
    return [
      ['battery', round(this.#battery, 1), '%'],
      ['speed', round(this.#speed, 2), 'm/s'],
      ['distance', round(this.#distance, 0), 'm'],
      ['motor_temperature', round(this.#heat.value, 1), '°C'],
      ['charging', this.#charging ? 1 : 0, ''],
    ]
  }
}

class Sensor implements Signals {
  readonly disturbed = [
    ['temperature', 8],
    ['humidity', 25],
  ] as const
  readonly #context: SignalContext

  constructor(context: SignalContext) {
    this.#context = context
  }

  step(): number {
    return 0
  }

  read(nowS: number): Reading[] {
    const { chance } = this.#context
    const ambient = this.#context.ambient(nowS)
    return [
      ['temperature', round(ambient + 0.1 * chance.normal(), 1), '°C'],
      ['humidity', round(48 - (ambient - 21) * 2 + 0.5 * chance.normal(), 1), '%'],
    ]
  }
}

class Meter implements Signals {
  readonly disturbed = [['power', 12]] as const
  readonly #context: SignalContext
  #energyKwh: number
  #powerKw = 0

  constructor(context: SignalContext) {
    this.#context = context
    this.#energyKwh = Math.floor(context.chance.between(100_000, 900_000))
  }

  // The line's power of the second before: a meter reads what has been used.
  step(): number {
    this.#powerKw = this.#context.line.powerKw
    this.#energyKwh += this.#powerKw / 3600
    return 0
  }

  read(): Reading[] {
    const { chance } = this.#context
    const voltage = 400 + 1.5 * chance.normal()
    return [
      ['power', round(this.#powerKw, 2), 'kW'],
      ['energy', round(this.#energyKwh, 3), 'kWh'],
      ['voltage', round(voltage, 1), 'V'],
      ['current', round((this.#powerKw * 1000) / (voltage * 1.732 * 0.92), 1), 'A'],
    ]
  }
}

const KINDS: Readonly<Record<DeviceType, new (context: SignalContext) => Signals>> = {
  cnc: Cnc,
  robot: Robot,
  plc: Plc,
  conveyor: Conveyor,
  agv: Agv,
  sensor: Sensor,
  meter: Meter,
}

export const MAKES_PIECES: ReadonlySet<DeviceType> = new Set(['cnc', 'robot'])

export const signalsOf = (type: DeviceType, context: SignalContext): Signals => new KINDS[type](context)
