// What the sampler counts: items by what decided, and how.

import type { Signal } from '../../otlp/signal.ts'
import type { Counter, Meter } from '../../self/meter.ts'
import { POLICY, type Policy } from './sampler.ts'

const NAMES = [
  'trace_id_hash',
  'trace_id_w3c',
  'sampling_randomness',
  'sampling_priority',
  'missing_randomness',
] as const

export class SampledMetrics {
  readonly #meter: Meter
  readonly #signal: Signal
  readonly #attribute: string
  /** By policy and outcome: what came since flush(), and the series, made when it is first needed. */
  readonly #counts = new Int32Array(2 * (POLICY.ATTRIBUTE + 1))
  readonly #series: (Counter | undefined)[] = []

  constructor(meter: Meter, signal: Signal, attribute: string) {
    this.#meter = meter
    this.#signal = signal
    this.#attribute = attribute
  }

  count(policy: Policy, sampled: boolean): void {
    this.#counts[policy * 2 + (sampled ? 1 : 0)]!++
  }

  flush(): void {
    const counts = this.#counts
    for (let i = 0; i < counts.length; i++) {
      if (counts[i] === 0) continue
      this.#series[i] ??= this.#make(NAMES[i >> 1] ?? this.#attribute, (i & 1) === 1)
      this.#series[i]!.add(counts[i]!)
      counts[i] = 0
    }
  }

  #make(policy: string, sampled: boolean): Counter {
    const labels = { policy, sampled: String(sampled) }
    const name = 'processor_probabilistic_sampler_count'
    return this.#signal === 'logs'
      ? this.#meter.counter(`${name}_logs_sampled`, '{record}', 'Log records that stayed or went, by what decided.', {
          labels,
        })
      : this.#meter.counter(`${name}_traces_sampled`, '{span}', 'Spans that stayed or went, by what decided.', {
          labels,
        })
  }
}
