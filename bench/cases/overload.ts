import { defineCase } from '../case.ts'

/** Ten consumers with a batch of 8192 each wait for 3.4 s then, which is less than their timeout of 5 s. */
const SINK_ITEMS_PER_SECOND = 24_000
const QUEUE_BYTES = 32 * 2 ** 20

const QUEUES: Readonly<Record<string, string>> = {
  limited: '{ enabled: true }',
  blocking: `{ enabled: true, sizer: bytes, queue_size: ${QUEUE_BYTES}, block_on_overflow: true }`,
}

export default defineCase({
  summary: 'A sink that takes a fifth of what comes, for a minute: the largest memory, and whether it stays flat.',
  items: [100],
  rate: () => SINK_ITEMS_PER_SECOND * 5,
  sinkItemsPerSecond: SINK_ITEMS_PER_SECOND,
  durationMs: 60_000,
  repeats: 1,
  variants: {
    limited: 'memory_limiter with limit_mib 64, the default queue: refuses',
    blocking: 'the same, and a queue of 32 MiB that blocks when it is full',
  },
  file: ({ signal, variant, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 64 }
  batch:
exporters:
  ${exporterType}: ${exporter({ queue: QUEUES[variant]! })}
service:
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [memory_limiter, batch], exporters: [${exporterType}] }
`,
})
