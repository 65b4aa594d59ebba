import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { MqttExporter } from './mqtt.ts'

export const factory = defineExporter({
  type: 'mqtt',
  summary: 'Publishes metrics, logs and traces to an MQTT broker, on topics made from their attributes.',
  stability: 'alpha',
  signals: ['metrics', 'logs', 'traces'],
  config,
  keeps: (cfg) => keepsOf(cfg.queue),
  create: (cfg, context) => new MqttExporter(cfg, context),
})
