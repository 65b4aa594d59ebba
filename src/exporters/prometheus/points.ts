// One data point: which bytes it is known by, and what it leaves in the slot of its series.
//
// A point of a gauge or a sum is read in one pass, without a view: there are thousands of them for each other one.
//
//   NumberDataPoint = start_time 2 | time 3 | as_double 4 | exemplars 5 | as_int 6 | attributes 7 | flags 8

import {
  EXPONENTIAL_HISTOGRAM_DATA_POINT,
  HISTOGRAM_DATA_POINT,
  NUMBER_DATA_POINT,
  SUMMARY_DATA_POINT,
} from '../../otlp/fields.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import {
  ExponentialHistogramPointView,
  HistogramPointView,
  type PointView,
  SummaryPointView,
} from '../../otlp/metric.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintLow } from '../../wire/varint.ts'
import { KIND, type Kind, type SeriesTable } from './series.ts'
import { ExponentialState, HistogramState, SummaryState } from './states.ts'
import { DROPPED, type Dropped, type Stream } from './stream.ts'

const tag = (field: number, wireType: number): number => field * 8 + wireType
const START = tag(NUMBER_DATA_POINT.START_TIME_UNIX_NANO, 1)
const TIME = tag(NUMBER_DATA_POINT.TIME_UNIX_NANO, 1)
const AS_DOUBLE = tag(NUMBER_DATA_POINT.AS_DOUBLE, 1)
const AS_INT = tag(NUMBER_DATA_POINT.AS_INT, 1)
const ATTRIBUTES = tag(NUMBER_DATA_POINT.ATTRIBUTES, 2)
const EXEMPLARS = tag(NUMBER_DATA_POINT.EXEMPLARS, 2)
const FLAGS = tag(NUMBER_DATA_POINT.FLAGS, 0)
const NO_RECORDED_VALUE = 1

const FIELDS_OF = {
  [KIND.NUMBER]: NUMBER_DATA_POINT,
  [KIND.HISTOGRAM]: HISTOGRAM_DATA_POINT,
  [KIND.EXPONENTIAL]: EXPONENTIAL_HISTOGRAM_DATA_POINT,
  [KIND.SUMMARY]: { ...SUMMARY_DATA_POINT, EXEMPLARS: 0 },
} as const satisfies Record<Kind, { ATTRIBUTES: number; FLAGS: number; EXEMPLARS: number }>

export class PointReader {
  /** The attributes as they came. */
  readonly key = new KeyRange()
  /** There is no recorded value: the series ends. */
  isEnd = false
  attributesField = 0
  readonly #series: SeriesTable
  readonly #cursor = new Cursor()
  readonly #histogram = new HistogramPointView()
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()
  #value = 0
  #timeLow = 0
  #timeHigh = 0
  #startLow = 0
  #startHigh = 0
  #exemplars: Uint8Array[] | undefined

  constructor(series: SeriesTable) {
    this.#series = series
  }

  /** The point in `bytes[start, end)`; store() is about the one read last. */
  read(bytes: Uint8Array, words: DataView, start: number, end: number, kind: Kind): void {
    this.key.begin(bytes, words, start)
    this.isEnd = false
    this.attributesField = FIELDS_OF[kind].ATTRIBUTES
    this.#value = 0
    this.#timeLow = 0
    this.#timeHigh = 0
    this.#startLow = 0
    this.#startHigh = 0
    this.#exemplars = undefined
    if (kind === KIND.NUMBER) this.#readNumber(bytes, words, start, end)
    else this.#readOther(bytes, words, start, end, kind)
  }

