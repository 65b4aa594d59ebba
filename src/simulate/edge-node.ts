// A line of the plant as an edge node of Sparkplug B, its machines as devices. No sockets: what it says goes to `send`.
//
//   MQTT connected      NBIRTH (seq 0), DBIRTH of each device that is there, then what waited, marked as historical
//   first readings      DBIRTH: every metric with name, alias, data type, unit and quality
//   readings            DDATA: those that changed, by alias
//   device away, back   DDEATH; DBIRTH, then what it kept, marked as historical
//   NCMD rebirth        the births again, with the same bdSeq
//   the end             NDEATH with bdSeq and no seq, as in the will
//
// Times of metrics are those of the device's clock, times of payloads those of the plant.

import type { PlantEvent, PlantMessage, Word } from '../plant/messages.ts'
import { type DataType, encodeSparkplug, type SparkplugMetric } from '../sparkplug/encode.ts'
import { DATA_TYPE } from '../sparkplug/fields.ts'
import { asksForRebirth, REBIRTH } from './sparkplug-command.ts'

const TYPE = DATA_TYPE.values
const GOOD = 192
/** Messages that are kept while the broker is away; the oldest go first. */
const MAX_WAITING = 10_000

/** Data types by name; all other readings are doubles. */
const TYPES: Readonly<Record<string, DataType>> = {
  part_count: TYPE.Int64,
  reject_count: TYPE.Int64,
  item_count: TYPE.Int64,
  state: TYPE.Int32,
  machines_running: TYPE.Int32,
  charging: TYPE.Boolean,
}

interface Metric {
  readonly name: string
  readonly alias: number
  readonly type: DataType
  readonly unit: string
  value: number | boolean | string
  atMs: number
}

interface Device {
  readonly id: string
  readonly metrics: Map<string, Metric>
  isBorn: boolean
  isAway: boolean
}

export interface EdgeNodeOptions {
  readonly group: string
  readonly node: string
  readonly devices: readonly string[]
  readonly startMs: number
  send(topic: string, payload: Uint8Array): void
  /** One that waited was given up. */
  lost(): void
}

export class EdgeNode {
  readonly #options: EdgeNodeOptions
  readonly #devices: ReadonlyMap<string, Device>
  readonly #waiting: PlantMessage[] = []
  #nowMs: number
  #aliases = 0
  #seq = 0
  #bdSeq = 0
  #isOnline = false

  constructor(options: EdgeNodeOptions) {
    this.#options = options
    this.#nowMs = options.startMs
    this.#devices = new Map(options.devices.map((id) => [id, { id, metrics: new Map(), isBorn: false, isAway: false }]))
  }

  get waiting(): number {
    return this.#waiting.length
  }

