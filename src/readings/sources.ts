// Who readings come from: a resource each, encoded once; and the bounds on how many of them there are.
//
// Time is cut into generations. Who has sent nothing in the generation that ends is forgotten with it, so that places under
// the bounds become free. Streams look up anew what they know when a generation begins; between, nothing is noted per reading.

import { encodeKeyValue, encodeString, encodeText } from '../otlp/encode.ts'
import { RESOURCE } from '../otlp/fields.ts'
import { Writer } from '../wire/writer.ts'
import { CounterStarts, type Counts, seriesKey } from './counter-starts.ts'
import { Presence } from './liveness.ts'
import type { Metric } from './naming.ts'

export interface Source {
  /** From 0, in the order of coming; never used again. */
  readonly id: number
  readonly attributes: string
  /** Field 1 of ResourceMetrics and ResourceLogs, tag and length with it. */
  readonly resource: Uint8Array
  /** Where somebody watches whether it still sends. */
  readonly presence: Presence | undefined
  /** Its series, with the attributes of their points, where somebody ends them when it is gone. */
  readonly open: Map<Metric, Uint8Array> | undefined
  /** The same for points with attributes of their own, such as a state: by metric and attributes. */
  marked: Map<string, OpenSeries> | undefined
  /** Of its counters; undefined before the first. */
  counts: Counts | undefined
  /** When it last had a reading. */
  generation: number
  isForgotten: boolean
}

export type OpenSeries = readonly [metric: Metric, marks: Uint8Array]

export interface SourceBounds {
  readonly maxSources: number
  readonly maxSeries: number
  /** Whether somebody watches if sources still send. */
  readonly watched?: boolean
  /** Whether series end when their source is gone; of sources that are watched. */
  readonly endsSeries?: boolean
  /** Called for each new source or series that is over its bound. */
  onFull(what: 'source' | 'series', words: string): void
}

/** One open-addressing set of pairs of small numbers, for series: source and metric. */
class PairSet {
  #places = new Float64Array(1024).fill(-1)
  #mask = 1023
  size = 0

  /** False when it was there. */
  add(a: number, b: number): boolean {
    const pair = a * 0x200000 + b
    const places = this.#places
    let at = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)
    at = (at ^ (at >>> 15)) & this.#mask
    for (; places[at] !== -1; at = (at + 1) & this.#mask) if (places[at] === pair) return false
    places[at] = pair
    if (++this.size * 2 > this.#mask) this.#grow()
    return true
  }

  has(a: number, b: number): boolean {
    const pair = a * 0x200000 + b
    let at = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b)
    at = (at ^ (at >>> 15)) & this.#mask
    for (; this.#places[at] !== -1; at = (at + 1) & this.#mask) if (this.#places[at] === pair) return true
    return false
  }

  #grow(): void {
    const old = this.#places
    this.#places = new Float64Array(old.length * 2).fill(-1)
    this.#mask = this.#places.length - 1
    this.size = 0
    for (const pair of old) if (pair !== -1) this.add(Math.floor(pair / 0x200000), pair % 0x200000)
  }
}

export class Sources {
  /** Counted up by advance(). */
  generation = 0
  readonly starts: CounterStarts
  readonly #byAttributes = new Map<string, Source>()
  /** Of this generation. */
  #series = new PairSet()
  /** Of the one before, and how many of those were not seen again yet. */
  #before = new PairSet()
  #oldSeries = 0
  #made = 0
  /** Of all sources. */
  #marked = 0
  readonly #bounds: SourceBounds

  constructor(bounds: SourceBounds) {
    this.#bounds = bounds
    this.starts = new CounterStarts(bounds.maxSeries)
  }

  get size(): number {
    return this.#byAttributes.size
  }

  [Symbol.iterator](): IterableIterator<Source> {
    return this.#byAttributes.values()
  }

  get series(): number {
    return this.#series.size + this.#oldSeries
  }

  /** No further series has room. */
  get isFull(): boolean {
    return this.series >= this.#bounds.maxSeries
  }

  /** The source with these resource attributes; undefined when it would be one too many. */
  get(attributes: readonly (readonly [key: string, value: string])[]): Source | undefined {
    const key = JSON.stringify(attributes)
    const known = this.#byAttributes.get(key)
    if (known !== undefined) return known
    if (this.#byAttributes.size >= this.#bounds.maxSources) {
      this.#bounds.onFull('source', key)
      return undefined
    }
    const body = new Writer()
    for (const [name, value] of attributes)
      body.field(RESOURCE.ATTRIBUTES, encodeKeyValue(encodeText(name), encodeString(value)))
    const source: Source = {
      id: this.#made++,
      attributes: key,
      resource: new Writer().field(1, body.bytes, 0, body.length).toBytes(),
      presence: this.#bounds.watched === true ? new Presence() : undefined,
      open: this.#bounds.endsSeries === true ? new Map() : undefined,
      marked: undefined,
      counts: undefined,
      generation: this.generation,
      isForgotten: false,
    }
    this.#byAttributes.set(key, source)
    return source
  }

  /** Whether the series may pass: it is known, or there is room for it. */
  admits(source: Source, metric: Metric): boolean {
    metric.generation = this.generation
    if (this.#series.has(source.id, metric.id)) return true
    if (this.#before.has(source.id, metric.id)) this.#oldSeries--
    else if (this.isFull) return this.refuse(source)
    this.#series.add(source.id, metric.id)
    return true
  }

  /** A series has no room. */
  refuse(source: Source): false {
    this.#bounds.onFull('series', source.attributes)
    return false
  }

  /** A point with attributes of its own has come. Beyond the bound on series what is new is not remembered, and does not end. */
  mark(source: Source, metric: Metric, marks: Uint8Array): void {
    source.marked ??= new Map()
    const key = seriesKey(metric, marks)
    if (source.marked.has(key) || this.#marked >= this.#bounds.maxSeries) return
    source.marked.set(key, [metric, marks])
    this.#marked++
  }

  /** The series of the source that end. Those with attributes of their own are forgotten: they come back with a point. */
  takeOpen(source: Source, ends: (metric: Metric) => boolean): OpenSeries[] {
    const taken: OpenSeries[] = []
    for (const series of source.open ?? []) if (ends(series[0])) taken.push(series)
    for (const [key, series] of source.marked ?? []) {
      if (!ends(series[0])) continue
      taken.push(series)
      this.#unmark(source, key)
    }
    return taken
  }

  #unmark(source: Source, key: string): void {
    source.marked!.delete(key)
    this.#marked--
  }

  /** It is known as another from now on; its series keep their places until the generation after next. */
  forget(source: Source): void {
    if (source.isForgotten) return
    if (source.counts !== undefined) this.starts.forget(source.counts, Number.POSITIVE_INFINITY)
    for (const key of source.marked?.keys() ?? []) this.#unmark(source, key)
    source.isForgotten = true
    this.#byAttributes.delete(source.attributes)
  }

  /** A new generation begins: sources and series that had nothing in the one that ends are forgotten. */
  advance(): void {
    const ending = this.generation++
    for (const source of this.#byAttributes.values()) {
      if (source.counts !== undefined) this.starts.forget(source.counts, ending)
      for (const metric of source.open?.keys() ?? []) if (metric.generation < ending) source.open!.delete(metric)
      for (const [series, [metric]] of source.marked ?? []) if (metric.generation < ending) this.#unmark(source, series)
      if (source.generation >= ending) continue
      this.forget(source)
    }
    this.#before = this.#series
    this.#oldSeries = this.#before.size
    this.#series = new PairSet()
  }
}
