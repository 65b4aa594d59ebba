// OPC UA PubSub in JSON (Part 14, 7.2.5), in every layout that its mask of contents allows:
//
//   {"MessageId": ..., "MessageType": "ua-data", "PublisherId": "plc1", "Messages": [DataSet, ...]}     full
//   DataSet                                                                                             single message
//   {"Temperature": Field, ...}                                                                         minimal
//
//   DataSet  {"DataSetWriterId": 1, "DataSetWriterName": ..., "Timestamp": ISO, "Status": code, "Payload": {name: Field}}
//   Field    value | {"Value": value, "SourceTimestamp": ISO, "StatusCode": code} | {"Type": 11, "Body": value}
//
// The publisher is the device. With a DataSetWriterName, that is the beginning of every name: writers of one publisher may
// have fields of one name. The time of a field is its SourceTimestamp, else the DataSet's, else that of receipt.
//
// Metadata messages say which units the fields of a writer have, and which numbers its texts; they hold no readings.
//
// A status code says in its upper two bits: 00 good, 01 uncertain, 10 bad. Azure IoT Operations sends the minimal layout.

import { BadPayload } from '../../../readings/bad-payload.ts'
import { JSON_KIND, Name, NONE } from '../../../readings/json-tape.ts'
import { type Decode, type DecoderContext, defineDecoder } from './decoder.ts'
import { type FieldDefinition, type FieldDefinitions, NO_FIELDS } from './definitions.ts'
import { learnMetadata, writerKey } from './opcua-metadata.ts'
import { type Attributes, NO_UNIT, Payload, parsedJson, QUALITY, TRACE_NAMES } from './payload.ts'

const named = (text: string): Name => new Name(text)
const MESSAGES = named('Messages')
const MESSAGE_TYPE = named('MessageType')
const PUBLISHER_ID = named('PublisherId')
const PAYLOAD = named('Payload')
const WRITER_ID = named('DataSetWriterId')
const WRITER_NAME = named('DataSetWriterName')
const TIMESTAMP = named('Timestamp')
const STATUS = named('Status')
const VALUE = named('Value')
const SOURCE_TIMESTAMP = named('SourceTimestamp')
const SERVER_TIMESTAMP = named('ServerTimestamp')
const STATUS_CODE = named('StatusCode')
const CODE = named('Code')
const TYPE = named('Type')
const UA_TYPE = named('UaType')
const BODY = named('Body')
const NO_NAME = new Uint8Array(0)

