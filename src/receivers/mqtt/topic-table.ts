// What is known of each topic that has come: its rule, its decoder, who its readings are from. Made when the topic comes
// first, and found by its bytes from then on.

import { isUtf8 } from 'node:buffer'
import { ByteTable } from '../../collections/byte-table.ts'
import { BadPayload } from '../../readings/bad-payload.ts'
import { encodeMarks, KIND, type Metrics, Naming, type NamingRules } from '../../readings/naming.ts'
import type { Sources } from '../../readings/sources.ts'
import { Stream } from '../../readings/stream.ts'
import { toUcum } from '../../readings/units.ts'
import type { RuleConfig } from './config.ts'
import type { Decode, DecoderContext } from './decoders/decoder.ts'
import { findDecoder } from './decoders/decoders.ts'
import { PayloadTimes } from './event-times.ts'
import { TOPIC_MAX_BYTES, type TopicMatch } from './topics.ts'

/** A rule of the configuration, ready. */
export class Rule {
  readonly config: RuleConfig
  readonly text: string
  readonly decode: Decode
  readonly times: PayloadTimes
  /** Numbers for texts. */
  readonly words: ReadonlyMap<string, number>
  readonly #metrics: Metrics
  readonly #names: NamingRules
  /** Of topics that are no part of a name. */
  readonly #plain: Naming
  /** By what the topic gives to the name. */
  readonly #prefixed = new Map<string, Naming>()

  /** `shared` is what all rules of the receiver know. */
  constructor(
    config: RuleConfig,
    metrics: Metrics,
    shared: Pick<DecoderContext, 'discovery' | 'definitions'>,
    onBadClock: (word: string) => void,
  ) {
    this.config = config
    this.text = config.topic.text
    this.times = new PayloadTimes(config.time, onBadClock)
    this.words = config.words
    this.decode = findDecoder(config.decoder)!.create({ words: config.words, paths: config.paths, ...shared })
    this.#metrics = metrics
    const counters = config.counters.map(wildcard)
    this.#names = {
      kindOf: (name) => (counters.some((pattern) => pattern.test(name)) ? KIND.COUNTER : KIND.GAUGE),
      unitOf: (unit) => (unit === '' ? '' : toUcum(unit)),
    }
    this.#plain = new Naming(metrics, this.#names)
  }

  naming(prefix: string | undefined): Naming {
    if (prefix === undefined) return this.#plain
    const known = this.#prefixed.get(prefix)
    if (known !== undefined) return known
    const naming = new Naming(this.#metrics, this.#names, prefix)
    this.#prefixed.set(prefix, naming)
    return naming
  }

  /** Topics that come anew make their names anew. */
  forgetNames(): void {
    this.#prefixed.clear()
  }
}

const wildcard = (text: string): RegExp =>
  new RegExp(`^${text.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')}$`, 's')

interface DeviceStream {
  readonly key: Uint8Array
  readonly stream: Stream
}

export class Topic {
  readonly key: Uint8Array
  readonly name: string
  readonly rule: Rule
  /** For payloads that name no device. */
  readonly stream: Stream
  /** See Message.ownName. */
  readonly ownName: Uint8Array
  /** Kept for devices that payloads name; undefined where the topic names one. There may be very many topics. */
  readonly #match: TopicMatch | undefined
  #devices: ByteTable<DeviceStream> | undefined
  /** Of Sources, when a message came last. */
  generation = 0
  #last: DeviceStream | undefined

  constructor(key: Uint8Array, name: string, rule: Rule, match: TopicMatch, sources: Sources) {
    this.key = key
    this.name = name
    this.rule = rule
    this.#match = match.hasDevice ? undefined : match
    this.ownName = match.metric === undefined ? Buffer.from(name.slice(name.lastIndexOf('/') + 1)) : NOTHING
    this.stream = this.#stream(match, sources, undefined)
  }

