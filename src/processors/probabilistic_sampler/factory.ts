import { defineProcessor } from '../../graph/component.ts'
import { config } from './config.ts'
import { ProbabilisticSampler } from './probabilistic-sampler.ts'

export const factory = defineProcessor({
  type: 'probabilistic_sampler',
  summary: 'Keeps a percentage of the spans, trace by trace, or of the log records.',
  stability: 'beta',
  signals: ['traces', 'logs'],
  config,
  create: (cfg, context) => new ProbabilisticSampler(cfg, context),
})
