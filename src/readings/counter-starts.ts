// Since when a count has been counted: the start time of the points of sums.
//
//   readings   5   7   7   9 | 2   4        the device began anew
//   start      t0  t0  t0  t0  t4  t4       the first observation, and the first after each reset
//
// A first point whose start is its own time says that nobody knows since when it was counted (OTLP data model, "Cumulative
// streams: handling unknown start time"). A value below the one before is a reset. A point that is older than the last one
// decides nothing: buffered readings and messages that come twice are no resets. A delta starts where the one before ended.

import { KIND, type Metric } from './naming.ts'

/**
 * The counts of one source: by metric, or by metric and attributes where its points have some. Each is a row of the tables
 * below: as objects with numbers of 64 bits in them they took three times the memory.
 */
export type Counts = Map<Metric | string, number>

/** Columns of a row's times: nanoseconds since 1970 in two halves. */
const TIME = { START_LOW: 0, START_HIGH: 1, LAST_LOW: 2, LAST_HIGH: 3 } as const
const TIMES = 4
const FIRST_ROWS = 64

export class CounterStarts {
  /** What observe() has found. */
  low = 0
  high = 0
  readonly #max: number
  #size = 0
  #rows = 0
  readonly #free: number[] = []
  #values = new Float64Array(0)
  #times = new Uint32Array(0)
  #generations = new Uint32Array(0)

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
    const key = marks.length === 0 ? metric : seriesKey(metric, marks)
    const known = counts.get(key)
    if (known === undefined) {
      if (this.#size >= this.#max) return false
      const row = this.#take()
      counts.set(key, row)
      this.#generations[row] = generation
      this.#begin(row, timeLow, timeHigh)
      this.#last(row, value, timeLow, timeHigh)
      this.low = timeLow
      this.high = timeHigh
      return metric.kind !== KIND.DELTA
    }
    this.#generations[known] = generation
    const times = this.#times
    const at = known * TIMES
    const lastLow = times[at + TIME.LAST_LOW]!
    const lastHigh = times[at + TIME.LAST_HIGH]!
    const isNewer = isBefore(lastLow, lastHigh, timeLow, timeHigh)
    if (metric.kind === KIND.DELTA) {
      this.low = lastLow
      this.high = lastHigh
    } else {
      if (isNewer && value < this.#values[known]!) this.#begin(known, timeLow, timeHigh)
      this.low = times[at + TIME.START_LOW]!
      this.high = times[at + TIME.START_HIGH]!
    }
    if (isNewer) {
      this.#last(known, value, timeLow, timeHigh)
      return true
    }
    return metric.kind !== KIND.DELTA && !isBefore(timeLow, timeHigh, this.low, this.high)
  }

  /** Those that were last observed before `generation` are forgotten. */
  forget(counts: Counts, generation: number): void {
    for (const [key, row] of counts)
      if (this.#generations[row]! < generation) {
        counts.delete(key)
        this.#free.push(row)
        this.#size--
      }
  }

  #begin(row: number, low: number, high: number): void {
    this.#times[row * TIMES + TIME.START_LOW] = low
    this.#times[row * TIMES + TIME.START_HIGH] = high
  }

  #last(row: number, value: number, low: number, high: number): void {
    this.#values[row] = value
    this.#times[row * TIMES + TIME.LAST_LOW] = low
    this.#times[row * TIMES + TIME.LAST_HIGH] = high
  }

  #take(): number {
    this.#size++
    const free = this.#free.pop()
    if (free !== undefined) return free
    if (this.#rows === this.#values.length) this.#grow()
    return this.#rows++
  }

  #grow(): void {
    const rows = Math.max(FIRST_ROWS, this.#rows * 2)
    const [values, times, generations] = [this.#values, this.#times, this.#generations]
    this.#values = new Float64Array(rows)
    this.#values.set(values)
    this.#times = new Uint32Array(rows * TIMES)
    this.#times.set(times)
    this.#generations = new Uint32Array(rows)
    this.#generations.set(generations)
  }
}

const isBefore = (low: number, high: number, thanLow: number, thanHigh: number): boolean =>
  high < thanHigh || (high === thanHigh && low < thanLow)

/** Of points with these encoded attributes, within one source. */
export const seriesKey = ({ id }: Metric, { buffer, byteOffset, byteLength }: Uint8Array): string =>
  `${id} ${Buffer.from(buffer, byteOffset, byteLength).toString('latin1')}`
