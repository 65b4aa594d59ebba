// Measurement and tags of data points in the Collector's schemas: those that are kept, or made anew; and with the tag that
// a bucket or a quantile has beside them.

import { METRIC } from '../../otlp/fields.ts'
import { METRIC_TYPE } from '../../otlp/metric.ts'
import type { Walk } from '../../otlp/walk.ts'
import type { Words } from '../../wire/copy.ts'
import type { HeadCache } from './head-cache.ts'
import { LineWriter } from './lines.ts'
import type { MetricsSchema } from './metric-lines.ts'
import { type Place, PointTags } from './point-tags.ts'
import type { SeriesGuard } from './series-guard.ts'

const UNDERSCORE = 95
const PROMETHEUS = Buffer.from('prometheus')
/** Numbers that two places are. */
const PLACES = 4
const MAX_TEMPORALITY = 2

export class MetricHeads {
  readonly #schema: MetricsSchema
  readonly #guard: SeriesGuard | undefined
  readonly #cache: HeadCache
  readonly #tags = new PointTags(true)
  /** In telegraf-prometheus-v2: where in a head that is kept `le` and `quantile` belong, four numbers for each. */
  readonly #places: number[] = []
  /** A head that was made just now. */
  readonly #made = new LineWriter()
  // The current point's head.
  #words: Words = this.#made.words
  #from = 0
  #to = 0
  /** Where a tag of that key belongs in the current point's head; in telegraf-prometheus-v2. */
  readonly le: Place = { from: 0, to: 0 }
  readonly quantile: Place = { from: 0, to: 0 }
  // The metric of the point before: its points follow one another.
  #metricBytes: Uint8Array | undefined
  #metricItem = -1
  #metric = -1
  /** Of the current metric: 0, unspecified, where it is none that is known. */
  temporality = 0
  isMonotonic = false

  constructor(schema: MetricsSchema, guard: SeriesGuard | undefined, cache: HeadCache) {
    this.#schema = schema
    this.#guard = guard
    this.#cache = cache
  }

  begin(): void {
    this.#metricBytes = undefined
    if (this.#cache.begin()) this.#places.length = 0
  }

  enterResource(): void {
    this.#cache.enterResource()
  }

  enterScope(): void {
    this.#cache.enterScope()
    this.#tags.enterScope()
  }

  /** That of the current point. False, and nothing is written, when it would be a series too many. */
  write(walk: Walk, writer: LineWriter): boolean {
    const cache = this.#cache
    const metric = this.#metricOf(walk)
    const known = cache.find(walk, metric)
    if (known >= 0) {
      this.#words = cache.words
      this.#from = cache.from(known)
      this.#to = cache.to(known)
      if (this.#schema === 'telegraf-prometheus-v2') this.#readPlaces(known * PLACES)
    } else if (!this.#make(walk, metric)) return false
    writer.raw(this.#words, this.#from, this.#to)
    return true
  }

  /** The same with that tag at its place. False when that would be a series too many. */
  writeWith(tag: Words, place: Place, writer: LineWriter): boolean {
    const from = writer.length
    writer.raw(this.#words, this.#from, place.from)
    writer.raw(tag)
    writer.raw(this.#words, place.to, this.#to)
    return this.#guard === undefined || this.#guard.admits(writer.bytes, from, writer.length)
  }

  #make(walk: Walk, metric: number): boolean {
    const made = this.#made
    made.clear()
    this.#measurement(walk, made)
    this.#tags.write(walk, made)
    if (this.#guard !== undefined && !this.#guard.admits(made.bytes, 0, made.length)) return false
    this.#words = made.words
    this.#from = 0
    this.#to = made.length
    const { le, quantile } = this.#tags
    setPlace(this.le, le.from, le.to)
    setPlace(this.quantile, quantile.from, quantile.to)
    const number = this.#cache.add(metric, made.bytes, 0, made.length)
    if (number >= 0 && this.#schema === 'telegraf-prometheus-v2')
      this.#places.push(le.from, le.to, quantile.from, quantile.to)
    return true
  }

  #readPlaces(at: number): void {
    const places = this.#places
    const from = this.#from
    setPlace(this.le, from + places[at]!, from + places[at + 1]!)
    setPlace(this.quantile, from + places[at + 2]!, from + places[at + 3]!)
  }

  #measurement({ metric, bytes }: Walk, into: LineWriter): void {
    if (this.#schema === 'telegraf-prometheus-v2') into.measurement(PROMETHEUS)
    else into.measurement(bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME))
    if (this.#schema !== 'otel-v1') return
    into.byte(UNDERSCORE)
    into.measurement(bytes, metric.from(METRIC.UNIT), metric.to(METRIC.UNIT))
    into.ascii(metric.type === METRIC_TYPE.SUM ? '_sum' : '_histogram')
  }

  /** The number of the current metric in the cache. */
  #metricOf(walk: Walk): number {
    const { bytes, itemStart } = walk
    if (bytes === this.#metricBytes && itemStart === this.#metricItem) return this.#metric
    this.#metricBytes = bytes
    this.#metricItem = itemStart
    const { metric } = walk
    const temporality = metric.aggregationTemporality()
    this.temporality = temporality > MAX_TEMPORALITY ? 0 : temporality
    this.isMonotonic = metric.isMonotonic()
    this.#metric =
      this.#schema === 'telegraf-prometheus-v2'
        ? this.#cache.anyMetric(walk)
        : this.#cache.metric(walk, true, metric.type === METRIC_TYPE.SUM ? 1 : 0)
    return this.#metric
  }
}

function setPlace(place: Place, from: number, to: number): void {
  place.from = from
  place.to = to
}
