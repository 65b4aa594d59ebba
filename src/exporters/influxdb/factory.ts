import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { InfluxExporter } from './influxdb.ts'

export const factory = defineExporter({
  type: 'influxdb',
  summary: 'Writes telemetry to InfluxDB 1, 2 or 3 as line protocol.',
  stability: 'alpha',
  signals: ['traces', 'metrics', 'logs'],
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new InfluxExporter(cfg, context),
})
