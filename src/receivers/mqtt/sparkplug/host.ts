// The connection of a Sparkplug host: a clean session of its own, STATE, rebirth requests. What comes goes to the reader.
//
//   connect    will: STATE offline, stamped with the moment of connecting
//   subscribe  the rules' topics; a primary also its own STATE
//   then       a primary publishes STATE online with the same stamp, and again whenever somebody says it is offline
//   stop       STATE offline with the present time, and only then DISCONNECT
//
// All data are QoS 0 and the session is clean, as hosts have to: what comes while we are away is lost to us, and births
// after it make the picture whole again.

import type { Clock } from '../../../graph/clock.ts'
import type { AckGroup } from '../../../net/mqtt/ack-line.ts'
import type { Announcement, Subscription } from '../../../net/mqtt/connection.ts'
import type { PublishFrame } from '../../../net/mqtt/frames.ts'
import { MqttSession, type SessionOptions } from '../../../net/mqtt/session.ts'
import { KIND, type Metrics } from '../../../readings/naming.ts'
import type { Readings } from '../../../readings/readings.ts'
import type { Sources } from '../../../readings/sources.ts'
import { Stream } from '../../../readings/stream.ts'
import type { Logger } from '../../../self/log.ts'
import type { Meter } from '../../../self/meter.ts'
import { nodeCommandTopic, stateTopic } from '../../../sparkplug/topic.ts'
import type { Reason } from '../complaints.ts'
import type { Rule } from '../topic-table.ts'
import type { BirthMemory } from './birth-memory.ts'
import type { SparkplugConfig } from './config.ts'
import { type HostMetrics, hostMetrics } from './host-metrics.ts'
import { type Node, SparkplugReader } from './reader.ts'
import { rebirthCommand } from './rebirth.ts'
import { parseState, stateBytes } from './state.ts'
import { CERTIFICATES, type Entry, SparkplugTopics } from './topics.ts'

/** What the receiver has for both of its connections. */
export interface HostSurroundings {
  readonly clock: Clock
  readonly log: Logger
  readonly meter: Meter
  readonly random: () => number
  readonly readings: Readings
  readonly sources: Sources
  readonly metrics: Metrics
  readonly maxTopics: number
  /** Sends what stands in the readings; `done` when it has been dealt with. */
  send(done: () => void): void
  unread(topic: string, rule: string, reason: Reason, words: string, bytes: Uint8Array, from: number, to: number): void
  badClock(rule: string, word: string, topic: string): void
  received(frame: PublishFrame): void
  connected(): void
  disconnected(error: Error): void
  paused(): void
}

export type HostSessionOptions = Omit<
  SessionOptions,
  'cleanStart' | 'sessionExpirySeconds' | 'subscriptions' | 'oldFilters' | 'will'
>

export class SparkplugHost {
  readonly reader: SparkplugReader
  readonly #config: SparkplugConfig
  readonly #around: HostSurroundings
  readonly #topics: SparkplugTopics
  readonly #rules: readonly Rule[]
  readonly #memory: BirthMemory | undefined
  readonly #own: HostMetrics
  readonly #states = new Map<string, Stream>()
  #entry: Entry | undefined
  #session: MqttSession | undefined
  #receivedMs = 0
  /** Of the present connection; STATE carries it. */
  #connectMs = 0
  #isStopping = false

