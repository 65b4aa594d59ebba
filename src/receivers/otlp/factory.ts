import { defineReceiver } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'

export const factory = defineReceiver({
  type: 'otlp',
  summary: 'Takes OTLP over gRPC and HTTP, in protobuf and JSON, all signals on one port each.',
  stability: 'stable',
  signals: SIGNALS,
  config,
  create: async (cfg, context) => new (await import('./otlp.ts')).OtlpReceiver(cfg, context),
})
