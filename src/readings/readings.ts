// What decoders write to: readings of a device become data points, texts become log records, straight into the bytes of
// an OTLP request each.
//
//   out.atMillis(1700000000123)                       when what follows was measured; the receive time until then
//   out.reading(bytes, 10, 21, 30, 31, 20.5)          a name and a unit where they stand in the payload, and the value
//   out.readingOf('temperature', 'Cel', 20.5)         the same with strings, for what is rare
//
// The usual reading costs a comparison of its name and unit with those at the same place of the message before, and a
// copy of the metric as it was encoded the first time. A message is written as a whole or not at all: begin(), then what
// the decoder writes, then perhaps rollBack().

import { isUtf8 } from 'node:buffer'
import { encodeBytes, encodeString, encodeStringBytes, encodeText } from '../otlp/encode.ts'
import { EXEMPLAR, LOG_RECORD, NUMBER_DATA_POINT } from '../otlp/fields.ts'
import type { Signal } from '../otlp/signal.ts'
import { writeF64, writeU32 } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'
import { BadPayload } from './bad-payload.ts'
import {
  encodeAttribute,
  encodeMarks,
  KIND,
  type Kind,
  METRIC_HEAD_BYTES,
  type Naming,
  POINT_BYTES,
  type Slot,
  writeMetricHead,
} from './naming.ts'
import { Sheet } from './sheet.ts'
import type { Source, Sources } from './sources.ts'

const NOTHING = new Uint8Array(0)
const NO_SHAPE: Slot[] = []

/** DataPointFlags of OTLP. */
const NO_RECORDED_VALUE = 1

type Attributes = readonly (readonly [key: string, value: string])[]
/** Attributes of points and records. */
export type Marks = readonly (readonly [key: string, value: string | boolean])[]
const NO_MARKS: Marks = []

/** Messages of one topic and device: what was at which place of the last of them. */
export class Stream {
  readonly naming: Naming
  /** Attributes of all its points, as encodeMarks() gives them. */
  readonly marks: Uint8Array
  shape: Slot[] = NO_SHAPE
  readonly #sources: Sources | undefined
  /** Until the source is asked for. */
  #attributes: Attributes | undefined
  #source: Source | undefined

  /** Of a source that is known. */
  static of(source: Source, naming: Naming): Stream {
    const stream = new Stream(undefined, undefined, naming)
    stream.#source = source
    return stream
  }

  /** `attributes` are those of the resource; both are undefined for a source that is known. */
  constructor(
    sources: Sources | undefined,
    attributes: Attributes | undefined,
    naming: Naming,
    marks: Uint8Array = NOTHING,
  ) {
    this.#sources = sources
    this.#attributes = attributes
    this.naming = naming
    this.marks = marks
  }

  /**
   * Undefined: the bound on devices left no room for it; its readings are dropped and counted. Asked for with the first
   * reading: many a topic has none of its own, only devices that its payloads name.
   */
  get source(): Source | undefined {
    if (this.#attributes !== undefined) {
      this.#source = this.#sources!.get(this.#attributes)
      this.#attributes = undefined
    }
    return this.#source
  }

  /** `place` is at most one beyond the last. */
  setShape(place: number, slot: Slot): void {
    // A list of one takes as much as it has to: many streams have no more.
    if (this.shape === NO_SHAPE) this.shape = [slot]
    else this.shape[place] = slot
  }
}

/** Places whose slots a stream remembers; readings beyond are looked up. */
const SHAPE_MAX = 256

export interface ReadingsOptions {
  readonly scope: string
  readonly sources: Sources
  /** Whether some pipeline takes them. */
  readonly takesMetrics: boolean
  readonly takesLogs: boolean
  /** Chooses the stream of a device that the payload names; called when it is another than the last one's. */
  device(bytes: Uint8Array, from: number, to: number): Stream
}

export interface WholeRequest {
  readonly signal: Signal
  readonly bytes: Uint8Array
  readonly items: number
}

/** OpenTelemetry's severity numbers. */
export const SEVERITY = { UNSPECIFIED: 0, TRACE: 1, DEBUG: 5, INFO: 9, WARN: 13, ERROR: 17, FATAL: 21 } as const

