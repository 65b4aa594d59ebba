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

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  monotonic: () => performance.now(),
  after(delayMs, call) {
    const timer = setTimeout(call, delayMs).unref()
    return { cancel: () => clearTimeout(timer) }
  },
  every(periodMs, call) {
    const timer = setInterval(call, periodMs).unref()
    return { cancel: () => clearInterval(timer) }
  },
}