  /** What it says when it dies: the will of the connection that comes next, and the last word of this one. */
  get death(): { readonly topic: string; readonly payload: Uint8Array } {
    const metrics = [{ name: 'bdSeq', type: TYPE.Int64, hasType: true, timestampMs: this.#nowMs, value: this.#bdSeq }]
    return { topic: this.#topic('NDEATH'), payload: encodeSparkplug({ timestampMs: this.#nowMs, metrics }) }
  }

  /** The broker has taken the connection, and the subscription to commands. */
  connected(): void {
    this.#isOnline = true
    this.#births()
    for (const message of this.#waiting.splice(0)) this.#say({ ...message, isLate: true })
  }

  /** It is gone; the will of the next one has another bdSeq. */
  disconnected(): void {
    if (!this.#isOnline) return
    this.#isOnline = false
    this.#bdSeq = (this.#bdSeq + 1) % 256
  }

  take(event: PlantEvent): void {
    this.#nowMs = Math.max(this.#nowMs, event.atMs)
    const device = this.#devices.get(event.device)!
    if (event.kind === 'message') {
      if (this.#isOnline) this.#say(event)
      else this.#keep(event)
      return
    }
    device.isAway = event.kind === 'disconnected'
    if (!this.#isOnline || !device.isBorn) return
    if (device.isAway) this.#send(this.#topic('DDEATH', device.id), [])
    else this.#deviceBirth(device)
  }

  /** A message to one of its command topics. Undefined: a rebirth, which has been done; otherwise why nothing is. */
  command(topic: string, payload: Uint8Array): string | undefined {
    if (topic !== this.#topic('NCMD')) return 'the plant takes no commands to devices'
    if (!asksForRebirth(payload)) return `the plant takes no command but ${REBIRTH}`
    if (this.#isOnline) this.#births()
    return undefined
  }

  #topic(verb: string, device?: string): string {
    const { group, node } = this.#options
    return `spBv1.0/${group}/${verb}/${node}${device === undefined ? '' : `/${device}`}`
  }

  #keep(message: PlantMessage): void {
    this.#waiting.push(message)
    if (this.#waiting.length <= MAX_WAITING) return
    this.#waiting.shift()
    this.#options.lost()
  }

  #send(topic: string, metrics: readonly SparkplugMetric[]): void {
    this.#options.send(topic, encodeSparkplug({ timestampMs: this.#nowMs, seq: this.#seq, metrics }))
    this.#seq = (this.#seq + 1) % 256
  }

  #births(): void {
    this.#seq = 0
    const common = { timestampMs: this.#nowMs, hasType: true }
    this.#send(this.#topic('NBIRTH'), [
      { ...common, name: 'bdSeq', type: TYPE.Int64, value: this.#bdSeq },
      // Never by alias: whoever asks for a rebirth may know none.
      { ...common, name: REBIRTH, type: TYPE.Boolean, value: false },
      { ...common, name: 'Properties/Software', type: TYPE.String, value: 'millrace simulate' },
    ])
    for (const device of this.#devices.values()) if (device.isBorn && !device.isAway) this.#deviceBirth(device)
  }

  #deviceBirth(device: Device): void {
    device.isBorn = true
    this.#send(
      this.#topic('DBIRTH', device.id),
      [...device.metrics.values()].map(({ name, alias, type, unit, value, atMs }) => ({
        name,
        alias,
        timestampMs: atMs,
        type,
        hasType: true,
        value,
        quality: GOOD,
        ...(unit === '' ? {} : { engUnit: unit }),
      })),
    )
  }

  #say({ device: id, deviceMs, isLate, word }: PlantMessage): void {
    const device = this.#devices.get(id)!
    const metrics: SparkplugMetric[] = []
    const known = device.metrics.size
    const told = (name: string, unit: string, value: number | string, isLasting: boolean): void => {
      const metric = this.#metric(device, name, unit)
      const typed = metric.type === TYPE.Boolean ? value === 1 : value
      const { alias, type } = metric
      if (isLate) metrics.push({ alias, type, timestampMs: deviceMs, value: typed, isHistorical: true })
      // What a device measures it tells again in a moment; a word holds until the next, and that was long ago.
      if (metric.value === typed || (isLate && !isLasting)) return
      metric.value = typed
      metric.atMs = deviceMs
      metrics.push({ alias, type, timestampMs: deviceMs, value: typed })
    }
    const isData = tell(word, told)
    if (device.isBorn) {
      // Nothing may be told that no birth has named, such as the first order of a machine that had none.
      if (device.metrics.size > known && !device.isAway) this.#deviceBirth(device)
      if (metrics.length > 0) this.#send(this.#topic('DDATA', id), metrics)
    } else if (isData && !device.isAway) this.#deviceBirth(device)
  }

  #metric({ metrics }: Device, name: string, unit: string): Metric {
    let metric = metrics.get(name)
    if (metric === undefined) {
      const type = TYPES[name] ?? (WORDS.has(name) ? TYPE.String : TYPE.Double)
      const value = type === TYPE.String ? '' : type === TYPE.Boolean ? false : 0
      metric = { name, alias: ++this.#aliases, type, unit, value, atMs: this.#nowMs }
      metrics.set(name, metric)
    }
    return metric
  }
}

/** Readings that are text. */
const WORDS: ReadonlySet<string> = new Set(['status', 'stop_reason', 'order_number', 'product_code'])

/** Gives a message's readings, and says whether they are all that its device measures. */
function tell(
  word: Word,
  told: (name: string, unit: string, value: number | string, lasting: boolean) => void,
): boolean {
  if (word.kind === 'data') {
    for (const [name, value, unit] of word.readings) told(name, unit, value, false)
    return true
  }
  if (word.kind === 'status') {
    told('status', '', word.status, true)
    told('stop_reason', '', word.reason, true)
  }
  // Words of an order are born with the device, whether it has one by then or not.
  if (word.kind === 'order' || (word.kind === 'status' && word.order !== undefined)) {
    const { order } = word
    told('order_number', '', order?.number ?? '', true)
    told('product_code', '', order?.product ?? '', true)
  }
  return false
}
