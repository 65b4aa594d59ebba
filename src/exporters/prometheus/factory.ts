import { defineExporter } from '../../graph/component.ts'
import { config } from './config.ts'
import { Prometheus } from './prometheus.ts'

export const factory = defineExporter({
  type: 'prometheus',
  summary: 'Shows metrics to Prometheus, which fetches them from /metrics.',
  stability: 'beta',
  signals: ['metrics'],
  config,
  exclusive: ({ endpoint }) => [`prometheus ${endpoint}`],
  create: (own, context) => new Prometheus(own, context),
})