  /** Devices that it has brought, with metrics or without. */
  get devices(): number {
    return (this.#devices?.size ?? 0) + (this.stream.isKnown ? 1 : 0)
  }

  /** Metrics in the latest message of each device; an idea of how many series there are. */
  get series(): number {
    let series = this.stream.shape.length
    for (const { stream } of this.#devices ?? []) series += stream.shape.length
    return series
  }

  /** Devices that are forgotten are named anew. */
  forget(): void {
    this.#last = undefined
    const before = this.#devices
    this.#devices = undefined
    for (const device of before ?? [])
      if (device.stream.isKnown) {
        this.#devices ??= new ByteTable()
        this.#devices.add(device)
      }
  }

  /** The stream of a device that the payload names. The topic's own device stands above it: brokers guard topics. */
  device(sources: Sources, bytes: Uint8Array, from: number, to: number): Stream {
    const match = this.#match
    if (match === undefined || from === to) return this.stream
    const last = this.#last
    if (last !== undefined && isSame(last.key, bytes, from, to)) return last.stream
    this.#devices ??= new ByteTable()
    const known = this.#devices.find(bytes, from, to)
    if (known !== undefined) {
      this.#last = known
      return known.stream
    }
    const key = bytes.slice(from, to)
    if (!isUtf8(key)) throw new BadPayload('not_utf8', 'a device id is not UTF-8')
    if (key.length > DEVICE_ID_MAX_BYTES) throw new BadPayload('bad_name', `a device id of ${key.length} bytes`)
    const stream = this.#stream(match, sources, Buffer.from(key).toString())
    // One for which there is no room is asked for again: a table of those would have no bound.
    if (stream.source !== undefined) this.#last = this.#devices.add({ key, stream })
    return stream
  }

  #stream({ resource: captured, point, metric }: TopicMatch, sources: Sources, device: string | undefined): Stream {
    const { attributes, topicAttribute } = this.rule.config
    const resource = [...captured, ...attributes]
    if (device !== undefined) resource.push(['device.id', device])
    if (topicAttribute !== '') resource.push([topicAttribute, this.name])
    const marks = point.length === 0 ? NOTHING : encodeMarks(point)
    return new Stream(sources, resource, this.rule.naming(metric), marks)
  }
}

const DEVICE_ID_MAX_BYTES = 256
const NOTHING = new Uint8Array(0)

function isSame(key: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean {
  if (to - from !== key.length) return false
  for (let i = 0; i < key.length; i++) if (bytes[from + i] !== key[i]) return false
  return true
}

export type Unknown = 'no_rule' | 'bad_topic' | 'too_many_topics'

export class TopicTable {
  readonly #rules: readonly Rule[]
  readonly #sources: Sources
  readonly #maxTopics: number
  #topics = new ByteTable<Topic>()

  constructor(rules: readonly Rule[], sources: Sources, maxTopics: number) {
    this.#rules = rules
    this.#sources = sources
    this.#maxTopics = maxTopics
  }

  get size(): number {
    return this.#topics.size
  }

  /** Which topic, and which rule with all of its topics, holds the most devices or series. */
  worst(what: 'source' | 'series'): { topic: string; topic_holds: number; rule: string; rule_holds: number } {
    const worst = { topic: '', topic_holds: 0, rule: '', rule_holds: 0 }
    const ofRules = new Map<string, number>()
    for (const topic of this.#topics) {
      const holds = what === 'source' ? topic.devices : topic.series
      const ofRule = (ofRules.get(topic.rule.text) ?? 0) + holds
      ofRules.set(topic.rule.text, ofRule)
      if (holds > worst.topic_holds) Object.assign(worst, { topic: topic.name, topic_holds: holds })
    }
    for (const [rule, holds] of ofRules) if (holds > worst.rule_holds) Object.assign(worst, { rule, rule_holds: holds })
    return worst
  }

  /** The topic `bytes[from, to)`, or why there is none. */
  find(bytes: Uint8Array, from: number, to: number): Topic | Unknown {
    const topic = this.#topics.find(bytes, from, to)
    if (topic === undefined) return this.#make(bytes.slice(from, to))
    topic.generation = this.#sources.generation
    return topic
  }

  /** A generation of sources has ended: topics on which nothing came in it are forgotten. */
  advance(): void {
    const before = this.#topics
    this.#topics = new ByteTable()
    for (const topic of before) {
      if (topic.generation < this.#sources.generation - 1) continue
      topic.forget()
      this.#topics.add(topic)
    }
    for (const rule of this.#rules) rule.forgetNames()
  }

  #make(key: Uint8Array): Topic | Unknown {
    if (key.length > TOPIC_MAX_BYTES || !isUtf8(key)) return 'bad_topic'
    const name = Buffer.from(key).toString()
    for (const rule of this.#rules) {
      const match = rule.config.topic.match(name)
      if (match === undefined) continue
      if (this.#topics.size >= this.#maxTopics) return 'too_many_topics'
      const topic = new Topic(key, name, rule, match, this.#sources)
      topic.generation = this.#sources.generation
      return this.#topics.add(topic)
    }
    return 'no_rule'
  }
}
