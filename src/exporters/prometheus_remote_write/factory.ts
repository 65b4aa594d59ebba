import { defineExporter } from '../../graph/component.ts'
import { keepsOf } from '../../sending/config.ts'
import { config } from './config.ts'
import { queueOf, RemoteWrite } from './remote-write.ts'

export const factory = defineExporter({
  type: 'prometheus_remote_write',
  aliases: ['prometheusremotewrite'],
  summary: 'Writes metrics to Prometheus, Mimir, Thanos, VictoriaMetrics and others by remote write 1.0 or 2.0.',
  stability: 'alpha',
  signals: ['metrics'],
  config,
  // A series has one job and one instance.
  key: 'service',
  keeps: (own) => keepsOf(queueOf(own)),
  create: (own, context) => new RemoteWrite(own, context),
})
