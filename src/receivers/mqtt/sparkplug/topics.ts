// What is known of each topic that has come: which message of whom it carries, and by which rule its readings are named.

import { isUtf8 } from 'node:buffer'
import { ByteTable } from '../../../collections/byte-table.ts'
import { encodeMarks, type Metrics, Naming, PLAIN_NAMING } from '../../../readings/naming.ts'
import type { Sources } from '../../../readings/sources.ts'
import { Stream } from '../../../readings/stream.ts'
import { parseSparkplugTopic, type SparkplugTopic } from '../../../sparkplug/topic.ts'
import { PayloadTimes } from '../event-times.ts'
import type { Rule } from '../topic-table.ts'
import { TOPIC_MAX_BYTES } from '../topics.ts'
import { Device } from './edge-node.ts'

/** Where brokers that know Sparkplug keep births. */
export const CERTIFICATES = '$sparkplug/certificates/'

export interface Entry {
  readonly key: Uint8Array
  readonly name: string
  readonly topic: SparkplugTopic
  readonly rule: Rule
  /** A birth that the broker keeps. */
  readonly isCertificate: boolean
  /** Of values that may be of long ago: of births, and of what the node has stored. */
  readonly oldTimes: PayloadTimes
}

export type NoEntry = 'no_rule' | 'bad_topic' | 'too_many_topics'

export class SparkplugTopics {
  /** For what we say ourselves. */
  readonly plain: Naming
  readonly #rules: readonly Rule[]
  readonly #oldTimes: ReadonlyMap<Rule, PayloadTimes>
  readonly #sources: Sources
  readonly #maxTopics: number
  readonly #table = new ByteTable<Entry>()

  constructor(
    rules: readonly Rule[],
    metrics: Metrics,
    sources: Sources,
    maxTopics: number,
    onBadClock: (rule: string, word: string) => void,
  ) {
    this.plain = new Naming(metrics, PLAIN_NAMING)
    this.#rules = rules
    this.#sources = sources
    this.#maxTopics = maxTopics
    this.#oldTimes = new Map(
      rules.map((rule) => [
        rule,
        new PayloadTimes({ ...rule.config.time, pastMaxMs: 0 }, (word) => onBadClock(rule.text, word)),
      ]),
    )
  }

  find(bytes: Uint8Array, from: number, to: number): Entry | NoEntry {
    return this.#table.find(bytes, from, to) ?? this.#make(bytes.slice(from, to))
  }

  named(name: string): Entry | NoEntry {
    return this.find(Buffer.from(name), 0, Buffer.byteLength(name))
  }

  /** The resource of a device: what its rule captures and adds, and who it is to Sparkplug. */
  device({ topic, name, rule }: Entry): Device {
    const { group, node, device } = topic
    const { attributes, topicAttribute } = rule.config
    const match = rule.config.topic.match(name.replace(CERTIFICATES, ''))
    const captured = match?.resource ?? []
    const resource: (readonly [string, string])[] = [...captured, ...attributes]
    if (match?.hasDevice !== true) resource.push(['device.id', device === '' ? node : device])
    resource.push(['sparkplug.group_id', group], ['sparkplug.edge_node_id', node])
    if (device !== '') resource.push(['sparkplug.device_id', device])
    if (topicAttribute !== '') resource.push([topicAttribute, name])
    const point = match?.point ?? []
    const marks = point.length === 0 ? undefined : encodeMarks(point)
    return new Device(device, new Stream(this.#sources, resource, rule.naming(undefined), marks))
  }

  #make(key: Uint8Array): Entry | NoEntry {
    if (key.length > TOPIC_MAX_BYTES || !isUtf8(key)) return 'bad_topic'
    const name = Buffer.from(key).toString()
    const isCertificate = name.startsWith(CERTIFICATES)
    const plain = isCertificate ? name.slice(CERTIFICATES.length) : name
    const topic = parseSparkplugTopic(plain)
    if (topic === undefined) return 'bad_topic'
    const rule = this.#rules.find(({ config }) => config.topic.match(plain) !== undefined)
    if (rule === undefined) return 'no_rule'
    if (this.#table.size >= this.#maxTopics) return 'too_many_topics'
    return this.#table.add({ key, name, topic, rule, isCertificate, oldTimes: this.#oldTimes.get(rule)! })
  }
}
