// Watches traces pass and keeps the slowest of the last seconds, for the live view.
//
// Memory is bounded by the limits below, whatever passes: so many traces, so many spans of each, texts cut short. So is
// the cost: of each second only the first `spansPerSecond` spans are looked at, so that a router under load pays the
// same as an idle one, and the slowest trace is then the slowest of those looked at.

import type { Clock } from '../graph/clock.ts'
import type { Batch } from '../otlp/batch.ts'
import {
  ANY_VALUE,
  EXPORT_TRACE_SERVICE_REQUEST,
  KEY_VALUE,
  RESOURCE,
  RESOURCE_SPANS,
  SCOPE_SPANS,
  SPAN,
  STATUS,
} from '../otlp/fields.ts'

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

export class SlowestTrace {
  readonly #clock: Clock
  readonly #limits: SlowestTraceLimits
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

  #request(bytes: Uint8Array, nowMs: number): void {
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (const resourceSpans of messages(view, whole(view), EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS)) {
      let service = ''
      for (const resource of messages(view, resourceSpans, RESOURCE_SPANS.RESOURCE))
        service = this.#serviceName(view, resource) || service
      for (const scopeSpans of messages(view, resourceSpans, RESOURCE_SPANS.SCOPE_SPANS))
        for (const span of messages(view, scopeSpans, SCOPE_SPANS.SPANS)) {
          if (this.#spansThisSecond++ >= this.#limits.spansPerSecond) return
          this.#span(view, span, service, nowMs)
        }
    }
  }

  #serviceName(bytes: Buffer, resource: Range): string {
    for (const attribute of messages(bytes, resource, RESOURCE.ATTRIBUTES)) {
      let key = ''
      let value = ''
      for (const field of fields(bytes, attribute)) {
        if (field.number === KEY_VALUE.KEY) key = bytes.toString('latin1', field.from, field.to)
        if (field.number !== KEY_VALUE.VALUE) continue
        for (const text of messages(bytes, field, ANY_VALUE.STRING_VALUE)) value = this.#text(bytes, text)
      }
      if (key === 'service.name') return value
    }
    return ''
  }

  #span(bytes: Buffer, span: Range, service: string, nowMs: number): void {
    let traceId = ''
    let id = ''
    let parent = ''
    let name = ''
    let startMs = 0
    let endMs = 0
    let error = false
    for (const field of fields(bytes, span)) {
      if (SPAN.wireType[field.number] !== field.wireType) continue
      if (field.number === SPAN.TRACE_ID) traceId = bytes.toString('latin1', field.from, field.to)
      else if (field.number === SPAN.SPAN_ID) id = bytes.toString('latin1', field.from, field.to)
      else if (field.number === SPAN.PARENT_SPAN_ID) parent = bytes.toString('latin1', field.from, field.to)
      else if (field.number === SPAN.NAME) name = this.#text(bytes, field)
      else if (field.number === SPAN.START_TIME_UNIX_NANO) startMs = millis(bytes, field.from)
      else if (field.number === SPAN.END_TIME_UNIX_NANO) endMs = millis(bytes, field.from)
      else if (field.number === SPAN.STATUS) error = isError(bytes, field)
    }
    if (traceId.length !== 16 || startMs === 0 || endMs < startMs) return

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
    if (trace.spans.length < this.#limits.spansPerTrace)
      trace.spans.push({ id, parent, service, name, startMs, endMs, error })
  }

  #text(bytes: Buffer, range: Range): string {
    return bytes.toString('utf8', range.from, Math.min(range.to, range.from + this.#limits.nameBytes))
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

interface Range {
  readonly from: number
  readonly to: number
}

interface FieldRange extends Range {
  readonly number: number
  readonly wireType: number
}

const whole = (bytes: Uint8Array): Range => ({ from: 0, to: bytes.byteLength })

// Bytes in a batch were checked at the door, so lengths and tags can be trusted here (DESIGN.md, chapter 1). Objects
// per field are affordable because spansPerSecond bounds them.
function* fields(bytes: Buffer, range: Range): Generator<FieldRange> {
  let at = range.from
  const varint = (): number => {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = bytes[at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
      scale *= 128
    }
  }
  while (at < range.to) {
    const tag = varint()
    const wireType = tag & 7
    let from = at
    if (wireType === 0) varint()
    else if (wireType === 1) at += 8
    else if (wireType === 5) at += 4
    else {
      const length = varint()
      from = at
      at += length
    }
    yield { number: Math.floor(tag / 8), wireType, from, to: at }
  }
}

function* messages(bytes: Buffer, range: Range, number: number): Generator<Range> {
  for (const field of fields(bytes, range)) if (field.number === number && field.wireType === 2) yield field
}

function isError(bytes: Buffer, status: Range): boolean {
  let error = false
  for (const field of fields(bytes, status))
    if (field.number === STATUS.CODE && field.wireType === 0) error = bytes[field.from] === STATUS_CODE_ERROR
  return error
}

/** Nanoseconds since 1970 as milliseconds; good to a quarter of a microsecond in this century. */
const millis = (bytes: Buffer, at: number): number =>
  bytes.readUInt32LE(at + 4) * (2 ** 32 / 1e6) + bytes.readUInt32LE(at) / 1e6
