// What goes to the store in one request: samples gathered by series, in columns.
//
//   slot     a track: its first series here, its first and last row
//   series   its slot, its first exemplar, how many data points it stands for
//   row      time, start time (milliseconds), the next row of its slot, and where its values begin: one for each series of the
//            track, in their order. Or a native histogram, or an exemplar, whose bytes stand in `blobs`
//
// A series has one sample for a time: of two points the later counts. So nothing is looked up and nothing is written twice
// that the series of a histogram have in common.

import type { DeliveryError } from '../../delivery/error.ts'
import type { ClientInfo } from '../../otlp/batch.ts'
import { Writer } from '../../wire/writer.ts'
import { sortExemplars } from './exemplar-order.ts'
import { ABSENT_HIGH, NONE, sortRows } from './row-order.ts'
import type { Series, Track } from './series-book.ts'

const FIRST_ROWS = 256

/** What one batch has in requests: told when each of them has ended. */
export interface Share {
  requestEnded(error: DeliveryError | undefined): void
}

/** The NaN that ends a series (Prometheus, "Staleness markers"); as a number it would be any NaN. */
const STALE_LOW = 2
const STALE_HIGH = 0x7ff00000
/** Around the labels of a series, and of a sample, at most. */
const SERIES_BYTES = 40
const SAMPLE_BYTES = 36

