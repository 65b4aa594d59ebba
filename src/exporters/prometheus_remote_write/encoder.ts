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
  SUM,
  SUMMARY_DATA_POINT,
} from '../../otlp/fields.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import {
  ExponentialHistogramPointView,
  HistogramPointView,
  isMetricData,
  METRIC_TYPE,
  type MetricType,
  MetricView,
  SummaryPointView,
} from '../../otlp/metric.ts'
import { MergedView } from '../../otlp/resource.ts'
import { type Label, type ResourceLabels, readAttributes, resourceLabels } from '../../prometheus/labels.ts'
import { metricName, type Naming, unitWords } from '../../prometheus/names.ts'
import { V2_METADATA_METRIC_TYPE } from '../../prometheus/remote-write-fields.ts'
import { Cursor } from '../../wire/cursor.ts'
import { varintLow } from '../../wire/varint.ts'
import { ExemplarWriter } from './exemplars.ts'
import type { Lanes } from './lanes.ts'
import { NativeWriter } from './native.ts'
import { Parts } from './parts.ts'
import { type PointFields, PointReader } from './points.ts'
import type { Request, Share } from './request.ts'
import { type Family, type Series, SeriesBook } from './series-book.ts'
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
const CUMULATIVE = 2
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
  readonly #scan = new Cursor()
  readonly #key = new KeyRange()
  readonly #metric = new MetricView()
  readonly #merged = new MergedView()
  readonly #reader = new PointReader()
  readonly #histogram = new HistogramPointView()
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()
  readonly #native = new NativeWriter()
  readonly #exemplar: ExemplarWriter
  readonly #data: number[] = []
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
    if (target !== undefined && this.#latestMs > 0) this.#requestFor(target, 0).sample(target, 1, this.#latestMs, 0, 0)
  }

  #target(own: ResourceLabels): Series | undefined {
    const name = this.#options.targetInfo
    const labels = name === undefined ? undefined : targetLabels(own, this.#options)
    if (name === undefined || labels === undefined) return undefined
    const family = this.#book.family(name, INFO, 'Target metadata', '')
    return this.#book.series(sortedLabels(labels, [METRIC_NAME, name]), family)
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
    const type = this.#findData(start, end)
    if (type === METRIC_TYPE.EMPTY) return
    let temporality = 0
    let monotonic = 0
    if (type !== METRIC_TYPE.GAUGE && type !== METRIC_TYPE.SUMMARY) {
      for (let i = 0; i < this.#data.length; i += 2) {
        for (const c = this.#scan.reset(this.#bytes, this.#data[i]!, this.#data[i + 1]!); c.next(); ) {
          if (c.wireType !== 0) continue
          if (c.field === SUM.AGGREGATION_TEMPORALITY) temporality = varintLow(this.#bytes, c.start)
          else if (c.field === SUM.IS_MONOTONIC && type === METRIC_TYPE.SUM)
            monotonic = varintLow(this.#bytes, c.start) === 0 ? 0 : 1
        }
      }
      if (temporality !== CUMULATIVE) {
        this.#drop(DROPPED.TEMPORALITY, start, end)
        return
      }
    }
    const key = this.#key.ofMetric(this.#bytes, this.#words, start, end)
    const parent = (scope << STREAM_BITS) | (type << 1) | monotonic
    let stream = this.#streams.find(parent, key.bytes, key.words, key.from, key.to)
    if (stream < 0) {
      stream = this.#streams.add(parent, key.bytes, key.words, key.from, key.to)
      this.#streamNodes[stream] = this.#openStream(scope, type, monotonic === 1, start, end)
    }
    const node = this.#streamNodes[stream]
    if (node === undefined) {
      this.#drop(DROPPED.NAME, start, end)
      return
    }
    for (let i = 0; i < this.#data.length; i += 2) {
      const c = this.#pointCursor.reset(this.#bytes, this.#data[i]!, this.#data[i + 1]!)
      while (c.find(POINTS)) this.#takePoint(stream, node, c.start, c.end)
    }
  }

  /** The pieces of the kind of data that counts: the last on the wire. */
  #findData(start: number, end: number): MetricType {
    const data = this.#data
    data.length = 0
    let type = 0
    for (const c = this.#scan.reset(this.#bytes, start, end); c.next(); ) {
      if (c.wireType !== 2 || !isMetricData(c.field)) continue
      if (c.field !== type) data.length = 0
      type = c.field
      data.push(c.start, c.end)
    }
    return type as MetricType
  }

  #openStream(scope: number, type: MetricType, monotonic: boolean, start: number, end: number): Stream | undefined {
    const metric = this.#metric.reset(this.#bytes, start, end)
    const named = monotonic ? 'counter' : type === METRIC_TYPE.GAUGE ? 'gauge' : 'other'
    const unit = metric.toUnit()
    const name = metricName(metric.toName(), unit, named, this.#options.naming)
    if (name === undefined) return undefined
    const { main, per } = unitWords(unit)
    const words = [main, per].filter((word) => word !== '').join('_')
    const familyType =
      type === METRIC_TYPE.SUMMARY
        ? SUMMARY
        : type === METRIC_TYPE.GAUGE || type === METRIC_TYPE.SUM
          ? monotonic
            ? COUNTER
            : GAUGES
          : HISTOGRAM
    return { type, scope, family: this.#book.family(name, familyType, metric.toDescription(), words) }
  }

  #takePoint(stream: number, node: Stream, start: number, end: number): void {
    const reader = this.#reader
    const isNumber = node.type === METRIC_TYPE.GAUGE || node.type === METRIC_TYPE.SUM
    if (isNumber) reader.readNumber(this.#bytes, this.#words, start, end)
    else reader.readOther(this.#bytes, this.#words, start, end, POINT_FIELDS[node.type]!)
    if (reader.timeMs === 0) {
      this.#dropOne(DROPPED.TIME, node)
      return
    }
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
    if (reader.timeMs > this.#latestMs) this.#latestMs = reader.timeMs
    if (found instanceof Parts) {
      if (node.type === METRIC_TYPE.HISTOGRAM) this.#takeHistogram(found, start, end)
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
    return this.#book.series(sortedLabels(labels, [METRIC_NAME, family.name]), family)
  }

  #takeNumber(series: Series, { type }: Stream): void {
    const { value, timeMs, startMs, isEnd, exemplars } = this.#reader
    const request = this.#requestFor(series, 0)
    request.sample(series, value, timeMs, series.family.type === COUNTER ? startMs : 0, 1, isEnd)
    if (exemplars.length === 0 || type !== METRIC_TYPE.SUM) return
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      this.#addExemplar(request, series)
    }
  }

  #takeHistogram(parts: Parts, start: number, end: number): void {
    const { isEnd, exemplars } = this.#reader
    const point = this.#histogram.reset(this.#bytes, start, end)
    parts.setBounds(point)
    const sum = point.sum()
    const count = point.count()
    if (!Number.isNaN(sum) || isEnd) this.#addPart(parts.sum, sum, 0)
    this.#addPart(parts.count, count, 1)
    const { bounds, counts, buckets } = parts
    let below = 0
    for (let i = 0; i < bounds.length; i++) {
      below += counts[i] ?? 0
      this.#addPart(buckets[i]!, below, 0)
    }
    this.#addPart(buckets[bounds.length]!, count, 0)
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      let bucket = 0
      while (bucket < bounds.length && !(bounds[bucket]! >= this.#exemplar.value)) bucket++
      const series = buckets[bucket]!
      if (series.request !== undefined) this.#addExemplar(series.request, series)
    }
  }

  #takeSummary(parts: Parts, start: number, end: number): void {
    const point = this.#summary.reset(this.#bytes, start, end)
    this.#addPart(parts.sum, point.sum(), 0)
    this.#addPart(parts.count, point.count(), 1)
    parts.setQuantiles(point)
    for (let i = 0; i < parts.buckets.length; i++) this.#addPart(parts.buckets[i]!, parts.counts[i]!, 0)
  }

  #takeExponential(series: Series, node: Stream, start: number, end: number): void {
    const { timeMs, startMs, isEnd, exemplars } = this.#reader
    const native = this.#native
    const isWritten = native.write(this.#exponential.reset(this.#bytes, start, end), isEnd)
    if (!isWritten) {
      this.#dropOne(DROPPED.SCALE, node)
      return
    }
    const request = this.#requestFor(series, native.out.length)
    request.histogram(series, native.out.bytes, native.out.length, timeMs, startMs)
    for (let i = 0; i < exemplars.length; i += 2) {
      this.#exemplar.read(this.#bytes, exemplars[i]!, exemplars[i + 1]!)
      this.#addExemplar(request, series)
    }
  }

  #addPart(series: Series, value: number, points: number): void {
    const { timeMs, startMs, isEnd } = this.#reader
    this.#requestFor(series, 0).sample(series, value, timeMs, startMs, points, isEnd)
  }

  #addExemplar(request: Request, series: Series): void {
    const { out, timeMs } = this.#exemplar
    request.exemplar(series, out.bytes, out.length, timeMs)
  }

  #requestFor(series: Series, more: number): Request {
    return this.#sink.requestFor(series, more, this.#share, this.#onJoin)
  }

  #drop(reason: Dropped, start: number, end: number): void {
    let points = 0
    for (let i = 0; i < this.#data.length; i += 2)
      for (const c = this.#scan.reset(this.#bytes, this.#data[i]!, this.#data[i + 1]!); c.find(POINTS); ) points++
    this.#options.onDropped(reason, points, () => this.#metric.reset(this.#bytes, start, end).toName())
  }

  #dropOne(reason: Dropped, { family }: Stream): void {
    this.#options.onDropped(reason, 1, () => family.name)
  }
}
