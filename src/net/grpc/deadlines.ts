// The deadlines of a door's calls: a wheel of spokes and one timer, which stands still while no call has a deadline.
//
//   tick k looks through spoke k % SPOKES; a deadline further away than one turn of the wheel stays in its spoke

import { Slots } from '../../collections/slots.ts'

/** A deadline is kept this much too late at most. */
const TICK_MS = 25
const SPOKES = 512

export interface Deadlined {
  /** For the wheel alone: when, and its place among those of the same spoke; -1 when it has none. */
  dueAt: number
  dueSlot: number
  onDeadline(): void
}

export class Deadlines {
  readonly #wheel = Array.from({ length: SPOKES }, () => new Slots<Deadlined>())
  #count = 0
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  arm(call: Deadlined, ms: number): void {
    const now = performance.now()
    call.dueAt = now + ms
    call.dueSlot = this.#spokeOf(call).add(call)
    this.#count++
    if (this.#timer !== undefined) return
    this.#tick = Math.floor(now / TICK_MS)
    this.#timer = setInterval(() => this.#turn(performance.now()), TICK_MS).unref()
  }

  /** Harmless when its time has come, or it never had one. */
  disarm(call: Deadlined): void {
    if (call.dueSlot < 0) return
    this.#spokeOf(call).remove(call.dueSlot)
    this.#count--
    call.dueSlot = -1
    call.dueAt = Infinity
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const spoke of this.#wheel) spoke.each((call) => this.disarm(call))
  }

  #spokeOf(call: Deadlined): Slots<Deadlined> {
    return this.#wheel[Math.ceil(call.dueAt / TICK_MS) % SPOKES]!
  }

  #turn(now: number): void {
    const last = Math.floor(now / TICK_MS)
    // After a long stop every spoke is looked through once.
    this.#tick = Math.max(this.#tick, last - SPOKES)
    while (this.#tick < last) {
      this.#tick++
      this.#wheel[this.#tick % SPOKES]!.each((call) => {
        if (call.dueAt > now) return
        this.disarm(call)
        call.onDeadline()
      })
    }
    if (this.#count > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
