// One generated request, encoded, with the places of the ids and times that differ from request to request.

import {
  ANY_VALUE,
  EXPORT_LOGS_SERVICE_REQUEST,
  EXPORT_METRICS_SERVICE_REQUEST,
  EXPORT_TRACE_SERVICE_REQUEST,
  GAUGE,
  HISTOGRAM,
  HISTOGRAM_DATA_POINT,
  INSTRUMENTATION_SCOPE,
  KEY_VALUE,
  LOG_RECORD,
  METRIC,
  NUMBER_DATA_POINT,
  RESOURCE,
  RESOURCE_LOGS,
  RESOURCE_METRICS,
  RESOURCE_SPANS,
  SCOPE_LOGS,
  SCOPE_METRICS,
  SCOPE_SPANS,
  SPAN,
  STATUS,
  SUM,
} from '../otlp/fields.ts'
import { BackWriter, writeFixed64 } from './back-writer.ts'
import type { Random } from './random.ts'

export type GeneratedSignal = 'traces' | 'metrics' | 'logs'

export interface TemplateOptions {
  readonly signal: GeneratedSignal
  /** Spans, data points or log records in each request. */
  readonly itemsPerRequest: number
  /** Attributes of each span, data point or record. */
  readonly attributes: number
  /** The value of `service.name`. */
  readonly service: string
  /** More attributes of the resource. */
  readonly resource?: ReadonlyMap<string, string>
}

/** Spans of one generated trace: a root and its children. */
const SPANS_PER_TRACE = 5
/** One span, or record, in so many is an error. */
const ERROR_EVERY = 50
const POINTS_PER_METRIC = 10

type AttributeValue = string | number | boolean
type AttributeMaker = (random: Random) => readonly [key: string, value: AttributeValue]

const pick = <T>(random: Random, values: readonly T[]): T => values[random.below(values.length)]!

const ATTRIBUTES: readonly AttributeMaker[] = [
  (r) => ['http.request.method', pick(r, ['GET', 'GET', 'POST', 'PUT'])],
  (r) => ['http.response.status_code', pick(r, [200, 200, 200, 201, 404, 500])],
  (r) => ['http.route', pick(r, ['/orders/{id}', '/lines/{id}/state', '/parts/{id}'])],
  (r) => ['url.path', `/orders/${100_000 + r.below(900_000)}`],
  (r) => ['server.address', `orders-${r.below(8)}.plant.example`],
  () => ['server.port', 8443],
  (r) => ['client.address', `10.20.${r.below(256)}.${r.below(256)}`],
  (r) => ['network.protocol.version', pick(r, ['1.1', '2'])],
  (r) => ['user_agent.original', `terminal/${1 + r.below(9)}.${r.below(20)} (operator panel)`],
  (r) => ['enduser.id', `operator-${1000 + r.below(9000)}`],
]

/** Where a template's ids and times stand, as distances from its end while it is written, then as offsets. */
export interface Slot {
  traceId: number
  spanId: number
  /** -1 for the root of a trace and for what is not a span. */
  parentSpanId: number
  /** -1 where there is none. */
  startTime: number
  time: number
  /** Starts a trace of its own. */
  readonly root: boolean
  /** From startTime to time. */
  durationMs: number
}

const newSlot = (root: boolean): Slot => ({
  traceId: -1,
  spanId: -1,
  parentSpanId: -1,
  startTime: -1,
  time: -1,
  root,
  durationMs: 10_000,
})

interface Template {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly slots: readonly Slot[]
}

const SHAPE = {
  traces: {
    request: EXPORT_TRACE_SERVICE_REQUEST.RESOURCE_SPANS,
    ...RESOURCE_SPANS,
    scopes: RESOURCE_SPANS.SCOPE_SPANS,
  },
  metrics: {
    request: EXPORT_METRICS_SERVICE_REQUEST.RESOURCE_METRICS,
    ...RESOURCE_METRICS,
    scopes: RESOURCE_METRICS.SCOPE_METRICS,
  },
  logs: { request: EXPORT_LOGS_SERVICE_REQUEST.RESOURCE_LOGS, ...RESOURCE_LOGS, scopes: RESOURCE_LOGS.SCOPE_LOGS },
} as const

