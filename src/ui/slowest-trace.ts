// Watches traces pass and keeps the slowest of the last seconds, for the live view.
//
// Memory is bounded by the limits below, whatever passes: so many traces, so many spans of each, texts cut short. So is
// the cost: of each second only the first `spansPerSecond` spans are looked at, so that a router under load pays the
// same as an idle one, and the slowest trace is then the slowest of those looked at.

import type { Clock } from '../graph/clock.ts'
import type { Batch } from '../otlp/batch.ts'
import { encodeText } from '../otlp/encode.ts'
import { SPAN } from '../otlp/fields.ts'
import type { SpanView } from '../otlp/span.ts'
import { Walk } from '../otlp/walk.ts'

export interface SlowSpan {
  readonly service: string
  readonly name: string
  /** After the start of the trace. */
  readonly startMs: number
  readonly durationMs: number
  /** 0 for the root and for spans whose parent was not seen. */
  readonly depth: number
  readonly error: boolean
}

export interface SlowTrace {
  /** Hexadecimal. */
  readonly traceId: string
  /** From the first start to the last end. */
  readonly durationMs: number
  /** Parents before their children, siblings by start. At most `spansPerTrace`. */
  readonly spans: readonly SlowSpan[]
  /** Also those that were not kept. */
  readonly spanCount: number
}

export interface SlowestTraceLimits {
  /** How long a trace is remembered after its last span came. */
  readonly windowMs: number
  readonly traces: number
  readonly spansPerTrace: number
  readonly spansPerSecond: number
  /** Bytes of a service's or a span's name. */
  readonly nameBytes: number
}

export const SLOWEST_TRACE_LIMITS: SlowestTraceLimits = {
  windowMs: 10_000,
  traces: 256,
  spansPerTrace: 32,
  spansPerSecond: 2_000,
  nameBytes: 80,
}

interface SeenSpan {
  readonly id: string
  readonly parent: string
  readonly service: string
  readonly name: string
  readonly startMs: number
  readonly endMs: number
  readonly error: boolean
}

interface SeenTrace {
  startMs: number
  endMs: number
  lastSeenMs: number
  spanCount: number
  readonly spans: SeenSpan[]
}

const STATUS_CODE_ERROR = 2
const SERVICE_NAME = encodeText('service.name')

export class SlowestTrace {
  readonly #clock: Clock
  readonly #limits: SlowestTraceLimits
  readonly #walk = new Walk('traces')
  /** By trace id; the one that has been quiet for the longest time comes first. */
  readonly #traces = new Map<string, SeenTrace>()
  #secondFromMs = Number.NEGATIVE_INFINITY
  #spansThisSecond = 0

  constructor(clock: Clock, limits: SlowestTraceLimits = SLOWEST_TRACE_LIMITS) {
    this.#clock = clock
    this.#limits = limits
  }

  /** Reads what it needs and keeps no reference to the batch. Batches of other signals are ignored. */
  observe(batch: Batch): void {
    if (batch.signal !== 'traces') return
    const nowMs = this.#clock.monotonic()
    if (nowMs - this.#secondFromMs >= 1000) {
      this.#secondFromMs = nowMs
      this.#spansThisSecond = 0
    }
    for (const part of batch.parts) {
      if (this.#spansThisSecond >= this.#limits.spansPerSecond) return
      this.#request(part, nowMs)
    }
  }

  /** The slowest trace whose last span came within the window; undefined when there is none. */
  current(): SlowTrace | undefined {
    this.#forget(this.#clock.monotonic() - this.#limits.windowMs)
    let slowestId: string | undefined
    let slowest: SeenTrace | undefined
    for (const [id, trace] of this.#traces) {
      if (slowest !== undefined && trace.endMs - trace.startMs <= slowest.endMs - slowest.startMs) continue
      slowestId = id
      slowest = trace
    }
    if (slowest === undefined || slowestId === undefined) return undefined
    return {
      traceId: Buffer.from(slowestId, 'latin1').toString('hex'),
      durationMs: slowest.endMs - slowest.startMs,
      spans: arrange(slowest),
      spanCount: slowest.spanCount,
    }
  }

  #forget(beforeMs: number): void {
    for (const [id, trace] of this.#traces) {
      if (trace.lastSeenMs >= beforeMs) return
      this.#traces.delete(id)
    }
  }

  #request(part: Uint8Array, nowMs: number): void {
    const walk = this.#walk.open(part)
    const bytes = Buffer.from(part.buffer, part.byteOffset, part.byteLength)
    while (walk.nextResource()) {
      const attributes = walk.resourceAttributes
      const found = attributes.find(SERVICE_NAME)
      const service = found < 0 ? '' : attributes.value(found).toText().slice(0, this.#limits.nameBytes)
      while (walk.nextScope())
        while (walk.nextItem()) {
          if (this.#spansThisSecond++ >= this.#limits.spansPerSecond) return
          this.#span(bytes, walk.span, service, nowMs)
        }
    }
  }

  #span(bytes: Buffer, span: SpanView, service: string, nowMs: number): void {
    const idText = (at: number, length: number): string => (at === 0 ? '' : bytes.toString('latin1', at, at + length))
    const traceId = idText(span.traceIdAt(), 16)
    const startMs = span.startMs()
    const endMs = span.endMs()
    if (traceId === '' || !(endMs >= startMs)) return

    let trace = this.#traces.get(traceId)
    if (trace === undefined) {
      if (this.#traces.size >= this.#limits.traces) this.#traces.delete(this.#traces.keys().next().value!)
      trace = { startMs, endMs, lastSeenMs: nowMs, spanCount: 0, spans: [] }
    } else this.#traces.delete(traceId)
    this.#traces.set(traceId, trace)
    trace.lastSeenMs = nowMs
    trace.startMs = Math.min(trace.startMs, startMs)
    trace.endMs = Math.max(trace.endMs, endMs)
    trace.spanCount++
    if (trace.spans.length >= this.#limits.spansPerTrace) return
    const nameFrom = span.from(SPAN.NAME)
    trace.spans.push({
      id: idText(span.spanIdAt(), 8),
      parent: idText(span.parentSpanIdAt(), 8),
      service,
      name: bytes.toString('utf8', nameFrom, Math.min(span.to(SPAN.NAME), nameFrom + this.#limits.nameBytes)),
      startMs,
      endMs,
      error: span.statusCode() === STATUS_CODE_ERROR,
    })
  }
}

/** Parents first, each with its children below it. Spans whose parents form a circle are left out. */
function arrange(trace: SeenTrace): SlowSpan[] {
  const known = new Set(trace.spans.map((span) => span.id))
  const children = new Map<string, SeenSpan[]>()
  for (const span of [...trace.spans].sort((a, b) => a.startMs - b.startMs)) {
    const parent = known.has(span.parent) && span.parent !== span.id ? span.parent : ''
    const siblings = children.get(parent)
    if (siblings === undefined) children.set(parent, [span])
    else siblings.push(span)
  }
  const arranged: SlowSpan[] = []
  const add = (parent: string, depth: number): void => {
    const spans = children.get(parent) ?? []
    // Two spans of one id (client and server spans of Zipkin) must not bring their children twice.
    children.delete(parent)
    for (const { id, service, name, startMs, endMs, error } of spans) {
      arranged.push({
        service,
        name,
        startMs: startMs - trace.startMs,
        durationMs: endMs - startMs,
        depth,
        error,
      })
      if (id !== '') add(id, depth + 1)
    }
  }
  add('', 0)
  return arranged
}
