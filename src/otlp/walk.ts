// Walks one encoded request from resource to item, and edits it on the way.
//
//   request -> ResourceX (field 1) -> ScopeX (field 2) -> span | metric | log record | profile (field 2) -> data point
//   The resource and the scope are field 1 of their parents, wherever among its fields they stand.
//
//   const walk = new Walk('traces')                         made once, reused
//   for (const part of batch.parts) {
//     walk.open(part)
//     while (walk.nextResource())
//       while (walk.nextScope())
//         while (walk.nextItem()) {                          metrics: while (walk.nextPoint()) inside
//           const i = walk.attributes.find(KEY)              KEY = encodeText('http.method'), once
//           if (i < 0) walk.attributes.insert(KEY, VALUE)    VALUE = encodeString('GET'), once
//         }
//     parts.push(walk.finish())                              the same array when nothing was edited
//   }
//
// editBatch() at the end of this file is that loop for a whole batch.
//
// The bytes must have passed checkRequest(). Views and maps are reused: they stand for the current resource, scope,
// item or point, and are read lazily, so a walk costs what it asks for. Edits of a resource must be made before its
// first nextScope(), those of a scope before its first nextItem(), those of an item or point before the next one.

import { Cursor } from '../wire/cursor.ts'
import { ROOT, Splice } from '../wire/splice.ts'
import { varintSize } from '../wire/varint.ts'
import { AttributeMap } from './attribute.ts'
import type { Batch } from './batch.ts'
import {
  EXPORT_TRACE_SERVICE_REQUEST,
  GAUGE,
  INSTRUMENTATION_SCOPE,
  LOG_RECORD,
  RESOURCE,
  RESOURCE_SPANS,
  SCOPE_SPANS,
  SPAN,
} from './fields.ts'
import { LogView } from './log.ts'
import {
  ExponentialHistogramPointView,
  HistogramPointView,
  MetricView,
  NumberPointView,
  pointAttributes,
  SummaryPointView,
} from './metric.ts'
import { ResourceView, ScopeView } from './resource.ts'
import type { Signal } from './signal.ts'
import { SpanView } from './span.ts'

// The way down has the same field numbers in every signal, as numbers.test.ts says: those of traces stand for all.
const RESOURCES = EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS
const SCOPES = RESOURCE_SPANS.SCOPE_SPANS
const ITEMS = SCOPE_SPANS.SPANS
/** Of a resource in what holds its scopes, and of a scope in what holds its items. */
const ABOUT = RESOURCE_SPANS.RESOURCE
const POINTS = GAUGE.DATA_POINTS
const NO_FRAME = -2

export class Walk {
  readonly signal: Signal
  #bytes: Uint8Array = new Uint8Array(0)
  #words: DataView = new DataView(this.#bytes.buffer)
  readonly #splice = new Splice()

  readonly #resources = new Cursor()
  readonly #scopes = new Cursor()
  readonly #items = new Cursor()
  readonly #points = new Cursor()
  #resourceFrame = NO_FRAME
  #scopeFrame = NO_FRAME
  #itemFrame = NO_FRAME
  #pointFrame = NO_FRAME
  #dataFrame = NO_FRAME
  #piece = 0
  #inPoint = false
  #removedItems = 0
  #removedPoints = 0 // of the current metric

  readonly #resource = new ResourceView()
  readonly #scope = new ScopeView()
  #resourceRead = false
  #scopeRead = false
  #itemRead = false
  #pointRead = false
  readonly #resourceMap: AttributeMap
  readonly #scopeMap: AttributeMap
  readonly #itemMap: AttributeMap
  #resourceMapOpen = false
  #scopeMapOpen = false
  #itemMapOpen = false

  readonly #span = new SpanView()
  readonly #log = new LogView()
  readonly #metric = new MetricView()
  readonly #number = new NumberPointView()
  readonly #histogram = new HistogramPointView()
  readonly #exponential = new ExponentialHistogramPointView()
  readonly #summary = new SummaryPointView()

