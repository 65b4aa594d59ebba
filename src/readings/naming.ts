// What becomes of a reading's name and unit: the metric it is, encoded once, and found again by the bytes of the payload.

import { isUtf8 } from 'node:buffer'
import { ByteTable } from '../collections/byte-table.ts'
import { encodeBool, encodeKeyValue, encodeString, encodeText } from '../otlp/encode.ts'
import { METRIC, NUMBER_DATA_POINT } from '../otlp/fields.ts'
import { varintSize, writeVarint } from '../wire/varint.ts'
import { Writer } from '../wire/writer.ts'
import { BadPayload } from './bad-payload.ts'

/** What a metric's points are. */
export const KIND = {
  /** As the rule says. */
  DEFAULT: 0,
  GAUGE: 1,
  /** A cumulative count that only grows, or begins anew. */
  COUNTER: 2,
  /** A cumulative count that goes up and down, such as a stock. */
  LEVEL: 3,
  /** What was counted since the reading before. */
  DELTA: 4,
} as const
export type Kind = (typeof KIND)[keyof typeof KIND]

/** How names, units and kinds are chosen; called once for each that is new. */
export interface NamingRules {
  /** The kind of a metric where the payload does not say. */
  kindOf(name: string): Kind
  /** UCUM for what the plant writes. */
  unitOf(unit: string): string
}

export const PLAIN_NAMING: NamingRules = { kindOf: () => KIND.GAUGE, unitOf: (unit) => unit }

/** A metric as the payload names it. */
export interface Slot {
  /** The name, a zero byte, the unit: as they stand in the payload. */
  readonly key: Uint8Array
  readonly nameLength: number
  readonly kind: Kind
  /** Of all metrics of the receiver. */
  readonly metric: Metric
  /** The whole Metric message of one point without attributes, tag and length in front; start, time and value are its end. */
  readonly template: Uint8Array
}

export interface Metric {
  readonly key: Uint8Array
  readonly id: number
  readonly kind: Kind
  /** Its points have a start time. */
  readonly counts: boolean
  /** name and unit, encoded: the beginning of a Metric message. */
  readonly head: Uint8Array
  /** Of Metrics, when a series of it was last admitted. */
  generation: number
}

/** 19 time(8) 21 value(8) */
export const POINT_BYTES = 18
/** 11 start(8) */
export const START_BYTES = 9

const NAME_MAX_BYTES = 1024

/** All metrics that a receiver has seen of late, by name, unit and kind. */
export class Metrics {
  /** Counted up by advance(): what stands in tables made of metrics is looked up anew. */
  generation = 0
  #table = new ByteTable<Metric>()
  #ids = 0
  readonly #freeIds: number[] = []

  get size(): number {
    return this.#table.size
  }

  get(name: string, unit: string, kind: Kind): Metric {
    const found = this.find(name, unit, kind)
    if (found !== undefined) return found
    const head = new Writer().field(METRIC.NAME, Buffer.from(name))
    if (unit !== '') head.field(METRIC.UNIT, Buffer.from(unit))
    return this.#table.add({
      key: keyOf(name, unit, kind),
      id: this.#freeIds.pop() ?? this.#ids++,
      kind,
      counts: kind === KIND.COUNTER || kind === KIND.DELTA,
      head: head.toBytes(),
      generation: this.generation,
    })
  }

  find(name: string, unit: string, kind: Kind): Metric | undefined {
    return this.#table.find(keyOf(name, unit, kind))
  }

  /** A new generation begins; metrics of which no series was admitted in the one that ends are forgotten. */
  advance(): void {
    const before = this.#table
    this.#table = new ByteTable()
    for (const metric of before)
      if (metric.generation >= this.generation) this.#table.add(metric)
      else this.#freeIds.push(metric.id)
    this.generation++
  }
}

const keyOf = (name: string, unit: string, kind: Kind): Uint8Array => Buffer.from(`${name}\0${unit}\0${kind}`)

/** The names of one rule, or of one topic of it where the topic is part of the name. */
export class Naming {
  readonly #metrics: Metrics
  readonly #rules: NamingRules
  readonly #prefix: string
  readonly #slots: ByteTable<Slot>[] = []
  #generation = 0

  /** `prefix` and a dot stand in front of every name; empty: none does. */
  constructor(metrics: Metrics, rules: NamingRules, prefix = '') {
    this.#metrics = metrics
    this.#rules = rules
    this.#prefix = prefix
  }

