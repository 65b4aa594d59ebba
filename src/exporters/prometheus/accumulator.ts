// Puts the points of requests into series. Every message on the way down is found by its bytes, so that a series which has
// been seen costs no text and no object:
//
//   resource    its ResourceMetrics without the scopes
//   scope       its ScopeMetrics without the metrics, below the resource
//   stream      its Metric without the data, below the scope; type, temporality and monotonicity
//   point       its attributes, below the stream: leads to a slot of the SeriesTable
//
// The same labels in other bytes (another order of attributes, a resource that differs in what is no label) lead to the same
// slot. What has no point below it any more is taken out, so that nothing grows but by series that are shown.

import { KeyIndex } from '../../collections/key-index.ts'
import {
  EXPORT_METRICS_SERVICE_REQUEST,
  GAUGE,
  METRIC as METRIC_TABLE,
  RESOURCE_METRICS,
  SCOPE_METRICS,
} from '../../otlp/fields.ts'
import { KeyRange } from '../../otlp/key-range.ts'
import { METRIC_TYPE, type MetricType, MetricView } from '../../otlp/metric.ts'
import { MergedView } from '../../otlp/resource.ts'
import { labelText } from '../../prometheus/escape.ts'
import {
  type Label,
  type ResourceLabels,
  readAttributes,
  resourceLabels,
  scopeLabels,
  seriesLabels,
} from '../../prometheus/labels.ts'
import { MetricData, TEMPORALITY } from '../../prometheus/metric-data.ts'
import { type LabelNaming, metricName, type Naming } from '../../prometheus/names.ts'
import { Cursor } from '../../wire/cursor.ts'
import { PointStore } from './points.ts'
import type { TakesAttribute } from './resource-attributes.ts'
import { type FamilyType, KIND, type Kind, SeriesTable } from './series.ts'
import { DROPPED, type Dropped, type Node, type Stream } from './stream.ts'

export interface AccumulatorOptions {
  readonly naming: Naming
  readonly labels: LabelNaming
  readonly constLabels: readonly Label[]
  readonly withoutScopeInfo: boolean
  /** Of a resource, for its series; undefined: none. */
  readonly takesAttribute: TakesAttribute | undefined
  readonly maxSeries: number
  readonly seed: number
  /** `name` is the metric's, made only when asked for. */
  onDropped(reason: Dropped, points: number, name: () => string): void
}

interface ResourceNode extends Node {
  readonly own: ResourceLabels
  readonly target: Target | undefined
}

/** What target_info says of a resource. */
export interface Target {
  /** The same for the same job and instance. */
  readonly key: string
  /** Its labels as they stand between braces. */
  readonly text: string
}

interface ScopeNode extends Node {
  readonly labels: readonly Label[]
}

const NO_LABELS: readonly Label[] = []
const RESOURCES = EXPORT_METRICS_SERVICE_REQUEST.RESOURCE_METRICS
const POINTS = GAUGE.DATA_POINTS
/** Bits below a scope's number in the parent of a stream. */
const STREAM_BITS = 7

export class Accumulator {
  readonly series: SeriesTable
  readonly #options: AccumulatorOptions
  readonly #resources: KeyIndex
  readonly #scopes: KeyIndex
  readonly #streams: KeyIndex
  readonly #points: KeyIndex
  readonly #resourceNodes: ResourceNode[] = []
  readonly #scopeNodes: ScopeNode[] = []
  readonly #streamNodes: Stream[] = []
  /** By point: its slot, and the next point of the same slot. */
  readonly #slotOf: number[] = []
  readonly #nextPoint: number[] = []
  /** By slot: its first point. */
  readonly #firstPoint: number[] = []
  readonly #resourceCursor = new Cursor()
  readonly #scopeCursor = new Cursor()
  readonly #metricCursor = new Cursor()
  readonly #pointCursor = new Cursor()
  readonly #key = new KeyRange()
  readonly #metric = new MetricView()
  readonly #merged = new MergedView()
  readonly #store: PointStore
  readonly #data = new MetricData()
  #bytes: Uint8Array = new Uint8Array(0)
  #words = new DataView(this.#bytes.buffer)
  #nowMs = 0

