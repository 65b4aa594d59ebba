import { defineProcessor } from '../../graph/component.ts'
import { BatchProcessor } from './batch.ts'
import { config } from './config.ts'

export const factory = defineProcessor({
  type: 'batch',
  summary: 'Joins small requests into larger ones, by number of items or by time.',
  stability: 'beta',
  // Not profiles: each of their requests has a dictionary of its own, so two cannot stand side by side (src/otlp/merge.ts).
  signals: ['traces', 'metrics', 'logs'],
  config,
  create: (cfg, context) => new BatchProcessor(cfg, context),
})