export function writeTemplate(options: TemplateOptions, random: Random): Template {
  const out = new BackWriter()
  const slots: Slot[] = []
  const shape = SHAPE[options.signal]
  // Fields are written last first, and so are items: the slots are turned round at the end.
  out.message(shape.request, () => {
    out.message(shape.scopes, () => {
      if (options.signal === 'metrics') writeMetrics(out, options, random, slots)
      else
        for (let index = options.itemsPerRequest - 1; index >= 0; index--)
          slots.push((options.signal === 'traces' ? writeSpan : writeLog)(out, index, options.attributes, random))
      // `scope` is field 1 of ScopeSpans, ScopeMetrics and ScopeLogs alike.
      out.message(SCOPE_SPANS.SCOPE, () => {
        out.text(INSTRUMENTATION_SCOPE.VERSION, '1.4.2')
        out.text(INSTRUMENTATION_SCOPE.NAME, 'millrace-send')
      })
    })
    out.message(shape.RESOURCE, () => {
      const resource = [...(options.resource ?? [])].reverse()
      for (const [key, value] of resource) writeAttribute(out, RESOURCE.ATTRIBUTES, key, value)
      writeAttribute(out, RESOURCE.ATTRIBUTES, 'host.name', 'edge-07')
      writeAttribute(out, RESOURCE.ATTRIBUTES, 'service.version', '3.2.0')
      writeAttribute(out, RESOURCE.ATTRIBUTES, 'service.name', options.service)
    })
  })
  const bytes = out.toBytes()
  for (const slot of slots) {
    for (const place of ['traceId', 'spanId', 'parentSpanId', 'startTime', 'time'] as const)
      if (slot[place] >= 0) slot[place] = bytes.length - slot[place]
  }
  return { bytes, slots: slots.reverse() }
}

function writeAttribute(out: BackWriter, field: number, key: string, value: AttributeValue): void {
  out.message(field, () => {
    out.message(KEY_VALUE.VALUE, () => {
      if (typeof value === 'string') out.text(ANY_VALUE.STRING_VALUE, value)
      else if (typeof value === 'boolean') out.varint(ANY_VALUE.BOOL_VALUE, value ? 1 : 0)
      else out.varint(ANY_VALUE.INT_VALUE, value)
    })
    out.text(KEY_VALUE.KEY, key)
  })
}

function writeAttributes(out: BackWriter, field: number, count: number, random: Random): void {
  for (let index = count - 1; index >= 0; index--) {
    const maker = ATTRIBUTES[index]
    const [key, value] = maker === undefined ? [`attribute.${index + 1}`, `value-${random.below(1e6)}`] : maker(random)
    writeAttribute(out, field, key, value)
  }
}

const EMPTY_TRACE_ID = new Uint8Array(16)
const EMPTY_SPAN_ID = new Uint8Array(8)

/** Writes an id to be filled in later; returns the distance of its first byte from the end. */
function writeId(out: BackWriter, field: number, id: Uint8Array): number {
  const place = out.written + id.length
  out.bytes(field, id)
  return place
}

function writeSpan(out: BackWriter, index: number, attributes: number, random: Random): Slot {
  const root = index % SPANS_PER_TRACE === 0
  const slot = newSlot(root)
  slot.durationMs = root ? 120 + random.below(200) : 1 + random.below(100)
  out.message(SCOPE_SPANS.SPANS, () => {
    out.message(SPAN.STATUS, () => {
      if (index % ERROR_EVERY === ERROR_EVERY - 1) {
        out.varint(STATUS.CODE, 2)
        out.text(STATUS.MESSAGE, 'the next station did not answer')
      }
    })
    writeAttributes(out, SPAN.ATTRIBUTES, attributes, random)
    slot.time = out.fixed64(SPAN.END_TIME_UNIX_NANO)
    slot.startTime = out.fixed64(SPAN.START_TIME_UNIX_NANO)
    out.varint(SPAN.KIND, root ? 2 : 3)
    out.text(SPAN.NAME, root ? 'GET /orders/{id}' : pick(random, ['SELECT orders', 'POST /payments', 'read stock']))
    if (!root) slot.parentSpanId = writeId(out, SPAN.PARENT_SPAN_ID, EMPTY_SPAN_ID)
    slot.spanId = writeId(out, SPAN.SPAN_ID, EMPTY_SPAN_ID)
    slot.traceId = writeId(out, SPAN.TRACE_ID, EMPTY_TRACE_ID)
  })
  return slot
}

function writeLog(out: BackWriter, index: number, attributes: number, random: Random): Slot {
  const slot = newSlot(true)
  const error = index % ERROR_EVERY === ERROR_EVERY - 1
  out.message(SCOPE_LOGS.LOG_RECORDS, () => {
    slot.startTime = out.fixed64(LOG_RECORD.OBSERVED_TIME_UNIX_NANO)
    slot.spanId = writeId(out, LOG_RECORD.SPAN_ID, EMPTY_SPAN_ID)
    slot.traceId = writeId(out, LOG_RECORD.TRACE_ID, EMPTY_TRACE_ID)
    writeAttributes(out, LOG_RECORD.ATTRIBUTES, attributes, random)
    out.message(LOG_RECORD.BODY, () => {
      const words = error ? 'could not be booked: the next station did not answer' : 'booked'
      out.text(ANY_VALUE.STRING_VALUE, `order ${100_000 + random.below(900_000)} ${words}`)
    })
    out.text(LOG_RECORD.SEVERITY_TEXT, error ? 'ERROR' : 'INFO')
    out.varint(LOG_RECORD.SEVERITY_NUMBER, error ? 17 : 9)
    slot.time = out.fixed64(LOG_RECORD.TIME_UNIX_NANO)
  })
  return slot
}

