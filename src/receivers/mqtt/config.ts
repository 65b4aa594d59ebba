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
  secret,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { choiceType, INVALID, stringType, type ValueType } from '../../config/types.ts'
import { findBroker, SCHEME_WORDS } from '../../net/mqtt/transport.ts'
import { tlsClient } from '../../net/tls/config.ts'
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

const versions = choiceType({ auto: 'auto', '5': '5', '3.1.1': '3.1.1' })

/** A 5 need not be in quotes. */
const versionType: typeof versions = {
  ...versions,
  decode: (node, at) => (node.kind === 'scalar' && node.value === 5 ? '5' : versions.decode(node, at)),
  json: () => ({ anyOf: [versions.json(), { const: 5 }] }),
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

const backoff = (initial: string, max: string) =>
  object(
    {
      initialMs: duration('initial_interval', { default: initial, min: '10ms', doc: 'Before the first try.' }),
      maxMs: duration('max_interval', { default: max, min: '10ms', doc: 'The wait doubles up to this.' }),
    },
    {
      check({ initialMs, maxMs }, problem) {
        if (maxMs < initialMs)
          problem('max_interval', 'it is shorter than initial_interval', 'write the longer of the two')
      },
    },
  )

export const config = object(
  {
    brokers: strings('brokers', {
      default: ['mqtt://localhost:1883'],
      doc: `Where the broker is: ${SCHEME_WORDS}, or host:port. Of several the first that answers is used.`,
    }),
    topics: list('topics', rule, {
      required: true,
      doc: 'What is subscribed to, and what it means. Of several rules that fit a topic the first one counts.',
    }),
    protocolVersion: custom('protocol_version', versionType, {
      default: 'auto',
      doc: 'What is spoken: `5`, `3.1.1`, or `auto`: 5, and 3.1.1 with a broker that does not know it.',
    }),
    clientId: string('client_id', {
      default: '',
      doc: 'Who we are to the broker: it keeps our session under this name. Empty: made of the host name and the id of the receiver.',
    }),
    username: string('username', { default: '', doc: 'User name; empty: none.' }),
    password: secret('password', { optional: true, doc: 'Password of the user.' }),
    passwordFile: string('password_file', {
      default: '',
      doc: 'File that holds the password instead; read at each connection.',
    }),
    tls: group('tls', tlsClient, { doc: 'Of mqtts:// and wss://.' }),
    headers: map('headers', secret.of(), { default: {}, doc: 'Of the request that opens a WebSocket.' }),
    connectTimeoutMs: duration('connect_timeout', {
      default: '10s',
      min: '100ms',
      doc: 'Time until the broker has taken us.',
    }),
    keepAliveMs: duration('keep_alive', {
      default: '60s',
      min: '0s',
      max: '18h',
      doc: 'Longest silence; whole seconds. A broker may ask for another. 0: none.',
    }),
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
    reconnect: group('reconnect', backoff('1s', '30s'), { doc: 'Waits before the next connection, with jitter.' }),
    retry: group('retry', backoff('100ms', '5s'), {
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
      if (cfg.brokers.length === 0)
        problem('brokers', 'there is no broker', 'write its address, for example mqtt://broker:1883')
      for (const broker of cfg.brokers)
        if (findBroker(broker) === undefined)
          problem(
            'brokers',
            `"${broker}" is no address of a broker`,
            `write ${SCHEME_WORDS}, for example mqtt://broker:1883`,
          )
      for (const [key, ms] of [
        ['keep_alive', cfg.keepAliveMs],
        ['session_expiry', cfg.sessionExpiryMs],
      ] as const)
        if (ms > 0 && ms < 1000)
          problem(
            key,
            'less than a second; a number without a unit counts nanoseconds',
            'write seconds, for example 60s',
          )
      if (cfg.topics.length === 0)
        problem('topics', 'nothing is subscribed to', 'add a rule, for example {topic: "devices/{device_id}/data"}')
      if (cfg.password !== undefined && cfg.passwordFile !== '')
        problem('password_file', 'password and password_file are both given', 'keep one of them')
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
