// A session with a broker that outlives its connections: connects, and connects again; subscribes; hands over the messages
// of each read of the socket as a group, and acknowledges groups in order when they are settled.
//
// Bounds: at so many messages, or bytes, that are not settled, reading is paused. Brokers do not keep to Receive Maximum
// (mosquitto 2.0.11 overruns it), so the count is ours.
//
// QoS 2: a packet id is remembered from PUBLISH to PUBREL, over connections as long as the broker has the session; what
// comes again meanwhile is acknowledged along with the first, and not handed over.

import type { Clock, Timer } from '../../graph/clock.ts'
import type { Logger } from '../../self/log.ts'
import { AckGroup, AckLine } from './ack-line.ts'
import {
  type Announcement,
  type Closed,
  type Connack,
  Connection,
  type ConnectionOptions,
  type Subscription,
} from './connection.ts'
import type { PublishFrame, Version } from './frames.ts'
import { oneMessage } from './message-list.ts'
import { Consignment, Outgoing } from './outgoing.ts'
import { REASON, type ReasonProperties, reasonWords, UNACCEPTABLE_VERSION } from './reasons.ts'
import type { BrokerAddress } from './transport.ts'

export interface SessionOptions
  extends Omit<ConnectionOptions, 'address' | 'version' | 'username' | 'password' | 'tls'> {
  /** Tried in this order, each time from the first. */
  readonly brokers: readonly BrokerAddress[]
  /** Asked at each connection. */
  readonly tls: () => ConnectionOptions['tls']
  /** `auto`: 5, and 3.1.1 with a broker that does not know it. */
  readonly version: Version | 'auto'
  /** Asked at each connection. */
  readonly credentials: () => { readonly username: string | undefined; readonly password: string | undefined }
  readonly subscriptions: readonly Subscription[]
  /** Subscriptions of an earlier time that the session may still have. */
  readonly oldFilters: readonly string[]
  readonly maxUnackedMessages: number
  readonly maxUnackedBytes: number
  readonly backoff: { readonly initialMs: number; readonly maxMs: number }
  /** What may be published without an answer, and topics that may be shortened; 1000 and 0 if not given. */
  readonly outgoing?: { readonly maxInFlight: number; readonly maxAliases: number; readonly maxPacketBytes?: number }
  /**
   * A session of an earlier process, or from before another broker was used, is ended: the broker would take new messages
   * for those whose packet ids it remembers.
   */
  readonly ownSessionOnly?: boolean
}

export interface SessionEvents {
  message(frame: PublishFrame): void
  /** A message larger than the bound, of which only the topic has come. */
  oversized(frame: PublishFrame, bytes: number): void
  /** All messages of a read have been given to message(); settle(group) is called once, now or later. */
  read(group: AckGroup): void
  connected(broker: BrokerAddress, version: Version, connack: Connack): void
  /** All subscriptions stand, and old ones are gone. */
  subscribed(): void
  disconnected(error: Error): void
  paused(): void
}

export interface SessionSurroundings {
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1). */
  readonly random: () => number
}

/** A client that is thrown out because another uses its id, this often, is told so. */
const TAKEN_OVER_LIMIT = 2
/** A broker that does not close its side after DISCONNECT is not waited for any longer. */
const LINGER_MS = 1_000
/** What a packet may carry of filters. */
const FILTERS_PER_PACKET = 100
const MAX_IN_FLIGHT = 1000

export class MqttSession {
  readonly unacked: AckLine
  /** What is published. */
  readonly outgoing: Outgoing
  readonly #options: SessionOptions
  readonly #events: SessionEvents
  readonly #around: SessionSurroundings
  #connection: Connection | undefined
  #broker = 0
  /** What each broker is known to speak. */
  readonly #versions = new Map<BrokerAddress, Version>()
  /** Brokers that use topic aliases of an earlier connection: none are offered to them. */
  readonly #withoutAliases = new Set<BrokerAddress>()
  /** Did not take MQTT 5 just now, and is tried with 3.1.1. */
  #tryingOlder: BrokerAddress | undefined
  #failures = 0
  #takenOver = 0
  #connectedAtMs = 0
  #reconnect: Timer | undefined
  #group = new AckGroup()
  /** Packet ids of QoS 2 between PUBLISH and PUBREL. */
  readonly #received = new Map<number, AckGroup>()
  #isStopping = false
  #hadSession = false
  #sessionWith: BrokerAddress | undefined
  #answersDue = 0
  #whenIdle: (() => void) | undefined
  #whenClosed: (() => void) | undefined

