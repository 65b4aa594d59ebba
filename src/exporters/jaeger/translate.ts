// An OTLP request as Jaeger's batches: one for each resource, from bytes to bytes. Which field becomes what is as in the
// Collector's exporter (contrib, pkg/translator/jaeger):
//
//   resource     process: service.name its name, the other attributes its tags
//   scope        tags otel.scope.name, otel.scope.version of each span
//   parent       reference CHILD_OF, the first one
//   link         reference FOLLOWS_FROM, or what its attribute opentracing.ref_type says; one to the parent is not repeated
//   attribute    tag, in order
//   kind         tag span.kind: client, server, producer, consumer, internal
//   status       tags otel.status_code: OK, ERROR; error: true; otel.status_description
//   tracestate   tag w3c.tracestate
//   event        log: field event with its name (unless an attribute has that key), and its attributes
//
// Batch = spans 1 | process 2. The process is written first, for it is known first.

import {
  JAEGER_BATCH as BATCH,
  JAEGER_SPAN as JAEGER,
  JAEGER_KEY_VALUE,
  JAEGER_VALUE_TYPE,
  JAEGER_LOG as LOG,
  JAEGER_PROCESS as PROCESS,
  JAEGER_SPAN_REF as REFERENCE,
  JAEGER_SPAN_REF_TYPE as REFERENCE_TYPE,
} from '../../jaeger/fields.ts'
import type { AttributeMap } from '../../otlp/attribute.ts'
import { DURATION, INSTRUMENTATION_SCOPE, SPAN, SPAN_EVENT, SPAN_LINK, TIMESTAMP } from '../../otlp/fields.ts'
import { EventView, LinkView, type SpanView } from '../../otlp/span.ts'
import { VALUE } from '../../otlp/value.ts'
import { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { equalBytes, varintSize, writeVarint } from '../../wire/varint.ts'
import { Writer } from '../../wire/writer.ts'
import { KeyValueView, writeTag, writeText } from './key-value.ts'
import { Nanos } from './nanos.ts'
import { UsualTags } from './usual-tags.ts'

const TRACE_ID_BYTES = 16
const SPAN_ID_BYTES = 8
const NO_ID = new Uint8Array(TRACE_ID_BYTES)
/** The name that the Collector gives to a resource without attributes. */
const NO_SERVICE = Buffer.from('OTLPResourceNoServiceName')
const SERVICE_NAME = Buffer.from('service.name')
const EVENT = Buffer.from('event')
const REF_TYPE = Buffer.from('opentracing.ref_type')
const CHILD_OF = Buffer.from('child_of')
const TRACE_STATE = Buffer.from('w3c.tracestate')
const STATUS_DESCRIPTION = Buffer.from('otel.status_description')
const SCOPE_NAME = Buffer.from('otel.scope.name')
const SCOPE_VERSION = Buffer.from('otel.scope.version')
const ERROR = 2

function textTag(key: string, text: string): Uint8Array {
  const [name, value] = [Buffer.from(key), Buffer.from(text)]
  const writer = new Writer()
  writeText(writer, JAEGER.TAGS, name, 0, name.length, value, 0, value.length)
  return writer.toBytes()
}

/** By SpanKind; nothing for what is not specified. */
const KIND_TAGS = ['', 'internal', 'server', 'client', 'producer', 'consumer'].map((kind) =>
  kind === '' ? undefined : textTag('span.kind', kind),
)
/** By StatusCode. */
const STATUS_TAGS = [
  undefined,
  textTag('otel.status_code', 'OK'),
  Buffer.concat([
    textTag('otel.status_code', 'ERROR'),
    new Writer()
      .field(
        JAEGER.TAGS,
        new Writer()
          .field(JAEGER_KEY_VALUE.KEY, Buffer.from('error'))
          .tag(JAEGER_KEY_VALUE.V_TYPE, 0)
          .varint(JAEGER_VALUE_TYPE.values.BOOL)
          .tag(JAEGER_KEY_VALUE.V_BOOL, 0)
          .varint(1)
          .toBytes(),
      )
      .toBytes(),
  ]),
]

/** A length is written when the contents are, into the room that it nearly always needs. */
const USUAL_LENGTH_BYTES = 2

export class Translator {
  readonly #walk = new Walk('traces')
  readonly #writer = new Writer()
  readonly #scopeTags = new Writer()
  readonly #keyValue = new KeyValueView()
  readonly #tags = new UsualTags(this.#keyValue)
  readonly #fields = new Cursor()
  readonly #inner = new Cursor()
  readonly #event = new EventView()
  readonly #link = new LinkView()
  readonly #nanos = new Nanos()

  /** Encoded batches, each in an array of its own; none for a resource without spans. */
  translate(parts: readonly Uint8Array[]): Uint8Array[] {
    const batches: Uint8Array[] = []
    const walk = this.#walk
    const writer = this.#writer
    for (const part of parts) {
      walk.open(part)
      while (walk.nextResource()) {
        writer.clear()
        this.#writeProcess(walk.resourceAttributes)
        let spans = 0
        while (walk.nextScope()) {
          this.#readScope(walk)
          for (; walk.nextItem(); spans++) this.#writeSpan(walk.span)
        }
        if (spans > 0) batches.push(writer.toBytes())
      }
    }
    return batches
  }

  #writeProcess(attributes: AttributeMap): void {
    const writer = this.#writer
    const process = this.#begin(BATCH.PROCESS)
    if (attributes.count === 0) writer.field(PROCESS.SERVICE_NAME, NO_SERVICE)
    const named = attributes.find(SERVICE_NAME)
    if (named >= 0) {
      const value = attributes.value(named)
      if (value.type === VALUE.STRING) writer.field(PROCESS.SERVICE_NAME, value.bytes, value.start, value.end)
    }
    for (let i = 0; i < attributes.count; i++) {
      if (attributes.keyEquals(i, SERVICE_NAME)) continue
      const tag = this.#keyValue
      tag.bytes = attributes.source(i)
      tag.keyFrom = attributes.keyStart(i)
      tag.keyTo = attributes.keyEnd(i)
      tag.value.reset(tag.bytes, attributes.valueStart(i), attributes.valueEnd(i))
      writeTag(writer, PROCESS.TAGS, tag)
    }
    this.#end(process)
  }

  #readScope({ bytes, scope }: Walk): void {
    const tags = this.#scopeTags.clear()
    let nameFrom = 0
    let nameTo = 0
    let versionFrom = 0
    let versionTo = 0
    for (let i = 0; i < scope.pieces.length; i += 3) {
      for (const c = this.#fields.reset(bytes, scope.pieces[i]!, scope.pieces[i + 1]!); c.next(); ) {
        if (c.wireType !== 2) continue
        if (c.field === INSTRUMENTATION_SCOPE.NAME) {
          nameFrom = c.start
          nameTo = c.end
        } else if (c.field === INSTRUMENTATION_SCOPE.VERSION) {
          versionFrom = c.start
          versionTo = c.end
        }
      }
    }
    if (nameTo > nameFrom) writeText(tags, JAEGER.TAGS, SCOPE_NAME, 0, SCOPE_NAME.length, bytes, nameFrom, nameTo)
    if (versionTo > versionFrom)
      writeText(tags, JAEGER.TAGS, SCOPE_VERSION, 0, SCOPE_VERSION.length, bytes, versionFrom, versionTo)
  }

  #writeSpan(span: SpanView): void {
    const { bytes } = span
    const writer = this.#writer
    const begun = this.#begin(BATCH.SPANS)
    this.#writeId(JAEGER.TRACE_ID, bytes, span.traceIdAt(), TRACE_ID_BYTES)
    this.#writeId(JAEGER.SPAN_ID, bytes, span.spanIdAt(), SPAN_ID_BYTES)
    if (span.has(SPAN.NAME)) writer.field(JAEGER.OPERATION_NAME, bytes, span.from(SPAN.NAME), span.to(SPAN.NAME))
    this.#writeReferences(span)
    const [from, to] = [SPAN.START_TIME_UNIX_NANO, SPAN.END_TIME_UNIX_NANO]
    this.#writeTime(JAEGER.START_TIME, this.#nanos.set(span.fixedHigh(from), span.fixedLow(from)))
    this.#nanos.setDifference(span.fixedHigh(to), span.fixedLow(to), span.fixedHigh(from), span.fixedLow(from))
    this.#writeDuration()
    writer.copy(this.#scopeTags.bytes, 0, this.#scopeTags.length)
    this.#tags.write(writer, bytes, this.#walk.words, span.start, span.end)
    this.#writeStatus(span)
    const [stateFrom, stateTo] = [span.from(SPAN.TRACE_STATE), span.to(SPAN.TRACE_STATE)]
    if (stateTo > stateFrom)
      writeText(writer, JAEGER.TAGS, TRACE_STATE, 0, TRACE_STATE.length, bytes, stateFrom, stateTo)
    if (span.has(SPAN.EVENTS))
      for (const c = this.#fields.reset(bytes, span.start, span.end); c.find(SPAN.EVENTS); )
        this.#writeLog(this.#event.reset(bytes, c.start, c.end))
    this.#end(begun)
  }

  #writeStatus(span: SpanView): void {
    const writer = this.#writer
    const kind = KIND_TAGS[span.kind()]
    if (kind !== undefined) writer.copy(kind)
    const code = span.statusCode()
    const status = STATUS_TAGS[code <= ERROR ? code : 0]
    if (status !== undefined) writer.copy(status)
    const [from, to] = [span.statusMessageStart(), span.statusMessageEnd()]
    if (to > from)
      writeText(writer, JAEGER.TAGS, STATUS_DESCRIPTION, 0, STATUS_DESCRIPTION.length, span.bytes, from, to)
  }

  #writeReferences(span: SpanView): void {
    const { bytes } = span
    const parent = span.parentSpanIdAt()
    const trace = span.traceIdAt()
    if (parent !== 0) this.#writeReference(bytes, trace, parent, this.#typeOfParent(span, trace, parent))
    if (!span.has(SPAN.LINKS)) return
    for (const c = this.#fields.reset(bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(bytes, c.start, c.end)
      if (parent !== 0 && pointsTo(link, trace, parent)) continue
      this.#writeReference(bytes, link.traceIdAt(), link.spanIdAt(), this.#typeOf(link))
    }
  }

  /** A link to the parent says what kind of reference that is. */
  #typeOfParent(span: SpanView, trace: number, parent: number): number {
    let type: number = REFERENCE_TYPE.values.CHILD_OF
    if (!span.has(SPAN.LINKS)) return type
    for (const c = this.#fields.reset(span.bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(span.bytes, c.start, c.end)
      if (pointsTo(link, trace, parent)) type = this.#typeOf(link)
    }
    return type
  }

  #typeOf({ bytes, start, end }: LinkView): number {
    for (const c = this.#inner.reset(bytes, start, end); c.find(SPAN_LINK.ATTRIBUTES); ) {
      const attribute = this.#keyValue.reset(bytes, c.start, c.end)
      if (!attribute.hasKey(REF_TYPE)) continue
      return attribute.value.equalsText(CHILD_OF) ? REFERENCE_TYPE.values.CHILD_OF : REFERENCE_TYPE.values.FOLLOWS_FROM
    }
    return REFERENCE_TYPE.values.FOLLOWS_FROM
  }

  #writeReference(bytes: Uint8Array, trace: number, span: number, type: number): void {
    const writer = this.#writer
    writer.tag(JAEGER.REFERENCES, 2).varint(4 + TRACE_ID_BYTES + SPAN_ID_BYTES + (type === 0 ? 0 : 2))
    this.#writeId(REFERENCE.TRACE_ID, bytes, trace, TRACE_ID_BYTES)
    this.#writeId(REFERENCE.SPAN_ID, bytes, span, SPAN_ID_BYTES)
    if (type !== 0) writer.tag(REFERENCE.REF_TYPE, 0).varint(type)
  }

  #writeLog(event: EventView): void {
    const { bytes, start, end } = event
    const writer = this.#writer
    const begun = this.#begin(JAEGER.LOGS)
    const time = SPAN_EVENT.TIME_UNIX_NANO
    this.#writeTime(LOG.TIMESTAMP, this.#nanos.set(event.fixedHigh(time), event.fixedLow(time)))
    let isNamed = false
    for (const c = this.#inner.reset(bytes, start, end); c.find(SPAN_EVENT.ATTRIBUTES); )
      if (this.#keyValue.reset(bytes, c.start, c.end).hasKey(EVENT)) isNamed = true
    const [from, to] = [event.from(SPAN_EVENT.NAME), event.to(SPAN_EVENT.NAME)]
    if (!isNamed && to > from) writeText(writer, LOG.FIELDS, EVENT, 0, EVENT.length, bytes, from, to)
    for (const c = this.#inner.reset(bytes, start, end); c.find(SPAN_EVENT.ATTRIBUTES); )
      writeTag(writer, LOG.FIELDS, this.#keyValue.reset(bytes, c.start, c.end))
    this.#end(begun)
  }

  /** Jaeger wants ids of their whole length; an absent one is zeros. */
  #writeId(field: number, bytes: Uint8Array, at: number, length: number): void {
    if (at === 0) this.#writer.field(field, NO_ID, 0, length)
    else this.#writer.field(field, bytes, at, at + length)
  }

  #writeTime(field: number, { seconds, nanos }: Nanos): void {
    const writer = this.#writer
    writer.tag(field, 2).varint(sizeOf(seconds) + sizeOf(nanos))
    if (seconds !== 0) writer.tag(TIMESTAMP.SECONDS, 0).varint(seconds)
    if (nanos !== 0) writer.tag(TIMESTAMP.NANOS, 0).varint(nanos)
  }

  #writeDuration(): void {
    const { seconds, nanos } = this.#nanos
    const writer = this.#writer
    writer.tag(JAEGER.DURATION, 2).varint(sizeOf(seconds) + sizeOf(nanos))
    if (seconds !== 0) writer.tag(DURATION.SECONDS, 0).signedVarint(seconds)
    if (nanos !== 0) writer.tag(DURATION.NANOS, 0).signedVarint(nanos)
  }

  /** Begins a message in field `field`; end() is told what this returns. */
  #begin(field: number): number {
    const writer = this.#writer.tag(field, 2)
    writer.reserve(USUAL_LENGTH_BYTES)
    writer.length += USUAL_LENGTH_BYTES
    return writer.length
  }

  #end(begun: number): void {
    const writer = this.#writer
    const length = writer.length - begun
    const moved = varintSize(length) - USUAL_LENGTH_BYTES
    if (moved !== 0) {
      if (moved > 0) writer.reserve(moved)
      writer.bytes.copyWithin(begun + moved, begun, writer.length)
      writer.length += moved
    }
    writeVarint(writer.bytes, begun - USUAL_LENGTH_BYTES, length)
  }
}

/** Of a varint with its tag; nothing for 0, ten bytes for what is below. */
const sizeOf = (value: number): number => (value === 0 ? 0 : value < 0 ? 11 : 1 + varintSize(value))

function pointsTo(link: LinkView, trace: number, span: number): boolean {
  const { bytes } = link
  const [linkTrace, linkSpan] = [link.traceIdAt(), link.spanIdAt()]
  return (
    linkSpan !== 0 &&
    equalBytes(bytes, linkSpan, linkSpan + SPAN_ID_BYTES, bytes.subarray(span, span + SPAN_ID_BYTES)) &&
    (linkTrace === 0) === (trace === 0) &&
    (trace === 0 ||
      equalBytes(bytes, linkTrace, linkTrace + TRACE_ID_BYTES, bytes.subarray(trace, trace + TRACE_ID_BYTES)))
  )
}