  constructor(signal: Signal) {
    this.signal = signal
    this.#resourceMap = new AttributeMap(this.#splice, {
      frame: (piece) => this.#pieceFrame(this.#resource, piece, this.#openResource()),
      create: (from, to) => this.#createMessage(this.#openResource(), this.#resources.start, from, to),
    })
    this.#scopeMap = new AttributeMap(this.#splice, {
      frame: (piece) => this.#pieceFrame(this.#scope, piece, this.#openScope()),
      create: (from, to) => this.#createMessage(this.#openScope(), this.#scopes.start, from, to),
    })
    this.#itemMap = new AttributeMap(this.#splice, {
      frame: () => (this.#inPoint ? this.#openPoint() : this.#openItem()),
      create: () => {
        throw new Error('invariant: items have a message')
      },
    })
  }

  /** Before the first resource of an encoded request. Forgets whatever came before. */
  open(bytes: Uint8Array): this {
    this.#bytes = bytes
    this.#words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#splice.reset(bytes)
    this.#removedItems = 0
    this.#resourceMapOpen = false
    this.#scopeMapOpen = false
    this.#itemMapOpen = false
    this.#resources.reset(bytes)
    this.#scopes.reset(bytes, 0, 0)
    this.#items.reset(bytes, 0, 0)
    this.#endPoints()
    return this
  }

  /** Moves to the next ResourceSpans, ResourceMetrics, ResourceLogs or ResourceProfiles. */
  nextResource(): boolean {
    this.#closeResource()
    this.#scopes.reset(this.#bytes, 0, 0)
    this.#items.reset(this.#bytes, 0, 0)
    if (!this.#resources.find(RESOURCES)) return false
    this.#scopes.reset(this.#bytes, this.#resources.start, this.#resources.end)
    this.#resourceFrame = NO_FRAME
    this.#resourceRead = false
    return true
  }

  nextScope(): boolean {
    if (this.#resourceMapOpen) this.#resourceMap.close()
    this.#closeScope()
    this.#items.reset(this.#bytes, 0, 0)
    if (!this.#scopes.find(SCOPES)) return false
    this.#items.reset(this.#bytes, this.#scopes.start, this.#scopes.end)
    this.#scopeFrame = NO_FRAME
    this.#scopeRead = false
    return true
  }

  /** Moves to the next span, metric, log record or profile. */
  nextItem(): boolean {
    if (this.#scopeMapOpen) this.#scopeMap.close()
    this.#closeItem()
    if (!this.#items.find(ITEMS)) return false
    this.#itemFrame = NO_FRAME
    this.#itemRead = false
    this.#removedPoints = 0
    return true
  }

  /** Moves to the next data point of the current metric. Metrics only. */
  nextPoint(): boolean {
    if (this.#itemMapOpen) this.#closeMap()
    const { data } = this.metric
    this.#inPoint = true
    while (this.#piece < 0 || !this.#points.find(POINTS)) {
      this.#piece += 3
      if (this.#piece >= data.length) {
        this.#endPoints()
        this.#piece = data.length // asking again finds no more
        return false
      }
      this.#points.reset(this.#bytes, data[this.#piece]!, data[this.#piece + 1]!)
      this.#dataFrame = NO_FRAME
    }
    this.#pointFrame = NO_FRAME
    this.#pointRead = false
    return true
  }

  get bytes(): Uint8Array {
    return this.#bytes
  }

  /** The same bytes. */
  get words(): DataView {
    return this.#words
  }

  get resource(): ResourceView {
    if (!this.#resourceRead) this.#resource.reset(this.#bytes, this.#resources.start, this.#resources.end)
    this.#resourceRead = true
    return this.#resource
  }

  get scope(): ScopeView {
    if (!this.#scopeRead) this.#scope.reset(this.#bytes, this.#scopes.start, this.#scopes.end)
    this.#scopeRead = true
    return this.#scope
  }

  /** The current item's contents: `bytes[itemStart, itemEnd)`. */
  get itemStart(): number {
    return this.#items.start
  }

  get itemEnd(): number {
    return this.#items.end
  }

  /** The current span. Traces only. */
  get span(): SpanView {
    if (!this.#itemRead) this.#span.reset(this.#bytes, this.#items.start, this.#items.end)
    this.#itemRead = true
    return this.#span
  }

  /** The current log record. Logs only. */
  get log(): LogView {
    if (!this.#itemRead) this.#log.reset(this.#bytes, this.#items.start, this.#items.end)
    this.#itemRead = true
    return this.#log
  }

  /** The current metric; `metric.type` tells which of the point views holds. Metrics only. */
  get metric(): MetricView {
    if (!this.#itemRead) this.#metric.reset(this.#bytes, this.#items.start, this.#items.end)
    this.#itemRead = true
    return this.#metric
  }

  /** The current point of a gauge or sum. */
  get number(): NumberPointView {
    return this.#point(this.#number)
  }

  get histogram(): HistogramPointView {
    return this.#point(this.#histogram)
  }

  get exponentialHistogram(): ExponentialHistogramPointView {
    return this.#point(this.#exponential)
  }

  get summary(): SummaryPointView {
    return this.#point(this.#summary)
  }

  /** Attributes of the resource. */
  get resourceAttributes(): AttributeMap {
    if (!this.#resourceMapOpen) {
      this.#resourceMapOpen = true
      this.#openMap(this.#resourceMap, RESOURCE.ATTRIBUTES, this.resource.pieces)
    }
    return this.#resourceMap
  }

  /** Attributes of the instrumentation scope. */
  get scopeAttributes(): AttributeMap {
    if (!this.#scopeMapOpen) {
      this.#scopeMapOpen = true
      this.#openMap(this.#scopeMap, INSTRUMENTATION_SCOPE.ATTRIBUTES, this.scope.pieces)
    }
    return this.#scopeMap
  }

  /** Attributes of the current span, log record, or (after nextPoint()) data point. */
  get attributes(): AttributeMap {
    if (!this.#itemMapOpen) {
      this.#itemMapOpen = true
      const { start, end } = this.#inPoint ? this.#points : this.#items
      this.#itemMap.open(this.#bytes, this.attributesField)
      this.#itemMap.piece(start, end)
    }
    return this.#itemMap
  }

  /** The contents of the current span, log record, or (after nextPoint()) data point: `bytes[recordStart, recordEnd)`. */
  get recordStart(): number {
    return this.#inPoint ? this.#points.start : this.#items.start
  }

  get recordEnd(): number {
    return this.#inPoint ? this.#points.end : this.#items.end
  }

  /**
   * Edits it by ranges, all at once: four numbers each, in ascending order, of which `[from, to)` becomes
   * `splice.added[newFrom, newTo)`. Not for a record whose AttributeMap is edited too, or that is removed.
   */
  editRecord(edits: Int32Array, count: number): void {
    const { lengthAt, start, end } = this.#inPoint ? this.#points : this.#items
    this.#splice.edit(this.#inPoint ? this.#openData() : this.#openScope(), lengthAt, start, end, edits, count)
  }

  get splice(): Splice {
    return this.#splice
  }

  /** Takes the current span, log record or metric out of the request. A scope that becomes empty stays. */
  removeItem(): void {
    this.#itemMapOpen = false
    this.#removedItems += this.signal === 'metrics' ? this.#countPoints() - this.#removedPoints : 1
    this.#splice.drop(this.#openScope(), openedFrame(this.#itemFrame), this.#items.at, this.#items.end)
    this.#endPoints()
  }

  /** Takes the current data point out of its metric. A metric that becomes empty stays. */
  removePoint(): void {
    this.#itemMapOpen = false
    this.#removedItems++
    this.#removedPoints++
    this.#splice.drop(this.#openData(), openedFrame(this.#pointFrame), this.#points.at, this.#points.end)
  }

  /** Spans, log records or data points removed since open(). */
  get removedItems(): number {
    return this.#removedItems
  }

  /** The request as edited; the array given to open() when nothing was. */
  finish(): Uint8Array {
    this.#closeResource()
    return this.#splice.finish()
  }

  #point<View extends NumberPointView | HistogramPointView | ExponentialHistogramPointView | SummaryPointView>(
    view: View,
  ): View {
    if (!this.#pointRead) view.reset(this.#bytes, this.#points.start, this.#points.end)
    this.#pointRead = true
    return view
  }

  /** The field of the current record's message that holds its attributes. */
  get attributesField(): number {
    if (this.signal === 'traces') return SPAN.ATTRIBUTES
    if (this.signal === 'logs') return LOG_RECORD.ATTRIBUTES
    if (this.#inPoint) return pointAttributes(this.#metric.type)
    throw new Error(`invariant: the items of ${this.signal} have no attributes of their own`)
  }

  #openMap(map: AttributeMap, field: number, pieces: readonly number[]): void {
    map.open(this.#bytes, field)
    for (let i = 0; i < pieces.length; i += 3) map.piece(pieces[i]!, pieces[i + 1]!)
  }

  // Frames are opened on the first edit inside them, parents first.

  #openResource(): number {
    const c = this.#resources
    if (this.#resourceFrame === NO_FRAME) this.#resourceFrame = this.#splice.frame(ROOT, c.lengthAt, c.start, c.end)
    return this.#resourceFrame
  }

  #openScope(): number {
    const c = this.#scopes
    if (this.#scopeFrame === NO_FRAME)
      this.#scopeFrame = this.#splice.frame(this.#openResource(), c.lengthAt, c.start, c.end)
    return this.#scopeFrame
  }

  #openItem(): number {
    const c = this.#items
    if (this.#itemFrame === NO_FRAME)
      this.#itemFrame = this.#splice.frame(this.#openScope(), c.lengthAt, c.start, c.end)
    return this.#itemFrame
  }

  #openData(): number {
    const { data } = this.#metric
    const at = this.#piece
    if (this.#dataFrame === NO_FRAME)
      this.#dataFrame = this.#splice.frame(this.#openItem(), data[at + 2]!, data[at]!, data[at + 1]!)
    return this.#dataFrame
  }

  #openPoint(): number {
    const c = this.#points
    if (this.#pointFrame === NO_FRAME)
      this.#pointFrame = this.#splice.frame(this.#openData(), c.lengthAt, c.start, c.end)
    return this.#pointFrame
  }

  #pieceFrame(view: ResourceView | ScopeView, piece: number, parent: number): number {
    const { pieces } = view
    return this.#splice.frame(parent, pieces[piece * 3 + 2]!, pieces[piece * 3]!, pieces[piece * 3 + 1]!)
  }

  // There was no Resource (or scope) to hold the attributes: it comes first among the parent's fields.
  #createMessage(parent: number, at: number, from: number, to: number): void {
    const { added } = this.#splice
    const start = added.length
    added.reserve(1 + varintSize(to - from) + to - from)
    added.field(ABOUT, added.bytes, from, to)
    this.#splice.insert(parent, at, start, added.length)
  }

  #closeResource(): void {
    this.#closeScope()
    if (this.#resourceMapOpen) this.#resourceMap.close()
    this.#resourceMapOpen = false
  }

  #closeScope(): void {
    this.#closeItem()
    if (this.#scopeMapOpen) this.#scopeMap.close()
    this.#scopeMapOpen = false
  }

  #closeItem(): void {
    if (this.#itemMapOpen) this.#closeMap()
    this.#endPoints()
  }

  #closeMap(): void {
    this.#itemMap.close()
    this.#itemMapOpen = false
  }

  #endPoints(): void {
    this.#inPoint = false
    this.#piece = -3
  }

  #countPoints(): number {
    let points = 0
    const { data } = this.metric
    for (let i = 0; i < data.length; i += 3)
      for (const c = this.#points.reset(this.#bytes, data[i]!, data[i + 1]!); c.find(POINTS); ) points++
    return points
  }
}

const openedFrame = (frame: number): number => (frame === NO_FRAME ? ROOT : frame)

/**
 * Hands each part of the batch to `visit`, opened, and returns the batch of what it made of them: the same batch when
 * nothing was edited. Its items are counted down by those removed; when none is left, the caller settles the batch.
 */
export function editBatch(batch: Batch, walk: Walk, visit: (walk: Walk) => void): Batch {
  let changed: Uint8Array[] | undefined
  let removed = 0
  for (let i = 0; i < batch.parts.length; i++) {
    visit(walk.open(batch.parts[i]!))
    const part = walk.finish()
    removed += walk.removedItems
    if (part === batch.parts[i]) continue
    changed ??= batch.parts.slice()
    changed[i] = part
  }
  return changed === undefined ? batch : batch.with(changed, batch.items - removed)
}
