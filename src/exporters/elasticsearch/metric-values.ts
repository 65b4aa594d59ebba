// Values of data points as Elasticsearch has fields for them, and the dynamic template that maps such a field.
// contrib, exporter/elasticsearchexporter/internal/datapoints/ and internal/exphistogram/.

import { NUMBER_DATA_POINT } from '../../otlp/fields.ts'
import { CHAR } from '../../otlp/json/text.ts'
import {
  ExponentialHistogramPointView,
  HistogramPointView,
  METRIC_TYPE,
  type MetricType,
  NumberPointView,
  SummaryPointView,
} from '../../otlp/metric.ts'
import type { DocumentText } from './document-text.ts'

/** How histograms are written: `counts`, and as `values` the middles of buckets or their upper bounds; or `sum` and `value_count`. */
export type HistogramForm = 'centroids' | 'raw' | 'aggregate'

export class MetricValues {
  readonly #number = new NumberPointView()
  readonly #histogram = new HistogramPointView()
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()
  readonly #counts: number[] = []
  readonly #bounds: number[] = []

  /**
   * Writes the value of the point in `bytes[start, end)` and returns the name of its dynamic template; undefined, and
   * nothing written, where it has no value that a document can hold.
   */
  write(
    text: DocumentText,
    type: MetricType,
    isCounter: boolean,
    form: HistogramForm,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): string | undefined {
    switch (type) {
      case METRIC_TYPE.GAUGE:
      case METRIC_TYPE.SUM:
        return this.#writeNumber(text, isCounter, bytes, start, end)
      case METRIC_TYPE.HISTOGRAM:
        return this.#writeHistogram(text, form, bytes, start, end)
      case METRIC_TYPE.EXPONENTIAL_HISTOGRAM:
        return this.#writeExponential(text, form, bytes, start, end)
      case METRIC_TYPE.SUMMARY: {
        const point = this.#summary.reset(bytes, start, end) as SummaryPointView
        writeAggregate(text, point.sum(), point.count())
        return 'summary'
      }
      default:
        return undefined
    }
  }

  /** How many values the point stands for: `_doc_count`. */
  count(type: MetricType, bytes: Uint8Array, start: number, end: number): number {
    if (type === METRIC_TYPE.HISTOGRAM) return (this.#histogram.reset(bytes, start, end) as HistogramPointView).count()
    if (type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM)
      return (this.#exponential.reset(bytes, start, end) as ExponentialHistogramPointView).count()
    if (type === METRIC_TYPE.SUMMARY) return (this.#summary.reset(bytes, start, end) as SummaryPointView).count()
    return 1
  }

  #writeNumber(
    text: DocumentText,
    isCounter: boolean,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): string | undefined {
    const point = this.#number.reset(bytes, start, end)
    if (point.valueField === NUMBER_DATA_POINT.AS_INT) {
      text.int64(point.fixedLow(NUMBER_DATA_POINT.AS_INT), point.fixedHigh(NUMBER_DATA_POINT.AS_INT))
      return isCounter ? 'counter_long' : 'gauge_long'
    }
    const value = point.value()
    if (!Number.isFinite(value)) return undefined
    text.float(value)
    return isCounter ? 'counter_double' : 'gauge_double'
  }

  #writeHistogram(
    text: DocumentText,
    form: HistogramForm,
    bytes: Uint8Array,
    start: number,
    end: number,
  ): string | undefined {
    const point = this.#histogram.reset(bytes, start, end) as HistogramPointView
    const sum = Number.isNaN(point.sum()) ? 0 : point.sum()
    if (form === 'aggregate') {
      writeAggregate(text, sum, point.count())
      return 'summary'
    }
    const counts = this.#counts
    const bounds = this.#bounds
    counts.length = 0
    bounds.length = 0
    point.bucketCounts(counts)
    point.explicitBounds(bounds)
    if (counts.length > 0 && counts.length !== bounds.length + 1) return undefined
    if (bounds.length === 0) {
      // One bucket over everything: its values lie about their mean.
      counts.length = 0
      counts.push(point.count())
    }
    if (form === 'raw' && bounds.length > 0) {
      joinLast(counts)
      writeCentroids(text, counts, (i) => bounds[i]!)
    } else {
      const middle = (i: number): number => (bounds.length === 0 ? sum / point.count() : middleOf(bounds, i))
      writeCentroids(text, counts, middle)
    }
    return 'histogram'
  }

  #writeExponential(text: DocumentText, form: HistogramForm, bytes: Uint8Array, start: number, end: number): string {
    const point = this.#exponential.reset(bytes, start, end) as ExponentialHistogramPointView
    if (form === 'aggregate') {
      writeAggregate(text, Number.isNaN(point.sum()) ? 0 : point.sum(), point.count())
      return 'summary'
    }
    const negative: number[] = []
    const positive: number[] = []
    const negativeOffset = point.negative(negative)
    const positiveOffset = point.positive(positive)
    const scale = point.scale()
    const middle = (index: number): number => {
      const low = lowerBound(index, scale)
      return low + (lowerBound(index + 1, scale) - low) / 2
    }
    const isRaw = form === 'raw'
    const counts: number[] = []
    const values: number[] = []
    for (let i = negative.length - 1; i >= 0; i--) {
      counts.push(negative[i]!)
      values.push(isRaw ? -lowerBound(negativeOffset + i, scale) : -middle(negativeOffset + i))
    }
    counts.push(point.zeroCount())
    values.push(0)
    for (let i = 0; i < positive.length; i++) {
      counts.push(positive[i]!)
      values.push(isRaw ? lowerBound(positiveOffset + i + 1, scale) : middle(positiveOffset + i))
    }
    writeCentroids(text, counts, (i) => values[i]!)
    return 'histogram'
  }
}

function writeAggregate(text: DocumentText, sum: number, count: number): void {
  text.ascii('{"sum":')
  text.float(sum)
  text.ascii(',"value_count":')
  text.integer(count)
  text.put(CHAR.CLOSE_BRACE)
}

/** Buckets without values are left out. */
function writeCentroids(text: DocumentText, counts: readonly number[], value: (i: number) => number): void {
  text.ascii('{"counts":[')
  let comma = false
  for (const count of counts) {
    if (count === 0) continue
    if (comma) text.put(CHAR.COMMA)
    comma = true
    text.integer(count)
  }
  text.ascii('],"values":[')
  comma = false
  for (let i = 0; i < counts.length; i++) {
    if (counts[i] === 0) continue
    if (comma) text.put(CHAR.COMMA)
    comma = true
    text.float(value(i))
  }
  text.ascii(']}')
}

/** What is above all bounds counts as the bucket before it that is not empty: values may not stand twice. */
function joinLast(counts: number[]): void {
  const above = counts.pop()
  const last = counts.findLastIndex((count) => count > 0)
  if (above !== undefined && last >= 0) counts[last]! += above
}

/** The middle of bucket `i`; of the first and the last, which are open, what is known of them. */
function middleOf(bounds: readonly number[], i: number): number {
  if (i === 0) return bounds[0]! > 0 ? bounds[0]! / 2 : bounds[0]!
  if (i >= bounds.length) return bounds[bounds.length - 1]!
  return bounds[i - 1]! + (bounds[i]! - bounds[i - 1]!) / 2
}

/** OpenTelemetry, metrics data model, "Producer Expectations": the base is 2^(2^-scale). */
const lowerBound = (index: number, scale: number): number =>
  scale <= 0 ? 2 ** (index * 2 ** -scale) : 2 * Math.exp((index - 2 ** scale) * (Math.LN2 * 2 ** -scale))
