// `_metric_names_hash`: keeps documents of different metrics apart in a time series data stream, where those of the same
// time and dimensions are one. contrib, exporter/elasticsearchexporter/internal/serializer/otelserializer/metrics.go.

import { xxh64 } from './xxh64.ts'

/** Combinations of metrics that are remembered; then they are all forgotten. */
const MAX_KNOWN = 10_000

export class MetricNamesHash {
  readonly #known = new Map<string, string>()

  /** Sorts `names`. */
  of(names: string[]): string {
    const text = names.sort().join('')
    const known = this.#known.get(text)
    if (known !== undefined) return known
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const hash = xxh64(text).toString(16)
    this.#known.set(text, hash)
    return hash
  }
}
