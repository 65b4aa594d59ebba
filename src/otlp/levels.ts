// The way from a request down to its items, the same for counting and cutting.
//
//   level    0         1            2         3              4               5
//   traces   request   resource X   scope X   span
//   logs     request   resource X   scope X   log record
//   metrics  request   resource X   scope X   metric         kind of data    data point
//   profiles request   resource X   scope X   profile        sample
//
// A message at a level holds those of the next in one repeated field; all its other fields are its *header*.

import { Cursor } from '../wire/cursor.ts'
import { isMetricData } from './metric.ts'
import type { Signal } from './signal.ts'

/** The level whose messages are counted. */
export const ITEM_LEVEL = { traces: 3, logs: 3, metrics: 5, profiles: 4 } as const satisfies Record<Signal, number>

/** The field at each level that holds the next, the same as in the tables (numbers.test.ts). A metric's is found in it. */
export const NEXT_FIELD = {
  traces: [1, 2, 2],
  logs: [1, 2, 2],
  metrics: [1, 2, 2, 0, 1],
  profiles: [1, 2, 2, 2],
} as const satisfies Record<Signal, readonly number[]>

/** Of metrics: the level of a metric, which holds its data in one of several fields. */
export const METRIC_LEVEL = 3

/** Cursors for one walk, reused; nothing is allocated per message. */
export class Levels {
  readonly signal: Signal
  readonly itemLevel: number
  /** By level: the field that holds the next level, and where its run begins in a message with a oneof. */
  readonly field: number[]
  readonly runFrom: number[]
  /** Whether the message entered last has its next level in several messages that merge: a metric's data in pieces. */
  merges = false
  readonly #cursors: readonly Cursor[]
  readonly #scan = new Cursor()

  constructor(signal: Signal) {
    this.signal = signal
    this.itemLevel = ITEM_LEVEL[signal]
    this.field = NEXT_FIELD[signal].slice()
    this.runFrom = this.field.map(() => 0)
    this.#cursors = this.field.map(() => new Cursor())
  }

  /** Enters a message of `level`: field[level] and runFrom[level] are right until the next message of that level. */
  enter(level: number, bytes: Uint8Array, from: number, to: number): void {
    if (level !== METRIC_LEVEL || this.signal !== 'metrics') return
    this.merges = false
    // A oneof: the last kind of data counts, with all its pieces since another kind came.
    this.field[level] = 0
    for (const c = this.#scan.reset(bytes, from, to); c.next(); ) {
      if (c.wireType !== 2 || !isMetricData(c.field)) continue
      this.merges = c.field === this.field[level]
      if (!this.merges) this.runFrom[level] = c.at
      this.field[level] = c.field
    }
  }

  /** Whether the field under the cursor holds a message of the next level; otherwise it is header. */
  isNext(level: number, c: Cursor): boolean {
    return c.wireType === 2 && c.field === this.field[level] && c.at >= this.runFrom[level]!
  }

  /** Items in a message of `level`. */
  count(level: number, bytes: Uint8Array, from: number, to: number): number {
    if (level === this.itemLevel) return 1
    this.enter(level, bytes, from, to)
    let items = 0
    for (const c = this.#cursors[level]!.reset(bytes, from, to); c.next(); )
      if (this.isNext(level, c)) items += this.count(level + 1, bytes, c.start, c.end)
    return items
  }
}

/** Spans, data points, log records or samples in an encoded request. The bytes must have passed checkRequest(). */
export function countItems(signal: Signal, bytes: Uint8Array): number {
  return new Levels(signal).count(0, bytes, 0, bytes.length)
}
