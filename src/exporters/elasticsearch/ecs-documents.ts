// Log records, spans and their events as documents of mode ecs: attributes with the names of the Elastic Common Schema.
// What goes on beside the attributes: contrib, exporter/elasticsearchexporter/model.go.
//
// Of two fields with one name the later one counts, so that their order here is that of the Collector.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { encodeText } from '../../otlp/encode.ts'
import { LOG_RECORD, SPAN, SPAN_EVENT } from '../../otlp/fields.ts'
import { EventView, LinkView, type SpanView } from '../../otlp/span.ts'
import { VALUE } from '../../otlp/value.ts'
import type { Walk } from '../../otlp/walk.ts'
import { Cursor } from '../../wire/cursor.ts'
import { readOnlyMap } from './attributes-json.ts'
import { ECS_NAMES, type EcsName } from './ecs-names.ts'
import { addDataStream, hexText, logTime } from './flat-attributes.ts'
import type { FlatFields } from './flat-fields.ts'
import type { Place } from './place.ts'
import type { Target } from './routing.ts'
import { SpecialAttributes } from './special-attributes.ts'

const KINDS = ['', 'INTERNAL', 'SERVER', 'CLIENT', 'PRODUCER', 'CONSUMER'] as const
const OUTCOMES = ['', 'success', 'failure'] as const
const HOST_NAME = encodeText('host.name')
const HOST_HOSTNAME = encodeText('host.hostname')
const EVENT_NAME = encodeText('event.name')
const EXCEPTION_TYPE = encodeText('exception.type')
const EXCEPTION_MESSAGE = encodeText('exception.message')
const SERVICE_NAME = encodeText('service.name')
const TRANSACTION_ID = encodeText('transaction.id')

export class EcsDocuments {
  readonly #fields: FlatFields
  readonly #event = new EventView()
  readonly #eventMap = readOnlyMap()
  readonly #eventSpecial = new SpecialAttributes()
  readonly #link = new LinkView()
  readonly #links = new Cursor()
  #isException = false

  constructor(fields: FlatFields) {
    this.#fields = fields
  }

  resource(map: AttributeMap, special: SpecialAttributes): void {
    this.#attributes(map, special, ECS_NAMES.resource, map.find(HOST_HOSTNAME) >= 0)
    const host = map.find(HOST_NAME)
    if (host >= 0) this.#fields.entry('', map, host)
  }

  log(walk: Walk, place: Place, target: Target): void {
    const fields = this.#fields
    const { log } = walk
    this.#attributes(walk.attributes, place.recordSpecial, ECS_NAMES.logs)
    addDataStream(fields, '', target)
    fields.time('@timestamp', log, logTime(log))
    fields.id('trace.id', log, log.traceIdAt(), 16)
    fields.id('span.id', log, log.spanIdAt(), 8)
    if (log.severityNumber() !== 0) fields.integer('event.severity', log.severityNumber())
    fields.text('log.level', log, LOG_RECORD.SEVERITY_TEXT)
    if (walk.attributes.find(EVENT_NAME) < 0) fields.text('event.action', log, LOG_RECORD.EVENT_NAME)
    const body = log.body()
    if (body.type !== VALUE.STRING) return
    fields.open('message').quoted(body.bytes, body.start, body.end)
    fields.close()
  }

  span(walk: Walk, place: Place, target: Target): void {
    const fields = this.#fields
    const { span } = walk
    this.#attributes(walk.attributes, place.recordSpecial, ECS_NAMES.traces)
    addDataStream(fields, '', target)
    fields.time('@timestamp', span, SPAN.START_TIME_UNIX_NANO)
    fields.id('trace.id', span, span.traceIdAt(), 16)
    fields.id('span.id', span, span.spanIdAt(), 8)
    fields.text('span.name', span, SPAN.NAME)
    fields.id('parent.id', span, span.parentSpanIdAt(), 8)
    fields.string('event.outcome', OUTCOMES[span.statusCode()] ?? '')
    this.#spanLinks(span)
    fields.string('span.kind', KINDS[span.kind()] ?? '')
  }

  /** Reads the event in `bytes[start, end)`; its special attributes have a say in where it goes. */
  readEvent(bytes: Uint8Array, start: number, end: number): SpecialAttributes {
    this.#event.reset(bytes, start, end)
    this.#eventMap.open(bytes, SPAN_EVENT.ATTRIBUTES)
    this.#eventMap.piece(start, end)
    this.#isException =
      this.#event.toName() === 'exception' &&
      (this.#eventMap.find(EXCEPTION_TYPE) >= 0 || this.#eventMap.find(EXCEPTION_MESSAGE) >= 0)
    return this.#eventSpecial.read(this.#eventMap)
  }

  /** The data set of the event read last. */
  eventDataset(resource: AttributeMap): string {
    if (this.#isException) return 'apm.error'
    const service = textOf(resource, SERVICE_NAME)
    return service === '' ? 'apm.app' : `apm.app.${service}`
  }

  /** The event read last, of the walk's span. */
  event(walk: Walk, target: Target): void {
    const fields = this.#fields
    const { span } = walk
    this.#attributes(this.#eventMap, this.#eventSpecial, ECS_NAMES.events)
    addDataStream(fields, '', target)
    fields.time('@timestamp', this.#event, SPAN_EVENT.TIME_UNIX_NANO)
    fields.id('trace.id', span, span.traceIdAt(), 16)
    // Spans that are a transaction in the eyes of Elastic APM have an attribute that says so.
    if (walk.attributes.find(TRANSACTION_ID) >= 0) {
      const transaction = textOf(walk.attributes, TRANSACTION_ID)
      fields.string('transaction.id', transaction)
      fields.string('span.id', transaction)
      if (this.#isException) fields.string('parent.id', transaction)
    } else fields.id(this.#isException ? 'parent.id' : 'span.id', span, span.spanIdAt(), 8)
    if (this.#isException) return
    fields.string('event.kind', 'event')
    fields.text('message', this.#event, SPAN_EVENT.NAME)
  }

  /** `hasHostname`: the host's name does not stand for a hostname that is there. */
  #attributes(map: AttributeMap, special: SpecialAttributes, names: readonly EcsName[], hasHostname = false): void {
    for (let i = 0; i < map.count; i++) {
      if (special.isHidden(i)) continue
      const name = names.find(({ key }) => map.keyEquals(i, key))?.name
      if (name === undefined) this.#fields.entry('', map, i)
      else if (name !== '' && !(hasHostname && name === 'host.hostname'))
        this.#fields.value(name, map.source(i), map.valueStart(i), map.valueEnd(i))
    }
  }

  #spanLinks(span: SpanView): void {
    if (!span.has(SPAN.LINKS)) return
    const links: (object | null)[] = []
    for (const c = this.#links.reset(span.bytes, span.start, span.end); c.find(SPAN.LINKS); ) {
      const link = this.#link.reset(c.bytes, c.start, c.end)
      const spanId = hexText(link, link.spanIdAt(), 8)
      const traceId = hexText(link, link.traceIdAt(), 16)
      const ids = {
        ...(spanId === '' ? {} : { span: { id: spanId } }),
        ...(traceId === '' ? {} : { trace: { id: traceId } }),
      }
      links.push(spanId === '' && traceId === '' ? null : ids)
    }
    this.#fields.open('span.links').ascii(JSON.stringify(links))
    this.#fields.close()
  }
}

function textOf(map: AttributeMap, key: Uint8Array): string {
  const at = map.find(key)
  if (at < 0) return ''
  const value = map.value(at)
  return value.type === VALUE.STRING ? value.toText() : ''
}
