// Log records and spans as documents of the modes none and raw: names of OTLP, flat. Mode raw has no `Attributes.` and no
// `Events.` before the keys of attributes.
//
// Of two fields with one name the later one counts, so that their order here is that of the Collector.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { LOG_RECORD, SPAN, SPAN_EVENT, SPAN_LINK } from '../../otlp/fields.ts'
import { EventView, LinkView, type SpanView } from '../../otlp/span.ts'
import { objectJson, valueJson } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { FieldIndex } from '../../wire/field-index.ts'
import { readOnlyMap } from './attributes-json.ts'
import { addAttributes, addDataStream, hexText, logTime } from './flat-attributes.ts'
import type { FlatFields } from './flat-fields.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'

const KINDS = ['UNSPECIFIED', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'].map((kind) => `SPAN_KIND_${kind}`)
const NAME = encodeText('name')
const VERSION = encodeText('version')
const TIME = encodeText('time')

type PlainMode = 'none' | 'raw'

export class PlainDocuments {
  readonly #fields: FlatFields
  readonly #map = readOnlyMap()
  readonly #event = new EventView()
  readonly #link = new LinkView()
  readonly #messages = new Cursor()

  constructor(fields: FlatFields) {
    this.#fields = fields
  }

  /** Name and version are always there, and attributes of these names are not. */
  scope({ scopeAttributes: map }: Walk, { scopeName, scopeVersion, scopeSpecial }: Place): void {
    const fields = this.#fields
    for (let i = 0; i < map.count; i++)
      if (!scopeSpecial.isHidden(i) && !map.keyEquals(i, NAME) && !map.keyEquals(i, VERSION))
        fields.entry('Scope.', map, i)
    fields.open('Scope.name').quotedText(scopeName)
    fields.close()
    fields.open('Scope.version').quotedText(scopeVersion)
    fields.close()
  }

  log(walk: Walk, place: Place, target: Target, mode: PlainMode): void {
    const fields = this.#fields
    const { log } = walk
    fields.time('@timestamp', log, logTime(log))
    fields.id('TraceId', log, log.traceIdAt(), 16)
    fields.id('SpanId', log, log.spanIdAt(), 8)
    fields.integer('TraceFlags', log.flags())
    fields.text('SeverityText', log, LOG_RECORD.SEVERITY_TEXT)
    fields.integer('SeverityNumber', log.severityNumber())
    fields.text('EventName', log, LOG_RECORD.EVENT_NAME)
    if (log.has(LOG_RECORD.BODY) && !log.isRepeated(LOG_RECORD.BODY))
      fields.value('Body', log.bytes, log.from(LOG_RECORD.BODY), log.to(LOG_RECORD.BODY))
    this.#attributes(walk, place, target, mode)
  }

  span(walk: Walk, place: Place, target: Target, mode: PlainMode): void {
    const fields = this.#fields
    const { span } = walk
    fields.time('@timestamp', span, SPAN.START_TIME_UNIX_NANO)
    fields.time('EndTimestamp', span, SPAN.END_TIME_UNIX_NANO)
    fields.id('TraceId', span, span.traceIdAt(), 16)
    fields.id('SpanId', span, span.spanIdAt(), 8)
    fields.id('ParentSpanId', span, span.parentSpanIdAt(), 8)
    fields.text('Name', span, SPAN.NAME)
    fields.string('Kind', KINDS[span.kind()] ?? '')
    fields.integer('TraceStatus', span.statusCode())
    if (span.statusMessageEnd() > span.statusMessageStart()) {
      fields.open('TraceStatusDescription').quoted(span.bytes, span.statusMessageStart(), span.statusMessageEnd())
      fields.close()
    }
    fields.string('Link', this.#links(span))
    const nanos = span.fixed64Difference(SPAN.END_TIME_UNIX_NANO, SPAN.START_TIME_UNIX_NANO)
    fields.integer('Duration', Number.isNaN(nanos) ? 0 : Math.trunc(nanos / 1000))
    this.#attributes(walk, place, target, mode)
    this.#events(span, mode)
  }

  #attributes(walk: Walk, place: Place, target: Target, mode: PlainMode): void {
    const prefix = mode === 'raw' ? '' : 'Attributes.'
    addAttributes(this.#fields, prefix, walk.attributes, place.recordSpecial)
    addDataStream(this.#fields, prefix, target)
  }

  /** `Events.NAME.time` and `Events.NAME.KEY`. */
  #events(span: SpanView, mode: PlainMode): void {
    const prefix = mode === 'raw' ? '' : 'Events.'
    for (const c = this.#messages.reset(span.bytes, span.start, span.end); c.find(SPAN.EVENTS); ) {
      const event = this.#event.reset(c.bytes, c.start, c.end)
      const name = encodeText(`${event.toName()}.`)
      const time = this.#fields.openKey(prefix, Buffer.concat([name, TIME]), 0, name.length + TIME.length)
      time.isoTime(event.fixedLow(SPAN_EVENT.TIME_UNIX_NANO), event.fixedHigh(SPAN_EVENT.TIME_UNIX_NANO))
      this.#fields.close()
      const map = this.#read(event, SPAN_EVENT.ATTRIBUTES)
      // Nothing stands before the keys of an event without a name in mode raw, so no dot either.
      const before = name.length === 1 && prefix === '' ? name.subarray(1) : name
      for (let i = 0; i < map.count; i++) {
        const key = Buffer.concat([before, map.source(i).subarray(map.keyStart(i), map.keyEnd(i))])
        this.#fields.keyValue(prefix, key, 0, key.length, map, i)
      }
    }
  }

  /** All links as one text: JSON with its keys in order. */
  #links(span: SpanView): string {
    const links: string[] = []
    for (const c = this.#messages.reset(span.bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(c.bytes, c.start, c.end)
      const map = this.#read(link, SPAN_LINK.ATTRIBUTES)
      const members = new Map<string, string>()
      for (let i = 0; i < map.count; i++) members.set(map.keyText(i), valueJson(map.value(i)) || 'null')
      const [spanId, traceId] = [hexText(link, link.spanIdAt(), 8), hexText(link, link.traceIdAt(), 16)]
      links.push(`{"attribute":${objectJson(members)},"spanID":"${spanId}","traceID":"${traceId}"}`)
    }
    return `[${links.join(',')}]`
  }

  #read(view: FieldIndex, field: number): AttributeMap {
    this.#map.open(view.bytes, field)
    this.#map.piece(view.start, view.end)
    return this.#map
  }
}
