// Prints each batch and settles it as delivered. Meant for people: beyond counts it reads the whole batch as JSON.

import type { Exporter, ExporterContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { RESOURCE_METRICS, SCOPE_METRICS } from '../../otlp/fields.ts'
import { bytesToJson } from '../../otlp/json/index.ts'
import type { Signal } from '../../otlp/signal.ts'
import { type ExporterMetrics, exporterMetrics } from '../../self/exporter-metrics.ts'
import { LineSink } from '../../self/line-sink.ts'
import type { LogFields } from '../../self/log.ts'
import { LogSampler } from '../../self/log-sampler.ts'
import { Cursor } from '../../wire/cursor.ts'
import type { DebugConfig } from './config.ts'
import { detailedText } from './detailed.ts'
import { Message } from './message.ts'
import { normalText } from './normal.ts'

// Zap's sampler counts anew each second.
const SAMPLING_TICK_MS = 1000
// In all four signals the resources are field 1 of the request.
const RESOURCES = 1

export class Debug implements Exporter {
  readonly #config: DebugConfig
  readonly #context: ExporterContext
  readonly #sampler: LogSampler
  readonly #metrics = new Map<Signal, ExporterMetrics>()
  #sink: LineSink | undefined

  constructor(config: DebugConfig, context: ExporterContext) {
    this.#config = config
    this.#context = context
    const { samplingInitial: initial, samplingThereafter: thereafter } = config
    this.#sampler = new LogSampler({ tickMs: SAMPLING_TICK_MS, initial, thereafter }, context.clock)
    for (const signal of context.signals) this.#metrics.set(signal, exporterMetrics(context.meter, signal))
  }

  start(): void {
    const { useInternalLogger, outputPaths } = this.#config
    if (!useInternalLogger) this.#sink = LineSink.open(outputPaths ?? ['stdout'], ['stderr'])
    else if (outputPaths !== undefined) {
      this.#context.log.warn('output_paths has no effect: write use_internal_logger: false as well')
    }
  }

  stop(): void {
    this.#sink?.close()
    this.#sink = undefined
  }

  export(batch: Batch): void {
    const { title, fields } = summary(batch)
    this.#print(title, fields)
    if (this.#config.verbosity !== 'basic') {
      const request = new Message(JSON.parse(bytesToJson(batch.signal, batch.parts)))
      const text = this.#config.verbosity === 'normal' ? normalText : detailedText
      this.#print(text(batch.signal, request))
    }
    this.#metrics.get(batch.signal)?.sent.add(batch.items)
    batch.delivery.deliver()
  }

  #print(message: string, fields?: LogFields): void {
    if (!this.#sampler.passes('info', message)) return
    if (this.#config.useInternalLogger) this.#context.log.info(message, fields)
    // As zap's console encoder prints a line without time and level.
    else this.#sink?.write(fields === undefined ? `${message}\n` : `${message}\t${spacedJson(fields)}\n`)
  }
}

const spacedJson = (fields: LogFields): string =>
  `{${Object.entries(fields)
    .map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}`)
    .join(', ')}}`

function summary(batch: Batch): { readonly title: string; readonly fields: LogFields } {
  const resources = count(batch, [])
  switch (batch.signal) {
    case 'traces':
      return { title: 'Traces', fields: { 'resource spans': resources, spans: batch.items } }
    case 'metrics': {
      const metrics = count(batch, [RESOURCE_METRICS.SCOPE_METRICS, SCOPE_METRICS.METRICS])
      return { title: 'Metrics', fields: { 'resource metrics': resources, metrics, 'data points': batch.items } }
    }
    case 'logs':
      return { title: 'Logs', fields: { 'resource logs': resources, 'log records': batch.items } }
    case 'profiles':
      return { title: 'Profiles', fields: { 'resource profiles': resources, 'sample records': batch.items } }
  }
}

/** How many messages lie on the path of field numbers that begins at the resources. */
const count = (batch: Batch, path: readonly number[]): number =>
  batch.parts.reduce((sum, part) => sum + countIn(part, 0, part.length, [RESOURCES, ...path]), 0)

function countIn(bytes: Uint8Array, from: number, to: number, [field, ...rest]: readonly number[]): number {
  if (field === undefined) return 1
  let sum = 0
  for (const c = new Cursor().reset(bytes, from, to); c.find(field); ) sum += countIn(bytes, c.start, c.end, rest)
  return sum
}
