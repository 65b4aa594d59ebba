// The configuration of `mqtt`.

import {
  bool,
  byteSize,
  choice,
  custom,
  duration,
  extensionId,
  group,
  type Infer,
  int,
  list,
  map,
  object,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { INVALID, stringType, type ValueType } from '../../config/types.ts'
import {
  backoffConfig,
  brokersField,
  checkClient,
  checkSeconds,
  clientFields,
  reconnectField,
} from '../../net/mqtt/config.ts'
import { payloadFields } from './decoders/config.ts'
import { DECODERS } from './decoders/decoders.ts'
import { SPARKPLUG_B } from './decoders/sparkplug-b.ts'
import { watchConfig } from './device-watch.ts'
import { sparkplugConfig } from './sparkplug/config.ts'
import { parseTemplate, TemplateError, type TopicTemplate } from './topics.ts'

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
      const fix = 'write a topic with captures, for example devices/{device_id}/data or plant/{line}/{metric*}'
      return at.problem('CONFIG_INVALID', error.message, fix, node.place)
    }
  },
  print: (template) => template.text,
  json: () => ({ type: 'string' }),
  zero: () => parseTemplate('#'),
}

const decoderWords = Object.fromEntries(DECODERS.map(({ name, summary }) => [name, summary]))

export const rule = object({
  topic: custom('topic', templateType, {
    required: true,
    doc: 'Topics that the rule is for: a filter with `+` and `#`, or with captures: `{name}` for (part of) a level, `{name*}` for several.',
  }),
  qos: int('qos', {
    default: 1,
    min: 0,
    max: 2,
    doc: 'What the broker is asked for. 0: at most once, what comes while we are away is lost. 1: at least once. 2: exactly once from the broker to us, for two packets more.',
  }),
  decoder: choice('decoder', {
    default: 'auto',
    of: decoderWords,
    doc: 'How payloads are read.',
  }),
  ...payloadFields,
  retained: choice('retained', {
    default: 'mark',
    of: {
      mark: 'Take them, with `mqtt.retained`: nobody knows how old they are.',
      skip: 'Leave them out.',
    },
    doc: 'What becomes of messages that the broker had kept from before we subscribed.',
  }),
  counters: strings('counters', {
    default: [],
    doc: 'Metrics that count upwards (parts, energy): sums instead of gauges. A `*` stands for any characters.',
  }),
  attributes: map('attributes', string.of(), {
    default: {},
    doc: 'Resource attributes of everything from these topics.',
  }),
  topicAttribute: string('topic_attribute', {
    default: '',
    doc: 'Resource attribute that holds the topic, for example `mqtt.topic`; empty: none. Each topic is a device of its own then.',
  }),
  noLocal: bool('no_local', { default: false, doc: 'MQTT 5: leave out what this client has published itself.' }),
})
export type RuleConfig = Infer<typeof rule>

export const config = object(
  {
    brokers: brokersField,
    topics: list('topics', rule, {
      required: true,
      doc: 'What is subscribed to, and what it means. Of several rules that fit a topic the first one counts.',
    }),
    ...clientFields('receiver'),
    cleanSession: bool('clean_session', {
      default: false,
      doc: 'Begin anew at each connection: what comes while we are away is lost.',
    }),
    sessionExpiryMs: duration('session_expiry', {
      default: '1d',
      min: '0s',
      doc: 'MQTT 5: how long the broker keeps our session while we are away; whole seconds.',
    }),
    receiveMaximum: int('receive_maximum', {
      default: 65_535,
      min: 1,
      max: 65_535,
      doc: 'MQTT 5: unacknowledged messages that the broker may send. max_unacked_messages bounds what we hold.',
    }),
    topicAliasMaximum: int('topic_alias_maximum', {
      default: 1024,
      min: 0,
      max: 65_535,
      doc: 'MQTT 5: topics that the broker may shorten to a number.',
    }),
    maxPacketBytes: byteSize('max_packet_size', {
      default: '1MiB',
      min: '1KiB',
      max: '256MiB',
      doc: 'Largest message. A larger one is read over, counted and acknowledged.',
    }),
    sharedSubscription: string('shared_subscription', {
      default: '',
      doc: 'Group of a shared subscription: messages are spread over all who name it, and over our shards. Order per device is lost.',
    }),
    ack: choice('ack', {
      default: 'delivered',
      of: {
        delivered: 'When every exporter has its data, or has them on disk.',
        accepted:
          'When the first buffer behind the receiver has them: what is only in memory is lost with the process.',
      },
      doc: 'When a message is acknowledged to the broker.',
    }),
    maxUnackedMessages: int('max_unacked_messages', {
      default: 65_535,
      min: 1,
      doc: 'Messages that are held at most until they are acknowledged; then nothing more is read.',
    }),
    maxUnackedBytes: byteSize('max_unacked_bytes', {
      default: '32MiB',
      min: '1KiB',
      doc: 'The same in bytes of topics and payloads.',
    }),
    deadLetter: string('dead_letter', {
      default: '',
      doc: 'Pipeline for logs, with this receiver in it, that gets the messages which could not be read, as they came, and batches that a pipeline refused for good; and nothing else.',
    }),
    maxDevices: int('max_devices', {
      default: 20_000,
      min: 1,
      doc: 'Different resources (devices) at most; readings of further ones are dropped and counted.',
    }),
    maxSeries: int('max_series', {
      default: 200_000,
      min: 1,
      max: 2_000_000,
      doc: 'Different metrics of devices, and topics, at most; further ones are dropped and counted.',
    }),
    sparkplug: group('sparkplug', sparkplugConfig, { doc: 'Of the rules whose decoder is `sparkplug_b`.' }),
    forgetAfterMs: duration('forget_after', {
      default: '1d',
      min: '0s',
      max: '24d',
      doc: 'Devices, series and topics that were silent for so long, or at most twice as long, are forgotten: their places are free, and a counter that comes back has a new start. 0: never.',
    }),
    watch: section('watch_devices', watchConfig, {
      optional: 'default',
      doc: 'Whether devices still send, by what they usually do, and how far their clocks are off: metrics and events of each. Off unless it is written.',
    }),
    reconnect: reconnectField,
    retry: group('retry', backoffConfig('100ms', '5s'), {
      doc: 'Waits before data that a pipeline refused for now are sent to it again.',
    }),
    storage: extensionId('storage', {
      optional: true,
      role: 'storage',
      doc: 'Storage extension that remembers our subscriptions: those that are no longer in the file are ended at the next start. And the births of Sparkplug: data that come before the next one can be read.',
    }),
  },
  {
    check(cfg, problem) {
      checkClient(cfg, problem)
      checkSeconds('session_expiry', cfg.sessionExpiryMs, problem)
      if (cfg.topics.length === 0)
        problem('topics', 'nothing is subscribed to', 'add a rule, for example {topic: "devices/{device_id}/data"}')
      if (cfg.sharedSubscription !== '' && cfg.topics.some(({ decoder }) => decoder === SPARKPLUG_B))
        problem(
          'shared_subscription',
          'a Sparkplug host needs all messages of an edge node in one place',
          'give the rules with sparkplug_b a receiver of their own',
        )
      if (/[+#/]/.test(cfg.sharedSubscription))
        problem('shared_subscription', 'the name of a group has no +, # or /', 'write a word, for example routers')
    },
  },
)

export type MqttConfig = Infer<typeof config>
