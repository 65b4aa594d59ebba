import { resolve } from 'node:path'
import { defineExporter } from '../../graph/component.ts'
import { SIGNALS } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { FileExporter } from './file.ts'

export const factory = defineExporter({
  type: 'file',
  summary: 'Writes telemetry to files, as OTLP/JSON lines or encoded requests.',
  stability: 'alpha',
  signals: SIGNALS,
  config,
  keeps: () => 'direct',
  exclusive: ({ path }) => [`file ${resolve(path)}`],
  create: (own, context) => new FileExporter(own, context),
})
