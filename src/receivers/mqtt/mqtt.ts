// The receiver: messages of a session with a broker become readings, and each read of the socket a batch per signal. What
// the broker sent is acknowledged when those batches have been dealt with.
//
//   session ──message──▶ topic table: rule, decoder ──▶ readings (bytes grow)
//           ──end of read──▶ outbox ──▶ pipelines
//           ◀──settle── when all of them are delivered, or refused for good
//
// A message that cannot be read is counted, told, sent to dead_letter, and acknowledged: it would come back for ever.

import type { DeliveryError } from '../../delivery/error.ts'
import { type Receiver, type ReceiverContext, shareOf } from '../../graph/component.ts'
import type { AckGroup } from '../../net/mqtt/ack-line.ts'
import { clientIdOf, type MqttClient, openClient } from '../../net/mqtt/client.ts'
import type { PublishFrame } from '../../net/mqtt/frames.ts'
import { MqttSession } from '../../net/mqtt/session.ts'
import type { Signal } from '../../otlp/signal.ts'
import { BadPayload } from '../../readings/bad-payload.ts'
import { Metrics } from '../../readings/naming.ts'
import { Readings } from '../../readings/readings.ts'
import { Sources } from '../../readings/sources.ts'
import { type ReceiverMetrics, receiverMetrics } from '../../self/receiver-metrics.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import { Complaints, type Reason } from './complaints.ts'
import type { MqttConfig } from './config.ts'
import { type DeadLetters, deadLettersOf } from './dead-letters.ts'
import type { Message } from './decoders/decoder.ts'
import { Definitions } from './decoders/definitions.ts'
import { Discovery } from './decoders/discovery.ts'
import { SPARKPLUG_B } from './decoders/sparkplug-b.ts'
import { DeviceWatch } from './device-watch.ts'
import type { PayloadTimes } from './event-times.ts'
import { filtersOf } from './filters.ts'
import { Memory } from './memory.ts'
import { type Cargo, Outbox } from './outbox.ts'
import { type OwnMetrics, ownMetrics } from './own-metrics.ts'
import { RememberedFilters } from './remembered-filters.ts'
import { BirthMemory } from './sparkplug/birth-memory.ts'
import { SparkplugHost } from './sparkplug/host.ts'
import { Rule, type Topic, TopicTable } from './topic-table.ts'

const SCOPE = 'millrace/mqtt'
const isSparkplug = ({ config }: Rule): boolean => config.decoder === SPARKPLUG_B
/** Nothing of the message is missing, or it is left out on purpose. */
const NO_DEAD_LETTER: ReadonlySet<Reason> = new Set(['retained', 'wrong_seq', 'gap'])
const RETAINED = [['mqtt.retained', true]] as const

/** What decoders see of a message; one object for all of them. */
class CurrentMessage implements Message {
  bytes: Uint8Array = new Uint8Array(0)
  from = 0
  to = 0
  topic = ''
  ownName: Uint8Array = this.bytes
  retain = false
  receivedMs = 0
  times!: PayloadTimes
  frame: PublishFrame | undefined

  get contentType(): string | undefined {
    return this.frame!.contentType()
  }

  userProperty(name: string): string | undefined {
    return this.frame!.userProperty(name)
  }
}

export class MqttReceiver implements Receiver {
  readonly #cfg: MqttConfig
  readonly #context: ReceiverContext
  readonly #topics: TopicTable
  readonly #sources: Sources
  readonly #readings: Readings
  readonly #deadLetters: DeadLetters | undefined
  readonly #complaints: Complaints
  readonly #outbox: Outbox
  readonly #own: OwnMetrics
  readonly #counted = new Map<Signal, ReceiverMetrics>()
  readonly #message = new CurrentMessage()
  readonly #refusals: FailureLog
  readonly #postponed: FailureLog
  readonly #deviceWatch: DeviceWatch | undefined
  readonly #memory: Memory
  /** Where a rule asks for Sparkplug: it has a connection of its own. */
  readonly #sparkplug: SparkplugHost | undefined
  readonly #metrics = new Metrics()
  #topic: Topic | undefined
  /** Of the read that is under way; 0 between reads. */
  #receivedMs = 0
  #session: MqttSession | undefined
  #client: MqttClient | undefined
  #remembered: RememberedFilters | undefined