  #readNumber(bytes: Uint8Array, words: DataView, start: number, end: number): void {
    let p = start
    while (p < end) {
      const at = p
      const field = bytes[p]!
      if (field === ATTRIBUTES) {
        do {
          let length = bytes[p + 1]!
          if (length > 0x7f) {
            length = varintLow(bytes, p + 1)
            while (bytes[++p]! > 0x7f);
            p++
          } else p += 2
          p += length
        } while (p < end && bytes[p] === ATTRIBUTES)
        this.key.add(bytes, at, p)
      } else if (field === TIME) {
        this.#timeLow = words.getUint32(p + 1, true)
        this.#timeHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === START) {
        this.#startLow = words.getUint32(p + 1, true)
        this.#startHigh = words.getUint32(p + 5, true)
        p += 9
      } else if (field === AS_DOUBLE) {
        this.#value = words.getFloat64(p + 1, true)
        p += 9
      } else if (field === AS_INT) {
        this.#value = words.getInt32(p + 5, true) * 0x100000000 + words.getUint32(p + 1, true)
        p += 9
      } else p = this.#readUnusual(bytes, p, end)
    }
  }

  /** Returns where the next field begins. */
  #readUnusual(bytes: Uint8Array, at: number, end: number): number {
    const c = this.#cursor.reset(bytes, at, end)
    c.next()
    const field = tag(c.field, c.wireType)
    if (field === FLAGS) this.isEnd = (varintLow(bytes, c.start) & NO_RECORDED_VALUE) !== 0
    else if (field === EXEMPLARS) this.#exemplars = [bytes.slice(c.start, c.end)] // the last one is shown
    return c.end
  }

  #readOther(bytes: Uint8Array, words: DataView, start: number, end: number, kind: Exclude<Kind, 0>): void {
    const fields = FIELDS_OF[kind]
    for (const c = this.#cursor.reset(bytes, start, end); c.next(); ) {
      if (c.field === fields.ATTRIBUTES && c.wireType === 2) this.key.add(bytes, c.at, c.end)
      else if (c.field === fields.FLAGS && c.wireType === 0)
        this.isEnd = (varintLow(bytes, c.start) & NO_RECORDED_VALUE) !== 0
      else if (c.field === fields.EXEMPLARS && c.wireType === 2) {
        this.#exemplars ??= []
        this.#exemplars.push(bytes.slice(c.start, c.end))
      } else if (c.wireType === 1 && c.field === 3) {
        this.#timeLow = words.getUint32(c.start, true)
        this.#timeHigh = words.getUint32(c.start + 4, true)
      } else if (c.wireType === 1 && c.field === 2) {
        this.#startLow = words.getUint32(c.start, true)
        this.#startHigh = words.getUint32(c.start + 4, true)
      }
    }
    const view: PointView =
      kind === KIND.HISTOGRAM ? this.#histogram : kind === KIND.SUMMARY ? this.#summary : this.#exponential
    view.reset(bytes, start, end)
  }

  /** Puts it into its slot; says why not. */
  store(slot: number, stream: Stream): Dropped | undefined {
    const series = this.#series
    const { times } = series
    const at = slot * 4
    const isKnown = series.isAlive(slot)
    const low = times[at]!
    const high = times[at + 1]!
    // Of histograms with delta temporality only the start counts.
    const isOlder = this.#timeHigh < high || (this.#timeHigh === high && this.#timeLow < low)
    let startLow = this.#startLow
    let startHigh = this.#startHigh
    let timeLow = this.#timeLow
    let timeHigh = this.#timeHigh
    const joins = stream.isDelta && isKnown && startLow === low && startHigh === high
    if (stream.kind === KIND.NUMBER) {
      if (isOlder) return DROPPED.OLD
      series.values[slot] = joins ? series.values[slot]! + this.#value : this.#value
    } else {
      if (isKnown && stream.isDelta && stream.kind !== KIND.SUMMARY) {
        const isLater = startHigh > high || (startHigh === high && startLow > low)
        if (!joins && !isLater) return DROPPED.MISALIGNED
      } else if (isOlder) return DROPPED.OLD
      const problem = this.#storeState(slot, stream, joins)
      if (problem !== undefined) return problem
    }
    if (joins) {
      startLow = times[at + 2]!
      startHigh = times[at + 3]!
      if (isOlder) {
        timeLow = low
        timeHigh = high
      }
    }
    times[at] = timeLow
    times[at + 1] = timeHigh
    times[at + 2] = startLow
    times[at + 3] = startHigh
    if (series.exemplars[slot] !== this.#exemplars) series.exemplars[slot] = this.#exemplars
    return undefined
  }

  #storeState(slot: number, stream: Stream, joins: boolean): Dropped | undefined {
    const { states } = this.#series
    const before = states[slot]
    if (stream.kind === KIND.SUMMARY) {
      const state = before instanceof SummaryState ? before : new SummaryState()
      state.set(this.#summary)
      states[slot] = state
    } else if (stream.kind === KIND.HISTOGRAM) {
      const older = before instanceof HistogramState ? before : undefined
      const state = joins || older === undefined ? new HistogramState() : older
      stream.bounds = state.set(this.#histogram, stream.bounds)
      if (joins && older !== undefined) state.add(older)
      states[slot] = state
    } else {
      const state = new ExponentialState()
      state.set(this.#exponential)
      if (!state.addsUp()) return DROPPED.COUNTS
      if (joins && before instanceof ExponentialState) state.add(before)
      states[slot] = state
    }
    return undefined
  }
}