interface MetricKind {
  readonly field: number
  readonly name: string
  readonly unit: string
  readonly points: number
  readonly extra?: (out: BackWriter) => void
  readonly writePoint: (out: BackWriter, attributes: number, random: Random) => Slot
}

const CUMULATIVE = 2
const BOUNDS_MS = [5, 25, 100, 500, 2500]

const METRIC_KINDS: readonly MetricKind[] = [
  {
    field: METRIC.GAUGE,
    name: 'process.memory.usage',
    unit: 'By',
    points: GAUGE.DATA_POINTS,
    writePoint: (out, attributes, random) => {
      const slot = newSlot(false)
      writeAttributes(out, NUMBER_DATA_POINT.ATTRIBUTES, attributes, random)
      out.double(NUMBER_DATA_POINT.AS_DOUBLE, 50e6 + random.below(20e6))
      slot.time = out.fixed64(NUMBER_DATA_POINT.TIME_UNIX_NANO)
      return slot
    },
  },
  {
    field: METRIC.SUM,
    name: 'orders.booked',
    unit: '{order}',
    points: SUM.DATA_POINTS,
    extra: (out) => {
      out.varint(SUM.IS_MONOTONIC, 1)
      out.varint(SUM.AGGREGATION_TEMPORALITY, CUMULATIVE)
    },
    writePoint: (out, attributes, random) => {
      const slot = newSlot(false)
      writeAttributes(out, NUMBER_DATA_POINT.ATTRIBUTES, attributes, random)
      out.fixed64(NUMBER_DATA_POINT.AS_INT, random.below(1e6))
      slot.time = out.fixed64(NUMBER_DATA_POINT.TIME_UNIX_NANO)
      slot.startTime = out.fixed64(NUMBER_DATA_POINT.START_TIME_UNIX_NANO)
      return slot
    },
  },
  {
    field: METRIC.HISTOGRAM,
    name: 'http.server.request.duration',
    unit: 'ms',
    points: HISTOGRAM.DATA_POINTS,
    extra: (out) => out.varint(HISTOGRAM.AGGREGATION_TEMPORALITY, CUMULATIVE),
    writePoint: writeHistogramPoint,
  },
]

function writeHistogramPoint(out: BackWriter, attributes: number, random: Random): Slot {
  const slot = newSlot(false)
  const counts = Array.from({ length: BOUNDS_MS.length + 1 }, () => random.below(200))
  const total = counts.reduce((sum, count) => sum + count, 0)
  writeAttributes(out, HISTOGRAM_DATA_POINT.ATTRIBUTES, attributes, random)
  out.bytes(
    HISTOGRAM_DATA_POINT.EXPLICIT_BOUNDS,
    packed(BOUNDS_MS, (view, at, value) => view.setFloat64(at, value, true)),
  )
  out.bytes(HISTOGRAM_DATA_POINT.BUCKET_COUNTS, packed(counts, writeFixed64))
  out.double(HISTOGRAM_DATA_POINT.SUM, total * 40)
  out.fixed64(HISTOGRAM_DATA_POINT.COUNT, total)
  slot.time = out.fixed64(HISTOGRAM_DATA_POINT.TIME_UNIX_NANO)
  slot.startTime = out.fixed64(HISTOGRAM_DATA_POINT.START_TIME_UNIX_NANO)
  return slot
}

function packed(values: readonly number[], write: (view: DataView, at: number, value: number) => void): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.length * 8))
  for (const [index, value] of values.entries()) write(view, index * 8, value)
  return new Uint8Array(view.buffer)
}

/** Gauges, sums and histograms by turns, of ten points each; the last one has the rest. */
function writeMetrics(out: BackWriter, options: TemplateOptions, random: Random, slots: Slot[]): void {
  const metrics = Math.ceil(options.itemsPerRequest / POINTS_PER_METRIC)
  for (let metric = metrics - 1; metric >= 0; metric--) {
    const points = Math.min(POINTS_PER_METRIC, options.itemsPerRequest - metric * POINTS_PER_METRIC)
    const kind = METRIC_KINDS[metric % METRIC_KINDS.length]!
    out.message(SCOPE_METRICS.METRICS, () => {
      out.message(kind.field, () => {
        kind.extra?.(out)
        for (let point = 0; point < points; point++)
          out.message(kind.points, () => slots.push(kind.writePoint(out, options.attributes, random)))
      })
      out.text(METRIC.UNIT, kind.unit)
      out.text(METRIC.NAME, kind.name)
    })
  }
}