  /**
   * Throws BadPayload for a name that cannot be one. `key` is as Slot has it, in an array of its own or not. Undefined: it
   * would be a metric that nobody has seen, and `mayBeNew` is false.
   */
  slot(key: Uint8Array, length: number, nameLength: number, kind: Kind, mayBeNew: boolean): Slot | undefined {
    if (this.#generation !== this.#metrics.generation) {
      this.#generation = this.#metrics.generation
      this.#slots.length = 0
    }
    let table = this.#slots[kind]
    if (table === undefined) {
      table = new ByteTable()
      this.#slots[kind] = table
    }
    const known = table.find(key, 0, length)
    if (known !== undefined) return known
    const made = this.#make(key.slice(0, length), nameLength, kind, mayBeNew)
    return made === undefined ? undefined : table.add(made)
  }

  #make(key: Uint8Array, nameLength: number, wanted: Kind, mayBeNew: boolean): Slot | undefined {
    if (nameLength > NAME_MAX_BYTES) throw new BadPayload('bad_name', `a name of ${nameLength} bytes`)
    if (!isUtf8(key)) throw new BadPayload('not_utf8', 'a name or unit is not UTF-8')
    const own = Buffer.from(key.buffer, key.byteOffset, nameLength).toString()
    const name = this.#prefix === '' ? own : own === '' ? this.#prefix : `${this.#prefix}.${own}`
    if (name === '') throw new BadPayload('bad_name', 'a reading without a name')
    const unit = this.#rules.unitOf(Buffer.from(key.subarray(nameLength + 1)).toString())
    const kind = wanted === KIND.DEFAULT ? this.#rules.kindOf(name) : wanted
    const metric = mayBeNew ? this.#metrics.get(name, unit, kind) : this.#metrics.find(name, unit, kind)
    if (metric === undefined) return undefined
    const pointBytes = metric.counts ? START_BYTES + POINT_BYTES : POINT_BYTES
    const template = new Uint8Array(metric.head.length + METRIC_HEAD_BYTES + pointBytes)
    const end = writeMetricHead(template, 0, metric, pointBytes) + pointBytes
    return { key, nameLength, kind: wanted, metric, template: template.slice(0, end) }
  }
}

/** Whether the slot is of this name and unit. */
export function isSlot({ key, nameLength }: Slot, bytes: Uint8Array, name: number, unit: number): boolean {
  for (let i = 0; i < nameLength; i++) if (key[i] !== bytes[name + i]) return false
  for (let i = nameLength + 1, p = unit; i < key.length; i++) if (key[i] !== bytes[p++]) return false
  return true
}

/** Room for what writeMetricHead() puts between the metric's head and its point. */
export const METRIC_HEAD_BYTES = 40

/**
 * Field 2 of a ScopeMetrics: the metric with one point, up to the point itself, which is `pointBytes` long. Returns the
 * offset of the point.
 */
export function writeMetricHead(to: Uint8Array, at: number, { head, kind }: Metric, pointBytes: number): number {
  const sum = SUM_FIELDS[kind]!
  const dataBytes = sum.length + 1 + varintSize(pointBytes) + pointBytes
  const bodyBytes = head.length + 1 + varintSize(dataBytes) + dataBytes
  let p = at
  to[p++] = METRIC_TAG
  p = writeVarint(to, p, bodyBytes)
  for (let i = 0; i < head.length; ) to[p++] = head[i++]!
  to[p++] = (kind === KIND.GAUGE ? METRIC.GAUGE : METRIC.SUM) * 8 + 2
  p = writeVarint(to, p, dataBytes)
  for (let i = 0; i < sum.length; ) to[p++] = sum[i++]!
  to[p++] = POINTS_TAG
  return writeVarint(to, p, pointBytes)
}

const METRIC_TAG = 0x12
const POINTS_TAG = 0x0a

/** A KeyValue. */
export const encodeAttribute = (key: string, value: string | boolean): Uint8Array =>
  encodeKeyValue(encodeText(key), typeof value === 'string' ? encodeString(value) : encodeBool(value))

/** Attributes of data points, as NumberDataPoint has them. */
export function encodeMarks(attributes: readonly (readonly [key: string, value: string | boolean])[]): Uint8Array {
  const writer = new Writer()
  for (const [key, value] of attributes) writer.field(NUMBER_DATA_POINT.ATTRIBUTES, encodeAttribute(key, value))
  return writer.toBytes()
}

// By kind. Sum: aggregation_temporality 2 (1 delta, 2 cumulative), is_monotonic 3.
const SUM_FIELDS: readonly Uint8Array[] = [
  Uint8Array.of(),
  Uint8Array.of(),
  Uint8Array.of(0x10, 2, 0x18, 1),
  Uint8Array.of(0x10, 2),
  Uint8Array.of(0x10, 1, 0x18, 1),
]
