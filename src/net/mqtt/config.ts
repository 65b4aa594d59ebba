// The keys that every client of a broker has, whether it receives or publishes.

import {
  type Complain,
  custom,
  duration,
  group,
  type Infer,
  map,
  object,
  secret,
  string,
  strings,
} from '../../config/schema.ts'
import { choiceType } from '../../config/types.ts'
import { tlsClient } from '../tls/config.ts'
import { findBroker, SCHEME_WORDS } from './transport.ts'

const versions = choiceType({ auto: 'auto', '5': '5', '3.1.1': '3.1.1' })

/** A 5 need not be in quotes. */
const versionType: typeof versions = {
  ...versions,
  decode: (node, at) => (node.kind === 'scalar' && node.value === 5 ? '5' : versions.decode(node, at)),
  json: () => ({ anyOf: [versions.json(), { const: 5 }] }),
}

/** Waits that double from the first to the longest. */
export const backoffConfig = (initial: string, max: string) =>
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

export const brokersField = strings('brokers', {
  default: ['mqtt://localhost:1883'],
  doc: `Where the broker is: ${SCHEME_WORDS}, or host:port. Of several the first that answers is used.`,
})

/** `who` is what the client id is made of, besides the host name: `receiver`, `exporter`. */
export const clientFields = (who: string) => ({
  protocolVersion: custom('protocol_version', versionType, {
    default: 'auto' as const,
    doc: 'What is spoken: `5`, `3.1.1`, or `auto`: 5, and 3.1.1 with a broker that does not know it.',
  }),
  clientId: string('client_id', {
    default: '',
    doc: `Who we are to the broker: it keeps our session under this name. Empty: made of the host name and the id of the ${who}.`,
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
})

export const reconnectField = group('reconnect', backoffConfig('1s', '30s'), {
  doc: 'Waits before the next connection, with jitter.',
})

const client = object({ brokers: brokersField, ...clientFields(''), reconnect: reconnectField })
export type MqttClientConfig = Infer<typeof client>

export function checkClient(cfg: MqttClientConfig, problem: Complain): void {
  if (cfg.brokers.length === 0)
    problem('brokers', 'there is no broker', 'write its address, for example mqtt://broker:1883')
  for (const broker of cfg.brokers)
    if (findBroker(broker) === undefined)
      problem(
        'brokers',
        `"${broker}" is no address of a broker`,
        `write ${SCHEME_WORDS}, for example mqtt://broker:1883`,
      )
  checkSeconds('keep_alive', cfg.keepAliveMs, problem)
  if (cfg.password !== undefined && cfg.passwordFile !== '')
    problem('password_file', 'password and password_file are both given', 'keep one of them')
}

/** Times that the protocol has in whole seconds. */
export function checkSeconds(key: string, ms: number, problem: Complain): void {
  if (ms > 0 && ms < 1000)
    problem(key, 'less than a second; a number without a unit counts nanoseconds', 'write seconds, for example 60s')
}
