import { defineCase } from '../case.ts'

export default defineCase({
  summary: 'Logs whose personal data are hashed, on one shard and on two; the rate is what counts.',
  signal: 'logs',
  suts: ['millrace'],
  variants: { one: 'service: shards: 1', two: 'service: shards: 2' },
  connections: 16,
  file: ({ signal, variant, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  attributes:
    actions:
      - { key: client.address, action: hash }
      - { key: user_agent.original, action: hash }
      - { key: url.path, action: hash }
exporters:
  ${exporterType}: ${exporter()}
service:
  shards: ${variant === 'one' ? 1 : 2}
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [attributes], exporters: [${exporterType}] }
`,
})
