// Log records and spans as documents of mode otel (reference 4.7).
//
// Members are written with a comma behind each; the last one stands without, in every document: `body` or `scope`.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { LOG_RECORD, SPAN, SPAN_EVENT, SPAN_LINK } from '../../otlp/fields.ts'
import { CHAR } from '../../otlp/json/text.ts'
import type { LogView } from '../../otlp/log.ts'
import { EventView, LinkView } from '../../otlp/span.ts'
import { isShortText, VALUE, ValueView } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { FieldIndex } from '../../wire/field-index.ts'
import { Piece } from '../../wire/piece.ts'
import { type AttributesJson, readOnlyMap } from './attributes-json.ts'
import type { DocumentText } from './document-text.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

const KINDS = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'] as const
const STATUSES = ['', '"code":"Ok",', '"code":"Error",'] as const

const KEY_TIMESTAMP = new Piece('"@timestamp":')
const KEY_DROPPED_ATTRIBUTES_COUNT = new Piece('"dropped_attributes_count":')
const KEY_DROPPED_EVENTS_COUNT = new Piece('"dropped_events_count":')
const KEY_DROPPED_LINKS_COUNT = new Piece('"dropped_links_count":')
const KEY_EVENT_NAME = new Piece('"event_name":"')
const KEY_NAME = new Piece('"name":"')
const KEY_PARENT_SPAN_ID = new Piece('"parent_span_id":"')
const KEY_SEVERITY_NUMBER = new Piece('"severity_number":')
const KEY_SEVERITY_TEXT = new Piece('"severity_text":"')
const KEY_SPAN_ID = new Piece('"span_id":"')
const KEY_TRACE_ID = new Piece('"trace_id":"')
const KEY_TRACE_STATE = new Piece('"trace_state":"')
const AND_OBSERVED_TIMESTAMP = new Piece(',"observed_timestamp":')
const BODY = new Piece('"body":{"text":"')
const TEXT_BODY = new Piece('"body":{"text":')
const CLOSE = new Piece('},')
const STRUCTURED_BODY = new Piece('"body":{"structured":')

export class OtelDocuments {
  readonly #text: DocumentText
  readonly #attributes: AttributesJson
  readonly #map = readOnlyMap()
  readonly #special = new SpecialAttributes()
  readonly #event = new EventView()
  readonly #link = new LinkView()
  readonly #element = new ValueView()
  readonly #elements = new Cursor()
  readonly #links = new Cursor()

  constructor(text: DocumentText, attributes: AttributesJson) {
    this.#text = text
    this.#attributes = attributes
  }

