import { defineCase } from '../case.ts'

/** About half of what a Collector can carry on two cores that it shares with the load and the sink. */
const PACE: Readonly<Record<number, number>> = { 10: 80_000, 100: 150_000, 1000: 200_000 }

export default defineCase({
  summary: 'The usual plant file: memory_limiter, batch, a queue; at a steady rate that all programs can carry.',
  items: [1000, 100, 10],
  rate: (items) => PACE[items] ?? 100_000,
  file: ({ signal, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 512 }
  batch:
exporters:
  ${exporterType}: ${exporter({ queue: '{ enabled: true }' })}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [${exporterType}] }
`,
})
