import { defineExporter } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { OtlpGrpcExporter } from './otlp-grpc.ts'

export const factory = defineExporter({
  type: 'otlp_grpc',
  aliases: ['otlp'],
  summary: 'Sends telemetry to an OTLP server over gRPC.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new OtlpGrpcExporter(cfg, context),
})
