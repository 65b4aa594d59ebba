// The plant file of a fault run, as a user would write it: both doors, limiter, batch, an exporter with or without a queue.

export interface Plant {
  readonly exporter: 'grpc' | 'http'
  readonly batch: boolean
  readonly queue: 'none' | 'memory' | 'disk'
  readonly delivery?: 'auto' | 'accepted' | 'delivered'
  /** The exporter tries once. */
  readonly retries?: false
  /** Of the exporter; EXPORT_TIMEOUT_MS by default. */
  readonly timeoutMs?: number
  /** An attribute that is set on each span, so that a reload changes something. */
  readonly mark?: string
  /** More lines of the exporter's `sending_queue`. */
  readonly queueLines?: readonly string[]
  /** More lines of `file_storage`. */
  readonly storageLines?: readonly string[]
}

export interface Places {
  readonly grpcPort: number
  readonly httpPort: number
  readonly metricsPort: number
  readonly sinkGrpcPort: number
  readonly sinkHttpPort: number
  /** Of the disk queue. */
  readonly storageFolder: string
}

/** Below what mode `late` of the sink takes for an answer. */
export const EXPORT_TIMEOUT_MS = 1_000

const indented = (by: number, lines: readonly string[] = []): string =>
  lines.map((line) => `${' '.repeat(by)}${line}\n`).join('')

export function plantFile(plant: Plant, places: Places): string {
  const exporter = plant.exporter === 'grpc' ? 'otlp_grpc' : 'otlp_http'
  const endpoint =
    plant.exporter === 'grpc' ? `127.0.0.1:${places.sinkGrpcPort}` : `http://127.0.0.1:${places.sinkHttpPort}`
  const disk = plant.queue === 'disk'
  const processors = [
    'memory_limiter',
    ...(plant.mark === undefined ? [] : ['attributes']),
    ...(plant.batch ? ['batch'] : []),
  ]
  const storage = `extensions:
  file_storage:
    directory: ${places.storageFolder}
    create_directory: true
${indented(4, plant.storageLines)}`
  const attributes = `  attributes:
    actions: [{ key: plant, value: ${plant.mark}, action: upsert }]
`
  return `${disk ? storage : ''}receivers:
  otlp:
    protocols:
      grpc:
        endpoint: 127.0.0.1:${places.grpcPort}
      http:
        endpoint: 127.0.0.1:${places.httpPort}
processors:
  memory_limiter:
    check_interval: 1s
    limit_mib: 200
  batch:
${plant.mark === undefined ? '' : attributes}exporters:
  ${exporter}:
    endpoint: ${endpoint}
    compression: none
    timeout: ${plant.timeoutMs ?? EXPORT_TIMEOUT_MS}ms
    tls:
      insecure: true
    retry_on_failure:
      enabled: ${plant.retries !== false}
      initial_interval: 20ms
      max_interval: 200ms
      max_elapsed_time: 0s
    sending_queue:
      enabled: ${plant.queue !== 'none'}
${disk ? '      storage: file_storage\n' : ''}${indented(6, plant.queueLines)}service:
${plant.delivery === undefined ? '' : `  delivery: ${plant.delivery}\n`}${disk ? '  extensions: [file_storage]\n' : ''}  telemetry:
    logs:
      level: warn
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: 127.0.0.1
                port: ${places.metricsPort}
  pipelines:
    traces:
      receivers: [otlp]
      processors: [${processors.join(', ')}]
      exporters: [${exporter}]
`
}
