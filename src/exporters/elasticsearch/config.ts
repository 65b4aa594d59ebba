// The keys of the elasticsearch exporter (reference/otelcol-core.md 4.7).

import {
  bool,
  choice,
  duration,
  group,
  type Infer,
  ignored,
  int,
  list,
  object,
  secret,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { checkHttpClient, httpClientFields, isHttpUrl } from '../../net/http/client-config.ts'
import { queueFieldWith } from '../../sending/config.ts'
import { parseCloudId } from './cloud-id.ts'

export const MAPPING_MODES = {
  otel: 'Names and structure of OpenTelemetry.',
  ecs: 'Names of the Elastic Common Schema, as nested objects.',
  none: 'Flat names: `Attributes.KEY`, `Resource.KEY`, `Body`.',
  raw: 'As none, without `Attributes.` and `Events.`.',
  bodymap: 'The body of a log record is the document.',
} as const
export type MappingMode = keyof typeof MAPPING_MODES
export type FlatMode = 'ecs' | 'none' | 'raw'

const index = (signal: string) =>
  string(`${signal}_index`, {
    default: '',
    doc: `Index or data stream for ${signal}. Empty: each record's attributes decide, else \`${signal}-generic.otel-default\`.`,
  })

const dynamicIndex = (signal: string) =>
  ignored(`${signal}_dynamic_index`, {
    doc: `Read for compatibility: ${signal} go where their attributes say unless \`${signal}_index\` is set.`,
  })

const dynamicId = (signal: string, what: string) =>
  group(
    `${signal}_dynamic_id`,
    object({
      enabled: bool('enabled', {
        default: false,
        doc: `The attribute \`elasticsearch.document_id\` of a ${what} is the id of its document.`,
      }),
    }),
    { doc: 'Ids that senders choose.' },
  )

const { compression: _compression, timeoutMs: _timeout, ...client } = httpClientFields

const retry = section(
  'retry',
  object({
    maxRetries: int('max_retries', {
      default: 0,
      min: 0,
      doc: 'How many times a request, and what is left of it, is sent again. 0: until max_elapsed_time is over.',
    }),
    maxRequests: int('max_requests', { optional: true, min: 1, doc: 'Deprecated: one more than max_retries.' }),
    initialIntervalMs: duration('initial_interval', {
      default: '100ms',
      min: '0s',
      doc: 'How long to wait after the first failure; twice as long after each further one.',
    }),
    maxIntervalMs: duration('max_interval', { default: '1m', min: '0s', doc: 'The wait grows no further than this.' }),
    maxElapsedMs: duration('max_elapsed_time', {
      default: '5m',
      min: '0s',
      doc: 'Documents are given up when their next try would come later than this. 0: never.',
    }),
    retryOnStatus: list('retry_on_status', int.of({ min: 400, max: 599 }), {
      default: [429, 500, 502, 503, 504],
      doc: 'Statuses, of a request or of a single document, after which it is sent again.',
    }),
  }),
  { optional: 'some', doc: 'Sends again what failed for a reason that may pass: of a request those documents alone.' },
)

export const config = object(
  {
    endpoint: string('endpoint', { optional: true, doc: 'URL of the server.' }),
    endpoints: strings('endpoints', {
      default: [],
      doc: 'URLs of several servers, which take turns; one that cannot be reached is left out for a while.',
    }),
    cloudId: string('cloudid', { optional: true, doc: 'The id of a cluster in Elastic Cloud.' }),
    user: string('user', { default: '', doc: 'Name for Basic authentication.' }),
    password: secret('password', { optional: true, doc: 'Its password.' }),
    apiKey: secret('api_key', { optional: true, doc: 'An API key of Elasticsearch, in its "encoded" form.' }),
    logsIndex: index('logs'),
    metricsIndex: index('metrics'),
    tracesIndex: index('traces'),
    logsDynamicIndex: dynamicIndex('logs'),
    metricsDynamicIndex: dynamicIndex('metrics'),
    tracesDynamicIndex: dynamicIndex('traces'),
    logsDynamicId: dynamicId('logs', 'log record'),
    tracesDynamicId: dynamicId('traces', 'span'),
    logsDynamicPipeline: group(
      'logs_dynamic_pipeline',
      object({
        enabled: bool('enabled', {
          default: false,
          doc: 'The attribute `elasticsearch.document_pipeline` of a log record names its ingest pipeline.',
        }),
      }),
      { doc: 'Ingest pipelines that senders choose.' },
    ),
    pipeline: string('pipeline', { default: '', doc: 'Ingest pipeline for all documents.' }),
    logstash: group(
      'logstash_format',
      object({
        enabled: bool('enabled', { default: false, doc: 'The day stands behind the name of the index.' }),
        prefixSeparator: string('prefix_separator', { default: '-', doc: 'Between name and day.' }),
        dateFormat: string('date_format', {
          default: '%Y.%m.%d',
          doc: 'How the day is written, in UTC: %Y, %y, %m, %d, %H, %j and %%.',
        }),
      }),
      { doc: 'Indices by day, as Logstash names them.' },
    ),
    mapping: group(
      'mapping',
      object({
        mode: choice('mode', {
          optional: true,
          of: MAPPING_MODES,
          doc: 'How documents are written unless a scope (attribute `elastic.mapping.mode`) or a request (header `X-Elastic-Mapping-Mode`) says otherwise; `otel` if not given.',
        }),
        allowedModes: strings('allowed_modes', {
          default: Object.keys(MAPPING_MODES),
          doc: 'The modes that requests and scopes may ask for.',
        }),
      }),
      { doc: 'How documents are written.' },
    ),
    deadLetterIndex: string('dead_letter_index', {
      default: '',
      doc: 'Index for what the server refuses for good: the document as text, its index and the reason. Empty: it is counted and logged.',
    }),
    compression: choice('compression', {
      default: 'gzip',
      of: { gzip: 'Packed.', none: 'As it is: the least CPU, the most network.', '': 'The same as `none`.' },
      doc: 'How requests are packed.',
    }),
    timeoutMs: duration('timeout', { default: '90s', min: '0s', doc: 'How long one try may take. 0: no limit.' }),
    ...client,
    discover: group(
      'discover',
      object({
        onStart: bool('on_start', {
          default: false,
          doc: 'Ask for the nodes of the cluster when the first data come.',
        }),
        intervalMs: duration('interval', { default: '0s', min: '0s', doc: 'Ask for them again and again. 0: never.' }),
      }),
      { doc: 'Sends to the nodes of the cluster that it names itself. Not behind a proxy or load balancer.' },
    ),
    bulkResponseFilterPath: string('bulk_response_filter_path', {
      default: '',
      doc: 'What the server is asked to answer; needs status and error of every item. Empty: those and no more.',
    }),
    includeSourceOnError: bool('include_source_on_error', {
      optional: true,
      doc: 'Whether reasons quote the document (Elasticsearch 8.18 and newer). Without it the server decides.',
    }),
    suppressConflictErrors: bool('suppress_conflict_errors', {
      default: false,
      doc: 'Whether documents that are there already (409) are counted without a word in the log.',
    }),
    metadataKeys: strings('metadata_keys', {
      default: [],
      doc: 'Request headers whose values are kept apart: one batch for each combination.',
    }),
    telemetry: group(
      'telemetry',
      object({
        logRequestBody: bool('log_request_body', { default: false, doc: 'Bodies of requests in the debug log.' }),
        logResponseBody: bool('log_response_body', { default: false, doc: 'Bodies of answers in the debug log.' }),
        logFailedDocsInput: bool('log_failed_docs_input', {
          default: false,
          doc: 'Documents that are refused in the debug log.',
        }),
        logFailedDocsInputRateLimitMs: duration('log_failed_docs_input_rate_limit', {
          default: '1s',
          min: '0s',
          doc: 'At most one of those in this time.',
        }),
      }),
      { doc: 'For looking for mistakes: bodies may hold what nobody else should read.' },
    ),
    numWorkers: int('num_workers', {
      optional: true,
      min: 1,
      doc: 'Deprecated: `sending_queue: {num_consumers: ...}`.',
    }),
    flush: group(
      'flush',
      object({
        bytes: int('bytes', { optional: true, min: 1, doc: 'Deprecated: `sending_queue: {batch: {max_size: ...}}`.' }),
        intervalMs: duration('interval', {
          optional: true,
          min: '1ms',
          doc: 'Deprecated: `sending_queue: {batch: {flush_timeout: ...}}`.',
        }),
      }),
      { doc: 'Deprecated: counts where `sending_queue` says nothing else.' },
    ),
    queue: queueFieldWith({
      blockOnOverflow: true,
      batch: { flushTimeout: '10s', minBytes: 1_000_000, maxBytes: 5_000_000 },
    }),
    retry,
  },
  {
    check(value, problem) {
      checkHttpClient({ ...value }, problem)
      const given = [
        value.endpoint !== undefined && value.endpoint !== '',
        value.endpoints.length > 0,
        hasCloudId(value),
      ]
      if (given.filter(Boolean).length > 1)
        problem('endpoint', 'exactly one of endpoint, endpoints and cloudid may be given', 'keep one of them')
      value.endpoints.forEach((url, i) => {
        if (!isHttpUrl(url)) notUrl(`endpoints[${i}]`, url)
      })
      if (value.endpoint !== undefined && value.endpoint !== '' && !isHttpUrl(value.endpoint))
        notUrl('endpoint', value.endpoint)
      if (hasCloudId(value) && parseCloudId(value.cloudId!) === undefined)
        problem('cloudid', `"${value.cloudId}" is no cloud id`, 'copy it from the console: NAME:LETTERS')
      if (value.user !== '' && value.apiKey !== undefined)
        problem('api_key', 'cannot be combined with user and password', 'keep one of them')
      for (const [i, mode] of value.mapping.allowedModes.entries())
        if (!Object.hasOwn(MAPPING_MODES, mode))
          problem(
            `mapping.allowed_modes[${i}]`,
            `"${mode}" is no mapping mode`,
            `write ${Object.keys(MAPPING_MODES).join(', ')}`,
          )
      const unknown = /%[^YymdHj%]/.exec(value.logstash.dateFormat)
      if (unknown !== null)
        problem('logstash_format.date_format', `${unknown[0]} is not understood`, 'use %Y, %y, %m, %d, %H, %j')

      function notUrl(path: string, url: string): void {
        problem(path, `"${url}" is not an http or https URL`, 'write one, for example http://localhost:9200')
      }
    },
  },
)

const hasCloudId = ({ cloudId }: { readonly cloudId: string | undefined }): boolean =>
  cloudId !== undefined && cloudId !== ''

export type ElasticsearchConfig = Infer<typeof config>
