// CloudEvents 1.0 over MQTT:
//
//   structured   content type application/cloudevents+json, or a JSON object with `specversion`:
//                {"specversion": "1.0", "id": ..., "source": "/plant/press1", "type": "com.example.cycle", "time": ISO,
//                 "subject": "press1", "datacontenttype": "application/json", "data": {...}}
//   binary       the attributes are user properties of MQTT 5, and the payload is the data
//
// The device is the subject, else the source. Numbers in data that are JSON are readings, named by their path; data of
// another kind are a log record. `type` and `source` are attributes of points; the id, which is another each time, is one
// of log records only.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { Name, NONE } from '../../../readings/json-tape.ts'
import { defineDecoder, type Message } from './decoder.ts'
import { type Attributes, Payload, TRACE_NAMES } from './payload.ts'

const named = (text: string): Name => new Name(text)
const SPECVERSION = named('specversion')
const DATA = named('data')
const DATA_BASE64 = named('data_base64')
const NO_NAME = new Uint8Array(0)
const MARKS_MAX = 1000

export const cloudevents = defineDecoder({
  name: 'cloudevents',
  summary: 'CloudEvents, structured and binary: numbers in the data are readings, other data log records.',
  create: (context) => {
    const payload = new Payload(context)
    const { tape } = payload
    const names = new Map<string, Name>()
    // The same list for the same type and source: their bytes are encoded once.
    const marks = new Map<string, Attributes>()

    /** An attribute of the event. */
    type Find = (name: string) => string | undefined

    const inObject: Find = (text) => {
      let name = names.get(text)
      if (name === undefined) {
        name = new Name(text)
        names.set(text, name)
      }
      const node = tape.find(0, name)
      return node === NONE || tape.isObject(node) || tape.isList(node) ? undefined : tape.text(node)
    }

    function markOf(type: string, source: string): Attributes {
      const key = `${type}\0${source}`
      let mark = marks.get(key)
      if (mark === undefined) {
        if (marks.size >= MARKS_MAX) marks.clear()
        mark = [
          ['cloudevents.event_type', type],
          ['cloudevents.event_source', source],
        ]
        marks.set(key, mark)
      }
      return mark
    }

    /** Says what the event is of; returns its attributes for log records. */
    function event(find: Find): Attributes {
      const source = find('source')
      const type = find('type')
      const id = find('id')
      if (source === undefined || type === undefined || id === undefined)
        throw new BadPayload('wrong_shape', 'a CloudEvent has source, type and id')
      payload.deviceOf(find('subject') ?? source)
      const time = find('time')
      if (time !== undefined) {
        const bytes = Buffer.from(time)
        payload.message.times.text(bytes, 0, bytes.length, payload.out)
      }
      const parent = find('traceparent')
      if (parent !== undefined) payload.out.trace(parent)
      const mark = markOf(type, source)
      payload.out.mark(mark)
      return [...mark, ['cloudevents.event_id', id]]
    }

    function data(node: number, attributes: Attributes): void {
      payload.nameIs(NO_NAME)
      if (tape.isObject(node)) payload.inside(node, TRACE_NAMES)
      else if (tape.isText(node)) payload.out.log({ body: tape.text(node), attributes })
      else {
        payload.nameIs(payload.message.ownName)
        payload.value(node)
      }
    }

    function binary(message: Message): void {
      const find: Find = (name) => message.userProperty(name)
      const contentType = message.contentType ?? find('datacontenttype')
      if (contentType === undefined || /[/+]json\b/.test(contentType)) {
        payload.read(message, payload.out)
        data(0, event(find))
        return
      }
      payload.out.log({ body: message.bytes.slice(message.from, message.to), attributes: event(find) })
    }

    return (message, out) => {
      payload.message = message
      payload.out = out
      const isStructured = message.contentType?.startsWith('application/cloudevents') === true
      if (!isStructured && message.userProperty('specversion') !== undefined) {
        binary(message)
        return
      }
      payload.read(message, out)
      payload.object(0, 'the payload')
      if (tape.find(0, SPECVERSION) === NONE) throw new BadPayload('wrong_shape', 'no CloudEvent: no specversion')
      const attributes = event(inObject)
      const inner = tape.find(0, DATA)
      const base64 = tape.find(0, DATA_BASE64)
      if (inner !== NONE) data(inner, attributes)
      else if (base64 !== NONE && tape.isText(base64))
        out.log({ body: Buffer.from(tape.text(base64), 'base64'), attributes })
      else out.log({ body: '', event: inObject('type')!, attributes })
    }
  },
})
