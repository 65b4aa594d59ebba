// The deadlines of a door's calls: a wheel of slots and one timer, which stands still while no call has a deadline.
//
//   tick k looks through slot k % SLOTS; a deadline further away than one turn of the wheel stays in its slot

/** A deadline is kept this much too late at most. */
const TICK_MS = 25
const SLOTS = 512

export interface Deadlined {
  /** For the wheel alone. */
  dueAt: number
  onDeadline(): void
}

export class Deadlines {
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<Deadlined>())
  #count = 0
  #tick = 0
  #timer: NodeJS.Timeout | undefined

  arm(call: Deadlined, ms: number): void {
    const now = performance.now()
    call.dueAt = now + ms
    this.#slotOf(call).add(call)
    this.#count++
    if (this.#timer !== undefined) return
    this.#tick = Math.floor(now / TICK_MS)
    this.#timer = setInterval(() => this.#turn(performance.now()), TICK_MS).unref()
  }

  /** Harmless when its time has come, or it never had one. */
  disarm(call: Deadlined): void {
    if (call.dueAt !== Infinity && this.#slotOf(call).delete(call)) this.#count--
    call.dueAt = Infinity
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
    for (const slot of this.#slots) slot.clear()
    this.#count = 0
  }

  #slotOf(call: Deadlined): Set<Deadlined> {
    return this.#slots[Math.ceil(call.dueAt / TICK_MS) % SLOTS]!
  }

  #turn(now: number): void {
    const last = Math.floor(now / TICK_MS)
    // After a long stop every slot is looked through once.
    this.#tick = Math.max(this.#tick, last - SLOTS)
    while (this.#tick < last) {
      this.#tick++
      for (const call of this.#slots[this.#tick % SLOTS]!) {
        if (call.dueAt > now) continue
        this.disarm(call)
        call.onDeadline()
      }
    }
    if (this.#count > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