  constructor(
    config: SparkplugConfig,
    rules: readonly Rule[],
    around: HostSurroundings,
    memory: BirthMemory | undefined,
  ) {
    this.#config = config
    this.#rules = rules
    this.#around = around
    this.#memory = memory
    const { readings, sources, metrics, maxTopics, clock, meter } = around
    this.#topics = new SparkplugTopics(rules, metrics, sources, maxTopics, (rule, word) =>
      around.badClock(rule, word, this.#entry?.name ?? ''),
    )
    this.reader = new SparkplugReader(config, this.#topics, readings, clock, {
      trouble: (entry, reason, words, bytes, from, to) =>
        around.unread(entry.name, entry.rule.text, reason, words, bytes, from, to),
      rebirth: (node, why) => this.#askForRebirth(node, why),
      ready: () => around.send(() => {}),
      born: (node, device) => this.#memory?.born(node, device),
      gap: (missing) => this.#own.missing.add(missing),
      ignored: () => this.#own.ignoredDeaths.add(1),
    })
    this.#own = hostMetrics(meter, this.reader)
  }

  async start(options: HostSessionOptions): Promise<void> {
    const { clock, log, random } = this.#around
    await this.#memory?.open(this.reader, this.#topics)
    const will = this.#config.role === 'primary' ? { will: () => this.#will() } : {}
    const subscriptions = this.#subscriptions()
    this.#session = new MqttSession(
      { ...options, ...will, cleanStart: true, sessionExpirySeconds: 0, subscriptions, oldFilters: [] },
      {
        message: (frame) => this.#take(frame),
        oversized: (frame, bytes) => {
          this.#around.received(frame)
          this.#unread(frame, '', 'too_large', `${bytes} bytes`)
        },
        read: (group) => this.#read(group),
        connected: () => this.#around.connected(),
        subscribed: () => this.#announce(true, this.#connectMs),
        disconnected: (error) => this.#disconnected(error),
        paused: () => this.#around.paused(),
      },
      { clock, log, random },
    )
    this.#session.start()
  }

  get unacked(): { readonly messages: number; readonly bytes: number } {
    return this.#session?.unacked ?? { messages: 0, bytes: 0 }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.reader.stop()
    this.#around.send(() => {})
    this.#announce(false, this.#around.clock.now())
    await this.#session?.stop(deadline)
    this.#session = undefined
    await this.#memory?.close()
  }

  #subscriptions(): Subscription[] {
    const filters = new Set(this.#rules.map(({ config }) => config.topic.filter))
    if (this.#config.certificates)
      for (const filter of [...filters]) if (filter.startsWith('spBv1.0/')) filters.add(`${CERTIFICATES}${filter}`)
    if (this.#config.role === 'primary') filters.add(stateTopic(this.#config.hostId))
    // Deaths and STATE are published with QoS 1; data come with their own QoS, which is 0.
    return [...filters].map((filter) => ({ filter, qos: 1, retainHandling: 0, noLocal: false }))
  }

  #will(): Announcement {
    this.#connectMs = this.#around.clock.now()
    return this.#state(false, this.#connectMs)
  }

  #state(online: boolean, timestamp: number): Announcement {
    const topic = stateTopic(this.#config.hostId)
    return { topic, payload: stateBytes(online, timestamp), qos: 1, retain: true }
  }

  #announce(online: boolean, timestamp: number): void {
    if (this.#config.role === 'primary') this.#session?.announce(this.#state(online, timestamp))
  }

  #take(frame: PublishFrame): void {
    this.#around.received(frame)
    const { payloadFrom: from, payloadTo: to, bytes } = frame
    const entry = this.#topics.find(frame.topicBytes, frame.topicFrom, frame.topicTo)
    if (typeof entry === 'string') {
      this.#unread(frame, '', entry, 'the topic cannot be used')
      return
    }
    this.#entry = entry
    if (this.#receivedMs === 0) this.#receivedMs = this.#around.clock.now()
    if (entry.topic.type === 'STATE') {
      this.#hostState(entry, bytes, from, to)
      return
    }
    const isOld = frame.retain || entry.isCertificate
    if (isOld && entry.rule.config.retained === 'skip') this.#unread(frame, entry.rule.text, 'retained', 'retained')
    else this.reader.take(entry, bytes, from, to, this.#receivedMs, isOld)
  }

  /** A host says whether it is there. Ours must not be called offline while we are here. */
  #hostState(entry: Entry, bytes: Uint8Array, from: number, to: number): void {
    const said = parseState(bytes, from, to)
    const { unread, readings } = this.#around
    if (said === undefined) {
      unread(entry.name, entry.rule.text, 'not_sparkplug', 'no STATE of a host', bytes, from, to)
      return
    }
    const { role, hostId } = this.#config
    if (role === 'primary' && entry.name === stateTopic(hostId) && !said.online && !this.#isStopping) {
      this.#announce(true, this.#connectMs)
      return
    }
    let stream = this.#states.get(entry.name)
    if (stream === undefined) {
      const attributes = [...entry.rule.config.attributes, ['sparkplug.host_id', entry.topic.node] as const]
      stream = new Stream(this.#around.sources, attributes, this.#topics.plain)
      this.#states.set(entry.name, stream)
    }
    readings.begin(stream, this.#receivedMs)
    readings.kind = KIND.GAUGE
    readings.readingOf('sparkplug.host.up', '1', said.online ? 1 : 0)
  }

  #read(group: AckGroup): void {
    this.#receivedMs = 0
    this.#around.send(() => this.#session?.settle(group))
  }

  #disconnected(error: Error): void {
    this.#around.disconnected(error)
    this.reader.forget(this.#around.clock.now())
    this.#around.send(() => {})
  }

  #askForRebirth(node: Node, why: string): void {
    if (this.#config.role === 'passive') return
    const { clock, log } = this.#around
    const now = clock.monotonic()
    if (now - node.askedMs < this.#config.rebirthEveryMs) return
    const topic = nodeCommandTopic(node.group, node.id)
    const payload = rebirthCommand(clock.now())
    if (this.#session?.announce({ topic, payload, qos: 0, retain: false }) !== true) return
    node.askedMs = now
    this.#own.rebirths.add(1)
    log.info('Asked an edge node for a rebirth.', { group: node.group, edge_node: node.id, because: why })
  }

  #unread(frame: PublishFrame, rule: string, reason: Reason, words: string): void {
    const topic = Buffer.from(frame.topicBytes.slice(frame.topicFrom, frame.topicTo)).toString()
    this.#around.unread(topic, rule, reason, words, frame.bytes, frame.payloadFrom, frame.payloadTo)
  }
}
