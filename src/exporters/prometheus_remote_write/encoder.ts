// Puts the points of a batch into requests. Every message on the way down is found by its bytes, so that a series which has
// been seen costs no text and no object:
//
//   resource    its ResourceMetrics without the scopes
//   scope       its ScopeMetrics without the metrics, below the resource
//   stream      its Metric without the data, below the scope; type, temporality and monotonicity
//   point       its attributes, below the stream: leads to its series
//
// The tables are emptied when they hold as much as they may: what is still in use comes back with its next point.

import { KeyIndex } from '../../collections/key-index.ts'
import type { Batch } from '../../otlp/batch.ts'
import {
  EXPONENTIAL_HISTOGRAM_DATA_POINT,
  EXPORT_METRICS_SERVICE_REQUEST,
  GAUGE,
  HISTOGRAM_DATA_POINT,
  NUMBER_DATA_POINT,
  RESOURCE_METRICS,
  SCOPE_METRICS,
  SUMMARY_DATA_POINT,
} from '../../otlp/fields.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import {
  ExponentialHistogramPointView,
  METRIC_TYPE,
  type MetricType,
  MetricView,
  SummaryPointView,
} from '../../otlp/metric.ts'
import { millis } from '../../otlp/millis.ts'
import { MergedView } from '../../otlp/resource.ts'
import { type Label, type ResourceLabels, readAttributes, resourceLabels } from '../../prometheus/labels.ts'
import { MetricData, TEMPORALITY } from '../../prometheus/metric-data.ts'
import { metricName, type Naming, unitName } from '../../prometheus/names.ts'
import { type PointFields, PointReader } from '../../prometheus/points.ts'
import { V2_METADATA_METRIC_TYPE } from '../../prometheus/remote-write-fields.ts'
import { Cursor } from '../../wire/cursor.ts'
import { empty } from '../../wire/empty.ts'
import { ExemplarWriter } from './exemplars.ts'
import type { Lanes } from './lanes.ts'
import { NativeWriter } from './native.ts'
import { PART, Parts } from './parts.ts'
import type { Request, Share } from './request.ts'
import { type Family, makeTrack, type Series, SeriesBook, type Track } from './series-book.ts'
import {
  type LabelMap,
  type LabelOptions,
  METRIC_NAME,
  scopeLabels,
  seriesLabels,
  sortedLabels,
  targetLabels,
} from './series-labels.ts'

/** Why points are not sent. */
export const DROPPED = {
  NAME: 'name',
  LABEL: 'label',
  TEMPORALITY: 'temporality',
  TIME: 'no_time',
  SCALE: 'scale',
} as const
export type Dropped = (typeof DROPPED)[keyof typeof DROPPED]

export interface EncoderOptions extends LabelOptions {
  readonly isV2: boolean
  readonly naming: Naming
  /** Undefined: there is none. */
  readonly targetInfo: string | undefined
  readonly seed: number
  readonly maxSeries: number
  /** `name` is the metric's, made only when asked for. */
  onDropped(reason: Dropped, points: number, name: () => string): void
}

/** Where samples go. */
export type Sink = Pick<Lanes, 'requestFor'>

interface Stream {
  readonly type: MetricType
  readonly family: Family
  readonly scope: number
}

const {
  COUNTER,
  GAUGE: GAUGES,
  HISTOGRAM,
  SUMMARY,
  INFO,
} = {
  COUNTER: V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_COUNTER,
  GAUGE: V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_GAUGE,
  HISTOGRAM: V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_HISTOGRAM,
  SUMMARY: V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_SUMMARY,
  INFO: V2_METADATA_METRIC_TYPE.values.METRIC_TYPE_INFO,
}
const POINTS = GAUGE.DATA_POINTS
const POINT_FIELDS: Readonly<Partial<Record<MetricType, PointFields>>> = {
  [METRIC_TYPE.GAUGE]: NUMBER_DATA_POINT,
  [METRIC_TYPE.SUM]: NUMBER_DATA_POINT,
  [METRIC_TYPE.HISTOGRAM]: HISTOGRAM_DATA_POINT,
  [METRIC_TYPE.EXPONENTIAL_HISTOGRAM]: EXPONENTIAL_HISTOGRAM_DATA_POINT,
  [METRIC_TYPE.SUMMARY]: { ...SUMMARY_DATA_POINT, EXEMPLARS: 0 },
}
/** Bits below a scope's number in the parent of a stream. */
const STREAM_BITS = 7

