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

import { LOG_RECORD } from '../otlp/fields.ts'
import type { Signal } from '../otlp/signal.ts'
import { writeU32 } from '../wire/varint.ts'
import { BadPayload } from './bad-payload.ts'
import { type Integer64, readInteger64 } from './json-number.ts'
import { encodeLogEntry, type LogEntry, type Marks } from './log-entry.ts'
import { isSlot, KIND, type Kind, type Slot } from './naming.ts'
import { PointWriter } from './point-writer.ts'
import { endsWithDevice, writeSeriesEnds } from './series-ends.ts'
import { Sheet } from './sheet.ts'
import type { Source, Sources } from './sources.ts'
import type { Attributes, Stream } from './stream.ts'
import { encodedTrace, NO_TRACE } from './trace-parent.ts'

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
  #observedLow = 0
  #observedHigh = 0
  /** When the devices of the message gave a sign of life by it; 0: it is none. */
  #seenMs = 0
  readonly #points: PointWriter
  #key = new Uint8Array(256)
  #markRequests = 0

  constructor(options: ReadingsOptions) {
    this.#options = options
    this.metrics = new Sheet(options.scope)
    this.logs = new Sheet(options.scope)
    this.#points = new PointWriter(this.metrics, options.sources)
  }

  /** A message begins. `receivedMs` is the time of all that it does not date itself. */
  begin(stream: Stream, receivedMs: number): void {
    this.metrics.begin()
    this.logs.begin()
    this.#markRequests = this.requests.length
    if (stream.generation !== this.#options.sources.generation) stream.renew(this.#options.sources.generation)
    this.#stream = stream
    this.#topicStream = stream
    this.#place = 0
    this.#points.whole = undefined
    this.kind = KIND.DEFAULT
    this.#seenMs = receivedMs
    this.#points.marks.begin(stream.marks)
    this.#points.trace = NO_TRACE
    this.atMillis(receivedMs)
    this.#observedLow = this.#points.timeLow
    this.#observedHigh = this.#points.timeHigh
  }

  /** The message says nothing of whether its device is there now: retained, or not from the device. */
  noSignOfLife(): void {
    this.#seenMs = 0
  }

  /** The device of what follows is gone, says someone who knows. */
  gone(): void {
    this.#seenMs = 0
    const presence = this.#stream!.source?.presence
    if (presence === undefined) return
    presence.isGone = true
    this.endSeries(true)
  }

  /**
   * The series of the device of what follows end, where that is asked for: a point each that says that nothing was recorded.
   * Once until it sends again. What is said of the device itself goes on; its state only where it is said right now.
   */
  endSeries(isStatusSaid = false): void {
    const source = this.#stream!.source
    if (source?.open === undefined || source.presence === undefined || source.presence.isEnded) return
    source.presence.isEnded = true
    const series = this.#options.sources.takeOpen(source, endsWithDevice(isStatusSaid))
    writeSeriesEnds(this.metrics, source.resource, series, this.#points.timeLow, this.#points.timeHigh)
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
    if (stream.generation !== this.#options.sources.generation) stream.renew(this.#options.sources.generation)
    this.#stream = stream
    this.#place = 0
    this.#points.marks.moveTo(stream.marks)
  }

  /** What follows is from the device of the topic again. */
  topicDevice(): void {
    if (this.#stream !== this.#topicStream) this.#moveTo(this.#topicStream!)
  }

  /** Further attributes of the resource of the device at hand, from now on: the same object each time, before any reading. */
  describe(description: Attributes): void {
    this.#stream!.describe(description)
  }

  /** What follows was measured then. Milliseconds since 1970, perhaps with a fraction. */
  atMillis(ms: number): void {
    const seconds = Math.floor(ms / 1000)
    this.at(seconds, Math.round((ms - seconds * 1000) * 1e6))
  }

  /** What follows was measured then: whole seconds since 1970 (not before), and nanoseconds from 0 to 1e9. */
  at(seconds: number, nanos: number): void {
    this.#points.at(seconds, nanos)
  }

  /** Attributes of everything in the message; before the first reading. */
  markMessage(attributes: Marks): void {
    this.#points.marks.setMessage(attributes)
  }

  /** Further attributes of the points that follow, such as their quality, instead of those of the call before. */
  mark(attributes: Marks | undefined): void {
    this.#points.marks.setOwn(attributes)
  }

  /** What follows belongs to the span of a W3C traceparent: exemplars of points, the trace of records. Others are ignored. */
  trace(traceparent: string): void {
    this.#points.trace = encodedTrace(traceparent) ?? this.#points.trace
  }

  /** The value of the next reading as it is written: of an integer that no double holds all digits stay. */
  digits(bytes: Uint8Array, from: number, to: number): void {
    this.#points.whole = readInteger64(bytes, from, to)
  }

  /** `bytes[nameFrom, nameTo)` and `bytes[unitFrom, unitTo)` are UTF-8, without escapes; the unit may be empty. */
  reading(bytes: Uint8Array, nameFrom: number, nameTo: number, unitFrom: number, unitTo: number, value: number): void {
    const stream = this.#stream!
    const { source } = stream
    if (source === undefined || !this.#options.takesMetrics) {
      this.dropped++
      this.#points.whole = undefined
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

  /** Of sources and metrics: what slotOf() gave in an earlier one is asked for anew. */
  get generation(): number {
    return this.#options.sources.generation
  }

  /**
   * The metric that a name and unit are for the stream at hand, for readings that come under a number instead: then they
   * go to known() and its like. Undefined where a bound leaves no room for it.
   */
  slotOf(name: Uint8Array, unit: Uint8Array): Slot | undefined {
    const stream = this.#stream!
    const { sources } = this.#options
    const { source, naming } = stream
    if (source === undefined || !this.#options.takesMetrics) {
      this.dropped++
      return undefined
    }
    const key = new Uint8Array(name.length + 1 + unit.length)
    key.set(name)
    key.set(unit, name.length + 1)
    const slot = naming.slot(key, key.length, name.length, this.kind, !sources.isFull)
    if (!(slot === undefined ? sources.refuse(source) : sources.admits(source, slot.metric))) return undefined
    if (stream.isOwn) source.generation = sources.generation
    return slot
  }

  /** The value is finite; `whole` is the integer that it is, and is read before this returns. */
  known(slot: Slot, value: number, whole?: Integer64): void {
    this.#points.whole = whole
    this.#point(this.#stream!.source!, slot, value)
  }

  /** Nobody knows its value from now on: a point that says so, under the marks at hand. */
  knownToBeUnknown(slot: Slot): void {
    const { source } = this.#stream!
    if (source !== undefined) this.#points.writeUnknown(source, slot)
  }

  /** For names that are put together, and for what is rare. */
  readingOf(name: string, unit: string, value: number): void {
    const bytes = Buffer.from(name + unit)
    const nameTo = unit === '' ? bytes.length : Buffer.byteLength(name)
    this.reading(bytes, 0, nameTo, nameTo, bytes.length, value)
  }

  #lookedUp(stream: Stream, source: Source, length: number, nameLength: number, value: number): void {
    const { sources } = this.#options
    const slot = stream.naming.slot(this.#key, length, nameLength, this.kind, !sources.isFull)
    if (!(slot === undefined ? sources.refuse(source) : sources.admits(source, slot.metric))) {
      this.#points.whole = undefined
      return
    }
    if (stream.isOwn) source.generation = sources.generation
    if (this.#points.marks.own.length === 0) source.open?.set(slot!.metric, stream.marks)
    if (this.#place < SHAPE_MAX) stream.setShape(this.#place, slot!)
    this.#place++
    this.#point(source, slot!, value)
  }

  #point(source: Source, slot: Slot, value: number): void {
    if (source.presence !== undefined) source.presence.see(this.#seenMs)
    this.#points.write(source, slot, value)
  }

  /** A text that the payload has in the place of a value: a log record with the reading's name. */
  text(name: string, value: string): void {
    this.log({ body: value, attributes: [['reading.name', name]] })
  }

  log(entry: LogEntry): void {
    const { source } = this.#stream!
    if (source === undefined || !this.#options.takesLogs) {
      this.dropped++
      return
    }
    const time = new Uint8Array(18)
    time[0] = LOG_RECORD.TIME_UNIX_NANO * 8 + 1
    writeU32(time, writeU32(time, 1, this.#points.timeLow), this.#points.timeHigh)
    time[9] = LOG_RECORD.OBSERVED_TIME_UNIX_NANO * 8 + 1
    writeU32(time, writeU32(time, 10, this.#observedLow), this.#observedHigh)
    const record = encodeLogEntry(entry, time, this.#points.marks.messageAttributes, this.#points.trace.record)
    if (source.presence !== undefined) source.presence.see(this.#seenMs)
    if (this.#stream!.isOwn) source.generation = this.#options.sources.generation
    this.logs.open(source.resource)
    this.logs.items++
    this.logs.copy(record.bytes, 0, record.length)
  }
}
