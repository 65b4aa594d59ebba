// Data points on their way into documents: gathered in groups, and read again where their values are written.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { METRIC } from '../../otlp/fields.ts'
import { METRIC_TYPE, MetricView } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import { readOnlyMap } from './attributes-json.ts'
import type { DocumentText } from './document-text.ts'
import { type GroupBy, MetricGroups, POINT } from './metric-groups.ts'
import { type HistogramForm, MetricValues } from './metric-values.ts'
import type { Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

const AGGREGATE = 'aggregate_metric_double'
const RAW = 'histogram:raw'
const DOC_COUNT = '_doc_count'
const CUMULATIVE = 2

export class MetricPoints {
  readonly groups: MetricGroups
  /** Attributes of the point that was opened last. */
  readonly map = readOnlyMap()
  readonly special = new SpecialAttributes()
  readonly #values = new MetricValues()
  readonly #metric = new MetricView()

  constructor(by: GroupBy) {
    this.groups = new MetricGroups(by)
  }

  /** The point that the walk stands at. */
  add(walk: Walk, target: Target): void {
    const { metric } = walk
    // Fields 2 and 3 are the start and the time of points of every kind.
    const point =
      metric.type === METRIC_TYPE.HISTOGRAM
        ? walk.histogram
        : metric.type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM
          ? walk.exponentialHistogram
          : metric.type === METRIC_TYPE.SUMMARY
            ? walk.summary
            : walk.number
    const groups = this.groups
    const row = groups.add()
    groups.set(row, POINT.METRIC_START, walk.itemStart)
    groups.set(row, POINT.METRIC_END, walk.itemEnd)
    groups.set(row, POINT.NAME_START, metric.from(METRIC.NAME))
    groups.set(row, POINT.NAME_END, metric.to(METRIC.NAME))
    groups.set(row, POINT.UNIT_START, metric.from(METRIC.UNIT))
    groups.set(row, POINT.UNIT_END, metric.to(METRIC.UNIT))
    groups.set(row, POINT.START, walk.recordStart)
    groups.set(row, POINT.END, walk.recordEnd)
    groups.set(row, POINT.ATTRIBUTES, walk.attributesField)
    groups.set(row, POINT.TIME_LOW, point.fixedLow(3))
    groups.set(row, POINT.TIME_HIGH, point.fixedHigh(3))
    groups.set(row, POINT.SINCE_LOW, point.fixedLow(2))
    groups.set(row, POINT.SINCE_HIGH, point.fixedHigh(2))
    groups.join(row, walk.attributes, target)
  }

  /** Reads the attributes of a point. */
  open(point: number): AttributeMap {
    this.special.read(this.groups.open(point, this.map))
    return this.map
  }

  /** Opens the point and writes its value; the name of its dynamic template, or undefined where it has no value to write. */
  writeValue(text: DocumentText, point: number): string | undefined {
    const groups = this.groups
    const { bytes } = groups
    const [from, to] = [groups.get(point, POINT.METRIC_START), groups.get(point, POINT.METRIC_END)]
    const metric = this.#metric.reset(bytes, from, to) as MetricView
    this.open(point)
    const isCounter = metric.isMonotonic() && metric.aggregationTemporality() === CUMULATIVE
    const [start, end] = [groups.get(point, POINT.START), groups.get(point, POINT.END)]
    return this.#values.write(text, metric.type, isCounter, this.#form(), bytes, start, end)
  }

  /** How many values the point written last stands for, where it says that its document is to say so. */
  docCount(point: number): number | undefined {
    if (!this.special.has('HINTS', DOC_COUNT)) return undefined
    const { groups } = this
    const [start, end] = [groups.get(point, POINT.START), groups.get(point, POINT.END)]
    return this.#values.count(this.#metric.type, groups.bytes, start, end)
  }

  #form(): HistogramForm {
    if (this.special.has('HINTS', AGGREGATE)) return 'aggregate'
    return this.special.has('HINTS', RAW) ? 'raw' : 'centroids'
  }
}
