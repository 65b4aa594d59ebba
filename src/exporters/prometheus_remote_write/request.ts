// What goes to the store in one request: samples gathered by series, in columns.
//
//   slot     a series:  first and last sample, how many, how many of them stand for a data point
//   sample   value, time, start time (milliseconds), the next sample of its series; or a histogram or exemplar, whose bytes
//            stand in `blobs`
//
// A series has one sample for a time: of two points the later counts.

import type { DeliveryError } from '../../delivery/error.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { Writer } from '../../wire/writer.ts'
import { sortExemplars } from './exemplar-order.ts'
import type { Series } from './series-book.ts'

const FIRST_SAMPLES = 256
export const NONE = -1
export const ENDS = -1

/** What one batch has in requests: told when each of them has ended. */
export interface Share {
  requestEnded(error: DeliveryError | undefined): void
}

/** The NaN that ends a series (Prometheus, "Staleness markers"); as a number it would be any NaN. */
export const STALE_LOW = 2
export const STALE_HIGH = 0x7ff00000
/** Around the labels of a series, and of a sample, at most. */
const SERIES_BYTES = 40
const SAMPLE_BYTES = 36

export class Request {
  readonly series: Series[] = []
  readonly first: number[] = []
  readonly last: number[] = []
  readonly exemplars: number[] = []
  /** Data points of a slot; those that have several series count in one of them. */
  readonly points: number[] = []
  readonly unsorted = new Set<number>()
  /** Slots that have more than one exemplar. */
  readonly #manyExemplars = new Set<number>()
  /** Of samples. */
  values = new Float64Array(FIRST_SAMPLES)
  times = new Float64Array(FIRST_SAMPLES)
  starts = new Float64Array(FIRST_SAMPLES)
  next = new Int32Array(FIRST_SAMPLES)
  /** Where a histogram's bytes begin and end; of a plain sample `to` is 0, and `from` ENDS where the series ends with it. */
  from = new Int32Array(FIRST_SAMPLES)
  to = new Int32Array(FIRST_SAMPLES)
  count = 0
  readonly blobs = new Writer()
  /** What the message takes at most. */
  bytes = 0
  /** Made with the first try. */
  message: Uint8Array | undefined
  /** Slots that the store has, or will never take. */
  settledSlots = 0
  /** Whose data it holds, for authenticators that look at it. */
  client: ClientInfo
  readonly #shares: Share[] = []
  readonly delivery = {
    deliver: () => this.#end(undefined),
    refuse: (error: DeliveryError) => this.#end(error),
  }

  constructor(client: ClientInfo) {
    this.client = client
  }

