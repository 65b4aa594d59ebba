import { defineCase } from '../case.ts'

export default defineCase({
  summary: 'OTLP in, OTLP out, nothing in between: the doors, the check and the answer of the next hop.',
  items: [1000, 100, 10],
  file: ({ signal, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
exporters:
  ${exporterType}: ${exporter()}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], exporters: [${exporterType}] }
`,
})
