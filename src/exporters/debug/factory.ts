import { defineExporter } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { Debug } from './debug.ts'

export const factory = defineExporter({
  type: 'debug',
  summary: 'Prints telemetry to the log or the terminal, from counts to every field.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  keeps: () => 'direct',
  create: (own, context) => new Debug(own, context),
})