  /** As if it were new, for data of that client: nobody may know it any more. */
  reset(client: ClientInfo): this {
    this.client = client
    for (const list of [this.series, this.first, this.last, this.exemplars, this.points, this.#shares]) list.length = 0
    this.unsorted.clear()
    this.#manyExemplars.clear()
    this.count = 0
    this.blobs.clear()
    this.bytes = 0
    this.message = undefined
    this.settledSlots = 0
    return this
  }

  /** True where it is new to this request. */
  join(share: Share): boolean {
    if (this.#shares.at(-1) === share) return false
    this.#shares.push(share)
    return true
  }

  /** What a sample of that series would add to `bytes`. */
  bytesOf(series: Series): number {
    return SAMPLE_BYTES + (series.request === this ? 0 : SERIES_BYTES + series.bytes)
  }

  /** `points`: data points that it stands for. */
  sample(series: Series, value: number, timeMs: number, startMs: number, points: number, ends = false): void {
    const from = ends ? ENDS : 0
    const slot = this.#slot(series)
    this.points[slot]! += points
    const last = this.last[slot]!
    if (last !== NONE && this.times[last] === timeMs && this.to[last] === 0) {
      this.values[last] = value
      this.from[last] = from
      return
    }
    this.#append(slot, value, timeMs, startMs, from, 0)
  }

  /** The bytes of a native histogram, of either version, without its time: copied. */
  histogram(series: Series, bytes: Uint8Array, length: number, timeMs: number, startMs: number): void {
    const slot = this.#slot(series)
    this.points[slot]!++
    const from = this.blobs.length
    this.blobs.copy(bytes, 0, length)
    this.bytes += length
    const last = this.last[slot]!
    if (last !== NONE && this.times[last] === timeMs && this.to[last] !== 0) {
      this.from[last] = from
      this.to[last] = this.blobs.length
    } else this.#append(slot, 0, timeMs, startMs, from, this.blobs.length)
  }

  /** An Exemplar as 1.0 has it: copied. Of a series that has a sample here. */
  exemplar(series: Series, bytes: Uint8Array, length: number, timeMs: number): void {
    const slot = this.#slot(series)
    const from = this.blobs.length
    this.blobs.copy(bytes, 0, length)
    this.bytes += length + SAMPLE_BYTES
    const at = this.#row(0, timeMs, 0, from, this.blobs.length)
    if (this.exemplars[slot] !== NONE) this.#manyExemplars.add(slot)
    this.next[at] = this.exemplars[slot]!
    this.exemplars[slot] = at
  }

  #slot(series: Series): number {
    if (series.request === this) return series.slot
    this.bytes += SERIES_BYTES + series.bytes
    series.request = this
    series.slot = this.series.length
    this.series.push(series)
    this.first.push(NONE)
    this.last.push(NONE)
    this.exemplars.push(NONE)
    this.points.push(0)
    return series.slot
  }

  #append(slot: number, value: number, timeMs: number, startMs: number, from: number, to: number): void {
    this.bytes += SAMPLE_BYTES
    const at = this.#row(value, timeMs, startMs, from, to)
    const last = this.last[slot]!
    if (last === NONE) this.first[slot] = at
    else {
      this.next[last] = at
      if (timeMs < this.times[last]!) this.unsorted.add(slot)
    }
    this.last[slot] = at
  }

  #row(value: number, timeMs: number, startMs: number, from: number, to: number): number {
    if (this.count === this.values.length) this.#grow()
    const at = this.count++
    this.values[at] = value
    this.times[at] = timeMs
    this.starts[at] = startMs
    this.next[at] = NONE
    this.from[at] = from
    this.to[at] = to
    return at
  }

  /** In the order of time: of samples one for each, of exemplars all. */
  sort(): void {
    for (const slot of this.unsorted) {
      const rows: number[] = []
      for (let at = this.first[slot]!; at !== NONE; at = this.next[at]!) rows.push(at)
      rows.sort((a, b) => this.times[a]! - this.times[b]! || a - b)
      const kept = rows.filter((at, i) => i + 1 === rows.length || this.times[rows[i + 1]!] !== this.times[at])
      for (let i = 0; i < kept.length; i++) this.next[kept[i]!] = kept[i + 1] ?? NONE
      this.first[slot] = kept[0]!
      this.last[slot] = kept.at(-1)!
    }
    this.unsorted.clear()
    for (const slot of this.#manyExemplars) this.exemplars[slot] = sortExemplars(this, this.exemplars[slot]!)
    this.#manyExemplars.clear()
  }

  /** Samples and histograms of a slot. */
  samplesOf(slot: number): number {
    let count = 0
    for (let at = this.first[slot]!; at !== NONE; at = this.next[at]!) count++
    return count
  }

  #grow(): void {
    const size = this.count * 2
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const fresh = new Float64Array(size)
      fresh.set(old)
      return fresh
    }
    const grownInts = (old: Int32Array): Int32Array<ArrayBuffer> => {
      const fresh = new Int32Array(size)
      fresh.set(old)
      return fresh
    }
    this.values = grown(this.values)
    this.times = grown(this.times)
    this.starts = grown(this.starts)
    this.next = grownInts(this.next)
    this.from = grownInts(this.from)
    this.to = grownInts(this.to)
  }

  #end(error: DeliveryError | undefined): void {
    for (const series of this.series) if (series.request === this) series.request = undefined
    for (const share of this.#shares) share.requestEnded(error)
  }
}
