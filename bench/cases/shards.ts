import { defineCase } from '../case.ts'

/**
 * Much work for each byte, so that on a machine with two cores the load and the sink take little of them: short attributes are
 * copied and hashed, again and again, and the copy goes at the end.
 */
const HASHED = ['client.address', 'url.path', 'server.address', 'http.route', 'http.request.method'] as const
const TIMES = 5
const ACTIONS = HASHED.map(
  (key) => `      - { key: copy, from_attribute: ${key}, action: upsert }\n      - { key: copy, action: hash }\n`,
)
  .join('')
  .repeat(TIMES)

export default defineCase({
  summary:
    'Logs of which five attributes are copied and hashed, five times over, on one shard and on two; the rate is what counts.',
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
${ACTIONS}      - { key: copy, action: delete }
exporters:
  ${exporterType}: ${exporter()}
service:
  shards: ${variant === 'one' ? 1 : 2}
  telemetry: ${telemetry}
  pipelines:
    ${signal}: { receivers: [otlp], processors: [attributes], exporters: [${exporterType}] }
`,
})
