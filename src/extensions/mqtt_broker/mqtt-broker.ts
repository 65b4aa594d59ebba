// The embedded broker: listeners in front, the broker library in the middle, access and bounds around it.
//
//   tcp, tls, ws --> PacketGuard --> aedes --> Access (connect, publish, subscribe)
//                                      |
//                                 SessionStore (retained messages, sessions), in memory
//
// One broker in all: of several shards the first one has it.

import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { Aedes, type AedesOptions, type AuthenticateError, type Client, type Subscription } from 'aedes'
import type { Extension, ExtensionContext } from '../../graph/component.ts'
import { findServerAuthenticator } from '../../net/auth/authenticator.ts'
import type { Counter } from '../../self/meter.ts'
import { Access, type Grants, mayPublish, maySubscribe } from './access.ts'
import type { BrokerLimits, MqttBrokerConfig } from './config.ts'
import { type Listener, type ListenerContext, startTcp, startTls, startWebSocket } from './listener.ts'
import { guardPackets } from './packet-guard.ts'
import { type NotKept, SessionStore } from './sessions.ts'

/** CONNACK return codes (MQTT 3.1.1, 3.2.2.3). */
const REFUSED = { identifier: 2, unavailable: 3, credentials: 4 } as const
/** SUBACK: failure (MQTT 3.1.1, 3.9.3). */
const NOT_GRANTED = null
/** How the library says that a client is over maxInflightInbound. */
const TOO_MANY_HALF_RECEIVED = /^maxInflightInbound/
const TALLY_EVERY_MS = 10_000

interface Refusals {
  readonly counter: Counter
  silentUntilMs: number
  untold: number
}

export class MqttBroker implements Extension {
  readonly #config: MqttBrokerConfig
  readonly #context: ExtensionContext
  readonly #limits: BrokerLimits
  readonly #store: SessionStore
  readonly #grants = new WeakMap<Client, Grants>()
  /** Who holds a client id, where users are told apart. */
  readonly #owners = new Map<string, string>()
  readonly #refusals = new Map<string, Refusals>()
  readonly #notKept: Readonly<Record<NotKept, Counter>>
  readonly #received: Counter
  readonly #sent: Counter
  readonly #streams = new Set<Duplex>()
  #broker: Aedes | undefined
  #listeners: Listener[] = []

  constructor(config: MqttBrokerConfig, context: ExtensionContext) {
    this.#config = config
    this.#context = context
    this.#limits = config.limits
    const { meter } = context
    const unkept = (reason: NotKept): Counter =>
      meter.counter(
        'extension_mqtt_broker_unkept_messages',
        '{message}',
        'Messages that a bound kept the broker from retaining or queueing.',
        { labels: { reason } },
      )
    this.#notKept = { session_full: unkept('session_full'), store_full: unkept('store_full') }
    this.#received = meter.counter('extension_mqtt_broker_received_messages', '{message}', 'Messages from clients.')
    this.#sent = meter.counter('extension_mqtt_broker_sent_messages', '{message}', 'Messages to subscribers.')
    this.#store = new SessionStore(this.#limits, (reason) => this.#notKept[reason].add(1))
    meter.observe('extension_mqtt_broker_clients', '{client}', 'Clients that are connected.', () =>
      this.#broker === undefined ? 0 : this.#broker.connectedClients,
    )
    meter.observe(
      'extension_mqtt_broker_sessions',
      '{session}',
      'Sessions that outlive their connection.',
      () => this.#store.sessionCount,
    )
    meter.observe(
      'extension_mqtt_broker_stored_size',
      'By',
      'Retained messages and those kept for sessions.',
      () => this.#store.storedBytes,
    )
  }

