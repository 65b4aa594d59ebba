// The OpenTelemetry SDK for Node, set up for one service of the MES: three signals over one protocol.

import type { Logger, Meter, Tracer } from '@opentelemetry/api'
import { OTLPLogExporter as GrpcLogs } from '@opentelemetry/exporter-logs-otlp-grpc'
import { OTLPLogExporter as JsonLogs } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPLogExporter as ProtobufLogs } from '@opentelemetry/exporter-logs-otlp-proto'
import { OTLPMetricExporter as GrpcMetrics } from '@opentelemetry/exporter-metrics-otlp-grpc'
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtobufMetrics } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as GrpcTraces } from '@opentelemetry/exporter-trace-otlp-grpc'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtobufTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

export type OtlpProtocol = 'grpc' | 'http/protobuf' | 'http/json'

export interface TelemetryOptions {
  readonly service: string
  readonly protocol: OtlpProtocol
  /** `http://host:port`, of OTLP/gRPC or OTLP/HTTP as the protocol says. */
  readonly endpoint: string
  readonly exportEveryMs: number
}

export interface Telemetry {
  readonly tracer: Tracer
  readonly meter: Meter
  readonly logger: Logger
  /** Sends what is held and ends. */
  stop(): Promise<void>
}

function exporters(protocol: OtlpProtocol, endpoint: string) {
  if (protocol === 'grpc')
    return {
      traces: new GrpcTraces({ url: endpoint }),
      metrics: new GrpcMetrics({ url: endpoint }),
      logs: new GrpcLogs({ url: endpoint }),
    }
  const url = (signal: string) => ({ url: `${endpoint}/v1/${signal}` })
  if (protocol === 'http/json')
    return {
      traces: new JsonTraces(url('traces')),
      metrics: new JsonMetrics(url('metrics')),
      logs: new JsonLogs(url('logs')),
    }
  return {
    traces: new ProtobufTraces(url('traces')),
    metrics: new ProtobufMetrics(url('metrics')),
    logs: new ProtobufLogs(url('logs')),
  }
}

export function startTelemetry({ service, protocol, endpoint, exportEveryMs }: TelemetryOptions): Telemetry {
  const resource = resourceFromAttributes({
    'service.name': service,
    'service.namespace': 'plant',
    'service.version': '1.0.0',
    'telemetry.sdk.language': 'nodejs',
  })
  const { traces, metrics, logs } = exporters(protocol, endpoint)
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: traces, scheduledDelayMillis: exportEveryMs })],
  })
  const meters = new MeterProvider({
    resource,
    readers: [
      new PeriodicExportingMetricReader({
        exporter: metrics,
        exportIntervalMillis: exportEveryMs,
        exportTimeoutMillis: exportEveryMs,
      }),
    ],
  })
  const loggers = new LoggerProvider({
    resource,
    processors: [new BatchLogRecordProcessor({ exporter: logs, scheduledDelayMillis: exportEveryMs })],
  })
  return {
    tracer: tracers.getTracer('mes', '1.0.0'),
    meter: meters.getMeter('mes', '1.0.0'),
    logger: loggers.getLogger('mes', '1.0.0'),
    async stop() {
      // A router that is gone already must not keep the services from ending.
      await Promise.allSettled([tracers.shutdown(), meters.shutdown(), loggers.shutdown()])
    },
  }
}
