// One device: what it does, what it measures, and the connection over which it says so (messages.ts).
//
// Its times are those of its own clock. While it has no connection it keeps what it would send, and sends it afterwards.

import { Anomalies, type AnomalyKind } from './anomalies.ts'
import { factsOf, type PlantEvent, type PlantMessage, STATUS_WORDS, type StatusWord, type Word } from './messages.ts'
import { type MachineState, type Order, Production, type ProductionWatch } from './production.ts'
import { Random } from './random.ts'
import type { DeviceSpec, EventSpec, Scenario } from './scenario.ts'
import { type LineView, MAKES_PIECES, type Signals, signalsOf } from './signals.ts'

/** What became known of a device, for the ground truth. Seconds from the start. */
export interface Episode {
  readonly kind: 'disconnect' | 'clock_skew' | 'slow' | 'scrap'
  readonly fromS: number
  readonly toS: number
  readonly by?: number
}

export interface StateChange {
  readonly atS: number
  readonly state: MachineState
  readonly reason: string
}

/** How long before a breakdown its harbinger is seen, where there is one. */
const HARBINGER_S = { from: 60, to: 240, share: 0.7 }

export class Device implements ProductionWatch {
  readonly id: string
  readonly spec: DeviceSpec
  readonly production: Production | undefined
  readonly anomalies = new Anomalies()
  readonly episodes: Episode[] = []
  readonly states: StateChange[] = []
  readonly #startMs: number
  readonly #chance: Random
  readonly #signals: Signals
  readonly #emit: (event: PlantEvent) => void
  readonly #events: EventSpec[]
  readonly #kept: PlantMessage[] = []
  #nextDataMs: number
  #nextHeartbeatMs: number
  #nextAnomalyS: number
  #nextDisconnectS: number
  #connected = true
  #connectedAgainS = Number.POSITIVE_INFINITY
  #skews: { readonly untilS: number; readonly ms: number }[] = []
  #effects: { readonly untilS: number; end(): void }[] = []
  #harbingerOf = -1
  #nowMs: number
  #nowS = 0

