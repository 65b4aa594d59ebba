import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { ElasticsearchExporter } from './elasticsearch.ts'

export const factory = defineExporter({
  type: 'elasticsearch',
  summary: 'Sends logs, spans and metrics to Elasticsearch or OpenSearch as documents.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new ElasticsearchExporter(cfg, context),
})