export interface LogEntry {
  /** Text, or bytes that are no text. */
  readonly body: string | Uint8Array
  readonly severity?: number
  readonly severityText?: string
  /** The record is an event of that name. */
  readonly event?: string
  readonly attributes?: Marks
}

export class Readings {
  readonly metrics: Sheet
  readonly logs: Sheet
  /** Of what follows, where it is not the rule's to say. begin() sets it back. */
  kind: Kind = KIND.DEFAULT
  /** Readings and texts that no pipeline takes, or of devices beyond the bound. */
  dropped = 0
  /** Whole OTLP requests that came as payloads, in their order. */
  readonly requests: WholeRequest[] = []
  readonly #options: ReadingsOptions
  #stream: Stream | undefined
  #topicStream: Stream | undefined
  #place = 0
  #timeLow = 0
  #timeHigh = 0
  #observedLow = 0
  #observedHigh = 0
  /** When the devices of the message gave a sign of life by it; 0: it is none. */
  #seenMs = 0
  /** Encoded attributes of the points that follow, fields of NumberDataPoint; empty for most. */
  #marks: Uint8Array = NOTHING
  /** What they are joined of, besides those of the stream. */
  #messageMark: Uint8Array = NOTHING
  #ownMark: Uint8Array = NOTHING
  #messageAttributes: Marks = NO_MARKS
  /** Of attributes as mark() was given them. */
  readonly #encodedMarks = new WeakMap<object, Uint8Array>()
  /** The trace that the message belongs to: fields of an Exemplar and of a LogRecord; both empty for most. */
  #exemplarTrace: Uint8Array = NOTHING
  #logTrace: Uint8Array = NOTHING
  #key = new Uint8Array(256)
  /** The value of the point being written is the int64 of these halves. */
  #isInt = false
  #intLow = 0
  #intHigh = 0
  #markRequests = 0

  constructor(options: ReadingsOptions) {
    this.#options = options
    this.metrics = new Sheet(options.scope)
    this.logs = new Sheet(options.scope)
  }

  /** A message begins. `receivedMs` is the time of all that it does not date itself. */
  begin(stream: Stream, receivedMs: number): void {
    this.metrics.begin()
    this.logs.begin()
    this.#markRequests = this.requests.length
    this.#stream = stream
    this.#topicStream = stream
    this.#place = 0
    this.kind = KIND.DEFAULT
    this.#marks = stream.marks
    this.#seenMs = receivedMs
    this.#messageMark = NOTHING
    this.#messageAttributes = NO_MARKS
    this.#ownMark = NOTHING
    this.#exemplarTrace = NOTHING
    this.#logTrace = NOTHING
    this.atMillis(receivedMs)
    this.#observedLow = this.#timeLow
    this.#observedHigh = this.#timeHigh
  }

  /** The message says nothing of whether its device is there now: retained, or not from the device. */
  noSignOfLife(): void {
    this.#seenMs = 0
  }

  /** The device of what follows is gone, says someone who knows. */
  gone(): void {
    this.#seenMs = 0
    const presence = this.#stream!.source?.presence
    if (presence !== undefined) presence.isGone = true
  }

  /** What the device of what was written last writes as its time is `eventMs`. */
  observeClock(eventMs: number): void {
    if (this.#seenMs > 0) this.#stream!.source?.presence?.skew.observe(eventMs, this.#seenMs)
  }

  /** Takes back what the message has written. */
  rollBack(): void {
    this.metrics.rollBack()
    this.logs.rollBack()
    this.requests.length = this.#markRequests
  }

  /** A payload that is OTLP already, checked; it goes on as it is. Dropped where no pipeline takes the signal. */
  request(request: WholeRequest): void {
    if (request.items > 0) this.requests.push(request)
  }

  /** What follows is from the device that the payload names so. Where the topic names one, that stays. */
  device(bytes: Uint8Array, from: number, to: number): void {
    this.#moveTo(this.#options.device(bytes, from, to))
  }

  #moveTo(stream: Stream): void {
    const isMarked = stream.marks !== this.#stream!.marks
    this.#stream = stream
    this.#place = 0
    if (isMarked) this.#join()
  }

