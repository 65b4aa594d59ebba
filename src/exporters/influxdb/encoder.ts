// A batch as line protocol, in requests of bounded size.

import type { Clock } from '../../graph/clock.ts'
import type { Batch } from '../../otlp/batch.ts'
import type { Signal } from '../../otlp/signal.ts'
import { Walk } from '../../otlp/walk.ts'
import type { InfluxConfig } from './config.ts'
import { HeadCache } from './head-cache.ts'
import type { DropReason, LineSchema } from './line-schema.ts'
import { UNIT_NANOS } from './line-time.ts'
import { LineWriter, type Payload } from './lines.ts'
import { LogLines } from './log-lines.ts'
import { MetricLines } from './metric-lines.ts'
import { PlantSchema } from './plant-schema.ts'
import { SeriesGuard } from './series-guard.ts'
import { SpanLines } from './span-lines.ts'

export interface Encoded {
  readonly payloads: readonly Payload[]
  /** Records and data points that became no line, by reason. */
  readonly dropped: ReadonlyMap<DropReason, number>
}

export class LineEncoder {
  readonly #config: InfluxConfig
  readonly #clock: Clock
  readonly #seed: number
  readonly #writer = new LineWriter()
  readonly #walks = new Map<Signal, Walk>()
  readonly #schemas = new Map<Signal, LineSchema>()
  readonly #guard: SeriesGuard | undefined

  /** `seed` makes it hard to send series that are slow to find. */
  constructor(config: InfluxConfig, clock: Clock, seed = 0) {
    this.#config = config
    this.#seed = seed
    this.#clock = clock
    this.#guard = config.maxSeries === 0 ? undefined : new SeriesGuard(config.maxSeries)
  }

  /** Series of metrics that were written, where they are bounded. */
  get series(): number {
    return this.#guard?.size ?? 0
  }

  encode(batch: Batch): Encoded {
    const payloads: Payload[] = []
    const dropped = new Map<DropReason, number>()
    const writer = this.#writer
    const { payloadMaxLines, payloadMaxBytes } = this.#config
    const [walk, schema] = this.#of(batch.signal)
    writer.clear()
    schema.begin()
    for (const part of batch.parts) {
      walk.open(part)
      while (walk.nextResource()) {
        schema.enterResource(walk)
        while (walk.nextScope()) {
          schema.enterScope(walk)
          while (walk.nextItem()) {
            do {
              if (batch.signal === 'metrics' && !walk.nextPoint()) break
              const outcome = schema.write(walk, writer)
              if (outcome !== 'written' && outcome !== 'nothing') dropped.set(outcome, (dropped.get(outcome) ?? 0) + 1)
              if (writer.lines >= payloadMaxLines || writer.length >= payloadMaxBytes) payloads.push(writer.take())
            } while (batch.signal === 'metrics')
          }
        }
      }
    }
    if (writer.lines > 0) payloads.push(writer.take())
    return { payloads, dropped }
  }

  #of(signal: Signal): [Walk, LineSchema] {
    let walk = this.#walks.get(signal)
    let schema = this.#schemas.get(signal)
    if (walk === undefined || schema === undefined) {
      walk = new Walk(signal)
      schema = this.#schema(signal)
      this.#walks.set(signal, walk)
      this.#schemas.set(signal, schema)
    }
    return [walk, schema]
  }

  #schema(signal: Signal): LineSchema {
    const { precision, schema, metricsSchema, plantRules, spanDimensions, logRecordDimensions } = this.#config
    const unitNanos = UNIT_NANOS[precision]
    if (signal === 'traces') return new SpanLines(spanDimensions, unitNanos)
    if (signal === 'logs') return new LogLines(logRecordDimensions, unitNanos, () => this.#clock.now())
    const heads = new HeadCache(this.#seed)
    if (schema === 'plant') return new PlantSchema(plantRules, unitNanos, this.#guard, heads)
    return new MetricLines(metricsSchema, unitNanos, this.#guard, heads)
  }
}
