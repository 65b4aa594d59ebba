// Batches to bodies of `_bulk`: walks what came, asks for each record where it goes and how it is written.

import type { Batch } from '../../otlp/batch.ts'
import { SPAN } from '../../otlp/fields.ts'
import { plain } from '../../otlp/json/shape.ts'
import { METRIC_TYPE, type MetricView } from '../../otlp/metric.ts'
import type { Signal } from '../../otlp/signal.ts'
import { VALUE } from '../../otlp/value.ts'
import { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { AttributesJson } from './attributes-json.ts'
import { type BulkBody, BulkWriter } from './bulk-body.ts'
import type { MappingMode } from './config.ts'
import { FlatDocuments } from './flat-documents.ts'
import { FlatMetricDocuments } from './flat-metric-documents.ts'
import { MetricDocuments } from './metric-documents.ts'
import { OtelDocuments } from './otel-documents.ts'
import { Place } from './place.ts'
import { Routing, type Target } from './routing.ts'
import type { SpecialAttributes } from './special-attributes.ts'

export interface EncoderOptions {
  readonly signal: Exclude<Signal, 'profiles'>
  readonly mode: MappingMode
  /** Of those that clients and scopes may ask for. */
  readonly allowedModes: ReadonlySet<string>
  readonly index: string
  readonly takesIds: boolean
  readonly takesPipelines: boolean
  /** NDJSON in one request; 0: no bound. */
  readonly maxBytes: number
}

/** Items that cannot be documents, and why. */
export type OnUnfit = (items: number, why: string) => void

/** A hint: of this record there is to be no document. */
const NO_INDEX = '_noindex'
const MODE_HEADER = 'x-elastic-mapping-mode'

export class Encoder {
  readonly #options: EncoderOptions
  readonly #onUnfit: OnUnfit
  readonly #walk: Walk
  readonly #bulk: BulkWriter
  readonly #attributes = new AttributesJson()
  readonly #place: Place
  readonly #otel: OtelDocuments
  readonly #flat: FlatDocuments
  readonly #metrics: MetricDocuments
  readonly #flatMetrics: FlatMetricDocuments
  readonly #events = new Cursor()
  readonly #routings = new Map<string, Routing>()
  readonly #apmStreams = new Routing({ index: '', suffix: '', type: 'logs', otel: false })
  #suffix = ''
  #templates = true
  #requestMode: MappingMode | undefined

  constructor(options: EncoderOptions, onUnfit: OnUnfit) {
    this.#options = options
    this.#onUnfit = onUnfit
    this.#walk = new Walk(options.signal)
    this.#bulk = new BulkWriter(options.maxBytes)
    this.#place = new Place(options.mode, this.#attributes)
    this.#otel = new OtelDocuments(this.#bulk.text, this.#attributes)
    this.#flat = new FlatDocuments(this.#bulk.text, options.signal)
    this.#metrics = new MetricDocuments(this.#bulk, this.#attributes)
    this.#flatMetrics = new FlatMetricDocuments(this.#bulk, this.#flat)
  }

  /**
   * Documents of the batch's parts from `first` on, until there is enough for a request, and which part comes next.
   * `suffix` stands behind every index; `templates`: whether the store knows dynamic templates.
   */
  encode(batch: Batch, first: number, suffix: string, templates: boolean): { bodies: BulkBody[]; next: number } {
    if (suffix !== this.#suffix) this.#routings.clear()
    this.#suffix = suffix
    this.#templates = templates
    this.#requestMode = this.#modeOfClient(batch)
    const { maxBytes } = this.#options
    let bytes = 0
    for (let i = first; i < batch.parts.length; i++) bytes += batch.parts[i]!.length
    this.#bulk.begin(bytes)
    let next = first
    bytes = 0
    while (next < batch.parts.length && (maxBytes === 0 || bytes < maxBytes)) {
      const part = batch.parts[next++]!
      bytes += part.length
      this.#part(part)
    }
    return { bodies: this.#bulk.take(), next }
  }

  /** The body was delivered, and nobody reads it any more: its array is written into again. */
  recycle(body: BulkBody): void {
    this.#bulk.recycle(body)
  }

  #part(part: Uint8Array): void {
    const walk = this.#walk.open(plain(part))
    const isMetrics = this.#options.signal === 'metrics'
    while (walk.nextResource()) {
      this.#place.enterResource(walk)
      this.#flat.enterResource()
      if (isMetrics) this.#flatMetrics.begin(walk)
      while (walk.nextScope()) {
        this.#place.enterScope(walk, this.#requestMode, (word) => this.#modeOf(word))
        const { mode } = this.#place
        if (mode === 'otel') this.#place.writeAround(walk, isMetrics)
        else if (mode !== 'bodymap') this.#flat.enterScope(walk, this.#place, mode)
        const routing = this.#routing(mode)
        if (isMetrics) this.#metricsOfScope(mode, routing)
        else while (walk.nextItem()) this.#record(mode, routing)
      }
      if (isMetrics) this.#unwritten(this.#flatMetrics.write(this.#templates))
    }
  }

  #record(mode: MappingMode, routing: Routing): void {
    const walk = this.#walk
    const place = this.#place
    place.enterRecord(walk)
    const isWanted = !place.recordSpecial.has('HINTS', NO_INDEX)
    if (isWanted) this.#write(mode, place.target(routing))
    if (this.#options.signal === 'logs' || !walk.span.has(SPAN.EVENTS)) return
    if (mode === 'otel') this.#spanEvents()
    else if (mode === 'ecs') this.#ecsEvents()
  }

  /** The record that the walk stands at. */
  #write(mode: MappingMode, target: Target): void {
    const walk = this.#walk
    const place = this.#place
    if (mode === 'bodymap') {
      this.#bodyMap(target)
      return
    }
    this.#open(target, place.recordSpecial)
    if (this.#options.signal === 'logs') {
      if (mode === 'otel') this.#otel.log(walk, place, target)
      else this.#flat.log(walk, place, target)
    } else if (mode === 'otel') this.#otel.span(walk, place, target)
    else this.#flat.span(walk, place, target)
    this.#bulk.close(1)
  }

  /** In mode otel events are documents of their own, among the logs. */
  #spanEvents(): void {
    const walk = this.#walk
    const place = this.#place
    const { span } = walk
    const routing = this.#routing('events')
    for (const c = this.#events.reset(span.bytes, span.start, span.end); c.find(SPAN.EVENTS); ) {
      const special = this.#otel.readEvent(c.bytes, c.start, c.end)
      if (special.has('HINTS', NO_INDEX)) continue
      const target = routing.target(special, place.scopeSpecial, place.resourceSpecial, place.scopeName)
      this.#open(target, special)
      this.#otel.event(walk, place, target)
      this.#bulk.close(0)
    }
  }

  /** In mode ecs they are documents as well, in the data streams of Elastic APM, whatever index spans have. */
  #ecsEvents(): void {
    const walk = this.#walk
    const place = this.#place
    const { span } = walk
    const { events } = this.#flat
    for (const c = this.#events.reset(span.bytes, span.start, span.end); c.find(SPAN.EVENTS); ) {
      const special = events.readEvent(c.bytes, c.start, c.end)
      if (special.has('HINTS', NO_INDEX)) continue
      const namespace =
        special.find('NAMESPACE') ?? place.scopeSpecial.find('NAMESPACE') ?? place.resourceSpecial.find('NAMESPACE')
      const dataset = events.eventDataset(walk.resourceAttributes)
      const target = this.#apmStreams.stream('logs', dataset, namespace ?? 'default')
      this.#open(target, special)
      this.#flat.event(walk, target)
      this.#bulk.close(0)
    }
  }

  #metricsOfScope(mode: MappingMode, routing: Routing): void {
    const walk = this.#walk
    this.#metrics.begin(walk.bytes)
    let points = 0
    let cumulative = 0
    while (walk.nextItem()) {
      const isRefused = isCumulativeHistogram(walk.metric)
      while (walk.nextPoint()) {
        points++
        if (isRefused) cumulative++
        if (isRefused || mode === 'bodymap') continue
        this.#place.enterRecord(walk)
        if (this.#place.recordSpecial.has('HINTS', NO_INDEX)) continue
        const target = this.#place.target(routing)
        if (mode === 'otel') this.#metrics.add(walk, target)
        else this.#flatMetrics.add(walk, target)
      }
    }
    if (mode === 'bodymap') {
      this.#onUnfit(points, 'mode bodymap is for logs')
      return
    }
    if (cumulative > 0) this.#onUnfit(cumulative, 'a histogram is cumulative, and documents hold what is new')
    if (mode === 'otel') this.#unwritten(this.#metrics.write(this.#place, this.#templates))
  }

  #unwritten(points: number): void {
    if (points > 0) this.#onUnfit(points, 'a data point has no value that a document can hold')
  }

  /** The body is the document. */
  #bodyMap(target: Target): void {
    if (this.#options.signal !== 'logs') {
      this.#onUnfit(1, 'mode bodymap is for logs')
      return
    }
    const body = this.#walk.log.body()
    if (body.type !== VALUE.MAP) {
      this.#onUnfit(1, 'in mode bodymap the body must be a map')
      return
    }
    this.#open(target, this.#place.recordSpecial)
    const { text } = this.#bulk
    text.cut(text.length - 1)
    text.view(body)
    this.#bulk.closeLine(1)
  }

  #open({ action, opening }: Target, special: SpecialAttributes): void {
    const { takesIds, takesPipelines } = this.#options
    if (!special.any || !(takesIds || takesPipelines)) {
      this.#bulk.open(opening)
      return
    }
    this.#bulk.open(action)
    {
      const { text } = this.#bulk
      const id = takesIds ? special.find('ID') : undefined
      const pipeline = takesPipelines ? (special.find('PIPELINE') ?? special.find('OLDER_PIPELINE')) : undefined
      for (const [key, value] of [
        ['_id', id],
        ['pipeline', pipeline],
      ] as const) {
        if (value === undefined || value === '') continue
        text.ascii(`,"${key}":`)
        text.quotedText(value)
      }
    }
    this.#bulk.openDocument()
  }

  #routing(mode: MappingMode | 'events'): Routing {
    const known = this.#routings.get(mode)
    if (known !== undefined) return known
    const { index, signal } = this.#options
    const isEvents = mode === 'events'
    const routing = new Routing({
      // Events are logs: a static index of traces holds them as well.
      index,
      suffix: this.#suffix,
      type: isEvents ? 'logs' : signal,
      otel: mode === 'otel' || isEvents,
      takesType: mode === 'bodymap',
    })
    this.#routings.set(mode, routing)
    return routing
  }

  #modeOfClient(batch: Batch): MappingMode | undefined {
    const word = batch.client.metadata?.get(MODE_HEADER)?.[0]
    return word === undefined ? undefined : this.#modeOf(word)
  }

  /** What is not allowed is not heard. */
  #modeOf(word: string): MappingMode {
    return this.#options.allowedModes.has(word) ? (word as MappingMode) : this.#options.mode
  }
}

const CUMULATIVE = 2

/** The sum of such documents, which is how Elasticsearch reads them, would count everything many times. */
const isCumulativeHistogram = (metric: MetricView): boolean =>
  (metric.type === METRIC_TYPE.HISTOGRAM || metric.type === METRIC_TYPE.EXPONENTIAL_HISTOGRAM) &&
  metric.aggregationTemporality() === CUMULATIVE
