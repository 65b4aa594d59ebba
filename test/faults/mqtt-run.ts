// Runs an MQTT scenario: a router as a real process between a real broker and a moody sink, what happens to them by a seed,
// and the books.
//
//   devices ──QoS 1──▶ mosquitto ──▶ proxy ──▶ router (bin/millrace.js) ──OTLP/HTTP──▶ sink
//                         ▲            ▲          ▲                                     ▲
//                   SIGKILL, SIGTERM  cuts   SIGKILL, SIGTERM                         moods
//
// Two words are held to: what the router has acknowledged is at the sink; and what the broker has taken is too, unless the
// broker itself was killed with messages that it had only in memory (mosquitto writes its sessions behind their PUBACKs).

import { join } from 'node:path'
import { pause, RouterProcess } from '../../bench/rig/processes.ts'
import { Random } from '../../src/send/random.ts'
import { type Mosquitto, mosquitto } from '../support/mosquitto.ts'
import { freePorts } from '../support/router-process.ts'
import type { Ground } from '../support/server-process.ts'
import { Devices, deviceName } from './mqtt-devices.ts'
import { MqttProxy } from './mqtt-proxy.ts'
import { MqttSink, type MqttSinkMood } from './mqtt-sink.ts'

export type MqttFault = 'cut' | 'kill router' | 'restart router' | 'kill broker' | 'restart broker' | 'sink'

export interface MqttScenario {
  /** A promise. */
  readonly name: string
  readonly queue: 'none' | 'memory' | 'disk'
  /** One of them at a time, at random; the more often one stands here, the more often it happens. */
  readonly faults: readonly MqttFault[]
  /** Left out of the short form. */
  readonly longOnly?: boolean
}

export interface MqttBooks {
  readonly published: number
  /** By the broker, from the devices. */
  readonly taken: number
  /** By the router, to the broker. */
  readonly acknowledged: number
  /** Different ones at the sink. */
  readonly delivered: number
  /** Acknowledged by the router, and not at the sink. */
  readonly lost: number
  /** Taken by the broker, never acknowledged by the router, and not at the sink. */
  readonly lostByBroker: number
  readonly duplicates: number
  /** Devices whose numbers did not come in order, each at its first arrival. */
  readonly outOfOrder: readonly string[]
  readonly did: Readonly<Record<MqttFault, number>>
}

export interface MqttOutcome {
  readonly books: MqttBooks
  readonly faults: readonly string[]
  readonly log: readonly string[]
  readonly output: string
}

const DEVICES = 20
const MESSAGES_PER_SECOND = 1_000
const SERVE_MS = { from: 30, to: 400 }
const DRAIN_WITHIN_MS = 30_000
/** After a broker that may have lost something: nothing has come for so long. */
const QUIET_MS = 2_000
const MOODS: readonly MqttSinkMood[] = ['slow', 'refuse', 'cut', 'answer']

const file = (scenario: MqttScenario, broker: number, sink: number, folder: string): string => `${
  scenario.queue === 'disk'
    ? `extensions:
  file_storage: {directory: ${folder}, create_directory: true}
`
    : ''
}receivers:
  mqtt:
    brokers: [mqtt://127.0.0.1:${broker}]
    protocol_version: 5
    client_id: faults
    topic_alias_maximum: 0
    reconnect: {initial_interval: 20ms, max_interval: 100ms}
    retry: {initial_interval: 20ms, max_interval: 100ms}
    topics: [{topic: "devices/{device_id}/data", decoder: json_points}]
exporters:
  otlp_http:
    endpoint: http://127.0.0.1:${sink}
    compression: none
    timeout: 1s
    retry_on_failure: {initial_interval: 20ms, max_interval: 100ms, max_elapsed_time: 0s}
    sending_queue: {enabled: ${scenario.queue !== 'none'}, num_consumers: 1${
      scenario.queue === 'disk' ? ', storage: file_storage' : ''
    }}
service:
${scenario.queue === 'disk' ? '  extensions: [file_storage]\n' : ''}  telemetry:
    metrics: {level: none}
  pipelines:
    metrics: {receivers: [mqtt], exporters: [otlp_http]}
`

/** Ends what helpers of tests have started. */
class Ending implements Ground {
  readonly #ends: (() => unknown)[] = []

  after(end: () => unknown): void {
    this.#ends.push(end)
  }

  async release(): Promise<void> {
    for (const end of this.#ends.reverse()) await end()
  }
}

export class MqttFaultRun {
  readonly #scenario: MqttScenario
  readonly #random: Random
  readonly #ground = new Ending()
  readonly #router = new RouterProcess()
  readonly #sink = new MqttSink()
  readonly #log: string[] = []
  readonly #taken: [device: number, number: number][] = []
  readonly #acknowledged = new Set<string>()
  readonly #did: Record<MqttFault, number> = {
    cut: 0,
    'kill router': 0,
    'restart router': 0,
    'kill broker': 0,
    'restart broker': 0,
    sink: 0,
  }
  #broker!: Mosquitto
  #proxy!: MqttProxy
  #devices!: Devices
  #text = ''

  constructor(scenario: MqttScenario, seed: number) {
    this.#scenario = scenario
    this.#random = new Random(seed)
  }