  /** Attributes of an event or link, with their special ones. */
  map(view: FieldIndex, field: number): { readonly map: AttributeMap; readonly special: SpecialAttributes } {
    this.#map.open(view.bytes, field)
    this.#map.piece(view.start, view.end)
    this.#special.read(this.#map)
    return { map: this.#map, special: this.#special }
  }

  log(walk: Walk, place: Place, target: Target): void {
    const text = this.#text
    const { log } = walk
    const observed = LOG_RECORD.OBSERVED_TIME_UNIX_NANO
    const seenLow = log.fixedLow(observed)
    const seenHigh = log.fixedHigh(observed)
    const low = log.fixedLow(LOG_RECORD.TIME_UNIX_NANO)
    const high = log.fixedHigh(LOG_RECORD.TIME_UNIX_NANO)
    const isSeen = seenLow !== 0 || seenHigh !== 0
    text.piece(KEY_TIMESTAMP)
    if (low === 0 && high === 0) writeTime(text, seenLow, seenHigh, target)
    else writeTime(text, low, high, target)
    if (isSeen) {
      text.piece(AND_OBSERVED_TIMESTAMP)
      writeTime(text, seenLow, seenHigh, target)
    }
    text.put(CHAR.COMMA)
    text.piece(target.dataStreamJson)
    this.#string(KEY_SEVERITY_TEXT, log, LOG_RECORD.SEVERITY_TEXT)
    this.#uint(KEY_SEVERITY_NUMBER, log.severityNumber())
    this.#id(KEY_TRACE_ID, log, log.traceIdAt(), 16)
    this.#id(KEY_SPAN_ID, log, log.spanIdAt(), 8)
    this.#writeAttributes(walk, place)
    this.#uint(KEY_DROPPED_ATTRIBUTES_COUNT, log.uint32(LOG_RECORD.DROPPED_ATTRIBUTES_COUNT))
    if (!this.#string(KEY_EVENT_NAME, log, LOG_RECORD.EVENT_NAME)) this.#eventName(walk, place)
    text.piece(place.aroundJson)
    if (log.has(LOG_RECORD.BODY)) this.#body(log)
    text.cut(text.length - 1)
  }

  span(walk: Walk, place: Place, target: Target): void {
    const text = this.#text
    const { span } = walk
    this.#time(KEY_TIMESTAMP, span, SPAN.START_TIME_UNIX_NANO, target)
    text.put(CHAR.COMMA)
    text.piece(target.dataStreamJson)
    this.#id(KEY_TRACE_ID, span, span.traceIdAt(), 16)
    this.#id(KEY_SPAN_ID, span, span.spanIdAt(), 8)
    this.#string(KEY_TRACE_STATE, span, SPAN.TRACE_STATE)
    this.#id(KEY_PARENT_SPAN_ID, span, span.parentSpanIdAt(), 8)
    this.#string(KEY_NAME, span, SPAN.NAME)
    text.ascii(`"kind":"${KINDS[span.kind()] ?? 'Unspecified'}","duration":`)
    const nanos = span.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO)
    text.integer(nanos > 0 ? nanos : 0)
    text.put(CHAR.COMMA)
    this.#writeAttributes(walk, place)
    this.#uint(KEY_DROPPED_ATTRIBUTES_COUNT, span.uint32(SPAN.DROPPED_ATTRIBUTES_COUNT))
    this.#uint(KEY_DROPPED_EVENTS_COUNT, span.uint32(SPAN.DROPPED_EVENTS_COUNT))
    this.#writeLinks(span)
    this.#uint(KEY_DROPPED_LINKS_COUNT, span.uint32(SPAN.DROPPED_LINKS_COUNT))
    text.ascii('"status":{')
    const empty = text.length
    if (span.statusMessageEnd() > span.statusMessageStart()) {
      text.ascii('"message":')
      text.quoted(span.bytes, span.statusMessageStart(), span.statusMessageEnd())
      text.put(CHAR.COMMA)
    }
    text.ascii(STATUSES[span.statusCode()] ?? '')
    if (text.length > empty) text.cut(text.length - 1)
    text.ascii('},')
    text.piece(place.aroundJson)
    text.cut(text.length - 1)
  }

  /** Reads the event in `bytes[start, end)`; its special attributes decide where it goes. */
  readEvent(bytes: Uint8Array, start: number, end: number): SpecialAttributes {
    this.#event.reset(bytes, start, end)
    return this.map(this.#event, SPAN_EVENT.ATTRIBUTES).special
  }

  /** The event read last, of the walk's span. */
  event(walk: Walk, place: Place, target: Target): void {
    const text = this.#text
    const { span } = walk
    const event = this.#event
    this.#time(KEY_TIMESTAMP, event, SPAN_EVENT.TIME_UNIX_NANO, target)
    text.put(CHAR.COMMA)
    text.piece(target.dataStreamJson)
    this.#id(KEY_TRACE_ID, span, span.traceIdAt(), 16)
    this.#id(KEY_SPAN_ID, span, span.spanIdAt(), 8)
    this.#uint(KEY_DROPPED_ATTRIBUTES_COUNT, event.uint32(SPAN_EVENT.DROPPED_ATTRIBUTES_COUNT))
    const named = this.#string(KEY_EVENT_NAME, event, SPAN_EVENT.NAME)
    const name = named && this.#special.entry('EVENT_NAME') < 0 ? event.toName() : undefined
    const first = name === undefined ? undefined : Buffer.from(`"event.name":${JSON.stringify(name)},`)
    this.#attributes.write(text, this.#map, this.#special, false, first)
    text.piece(place.aroundJson)
    text.cut(text.length - 1)
  }

  #time(key: Piece, view: FieldIndex, field: number, target: Target): void {
    this.#text.piece(key)
    writeTime(this.#text, view.fixedLow(field), view.fixedHigh(field), target)
  }

  #string(key: Piece, view: FieldIndex, field: number): boolean {
    const at = view.contentsAt(field)
    if (at === 0) return false
    this.#text.textMember(key, view.bytes, at, view.to(field))
    return true
  }

  #uint(key: Piece, value: number): void {
    if (value === 0) return
    this.#text.piece(key)
    this.#text.integer(value)
    this.#text.put(CHAR.COMMA)
  }

