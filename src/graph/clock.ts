// Time as a component sees it, so that tests own it.

export interface Timer {
  /** Does nothing when it already fired. */
  cancel(): void
}

export interface Clock {
  /** Milliseconds since 1970 with a fraction; may jump with the system's clock. */
  now(): number
  /** Milliseconds since some fixed moment; never goes back. Use it for durations. */
  monotonic(): number
  /** Calls once after `delayMs`. A timer alone does not keep the process alive. */
  after(delayMs: number, call: () => void): Timer
  /** Calls again and again, `periodMs` apart. */
  every(periodMs: number, call: () => void): Timer
}

/** setTimeout takes no more, and fires at once when it is given more. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    if (!(delayMs > LONGEST_TIMER_MS)) {
      const timer = setTimeout(call, delayMs).unref()
      return { cancel: () => clearTimeout(timer) }
    }
    let leg: Timer | undefined
    const goOn = (): void => {
      leg = systemClock.after(delayMs - LONGEST_TIMER_MS, call)
    }
    leg = systemClock.after(LONGEST_TIMER_MS, goOn)
    return { cancel: () => leg?.cancel() }
  },
  every(periodMs, call) {
    const timer = setInterval(call, Math.min(LONGEST_TIMER_MS, periodMs)).unref()
    return { cancel: () => clearInterval(timer) }
  },
}
