import { defineCase } from '../case.ts'

/** Much work for each byte, so that on a machine with two cores the load and the sink take little of them. */
const HASHED = [
  'client.address',
  'user_agent.original',
  'url.path',
  'server.address',
  'http.route',
  'http.request.method',
] as const
const TIMES = 4
const ACTIONS = HASHED.map((key) => `      - { key: ${key}, action: hash }\n`)
  .join('')
  .repeat(TIMES)

export default defineCase({
  summary: 'Logs of which six attributes are hashed four times over, on one shard and on two; the rate is what counts.',
  signal: 'logs',
  notFor: { otelcol: 'all' },
  variants: { one: 'service: shards: 1', two: 'service: shards: 2' },
  items: [100],
  connections: 16,
  file: ({ signal, variant, receiver, exporterType, exporter, telemetry }) => `
receivers:
  otlp: ${receiver}
processors:
  attributes:
    actions:
${ACTIONS}exporters:
  ${exporterType}: ${exporter()}
service:
  shards: ${variant === 'one' ? 1 : 2}
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [attributes], exporters: [${exporterType}] }
`,
})