  #id(key: Piece, view: FieldIndex, at: number, length: number): void {
    if (at === 0 || isZero(view.bytes, at, length)) return
    this.#text.hexMember(key, view.bytes, at, at + length)
  }

  #writeAttributes(walk: Walk, { isFollowed, paths, recordSpecial }: Place): void {
    if (isFollowed) this.#attributes.writeFollowed(this.#text, walk.bytes, paths)
    else this.#attributes.write(this.#text, walk.attributes, recordSpecial)
  }

  #eventName(walk: Walk, { recordSpecial }: Place): void {
    const at = recordSpecial.entry('EVENT_NAME')
    if (at < 0) return
    const value = walk.attributes.value(at)
    if (value.type !== VALUE.STRING || value.start === value.end) return
    this.#text.textMember(KEY_EVENT_NAME, value.bytes, value.start, value.end)
  }

  /** Elasticsearch takes no lists but of objects below one name: others are put into an object. */
  #body(log: LogView): void {
    const text = this.#text
    const [from, to] = [log.from(LOG_RECORD.BODY), log.to(LOG_RECORD.BODY)]
    if (isShortText(log.bytes, from, to) && !log.isRepeated(LOG_RECORD.BODY)) {
      text.textMember(BODY, log.bytes, from + 2, to)
      text.cut(text.length - 1)
      text.piece(CLOSE)
      return
    }
    const body = log.body()
    if (body.type === VALUE.EMPTY) return
    const wraps = body.type === VALUE.LIST && !this.#isListOfMaps(body)
    text.piece(body.type === VALUE.LIST || body.type === VALUE.MAP ? STRUCTURED_BODY : TEXT_BODY)
    if (wraps) text.ascii('{"value":')
    text.view(body)
    text.ascii(wraps ? '}},' : '},')
  }

  #isListOfMaps(body: ValueView): boolean {
    for (const c = this.#elements.reset(body.bytes, body.start, body.end); c.find(1); )
      if (this.#element.reset(c.bytes, c.start, c.end).type !== VALUE.MAP) return false
    return true
  }

  #writeLinks(span: FieldIndex): void {
    if (!span.has(SPAN.LINKS)) return
    const text = this.#text
    text.ascii('"links":[')
    for (const c = this.#links.reset(span.bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(c.bytes, c.start, c.end)
      text.put(CHAR.OPEN_BRACE)
      const empty = text.length
      this.#id(KEY_TRACE_ID, link, link.traceIdAt(), 16)
      this.#id(KEY_SPAN_ID, link, link.spanIdAt(), 8)
      this.#string(KEY_TRACE_STATE, link, SPAN_LINK.TRACE_STATE)
      const { map, special } = this.map(link, SPAN_LINK.ATTRIBUTES)
      this.#attributes.write(text, map, special)
      this.#uint(KEY_DROPPED_ATTRIBUTES_COUNT, link.uint32(SPAN_LINK.DROPPED_ATTRIBUTES_COUNT))
      if (text.length > empty) text.cut(text.length - 1)
      text.ascii('},')
    }
    text.cut(text.length - 1)
    text.ascii('],')
  }
}

/**
 * In a data stream `@timestamp` is a date whatever its words; elsewhere dynamic mapping has to recognize one, which it does
 * in ISO 8601 alone.
 */
export function writeTime(text: DocumentText, low: number, high: number, target: Target): void {
  if (target.dataStream === undefined) text.isoTime(low, high)
  else text.epochMillis(low, high)
}

export const isSet = (view: FieldIndex, field: number): boolean =>
  view.fixedLow(field) !== 0 || view.fixedHigh(field) !== 0

export function isZero(bytes: Uint8Array, at: number, length: number): boolean {
  for (let i = at; i < at + length; i++) if (bytes[i] !== 0) return false
  return true
}
