// The instruments of one thread: cells that cost an addition to change, read as a snapshot at a scrape.
//
// A counter of prom-client builds a text from its labels at every call (145 ns; a cell takes 5) and loads in 40 ms per
// thread. prom-client writes the text, on the supervisor and when the first scrape comes (exposition.ts).

import type { ComponentKind } from '../graph/component.ts'
import type { Counter, Gauge, Histogram, InstrumentOptions, Labels, Merge, Meter, MetricLevel } from './meter.ts'
import { type InstrumentType, labelKey, mergeValues, type SeriesSnapshot, type Snapshot } from './snapshot.ts'

/** service.telemetry.metrics.level. */
export type MetricsLevel = 'none' | MetricLevel

const RANK = { none: 0, basic: 1, normal: 2, detailed: 3 } as const satisfies Record<MetricsLevel, number>

class Cell implements Counter, Gauge {
  value = 0
  used = false

  add(value: number): void {
    this.value += value
    this.used = true
  }

  set(value: number): void {
    this.value = value
    this.used = true
  }
}

class HistogramCell implements Histogram {
  readonly bounds: readonly number[]
  readonly counts: number[]
  sum = 0
  used = false

  constructor(bounds: readonly number[]) {
    this.bounds = bounds
    this.counts = new Array(bounds.length + 1).fill(0)
  }

  record(value: number): void {
    let bucket = 0
    while (bucket < this.bounds.length && value > this.bounds[bucket]!) bucket++
    this.counts[bucket]!++
    this.sum += value
    this.used = true
  }
}

type Source = Cell | HistogramCell | (() => number)

interface Series {
  readonly labels: Labels
  readonly onceUsed: boolean
  /** A counter or a histogram has one source; a gauge one for each component that asked for it. */
  readonly sources: Source[]
  /** The meters that asked for it; when the last of them is released, the series goes. */
  readonly owners: Set<object>
}

/** The meter of a component that may go while the registry stays. */
export interface ComponentMeter extends Meter {
  /** Another has taken its place: its gauges are not shown any more. Counters go on. */
  retire(): void
  /** The component is gone: what no other component counts is not shown any more. */
  release(): void
}

interface Instrument {
  readonly type: InstrumentType
  readonly unit: string
  readonly help: string
  readonly merge: Merge
  readonly bounds: readonly number[] | undefined
  readonly series: Map<string, Series>
}

export class MeterRegistry {
  readonly #level: MetricsLevel
  readonly #instruments = new Map<string, Instrument>()

  constructor(level: MetricsLevel) {
    this.#level = level
  }

  /** The meter of one component; `id` becomes the value of the label named after its kind. */
  component(kind: ComponentKind, id: string): ComponentMeter {
    return this.meter({ [kind]: id })
  }

  /** A meter that adds these labels to everything. A component that is made again goes on with the counters it had. */
  meter(labels: Labels = {}): ComponentMeter {
    const owner = {}
    const gauges: { readonly series: Series; readonly source: Source }[] = []
    const own = (series: Series | undefined): Series | undefined => {
      series?.owners.add(owner)
      return series
    }
    const addGauge = (series: Series, source: Source): void => {
      series.sources.push(source)
      gauges.push({ series, source })
    }
    const retire = (): void => {
      for (const { series, source } of gauges.splice(0)) series.sources.splice(series.sources.indexOf(source), 1)
    }
    return {
      counter: (name, unit, help, options) => {
        const series = own(this.#series('counter', name, unit, help, labels, options))
        if (series === undefined) return NOTHING
        if (series.sources.length === 0) series.sources.push(new Cell())
        return series.sources[0] as Cell
      },
      gauge: (name, unit, help, options) => {
        const series = own(this.#series('gauge', name, unit, help, labels, options))
        if (series === undefined) return NOTHING
        const cell = new Cell()
        addGauge(series, cell)
        return cell
      },
      observe: (name, unit, help, read, options) => {
        const type = options?.monotonic === true ? 'counter' : 'gauge'
        const series = own(this.#series(type, name, unit, help, labels, options))
        if (series !== undefined) addGauge(series, read)
      },
      histogram: (name, unit, help, buckets, options) => {
        const series = own(this.#series('histogram', name, unit, help, labels, options, buckets))
        if (series === undefined) return NOTHING
        if (series.sources.length === 0) series.sources.push(new HistogramCell(buckets))
        return series.sources[0] as HistogramCell
      },
      retire,
      release: () => {
        retire()
        for (const [name, { series }] of this.#instruments) {
          for (const [key, one] of series) if (one.owners.delete(owner) && one.owners.size === 0) series.delete(key)
          if (series.size === 0) this.#instruments.delete(name)
        }
      },
    }
  }

  /** The values now. Allocates plain data that may be sent to another thread. */
  snapshot(): Snapshot {
    const metrics = []
    for (const [name, { series, bounds, ...facts }] of this.#instruments) {
      const read: SeriesSnapshot[] = []
      for (const one of series.values()) {
        const value = readSeries(one, facts.merge)
        if (value !== undefined) read.push(value)
      }
      if (read.length > 0) metrics.push({ name, ...facts, ...(bounds === undefined ? {} : { bounds }), series: read })
    }
    return { metrics }
  }

  #series(
    type: InstrumentType,
    name: string,
    unit: string,
    help: string,
    labels: Labels,
    options: InstrumentOptions = {},
    bounds?: readonly number[],
  ): Series | undefined {
    if (RANK[options.level ?? 'basic'] > RANK[this.#level]) return undefined
    let instrument = this.#instruments.get(name)
    if (instrument === undefined) {
      instrument = { type, unit, help, merge: options.merge ?? 'add', bounds, series: new Map() }
      this.#instruments.set(name, instrument)
    } else if (instrument.type !== type || instrument.unit !== unit) {
      throw new Error(
        `invariant: metric ${name} is declared as ${instrument.type} in ${instrument.unit} and as ${type} in ${unit}`,
      )
    }
    const all = { ...labels, ...options.labels, ...(this.#level === 'detailed' ? options.detailedLabels : undefined) }
    const key = labelKey(all)
    let series = instrument.series.get(key)
    if (series === undefined) {
      series = { labels: all, onceUsed: options.onceUsed ?? false, sources: [], owners: new Set() }
      instrument.series.set(key, series)
    }
    return series
  }
}

const NOTHING: Counter & Gauge & Histogram = { add() {}, set() {}, record() {} }

function readSeries(series: Series, merge: Merge): SeriesSnapshot | undefined {
  let value: number | undefined
  let used = false
  for (const source of series.sources) {
    if (source instanceof HistogramCell) {
      if (series.onceUsed && !source.used) return undefined
      return { labels: series.labels, value: source.sum, counts: [...source.counts] }
    }
    const one = typeof source === 'function' ? tryRead(source) : source.value
    if (one === undefined) continue
    used ||= typeof source === 'function' || source.used
    value = value === undefined ? one : mergeValues(merge, value, one)
  }
  return value === undefined || (series.onceUsed && !used) ? undefined : { labels: series.labels, value }
}

// A component that cannot tell its own gauge must not take everybody's metrics away.
function tryRead(read: () => number): number | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
