// For tests of the reader: edge nodes whose messages a test writes, and what becomes of them, one line for each point.

import { parseConfig } from '../../src/config/testing.ts'
import { checkRequest } from '../../src/otlp/check.ts'
import { bytesToJson } from '../../src/otlp/json/index.ts'
import { Metrics } from '../../src/readings/naming.ts'
import { Readings } from '../../src/readings/readings.ts'
import { Sources } from '../../src/readings/sources.ts'
import { rule as ruleConfig } from '../../src/receivers/mqtt/config.ts'
import { Definitions } from '../../src/receivers/mqtt/decoders/definitions.ts'
import { Discovery } from '../../src/receivers/mqtt/decoders/discovery.ts'
import { sparkplugConfig } from '../../src/receivers/mqtt/sparkplug/config.ts'
import { SparkplugReader } from '../../src/receivers/mqtt/sparkplug/reader.ts'
import { type Entry, SparkplugTopics } from '../../src/receivers/mqtt/sparkplug/topics.ts'
import { Rule } from '../../src/receivers/mqtt/topic-table.ts'
import { FakeClock } from './fake-clock.ts'
import { encodeSparkplug, type PlainMetric } from './sparkplug.ts'

export const NOW_MS = 1_767_225_600_000

/** Names of data types are in TYPE of src/sparkplug/numbers.ts. */
export interface Sent {
  readonly seq?: number
  readonly timestamp?: number
  readonly metrics?: readonly PlainMetric[]
}

export class SparkplugRig {
  readonly clock = new FakeClock(NOW_MS)
  readonly troubles: string[] = []
  readonly rebirths: string[] = []
  readonly reader: SparkplugReader
  readonly out: Readings
  missing = 0
  ignored = 0
  readonly #topics: SparkplugTopics

  constructor(config: object = {}, rule: object = {}) {
    const metrics = new Metrics()
    const sources = new Sources({ maxSources: 1000, maxSeries: 10_000, onFull: (what) => this.troubles.push(what) })
    const parsed = parseConfig(ruleConfig, { topic: 'spBv1.0/#', decoder: 'sparkplug_b', ...rule })
    const shared = { discovery: new Discovery(), definitions: new Definitions() }
    const rules = [new Rule(parsed, metrics, shared, () => {})]
    this.out = new Readings({
      scope: 'test',
      sources,
      takesMetrics: true,
      takesLogs: true,
      device: () => {
        throw new Error('no payload of Sparkplug names a device')
      },
    })
    this.#topics = new SparkplugTopics(rules, metrics, sources, 1000, () => {})
    this.reader = new SparkplugReader(parseConfig(sparkplugConfig, config), this.#topics, this.out, this.clock, {
      trouble: (_entry, reason) => this.troubles.push(reason),
      rebirth: (node, why) => this.rebirths.push(`${node.id}: ${why}`),
      ready: () => {},
      born: () => {},
      gap: (missing) => {
        this.missing += missing
      },
      ignored: () => {
        this.ignored++
      },
    })
  }

  entry(what: string): Entry {
    const entry = this.#topics.named(`spBv1.0/G/${what}`)
    if (typeof entry === 'string') throw new Error(entry)
    return entry
  }

  /** `what` is such as `NBIRTH/E` or `DDATA/E/D`, of group G. */
  send(what: string, payload: Sent | Uint8Array, isOld = false): this {
    const entry = this.entry(what)
    const inner = payload instanceof Uint8Array ? payload : encodeSparkplug({ timestamp: NOW_MS, ...payload } as Sent)
    const bytes = new Uint8Array(Buffer.concat([Buffer.from('xyz'), inner, Buffer.from('z')]))
    this.reader.take(entry, bytes, 3, 3 + inner.length, this.clock.now(), isOld)
    return this
  }

  /** Everything since the last call, checked as a door would: `device name=value{marks}`; `name=-` is a point without value. */
  taken(): string[] {
    const lines: string[] = []
    const metrics = this.#request('metrics')
    for (const { resource, scopeMetrics } of metrics.resourceMetrics ?? [])
      for (const metric of scopeMetrics[0].metrics)
        for (const point of (metric.gauge ?? metric.sum).dataPoints) {
          const value = point.asDouble ?? (point.asInt === undefined ? '-' : `${point.asInt}i`)
          lines.push(`${deviceOf(resource)} ${metric.name}=${value}${metric.unit ?? ''}${marksOf(point)}`)
        }
    for (const { resource, scopeLogs } of this.#request('logs').resourceLogs ?? [])
      for (const record of scopeLogs[0].logRecords)
        lines.push(
          `${deviceOf(resource)} log ${record.eventName ?? JSON.stringify(record.body?.stringValue ?? record.body)}${marksOf(record)}`,
        )
    return lines
  }

  /** The same without what is said of devices coming and going. */
  values(): string[] {
    return this.taken().filter((line) => !line.includes('manufacturing.device.'))
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed JSON
  #request(signal: 'metrics' | 'logs'): any {
    const sheet = this.out[signal]
    const { items } = sheet
    const bytes = sheet.take()
    if (bytes === undefined) return {}
    const counted = checkRequest(signal, bytes)
    if (counted !== items) throw new Error(`${items} items were counted, ${counted} are there`)
    return JSON.parse(bytesToJson(signal, [bytes]))
  }
}

type Attributes = { attributes?: { key: string; value: Record<string, unknown> }[] }

const deviceOf = ({ attributes = [] }: Attributes): string =>
  String(attributes.find(({ key }) => key === 'device.id')?.value.stringValue)

function marksOf({ attributes = [] }: Attributes): string {
  if (attributes.length === 0) return ''
  return `{${attributes.map(({ key, value }) => `${key}=${Object.values(value)[0]}`).join()}}`
}
