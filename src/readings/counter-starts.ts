// Since when a count has been counted: the start time of the points of sums.
//
//   readings   5   7   7   9 | 2   4        the device began anew
//   start      t0  t0  t0  t0  t4  t4       the first observation, and the first after each reset
//
// A first point whose start is its own time says that nobody knows since when it was counted (OTLP data model, "Cumulative
// streams: handling unknown start time"). A value below the one before is a reset. A point that is older than the last one
// decides nothing: buffered readings and messages that come twice are no resets. A delta starts where the one before ended.

import type { Metric } from './naming.ts'
import { KIND } from './naming.ts'

/** Of one series. Times are nanoseconds since 1970 in two halves. */
interface Count {
  value: number
  startLow: number
  startHigh: number
  lastLow: number
  lastHigh: number
  generation: number
}

/** The counts of one source: by metric, or by metric and attributes where its points have some. */
export type Counts = Map<Metric | string, Count>

export class CounterStarts {
  /** What observe() has found. */
  low = 0
  high = 0
  readonly #max: number
  #size = 0

  /** Beyond `max` series their points have no start. */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#size
  }

  /** Whether the point has a start time; it is in `low` and `high` then. `marks` are its encoded attributes. */
  observe(
    counts: Counts,
    metric: Metric,
    marks: Uint8Array,
    value: number,
    timeLow: number,
    timeHigh: number,
    generation: number,
  ): boolean {
    const key = marks.length === 0 ? metric : `${metric.id} ${latin1(marks)}`
    const count = counts.get(key)
    if (count === undefined) {
      if (this.#size >= this.#max) return false
      this.#size++
      const known = { startLow: timeLow, startHigh: timeHigh, lastLow: timeLow, lastHigh: timeHigh }
      counts.set(key, { value, ...known, generation })
      this.low = timeLow
      this.high = timeHigh
      return metric.kind !== KIND.DELTA
    }
    count.generation = generation
    const isNewer = isBefore(count.lastLow, count.lastHigh, timeLow, timeHigh)
    if (metric.kind === KIND.DELTA) {
      this.low = count.lastLow
      this.high = count.lastHigh
    } else {
      if (isNewer && value < count.value) {
        count.startLow = timeLow
        count.startHigh = timeHigh
      }
      this.low = count.startLow
      this.high = count.startHigh
    }
    if (isNewer) {
      count.value = value
      count.lastLow = timeLow
      count.lastHigh = timeHigh
      return true
    }
    return metric.kind !== KIND.DELTA && !isBefore(timeLow, timeHigh, count.startLow, count.startHigh)
  }

  /** Those that were last observed before `generation` are forgotten. */
  forget(counts: Counts, generation: number): void {
    for (const [key, count] of counts)
      if (count.generation < generation) {
        counts.delete(key)
        this.#size--
      }
  }
}

const isBefore = (low: number, high: number, thanLow: number, thanHigh: number): boolean =>
  high < thanHigh || (high === thanHigh && low < thanLow)

const latin1 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
