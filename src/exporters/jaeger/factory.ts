import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { JaegerExporter } from './jaeger.ts'

export const factory = defineExporter({
  type: 'jaeger',
  summary: "Sends traces to a Jaeger collector by Jaeger's own gRPC, for files that still name it.",
  stability: 'beta',
  signals: ['traces'],
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new JaegerExporter(cfg, context),
})