function createOpcua(context: DecoderContext): Decode {
  const payload = new Payload(context)
  const { tape } = payload
  const { definitions } = context
  /** Of the DataSet that is read. */
  let defined = NO_FIELDS

  /** A number, or an object with one under Code; undefined for good or none. */
  function quality(node: number): Attributes | undefined {
    if (node === NONE) return undefined
    const code = tape.isObject(node) ? tape.number(tape.find(node, CODE)) : tape.number(node)
    if (Number.isNaN(code)) return undefined
    const severity = Math.floor(code / 2 ** 30) % 4
    return severity === 0 ? undefined : severity === 1 ? QUALITY.uncertain : QUALITY.bad
  }

  /** What a Variant holds; other values are themselves. */
  function inVariant(node: number): number {
    if (!tape.isObject(node)) return node
    const body = tape.find(node, BODY)
    if (body !== NONE && tape.find(node, TYPE) !== NONE) return body
    const value = tape.find(node, VALUE)
    return value !== NONE && tape.find(node, UA_TYPE) !== NONE ? value : node
  }

  function isDataValue(node: number): boolean {
    return tape.isObject(node) && (tape.find(node, VALUE) !== NONE || tape.find(node, STATUS_CODE) !== NONE)
  }

  function dataSetTime(node: number): void {
    if (!payload.time(node)) payload.out.atMillis(payload.message.receivedMs)
  }

  function fields(object: number, time: number, status: Attributes | undefined): void {
    for (let name = tape.first(object); name !== NONE; name = tape.after(object, name)) {
      if (tape.isOneOf(name, TRACE_NAMES)) continue
      const before = payload.enter(name)
      const field = tape.valueOf(name)
      const definition = defined.size === 0 ? undefined : defined.get(tape.text(name))
      if (isDataValue(field)) {
        const source = tape.find(field, SOURCE_TIMESTAMP)
        const dated = source === NONE ? tape.find(field, SERVER_TIMESTAMP) : source
        if (!payload.time(dated)) dataSetTime(time)
        payload.out.mark(quality(tape.find(field, STATUS_CODE)) ?? status)
        // A bad field may have no value.
        const value = tape.find(field, VALUE)
        if (value !== NONE) write(inVariant(value), definition)
      } else {
        dataSetTime(time)
        payload.out.mark(status)
        write(inVariant(field), definition)
      }
      payload.leave(before)
    }
  }

  function write(node: number, definition: FieldDefinition | undefined): void {
    if (definition !== undefined && tape.isText(node)) {
      const text = tape.text(node)
      // The words of the rule count more than those of the publisher.
      const word = context.words.has(text) ? undefined : definition.words.get(text)
      if (word !== undefined) {
        payload.number(word, definition.unit)
        return
      }
    }
    payload.value(node, definition !== undefined && tape.isNumeric(node) ? definition.unit : NO_UNIT)
  }

  /** What the publisher has said of the fields of a DataSet. */
  function definitionsOf(node: number): FieldDefinitions {
    const publisher = tape.find(0, PUBLISHER_ID)
    if (definitions.isEmpty || publisher === NONE) return NO_FIELDS
    for (const name of [WRITER_ID, WRITER_NAME]) {
      const writer = tape.find(node, name)
      if (writer === NONE) continue
      const found = definitions.of(writerKey(tape.text(publisher), tape.text(writer)))
      if (found.size > 0) return found
    }
    return NO_FIELDS
  }

  function dataSet(node: number): void {
    defined = definitionsOf(node)
    const type = tape.find(node, MESSAGE_TYPE)
    const inner = tape.find(node, PAYLOAD)
    if (type !== NONE && tape.text(type) === 'ua-keepalive') return
    payload.object(inner, 'Payload')
    payload.nameIs(NO_NAME)
    const writer = tape.find(node, WRITER_NAME)
    if (writer !== NONE && tape.isText(writer)) payload.enter(writer)
    const time = tape.find(node, TIMESTAMP)
    if (type !== NONE && tape.text(type) === 'ua-event') {
      dataSetTime(time)
      payload.out.log({ body: tape.text(inner), event: 'opcua.event' })
      return
    }
    fields(inner, time, quality(tape.find(node, STATUS)))
  }

  return (message, out) => {
    payload.read(message, out)
    defined = NO_FIELDS
    if (tape.isList(0)) {
      for (let child = tape.first(0); child !== NONE; child = tape.after(0, child))
        dataSet(payload.object(child, 'a DataSetMessage'))
      return
    }
    payload.object(0, 'the payload')
    const publisher = tape.find(0, PUBLISHER_ID)
    if (publisher !== NONE && !tape.isObject(publisher)) payload.device(publisher)
    const messages = tape.find(0, MESSAGES)
    if (messages === NONE) {
      if (tape.find(0, PAYLOAD) !== NONE && tape.isObject(tape.find(0, PAYLOAD))) dataSet(0)
      else if (isOtherMessage()) return
      else {
        payload.nameIs(NO_NAME)
        fields(0, NONE, undefined)
      }
      return
    }
    if (isOtherMessage()) return
    // One DataSet may stand without its list.
    if (tape.isObject(messages)) dataSet(messages)
    else
      for (
        let child = tape.first(payload.list(messages, 'Messages'));
        child !== NONE;
        child = tape.after(messages, child)
      )
        dataSet(payload.object(child, 'a DataSetMessage'))
  }

  /** Metadata, status and connection messages hold no readings; metadata is learned. */
  function isOtherMessage(): boolean {
    const type = tape.find(0, MESSAGE_TYPE)
    if (type === NONE || tape.kind(type) !== JSON_KIND.STRING) return false
    const text = tape.text(type)
    if (!text.startsWith('ua-')) throw new BadPayload('unknown', `the message type ${text.slice(0, 32)}`)
    if (text === 'ua-metadata') learnMetadata(parsedJson(payload.message), definitions)
    return text !== 'ua-data' && text !== 'ua-keyframe' && text !== 'ua-deltaframe'
  }
}

export const opcuaJson = defineDecoder({
  name: 'opcua_json',
  summary: 'OPC UA PubSub in JSON: full, single messages, minimal; with source timestamps and quality.',
  create: createOpcua,
})

export const azureIotOperations = defineDecoder({
  name: 'azure_iot_operations',
  summary: "Azure IoT Operations' `{name: {SourceTimestamp, Value}}`.",
  create: createOpcua,
})