  constructor(
    id: string,
    spec: DeviceSpec,
    scenario: Scenario,
    plant: {
      readonly seed: number
      readonly startMs: number
      readonly line: LineView
      ambient(nowS: number): number
      emit(event: PlantEvent): void
    },
  ) {
    this.id = id
    this.spec = spec
    this.#startMs = plant.startMs
    this.#nowMs = plant.startMs
    this.#emit = plant.emit
    this.#chance = new Random(plant.seed, id)
    this.production = MAKES_PIECES.has(spec.type)
      ? new Production(id, scenario, spec, new Random(plant.seed, `${id} production`), this)
      : undefined
    this.#signals = signalsOf(spec.type, {
      spec,
      chance: new Random(plant.seed, `${id} signals`),
      production: this.production,
      line: plant.line,
      ambient: plant.ambient,
    })
    this.#events = scenario.events.filter((event) => event.device === id).sort((a, b) => a.atMs - b.atMs)
    // Each begins somewhere in its own rhythm: a plant does not speak in chorus.
    this.#nextDataMs = plant.startMs + Math.floor(this.#chance.next() * spec.everyMs)
    this.#nextHeartbeatMs = plant.startMs + Math.floor(this.#chance.next() * spec.heartbeatMs)
    this.#nextAnomalyS = this.#chance.untilNext(spec.anomaliesPerHour)
    this.#nextDisconnectS = this.#chance.untilNext(spec.disconnectsPerHour)
  }

  /** The second that begins at `nowS`. Resolves to the power that it takes, in kW. */
  step(nowS: number, planned: boolean): number {
    this.#nowS = nowS
    this.#nowMs = this.#startMs + nowS * 1000
    if (nowS === 0 && this.production === undefined) this.#status('Running', '')
    this.#happen(nowS)
    this.production?.step(nowS, planned)
    const power = this.#signals.step(nowS)
    const untilMs = this.#nowMs + 1000
    for (; this.#nextDataMs < untilMs; this.#nextDataMs += this.spec.everyMs) this.#data(this.#nextDataMs)
    for (; this.#nextHeartbeatMs < untilMs; this.#nextHeartbeatMs += this.spec.heartbeatMs)
      this.#say(this.#nextHeartbeatMs, { kind: 'heartbeat', status: this.#statusWord() })
    return power
  }

  state(state: MachineState, reason: string): void {
    this.states.push({ atS: this.#nowS, state, reason })
    this.#status(STATUS_WORDS[state], reason)
  }

  orderStarted(order: Order): void {
    this.#say(this.#nowMs, { kind: 'order', event: 'started', order: factsOf(order) })
  }

  orderCompleted(order: Order): void {
    this.#say(this.#nowMs, { kind: 'order', event: 'completed', order: factsOf(order) })
  }

  piece(order: Order, good: boolean): void {
    this.#say(this.#nowMs, { kind: 'inspection', result: good ? 'pass' : 'fail', order: factsOf(order) })
  }

  #happen(nowS: number): void {
    for (const effect of this.#effects) if (nowS >= effect.untilS) effect.end()
    this.#effects = this.#effects.filter(({ untilS }) => nowS < untilS)
    this.#skews = this.#skews.filter(({ untilS }) => nowS < untilS)
    if (nowS >= this.#connectedAgainS) this.#connect()
    while (this.#events[0] !== undefined && this.#events[0].atMs <= nowS * 1000)
      this.#begin(this.#events.shift()!, nowS)
    const chance = this.#chance
    if (nowS >= this.#nextDisconnectS) {
      const lasts = chance.lasting(this.spec.disconnectMs / 1000)
      this.#disconnect(nowS, lasts)
      this.#nextDisconnectS = nowS + lasts + chance.untilNext(this.spec.disconnectsPerHour)
    }
    if (nowS >= this.#nextAnomalyS) {
      const [metric, by] = this.#signals.disturbed[Math.floor(chance.next() * this.#signals.disturbed.length)]!
      const kind = (['spike', 'drift', 'stuck'] as const)[Math.floor(chance.next() * 3)]!
      this.#disturb(kind, metric, by * chance.between(0.8, 1.3), nowS, chance.between(20, 120))
      this.#nextAnomalyS = nowS + chance.untilNext(this.spec.anomaliesPerHour)
    }
    this.#herald(nowS)
  }

  /** Many breakdowns can be seen coming: the first disturbed reading drifts away before. */
  #herald(nowS: number): void {
    const faultS = this.production?.nextFaultS ?? Number.POSITIVE_INFINITY
    if (faultS === this.#harbingerOf || faultS - nowS > HARBINGER_S.to) return
    this.#harbingerOf = faultS
    if (this.#chance.next() >= HARBINGER_S.share) return
    const leadS = Math.min(faultS - nowS, this.#chance.between(HARBINGER_S.from, HARBINGER_S.to))
    const [metric, by] = this.#signals.disturbed[this.#signals.disturbed.length > 1 ? 1 : 0]!
    if (leadS >= 1) this.#disturb('drift', metric, by, faultS - leadS, leadS)
  }

  #begin(event: EventSpec, nowS: number): void {
    const { kind, by, metric, reason } = event
    const lastsS = event.forMs / 1000
    const toS = nowS + lastsS
    const { production } = this
    switch (kind) {
      case 'fault':
      case 'micro_stop':
      case 'maintenance':
        production?.halt(kind, reason === '' ? kind.replace('_', ' ') : reason, toS)
        break
      case 'spike':
      case 'drift':
      case 'stuck':
        this.#disturb(kind, metric, by, nowS, lastsS)
        break
      case 'disconnect':
        this.#disconnect(nowS, lastsS)
        break
      case 'clock_skew':
        this.episodes.push({ kind, fromS: nowS, toS, by })
        this.#skews.push({ untilS: toS, ms: by * 1000 })
        break
      case 'slow':
      case 'scrap':
        this.episodes.push({ kind, fromS: nowS, toS, by })
        this.#affect(kind, by, toS)
    }
  }

  #affect(kind: 'slow' | 'scrap', by: number, untilS: number): void {
    const { production } = this
    if (production === undefined) return
    if (kind === 'slow') production.slowdown *= by
    else production.extraScrap += by
    this.#effects.push({
      untilS,
      end: () => {
        if (kind === 'slow') production.slowdown /= by
        else production.extraScrap -= by
      },
    })
  }

  #disturb(kind: AnomalyKind, metric: string, by: number, fromS: number, lastsS: number): void {
    const [from, to] = [fromS, fromS + lastsS].map((seconds) => Math.round(seconds * 1000) / 1000) as [number, number]
    this.anomalies.add({ kind, metric, by: Math.round(by * 1000) / 1000, fromS: from, toS: to })
  }

  #disconnect(nowS: number, lastsS: number): void {
    if (!this.#connected) return
    this.episodes.push({ kind: 'disconnect', fromS: nowS, toS: nowS + Math.ceil(lastsS) })
    this.#connected = false
    this.#connectedAgainS = nowS + Math.ceil(lastsS)
    this.#emit({ kind: 'disconnected', atMs: this.#nowMs, device: this.id })
  }

  #connect(): void {
    this.#connected = true
    this.#connectedAgainS = Number.POSITIVE_INFINITY
    this.#emit({ kind: 'connected', atMs: this.#nowMs, device: this.id })
    for (const message of this.#kept.splice(0)) this.#emit({ ...message, atMs: this.#nowMs })
  }

  #data(atMs: number): void {
    const readings = this.#signals.read(this.#nowS)
    for (const reading of readings)
      reading[1] = Math.round(this.anomalies.apply(reading[0], reading[1], this.#nowS) * 1000) / 1000
    this.#say(atMs, { kind: 'data', readings })
  }

  #statusWord(): StatusWord {
    return this.production === undefined ? 'Running' : STATUS_WORDS[this.production.state]
  }

  #status(status: StatusWord, reason: string): void {
    const order = this.production?.order
    this.#say(this.#nowMs, {
      kind: 'status',
      status,
      reason,
      order: order === undefined ? undefined : factsOf(order),
    })
  }

  /** In the device's own time, over its connection or into what it keeps. */
  #say(atMs: number, word: Word): void {
    const skewMs = this.#skews.reduce((sum, { ms }) => sum + ms, this.spec.clockSkewMs)
    const deviceMs = atMs + skewMs
    if (this.#connected) {
      this.#emit({ kind: 'message', atMs, deviceMs, isLate: false, device: this.id, word })
      return
    }
    this.#kept.push({ kind: 'message', atMs, deviceMs, isLate: true, device: this.id, word })
    if (this.#kept.length > this.spec.buffer) this.#kept.shift()
  }
}
