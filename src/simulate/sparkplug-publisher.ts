// The lines' connections to a broker: one for each edge node, with its NDEATH as the will. All data are QoS 0 and the session
// is clean, as Sparkplug asks for; what the broker misses while it is away comes afterwards as historical data.

import type { IClientOptions, MqttClient } from 'mqtt'
import type { PlantEvent } from '../plant/messages.ts'
import { idsOf, type Scenario } from '../plant/scenario.ts'
import { EdgeNode } from './edge-node.ts'
import type { BrokerOptions } from './options.ts'
import type { PublishTotals } from './publisher.ts'

const RECONNECT_MS = 1_000
const STOPS_WITHIN_MS = 2_000

export interface SparkplugPublisherOptions {
  readonly broker: BrokerOptions
  readonly group: string
  readonly scenario: Scenario
  readonly startMs: number
  /** A command that is not obeyed, once for each topic. */
  ignored(topic: string, why: string): void
}

interface Link {
  readonly name: string
  readonly node: EdgeNode
  client: MqttClient | undefined
}

export class SparkplugPublisher {
  lastError = ''
  readonly #options: SparkplugPublisherOptions
  readonly #counts = { connected: 0, sent: 0, underWay: 0, lost: 0 }
  readonly #links: Link[]
  readonly #byDevice = new Map<string, Link>()
  readonly #drained: (() => void)[] = []
  readonly #told = new Set<string>()
  #stopping = false

  constructor(options: SparkplugPublisherOptions) {
    this.#options = options
    const lines = new Map<string, string[]>()
    for (const spec of options.scenario.devices) {
      const devices = lines.get(spec.line) ?? []
      devices.push(...idsOf(spec))
      lines.set(spec.line, devices)
    }
    this.#links = [...lines].map(([name, devices]) => this.#link(name, devices))
  }

  get totals(): PublishTotals {
    return { ...this.#counts, waiting: this.#links.reduce((sum, { node }) => sum + node.waiting, 0) }
  }

  async start(): Promise<void> {
    const { connect } = await import('mqtt')
    await Promise.all(this.#links.map((link) => this.#connect(connect, link)))
  }

  take(event: PlantEvent): void {
    if (!this.#stopping) this.#byDevice.get(event.device)?.node.take(event)
  }

  async settled(atMost = 0): Promise<void> {
    while (this.#counts.underWay > atMost && !this.#stopping)
      await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  /** Says that it dies, then goodbye, so that no will is published. */
  async stop(): Promise<void> {
    this.#stopping = true
    for (const resolve of this.#drained.splice(0)) resolve()
    const clients = this.#links.flatMap(({ client, node }) => (client === undefined ? [] : [{ client, node }]))
    const end = ({ client, node }: { client: MqttClient; node: EdgeNode }): Promise<void> =>
      new Promise((resolve) => {
        const { topic, payload } = node.death
        if (client.connected) client.publish(topic, Buffer.from(payload), { qos: 0 })
        client.end(false, {}, () => resolve())
      })
    const { promise: patience, resolve: loseIt } = Promise.withResolvers<void>()
    const timer = setTimeout(loseIt, STOPS_WITHIN_MS)
    await Promise.race([Promise.all(clients.map(end)), patience])
    clearTimeout(timer)
    for (const { client } of clients) client.end(true)
  }

  #link(name: string, devices: readonly string[]): Link {
    const { group, startMs } = this.#options
    const link: Link = {
      name,
      client: undefined,
      node: new EdgeNode({
        group,
        node: name,
        devices,
        startMs,
        send: (topic, payload) => this.#send(link, topic, payload),
        lost: () => void this.#counts.lost++,
      }),
    }
    for (const device of devices) this.#byDevice.set(device, link)
    return link
  }

  #connect(connect: (url: string, options: IClientOptions) => MqttClient, link: Link): Promise<void> {
    const { broker, group } = this.#options
    const { url, username, password, ca, rejectUnauthorized, protocolVersion } = broker
    const { name, node } = link
    const will = () => ({
      topic: node.death.topic,
      payload: Buffer.from(node.death.payload),
      qos: 1 as const,
      retain: false,
    })
    const client = connect(url, {
      clientId: `simulated-${group}-${name}`,
      protocolVersion,
      clean: true,
      reconnectPeriod: RECONNECT_MS,
      resubscribe: false,
      queueQoSZero: false,
      rejectUnauthorized,
      ...(username === undefined ? {} : { username: username.replaceAll('{device_id}', name) }),
      ...(password === undefined ? {} : { password }),
      ...(ca === undefined ? {} : { ca }),
      will: will(),
    })
    link.client = client
    let isConnected = false
    client.on('close', () => {
      if (isConnected) this.#counts.connected--
      isConnected = false
      node.disconnected()
      client.options.will = will()
    })
    client.on('message', (topic, payload) => this.#command(node, topic, payload))
    return new Promise((resolve, reject) => {
      client.on('error', (error) => {
        this.lastError = error.message
        // A number is the broker's own answer (MQTT 3.1.1, 3.2.2.3); words are the system's, such as ECONNREFUSED.
        if (typeof (error as { code?: unknown }).code === 'number') reject(error)
      })
      client.on('connect', () => {
        if (!isConnected) this.#counts.connected++
        isConnected = true
        const filters = [`spBv1.0/${group}/NCMD/${name}`, `spBv1.0/${group}/DCMD/${name}/#`]
        // Commands are heard before the birth invites them.
        client.subscribe(filters, { qos: 1 }, (error) => {
          if (error) this.lastError = error.message
          if (client.connected) node.connected()
          resolve()
        })
      })
    })
  }

  #command(node: EdgeNode, topic: string, payload: Uint8Array): void {
    const why = node.command(topic, payload)
    if (why === undefined || this.#told.has(topic)) return
    this.#told.add(topic)
    this.#options.ignored(topic, why)
  }

  #send({ client }: Link, topic: string, payload: Uint8Array): void {
    this.#counts.underWay++
    client!.publish(topic, Buffer.from(payload.buffer, payload.byteOffset, payload.length), { qos: 0 }, (error) => {
      this.#counts.underWay--
      if (error) this.#counts.lost++
      else this.#counts.sent++
      for (const resolve of this.#drained.splice(0)) resolve()
    })
  }
}
