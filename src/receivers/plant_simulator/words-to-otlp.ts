// What devices say, as OTLP: the metrics and events that the mqtt receiver makes of the same messages with
// configs/plant.yaml, and with the device's type and line in the resource.
//
//   data         a point for each reading, in UCUM; counts are cumulative sums
//   status       manufacturing.device.up, manufacturing.machine.status, and events when they are another than before
//   heartbeat    the same metrics
//   order        log record, event manufacturing.order.started or .completed; its body is the message
//   inspection   log record, event manufacturing.piece.inspected

import { type PlantEvent, type PlantMessage, type StatusWord, topicMessage, type Word } from '../../plant/messages.ts'
import { type DeviceSpec, idsOf } from '../../plant/scenario.ts'
import { COUNTERS } from '../../plant/signals.ts'
import { type Marks, SEVERITY } from '../../readings/log-entry.ts'
import { KIND, Metrics, Naming } from '../../readings/naming.ts'
import { Readings } from '../../readings/readings.ts'
import { Sources } from '../../readings/sources.ts'
import { Stream } from '../../readings/stream.ts'
import { toUcum } from '../../readings/units.ts'

const SCOPE = 'millrace/plant_simulator'
/** More than any type of device has. */
const MAX_SERIES_OF_DEVICE = 64

const STATES = ['idle', 'running', 'maintenance', 'error', 'stopped', 'setup', 'offline', 'other'] as const
type State = (typeof STATES)[number]
const STATE_MARKS: readonly Marks[] = STATES.map((state) => [['manufacturing.machine.state', state]])
const LATE: Marks = [['reading.late', true]]

/** A name and a unit as Readings takes them, encoded once for each place of a device's readings. */
interface Key {
  readonly name: string
  readonly bytes: Uint8Array
  readonly nameTo: number
}

interface DeviceWay {
  readonly stream: Stream
  readonly keys: Key[]
  /** What was said last; of its connection too. */
  status: StatusWord | undefined
  isUp: boolean | undefined
}

export interface WordsOptions {
  readonly devices: readonly DeviceSpec[]
  readonly takesMetrics: boolean
  readonly takesLogs: boolean
}

export class WordsToOtlp {
  readonly readings: Readings
  readonly #devices = new Map<string, DeviceWay>()

  constructor({ devices, takesMetrics, takesLogs }: WordsOptions) {
    const specs = devices.flatMap((spec) => idsOf(spec).map((id) => ({ id, spec })))
    const sources = new Sources({
      maxSources: specs.length,
      maxSeries: specs.length * MAX_SERIES_OF_DEVICE,
      onFull: () => {},
    })
    this.readings = new Readings({
      scope: SCOPE,
      sources,
      takesMetrics,
      takesLogs,
      device: () => {
        throw new Error('invariant: a simulated device names no other')
      },
    })
    const naming = new Naming(new Metrics(), {
      kindOf: (name) => (COUNTERS.has(name) ? KIND.COUNTER : KIND.GAUGE),
      unitOf: toUcum,
    })
    for (const { id, spec } of specs) {
      const source = sources.get([
        ['device.id', id],
        ['device.type', spec.type],
        ['manufacturing.line', spec.line],
      ])!
      this.#devices.set(id, { stream: Stream.of(source, naming), keys: [], status: undefined, isUp: undefined })
    }
  }

  take(event: PlantEvent): void {
    const way = this.#devices.get(event.device)!
    const { readings } = this
    readings.begin(way.stream, event.atMs)
    if (event.kind !== 'message') {
      const isUp = event.kind === 'connected'
      this.#presence(way, isUp)
      if (way.status !== undefined) this.#machine(isUp ? stateOf(way.status) : 'offline')
      return
    }
    if (event.isLate) readings.markMessage(LATE)
    readings.atMillis(event.deviceMs)
    this.#word(way, event, event.word)
  }

  #word(way: DeviceWay, message: PlantMessage, word: Word): void {
    switch (word.kind) {
      case 'data':
        for (let at = 0; at < word.readings.length; at++) this.#reading(way, at, word.readings[at]!)
        break
      case 'heartbeat':
        this.#presence(way, true)
        this.#machine(stateOf(word.status))
        break
      case 'status':
        this.#status(way, word.status, word.reason, word.order?.number)
        break
      case 'order':
        this.#event(message, `manufacturing.order.${word.event}`, word.order.number, word.order.product, [])
        break
      case 'inspection':
        this.#event(message, 'manufacturing.piece.inspected', word.order.number, word.order.product, [
          ['manufacturing.inspection.result', word.result],
        ])
    }
  }

  #reading({ keys }: DeviceWay, at: number, [name, value, unit]: readonly [string, number, string]): void {
    let key = keys[at]
    if (key === undefined || key.name !== name) {
      key = { name, bytes: Buffer.from(name + unit), nameTo: Buffer.byteLength(name) }
      keys[at] = key
    }
    this.readings.reading(key.bytes, 0, key.nameTo, key.nameTo, key.bytes.length, value)
  }

  #presence(way: DeviceWay, isUp: boolean): void {
    const { readings } = this
    readings.kind = KIND.GAUGE
    readings.readingOf('manufacturing.device.up', '1', isUp ? 1 : 0)
    readings.kind = KIND.DEFAULT
    if (way.isUp === isUp) return
    way.isUp = isUp
    readings.log({
      body: isUp ? 'the device is online' : 'the device is offline',
      event: isUp ? 'manufacturing.device.online' : 'manufacturing.device.offline',
      severity: isUp ? SEVERITY.INFO : SEVERITY.WARN,
    })
  }

  /** A level for each state, 1 for the one that holds. */
  #machine(state: State): void {
    const { readings } = this
    readings.kind = KIND.LEVEL
    for (let at = 0; at < STATES.length; at++) {
      readings.mark(STATE_MARKS[at])
      readings.readingOf('manufacturing.machine.status', '1', STATES[at] === state ? 1 : 0)
    }
    readings.mark(undefined)
    readings.kind = KIND.DEFAULT
  }

  #status(way: DeviceWay, status: StatusWord, reason: string, order: string | undefined): void {
    this.#presence(way, true)
    const state = stateOf(status)
    this.#machine(state)
    const isNew = way.status !== status
    way.status = status
    if (!isNew) return
    this.readings.log({
      body: reason === '' ? `the state is ${status}` : `the state is ${status}: ${reason}`,
      event: 'manufacturing.machine.state_changed',
      severity: state === 'error' ? SEVERITY.ERROR : SEVERITY.INFO,
      attributes: [
        ['manufacturing.machine.state', state],
        ...(reason === '' ? [] : [['manufacturing.stop.reason', reason] as const]),
        ...(order === undefined ? [] : [['manufacturing.work_order.id', order] as const]),
      ],
    })
  }

  #event(message: PlantMessage, event: string, order: string, product: string, more: Marks): void {
    this.readings.log({
      body: topicMessage(message).payload,
      event,
      severity: SEVERITY.INFO,
      attributes: [['manufacturing.work_order.id', order], ['manufacturing.product.code', product], ...more],
    })
  }
}

const stateOf = (status: StatusWord): State => status.toLowerCase() as Lowercase<StatusWord>
