// The configuration of `mqtt`.

import { bool, byteSize, choice, custom, duration, type Infer, int, map, object, string } from '../../config/schema.ts'
import { TemplateError } from '../../config/template.ts'
import { INVALID, stringType, type ValueType } from '../../config/types.ts'
import { brokersField, checkClient, checkSeconds, clientFields, reconnectField } from '../../net/mqtt/config.ts'
import { sendingFields } from '../../sending/config.ts'
import { parseTemplate, type TopicTemplate } from './topic-template.ts'

/** A template, read where it stands so that its problem has a place. */
const templateType: ValueType<TopicTemplate> = {
  words: 'topic',
  secret: false,
  decode(node, at) {
    const text = stringType.decode(node, at)
    if (text === INVALID) return INVALID
    try {
      return parseTemplate(text)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      const fix =
        'write levels, and %{resource.attributes.NAME}, %{attributes.NAME}, %{metric.name} or %{signal} in them, each with a default if you like: %{attributes.line:-unknown}'
      return at.problem('CONFIG_INVALID', error.message, fix, node.place)
    }
  },
  print: (template) => template.text,
  json: () => ({ type: 'string' }),
  zero: () => parseTemplate('-'),
}

export const ENCODINGS = {
  auto: '`json_points` for metrics, `json` for logs, `otlp_json` for traces.',
  json_points: 'Metrics: `{device_id, timestamp, metrics: [{name, value, unit}]}`, a message for each device and time.',
  value: 'Metrics: the bare number, a message for each point.',
  json: 'Logs: an object with time, severity, text and attributes, a message for each record.',
  text: 'Logs: the body as it is, a message for each record.',
  otlp_json: 'All signals: an OTLP/JSON request for each topic.',
  otlp_proto: 'All signals: an encoded OTLP request for each topic.',
} as const
export type Encoding = keyof typeof ENCODINGS

export const config = object(
  {
    brokers: brokersField,
    topic: custom('topic', templateType, {
      default: 'telemetry/%{signal}',
      doc: 'Where messages go: levels, in which `%{resource.attributes.NAME}`, `%{attributes.NAME}` (of the point or record), `%{metric.name}` and `%{signal}` stand for what an item has, and `:-word` before the `}` for what takes its place.',
    }),
    encoding: choice('encoding', { default: 'auto', of: ENCODINGS, doc: 'How messages are written.' }),
    qos: int('qos', {
      default: 1,
      min: 0,
      max: 2,
      doc: '0: a message counts as delivered when it has left. 1: when the broker has acknowledged it. 2: the same, exactly once.',
    }),
    retain: bool('retain', {
      default: false,
      doc: 'The broker keeps the last message of each topic for who subscribes later.',
    }),
    ...clientFields('exporter'),
    sessionExpiryMs: duration('session_expiry', {
      default: '1h',
      min: '0s',
      doc: 'MQTT 5: how long the broker remembers what is on its way while we are away; whole seconds.',
    }),
    messageExpiryMs: duration('message_expiry', {
      default: '0s',
      min: '0s',
      doc: 'MQTT 5: after this the broker gives a message to nobody; whole seconds. 0: never.',
    }),
    contentType: string('content_type', {
      default: '',
      doc: 'MQTT 5: what payloads are said to be. Empty: what the encoding is.',
    }),
    userProperties: map('user_properties', string.of(), {
      default: {},
      doc: 'MQTT 5: user properties of every message.',
    }),
    traceContext: bool('trace_context', {
      default: true,
      doc: 'MQTT 5: the user property `traceparent` of messages that are one log record with a trace id.',
    }),
    maxInFlight: int('max_in_flight', {
      default: 1000,
      min: 1,
      max: 65_535,
      doc: 'Messages with QoS 1 and 2 that are not answered, at most; the broker may want fewer.',
    }),
    topicAliasMaximum: int('topic_alias_maximum', {
      default: 1024,
      min: 0,
      max: 65_535,
      doc: 'MQTT 5: topics that are shortened to a number, where the broker takes that.',
    }),
    maxPacketBytes: byteSize('max_packet_size', {
      default: '1MiB',
      min: '1KiB',
      max: '256MiB',
      doc: 'Largest message; the broker may want smaller ones. OTLP and lists of points are cut to it, another one that is larger is left out and counted.',
    }),
    reconnect: reconnectField,
    ...sendingFields,
  },
  {
    check(cfg, problem) {
      checkClient(cfg, problem)
      checkSeconds('session_expiry', cfg.sessionExpiryMs, problem)
      checkSeconds('message_expiry', cfg.messageExpiryMs, problem)
      if (
        cfg.topic.pieces.some(({ source }) => source === 'metric') &&
        (cfg.encoding === 'json' || cfg.encoding === 'text')
      )
        problem('topic', `%{metric.name} is never there with encoding ${cfg.encoding}`, 'take it out')
    },
  },
)

export type MqttExporterConfig = Infer<typeof config>