  async run(forMs: number): Promise<MqttOutcome> {
    try {
      await this.#begin()
      const until = performance.now() + forMs
      while (performance.now() < until) {
        await pause(SERVE_MS.from + this.#random.below(SERVE_MS.to - SERVE_MS.from))
        await this.#happen(this.#pick(this.#scenario.faults))
      }
      return await this.#end()
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${this.#log.join('\n')}\n${this.#router.output}`, { cause: error })
    } finally {
      this.#devices?.close()
      await this.#router.end('SIGKILL')
      await this.#router.stop()
      this.#proxy?.close()
      this.#sink.close()
      await this.#ground.release()
    }
  }

  async #begin(): Promise<void> {
    const [brokerPort = 0] = await freePorts(1)
    const writesEachChange = ['autosave_interval 1', 'autosave_on_changes true']
    const kills = this.#scenario.faults.includes('kill broker')
    this.#broker = await mosquitto(this.#ground, brokerPort, kills ? writesEachChange : [])
    this.#proxy = new MqttProxy(brokerPort, (payload) => this.#acknowledged.add(keyOf(payload)))
    const port = await this.#proxy.listen()
    this.#text = file(this.#scenario, port, await this.#sink.listen(), join(this.#router.folder, 'queue'))
    await this.#startRouter()
    const options = { port: brokerPort, devices: DEVICES, messagesPerSecond: MESSAGES_PER_SECOND }
    this.#devices = new Devices(options, (device, number) => this.#taken.push([device, number]))
    this.#devices.start()
  }

  #pick<T>(all: readonly T[]): T {
    return all[this.#random.below(all.length)]!
  }

  async #startRouter(): Promise<void> {
    const before = this.#proxy.subscribed
    await this.#router.start(this.#text, async () => this.#proxy.subscribed > before)
  }

  async #happen(fault: MqttFault): Promise<void> {
    if (!this.#router.running) throw new Error('the router ended by itself')
    this.#did[fault]++
    const mood = this.#pick(MOODS)
    this.#log.push(fault === 'sink' ? `sink: ${mood}` : fault)
    switch (fault) {
      case 'cut':
        return this.#proxy.cut()
      case 'sink':
        this.#sink.mood = mood
        return
      case 'kill router':
        await this.#router.end('SIGKILL')
        return this.#startRouter()
      case 'restart router':
        return this.#restartRouter()
      case 'kill broker':
        await this.#broker.stop('SIGKILL')
        return this.#broker.start()
      case 'restart broker':
        await this.#broker.stop('SIGTERM')
        return this.#broker.start()
    }
  }

  async #restartRouter(): Promise<void> {
    // With the sink away what is in a queue in memory would be given up at the end of the router's patience.
    this.#sink.mood = 'answer'
    const code = await this.#router.end('SIGTERM')
    if (code !== 0) throw new Error(`SIGTERM ended the router with ${code}`)
    await this.#startRouter()
  }

  get #missing(): [device: number, number: number][] {
    return this.#taken.filter(([device, number]) => !this.#sink.has(deviceName(device), number))
  }

  async #end(): Promise<MqttOutcome> {
    this.#sink.mood = 'answer'
    this.#devices.finish()
    const until = performance.now() + DRAIN_WITHIN_MS
    let quietUntil = performance.now() + QUIET_MS
    let before = -1
    const mayLose = this.#did['kill broker'] > 0
    while (performance.now() < until) {
      const arrived = this.#sink.delivered + this.#sink.duplicates
      if (arrived !== before) quietUntil = performance.now() + QUIET_MS
      before = arrived
      const drained = this.#devices.open === 0 && this.#missing.length === 0
      if (drained || (mayLose && this.#devices.open === 0 && performance.now() > quietUntil)) break
      await pause(50)
    }
    const exitCode = await this.#router.end('SIGTERM')
    return this.#outcome(exitCode, mayLose)
  }

  #outcome(exitCode: number | null, mayLose: boolean): MqttOutcome {
    const lost = [...this.#acknowledged].filter((key) => {
      const [device = '', number] = key.split(' ')
      return !this.#sink.has(device, Number(number))
    })
    const lostByBroker = this.#missing.filter(([device, number]) => {
      return !this.#acknowledged.has(`${deviceName(device)} ${number}`)
    })
    const books: MqttBooks = {
      published: this.#devices.published,
      taken: this.#taken.length,
      acknowledged: this.#acknowledged.size,
      delivered: this.#sink.delivered,
      lost: lost.length,
      lostByBroker: lostByBroker.length,
      duplicates: this.#sink.duplicates,
      outOfOrder: this.#sink.outOfOrder(),
      did: this.#did,
    }
    const faults: string[] = []
    if (books.acknowledged === 0) faults.push('nothing was acknowledged')
    if (books.lost > 0) faults.push(`${books.lost} messages are lost: ${lost.slice(0, 5).join(', ')}`)
    if (books.lostByBroker > 0 && !mayLose)
      faults.push(`${books.lostByBroker} messages of the broker never came: ${lostByBroker.slice(0, 5).join(', ')}`)
    if (this.#devices.open > 0) faults.push(`the broker did not take ${this.#devices.open} messages`)
    // Without a queue batches are on their way side by side, and the next hop may read a later one first.
    if (books.outOfOrder.length > 0 && this.#scenario.queue !== 'none')
      faults.push(`out of order: ${books.outOfOrder.join(', ')}`)
    if (exitCode !== 0) faults.push(`SIGTERM ended the router with ${exitCode}`)
    if (this.#router.output.includes('invariant:')) faults.push('the router reports a broken invariant')
    return { books, faults, log: this.#log, output: this.#router.output }
  }
}

const keyOf = (payload: Buffer): string => {
  const { device_id, metrics } = JSON.parse(payload.toString())
  return `${device_id} ${metrics[0].value}`
}
