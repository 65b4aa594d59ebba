// A small, fixed set of components for tests of the configuration language: what they print does not change when the
// router gains a component.

import {
  bool,
  byteSize,
  choice,
  duration,
  group,
  int,
  list,
  map,
  object,
  type Schema,
  secret,
  section,
  string,
  strings,
} from '../../src/config/schema.ts'
import {
  type AnyFactory,
  defineConnector,
  defineExporter,
  defineExtension,
  defineProcessor,
  defineReceiver,
} from '../../src/graph/component.ts'
import type { RegistryEntry } from '../../src/graph/registry.ts'

const ALL = ['traces', 'metrics', 'logs'] as const

const entry = (factory: AnyFactory): RegistryEntry => ({
  kind: factory.kind,
  type: factory.type,
  aliases: factory.aliases ?? [],
  load: async () => factory,
})

const receiver = (type: string, config: Schema<unknown>): RegistryEntry =>
  entry(defineReceiver({ type, summary: 'Receives.', signals: ALL, config, create: () => ({}) }))
const processor = (type: string, config: Schema<unknown>): RegistryEntry =>
  entry(defineProcessor({ type, summary: 'Processes.', signals: ALL, config, create: () => ({ process: () => {} }) }))
const exporter = (type: string, config: Schema<unknown>, aliases: readonly string[] = []): RegistryEntry =>
  entry(
    defineExporter({ type, aliases, summary: 'Exports.', signals: ALL, config, create: () => ({ export: () => {} }) }),
  )

const server = (port: number) =>
  object({
    endpoint: string('endpoint', { default: `localhost:${port}`, doc: 'Where to listen.' }),
    maxBody: byteSize('max_request_body_size', { default: 0, doc: 'Largest body.' }),
    includeMetadata: bool('include_metadata', { default: false, doc: 'Keep headers.' }),
  })

const otlpReceiver = object({
  protocols: group(
    'protocols',
    object({
      grpc: section('grpc', server(4317), { optional: 'default', doc: 'OTLP over gRPC.' }),
      http: section('http', server(4318), { optional: 'default', doc: 'OTLP over HTTP.' }),
    }),
    { doc: 'Which protocols.' },
  ),
})

const batch = object(
  {
    timeoutMs: duration('timeout', { default: '200ms', min: '0s', doc: 'Longest wait.' }),
    size: int('send_batch_size', { default: 8192, min: 0, doc: 'Items that end the wait.' }),
    maxSize: int('send_batch_max_size', { default: 0, min: 0, doc: 'Most items.' }),
    keys: strings('metadata_keys', { default: [], doc: 'Headers that keep batches apart.' }),
  },
  {
    check(value, problem) {
      if (value.maxSize > 0 && value.maxSize < value.size) {
        problem('send_batch_max_size', 'it is less than send_batch_size', `write 0, or at least ${value.size}`)
      }
    },
  },
)

const enrich = object({
  refreshEveryMs: duration('refresh_every', {
    default: '5m',
    min: '1s',
    max: '1d',
    unitRequired: true,
    doc: 'How often the table is read.',
  }),
  onUnknown: choice('on_unknown', {
    default: 'pass',
    of: { pass: 'Let it through.', mark: 'Mark it.' },
    doc: 'What happens to strangers.',
  }),
})

const resource = object({
  attributes: list(
    'attributes',
    object({
      key: string('key', { required: true, doc: 'Name of the attribute.' }),
      value: string('value', { optional: true, doc: 'Its value.' }),
      action: choice('action', {
        required: true,
        of: { insert: 'Add it.', upsert: 'Set it.', delete: 'Remove it.' },
        doc: 'What to do.',
      }),
    }),
    { default: [], doc: 'What to change.' },
  ),
})

const client = object({
  endpoint: string('endpoint', { required: true, doc: 'Where to send.' }),
  headers: map('headers', secret.of(), { default: {}, doc: 'Sent with each request.' }),
  token: secret('token', { optional: true, doc: 'Who we are.' }),
  tls: group('tls', object({ insecure: bool('insecure', { default: false, doc: 'No TLS.' }) }), { doc: 'TLS.' }),
  queue: section(
    'sending_queue',
    object({ size: int('queue_size', { default: 1000, min: 1, doc: 'Requests that wait.' }) }),
    { optional: 'some', doc: 'The queue.' },
  ),
})

const debug = object({
  verbosity: choice('verbosity', {
    default: 'basic',
    of: { basic: 'A line.', normal: 'More.', detailed: 'All.' },
    doc: 'How much.',
  }),
})

const nothing = object({})
const page = object({ endpoint: string('endpoint', { default: 'localhost:13133', doc: 'Where to listen.' }) })
const pairs = ALL.map((signal) => ({ from: signal, to: signal }))

export const testRegistry: readonly RegistryEntry[] = [
  receiver('nop', nothing),
  receiver('otlp', otlpReceiver),
  processor('batch', batch),
  processor('enrich', enrich),
  processor('resource', resource),
  exporter('debug', debug),
  exporter('nop', nothing),
  exporter('otlp_grpc', client, ['otlp']),
  exporter('otlp_http', client, ['otlphttp']),
  entry(
    defineConnector({
      type: 'forward',
      summary: 'Joins.',
      pairs,
      config: nothing,
      create: () => ({ process: () => {} }),
    }),
  ),
  entry(defineExtension({ type: 'health_check', summary: 'Health.', config: page, create: () => ({}) })),
]

export const testTelemetry = object({
  logs: group(
    'logs',
    object({ level: choice('level', { default: 'info', of: { info: 'i', debug: 'd' }, doc: 'Level.' }) }),
    {
      doc: 'Logs.',
    },
  ),
})
