// The series of endpoints that come and go, with labels that stay bounded.
//
// The first hundred names keep series of their own, those that come later share one name. A gauge is shown while some
// endpoint reads it: an instrument cannot be taken back, so what stands behind it is.

import type { InstrumentOptions, Labels, Meter } from '../../self/meter.ts'
import { mergeValues } from '../../self/snapshot.ts'

export const MAX_NAMED_ENDPOINTS = 100
export const OTHER_ENDPOINTS = 'other'

export class EndpointLabels {
  readonly #named = new Set<string>()

  /** The endpoint, or what stands for all that came too late. */
  nameFor(endpoint: string): string {
    if (this.#named.has(endpoint)) return endpoint
    if (this.#named.size >= MAX_NAMED_ENDPOINTS) return OTHER_ENDPOINTS
    this.#named.add(endpoint)
    return endpoint
  }
}

/** Makes meters for endpoints out of the exporter's own. */
export class EndpointMeters {
  readonly #meter: Meter
  readonly #observed = new Map<string, Set<() => number>>()

  constructor(meter: Meter) {
    this.#meter = meter
  }

  /** A meter that adds these labels; `release` takes its gauges off the page. */
  meterFor(labels: Labels): { meter: Meter; release: () => void } {
    const own: { readers: Set<() => number>; read: () => number }[] = []
    const withLabels = (options: InstrumentOptions = {}): InstrumentOptions => ({
      ...options,
      labels: { ...options.labels, ...labels },
    })
    const meter: Meter = {
      counter: (name, unit, help, options) => this.#meter.counter(name, unit, help, withLabels(options)),
      gauge: (name, unit, help, options) => this.#meter.gauge(name, unit, help, withLabels(options)),
      histogram: (name, unit, help, buckets, options) =>
        this.#meter.histogram(name, unit, help, buckets, withLabels(options)),
      observe: (name, unit, help, read, options) => {
        const readers = this.#readers(name, unit, help, withLabels(options))
        readers.add(read)
        own.push({ readers, read })
      },
    }
    return {
      meter,
      release: () => {
        for (const { readers, read } of own.splice(0)) readers.delete(read)
      },
    }
  }

  #readers(name: string, unit: string, help: string, options: InstrumentOptions): Set<() => number> {
    const key = JSON.stringify([name, options.labels])
    const known = this.#observed.get(key)
    if (known !== undefined) return known
    const readers = new Set<() => number>()
    this.#observed.set(key, readers)
    const read = (): number => {
      // The registry leaves out a gauge that cannot be read.
      if (readers.size === 0) throw new Error('no endpoint of that name')
      return [...readers].map((one) => one()).reduce((a, b) => mergeValues(options.merge ?? 'add', a, b))
    }
    this.#meter.observe(name, unit, help, read, options)
    return readers
  }
}