  constructor(options: SessionOptions, events: SessionEvents, around: SessionSurroundings) {
    this.#options = options
    this.#events = events
    this.#around = around
    this.unacked = new AckLine((acks) => this.#connection?.write(acks))
    const { maxInFlight = MAX_IN_FLIGHT, maxAliases = 0, maxPacketBytes } = options.outgoing ?? {}
    this.outgoing = new Outgoing(maxInFlight, maxAliases, maxPacketBytes)
  }

  /**
   * One message, as soon as there is a connection. `ended` is called when the broker has it (QoS 0: when it has left), with
   * the reason code where the broker refused it.
   */
  publish(
    topic: string,
    payload: Uint8Array,
    { qos = 0, retain = false }: { readonly qos?: 0 | 1 | 2; readonly retain?: boolean } = {},
    ended?: (refusal: number | undefined) => void,
  ): void {
    const consignment = new Consignment(oneMessage(topic, payload), qos, retain)
    consignment.onEnd = () => {
      const [code] = consignment.refused.keys()
      ended?.(code ?? consignment.failure)
    }
    this.outgoing.send(consignment)
  }

  start(): void {
    this.#connect()
  }

  /** The messages of a group are dealt with. */
  settle(group: AckGroup): void {
    if (--group.holds > 0) return
    this.unacked.settle(group)
    if (this.unacked.messages === 0) this.#whenIdle?.()
    if (this.#connection?.isPaused === true && !this.#isStopping && !this.#isFull()) this.#connection.resume()
  }

  /** False when there is no connection: then nothing was sent. */
  announce(announcement: Announcement): boolean {
    if (this.#connection?.isConnected !== true) return false
    this.#connection.announce(announcement)
    return true
  }

  /** Takes no more messages, waits for those that it has, and says goodbye. Safe before start() and when called twice. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#reconnect?.cancel()
    this.#connection?.pause()
    if (this.unacked.messages > 0 && this.#connection !== undefined && !deadline.aborted)
      await this.#orAborted(deadline, (resolve) => {
        this.#whenIdle = resolve
      })
    const connection = this.#connection
    if (connection === undefined) return
    const lingering = this.#around.clock.after(LINGER_MS, () => connection.destroy())
    const closed = this.#orAborted(deadline, (resolve) => {
      this.#whenClosed = resolve
    })
    connection.disconnect()
    await closed
    lingering.cancel()
    connection.destroy()
  }

  async #orAborted(deadline: AbortSignal, wait: (resolve: () => void) => void): Promise<void> {
    if (deadline.aborted) return
    await new Promise<void>((resolve) => {
      wait(resolve)
      deadline.addEventListener('abort', () => resolve(), { once: true })
    })
  }

  #isFull(): boolean {
    const { maxUnackedMessages, maxUnackedBytes } = this.#options
    return this.unacked.messages >= maxUnackedMessages || this.unacked.bytes >= maxUnackedBytes
  }

  #connect(): void {
    const { brokers, version } = this.#options
    const address = brokers[this.#broker]!
    const unknown = this.#tryingOlder === address ? 4 : 5
    const spoken = version === 'auto' ? (this.#versions.get(address) ?? unknown) : version
    this.#tryingOlder = undefined
    let options: ConnectionOptions
    try {
      const cleanStart =
        this.#options.cleanStart || (this.#options.ownSessionOnly === true && this.#sessionWith !== address)
      const own = { tls: this.#options.tls(), address, version: spoken, cleanStart }
      options = { ...this.#options, ...this.#options.credentials(), ...own, ...this.#aliases(address) }
    } catch (error) {
      this.#lost(address, { words: (error as Error).message, during: 'opening', code: undefined })
      return
    }
    const connection: Connection = new Connection(
      options,
      {
        connected: (connack) => this.#connected(connection, address, spoken, connack),
        publish: (frame) => this.#publish(frame),
        oversized: (frame, bytes) => this.#oversized(frame, bytes),
        pubrel: (id) => this.#pubrel(id),
        acknowledged: (type, id, code) => this.outgoing.acknowledged(type, id, code),
        readEnd: () => this.#readEnd(),
        subscribed: (codes, said) => this.#subscribed(codes, said),
        closed: (closed) => this.#closed(address, spoken, closed),
      },
      this.#around.clock,
    )
    this.#connection = connection
  }

  #aliases(address: BrokerAddress): Partial<ConnectionOptions> {
    return this.#withoutAliases.has(address) ? { topicAliasMaximum: 0, forgivesAliases: true } : {}
  }

  #connected(connection: Connection, address: BrokerAddress, version: Version, connack: Connack): void {
    const { subscriptions, oldFilters, cleanStart } = this.#options
    this.#versions.set(address, version)
    this.#connectedAtMs = this.#around.clock.monotonic()
    const { sessionPresent } = connack
    this.#around.log.info('Connected to the broker.', {
      broker: address.words,
      version: version === 5 ? '5' : '3.1.1',
      session: sessionPresent ? 'resumed' : 'new',
    })
    if (!sessionPresent) {
      this.#received.clear()
      if (this.#hadSession && !cleanStart)
        this.#around.log.warn('the broker has lost our session: what it held for us meanwhile is gone')
    }
    this.#hadSession = true
    if (!connack.sharedSubscriptions && subscriptions.some(({ filter }) => filter.startsWith('$share/')))
      this.#around.log.error('the broker has no shared subscriptions', { broker: address.words })
    const old = sessionPresent ? oldFilters.filter((filter) => subscriptions.every((s) => s.filter !== filter)) : []
    for (let at = 0; at < old.length; at += FILTERS_PER_PACKET)
      connection.unsubscribe(old.slice(at, at + FILTERS_PER_PACKET))
    this.#answersDue = subscriptions.length
    for (let at = 0; at < subscriptions.length; at += FILTERS_PER_PACKET)
      connection.subscribe(subscriptions.slice(at, at + FILTERS_PER_PACKET))
    this.#sessionWith = address
    this.#events.connected(address, version, connack)
    this.outgoing.opened({ ...connack, version }, (bytes, written) => connection.write(bytes, written))
  }

  #subscribed(codes: readonly number[], said: ReasonProperties | undefined): void {
    const { subscriptions } = this.#options
    const first = subscriptions.length - this.#answersDue
    for (const [i, code] of codes.entries()) {
      const subscription = subscriptions[first + i]
      if (subscription === undefined) continue
      const { filter, qos } = subscription
      if (code >= 0x80)
        this.#around.log.error('the broker refused a subscription', { filter, reason: reasonWords(code, said) })
      else if (code < qos) this.#around.log.warn('the broker grants a lower QoS', { filter, asked: qos, granted: code })
    }
    this.#answersDue = Math.max(0, this.#answersDue - codes.length)
    if (this.#answersDue === 0) this.#events.subscribed()
  }

  #publish(frame: PublishFrame): void {
    if (this.#isStopping) return
    const group = this.#group
    const { qos, id } = frame
    group.messages++
    group.bytes += frame.payloadTo - frame.topicFrom
    if (qos > 0) group.ack(qos as 1 | 2, id)
    if (qos === 2 && this.#isRepeated(group, id)) return
    this.#events.message(frame)
  }

  #oversized(frame: PublishFrame, bytes: number): void {
    if (this.#isStopping) return
    const group = this.#group
    group.messages++
    if (frame.qos > 0) group.ack(frame.qos as 1 | 2, frame.id)
    if (frame.qos === 2 && this.#isRepeated(group, frame.id)) return
    this.#events.oversized(frame, bytes)
  }

  /** Whether a message with QoS 2 has been handed over before; its acknowledgement waits for that one's. */
  #isRepeated(group: AckGroup, id: number): boolean {
    const before = this.#received.get(id)
    if (before === undefined) {
      this.#received.set(id, group)
      return false
    }
    if (!before.settled && before !== group) {
      group.holds++
      before.followers ??= []
      before.followers.push(() => this.settle(group))
    }
    return true
  }

  #pubrel(id: number): void {
    this.#received.delete(id)
    this.#connection?.write(Uint8Array.of(0x70, 2, id >> 8, id & 0xff))
  }

  #readEnd(): void {
    this.outgoing.readEnd()
    const group = this.#group
    if (group.messages === 0) return
    this.#group = new AckGroup()
    this.unacked.add(group)
    this.#events.read(group)
    if (this.#isFull() && this.#connection?.isPaused === false) {
      this.#connection.pause()
      this.#events.paused()
    }
  }

