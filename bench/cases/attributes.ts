import { defineCase } from '../case.ts'

export default defineCase({
  summary: 'Logs whose attributes are edited: one inserted, one updated, one deleted.',
  signal: 'logs',
  file: ({ signal, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  attributes:
    actions:
      - { key: plant, value: north, action: insert }
      - { key: http.route, value: /hidden, action: update }
      - { key: client.address, action: delete }
exporters:
  ${exporterType}: ${exporter()}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [attributes], exporters: [${exporterType}] }
`,
})
