// What a machine does, second by second: it makes pieces of an order while it runs, and stands still for reasons.
//
//            order done              breakdown, service, short stop, shift over
//   setup <--------------- running -------------------------------------------> fault, maintenance, micro_stop, off
//     '------------------>   ^ '<----------------------------------------------------'
//
// The times spent in each state and the pieces are the truth that a run is judged by (ground-truth.ts).

import type { Random } from './random.ts'
import type { DeviceSpec, ProductSpec, Scenario } from './scenario.ts'

export const STATES = ['off', 'running', 'micro_stop', 'setup', 'maintenance', 'fault'] as const
export type MachineState = (typeof STATES)[number]

export interface Order {
  readonly number: string
  readonly product: ProductSpec
  readonly quantity: number
  produced: number
  scrap: number
}

/** What happens to a machine, for its messages. */
export interface ProductionWatch {
  state(state: MachineState, reason: string): void
  orderStarted(order: Order): void
  orderCompleted(order: Order): void
  piece(order: Order, good: boolean): void
}

export interface Tally {
  /** Seconds that were not planned are `off`, whatever the machine did; all others were planned. */
  readonly seconds: Record<MachineState, number>
  total: number
  scrap: number
  /** Ideal cycle times of all pieces, and of the good ones. */
  idealSeconds: number
  idealGoodSeconds: number
}

interface Stop {
  readonly state: 'fault' | 'maintenance' | 'micro_stop' | 'setup'
  readonly reason: string
  readonly untilS: number
}

const FAULT_REASONS = ['tool broken', 'emergency stop', 'coolant low', 'axis overload', 'sensor lost', 'material jam']

export class Production {
  readonly #id: string
  readonly #scenario: Scenario
  readonly #spec: DeviceSpec
  readonly #chance: Random
  readonly #watch: ProductionWatch
  readonly tally: Tally = {
    seconds: { off: 0, running: 0, micro_stop: 0, setup: 0, maintenance: 0, fault: 0 },
    total: 0,
    scrap: 0,
    idealSeconds: 0,
    idealGoodSeconds: 0,
  }
  #state: MachineState = 'off'
  #stop: Stop | undefined
  #order: Order | undefined
  #orders = 0
  readonly #firstProduct: number
  /** Of the piece in work, 0 to 1. */
  #progress = 0
  #nextFaultS: number
  #nextMicroStopS: number
  /** Set from outside for as long as an event lasts. */
  slowdown = 1
  extraScrap = 0

  constructor(id: string, scenario: Scenario, spec: DeviceSpec, chance: Random, watch: ProductionWatch) {
    this.#id = id
    this.#scenario = scenario
    this.#spec = spec
    this.#chance = chance
    this.#watch = watch
    this.#nextFaultS = chance.untilNext(spec.faultsPerHour)
    this.#nextMicroStopS = chance.untilNext(spec.microStopsPerHour)
    // Machines of one kind do not march in step.
    this.#progress = chance.next()
    this.#firstProduct = Math.floor(chance.next() * scenario.products.length)
  }

  get state(): MachineState {
    return this.#state
  }

  get order(): Order | undefined {
    return this.#order
  }

  get nextFaultS(): number {
    return this.#nextFaultS
  }

  /** A stop that an event or chance asks for; a breakdown ends any other stop. */
  halt(state: Stop['state'], reason: string, untilS: number): void {
    if (this.#stop?.state === 'fault' && state !== 'fault') return
    this.#stop = { state, reason, untilS }
  }

  /** The second that begins at `nowS`. */
  step(nowS: number, planned: boolean): void {
    this.#draw(nowS, planned)
    if (this.#stop !== undefined && nowS >= this.#stop.untilS) this.#stop = undefined
    const stop = this.#stop
    if (stop !== undefined && (planned || stop.state === 'fault' || stop.state === 'maintenance'))
      this.#become(stop.state, stop.reason)
    else if (!planned) this.#become('off', 'no shift')
    else {
      if (this.#order === undefined) this.#begin()
      this.#become('running', '')
    }
    this.tally.seconds[planned ? this.#state : 'off']++
    if (this.#state === 'running') this.#work(nowS)
  }

  #draw(nowS: number, planned: boolean): void {
    const { faultsPerHour, faultMs, microStopsPerHour, microStopMs } = this.#spec
    const chance = this.#chance
    if (nowS >= this.#nextFaultS) {
      const lasts = chance.lasting(faultMs / 1000)
      const reason = FAULT_REASONS[Math.floor(chance.next() * FAULT_REASONS.length)]!
      if (planned && this.#stop === undefined) this.halt('fault', reason, nowS + lasts)
      this.#nextFaultS = nowS + lasts + chance.untilNext(faultsPerHour)
    }
    if (nowS >= this.#nextMicroStopS) {
      const lasts = chance.lasting(microStopMs / 1000)
      if (planned && this.#stop === undefined) this.halt('micro_stop', 'blocked', nowS + lasts)
      this.#nextMicroStopS = nowS + lasts + chance.untilNext(microStopsPerHour)
    }
  }

  #become(state: MachineState, reason: string): void {
    if (state === this.#state) return
    this.#state = state
    this.#watch.state(state, reason)
  }

  #begin(): void {
    const { products, orders } = this.#scenario
    const product = products[(this.#firstProduct + this.#orders) % products.length]!
    this.#orders++
    const number = `WO-${this.#id}-${String(this.#orders).padStart(4, '0')}`
    this.#order = { number, product, quantity: orders.quantity, produced: 0, scrap: 0 }
    this.#watch.orderStarted(this.#order)
  }

  #work(nowS: number): void {
    const { speedLoss } = this.#spec
    const chance = this.#chance
    // Around the mean, never faster than ideal.
    const factor = (1 + speedLoss * chance.between(0, 2)) * this.slowdown
    let left = 1
    while (left > 0 && this.#order !== undefined) {
      const cycleS = (this.#order.product.cycleMs / 1000) * factor
      const needed = (1 - this.#progress) * cycleS
      if (needed > left) {
        this.#progress += left / cycleS
        return
      }
      left -= needed
      this.#progress = 0
      this.#finishPiece(this.#order, nowS)
    }
  }

  #finishPiece(order: Order, nowS: number): void {
    const { product } = order
    const good = this.#chance.next() >= Math.min(1, product.scrap + this.extraScrap)
    const ideal = product.cycleMs / 1000
    order.produced++
    this.tally.total++
    this.tally.idealSeconds += ideal
    if (good) this.tally.idealGoodSeconds += ideal
    else {
      order.scrap++
      this.tally.scrap++
    }
    this.#watch.piece(order, good)
    if (order.produced < order.quantity) return
    this.#order = undefined
    this.#watch.orderCompleted(order)
    const { products, orders } = this.#scenario
    const changeoverS = orders.changeoverMs / 1000
    if (products.length > 1 && changeoverS > 0) this.halt('setup', 'changeover', nowS + 1 + changeoverS)
  }
}
