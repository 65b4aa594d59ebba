// Keys and defaults of Collector reference 2.1.

import { bool, duration, group, type Infer, ignored, int, object, section, string } from '../../config/schema.ts'
import { grpcServerAuth, middlewares } from '../../net/auth/config.ts'
import { DECODINGS } from '../../net/compression.ts'
import { COMPRESSION_ALGORITHMS, httpServerFields, responseHeadersProblem } from '../../net/http/server-config.ts'
import { LIMITS } from '../../net/limits.ts'
import { endpointField, endpointProblem, transportField } from '../../net/listen.ts'
import { tlsServer } from '../../net/tls/config.ts'

const keepalive = object({
  serverParameters: section(
    'server_parameters',
    object({
      maxConnectionIdleMs: duration('max_connection_idle', {
        default: '0s',
        min: '0s',
        doc: 'End a connection that had no call for so long; 0: never.',
      }),
      maxConnectionAgeMs: duration('max_connection_age', {
        default: '0s',
        min: '0s',
        doc: 'End a connection that is so old, give or take a tenth; 0: never.',
      }),
      maxConnectionAgeGraceMs: duration('max_connection_age_grace', {
        default: '0s',
        min: '0s',
        doc: 'Time for its last calls after that; 0: as long as they need.',
      }),
      timeMs: duration('time', {
        default: '0s',
        min: '0s',
        doc: 'Ask a client of which nothing was heard for so long whether it is there; 0: 2h.',
      }),
      timeoutMs: duration('timeout', { default: '0s', min: '0s', doc: 'Time for its answer; 0: 20s.' }),
    }),
    { optional: 'some', doc: 'Life of connections.' },
  ),
  enforcementPolicy: section(
    'enforcement_policy',
    object({
      minTimeMs: duration('min_time', {
        default: '0s',
        min: '0s',
        doc: 'Least time between two pings of a client; one that keeps asking more often is cut off. 0: 5m.',
      }),
      permitWithoutStream: bool('permit_without_stream', {
        default: false,
        doc: 'Clients may ping while they have no call.',
      }),
    }),
    { optional: 'some', doc: 'How often clients may ping.' },
  ),
})

export const grpc = object({
  endpoint: endpointField('localhost:4317'),
  transport: transportField,
  dialer: ignored('dialer', { doc: 'Read for compatibility: a server dials nobody.' }),
  tls: section('tls', tlsServer, { optional: 'none', doc: 'TLS, with a certificate and a key.' }),
  maxRecvMsgSizeMib: int('max_recv_msg_size_mib', {
    default: 0,
    min: 0,
    max: 4095,
    doc: 'Largest request in MiB, as it arrives and again unpacked; 0: 4.',
  }),
  maxConcurrentStreams: int('max_concurrent_streams', {
    default: 0,
    min: 0,
    max: 2 ** 32 - 1,
    doc: `Parallel calls on one connection; 0: ${LIMITS.streamsPerConnection}.`,
  }),
  readBufferSize: ignored('read_buffer_size', { doc: 'Read for compatibility: reads are sized by what has arrived.' }),
  writeBufferSize: ignored('write_buffer_size', { doc: 'Read for compatibility: answers are a few bytes.' }),
  keepalive: section('keepalive', keepalive, { optional: 'some', doc: "Connections' life and pings." }),
  auth: grpcServerAuth,
  middlewares,
  includeMetadata: bool('include_metadata', {
    default: false,
    doc: "Keep the call's metadata with the batch, for components that ask for it.",
  }),
})
export type GrpcConfig = Infer<typeof grpc>

const urlPath = (key: string, standard: string) =>
  string(key, { default: standard, doc: 'Path of the requests; a leading `/` is added where it is missing.' })

export const http = object({
  ...httpServerFields,
  endpoint: endpointField('localhost:4318'),
  tracesUrlPath: urlPath('traces_url_path', '/v1/traces'),
  metricsUrlPath: urlPath('metrics_url_path', '/v1/metrics'),
  logsUrlPath: urlPath('logs_url_path', '/v1/logs'),
  readHeaderTimeoutMs: duration('read_header_timeout', {
    default: '0s',
    min: '0s',
    doc: `Time for a request's headers to arrive; 0: ${LIMITS.headersMs / 1000}s.`,
  }),
  writeTimeoutMs: duration('write_timeout', {
    default: '0s',
    min: '0s',
    doc: "Time from a request's headers to the end of its answer; 0: none.",
  }),
  idleTimeoutMs: duration('idle_timeout', {
    default: '0s',
    min: '0s',
    doc: `Time between two requests on one connection; 0: ${LIMITS.idleMs / 1000}s.`,
  }),
})
export type HttpConfig = Infer<typeof http>

export const config = object(
  {
    protocols: group(
      'protocols',
      object({
        grpc: section('grpc', grpc, { optional: 'default', doc: 'OTLP/gRPC. Naming it opens it.' }),
        http: section('http', http, { optional: 'default', doc: 'OTLP/HTTP, protobuf and JSON. Naming it opens it.' }),
      }),
      { doc: 'What is spoken; at least one of the two.' },
    ),
  },
  {
    check({ protocols }, problem) {
      if (protocols.grpc === undefined && protocols.http === undefined)
        problem('protocols', 'no protocol is named', 'write grpc: or http: (or both) under protocols')
      for (const [name, server] of Object.entries(protocols)) {
        if (server === undefined) continue
        const found = endpointProblem(server.endpoint, server.transport)
        if (found !== undefined) problem(`protocols.${name}.endpoint`, found.what, found.fix)
      }
      const header = responseHeadersProblem(protocols.http?.responseHeaders ?? new Map())
      if (header !== undefined) problem('protocols.http.response_headers', header.what, header.fix)
      for (const name of protocols.http?.compressionAlgorithms ?? [])
        if (!COMPRESSION_ALGORITHMS.includes(name))
          problem(
            'protocols.http.compression_algorithms',
            `"${name}" is not supported`,
            `use any of "", ${DECODINGS.join(', ')}`,
          )
      for (const key of ['traces_url_path', 'metrics_url_path', 'logs_url_path'] as const) {
        const path = {
          traces_url_path: 'tracesUrlPath',
          metrics_url_path: 'metricsUrlPath',
          logs_url_path: 'logsUrlPath',
        } as const
        const value = protocols.http?.[path[key]]
        if (value !== undefined && findUrlPath(value) === undefined)
          problem(
            `protocols.http.${key}`,
            `"${value}" is not the path of a URL`,
            'write a path, for example /v1/traces',
          )
      }
    },
  },
)
export type OtlpConfig = Infer<typeof config>

/** The path as requests show it; undefined when it is none. */
export function findUrlPath(value: string): string | undefined {
  try {
    return new URL(value.startsWith('/') ? value : `/${value}`, 'http://localhost').pathname
  } catch {
    return undefined
  }
}
