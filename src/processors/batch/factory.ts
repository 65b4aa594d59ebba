import { defineProcessor } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { BatchProcessor } from './batch.ts'
import { config } from './config.ts'

export const factory = defineProcessor({
  type: 'batch',
  summary: 'Joins small requests into larger ones, by number of items or by time.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  create: (cfg, context) => new BatchProcessor(cfg, context),
})