  async start(): Promise<void> {
    const { shards } = this.#context
    if (shards.index !== 0) return
    const { auth, tcp, tls, ws } = this.#config
    const authenticator = auth === undefined ? undefined : findServerAuthenticator(this.#context, auth.authenticator)
    const access = new Access(this.#config, authenticator)
    this.#broker = await Aedes.createBroker(this.#options(access))
    this.#watch(this.#broker)
    const context = this.#listenerContext(access)
    const begin = async (name: string, starting: Promise<Listener> | undefined): Promise<void> => {
      if (starting === undefined) return
      const listener = await starting
      this.#listeners.push(listener)
      const host = listener.host.includes(':') ? `[${listener.host}]` : listener.host
      this.#context.log.info(`MQTT broker (${name}) listens.`, { endpoint: `${host}:${listener.port}` })
    }
    await begin('tcp', tcp && startTcp(tcp, context))
    await begin('tls', tls && startTls(tls, context))
    await begin(ws?.tls === undefined ? 'ws' : 'wss', ws && startWebSocket(ws, context))
  }

  async stop(deadline: AbortSignal): Promise<void> {
    const broker = this.#broker
    const listeners = this.#listeners
    this.#broker = undefined
    this.#listeners = []
    if (broker !== undefined) {
      const cut = (): void => {
        for (const stream of this.#streams) stream.destroy()
      }
      if (deadline.aborted) cut()
      else deadline.addEventListener('abort', cut, { once: true })
      await new Promise<void>((resolve) => broker.close(resolve))
      deadline.removeEventListener('abort', cut)
    }
    await Promise.all(listeners.map((listener) => listener.close()))
  }

  #options(access: Access): AedesOptions {
    const { connectTimeoutMs: connectTimeout, maxHalfReceived: maxInflightInbound } = this.#limits
    return {
      persistence: this.#store,
      connectTimeout,
      maxInflightInbound,
      authenticate: (client, username, password, done) => {
        this.#admit(access, client, username, password?.toString()).then(
          (refusal) => done(refusal ?? null, refusal === undefined),
          (error: Error) => done(connackError(REFUSED.unavailable, error.message), false),
        )
      },
      authorizePublish: (client, packet, done) => {
        const grants = client === null ? undefined : this.#grants.get(client)
        if (grants === undefined || !mayPublish(grants, packet.topic)) {
          this.#refuse('publish', `client ${client?.id} may not publish to ${packet.topic}`)
          // MQTT-3.3.5-2: acknowledge what is not published, or close. A device whose data go nowhere should be noticed.
          done(new Error('not authorized'))
          return
        }
        if (!this.#config.retain) packet.retain = false
        done()
      },
      authorizeSubscribe: (client, subscription, done) => done(null, this.#grant(client, subscription)),
      authorizeForward: (_client, packet) => {
        this.#sent.add(1)
        return packet
      },
    }
  }

  async #admit(
    access: Access,
    client: Client,
    username: string | undefined,
    password: string | undefined,
  ): Promise<AuthenticateError | undefined> {
    const grants = await access.admit(username, password, client.id)
    if (grants === undefined) {
      this.#refuse('credentials', `client ${client.id} with user ${username ?? '(none)'}`)
      return connackError(REFUSED.credentials, 'bad user name or password')
    }
    const owner = this.#owners.get(client.id)
    if (owner !== undefined && owner !== grants.username) {
      this.#refuse('client_id', `client id ${client.id} is taken by another user than ${grants.username}`)
      return connackError(REFUSED.identifier, 'the client id is taken by another user')
    }
    const isNewSession = !client.clean && !this.#store.hasSession(client.id)
    if (isNewSession && this.#store.sessionCount >= this.#limits.maxSessions) {
      this.#refuse('sessions', `there are ${this.#limits.maxSessions} sessions: none for client ${client.id}`)
      return connackError(REFUSED.unavailable, 'too many sessions')
    }
    if (isNewSession) this.#store.open(client.id)
    if (!access.isOpen) this.#owners.set(client.id, grants.username)
    this.#grants.set(client, grants)
    return undefined
  }

  #grant(client: Client, subscription: Subscription): Subscription | null {
    const { topic } = subscription
    const refuse = (detail: string): null => {
      this.#refuse('subscribe', `client ${client.id}, ${topic}: ${detail}`)
      return NOT_GRANTED
    }
    if (topic.startsWith('$share/')) return refuse('this broker has no shared subscriptions')
    const grants = this.#grants.get(client)
    if (grants === undefined || !maySubscribe(grants, topic)) return refuse('not allowed')
    const held = (client as unknown as { subscriptions: Record<string, unknown> }).subscriptions
    if (held[topic] === undefined && Object.keys(held).length >= this.#limits.maxSubscriptions)
      return refuse('too many subscriptions')
    return subscription
  }

  #watch(broker: Aedes): void {
    broker.on('publish', (_packet, client) => {
      if (client !== null) this.#received.add(1)
    })
    broker.on('clientDisconnect', (client) => {
      if (!this.#store.hasSession(client.id)) this.#owners.delete(client.id)
    })
    broker.on('clientError', (client, error) => {
      if (TOO_MANY_HALF_RECEIVED.test(error.message)) {
        const { maxHalfReceived } = this.#limits
        this.#refuse('half_received', `client ${client.id} has more than ${maxHalfReceived} messages without PUBREL`)
      }
      this.#context.log.debug('an MQTT client was disconnected', { client_id: client.id, error: error.message })
    })
    broker.on('connectionError', (_client, error) => this.#refuse('protocol', error.message))
    ;(broker as NodeJS.EventEmitter).on('error', (error: Error) => {
      this.#context.log.error('the MQTT broker failed', { error: error.message })
    })
  }

  #listenerContext(access: Access): ListenerContext {
    const { log, clock } = this.#context
    return {
      log,
      clock,
      limits: this.#limits,
      authenticated: !access.isOpen && this.#config.anonymous === undefined,
      onStream: (stream, request) => this.#take(stream, request),
      onRefused: (reason, detail) => this.#refuse(reason, detail),
      onFailed: (error) => this.#context.report('fatal', error),
    }
  }

  #take(stream: Duplex, request: IncomingMessage | undefined): void {
    const broker = this.#broker
    if (broker === undefined) {
      stream.destroy()
      return
    }
    this.#streams.add(stream)
    stream.once('close', () => this.#streams.delete(stream))
    const { maxPacketBytes } = this.#limits
    let client: Client | undefined
    guardPackets(stream, maxPacketBytes, () => {
      this.#refuse(
        'packet_size',
        `client ${client?.id ?? '(not connected)'} announced more than ${maxPacketBytes} bytes`,
      )
      stream.destroy()
    })
    client = broker.handle(stream, request)
  }

  /** Counts; tells the first of a kind, then a tally. */
  #refuse(reason: string, detail: string): void {
    let known = this.#refusals.get(reason)
    if (known === undefined) {
      const counter = this.#context.meter.counter(
        'extension_mqtt_broker_refusals',
        '{refusal}',
        'Connections, messages and subscriptions that the broker refused.',
        { labels: { reason } },
      )
      known = { counter, silentUntilMs: 0, untold: 0 }
      this.#refusals.set(reason, known)
    }
    known.counter.add(1)
    const now = this.#context.clock.monotonic()
    if (now < known.silentUntilMs) {
      known.untold++
      return
    }
    this.#context.log.warn('MQTT broker refused', { reason, detail, since_last_line: known.untold })
    known.silentUntilMs = now + TALLY_EVERY_MS
    known.untold = 0
  }
}

const connackError = (returnCode: number, message: string): AuthenticateError =>
  Object.assign(new Error(message), { returnCode }) as AuthenticateError
