// service.telemetry (Collector reference 6.2): logs, metrics, traces and resource of the router itself.

import {
  anyValue,
  bool,
  choice,
  custom,
  duration,
  group,
  type Infer,
  ignored,
  int,
  list,
  map,
  object,
  section,
  string,
  strings,
  type YamlValue,
} from '../config/schema.ts'
import { REDACTED } from '../config/secret.ts'
import { anyType, hide, type ValueType } from '../config/types.ts'
import { findAddress } from '../net/listen.ts'
import { checkReaders, reader } from './reader-config.ts'
import { resourceType } from './resource.ts'

export const LOG_LEVELS = {
  debug: 'Everything.',
  info: 'What happened.',
  warn: 'What should not have happened.',
  error: 'What failed.',
  dpanic: 'Nothing.',
  panic: 'Nothing.',
  fatal: 'Nothing.',
} as const

/** Where telemetry of our own would be sent to: read and not used, but its headers are secrets all the same. */
const unsent: ValueType<YamlValue> = {
  ...anyType,
  secret: true,
  decode(node, at) {
    hide(node)
    return anyType.decode(node, at)
  },
  print: (value, reveal) => (reveal ? anyType.print(value, reveal) : REDACTED),
}

const sampling = object({
  tickMs: duration('tick', { default: '10s', min: '0s', doc: 'How long equal messages are counted.' }),
  initial: int('initial', { default: 10, min: 0, doc: 'How many equal messages pass in each tick.' }),
  thereafter: int('thereafter', { default: 100, min: 0, doc: 'After those every n-th passes; 0: none.' }),
})

export const logsConfig = object({
  level: choice('level', {
    default: 'info',
    of: LOG_LEVELS,
    ignoreCase: true,
    doc: 'The least level that is written.',
  }),
  encoding: choice('encoding', {
    default: 'console',
    of: { console: 'Columns for people.', json: 'One JSON object a line.' },
    doc: 'The form of a line.',
  }),
  development: ignored('development', { doc: 'Read for compatibility.' }),
  disableCaller: bool('disable_caller', { default: false, doc: 'Leave out the place in the code.' }),
  disableStacktrace: ignored('disable_stacktrace', {
    doc: 'Read for compatibility: there are no stack traces in lines.',
  }),
  sampling: section('sampling', sampling, {
    optional: 'some',
    doc: 'Thins out messages that repeat; each text and level is counted by itself, in each shard.',
  }),
  outputPaths: strings('output_paths', { default: ['stderr'], doc: 'stderr, stdout, or files to append to.' }),
  errorOutputPaths: strings('error_output_paths', {
    default: ['stderr'],
    doc: 'Where to say that a line could not be written.',
  }),
  initialFields: map('initial_fields', anyValue.of(), { default: {}, doc: 'Fields that every line carries.' }),
  processors: custom('processors', unsent, {
    optional: true,
    doc: 'Sending of log lines by OTLP; Millrace only writes them.',
  }),
  disableZapResource: bool('disable_zap_resource', { default: false, doc: 'Leave the resource out of each line.' }),
})
export type LogsConfig = Infer<typeof logsConfig>

export const metricsConfig = object(
  {
    level: choice('level', {
      default: 'normal',
      of: {
        none: 'No metrics.',
        basic: 'What is needed to see that all is well.',
        normal: 'What is needed to see what is not.',
        detailed: 'All there is.',
      },
      ignoreCase: true,
      doc: 'How much is measured.',
    }),
    readers: list('readers', reader, {
      optional: true,
      doc: 'Who gets the metrics. Default: a Prometheus page on localhost:8888/metrics.',
    }),
    address: string('address', {
      optional: true,
      doc: 'Older form of a Prometheus reader: host and port of its page. Write readers instead.',
    }),
    views: anyValue('views', {
      optional: true,
      doc: 'Read for compatibility, at level detailed alone; has no effect.',
    }),
  },
  {
    check(value, problem) {
      if (value.level !== 'detailed' && isFilled(value.views)) {
        problem('views', 'views take effect at level detailed alone', 'write level: detailed, or remove views')
      }
      if (value.level === 'none') return
      if (value.readers?.length === 0 && value.address === undefined) {
        problem('readers', 'there is no reader', 'name one, remove the key, or write level: none')
      }
      if (value.address !== undefined && value.address !== '' && findAddress(value.address) === undefined) {
        problem(
          'address',
          `"${value.address}" is not host:port`,
          'write readers instead, or for example localhost:8888',
        )
      }
      checkReaders(value.readers ?? [], problem)
    },
  },
)
export type MetricsConfig = Infer<typeof metricsConfig>

const tracesConfig = object({
  level: ignored('level', { doc: 'Read for compatibility.' }),
  propagators: ignored('propagators', { doc: 'Read for compatibility.' }),
  processors: custom('processors', unsent, { optional: true, doc: "Spans of the router's own; Millrace makes none." }),
  sampler: ignored('sampler', { doc: 'Read for compatibility.' }),
  limits: ignored('limits', { doc: 'Read for compatibility.' }),
})

export const telemetryConfig = object({
  logs: group('logs', logsConfig, { doc: "The router's own log lines." }),
  metrics: group('metrics', metricsConfig, { doc: "The router's own metrics." }),
  traces: group('traces', tracesConfig, { doc: "The router's own spans." }),
  resource: custom('resource', resourceType, {
    default: {},
    doc: 'Who the router is in its own telemetry; null takes a default attribute away.',
  }),
})
export type TelemetryConfig = Infer<typeof telemetryConfig>

const isFilled = (value: unknown): boolean =>
  Array.isArray(value) ? value.length > 0 : value !== undefined && value !== null

export interface TelemetryWarning {
  /** Below `service.telemetry`. */
  readonly path: string
  readonly what: string
  readonly fix: string
}

/** What the file asks for and does not get, or gets in an older spelling; for one warning each. */
export function telemetryWarnings(config: TelemetryConfig): TelemetryWarning[] {
  const warnings: TelemetryWarning[] = []
  const { logs, metrics, resource, traces } = config
  const address = metrics.address === undefined ? undefined : findAddress(metrics.address)
  if (metrics.address !== undefined) {
    const fix =
      address === undefined
        ? 'write level: none to have no metrics'
        : `write readers: [{pull: {exporter: {prometheus: {host: "${address.host || '0.0.0.0'}", port: ${address.port}}}}}]`
    warnings.push({ path: 'metrics.address', what: 'the Collector has removed address', fix })
  }
  if (resource.inline) {
    const [[name, value] = ['', '']] = resource.attributes
    const fix = `write attributes: [{name: ${name}, value: ${JSON.stringify(value)}}, ...]`
    warnings.push({ path: 'resource', what: 'a map of attributes is the older form of resource', fix })
  }
  if (isFilled(metrics.views)) {
    warnings.push({ path: 'metrics.views', what: 'views have no effect', fix: 'remove them' })
  }
  if (isFilled(logs.processors)) {
    const fix = 'remove processors, and collect the lines from output_paths'
    warnings.push({ path: 'logs.processors', what: 'log lines are written and not sent', fix })
  }
  if (isFilled(traces.processors)) {
    warnings.push({ path: 'traces.processors', what: 'the router makes no spans of its own', fix: 'remove processors' })
  }
  return warnings
}
