// Keeps a share of the spans or log records of each batch; what does not stay counts as delivered.

import type { Output, Processor, ProcessorContext } from '../../graph/component.ts'
import type { Batch } from '../../otlp/batch.ts'
import { Sift } from '../../otlp/sift.ts'
import type { ProbabilisticSamplerConfig } from './config.ts'
import { LogSampler } from './log-sampler.ts'
import { SampledMetrics } from './metrics.ts'
import { Sampler } from './sampler.ts'
import { SpanSampler } from './span-sampler.ts'

export class ProbabilisticSampler implements Processor {
  readonly #sift = new Sift()
  readonly #sampler: SpanSampler | LogSampler
  readonly #metrics: SampledMetrics

  constructor(config: ProbabilisticSamplerConfig, { meter, signal }: ProcessorContext) {
    const sampler = new Sampler(config)
    this.#sampler = signal === 'logs' ? new LogSampler(sampler, config) : new SpanSampler(sampler, config.hashSeed)
    this.#metrics = new SampledMetrics(meter, signal, config.fromAttribute)
  }

  process(batch: Batch, out: Output): void {
    const sift = this.#sift
    const parts: Uint8Array[] = []
    let items = batch.items
    let isSame = true
    for (let i = 0; i < batch.parts.length; i++) {
      sift.open(batch.parts[i]!)
      while (sift.next()) {
        const stays = this.#sampler.sample(sift)
        this.#metrics.count(this.#sampler.policy, stays)
      }
      items -= sift.dropped
      const part = sift.finish()
      isSame &&= part === batch.parts[i]
      if (part !== undefined) parts.push(part)
    }
    this.#metrics.flush()
    if (isSame) out.send(batch)
    else if (parts.length > 0) out.send(batch.with(parts, items))
    else batch.delivery.deliver()
  }
}
