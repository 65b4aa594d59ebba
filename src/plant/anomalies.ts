// Readings that go wrong: spikes, drifts, stuck values, laid over what a device would say.

import type { EventKind } from './scenario.ts'

export type AnomalyKind = Extract<EventKind, 'spike' | 'drift' | 'stuck'>

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly metric: string
  readonly by: number
  readonly fromS: number
  readonly toS: number
  /** Of a stuck value, once it has been read. */
  held?: number
}

/** A spike is seen in so many of the readings of its time. */
const SPIKE_EVERY_S = 5

export class Anomalies {
  /** All that ever began, for the ground truth. */
  readonly all: Anomaly[] = []
  #current: Anomaly[] = []

  add(anomaly: Anomaly): void {
    this.all.push(anomaly)
    this.#current.push(anomaly)
  }

  apply(metric: string, value: number, nowS: number): number {
    if (this.#current.length === 0) return value
    if (this.#current.some(({ toS }) => nowS >= toS)) this.#current = this.#current.filter(({ toS }) => nowS < toS)
    let result = value
    for (const anomaly of this.#current) {
      if (anomaly.metric !== metric || nowS < anomaly.fromS) continue
      if (anomaly.kind === 'drift') result += (anomaly.by * (nowS - anomaly.fromS)) / (anomaly.toS - anomaly.fromS)
      else if (anomaly.kind === 'stuck') result = anomaly.held ??= result
      else if (Math.floor(nowS - anomaly.fromS) % SPIKE_EVERY_S === 0) result += anomaly.by
    }
    return result
  }
}
