// The devices' connections to a broker: one for each, with a last will, so that a broker sees of each what it would see of
// a real one; or one for all.

import type { IClientOptions, MqttClient } from 'mqtt'
import { type PlantEvent, type TopicMessage, topicMessage } from '../plant/messages.ts'
import type { BrokerOptions } from './options.ts'

export interface PublishTotals {
  connected: number
  /** Messages that the broker has (at QoS 0: that were written). */
  sent: number
  /** Handed to the connection, and not acknowledged yet. */
  underWay: number
  /** Kept while the broker is away. */
  waiting: number
  /** Given up: the oldest of too many. */
  lost: number
}

/** Messages that one connection keeps while the broker is away. */
const MAX_WAITING = 10_000
const RECONNECT_MS = 1_000
const STOPS_WITHIN_MS = 2_000
/** Connecting a thousand devices at once would be refused by a broker that has its wits about it. */
const CONNECT_SIDE_BY_SIDE = 20

interface Link {
  readonly client: MqttClient
  readonly waiting: TopicMessage[]
  /** The last retained message of each topic: said again after a reconnect, in the will's place. */
  readonly retained: Map<string, TopicMessage>
}

export class Publisher {
  readonly totals: PublishTotals = { connected: 0, sent: 0, underWay: 0, waiting: 0, lost: 0 }
  /** Why the last connection failed. */
  lastError = ''
  readonly #options: BrokerOptions
  readonly #links = new Map<string, Link>()
  readonly #drained: (() => void)[] = []
  #stopping = false

  constructor(options: BrokerOptions) {
    this.#options = options
  }

  /** Resolves when every connection is there; keeps trying while nobody answers. Rejects when the broker refuses one. */
  async start(devices: readonly string[]): Promise<void> {
    const { connect } = await import('mqtt')
    const names = this.#options.oneConnection ? ['plant'] : devices
    for (let at = 0; at < names.length; at += CONNECT_SIDE_BY_SIDE)
      await Promise.all(names.slice(at, at + CONNECT_SIDE_BY_SIDE).map((name) => this.#connect(connect, name)))
  }

  take(event: PlantEvent): void {
    const link = this.#links.get(this.#options.oneConnection ? 'plant' : event.device)
    if (link === undefined || this.#stopping) return
    if (event.kind === 'message') this.#publish(link, topicMessage(event))
    else if (this.#options.oneConnection) return
    else if (event.kind === 'connected') {
      const { client } = link
      client.options.reconnectPeriod = RECONNECT_MS
      // What was under way is sent again.
      client.reconnect({ outgoingStore: client.outgoingStore, incomingStore: client.incomingStore })
    } else {
      // The device stays away until the plant says otherwise. Without a DISCONNECT the broker publishes its will.
      link.client.options.reconnectPeriod = 0
      link.client.stream.destroy()
    }
  }

  /** Resolves once no more than `atMost` messages are under way or waiting for a connection. */
  async settled(atMost = 0): Promise<void> {
    while (this.totals.underWay + this.totals.waiting > atMost && !this.#stopping)
      await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  /** Says goodbye, so that no will is published. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const resolve of this.#drained.splice(0)) resolve()
    const end = (client: MqttClient): Promise<void> => new Promise((resolve) => client.end(false, {}, () => resolve()))
    // A device that is away just now may never hear that it has ended. The timer also keeps the process alive until then.
    const { promise: patience, resolve: loseIt } = Promise.withResolvers<void>()
    const timer = setTimeout(loseIt, STOPS_WITHIN_MS)
    await Promise.race([Promise.all([...this.#links.values()].map(({ client }) => end(client))), patience])
    clearTimeout(timer)
    for (const { client } of this.#links.values()) client.end(true)
  }

  #connect(connect: (url: string, options: IClientOptions) => MqttClient, name: string): Promise<void> {
    const { url, username, password, ca, rejectUnauthorized, protocolVersion, oneConnection } = this.#options
    const client = connect(url, {
      clientId: `simulated-${name}`,
      protocolVersion,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      queueQoSZero: false,
      rejectUnauthorized,
      ...(username === undefined ? {} : { username: username.replaceAll('{device_id}', name) }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
      ...(oneConnection ? {} : { will: willOf(name) }),
    })
    const link: Link = { client, waiting: [], retained: new Map() }
    this.#links.set(name, link)
    let isConnected = false
    client.on('error', (error) => {
      this.lastError = error.message
    })
    client.on('close', () => {
      if (isConnected) this.totals.connected--
      isConnected = false
    })
    return new Promise((resolve, reject) => {
      client.on('error', (error) => {
        // A number is the broker's own answer (MQTT 3.1.1, 3.2.2.3); words are the system's, such as ECONNREFUSED.
        if (typeof (error as { code?: unknown }).code === 'number') reject(error)
      })
      client.on('connect', () => {
        if (!isConnected) this.totals.connected++
        isConnected = true
        for (const message of link.retained.values()) this.#send(link, message)
        for (const message of link.waiting.splice(0)) {
          this.totals.waiting--
          this.#send(link, message)
        }
        resolve()
      })
    })
  }

  #publish(link: Link, message: TopicMessage): void {
    if (message.retain) link.retained.set(message.topic, message)
    if (link.client.connected) {
      this.#send(link, message)
      return
    }
    if (message.retain) return // said again with the connection
    link.waiting.push(message)
    this.totals.waiting++
    if (link.waiting.length <= MAX_WAITING) return
    link.waiting.shift()
    this.totals.waiting--
    this.totals.lost++
  }

  #send({ client }: Link, { topic, payload, retain }: TopicMessage): void {
    this.totals.underWay++
    client.publish(topic, payload, { qos: this.#options.qos, retain }, (error) => {
      this.totals.underWay--
      if (error) this.totals.lost++
      else this.totals.sent++
      for (const resolve of this.#drained.splice(0)) resolve()
    })
  }
}

const willOf = (device_id: string) => ({
  topic: `devices/${device_id}/status`,
  payload: Buffer.from(JSON.stringify({ device_id, status: 'Offline' })),
  qos: 1 as const,
  retain: true,
})
