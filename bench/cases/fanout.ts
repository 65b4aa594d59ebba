import { defineCase } from '../case.ts'

const EXPORTERS = [0, 1, 2]

export default defineCase({
  summary:
    'As passthrough, to three next hops at once; CPU-seconds are for a million items received, each sent three times.',
  copies: EXPORTERS.length,
  file: ({ signal, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
exporters:
${EXPORTERS.map((lane) => `  ${exporterType}/${lane}: ${exporter({ lane })}`).join('\n')}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], exporters: [${EXPORTERS.map((lane) => `${exporterType}/${lane}`).join(', ')}] }
`,
})
