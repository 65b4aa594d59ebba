import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { LoadBalancingExporter } from './load-balancing.ts'

export const factory = defineExporter({
  type: 'load_balancing',
  aliases: ['loadbalancing'],
  summary: 'Sends what belongs together (a trace, a service, a series) to the same one of several OTLP servers.',
  stability: 'beta',
  signals: ['traces', 'metrics', 'logs'],
  config,
  // The first queue on the way is what answers.
  keeps: (cfg) => keepsOf(cfg.queue ?? cfg.protocol.otlp.queue),
  create: (cfg, context) => new LoadBalancingExporter(cfg, context),
})
