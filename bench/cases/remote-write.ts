import { defineCase } from '../case.ts'

export default defineCase({
  summary:
    'Metric points to Prometheus by remote write: a histogram becomes a series for each bucket, so that a thousand points are 3,300 samples.',
  items: [1000],
  attributes: 4,
  signal: 'metrics',
  output: 'http',
  variants: { v1: 'Remote write 1.0.', v2: 'Remote write 2.0.' },
  // There the Collector wants a feature gate on its command line.
  notFor: { otelcol: ['v2'] },
  file: ({ signal, receiver, exporter, telemetry, variant }) => `
receivers:
  otlp: ${receiver}
exporters:
  prometheus_remote_write:
    ${exporter()
      .slice(1, -1)
      .trim()
      .replace(/, sending_queue: \{[^}]*\}/, '')
      .replace(/, compression: \w+/, '')
      .replaceAll(/, (?=[a-z_]+: )/g, '\n    ')}
    ${variant === 'v2' ? 'protobuf_message: io.prometheus.write.v2.Request' : ''}
    remote_write_queue: { enabled: false }
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], exporters: [prometheus_remote_write] }
`,
})
