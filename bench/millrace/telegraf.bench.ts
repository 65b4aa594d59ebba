// Millrace and Telegraf beside each other, round by round by turns: the messages of mqtt/json-points-* to InfluxDB's lines over
// HTTP, unpacked; Millrace to OTLP over gRPC as well, which is what it sends most cheaply. Items are points.
//
//   mqtt-peers/json-points-qos0   as fast as each takes them
//   mqtt-peers/json-points-qos1   acknowledged when the next hop has answered

import { once } from 'node:events'
import { createServer } from 'node:http'
import { type BenchResult, type MeasureOptions, measured } from '../functions/harness.ts'
import { median } from '../results.ts'
import { BlasterProcess, freePort, pause, RouterProcess, SinkProcess, type StartOptions } from '../rig/processes.ts'
import { findTelegraf } from '../suts.ts'
import { mqttGatewayFile } from './mqtt.bench.ts'

const POINTS = 5
const DEVICES = 200
const ROUNDS = 3
const DRAIN_MS = 120_000

const telegrafFile = (brokerPort: number, sinkPort: number, qos: 0 | 1): string => `[agent]
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  flush_interval = "200ms"
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:${brokerPort}"]
  topics = ["devices/+/data"]
  qos = ${qos}
  client_id = "telegraf"
  persistent_session = ${qos === 1}
  max_undelivered_messages = 20000
  topic_tag = ""
  data_format = "json_v2"
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "reading"
    timestamp_path = "timestamp"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.tag]]
      path = "device_id"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = "metrics"
      tags = ["name", "unit"]
[[outputs.influxdb]]
  urls = ["http://127.0.0.1:${sinkPort}"]
  database = "plant"
  skip_database_creation = true
  content_encoding = "identity"
`

/** Takes lines, and counts them. */
class LineSink {
  lines = 0
  readonly #server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) this.lines++
    })
    request.on('end', () => response.writeHead(204).end())
  })

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as { port: number }).port
  }

  /** Lines that have come, when there are so many, or in vain. */
  async settled(wanted: number): Promise<number> {
    for (const until = performance.now() + DRAIN_MS; this.lines < wanted && performance.now() < until; ) await pause(20)
    return this.lines
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }
}

const influxFile = (brokerPort: number, sinkPort: number, qos: 0 | 1, metricsPort: number): string => `receivers:
  mqtt:
    brokers: [mqtt://127.0.0.1:${brokerPort}]
    topics: [{topic: "devices/{device_id}/data", decoder: json_points, qos: ${qos}}]
exporters:
  influxdb:
    endpoint: http://127.0.0.1:${sinkPort}
    bucket: plant
    schema: plant
    precision: ms
    sending_queue: {enabled: false}
service:
  telemetry:
    logs: {level: warn}
    metrics: {readers: [{pull: {exporter: {prometheus: {host: 127.0.0.1, port: ${metricsPort}}}}}]}
  pipelines:
    metrics: {receivers: [mqtt], exporters: [influxdb]}
`

interface Contestant {
  readonly name: string
  readonly warmUpMessages: number
  readonly roundMessages: number
  readonly version: 4 | 5
  readonly start: StartOptions
  file(brokerPort: number): Promise<string>
  /** Points that have come, when there are so many, or in vain. */
  arrived(points: number): Promise<number>
}

class Lane {
  readonly contestant: Contestant
  readonly broker = new BlasterProcess()
  readonly router = new RouterProcess()
  readonly rounds: { cpu: number; perSecond: number }[] = []
  #expected = 0

  constructor(contestant: Contestant) {
    this.contestant = contestant
  }

  async open(qos: 0 | 1): Promise<void> {
    const { version, warmUpMessages, start } = this.contestant
    const port = await this.broker.open({ qos, devices: DEVICES, version })
    const subscribed = this.broker.subscribed()
    await this.router.start(
      await this.contestant.file(port),
      async () => {
        await subscribed
        return true
      },
      start,
    )
    await this.#run(warmUpMessages)
  }

  async round(): Promise<void> {
    this.rounds.push(await this.#run(this.contestant.roundMessages))
  }

  async #run(messages: number): Promise<{ cpu: number; perSecond: number }> {
    const before = this.router.usage().cpuSeconds
    const sent = await this.broker.go(messages)
    this.#expected += sent.messages * POINTS
    const points = await this.contestant.arrived(this.#expected)
    if (points !== this.#expected) throw new Error(`${this.contestant.name}: ${this.#expected} sent, ${points} came`)
    const cpu = this.router.usage().cpuSeconds - before
    return { cpu: (cpu / (sent.messages * POINTS)) * 1e6, perSecond: sent.messages / (sent.wallMs / 1000) }
  }

  result(name: string): BenchResult {
    return {
      name: `${name}/${this.contestant.name}`,
      items: this.rounds.length * this.contestant.roundMessages * POINTS,
      cpuSecondsPerMillionItems: median(this.rounds.map(({ cpu }) => cpu)),
      itemsPerSecond: median(this.rounds.map(({ perSecond }) => perSecond)) * POINTS,
      peakRssBytes: this.router.usage().peakRssBytes,
      notes: { 'messages/s': Math.round(median(this.rounds.map(({ perSecond }) => perSecond))) },
    }
  }

  async close(): Promise<void> {
    this.broker.stop()
    await this.router.stop()
  }
}

async function measure(name: string, qos: 0 | 1, { rounds }: MeasureOptions): Promise<BenchResult[]> {
  const telegraf = findTelegraf((line) => console.error(line))
  if ('missing' in telegraf) throw new Error(`telegraf: ${telegraf.missing}`)
  const sink = await new SinkProcess({ signal: 'metrics' }).start()
  const lines = new LineSink()
  const linesPort = await lines.listen()
  const ownLines = new LineSink()
  const ownLinesPort = await ownLines.listen()
  const lanes = [
    new Lane({
      name: 'millrace',
      warmUpMessages: 200_000,
      roundMessages: 200_000,
      version: 5,
      start: {},
      file: async (port) => mqttGatewayFile(port, sink.grpcPort, { qos }, await freePort()),
      arrived: async (points) => (await sink.settled(points, DRAIN_MS)).items,
    }),
    new Lane({
      name: 'millrace-lines',
      warmUpMessages: 200_000,
      roundMessages: 200_000,
      version: 5,
      start: {},
      file: async (port) => influxFile(port, ownLinesPort, qos, await freePort()),
      arrived: (points) => ownLines.settled(points),
    }),
    new Lane({
      name: 'telegraf',
      warmUpMessages: 10_000,
      roundMessages: 40_000,
      version: 4,
      start: { command: telegraf.command },
      file: async (port) => telegrafFile(port, linesPort, qos),
      arrived: (points) => lines.settled(points),
    }),
  ]
  try {
    for (const lane of lanes) await lane.open(qos)
    for (let round = 0; round < Math.min(ROUNDS, rounds); round++) for (const lane of lanes) await lane.round()
    const results = lanes.map((lane) => lane.result(name))
    const peer = results.at(-1)!.cpuSecondsPerMillionItems!
    return results.map((result, i) => {
      if (i === results.length - 1) return result
      const times = Number((peer / result.cpuSecondsPerMillionItems!).toFixed(1))
      return { ...result, notes: { ...result.notes, 'times less CPU than telegraf': times } }
    })
  } finally {
    for (const lane of lanes) await lane.close()
    sink.stop()
    lines.close()
    ownLines.close()
  }
}

export default ([0, 1] as const).map((qos) => {
  const name = `mqtt-peers/json-points-qos${qos}`
  return measured({ name, measure: (options) => measure(name, qos, options) })
})
