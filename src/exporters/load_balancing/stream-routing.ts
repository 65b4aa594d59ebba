// The key `streamID`: one series, that is resource, scope, metric and the attributes of the data point.

import { SeriesHash } from '../../otlp/series.ts'
import type { HashRing } from './ring.ts'
import type { Routing } from './routing.ts'

export class StreamRouting implements Routing {
  readonly level = 5
  readonly #series = new SeriesHash()
  #ring!: HashRing

  begin(ring: HashRing): this {
    this.#ring = ring
    return this
  }

  enter = (level: number, bytes: Uint8Array, start: number, end: number): void =>
    this.#series.enter(level, bytes, start, end)

  shardOf = (bytes: Uint8Array, start: number, end: number): number =>
    this.#ring.ownerOf(this.#series.of(bytes, start, end))
}
