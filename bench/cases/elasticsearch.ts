import { defineCase } from '../case.ts'

export default defineCase({
  summary: 'Logs to the bulk requests of Elasticsearch, mapping otel, as they are and packed.',
  items: [1000],
  signal: 'logs',
  output: 'http',
  variants: { none: 'Requests as they are.', gzip: 'Requests packed, as by default.' },
  file: ({ signal, receiver, exporter, telemetry, variant }) => `
receivers:
  otlp: ${receiver}
exporters:
  elasticsearch: ${exporter().replace(/compression: \w+/, `compression: ${variant}`)}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], exporters: [elasticsearch] }
`,
})
