// The configuration of `health_check`, in both of its versions (Collector reference 5.1).

import {
  anyValue,
  bool,
  type Complain,
  duration,
  group,
  type Infer,
  ignored,
  int,
  object,
  section,
  string,
} from '../../config/schema.ts'
import { checkHttpServer, httpServerFields } from '../../net/http/server-config.ts'
import { endpointField } from '../../net/listen.ts'

const ENDPOINT = 'localhost:13133'

const responseBody = object({
  healthy: string('healthy', { default: '', doc: 'Body of a good answer, byte for byte.' }),
  unhealthy: string('unhealthy', { default: '', doc: 'Body of a bad answer, byte for byte.' }),
})

// The Collector reads these and does nothing with them.
const checkCollectorPipeline = object({
  enabled: bool('enabled', { default: false, doc: 'Read for compatibility.' }),
  interval: ignored('interval', { doc: 'Read for compatibility.' }),
  exporterFailureThreshold: int('exporter_failure_threshold', { default: 5, doc: 'Read for compatibility.' }),
})

const path = (key: string, enabled: boolean, doc: string) =>
  object({
    enabled: bool('enabled', { default: enabled, doc: 'Whether it is served.' }),
    path: string('path', { default: `/${key}`, doc }),
  })

const http = object({
  ...httpServerFields,
  endpoint: endpointField(ENDPOINT),
  status: group('status', path('status', true, 'Where the status is.'), {
    doc: 'The status of the router and its parts.',
  }),
  config: group('config', path('config', false, 'Where the configuration would be.'), {
    doc: 'The configuration as a page; Millrace does not serve it.',
  }),
})
export type HttpHealthConfig = Infer<typeof http>

const componentHealth = object({
  includePermanentErrors: bool('include_permanent_errors', {
    default: false,
    doc: 'A component with a permanent error makes the answer bad.',
  }),
  includeRecoverableErrors: bool('include_recoverable_errors', {
    default: false,
    doc: 'A component with an error that it may get over makes the answer bad, after recovery_duration.',
  }),
  recoveryMs: duration('recovery_duration', {
    default: '0s',
    min: '0s',
    doc: 'How long a component may have an error that it may get over.',
  }),
})
export type ComponentHealthConfig = Infer<typeof componentHealth>

export const config = object(
  {
    ...httpServerFields,
    endpoint: endpointField(ENDPOINT),
    path: string('path', { default: '/', doc: 'Where the answer is; `/` answers on every path.' }),
    responseBody: section('response_body', responseBody, { optional: 'none', doc: 'Bodies of your own.' }),
    checkCollectorPipeline: group('check_collector_pipeline', checkCollectorPipeline, {
      doc: 'Read for compatibility: the Collector ignores it too.',
    }),
    useV2: bool('use_v2', {
      default: false,
      doc: 'Answer by the status of components, as `http` and `component_health` say, instead of the keys above.',
    }),
    http: section('http', http, { optional: 'default', doc: 'With use_v2: the HTTP service.' }),
    grpc: anyValue('grpc', { optional: true, doc: 'With use_v2: the gRPC health service; Millrace does not have it.' }),
    componentHealth: group('component_health', componentHealth, {
      doc: 'With use_v2: which errors of components make the answer bad.',
    }),
  },
  {
    check(value, problem) {
      if (value.useV2) {
        checkV2(value.http, value.grpc, problem)
        return
      }
      checkHttpServer(value, problem)
      if (!value.path.startsWith('/')) problem('path', 'path must start with /', `write /${value.path}`)
    },
  },
)
export type HealthCheckConfig = Infer<typeof config>

function checkV2(http: HttpHealthConfig | undefined, grpc: unknown, problem: Complain): void {
  if (grpc !== undefined) {
    problem('grpc', 'Millrace has no gRPC health service', 'remove grpc, and write http to answer over HTTP')
  } else if (http === undefined) {
    problem('', 'must specify at least one protocol', `write http: {endpoint: "${ENDPOINT}"}`)
  }
  if (http === undefined) return
  checkHttpServer(http, problem, 'http.')
  if (http.config.enabled) {
    problem('http.config.enabled', 'Millrace does not serve its configuration', 'write false; print-config prints it')
  }
  if (http.status.enabled && !http.status.path.startsWith('/')) {
    problem('http.status.path', 'path must start with /', `write /${http.status.path}`)
  }
}
