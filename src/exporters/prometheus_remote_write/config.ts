// The keys of the remote write exporter (reference/otelcol-core.md 4.5), and our own: retry_on_http_429 and
// remote_write_queue.storage.

import {
  bool,
  choice,
  duration,
  extensionId,
  group,
  type Infer,
  ignored,
  int,
  map,
  object,
  section,
  string,
} from '../../config/schema.ts'
import { checkHttpClient, httpClientFields, isHttpUrl } from '../../net/http/client-config.ts'
import { TRANSLATION_WORDS } from '../../prometheus/names.ts'
import { retryConfigWith } from '../../sending/config.ts'

/** What the protocol says, nobody else may. */
export const PROTOCOL_HEADERS: ReadonlySet<string> = new Set([
  'content-encoding',
  'content-type',
  'x-prometheus-remote-write-version',
  'user-agent',
])

export const config = object(
  {
    endpoint: string('endpoint', {
      required: true,
      doc: 'URL that takes remote write, for example `http://localhost:9090/api/v1/write`.',
    }),
    protobufMessage: choice('protobuf_message', {
      default: 'prometheus.WriteRequest',
      of: {
        'prometheus.WriteRequest': 'Remote write 1.0.',
        'io.prometheus.write.v2.Request': 'Remote write 2.0: smaller, with types, helps and start times.',
      },
      doc: 'Which version is spoken.',
    }),
    namespace: string('namespace', { default: '', doc: 'Stands before the name of every metric, with `_` between.' }),
    externalLabels: map('external_labels', string.of(), {
      default: {},
      doc: 'Labels of every series that has none of that name.',
    }),
    translationStrategy: choice('translation_strategy', {
      optional: true,
      of: TRANSLATION_WORDS,
      doc: 'How names of metrics and labels are made; if not given, by add_metric_suffixes.',
    }),
    addMetricSuffixes: bool('add_metric_suffixes', {
      default: true,
      doc: 'Whether units and types stand at the end of names, where translation_strategy is not given.',
    }),
    disableScopeInfo: bool('disable_scope_info', {
      default: false,
      doc: 'Whether otel_scope_name, otel_scope_version and labels of scope attributes are left out.',
    }),
    targetInfo: group(
      'target_info',
      object({ enabled: bool('enabled', { default: true, doc: 'Whether there is a series target_info.' }) }),
      { doc: 'The attributes of a resource as labels of one series for each job and instance.' },
    ),
    resourceToTelemetryConversion: group(
      'resource_to_telemetry_conversion',
      object({
        enabled: bool('enabled', { default: false, doc: 'Whether every resource attribute is a label of its series.' }),
        excludeServiceAttributes: bool('exclude_service_attributes', {
          default: false,
          doc: 'Without service.name, service.namespace and service.instance.id, which are job and instance.',
        }),
      }),
      { doc: 'Resource attributes as labels.' },
    ),
    sendMetadata: bool('send_metadata', {
      default: false,
      doc: 'Whether 1.0 tells type, help and unit of a metric, once a minute; 2.0 always does.',
    }),
    maxBatchSizeBytes: int('max_batch_size_bytes', {
      default: 3_000_000,
      min: 1,
      doc: 'Bytes of one request at most, before it is packed; a single point may be more.',
    }),
    maxBatchRequestParallelism: int('max_batch_request_parallelism', {
      optional: true,
      min: 1,
      doc: 'Requests on their way at the same time at most; remote_write_queue.num_consumers if not given.',
    }),
    remoteWriteQueue: group(
      'remote_write_queue',
      object({
        enabled: bool('enabled', {
          default: true,
          doc: 'Whether senders are answered once the queue has their data; else once the store has.',
        }),
        queueSize: int('queue_size', {
          default: 10_000,
          min: 1,
          doc: 'OTLP requests that it holds; what is on its way still counts. Divided between the shards.',
        }),
        numConsumers: int('num_consumers', {
          default: 5,
          min: 1,
          doc: 'Requests on their way at the same time at most, each with series of its own.',
        }),
        storage: extensionId('storage', {
          optional: true,
          role: 'storage',
          doc: 'A storage extension, for example `file_storage`, that keeps the queue on disk: it outlives the process.',
        }),
      }),
      { doc: 'What waits until the store has it.' },
    ),
    wal: section(
      'wal',
      object({
        directory: string('directory', { default: '', doc: 'Not used: the storage extension has a directory.' }),
        bufferSize: int('buffer_size', { default: 300, doc: 'Not used: queue_size bounds the queue.' }),
        truncateFrequencyMs: duration('truncate_frequency', {
          default: '1m',
          doc: 'Not used: what has been delivered goes at once.',
        }),
        lagRecordFrequencyMs: duration('lag_record_frequency', {
          default: '15s',
          doc: 'Not used: otelcol_exporter_queue_size always tells.',
        }),
      }),
      {
        optional: 'none',
        doc: 'The log of the Collector. Its place is taken by remote_write_queue.storage; without that one there is a warning.',
      },
    ),
    retryOn429: bool('retry_on_http_429', {
      default: true,
      doc: 'Whether 429 is tried again, not before Retry-After; 5xx always is. In the Collector a feature gate decides.',
    }),
    retry: section(
      'retry_on_failure',
      retryConfigWith({ initialInterval: '50ms', maxInterval: '200ms', maxElapsedTime: '1m' }),
      { optional: 'some', checkedWhenOff: true, doc: 'Sends again what failed for a reason that may pass.' },
    ),
    ...httpClientFields,
    compression: ignored('compression', { doc: 'Read for compatibility: requests are always packed with snappy.' }),
    compressionParams: ignored('compression_params', { doc: 'Read for compatibility: snappy has no levels.' }),
    timeoutMs: duration('timeout', { default: '5s', min: '0s', doc: 'How long one try may take. 0: no limit.' }),
  },
  {
    check(value, problem) {
      checkHttpClient({ ...value, ...UNPACKED }, problem)
      if (!isHttpUrl(value.endpoint))
        problem(
          'endpoint',
          `"${value.endpoint}" is not an http or https URL`,
          'write one, for example http://localhost:9090/api/v1/write',
        )
      for (const [name, text] of value.externalLabels)
        if (name === '' || text === '')
          problem('external_labels', 'a label has no name or no value', 'write both, or remove it')
    },
  },
)

/** For the client: bodies come packed. */
export const UNPACKED = { compression: 'none', compressionParams: { level: undefined } } as const

export type RemoteWriteConfig = Infer<typeof config>
