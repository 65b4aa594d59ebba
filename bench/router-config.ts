// Configurations for the whole-process cases, as a user would write them.

import type { Encoding, Protocol } from './load.ts'

export interface RouterConfigOptions {
  readonly protocol: Protocol
  readonly port: number
  /** Of the sink. */
  readonly exportPort: number
  readonly encoding: Encoding
  readonly batching?: boolean
  readonly insertAttribute?: boolean
  readonly metricsPort: number
  /** More lines for the exporter. */
  readonly exporter?: readonly string[]
  readonly memoryLimitMib?: number
  /** A queue on disk instead of the one in memory: where, and how many bytes it may hold. */
  readonly disk?: { readonly folder: string; readonly queueBytes: number }
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
  const { disk } = options
  const storage = `extensions:
  file_storage:
    directory: ${disk?.folder}
    create_directory: true
`
  const diskQueue = `      storage: file_storage
      sizer: bytes
      queue_size: ${disk?.queueBytes}
`
  return `${disk === undefined ? '' : storage}receivers:
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
      enabled: ${batching}
${disk === undefined ? '' : diskQueue}${(options.exporter ?? []).map((line) => `    ${line}\n`).join('')}service:
${disk === undefined ? '' : '  extensions: [file_storage]\n'}  telemetry:
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