  constructor(options: AccumulatorOptions) {
    this.#options = options
    const { seed } = options
    this.#resources = new KeyIndex(seed)
    this.#scopes = new KeyIndex(seed)
    this.#streams = new KeyIndex(seed)
    this.#points = new KeyIndex(seed)
    this.series = new SeriesTable(options.maxSeries, (slot) => this.#forget(slot))
    this.#store = new PointStore(this.series)
  }

  /** Resources with series, for target_info. */
  *targets(): Generator<Target> {
    for (const node of this.#resourceNodes) if (node?.target !== undefined) yield node.target
  }

  /** Bytes of its keys. */
  get keyBytes(): number {
    return this.#resources.byteLength + this.#scopes.byteLength + this.#streams.byteLength + this.#points.byteLength
  }

  /** An encoded request that has been checked. */
  take(bytes: Uint8Array, nowMs: number): void {
    this.#bytes = bytes
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#nowMs = nowMs
    // What ends meanwhile stays until all points are through.
    this.series.openReader()
    for (const c = this.#resourceCursor.reset(bytes); c.find(RESOURCES); ) this.#takeResource(c.start, c.end)
    this.series.closeReader()
  }

  #takeResource(start: number, end: number): void {
    const key = this.#key.ofHeader(this.#bytes, this.#words, start, end, RESOURCE_METRICS.SCOPE_METRICS)
    let resource = this.#resources.find(0, key.bytes, key.words, key.from, key.to)
    if (resource < 0) {
      resource = this.#resources.add(0, key.bytes, key.words, key.from, key.to)
      const own = resourceLabels(this.#merged.reset(key.bytes, key.from, key.to), this.#options.labels)
      const target = own.target && { key: own.target.key, text: labelText(own.target.labels) }
      this.#resourceNodes[resource] = { children: 0, own, target }
    }
    const c = this.#scopeCursor.reset(this.#bytes, start, end)
    while (c.find(RESOURCE_METRICS.SCOPE_METRICS)) this.#takeScope(resource, c.start, c.end)
    this.#dropResourceIfEmpty(resource)
  }

  #takeScope(resource: number, start: number, end: number): void {
    const key = this.#key.ofHeader(this.#bytes, this.#words, start, end, SCOPE_METRICS.METRICS)
    let scope = this.#scopes.find(resource, key.bytes, key.words, key.from, key.to)
    if (scope < 0) {
      const labels = this.#options.withoutScopeInfo
        ? NO_LABELS
        : scopeLabels(key.bytes, key.from, key.to, this.#options.labels)
      if (labels === undefined) {
        this.#dropScope(start, end)
        return
      }
      scope = this.#scopes.add(resource, key.bytes, key.words, key.from, key.to)
      this.#scopeNodes[scope] = { children: 0, labels }
      this.#resourceNodes[resource]!.children++
    }
    const c = this.#metricCursor.reset(this.#bytes, start, end)
    while (c.find(SCOPE_METRICS.METRICS)) this.#takeMetric(scope, c.start, c.end)
    this.#dropScopeIfEmpty(scope)
  }

  #takeMetric(scope: number, start: number, end: number): void {
    const data = this.#data.read(this.#bytes, start, end)
    const { type, temporality } = data
    if (type === METRIC_TYPE.EMPTY) return
    const monotonic = data.isMonotonic ? 1 : 0
    if (type !== METRIC_TYPE.GAUGE && type !== METRIC_TYPE.SUMMARY && temporality !== TEMPORALITY.CUMULATIVE) {
      const isSummed = temporality === TEMPORALITY.DELTA && (type !== METRIC_TYPE.SUM || data.isMonotonic)
      if (!isSummed) {
        this.#drop(DROPPED.TEMPORALITY, start, end)
        return
      }
    }
    const key = this.#key
    key.ofMetric(this.#bytes, this.#words, start, end)
    const parent = (scope << STREAM_BITS) | (type << 3) | (temporality << 1) | monotonic
    let stream = this.#streams.find(parent, key.bytes, key.words, key.from, key.to)
    if (stream < 0) {
      const node = this.#openStream(scope, type, temporality, monotonic, start, end)
      if (node === undefined) return
      stream = this.#streams.add(parent, key.bytes, key.words, key.from, key.to)
      this.#streamNodes[stream] = node
      this.#scopeNodes[scope]!.children++
    }
    const node = this.#streamNodes[stream]!
    const { pieces } = data
    for (let i = 0; i < pieces.length; i += 2) {
      const c = this.#pointCursor.reset(this.#bytes, pieces[i]!, pieces[i + 1]!)
      while (c.find(POINTS)) this.#takePoint(stream, node, c.start, c.end)
    }
    this.#dropStreamIfEmpty(stream)
  }

  #takePoint(stream: number, node: Stream, start: number, end: number): void {
    const store = this.#store
    store.read(this.#bytes, this.#words, start, end, node.kind)
    const { key, isEnd } = store.point
    let point = this.#points.find(stream, key.bytes, key.words, key.from, key.to)
    if (isEnd) {
      if (point >= 0) this.series.end(this.#slotOf[point]!)
      return
    }
    if (point < 0) {
      const slot = this.#openSeries(node, start, end)
      if (slot < 0) return
      point = this.#points.add(stream, key.bytes, key.words, key.from, key.to)
      this.#slotOf[point] = slot
      this.#nextPoint[point] = this.#firstPoint[slot] ?? -1
      this.#firstPoint[slot] = point
      node.children++
    }
    const slot = this.#slotOf[point]!
    const problem = store.store(slot, node)
    if (problem === undefined) this.series.touch(slot, this.#nowMs)
    else {
      this.#options.onDropped(problem, 1, () => node.family.name)
      this.series.dropIfUnused(slot)
    }
  }

  #openStream(
    scope: number,
    type: MetricType,
    temporality: number,
    monotonic: number,
    start: number,
    end: number,
  ): Stream | undefined {
    const metric = this.#metric.reset(this.#bytes, start, end)
    const { naming, constLabels, takesAttribute } = this.#options
    const family = familyType(metric, monotonic === 1)
    const named = monotonic === 1 ? 'counter' : type === METRIC_TYPE.GAUGE ? 'gauge' : 'other'
    const name = metricName(metric.toName(), metric.toUnit(), named, naming)
    if (name === undefined) {
      this.#drop(DROPPED.NAME, start, end)
      return undefined
    }
    const found = this.series.family(name, family, metric.toDescription())
    if (found === undefined) {
      this.#drop(DROPPED.TYPE, start, end)
      return undefined
    }
    const { own } = this.#resourceNodes[this.#scopes.parentOf(scope)]!
    const resourceAttributes =
      takesAttribute === undefined ? NO_LABELS : own.attributes.filter(([key]) => takesAttribute(key))
    return {
      children: 0,
      family: found,
      kind: KIND_OF[type]!,
      isDelta: temporality === TEMPORALITY.DELTA,
      labels: [...constLabels, ...this.#scopeNodes[scope]!.labels, ...own.labels],
      resourceAttributes,
      bounds: undefined,
    }
  }

  /** A slot, or a negative number when the point has been dropped. */
  #openSeries(node: Stream, start: number, end: number): number {
    const { family, kind, labels, resourceAttributes } = node
    let attributes = readAttributes(this.#bytes, start, end, this.#store.attributesField)
    if (resourceAttributes.length > 0) {
      const ofResource = new Set(resourceAttributes.map(([key]) => key))
      attributes = [...attributes.filter(([key]) => !ofResource.has(key)), ...resourceAttributes]
    }
    const own = kind === KIND.SUMMARY ? 'quantile' : kind === KIND.NUMBER ? undefined : 'le'
    const all = seriesLabels(labels, attributes, this.#options.labels, own)
    const slot = all === undefined ? -3 : this.series.open(family, labelText(all), kind)
    if (slot >= 0) return slot
    const reason = slot === -3 ? DROPPED.LABEL : slot === -2 ? DROPPED.TYPE : DROPPED.SERIES
    this.#options.onDropped(reason, 1, () => family.name)
    return slot
  }

  #drop(reason: Dropped, start: number, end: number): void {
    const bytes = this.#bytes
    this.#options.onDropped(reason, this.#data.countPoints(bytes), () =>
      new MetricView().reset(bytes, start, end).toName(),
    )
  }

  #dropScope(start: number, end: number): void {
    const c = this.#metricCursor.reset(this.#bytes, start, end)
    while (c.find(SCOPE_METRICS.METRICS)) {
      this.#data.read(this.#bytes, c.start, c.end)
      this.#drop(DROPPED.LABEL, c.start, c.end)
    }
  }

  /** A slot is free again: so are the points that led to it, and what has none below it any more. */
  #forget(slot: number): void {
    for (let point = this.#firstPoint[slot] ?? -1; point >= 0; point = this.#nextPoint[point]!) {
      const stream = this.#points.parentOf(point)
      this.#points.remove(point)
      this.#streamNodes[stream]!.children--
      const scope = this.#streams.parentOf(stream) >> STREAM_BITS
      this.#dropStreamIfEmpty(stream)
      if (this.#streams.has(stream)) continue
      const resource = this.#scopes.parentOf(scope)
      this.#dropScopeIfEmpty(scope)
      if (!this.#scopes.has(scope)) this.#dropResourceIfEmpty(resource)
    }
    this.#firstPoint[slot] = -1
  }

  #dropStreamIfEmpty(stream: number): void {
    const node = this.#streamNodes[stream]!
    if (node.children > 0) return
    this.series.dropIfEmpty(node.family)
    this.#scopeNodes[this.#streams.parentOf(stream) >> STREAM_BITS]!.children--
    this.#streams.remove(stream)
    ;(this.#streamNodes as (Stream | undefined)[])[stream] = undefined
  }

  #dropScopeIfEmpty(scope: number): void {
    if (this.#scopeNodes[scope]!.children > 0) return
    this.#resourceNodes[this.#scopes.parentOf(scope)]!.children--
    this.#scopes.remove(scope)
    ;(this.#scopeNodes as (ScopeNode | undefined)[])[scope] = undefined
  }

  #dropResourceIfEmpty(resource: number): void {
    if (this.#resourceNodes[resource]!.children > 0) return
    this.#resources.remove(resource)
    ;(this.#resourceNodes as (ResourceNode | undefined)[])[resource] = undefined
  }
}

const KIND_OF: Readonly<Partial<Record<MetricType, Kind>>> = {
  [METRIC_TYPE.GAUGE]: KIND.NUMBER,
  [METRIC_TYPE.SUM]: KIND.NUMBER,
  [METRIC_TYPE.HISTOGRAM]: KIND.HISTOGRAM,
  [METRIC_TYPE.EXPONENTIAL_HISTOGRAM]: KIND.EXPONENTIAL,
  [METRIC_TYPE.SUMMARY]: KIND.SUMMARY,
}

/** What a Prometheus receiver notes of a metric whose type it was not told. */
const ORIGINAL_TYPE = 'prometheus.type'

function familyType(metric: MetricView, isMonotonic: boolean): FamilyType {
  if (metric.type === METRIC_TYPE.SUMMARY) return 'summary'
  if (metric.type === METRIC_TYPE.SUM) return isMonotonic ? 'counter' : 'gauge'
  if (metric.type !== METRIC_TYPE.GAUGE) return 'histogram'
  const metadata = readAttributes(metric.bytes, metric.start, metric.end, METRIC_TABLE.METADATA)
  return metadata.some(([key, value]) => key === ORIGINAL_TYPE && value === 'unknown') ? 'untyped' : 'gauge'
}