export class Request {
  readonly series: Series[] = []
  /** Of series. */
  slotOf = new Int32Array(FIRST_ROWS)
  exemplars = new Int32Array(FIRST_ROWS)
  points = new Int32Array(FIRST_ROWS)
  /** Of slots. */
  firstSeries = new Int32Array(FIRST_ROWS)
  first = new Int32Array(FIRST_ROWS)
  last = new Int32Array(FIRST_ROWS)
  slots = 0
  /** Of rows. */
  times = new Float64Array(FIRST_ROWS)
  starts = new Float64Array(FIRST_ROWS)
  next = new Int32Array(FIRST_ROWS)
  valuesAt = new Int32Array(FIRST_ROWS)
  /** Where a histogram's bytes begin and end, and then `valuesAt` is its place in the track; `to` is 0 where there are values. */
  from = new Int32Array(FIRST_ROWS)
  to = new Int32Array(FIRST_ROWS)
  count = 0
  /** The same bytes: low half, high half of each value. */
  values = new Float64Array(FIRST_ROWS)
  halves = new Uint32Array(this.values.buffer)
  readonly blobs = new Writer()
  /** What the message takes at most. */
  bytes = 0
  /** Made with the first try. */
  message: Uint8Array | undefined
  /** Series that the store has, or will never take. */
  settledSeries = 0
  /** Whose data it holds, for authenticators that look at it. */
  client: ClientInfo
  #valueCount = 0
  readonly #unsorted = new Set<number>()
  /** Series that have more than one exemplar. */
  readonly #manyExemplars = new Set<number>()
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
    this.series.length = 0
    this.#shares.length = 0
    this.#unsorted.clear()
    this.#manyExemplars.clear()
    this.slots = 0
    this.count = 0
    this.#valueCount = 0
    this.blobs.clear()
    this.bytes = 0
    this.message = undefined
    this.settledSeries = 0
    return this
  }

  /** True where it is new to this request. */
  join(share: Share): boolean {
    if (this.#shares.at(-1) === share) return false
    this.#shares.push(share)
    return true
  }

  /** What samples of that track would add to `bytes`. */
  bytesOf(track: Track): number {
    return track.series.length * SAMPLE_BYTES + (track.request === this ? 0 : this.#bytesAround(track))
  }

  /**
   * Where the values of that time go: the place of the first one, for put() and end(). `points`: data points that they stand
   * for, counted with that series of the track.
   */
  row(track: Track, timeMs: number, startMs: number, series: number, points: number): number {
    const slot = this.#slot(track)
    this.points[this.firstSeries[slot]! + series]! += points
    const last = this.last[slot]!
    if (last !== NONE && this.times[last] === timeMs && this.to[last] === 0) return this.valuesAt[last]!
    const { length } = track.series
    const at = this.#valueCount
    this.#valueCount += length
    if (this.#valueCount > this.values.length) this.#growValues()
    for (let i = at; i < this.#valueCount; i++) this.halves[2 * i + 1] = ABSENT_HIGH
    this.bytes += length * SAMPLE_BYTES
    this.#append(slot, this.#newRow(timeMs, startMs, at, 0, 0))
    return at
  }

  put(place: number, value: number): void {
    this.values[place] = value
    // Its bits could be any, those for "absent" too.
    if (Number.isNaN(value)) this.#putHalves(place, 0, 0x7ff80000)
  }

  /** The series ends with this row. */
  end(place: number): void {
    this.#putHalves(place, STALE_LOW, STALE_HIGH)
  }

  /** The bytes of a native histogram, of either version, without its time: copied. */
  histogram(series: Series, bytes: Uint8Array, length: number, timeMs: number, startMs: number): void {
    const slot = this.#slot(series.track!)
    this.points[this.firstSeries[slot]! + series.place]!++
    const from = this.blobs.length
    this.blobs.copy(bytes, 0, length)
    this.bytes += length
    const last = this.last[slot]!
    if (last !== NONE && this.times[last] === timeMs && this.to[last] !== 0 && this.valuesAt[last] === series.place) {
      this.from[last] = from
      this.to[last] = this.blobs.length
      return
    }
    this.bytes += SAMPLE_BYTES
    this.#append(slot, this.#newRow(timeMs, startMs, series.place, from, this.blobs.length))
  }

  /** An Exemplar as 1.0 has it: copied. Of a series that has a sample here. */
  exemplar(series: Series, bytes: Uint8Array, length: number, timeMs: number): void {
    const at = this.firstSeries[this.#slot(series.track!)]! + series.place
    const from = this.blobs.length
    this.blobs.copy(bytes, 0, length)
    this.bytes += length + SAMPLE_BYTES
    const row = this.#newRow(timeMs, 0, 0, from, this.blobs.length)
    if (this.exemplars[at] !== NONE) this.#manyExemplars.add(at)
    this.next[row] = this.exemplars[at]!
    this.exemplars[at] = row
  }

  /** In the order of time: of samples one row for each, of exemplars all. Nothing may be added afterwards. */
  sort(): void {
    for (const slot of this.#unsorted) {
      const { length } = this.series[this.firstSeries[slot]!]!.track!.series
      this.first[slot] = sortRows(this, this.first[slot]!, length)
    }
    this.#unsorted.clear()
    for (const at of this.#manyExemplars) this.exemplars[at] = sortExemplars(this, this.exemplars[at]!)
    this.#manyExemplars.clear()
  }

  #putHalves(place: number, low: number, high: number): void {
    this.halves[2 * place] = low
    this.halves[2 * place + 1] = high
  }

  #bytesAround({ series, bytes }: Track): number {
    return series.length * SERIES_BYTES + bytes
  }

  #slot(track: Track): number {
    return track.request === this ? track.slot : this.#newSlot(track)
  }

  #newSlot(track: Track): number {
    const slot = this.slots++
    track.request = this
    track.slot = slot
    this.bytes += this.#bytesAround(track)
    if (slot === this.first.length) {
      this.firstSeries = grownInts(this.firstSeries)
      this.first = grownInts(this.first)
      this.last = grownInts(this.last)
    }
    this.firstSeries[slot] = this.series.length
    this.first[slot] = NONE
    this.last[slot] = NONE
    for (const series of track.series) {
      const at = this.series.push(series) - 1
      if (at === this.slotOf.length) {
        this.slotOf = grownInts(this.slotOf)
        this.exemplars = grownInts(this.exemplars)
        this.points = grownInts(this.points)
      }
      this.slotOf[at] = slot
      this.exemplars[at] = NONE
      this.points[at] = 0
    }
    return slot
  }

  #append(slot: number, row: number): void {
    const last = this.last[slot]!
    if (last === NONE) this.first[slot] = row
    else {
      this.next[last] = row
      if (this.times[row]! < this.times[last]!) this.#unsorted.add(slot)
    }
    this.last[slot] = row
  }

  #newRow(timeMs: number, startMs: number, valuesAt: number, from: number, to: number): number {
    if (this.count === this.times.length) this.#growRows()
    const row = this.count++
    this.times[row] = timeMs
    this.starts[row] = startMs
    this.next[row] = NONE
    this.valuesAt[row] = valuesAt
    this.from[row] = from
    this.to[row] = to
    return row
  }

  #growRows(): void {
    this.times = grownDoubles(this.times, 2 * this.count)
    this.starts = grownDoubles(this.starts, 2 * this.count)
    this.next = grownInts(this.next)
    this.valuesAt = grownInts(this.valuesAt)
    this.from = grownInts(this.from)
    this.to = grownInts(this.to)
  }

  #growValues(): void {
    this.values = grownDoubles(this.values, 2 * this.#valueCount)
    this.halves = new Uint32Array(this.values.buffer)
  }

  #end(error: DeliveryError | undefined): void {
    for (const { track } of this.series) if (track!.request === this) track!.request = undefined
    for (const share of this.#shares) share.requestEnded(error)
  }
}

function grownDoubles(old: Float64Array<ArrayBuffer>, size: number): Float64Array<ArrayBuffer> {
  const fresh = new Float64Array(size)
  fresh.set(old)
  return fresh
}

function grownInts(old: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const fresh = new Int32Array(2 * old.length)
  fresh.set(old)
  return fresh
}
