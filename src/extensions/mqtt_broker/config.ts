// The configuration of `mqtt_broker`: where it listens, who may do what, and its bounds.

import {
  bool,
  byteSize,
  type Complain,
  type Decoded,
  duration,
  extensionId,
  group,
  type Infer,
  int,
  list,
  object,
  secret,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { endpointField, endpointProblem } from '../../net/listen.ts'
import { checkTlsServer, tlsServer, tlsServerFields } from '../../net/tls/config.ts'
import { filterProblem } from './topic-filter.ts'

const tcp = object({ endpoint: endpointField('localhost:1883') }, { check: checkEndpoint })

const tls = object(
  { endpoint: endpointField('localhost:8883'), ...tlsServerFields },
  {
    check(value, problem) {
      checkEndpoint(value, problem)
      checkTlsServer(value, problem)
    },
  },
)

const ws = object(
  {
    endpoint: endpointField('localhost:8083'),
    path: string('path', { default: '/mqtt', doc: 'The path that clients ask for.' }),
    allowedOrigins: strings('allowed_origins', {
      default: [],
      doc: 'Origins whose pages may connect, such as https://hmi.example.com; `*` for all. Without: only pages of the same host and port.',
    }),
    tls: section('tls', tlsServer, { optional: 'none', doc: 'TLS, which makes it wss.' }),
  },
  {
    check(value, problem) {
      checkEndpoint(value, problem)
      if (!value.path.startsWith('/')) problem('path', 'path must start with /', `write /${value.path}`)
    },
  },
)

const rights = {
  publish: strings('publish', {
    default: [],
    doc: 'Topic filters to which the user may publish. `%u` stands for the name of the user, `%c` for the client id.',
  }),
  subscribe: strings('subscribe', {
    default: [],
    doc: 'Topic filters to which the user may subscribe, and to whatever lies within them.',
  }),
}

const user = object({
  username: string('username', { required: true, doc: 'The name that a client connects with.' }),
  password: secret('password', { optional: true, doc: 'Its password; without one, `auth` has to know it.' }),
  ...rights,
})

const limits = object({
  maxConnections: int('max_connections', { default: 1000, min: 1, max: 100_000, doc: 'Connections of each listener.' }),
  maxPacketBytes: byteSize('max_packet_size', {
    default: '256KiB',
    min: '1KiB',
    max: '16MiB',
    doc: 'Largest packet of a client; a larger one ends its connection before it is read.',
  }),
  maxSessions: int('max_sessions', {
    default: 1000,
    min: 0,
    max: 100_000,
    doc: 'Sessions that outlive their connection (clean session: false).',
  }),
  maxQueuedMessages: int('max_queued_messages', {
    default: 10_000,
    min: 1,
    max: 60_000,
    doc: 'Messages kept for one session: those not yet acknowledged, and those that came while its client was away.',
  }),
  maxHalfReceived: int('max_half_received_messages', {
    default: 10_000,
    min: 1,
    max: 65_535,
    doc: 'Messages at QoS 2 that a client sends ahead without letting go of them (PUBREL); one more ends its connection.',
  }),
  maxStoredBytes: byteSize('max_stored_size', {
    default: '64MiB',
    min: '1MiB',
    doc: 'Retained messages and those kept for sessions, all together.',
  }),
  maxSubscriptions: int('max_subscriptions', { default: 100, min: 1, max: 100_000, doc: 'Filters of one client.' }),
  connectTimeoutMs: duration('connect_timeout', {
    default: '10s',
    min: '100ms',
    max: '1m',
    doc: 'From connecting to the CONNECT packet.',
  }),
})

const fields = {
  tcp: section('tcp', tcp, { optional: 'some', doc: 'MQTT over TCP; on unless `enabled: false`.' }),
  tls: section('tls', tls, { optional: 'none', doc: 'MQTT over TLS (mqtts).' }),
  ws: section('ws', ws, { optional: 'none', doc: 'MQTT over WebSocket, for browsers and proxies.' }),
  auth: section(
    'auth',
    object({
      authenticator: extensionId('authenticator', {
        required: true,
        role: 'server_authenticator',
        doc: 'The extension that checks names and passwords, such as basicauth with an htpasswd file.',
      }),
    }),
    { optional: 'none', doc: 'Passwords that stand elsewhere; it is asked for users without a `password`.' },
  ),
  users: list('users', user, {
    default: [],
    doc: 'Who may connect, and what each may do. Empty and without `auth`: everybody may do everything.',
  }),
  anonymous: section('anonymous', object(rights), {
    optional: 'none',
    doc: 'With `users`: what a client without a name may do. Off: it may not connect.',
  }),
  limits: group('limits', limits, { doc: 'What it holds against those who misuse it.' }),
  retain: bool('retain', { default: true, doc: 'Keep the last retained message of each topic.' }),
}

export const config = object(fields, { check })
export type MqttBrokerConfig = Decoded<typeof fields>
export type ListenerConfig = NonNullable<MqttBrokerConfig['tcp' | 'tls' | 'ws']>
export type UserConfig = MqttBrokerConfig['users'][number]
export type BrokerLimits = Infer<typeof limits>
export type Rights = Pick<UserConfig, 'publish' | 'subscribe'>

function checkEndpoint({ endpoint }: { readonly endpoint: string }, problem: Complain): void {
  const wrong = endpointProblem(endpoint, 'tcp')
  if (wrong !== undefined) problem('endpoint', wrong.what, wrong.fix)
}

function check(value: MqttBrokerConfig, problem: Complain): void {
  const { users, auth, anonymous } = value
  if (value.tcp === undefined && value.tls === undefined && value.ws === undefined)
    problem('', 'it listens nowhere', 'write tls: or ws:, or remove tcp: {enabled: false}')
  if (anonymous !== undefined && users.length === 0)
    problem('anonymous', 'there are no users, so that everybody may do everything', 'add users, or remove anonymous')
  const names = new Set<string>()
  for (const [at, one] of users.entries()) {
    if (names.has(one.username))
      problem(`users[${at}].username`, `user "${one.username}" stands here twice`, 'keep one of them')
    names.add(one.username)
    if ((one.password === undefined || one.password.isEmpty) && auth === undefined)
      problem(
        `users[${at}].password`,
        `user "${one.username}" has no password`,
        `write password: ${'$'}{env:NAME}, or auth with an authenticator that knows it`,
      )
    checkRights(one, `users[${at}].`, problem)
  }
  if (anonymous !== undefined) checkRights(anonymous, 'anonymous.', problem)
}

function checkRights(rights: Rights, at: string, problem: Complain): void {
  for (const key of ['publish', 'subscribe'] as const)
    for (const [index, filter] of rights[key].entries()) {
      const wrong = filterProblem(filter)
      if (wrong !== undefined) problem(`${at}${key}[${index}]`, wrong, 'write for example devices/+/data or devices/#')
    }
}
