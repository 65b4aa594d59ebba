// The keys of load_balancing (reference/otelcol-core.md 4.10; contrib, exporter/loadbalancingexporter/README.md).

import {
  anyValue,
  choice,
  custom,
  duration,
  group,
  type Infer,
  ignored,
  object,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { checkGrpcClient, grpcClientFields } from '../../net/grpc/client-config.ts'
import { queueConfig, retryConfig, sendingFields } from '../../sending/config.ts'
import { addressOf } from './address.ts'
import { portType } from './port-type.ts'

export const ROUTING_KEYS = {
  traceID: 'The trace: all spans of one go to the same endpoint. Traces (the default) and logs.',
  service: 'The resource attribute `service.name`. Every signal; the default of logs and metrics.',
  resource: 'All attributes of the resource. Logs and metrics.',
  metric: 'The name of the metric. Metrics.',
  streamID: 'Resource, scope, metric and attributes of the data point: one series. Metrics.',
  attributes: 'The attributes named in `routing_attributes`. Every signal.',
} as const
export type RoutingKey = keyof typeof ROUTING_KEYS

const { endpoint: _, ...clientFields } = grpcClientFields

const otlp = object(
  {
    endpoint: ignored('endpoint', { doc: 'Read for compatibility: the resolver says where to send.' }),
    ...clientFields,
    ...sendingFields,
  },
  {
    check(value, problem) {
      checkGrpcClient({ ...value, endpoint: 'localhost:4317' }, problem)
      if (value.queue?.storage !== undefined)
        problem(
          'sending_queue.storage',
          'a queue on disk belongs to the exporter as a whole, because endpoints come and go',
          'write storage in the sending_queue beside protocol and resolver',
        )
    },
  },
)
export type SubExporterConfig = Infer<typeof otlp>

const staticConfig = object(
  {
    hostnames: strings('hostnames', {
      required: true,
      doc: 'The endpoints, each `host` or `host:port`. Without a port: 4317.',
    }),
  },
  {
    check({ hostnames }, problem) {
      if (hostnames.length === 0) problem('hostnames', 'names no endpoint', 'write at least one host:port')
      hostnames.forEach((hostname, i) => {
        try {
          addressOf(hostname)
        } catch (error) {
          problem(`hostnames[${i}]`, (error as Error).message, 'write host:port, for example gateway-1:4317')
        }
      })
    },
  },
)
export type StaticConfig = Infer<typeof staticConfig>

const dnsConfig = object({
  hostname: string('hostname', { required: true, doc: 'The name whose addresses are the endpoints.' }),
  port: custom('port', portType, {
    default: '',
    doc: 'The port of every endpoint. Without it 4317, and endpoints stand on the ring without a port.',
  }),
  intervalMs: duration('interval', { default: '5s', min: '1ms', doc: 'How often the name is asked for.' }),
  timeoutMs: duration('timeout', { default: '1s', min: '1ms', doc: 'How long an answer may take.' }),
})
export type DnsConfig = Infer<typeof dnsConfig>

const HEADLESS = 'write dns: {hostname: NAME.NAMESPACE.svc.cluster.local} with the name of a headless service'

const resolver = object(
  {
    static: section('static', staticConfig, { optional: 'none', doc: 'A fixed list.' }),
    dns: section('dns', dnsConfig, { optional: 'none', doc: 'All addresses of a name, asked for again and again.' }),
    k8s: anyValue('k8s', { optional: true, doc: 'Not available: `dns` with a headless service gives the same.' }),
    awsCloudMap: anyValue('aws_cloud_map', { optional: true, doc: 'Not available: use `dns`.' }),
  },
  {
    check(value, problem) {
      if (value.k8s !== undefined) problem('k8s', 'asking the Kubernetes API is not available', HEADLESS)
      if (value.awsCloudMap !== undefined)
        problem('aws_cloud_map', 'AWS Cloud Map is not available', 'write dns: {hostname: NAME} with its DNS name')
      if (value.k8s !== undefined || value.awsCloudMap !== undefined) return
      if (value.static !== undefined && value.dns !== undefined)
        problem('dns', 'there is a static resolver already', 'keep one of the two')
      else if (value.static === undefined && value.dns === undefined)
        problem('', 'no resolver is given', 'write static: {hostnames: [...]} or dns: {hostname: ...}')
    },
  },
)

export const config = object(
  {
    protocol: group(
      'protocol',
      object({ otlp: group('otlp', otlp, { doc: 'What otlp_grpc takes, for each endpoint.' }) }),
      {
        doc: 'How endpoints are spoken to.',
      },
    ),
    resolver: group('resolver', resolver, { doc: 'Where the endpoints come from: exactly one of `static` and `dns`.' }),
    routingKey: choice('routing_key', {
      optional: true,
      of: ROUTING_KEYS,
      doc: 'What goes to the same endpoint together.',
    }),
    routingAttributes: strings('routing_attributes', {
      default: [],
      doc: 'For `attributes`: looked for in the resource, then the scope, then the item. Also `span.name` and `span.kind`, `log.severity` and `log.body`.',
    }),
    queue: section('sending_queue', queueConfig, {
      optional: 'default',
      doc: 'A queue in front of the routing, beside those of the endpoints.',
    }),
    retry: section('retry_on_failure', retryConfig, {
      optional: 'default',
      doc: 'Routes anew what an endpoint gave up, by the endpoints that there are then.',
    }),
    timeoutMs: duration('timeout', {
      default: '0s',
      min: '0s',
      doc: 'How long an endpoint may take to accept what is routed to it (into its queue, where it has one). 0: no limit.',
    }),
  },
  {
    check(value, problem) {
      if (value.routingKey === 'attributes' && value.routingAttributes.length === 0)
        problem('routing_key', 'attributes needs routing_attributes', 'write routing_attributes: [NAME]')
    },
  },
)

export type LoadBalancingConfig = Infer<typeof config>
