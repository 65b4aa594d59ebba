import { defineCase } from '../case.ts'

/** Half of what one core can carry with Millrace, and what a Collector still can on two. */
const PACE: Readonly<Record<number, number>> = { 10: 40_000, 100: 150_000, 1000: 250_000 }

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
