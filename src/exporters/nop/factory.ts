import { defineExporter } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'

export const factory = defineExporter({
  type: 'nop',
  summary: 'Takes everything and keeps nothing: the exporter of a pipeline whose data nobody wants.',
  stability: 'beta',
  signals: SIGNALS,
  config,
  keeps: () => 'direct',
  create: () => ({ export: (batch) => batch.delivery.deliver() }),
})
