// service.telemetry.metrics.readers: the declarative form of OpenTelemetry's configuration, as the Collector reads it.
// Times here are whole milliseconds, unlike everywhere else.

import {
  bool,
  type Complain,
  choice,
  custom,
  group,
  type Infer,
  int,
  object,
  secret,
  section,
  string,
  strings,
} from '../config/schema.ts'
import type { Secret } from '../config/secret.ts'
import { INVALID, listType, mapType, type ValueType } from '../config/types.ts'
import { parseTarget } from '../net/grpc/client-target.ts'

const includeExclude = object({
  included: strings('included', {
    optional: true,
    doc: 'Attributes that become labels; `*` and `?` stand for letters. Absent: all. Empty: none.',
  }),
  excluded: strings('excluded', { default: [], doc: 'Attributes that do not.' }),
})

const prometheus = object({
  host: string('host', { default: 'localhost', doc: 'Address to listen on.' }),
  port: int('port', { default: 8888, min: 0, max: 65535, doc: 'Port to listen on; 0: any.' }),
  withoutScopeInfo: bool('without_scope_info', { default: true, doc: 'No otel_scope labels.' }),
  withoutUnits: bool('without_units', { default: true, doc: 'No unit at the end of names.' }),
  withoutTypeSuffix: bool('without_type_suffix', { default: true, doc: 'No _total at the end of names.' }),
  constantLabels: section('with_resource_constant_labels', includeExclude, {
    optional: 'none',
    doc: 'Resource attributes that every series carries as labels.',
  }),
})

/** A map of names to values, or the list of {name, value} that the declarative form has. */
const headersType: ValueType<Map<string, Secret>> = (() => {
  const asMap = mapType(secret.of())
  const asList = listType(
    object({
      name: string('name', { required: true, doc: 'Name of the header.' }),
      value: secret('value', { default: '', doc: 'Its value.' }),
    }),
  )
  return {
    ...asMap,
    words: 'map of headers, or list of name and value',
    decode(node, at) {
      if (node.kind !== 'list') return asMap.decode(node, at)
      const pairs = asList.decode(node, at)
      return pairs === INVALID ? INVALID : new Map(pairs.map(({ name, value }) => [name, value]))
    },
  }
})()

const otlp = object({
  protocol: choice('protocol', {
    default: 'http/protobuf',
    of: {
      'http/protobuf': 'OTLP over HTTP, as bytes.',
      'http/json': 'OTLP over HTTP, as JSON.',
      grpc: 'OTLP over gRPC.',
    },
    doc: 'How metrics are sent.',
  }),
  endpoint: string('endpoint', {
    optional: true,
    doc: 'URL to send to; over HTTP without a path, /v1/metrics is added. Default: http://localhost:4318, or 4317 for gRPC.',
  }),
  headers: custom('headers', headersType, {
    default: {},
    doc: 'Headers of each request, as a map or a list of name and value.',
  }),
  compression: choice('compression', {
    default: 'none',
    of: { none: 'As it is.', gzip: 'Compressed with gzip.' },
    doc: 'Compression of the body.',
  }),
  timeoutMs: int('timeout', { default: 10_000, min: 1, doc: 'Milliseconds until a request is given up.' }),
  insecure: bool('insecure', { default: false, doc: 'No TLS, for a gRPC endpoint that has no scheme.' }),
  certificate: string('certificate', { optional: true, doc: 'File of the authority that the server is checked by.' }),
  clientKey: string('client_key', { optional: true, doc: 'File of the key that the router shows.' }),
  clientCertificate: string('client_certificate', {
    optional: true,
    doc: 'File of the certificate that the router shows.',
  }),
  temporality: choice('temporality_preference', {
    default: 'cumulative',
    of: { cumulative: 'Counts since the start.' },
    doc: 'Whether counts are since the start.',
  }),
  defaultHistogramAggregation: choice('default_histogram_aggregation', {
    default: 'explicit_bucket_histogram',
    of: { explicit_bucket_histogram: 'Buckets with fixed bounds.' },
    doc: 'The form of histograms.',
  }),
})
export type OtlpReaderConfig = Infer<typeof otlp>

export const reader = object({
  pull: section(
    'pull',
    object({
      exporter: group(
        'exporter',
        object({
          prometheus: section('prometheus', prometheus, {
            optional: 'default',
            doc: "A page in Prometheus' text format at /metrics.",
          }),
        }),
        {
          doc: 'What is served.',
        },
      ),
    }),
    { optional: 'none', doc: 'Metrics that others fetch.' },
  ),
  periodic: section(
    'periodic',
    object({
      intervalMs: int('interval', { default: 60_000, min: 1, doc: 'Milliseconds between two reports.' }),
      timeoutMs: int('timeout', { default: 30_000, min: 1, doc: 'Milliseconds until a report is given up.' }),
      exporter: group(
        'exporter',
        object({
          otlp: section('otlp', otlp, { optional: 'default', doc: 'Sends by OTLP.' }),
          console: section('console', object({}), {
            optional: 'default',
            doc: 'Writes one JSON object a line to stdout.',
          }),
        }),
        { doc: 'Where reports go.' },
      ),
    }),
    { optional: 'none', doc: 'Metrics that the router sends by itself.' },
  ),
})
export type ReaderConfig = Infer<typeof reader>

/** Reports readers that are nothing or two things at once. */
export function checkReaders(readers: readonly ReaderConfig[], problem: Complain): void {
  readers.forEach(({ pull, periodic }, index) => {
    const path = `readers[${index}]`
    if ((pull === undefined) === (periodic === undefined)) {
      problem(path, 'a reader is either pull or periodic', 'write one of the two')
    } else if (pull !== undefined && pull.exporter.prometheus === undefined) {
      problem(`${path}.pull`, 'there is no exporter', 'write exporter: {prometheus: {host: localhost, port: 8888}}')
    } else if (periodic !== undefined) {
      const { otlp, console } = periodic.exporter
      if ((otlp === undefined) === (console === undefined)) {
        problem(`${path}.periodic`, 'a report goes to exactly one exporter', 'write exporter: {otlp: {endpoint: URL}}')
      } else if (otlp?.endpoint !== undefined) {
        checkEndpoint(otlp.protocol, otlp.endpoint, `${path}.periodic.exporter.otlp.endpoint`, problem)
      }
    }
  })
}

function checkEndpoint(
  protocol: OtlpReaderConfig['protocol'],
  endpoint: string,
  path: string,
  problem: Complain,
): void {
  if (protocol === 'grpc') {
    try {
      parseTarget(endpoint)
    } catch (error) {
      problem(path, (error as Error).message, 'write a URL, for example http://localhost:4317')
    }
  } else if (!/^https?:\/\/[^/]/.test(endpoint) || !URL.canParse(endpoint)) {
    const rest = endpoint.replace(/^.*:\/\//, '')
    problem(path, `"${endpoint}" is not a URL`, `write a URL, for example http://${rest}`)
  }
}
