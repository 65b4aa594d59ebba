import { defineExporter } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { OtlpHttpExporter } from './otlp-http.ts'

export const factory = defineExporter({
  type: 'otlp_http',
  aliases: ['otlphttp'],
  summary: 'Sends telemetry to an OTLP server over HTTP.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new OtlpHttpExporter(cfg, context),
})
