// What the receiver remembers of devices, series and topics, and for how long: those that were silent for a whole
// generation are forgotten. When a bound is reached, the log says once per generation who takes the most room.

import type { Clock, Timer } from '../../graph/clock.ts'
import type { Metrics } from '../../readings/naming.ts'
import type { Sources } from '../../readings/sources.ts'
import type { Logger } from '../../self/log.ts'
import type { MqttConfig } from './config.ts'
import type { TopicTable } from './topic-table.ts'

interface Remembered {
  readonly sources: Sources
  readonly metrics: Metrics
  readonly topics: TopicTable
}

const WORDS = {
  source: {
    what: 'no room for a further device: its readings are dropped',
    fix: 'raise max_devices, or look at the topic',
  },
  series: {
    what: 'no room for a further series: its readings are dropped',
    fix: 'raise max_series, or look at the topic',
  },
} as const

export class Memory {
  readonly #config: MqttConfig
  readonly #log: Logger
  readonly #onForgotten: (devices: number) => void
  readonly #told = new Set<string>()
  #remembered: Remembered | undefined
  #timer: Timer | undefined

  constructor(config: MqttConfig, log: Logger, onForgotten: (devices: number) => void) {
    this.#config = config
    this.#log = log
    this.#onForgotten = onForgotten
  }

  start(remembered: Remembered, clock: Clock): void {
    this.#remembered = remembered
    const { forgetAfterMs } = this.#config
    if (forgetAfterMs > 0) this.#timer = clock.every(forgetAfterMs, () => this.#advance())
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  full(what: 'source' | 'series'): void {
    if (this.#told.has(what)) return
    this.#told.add(what)
    const isDevice = what === 'source'
    const { maxDevices, maxSeries } = this.#config
    this.#log.warn(WORDS[what].what, {
      ...this.#remembered?.topics.worst(what),
      bound: isDevice ? maxDevices : maxSeries,
      fix: WORDS[what].fix,
    })
  }

  #advance(): void {
    const { sources, metrics, topics } = this.#remembered!
    const before = sources.size
    sources.advance()
    metrics.advance()
    topics.advance()
    this.#told.clear()
    this.#onForgotten(before - sources.size)
  }
}
