// Publishes each batch as messages on topics that are made from its attributes.
//
//   batch ──encoder──▶ consignment (messages) ──▶ session's line ──▶ broker
//         ◀── delivered when all of its messages are done ──
//
// A batch that is tried again goes on with the messages that are not done: what the broker has taken is not sent twice.
// Batches go out in the order in which the queue hands them over, and so do the messages of each topic.

import { DeliveryError } from '../../delivery/error.ts'
import type { Exporter, ExporterContext } from '../../graph/component.ts'
import { clientIdOf, type MqttClient, openClient } from '../../net/mqtt/client.ts'
import { Consignment } from '../../net/mqtt/outgoing.ts'
import { reasonWords } from '../../net/mqtt/reasons.ts'
import { MqttSession } from '../../net/mqtt/session.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { countRejected } from '../../self/exporter-metrics.ts'
import { FailureLog } from '../../sending/failure-log.ts'
import { RemoteHealth } from '../../sending/remote-health.ts'
import { Sending } from '../../sending/sending.ts'
import type { MqttExporterConfig } from './config.ts'
import { encoderOf } from './encodings/encodings.ts'
import type { Encoder, LeftOut } from './encodings/packing.ts'
import { type OwnMetrics, ownMetrics } from './own-metrics.ts'

const LEFT_OUT_WORDS: Readonly<Record<LeftOut, string>> = {
  absent_attribute: 'an attribute of the topic is not there',
  topic_too_long: 'the topic would be too long',
  no_number: 'the point is no single number, which is all that the encoding has',
}

export class MqttExporter implements Exporter {
  readonly #cfg: MqttExporterConfig
  readonly #context: ExporterContext
  readonly #encoders = new Map<Signal, Encoder>()
  readonly #sending: Sending
  readonly #own: OwnMetrics
  readonly #leftOut: FailureLog
  /** What became of a batch is known when it is tried again. */
  readonly #consignments = new WeakMap<Batch, Consignment>()
  /** Refusals that were told. */
  readonly #told = new Set<number>()
  #client: MqttClient | undefined
  #session: MqttSession | undefined
  #isConnected = false
  #disconnected = 'there was none yet'

