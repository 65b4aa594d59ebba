// The keys of the otlp_http exporter (reference/otelcol-core.md 4.2).

import { choice, type Infer, object, string } from '../../config/schema.ts'
import { checkHttpClient, httpClientFields, isHttpUrl } from '../../net/http/client-config.ts'
import { queueField, retryField } from '../../sending/config.ts'

const ENDPOINTS = ['endpoint', 'traces_endpoint', 'metrics_endpoint', 'logs_endpoint', 'profiles_endpoint'] as const

export const config = object(
  {
    endpoint: string('endpoint', {
      optional: true,
      doc: 'URL of the server; `/v1/traces`, `/v1/metrics` or `/v1/logs` is added.',
    }),
    tracesEndpoint: string('traces_endpoint', { optional: true, doc: 'URL for traces, taken as it is.' }),
    metricsEndpoint: string('metrics_endpoint', { optional: true, doc: 'URL for metrics, taken as it is.' }),
    logsEndpoint: string('logs_endpoint', { optional: true, doc: 'URL for logs, taken as it is.' }),
    profilesEndpoint: string('profiles_endpoint', { optional: true, doc: 'URL for profiles, taken as it is.' }),
    encoding: choice('encoding', {
      default: 'proto',
      of: { proto: 'Protocol Buffers.', json: 'OTLP/JSON, at many times the cost.' },
      doc: 'How requests are written.',
    }),
    ...httpClientFields,
    queue: queueField,
    retry: retryField,
  },
  {
    check(value, problem) {
      checkHttpClient(value, problem)
      const given = [
        value.endpoint,
        value.tracesEndpoint,
        value.metricsEndpoint,
        value.logsEndpoint,
        value.profilesEndpoint,
      ]
      if (given.every((url) => url === undefined || url === ''))
        problem('endpoint', 'at least one endpoint must be given', 'write endpoint: http://localhost:4318')
      for (const [at, url] of given.entries())
        if (url !== undefined && url !== '' && !isHttpUrl(url))
          problem(
            ENDPOINTS[at]!,
            `"${url}" is not an http or https URL`,
            'write one, for example http://localhost:4318',
          )
    },
  },
)

export type OtlpHttpConfig = Infer<typeof config>
