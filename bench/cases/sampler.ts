import { defineCase } from '../case.ts'

export default defineCase({
  summary: 'Spans into whose tracestate a sampler writes; all of them stay, so that they can be counted.',
  variants: {
    equalizing: 'The randomness of the trace id; the threshold is written.',
    hash_seed: 'A hash; randomness and threshold are written.',
  },
  file: ({ signal, variant, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  probabilistic_sampler: { mode: ${variant}, sampling_percentage: 100 }
exporters:
  ${exporterType}: ${exporter()}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [probabilistic_sampler], exporters: [${exporterType}] }
`,
})