  constructor(cfg: MqttConfig, context: ReceiverContext) {
    this.#cfg = cfg
    this.#context = context
    const { log, clock, meter, random, outputs } = context
    const place = cfg.sharedSubscription === '' ? undefined : context.shards
    const share = (total: number): number => (place === undefined ? total : shareOf(total, place))
    this.#complaints = new Complaints(meter, log, clock)
    this.#memory = new Memory(cfg, log, (devices) => this.#own.forgotten.add(devices))
    this.#sources = new Sources({
      maxSources: share(cfg.maxDevices),
      maxSeries: share(cfg.maxSeries),
      onFull: (what) => this.#full(what),
      watched: cfg.watch !== undefined,
      endsSeries: cfg.watch?.endSeries === true,
    })
    const metrics = this.#metrics
    const shared = { discovery: new Discovery(), definitions: new Definitions() }
    const onBadClock = (rule: string, word: string): void => this.#complaints.clock(rule, word, this.#topic?.name ?? '')
    const rules = cfg.topics.map((rule) => new Rule(rule, metrics, shared, (word) => onBadClock(rule.topic.text, word)))
    const ofSparkplug = rules.filter(isSparkplug)
    const ofDevices = rules.filter((rule) => !isSparkplug(rule))
    this.#topics = new TopicTable(ofDevices, this.#sources, share(cfg.maxSeries))
    this.#readings = new Readings({
      scope: SCOPE,
      sources: this.#sources,
      takesMetrics: outputs.metrics !== undefined,
      takesLogs: outputs.logs !== undefined,
      device: (bytes, from, to) => this.#topic!.device(this.#sources, bytes, from, to),
    })
    if (cfg.watch !== undefined)
      this.#deviceWatch = new DeviceWatch(cfg.watch, this.#sources, this.#readings, metrics, clock, () =>
        this.#outbox.send(this.#cargoes(), () => {}),
      )
    this.#deadLetters = deadLettersOf(cfg.deadLetter, context, SCOPE)
    const { initialMs, maxMs } = cfg.retry
    this.#refusals = new FailureLog(log, clock, 'error', 'a pipeline refused readings for good', 'dropped_items')
    this.#postponed = new FailureLog(log, clock, 'warn', 'a pipeline does not take readings now', 'waiting_items')
    this.#outbox = new Outbox(
      { waitsForDelivery: cfg.ack === 'delivered', backoff: { initialMs, maxMs } },
      {
        accepted: (signal, items) => this.#metricsOf(signal).accepted.add(items),
        refused: (cargo, error) => this.#refused(cargo, error),
        postponed: (_signal, items, error) => {
          this.#own.postponed.add(1)
          this.#postponed.report(error, items)
        },
      },
      clock,
      random,
    )
    this.#own = ownMetrics(meter, {
      unackedMessages: () => (this.#session?.unacked.messages ?? 0) + (this.#sparkplug?.unacked.messages ?? 0),
      unackedBytes: () => (this.#session?.unacked.bytes ?? 0) + (this.#sparkplug?.unacked.bytes ?? 0),
      devices: () => this.#sources.size,
      series: () => this.#sources.series,
    })
    if (ofSparkplug.length > 0) this.#sparkplug = this.#sparkplugHost(ofSparkplug, metrics)
  }

  #sparkplugHost(rules: readonly Rule[], metrics: Metrics): SparkplugHost {
    const { clock, log, meter, random } = this.#context
    const { sparkplug, maxSeries, storage } = this.#cfg
    return new SparkplugHost(
      sparkplug,
      rules,
      {
        clock,
        log,
        meter,
        random,
        readings: this.#readings,
        sources: this.#sources,
        metrics,
        maxTopics: maxSeries,
        send: (done) => this.#outbox.send(this.#cargoes(), done),
        unread: (topic, rule, reason, words, bytes, from, to) =>
          this.#tellUnread(topic, rule, reason, words, bytes, from, to),
        badClock: (rule, word, topic) => this.#complaints.clock(rule, word, topic),
        received: (frame) => {
          this.#own.messages.add(1)
          if (frame.dup) this.#own.redelivered.add(1)
        },
        connected: () => this.#connected(),
        disconnected: (error) => this.#disconnected(error),
        paused: () => this.#own.pauses.add(1),
      },
      storage === undefined ? undefined : new BirthMemory(this.#context, storage),
    )
  }

  async start(): Promise<void> {
    const { log, clock, random } = this.#context
    const cfg = this.#cfg
    this.#client = openClient(cfg, { log, clock })
    const filters = filtersOf(cfg)
    this.#remembered = new RememberedFilters(this.#context, cfg.storage, [...filters.keys()])
    await this.#remembered.open()
    const place = cfg.sharedSubscription === '' ? undefined : this.#context.shards
    const share = (total: number): number => (place === undefined ? total : shareOf(total, place))
    const connection = {
      ...this.#client.options,
      clientId: this.#clientId(),
      receiveMaximum: cfg.receiveMaximum,
      topicAliasMaximum: cfg.topicAliasMaximum,
      maxPacketBytes: cfg.maxPacketBytes,
      maxUnackedMessages: share(cfg.maxUnackedMessages),
      maxUnackedBytes: share(cfg.maxUnackedBytes),
    }
    if (filters.size > 0) {
      this.#session = new MqttSession(
        {
          ...connection,
          cleanStart: cfg.cleanSession,
          sessionExpirySeconds: cfg.cleanSession ? 0 : Math.min(0xffffffff, Math.floor(cfg.sessionExpiryMs / 1000)),
          subscriptions: [...filters.values()],
          oldFilters: this.#remembered.old,
        },
        {
          message: (frame) => this.#take(frame),
          oversized: (frame, bytes) => this.#oversized(frame, bytes),
          read: (group) => this.#read(group),
          connected: () => this.#connected(),
          subscribed: () => this.#remembered?.remember(),
          disconnected: (error) => {
            this.#deviceWatch?.forget()
            this.#disconnected(error)
          },
          paused: () => this.#own.pauses.add(1),
        },
        { clock, log, random },
      )
      this.#session.start()
    }
    this.#memory.start({ sources: this.#sources, metrics: this.#metrics, topics: this.#topics }, clock)
    await this.#sparkplug?.start({ ...connection, clientId: `${connection.clientId}-sparkplug` })
    this.#deviceWatch?.start()
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#deviceWatch?.stop()
    this.#memory.stop()
    await Promise.all([this.#session?.stop(deadline), this.#sparkplug?.stop(deadline)])
    this.#session = undefined
    this.#outbox.stop()
    this.#client?.stop()
    this.#client = undefined
    await this.#remembered?.close()
    this.#remembered = undefined
    this.#refusals.flush()
    this.#postponed.flush()
  }

  #connected(): void {
    this.#own.connections.add(1)
    this.#own.connected.set(1)
    this.#context.report('ok')
  }

  #disconnected(error: Error): void {
    this.#own.connected.set(0)
    this.#context.report('recoverable', error)
  }

  #clientId(): string {
    const { clientId, sharedSubscription } = this.#cfg
    const { id, shards } = this.#context
    const name = clientIdOf(clientId, id)
    return sharedSubscription === '' || shards.count === 1 ? name : `${name}-${shards.index}`
  }

  #take(frame: PublishFrame): void {
    const { payloadFrom: from, payloadTo: to } = frame
    this.#own.messages.add(1)
    if (frame.dup) this.#own.redelivered.add(1)
    const topic = this.#topics.find(frame.topicBytes, frame.topicFrom, frame.topicTo)
    if (typeof topic === 'string') {
      this.#unread(frame, '', topic, 'the topic cannot be used', from, to)
      return
    }
    const { rule } = topic
    if (frame.retain && rule.config.retained === 'skip') {
      this.#unread(frame, rule.text, 'retained', 'retained', from, to)
      return
    }
    const message = this.#message
    const readings = this.#readings
    message.bytes = frame.bytes
    message.from = from
    message.to = to
    message.topic = topic.name
    message.ownName = topic.ownName
    message.retain = frame.retain
    if (this.#receivedMs === 0) this.#receivedMs = this.#context.clock.now()
    message.receivedMs = this.#receivedMs
    message.frame = frame
    message.times = rule.times
    rule.times.begin(message.receivedMs)
    this.#topic = topic
    readings.begin(topic.stream, message.receivedMs)
    try {
      if (frame.retain) {
        readings.markMessage(RETAINED)
        readings.noSignOfLife()
      }
      const parent = frame.userProperty('traceparent')
      if (parent !== undefined) readings.trace(parent)
      rule.decode(message, readings)
      if (rule.times.isOwn) readings.observeClock(rule.times.ms)
    } catch (error) {
      readings.rollBack()
      const { reason, words } = reasonOf(error)
      this.#unread(frame, rule.text, reason, words, from, to)
    }
  }

  #oversized(frame: PublishFrame, bytes: number): void {
    this.#own.messages.add(1)
    this.#unread(frame, '', 'too_large', `${bytes} bytes`, frame.payloadFrom, frame.payloadTo)
  }

  #unread(frame: PublishFrame, rule: string, reason: Reason, words: string, from: number, to: number): void {
    const topic = Buffer.from(frame.topicBytes.slice(frame.topicFrom, frame.topicTo)).toString()
    this.#tellUnread(topic, rule, reason, words, frame.bytes, from, to)
  }

  #tellUnread(
    topic: string,
    rule: string,
    reason: Reason,
    words: string,
    bytes: Uint8Array,
    from: number,
    to: number,
  ): void {
    this.#complaints.add(rule, reason, words, topic, bytes, from, to)
    if (!NO_DEAD_LETTER.has(reason))
      this.#deadLetters?.add(topic, rule, reason, words, bytes.slice(from, to), this.#context.clock.now())
  }

  /** All messages of a read are in the readings. */
  #read(group: AckGroup): void {
    this.#receivedMs = 0
    this.#outbox.send(this.#cargoes(), () => this.#settle(group))
  }

  /** What stands in the readings and dead letters, for the pipelines. */
  #cargoes(): Cargo[] {
    const { outputs } = this.#context
    const readings = this.#readings
    const cargoes: Cargo[] = []
    const add = (signal: Signal, bytes: Uint8Array, items: number): void => {
      const output = outputs[signal]
      if (output === undefined) this.#own.dropped.add(items)
      else cargoes.push({ signal, bytes, items, output })
    }
    for (const signal of ['metrics', 'logs'] as const) {
      const { items } = readings[signal]
      const bytes = readings[signal].take()
      if (bytes !== undefined) add(signal, bytes, items)
    }
    for (const { signal, bytes, items } of readings.requests.splice(0)) add(signal, bytes, items)
    this.#own.dropped.add(readings.dropped)
    readings.dropped = 0
    const dead = this.#deadLetters?.take()
    if (dead !== undefined) cargoes.push(dead)
    return cargoes
  }

  #settle(group: AckGroup): void {
    this.#session?.settle(group)
  }

  #refused(cargo: Cargo, error: DeliveryError): Cargo | undefined {
    const { signal, items } = cargo
    this.#metricsOf(signal).refused.add(items)
    this.#refusals.report(error, items, { signal })
    return cargo.isDead === true ? undefined : this.#deadLetters?.instead(cargo, error, this.#context.clock.now())
  }

  #full(what: 'source' | 'series'): void {
    if (what === 'series') this.#own.dropped.add(1)
    this.#memory.full(what)
  }

  #metricsOf(signal: Signal): ReceiverMetrics {
    let metrics = this.#counted.get(signal)
    if (metrics === undefined) {
      metrics = receiverMetrics(this.#context.meter, signal, 'mqtt')
      this.#counted.set(signal, metrics)
    }
    return metrics
  }
}

const reasonOf = (error: unknown): { reason: Reason; words: string } =>
  error instanceof BadPayload
    ? { reason: error.reason, words: error.message }
    : { reason: 'failed', words: error instanceof Error ? (error.stack ?? error.message) : String(error) }
