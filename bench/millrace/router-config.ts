// Configurations for the whole-process cases, as a user would write them.

import type { Encoding, Protocol } from '../rig/load.ts'

export interface RouterConfigOptions {
  readonly protocol: Protocol
  readonly port: number
  /** Of the sink. */
  readonly exportPort: number
  readonly encoding: Encoding
  /** With memory_limiter, batch and a queue. */
  readonly batching?: boolean
  /** A queue without a batch processor. */
  readonly queued?: boolean
  /** Keeps the queue there instead of in memory. */
  readonly queueDirectory?: string
  readonly insertAttribute?: boolean
  readonly metricsPort: number
  /** More lines for the exporter. */
  readonly exporter?: readonly string[]
  readonly memoryLimitMib?: number
  readonly shards?: number
}

const INSERT = `  attributes:
    actions:
      - key: plant
        value: north
        action: insert
`

export function routerConfig(options: RouterConfigOptions): string {
  const exporter = options.protocol === 'grpc' ? 'otlp_grpc' : 'otlp_http'
  const endpoint = `${options.protocol === 'grpc' ? '' : 'http://'}127.0.0.1:${options.exportPort}`
  const batching = options.batching === true
  const processors = [
    ...(batching ? ['memory_limiter', 'batch'] : []),
    ...(options.insertAttribute === true ? ['attributes'] : []),
  ]
  const queued = batching || options.queued === true
  const { queueDirectory } = options
  const storage = queueDirectory === undefined ? '' : '      storage: file_storage\n'
  const extensions = `extensions:\n  file_storage:\n    directory: ${queueDirectory}\n`
  return `${queueDirectory === undefined ? '' : extensions}receivers:
  otlp:
    protocols:
      ${options.protocol}:
        endpoint: 127.0.0.1:${options.port}
processors:
  batch:
  memory_limiter:
    check_interval: 1s
    limit_mib: ${options.memoryLimitMib ?? 200}
${options.insertAttribute === true ? INSERT : ''}exporters:
  ${exporter}:
    endpoint: ${endpoint}
    compression: ${options.encoding}
    tls:
      insecure: true
    sending_queue:
      enabled: ${queued}
${storage}${(options.exporter ?? []).map((line) => `    ${line}\n`).join('')}service:
  shards: ${options.shards ?? 1}
  extensions: [${queueDirectory === undefined ? '' : 'file_storage'}]
  telemetry:
    logs:
      level: warn
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: ${options.metricsPort}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [${processors.join(', ')}]
      exporters: [${exporter}]
`
}
