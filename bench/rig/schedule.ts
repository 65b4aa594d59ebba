// When requests are due that are sent at a rate. An open loop: the times stand before the run begins, and neither a slow
// answer nor a sender that was held up moves them, so latency counted from them leaves no waiting out.

export class Schedule {
  readonly fromMs: number
  readonly everyMs: number

  constructor(fromMs: number, perSecond: number) {
    this.fromMs = fromMs
    this.everyMs = 1000 / perSecond
  }

  /** When the request of this index, from 0, is due. */
  dueMs(index: number): number {
    return this.fromMs + index * this.everyMs
  }

  /** How many requests are due before then. */
  countBefore(ms: number): number {
    // What is due at that very moment does not count, also where its time does not come out even.
    return Math.max(0, Math.ceil((ms - this.fromMs) / this.everyMs - 1e-6))
  }
}

const offsetMs = Number(process.hrtime.bigint()) / 1e6 - performance.now()
/** Milliseconds on a clock that all processes of the machine share, and that nobody sets. */
export const sharedNowMs = (): number => offsetMs + performance.now()