  #closed(address: BrokerAddress, version: Version, closed: Closed): void {
    this.#connection = undefined
    this.outgoing.closed()
    // What a broken read had brought is settled like the rest; nobody waits for its acknowledgement.
    this.#readEnd()
    this.unacked.abandon()
    if (this.#isStopping) {
      this.#whenIdle?.()
      this.#whenClosed?.()
      return
    }
    if (this.#options.version === 'auto' && version === 5 && this.#isTooNew(address, closed)) {
      this.#around.log.info('the broker does not take MQTT 5: 3.1.1 is tried', {
        broker: address.words,
        reason: closed.words,
      })
      this.#versions.delete(address)
      this.#tryingOlder = address
      this.#connect()
      return
    }
    this.#lost(address, closed)
  }

  /** It says that it does not know MQTT 5, or hangs up on one who speaks it. */
  #isTooNew(address: BrokerAddress, { code, during }: Closed): boolean {
    if (code === REASON.UNSUPPORTED_VERSION || code === UNACCEPTABLE_VERSION) return true
    return during === 'connecting' && code === undefined && !this.#versions.has(address)
  }

  #lost(address: BrokerAddress, { words, code, during }: Closed): void {
    const { brokers, backoff, clientId } = this.#options
    const { clock, log, random } = this.#around
    if (during === 'connected' && clock.monotonic() - this.#connectedAtMs > backoff.maxMs) this.#failures = 0
    if (code === REASON.TOPIC_ALIAS_INVALID && !this.#withoutAliases.has(address)) {
      this.#withoutAliases.add(address)
      // Over and over it would send what it has stored so, and we would hang up.
      log.warn(
        'the broker sends topic aliases that it has not explained on this connection: none are offered to it now',
        {
          broker: address.words,
          fix: 'write topic_alias_maximum: 0, or the topics of what it stores for us are lost',
        },
      )
    }
    if (code === REASON.SESSION_TAKEN_OVER) this.#takenOver++
    else if (during === 'connected') this.#takenOver = 0
    this.#broker = during === 'connected' ? 0 : (this.#broker + 1) % brokers.length
    this.#events.disconnected(new Error(`${address.words}: ${words}`))
    const isRound = during === 'connected' || this.#broker === 0
    let waitMs = 0
    if (isRound) {
      waitMs = Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(this.#failures++, 30))
      if (this.#takenOver >= TAKEN_OVER_LIMIT) {
        waitMs = backoff.maxMs
        log.error('another client uses our client id: each throws the other out', {
          client_id: clientId,
          broker: address.words,
          fix: 'give each router a client_id of its own',
        })
      }
      waitMs *= 0.5 + random() / 2
    }
    log.warn('no connection to the broker', { broker: address.words, reason: words, next_try_ms: Math.round(waitMs) })
    this.#reconnect = clock.after(waitMs, () => this.#connect())
  }
}
