// One number for one series: resource, scope, metric and the attributes of the data point. It does not depend on the order
// in which attributes stand.

import { Cursor } from '../wire/cursor.ts'
import { Attributes } from './attributes.ts'
import { INSTRUMENTATION_SCOPE, METRIC } from './fields.ts'
import { crcOf, EMPTY_CRC, mix } from './hash.ts'
import { MetricView, pointAttributes } from './metric.ts'
import { MergedView } from './resource.ts'

const RESOURCE_ATTRIBUTES = 1

/** Told of the messages above a data point on the way down, as a Keying is; then asked for each point. */
export class SeriesHash {
  readonly #merged = new MergedView()
  readonly #attributes = new Attributes()
  readonly #metric = new MetricView()
  readonly #cursor = new Cursor()
  #resource = 0
  #scope = 0
  #stream = 0
  #pointField = 0

  enter(level: number, bytes: Uint8Array, start: number, end: number): void {
    if (level === 1)
      this.#resource = this.#attributes.ofPieces(this.#merged.reset(bytes, start, end), RESOURCE_ATTRIBUTES).hash()
    else if (level === 2) this.#scope = mix(this.#resource, this.#scopeHash(bytes, start, end))
    else if (level === 3) this.#enterMetric(bytes, start, end)
  }

  /** Of the data point in `bytes[start, end)`; an unsigned 32-bit number. */
  of(bytes: Uint8Array, start: number, end: number): number {
    return mix(this.#stream, this.#attributes.of(bytes, start, end, this.#pointField).hash())
  }

  #scopeHash(bytes: Uint8Array, start: number, end: number): number {
    const scope = this.#merged.reset(bytes, start, end)
    let hash = this.#attributes.ofPieces(scope, INSTRUMENTATION_SCOPE.ATTRIBUTES).hash()
    let name = EMPTY_CRC
    let version = EMPTY_CRC
    for (let i = 0; i < scope.pieces.length; i += 3) {
      for (const c = this.#cursor.reset(bytes, scope.pieces[i]!, scope.pieces[i + 1]!); c.next(); ) {
        if (c.wireType !== 2) continue
        if (c.field === INSTRUMENTATION_SCOPE.NAME) name = crcOf(EMPTY_CRC, bytes, c.start, c.end)
        else if (c.field === INSTRUMENTATION_SCOPE.VERSION) version = crcOf(EMPTY_CRC, bytes, c.start, c.end)
      }
    }
    hash = mix(hash, name)
    return mix(hash, version)
  }

  #enterMetric(bytes: Uint8Array, start: number, end: number): void {
    const metric = this.#metric.reset(bytes, start, end)
    this.#pointField = pointAttributes(metric.type)
    let hash = mix(this.#scope, crcOf(EMPTY_CRC, bytes, metric.from(METRIC.NAME), metric.to(METRIC.NAME)))
    hash = mix(hash, crcOf(EMPTY_CRC, bytes, metric.from(METRIC.UNIT), metric.to(METRIC.UNIT)))
    this.#stream = mix(hash, (metric.type << 8) | (metric.aggregationTemporality() << 1) | Number(metric.isMonotonic()))
  }
}
