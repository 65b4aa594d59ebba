import { defineProcessor } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { ResourceProcessor } from './resource.ts'

export const factory = defineProcessor({
  type: 'resource',
  summary: 'Adds, changes and removes the attributes of resources.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  create: (cfg, context) => new ResourceProcessor(cfg, context.signal),
})
