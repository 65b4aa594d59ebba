// One data point: which bytes it is known by, and what it leaves in the slot of its series.

import {
  EXPONENTIAL_HISTOGRAM_DATA_POINT,
  HISTOGRAM_DATA_POINT,
  NUMBER_DATA_POINT,
  SUMMARY_DATA_POINT,
} from '../../otlp/fields.ts'
import { ExponentialHistogramPointView, SummaryPointView } from '../../otlp/metric.ts'
import { type PointFields, PointReader } from '../../prometheus/points.ts'
import { KIND, type Kind, type SeriesTable } from './series.ts'
import { ExponentialState, HistogramState, SummaryState } from './states.ts'
import { DROPPED, type Dropped, type Stream } from './stream.ts'

const FIELDS_OF: Readonly<Record<Kind, PointFields>> = {
  [KIND.NUMBER]: NUMBER_DATA_POINT,
  [KIND.HISTOGRAM]: HISTOGRAM_DATA_POINT,
  [KIND.EXPONENTIAL]: EXPONENTIAL_HISTOGRAM_DATA_POINT,
  [KIND.SUMMARY]: { ...SUMMARY_DATA_POINT, EXEMPLARS: 0 },
}

export class PointStore {
  readonly point = new PointReader()
  attributesField = 0
  readonly #series: SeriesTable
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()
  #bytes: Uint8Array = new Uint8Array(0)

  constructor(series: SeriesTable) {
    this.#series = series
  }

  /** The point in `bytes[start, end)`; store() is about the one read last. */
  read(bytes: Uint8Array, words: DataView, start: number, end: number, kind: Kind): void {
    this.#bytes = bytes
    this.attributesField = FIELDS_OF[kind].ATTRIBUTES
    if (kind === KIND.NUMBER) this.point.readNumber(bytes, words, start, end)
    else if (kind === KIND.HISTOGRAM) this.point.readHistogram(bytes, words, start, end)
    else {
      this.point.readOther(bytes, words, start, end, FIELDS_OF[kind])
      if (kind === KIND.SUMMARY) this.#summary.reset(bytes, start, end)
      else this.#exponential.reset(bytes, start, end)
    }
  }

  /** Puts it into its slot; says why not. */
  store(slot: number, stream: Stream): Dropped | undefined {
    const series = this.#series
    const point = this.point
    const { times } = series
    const at = slot * 4
    const isKnown = series.isAlive(slot)
    const low = times[at]!
    const high = times[at + 1]!
    // Of histograms with delta temporality only the start counts.
    const isOlder = point.timeHigh < high || (point.timeHigh === high && point.timeLow < low)
    let startLow = point.startLow
    let startHigh = point.startHigh
    let timeLow = point.timeLow
    let timeHigh = point.timeHigh
    const joins = stream.isDelta && isKnown && startLow === low && startHigh === high
    if (stream.kind === KIND.NUMBER) {
      if (isOlder) return DROPPED.OLD
      series.values[slot] = joins ? series.values[slot]! + point.value : point.value
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
    const exemplars = point.exemplars.length === 0 ? undefined : this.#exemplars(stream.kind)
    if (series.exemplars[slot] !== exemplars) series.exemplars[slot] = exemplars
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
      stream.bounds = state.set(this.point, stream.bounds)
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

  /** Copies; of a number the last one is shown. */
  #exemplars(kind: Kind): Uint8Array[] {
    const { exemplars } = this.point
    const copies: Uint8Array[] = []
    for (let i = kind === KIND.NUMBER ? exemplars.length - 2 : 0; i < exemplars.length; i += 2)
      copies.push(this.#bytes.slice(exemplars[i], exemplars[i + 1]))
    return copies
  }
}