export class Encoder {
  readonly #options: EncoderOptions
  #book: SeriesBook
  #resources: KeyIndex
  #scopes: KeyIndex
  #streams: KeyIndex
  #points: KeyIndex
  #resourceNodes: { own: ResourceLabels; target: Series | undefined }[] = []
  #scopeNodes: (readonly Label[] | undefined)[] = []
  #streamNodes: (Stream | undefined)[] = []
  #pointNodes: (Series | Parts | undefined)[] = []
  readonly #resourceCursor = new Cursor()
  readonly #scopeCursor = new Cursor()
  readonly #metricCursor = new Cursor()
  readonly #pointCursor = new Cursor()
  readonly #key = new KeyRange()
  readonly #metric = new MetricView()
  readonly #merged = new MergedView()
  readonly #reader = new PointReader()
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()
  readonly #native = new NativeWriter()
  readonly #exemplar: ExemplarWriter
  readonly #data = new MetricData()
  /** Of a histogram or a summary: of each of its series. */
  readonly #values: number[] = []
  readonly #quantiles: number[] = []
  #timeMs = 0
  #startMs = 0
  #bytes: Uint8Array = new Uint8Array(0)
  #words = new DataView(this.#bytes.buffer)
  #latestMs = 0
  #sink!: Sink
  #share!: Share
  #onJoin!: () => void

  constructor(options: EncoderOptions) {
    this.#options = options
    this.#book = new SeriesBook(options.isV2)
    this.#exemplar = new ExemplarWriter(options.labels)
    this.#resources = new KeyIndex(options.seed)
    this.#scopes = new KeyIndex(options.seed)
    this.#streams = new KeyIndex(options.seed)
    this.#points = new KeyIndex(options.seed)
  }

  /** Series that are known. */
  get series(): number {
    return this.#book.size
  }

  /** `onJoin` is called for each request that gets something of the batch. */
  encode(batch: Batch, sink: Sink, share: Share, onJoin: () => void): void {
    this.#sink = sink
    this.#share = share
    this.#onJoin = onJoin
    const { maxSeries } = this.#options
    if (this.#book.size > maxSeries || this.#points.size > maxSeries) this.#empty()
    for (const part of batch.parts) {
      this.#bytes = part
      this.#words = new DataView(part.buffer, part.byteOffset, part.byteLength)
      const c = this.#resourceCursor.reset(part)
      while (c.find(EXPORT_METRICS_SERVICE_REQUEST.RESOURCE_METRICS)) this.#takeResource(c.start, c.end)
    }
  }

  #empty(): void {
    const { seed } = this.#options
    this.#book = new SeriesBook(this.#options.isV2)
    this.#resources = new KeyIndex(seed)
    this.#scopes = new KeyIndex(seed)
    this.#streams = new KeyIndex(seed)
    this.#points = new KeyIndex(seed)
    this.#resourceNodes = []
    this.#scopeNodes = []
    this.#streamNodes = []
    this.#pointNodes = []
  }