  /** What follows is from the device of the topic again. */
  topicDevice(): void {
    if (this.#stream !== this.#topicStream) this.#moveTo(this.#topicStream!)
  }

  /** What follows was measured then. Milliseconds since 1970, perhaps with a fraction. */
  atMillis(ms: number): void {
    const seconds = Math.floor(ms / 1000)
    this.at(seconds, Math.round((ms - seconds * 1000) * 1e6))
  }

  /** What follows was measured then: whole seconds since 1970 (not before), and nanoseconds from 0 to 1e9. */
  at(seconds: number, nanos: number): void {
    // seconds * 1e9 + nanos in two halves, exactly: cut into pieces that a double holds.
    const high = Math.floor(seconds / 65536)
    const upper = high * 1e9
    const low = (seconds - high * 65536) * 1e9 + nanos + (upper % 65536) * 65536
    const carry = Math.floor(low / 4294967296)
    this.#timeLow = low - carry * 4294967296
    this.#timeHigh = Math.floor(upper / 65536) + carry
  }

  /** Attributes of everything in the message; before the first reading. */
  markMessage(attributes: Marks): void {
    this.#messageAttributes = attributes
    this.#messageMark = this.#encoded(attributes)
    this.#join()
  }

  /** Further attributes of the points that follow, such as their quality, instead of those of the call before. */
  mark(attributes: Marks | undefined): void {
    const mark = attributes === undefined || attributes.length === 0 ? NOTHING : this.#encoded(attributes)
    if (mark === this.#ownMark) return
    this.#ownMark = mark
    this.#join()
  }

  #encoded(attributes: Marks): Uint8Array {
    let encoded = this.#encodedMarks.get(attributes)
    if (encoded === undefined) {
      encoded = encodeMarks(attributes)
      this.#encodedMarks.set(attributes, encoded)
    }
    return encoded
  }

  /** The marks of stream, message and reading, one behind the other. */
  #join(): void {
    const parts = [this.#stream!.marks, this.#messageMark, this.#ownMark].filter((part) => part.length > 0)
    this.#marks = parts.length === 0 ? NOTHING : parts.length === 1 ? parts[0]! : new Uint8Array(Buffer.concat(parts))
  }

  /** What follows belongs to the span of a W3C traceparent: exemplars of points, the trace of records. Others are ignored. */
  trace(traceparent: string): void {
    const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(traceparent)
    if (match === null || /^0+$/.test(match[1]!) || /^0+$/.test(match[2]!) || traceparent.startsWith('ff')) return
    const traceId = Buffer.from(match[1]!, 'hex')
    const spanId = Buffer.from(match[2]!, 'hex')
    this.#exemplarTrace = new Writer().field(EXEMPLAR.SPAN_ID, spanId).field(EXEMPLAR.TRACE_ID, traceId).toBytes()
    const record = new Writer().field(LOG_RECORD.TRACE_ID, traceId).field(LOG_RECORD.SPAN_ID, spanId)
    const flags = new Uint8Array(4)
    writeU32(flags, 0, Number.parseInt(match[3]!, 16))
    this.#logTrace = record.tag(LOG_RECORD.FLAGS, 5).copy(flags).toBytes()
  }

  /** `bytes[nameFrom, nameTo)` and `bytes[unitFrom, unitTo)` are UTF-8, without escapes; the unit may be empty. */
  reading(bytes: Uint8Array, nameFrom: number, nameTo: number, unitFrom: number, unitTo: number, value: number): void {
    const stream = this.#stream!
    const { source } = stream
    if (source === undefined || !this.#options.takesMetrics) {
      this.dropped++
      return
    }
    if (!Number.isFinite(value)) throw new BadPayload('bad_number', 'a value that is no finite number')
    const slot = stream.shape[this.#place]
    if (
      slot !== undefined &&
      slot.kind === this.kind &&
      slot.nameLength === nameTo - nameFrom &&
      slot.key.length === nameTo - nameFrom + 1 + unitTo - unitFrom &&
      isSlot(slot, bytes, nameFrom, unitFrom)
    ) {
      this.#place++
      this.#point(source, slot, value)
      return
    }
    const nameLength = nameTo - nameFrom
    const length = nameLength + 1 + unitTo - unitFrom
    if (length > this.#key.length) this.#key = new Uint8Array(length * 2)
    this.#key.set(bytes.subarray(nameFrom, nameTo), 0)
    this.#key[nameLength] = 0
    this.#key.set(bytes.subarray(unitFrom, unitTo), nameLength + 1)
    this.#lookedUp(stream, source, length, nameLength, value)
  }

  /**
   * The metric that a name and unit are for the stream at hand, for readings that come under a number instead: then they
   * go to known() and its like. Undefined where a bound leaves no room for it.
   */
  slotOf(name: Uint8Array, unit: Uint8Array): Slot | undefined {
    const { source, naming } = this.#stream!
    if (source === undefined) return undefined
    const key = new Uint8Array(name.length + 1 + unit.length)
    key.set(name)
    key.set(unit, name.length + 1)
    const slot = naming.slot(key, key.length, name.length, this.kind)
    return this.#options.sources.admits(source, slot) ? slot : undefined
  }

  known(slot: Slot, value: number): void {
    const { source } = this.#stream!
    if (source === undefined || !this.#options.takesMetrics) this.dropped++
    else this.#point(source, slot, value)
  }

  /** The same for an int64 in two halves, which stays one. */
  knownInt(slot: Slot, low: number, high: number): void {
    this.#isInt = true
    this.#intLow = low
    this.#intHigh = high
    this.known(slot, 0)
    this.#isInt = false
  }

  /** Nobody knows its value from now on: a point with the flag that says so, under the marks at hand. */
  knownToBeUnknown(slot: Slot): void {
    const { source } = this.#stream!
    if (source === undefined || !this.#options.takesMetrics) return
    const sheet = this.metrics
    sheet.open(source.resource)
    sheet.items++
    const marks = this.#marks
    const pointBytes = 11 + marks.length
    sheet.reserve(slot.metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const { bytes } = sheet
    const at = writeMetricHead(bytes, sheet.to, slot.metric, pointBytes)
    bytes[at] = 0x19
    writeU32(bytes, at + 1, this.#timeLow)
    writeU32(bytes, at + 5, this.#timeHigh)
    bytes[at + 9] = NUMBER_DATA_POINT.FLAGS * 8
    bytes[at + 10] = NO_RECORDED_VALUE
    bytes.set(marks, at + 11)
    sheet.to = at + pointBytes
  }

  /** For names that are put together, and for what is rare. */
  readingOf(name: string, unit: string, value: number): void {
    const bytes = Buffer.from(name + unit)
    const nameTo = unit === '' ? bytes.length : Buffer.byteLength(name)
    this.reading(bytes, 0, nameTo, nameTo, bytes.length, value)
  }

  #lookedUp(stream: Stream, source: Source, length: number, nameLength: number, value: number): void {
    const slot = stream.naming.slot(this.#key, length, nameLength, this.kind)
    if (!this.#options.sources.admits(source, slot)) return
    if (this.#place < SHAPE_MAX) stream.setShape(this.#place, slot)
    this.#place++
    this.#point(source, slot, value)
  }

  #point(source: Source, slot: Slot, value: number): void {
    if (source.presence !== undefined) source.presence.see(this.#seenMs)
    const sheet = this.metrics
    sheet.open(source.resource)
    sheet.items++
    if (this.#marks.length > 0 || this.#exemplarTrace.length > 0) {
      this.#markedPoint(slot, value)
      return
    }
    const { template } = slot
    const { length } = template
    sheet.reserve(length)
    const { bytes } = sheet
    const end = sheet.to + length - POINT_BYTES
    for (let i = 0, to = sheet.to; to < end; ) bytes[to++] = template[i++]!
    sheet.to = this.#timeAndValue(bytes, end, value)
  }

  /** NumberDataPoint: time_unix_nano 3 (fixed64) | as_double 4 (double), or as_int 6 (sfixed64). */
  #timeAndValue(bytes: Uint8Array, at: number, value: number): number {
    bytes[at] = 0x19
    writeU32(bytes, at + 1, this.#timeLow)
    writeU32(bytes, at + 5, this.#timeHigh)
    if (this.#isInt) {
      bytes[at + 9] = 0x31
      return writeU32(bytes, writeU32(bytes, at + 10, this.#intLow), this.#intHigh)
    }
    bytes[at + 9] = 0x21
    return writeF64(bytes, at + 10, value)
  }

  #markedPoint(slot: Slot, value: number): void {
    const sheet = this.metrics
    const marks = this.#marks
    const trace = this.#exemplarTrace
    const exemplarBytes = trace.length === 0 ? 0 : POINT_BYTES + trace.length
    const pointBytes = POINT_BYTES + marks.length + (exemplarBytes === 0 ? 0 : exemplarBytes + 2)
    sheet.reserve(slot.metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const { bytes } = sheet
    let at = writeMetricHead(bytes, sheet.to, slot.metric, pointBytes)
    at = this.#timeAndValue(bytes, at, value)
    for (let i = 0; i < marks.length; ) bytes[at++] = marks[i++]!
    if (exemplarBytes > 0) {
      // Exemplar: time_unix_nano 2 (fixed64) | as_double 3 (double) | span and trace; 46 bytes.
      bytes[at++] = NUMBER_DATA_POINT.EXEMPLARS * 8 + 2
      bytes[at++] = exemplarBytes
      const exemplar = at
      at = this.#timeAndValue(bytes, at, value)
      bytes[exemplar] = EXEMPLAR.TIME_UNIX_NANO * 8 + 1
      bytes[exemplar + 9] = (this.#isInt ? EXEMPLAR.AS_INT : EXEMPLAR.AS_DOUBLE) * 8 + 1
      bytes.set(trace, at)
      at += trace.length
    }
    sheet.to = at
  }

  /** A text that the payload has in the place of a value: a log record with the reading's name. */
  text(name: string, value: string): void {
    this.log({ body: value, attributes: [['reading.name', name]] })
  }

  log({ body, severity, severityText, event, attributes = [] }: LogEntry): void {
    const { source } = this.#stream!
    if (source === undefined || !this.#options.takesLogs) {
      this.dropped++
      return
    }
    const record = new Writer()
    const time = new Uint8Array(18)
    time[0] = LOG_RECORD.TIME_UNIX_NANO * 8 + 1
    writeU32(time, writeU32(time, 1, this.#timeLow), this.#timeHigh)
    time[9] = LOG_RECORD.OBSERVED_TIME_UNIX_NANO * 8 + 1
    writeU32(time, writeU32(time, 10, this.#observedLow), this.#observedHigh)
    record.copy(time)
    if (severity !== undefined && severity !== 0) record.tag(LOG_RECORD.SEVERITY_NUMBER, 0).varint(severity)
    if (severityText !== undefined) record.field(LOG_RECORD.SEVERITY_TEXT, encodeText(severityText))
    record.field(LOG_RECORD.BODY, encodeBody(body))
    for (const [key, value] of attributes) record.field(LOG_RECORD.ATTRIBUTES, encodeAttribute(key, value))
    for (const [key, value] of this.#messageAttributes) record.field(LOG_RECORD.ATTRIBUTES, encodeAttribute(key, value))
    record.copy(this.#logTrace)
    if (event !== undefined) record.field(LOG_RECORD.EVENT_NAME, encodeText(event))
    if (source.presence !== undefined) source.presence.see(this.#seenMs)
    this.logs.open(source.resource)
    this.logs.items++
    const item = new Writer().field(2, record.bytes, 0, record.length)
    this.logs.copy(item.bytes, 0, item.length)
  }
}

const encodeBody = (body: string | Uint8Array): Uint8Array =>
  typeof body === 'string' ? encodeString(body) : isUtf8(body) ? encodeStringBytes(body) : encodeBytes(body)

function isSlot({ key, nameLength }: Slot, bytes: Uint8Array, name: number, unit: number): boolean {
  for (let i = 0; i < nameLength; i++) if (key[i] !== bytes[name + i]) return false
  for (let i = nameLength + 1, p = unit; i < key.length; i++) if (key[i] !== bytes[p++]) return false
  return true
}