  constructor(cfg: MqttExporterConfig, context: ExporterContext) {
    this.#cfg = cfg
    this.#context = context
    const { meter, log, clock } = context
    for (const signal of context.signals) this.#encoders.set(signal, encoderOf(cfg, signal, context.id))
    this.#own = ownMetrics(meter, {
      inFlight: () => this.#session?.outgoing.inFlight ?? 0,
      repeated: () => this.#session?.outgoing.repeated ?? 0,
    })
    this.#leftOut = new FailureLog(log, clock, 'warn', 'Items could not be published.', 'dropped_items')
    const health = new RemoteHealth(context, () => this.#isConnected)
    health.observe(meter, cfg.brokers[0] ?? '')
    this.#sending = new Sending(
      context,
      cfg,
      health.watch((batch, signal) => this.#push(batch, signal)),
    )
  }

  async start(): Promise<void> {
    const cfg = this.#cfg
    const { log, clock, random, id, shards } = this.#context
    this.#client = openClient(cfg, { log, clock })
    // A receiver of the same name would be thrown out by us, and we by it.
    const clientId = clientIdOf(cfg.clientId, `${id}-exporter`)
    const session = new MqttSession(
      {
        ...this.#client.options,
        clientId: shards.count === 1 ? clientId : `${clientId}-${shards.index}`,
        cleanStart: false,
        ownSessionOnly: true,
        sessionExpirySeconds: Math.min(0xffffffff, Math.floor(cfg.sessionExpiryMs / 1000)),
        receiveMaximum: 65_535,
        topicAliasMaximum: 0,
        maxPacketBytes: cfg.maxPacketBytes,
        subscriptions: [],
        oldFilters: [],
        maxUnackedMessages: 1,
        maxUnackedBytes: 1024,
        outgoing: {
          maxInFlight: cfg.maxInFlight,
          maxAliases: cfg.topicAliasMaximum,
          maxPacketBytes: cfg.maxPacketBytes,
        },
      },
      {
        message: () => {},
        oversized: () => {},
        read: (group) => session.settle(group),
        connected: (broker, _version, { maxQos, retainAvailable }) => {
          this.#own.connections.add(1)
          this.#own.connected.set(1)
          this.#isConnected = true
          this.#context.report('ok')
          if (maxQos < cfg.qos) log.warn('the broker takes a lower QoS only', { asked: cfg.qos, granted: maxQos })
          if (cfg.retain && !retainAvailable) log.warn('the broker retains no messages', { broker: broker.words })
        },
        subscribed: () => {},
        disconnected: (error) => {
          this.#own.connected.set(0)
          this.#isConnected = false
          this.#disconnected = error.message
          this.#context.report('recoverable', error)
        },
        paused: () => {},
      },
      { clock, log, random },
    )
    this.#session = session
    session.start()
    await this.#sending.start()
  }

  export(batch: Batch): void {
    this.#sending.send(batch)
  }

  async stop(deadline: AbortSignal = AbortSignal.abort()): Promise<void> {
    await this.#sending.stop(deadline)
    await this.#session?.stop(deadline)
    this.#session = undefined
    this.#client?.stop()
    this.#client = undefined
    this.#leftOut.flush()
  }

  #push(batch: Batch, signal: AbortSignal): Promise<void> {
    const session = this.#session
    if (session === undefined)
      throw new DeliveryError('EXPORTER_NOT_STARTED', 'the exporter is not started', { retry: 'backoff' })
    const consignment = this.#consignments.get(batch) ?? this.#encode(batch)
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        consignment.onEnd = nothing
        session.outgoing.withdraw(consignment)
        reject(this.#isConnected ? signal.reason : this.#noConnection(signal.reason))
      }
      signal.addEventListener('abort', abort, { once: true })
      consignment.onEnd = () => {
        signal.removeEventListener('abort', abort)
        const error = this.#outcome(batch, consignment)
        if (error === undefined) resolve()
        else reject(error)
      }
      session.outgoing.send(consignment)
    })
  }

  #encode(batch: Batch): Consignment {
    const { list, leftOut } = this.#encoders.get(batch.signal)!.encode(batch)
    for (const [reason, items] of leftOut) {
      this.#own.leftOut(reason).add(items)
      const words = LEFT_OUT_WORDS[reason]
      this.#leftOut.report(new DeliveryError('MQTT_NOT_PUBLISHABLE', words, { retry: 'never' }), items, {
        topic: this.#cfg.topic.text,
      })
    }
    this.#own.bytes.add(list.text.length)
    const consignment = new Consignment(list, this.#cfg.qos as 0 | 1 | 2, this.#cfg.retain)
    this.#consignments.set(batch, consignment)
    return consignment
  }

  /** Counts what the broker said of a batch whose messages have all been answered; an error where it is not delivered. */
  #outcome(batch: Batch, consignment: Consignment): DeliveryError | undefined {
    const { list, refused, failure } = consignment
    let messages = 0
    let items = 0
    let words = ''
    for (const [code, counts] of refused) {
      messages += counts.messages
      items += counts.items
      words = reasonWords(code)
      this.#own.refused(words).add(counts.messages)
      if (this.#told.has(code)) continue
      this.#told.add(code)
      this.#context.log.error('the broker refuses messages', { reason: words, topic: counts.topic })
    }
    refused.clear()
    this.#own.messages.add(consignment.takeDone())
    if (failure !== undefined) {
      if (items > 0) countRejected(this.#context.meter, batch.signal, items)
      return new DeliveryError('NEXT_HOP_REFUSED', `the broker takes no messages now: ${reasonWords(failure)}`, {
        retry: 'backoff',
      })
    }
    if (messages > 0 && messages === list.count)
      return new DeliveryError('NEXT_HOP_REFUSED', `the broker refused all messages: ${words}`, { retry: 'never' })
    if (items > 0) countRejected(this.#context.meter, batch.signal, items)
    return undefined
  }

  #noConnection(cause: unknown): DeliveryError {
    const words = `no connection to a broker: ${this.#disconnected}`
    return new DeliveryError('NEXT_HOP_NO_ANSWER', words, { retry: 'backoff', cause })
  }
}

const nothing = (): void => {}