  #takeResource(start: number, end: number): void {
    const key = this.#key.ofHeader(this.#bytes, this.#words, start, end, RESOURCE_METRICS.SCOPE_METRICS)
    let resource = this.#resources.find(0, key.bytes, key.words, key.from, key.to)
    if (resource < 0) {
      resource = this.#resources.add(0, key.bytes, key.words, key.from, key.to)
      const own = resourceLabels(this.#merged.reset(key.bytes, key.from, key.to), this.#options.labels)
      this.#resourceNodes[resource] = { own, target: this.#target(own) }
    }
    this.#latestMs = 0
    const c = this.#scopeCursor.reset(this.#bytes, start, end)
    while (c.find(RESOURCE_METRICS.SCOPE_METRICS)) this.#takeScope(resource, c.start, c.end)
    const { target } = this.#resourceNodes[resource]!
    if (target === undefined || this.#latestMs === 0) return
    const request = this.#requestFor(target.track!, 0)
    request.put(request.row(target.track!, this.#latestMs, 0, target.place, 0) + target.place, 1)
  }

  #target(own: ResourceLabels): Series | undefined {
    const name = this.#options.targetInfo
    const labels = name === undefined ? undefined : targetLabels(own, this.#options)
    if (name === undefined || labels === undefined) return undefined
    const family = this.#book.family(name, INFO, 'Target metadata', '')
    return this.#alone(labels, name, family)
  }

  #takeScope(resource: number, start: number, end: number): void {
    const key = this.#key.ofHeader(this.#bytes, this.#words, start, end, SCOPE_METRICS.METRICS)
    let scope = this.#scopes.find(resource, key.bytes, key.words, key.from, key.to)
    if (scope < 0) {
      scope = this.#scopes.add(resource, key.bytes, key.words, key.from, key.to)
      this.#scopeNodes[scope] = scopeLabels(key.bytes, key.from, key.to, this.#options)
    }
    const c = this.#metricCursor.reset(this.#bytes, start, end)
    while (c.find(SCOPE_METRICS.METRICS)) this.#takeMetric(scope, c.start, c.end)
  }

  #takeMetric(scope: number, start: number, end: number): void {
    const data = this.#data.read(this.#bytes, start, end)
    const { type, isMonotonic } = data
    if (type === METRIC_TYPE.EMPTY) return
    if (type !== METRIC_TYPE.GAUGE && type !== METRIC_TYPE.SUMMARY && data.temporality !== TEMPORALITY.CUMULATIVE) {
      this.#drop(DROPPED.TEMPORALITY, start, end)
      return
    }
    const key = this.#key.ofMetric(this.#bytes, this.#words, start, end)
    const parent = (scope << STREAM_BITS) | (type << 1) | Number(isMonotonic)
    let stream = this.#streams.find(parent, key.bytes, key.words, key.from, key.to)
    if (stream < 0) {
      stream = this.#streams.add(parent, key.bytes, key.words, key.from, key.to)
      this.#streamNodes[stream] = this.#openStream(scope, type, isMonotonic, start, end)
    }
    const node = this.#streamNodes[stream]
    if (node === undefined) {
      this.#drop(DROPPED.NAME, start, end)
      return
    }
    const { pieces } = data
    for (let i = 0; i < pieces.length; i += 2) {
      const c = this.#pointCursor.reset(this.#bytes, pieces[i]!, pieces[i + 1]!)
      while (c.find(POINTS)) this.#takePoint(stream, node, c.start, c.end)
    }
  }

  #openStream(scope: number, type: MetricType, monotonic: boolean, start: number, end: number): Stream | undefined {
    const metric = this.#metric.reset(this.#bytes, start, end)
    const named = monotonic ? 'counter' : type === METRIC_TYPE.GAUGE ? 'gauge' : 'other'
    const unit = metric.toUnit()
    const name = metricName(metric.toName(), unit, named, this.#options.naming)
    if (name === undefined) return undefined
    const familyType =
      type === METRIC_TYPE.SUMMARY
        ? SUMMARY
        : type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM
          ? monotonic
            ? COUNTER
            : GAUGES
          : HISTOGRAM
    return {
      type,
      scope,
      family: this.#book.family(name, familyType, metric.toDescription(), unitName(unit, this.#options.naming)),
    }
  }

  #takePoint(stream: number, node: Stream, start: number, end: number): void {
    const reader = this.#reader
    const { type } = node
    const isNumber = type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM
    if (isNumber) reader.readNumber(this.#bytes, this.#words, start, end)
    else if (type === METRIC_TYPE.HISTOGRAM) reader.readHistogram(this.#bytes, this.#words, start, end)
    else reader.readOther(this.#bytes, this.#words, start, end, POINT_FIELDS[type]!)
    const timeMs = millis(reader.timeLow, reader.timeHigh)
    if (timeMs === 0) {
      this.#dropOne(DROPPED.TIME, node)
      return
    }
    this.#timeMs = timeMs
    this.#startMs = millis(reader.startLow, reader.startHigh)
    const { key } = reader
    let point = this.#points.find(stream, key.bytes, key.words, key.from, key.to)
    if (point < 0) {
      point = this.#points.add(stream, key.bytes, key.words, key.from, key.to)
      this.#pointNodes[point] = this.#openPoint(node, start, end)
    }
    const found = this.#pointNodes[point]
    if (found === undefined) {
      this.#dropOne(DROPPED.LABEL, node)
      return
    }
    if (timeMs > this.#latestMs) this.#latestMs = timeMs
    if (found instanceof Parts) {
      if (type === METRIC_TYPE.HISTOGRAM) this.#takeHistogram(found)
      else this.#takeSummary(found, start, end)
    } else if (isNumber) this.#takeNumber(found, node)
    else this.#takeExponential(found, node, start, end)
  }

  #openPoint({ type, family, scope }: Stream, start: number, end: number): Series | Parts | undefined {
    const ofScope = this.#scopeNodes[scope]
    if (ofScope === undefined) return undefined
    const { own } = this.#resourceNodes[this.#scopes.parentOf(scope)]!
    const attributes = readAttributes(this.#bytes, start, end, POINT_FIELDS[type]!.ATTRIBUTES)
    const labels: LabelMap | undefined = seriesLabels(attributes, ofScope, own, this.#options)
    if (labels === undefined) return undefined
    if (type === METRIC_TYPE.HISTOGRAM || type === METRIC_TYPE.SUMMARY) return new Parts(this.#book, family, labels)
    return this.#alone(labels, family.name, family)
  }

  #alone(labels: LabelMap, name: string, family: Family): Series {
    const series = this.#book.series(sortedLabels(labels, [METRIC_NAME, name]), family)
    if (series.track === undefined) makeTrack([series])
    return series
  }

  #takeNumber(series: Series, { family }: Stream): void {
    const { exemplars } = this.#reader
    this.#add(series, this.#reader.value, family.type === COUNTER ? this.#startMs : 0, 1)
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      this.#addExemplar(series)
    }
  }

  #takeHistogram(parts: Parts): void {
    const { count, sum, hasSum, bucketCounts, isEnd, exemplars } = this.#reader
    parts.setBounds(this.#reader.bounds)
    const values = this.#values
    const { bounds, series } = parts
    values[PART.SUM] = sum
    values[PART.COUNT] = count
    let below = 0
    for (let i = 0; i < bounds.length; i++) {
      below += bucketCounts[i] ?? 0
      values[PART.FIRST + i] = below
    }
    values[PART.FIRST + bounds.length] = count
    this.#addAll(parts, isEnd || (hasSum && !Number.isNaN(sum)) ? PART.SUM : PART.COUNT)
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      let bucket = 0
      while (bucket < bounds.length && !(bounds[bucket]! >= this.#exemplar.value)) bucket++
      this.#addExemplar(series[PART.FIRST + bucket]!)
    }
  }

  #takeSummary(parts: Parts, start: number, end: number): void {
    const point = this.#summary.reset(this.#bytes, start, end)
    const quantiles = this.#quantiles
    empty(quantiles)
    point.quantiles(quantiles)
    parts.setQuantiles(quantiles)
    const values = this.#values
    values[PART.SUM] = point.sum()
    values[PART.COUNT] = point.count()
    for (let i = 1; i < quantiles.length; i += 2) values[PART.FIRST + (i >> 1)] = quantiles[i]!
    this.#addAll(parts, PART.SUM)
  }

  #takeExponential(series: Series, node: Stream, start: number, end: number): void {
    const { isEnd, exemplars } = this.#reader
    const native = this.#native
    const isWritten = native.write(this.#exponential.reset(this.#bytes, start, end), isEnd)
    if (!isWritten) {
      this.#dropOne(DROPPED.SCALE, node)
      return
    }
    const request = this.#requestFor(series.track!, native.out.length)
    request.histogram(series, native.out.bytes, native.out.length, this.#timeMs, this.#startMs)
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      this.#addExemplar(series)
    }
  }

  /** The values of its series from `first` on. */
  #addAll({ track, series }: Parts, first: number): void {
    const values = this.#values
    const startMs = this.#startMs
    if (track === undefined) {
      for (let i = first; i < series.length; i++) this.#add(series[i]!, values[i]!, startMs, i === PART.COUNT ? 1 : 0)
      return
    }
    const request = this.#requestFor(track, 0)
    const at = request.row(track, this.#timeMs, startMs, PART.COUNT, 1)
    const { isEnd } = this.#reader
    for (let i = first; i < series.length; i++) {
      if (isEnd) request.end(at + i)
      else request.put(at + i, values[i]!)
    }
  }

  #add({ track, place }: Series, value: number, startMs: number, points: number): void {
    const request = this.#requestFor(track!, 0)
    const at = request.row(track!, this.#timeMs, startMs, place, points) + place
    if (this.#reader.isEnd) request.end(at)
    else request.put(at, value)
  }

  /** Of a series that has just got a sample. */
  #addExemplar(series: Series): void {
    const { out, timeMs } = this.#exemplar
    series.track!.request!.exemplar(series, out.bytes, out.length, timeMs)
  }

  #requestFor(track: Track, more: number): Request {
    return this.#sink.requestFor(track, more, this.#share, this.#onJoin)
  }

  #drop(reason: Dropped, start: number, end: number): void {
    this.#options.onDropped(reason, this.#data.countPoints(this.#bytes), () =>
      this.#metric.reset(this.#bytes, start, end).toName(),
    )
  }

  #dropOne(reason: Dropped, { family }: Stream): void {
    this.#options.onDropped(reason, 1, () => family.name)
  }
}
