import { defineCase } from '../case.ts'

const MODES: Readonly<Record<string, string>> = {
  equalizing: 'mode: equalizing, sampling_percentage: 100',
  hash_seed: 'mode: hash_seed, sampling_percentage: 100',
  hash_seed_10: 'mode: hash_seed, sampling_percentage: 10',
  proportional_10: 'mode: proportional, sampling_percentage: 10',
}

export default defineCase({
  summary: 'Spans into whose tracestate a sampler writes: all of them, which can be counted, or a tenth.',
  variants: {
    equalizing: 'The randomness of the trace id; the threshold is written, and all stay.',
    hash_seed: 'A hash; randomness and threshold are written, and all stay.',
    hash_seed_10: 'The same, and a tenth stays.',
    proportional_10: 'The randomness of the trace id; a tenth stays.',
  },
  kept: { hash_seed_10: 0.1, proportional_10: 0.1 },
  file: ({ signal, variant, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  probabilistic_sampler: { ${MODES[variant]} }
exporters:
  ${exporterType}: ${exporter()}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [probabilistic_sampler], exporters: [${exporterType}] }
`,
})
