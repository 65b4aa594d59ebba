// The keys of the influxdb exporter (reference/otelcol-core.md 4.6), and our own: v3, schema, plant_rules, max_series.

import {
  bool,
  byteSize,
  choice,
  custom,
  duration,
  group,
  type Infer,
  int,
  list,
  map,
  object,
  secret,
  string,
  strings,
} from '../../config/schema.ts'
import { TemplateError } from '../../config/template.ts'
import { INVALID, stringType, type ValueType } from '../../config/types.ts'
import { checkHttpClient, httpClientFields, isHttpUrl } from '../../net/http/client-config.ts'
import { queueField, retryField } from '../../sending/config.ts'
import { REFERENCES, Template } from './template.ts'

const templateType: ValueType<Template> = {
  words: 'template',
  secret: false,
  decode(node, at) {
    const text = stringType.decode(node, at)
    if (text === INVALID) return INVALID
    try {
      return new Template(text)
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error
      return at.problem('CONFIG_INVALID', error.message, `write ${REFERENCES}`, node.place)
    }
  },
  print: (template) => template.text,
  json: () => ({ type: 'string' }),
  zero: () => new Template('value'),
}

const plantRule = object({
  metrics: strings('metrics', {
    default: [],
    doc: 'Names of metrics that the rule is for; a `*` stands for any characters. Empty: all of them.',
  }),
  measurement: custom('measurement', templateType, { required: true, doc: 'Measurement; a template.' }),
  tags: map('tags', templateType, {
    default: {},
    doc: 'Tags by their keys; the values are templates. A tag whose value is empty is left out.',
  }),
  field: custom('field', templateType, { default: 'value', doc: 'Field that holds the value; a template.' }),
  otherAttributes: choice('other_attributes', {
    default: 'drop',
    of: {
      drop: 'They are not written: points that differ in nothing else replace one another.',
      tags: 'They are tags.',
    },
    doc: 'What becomes of the attributes of a data point.',
  }),
})
export type PlantRuleConfig = Infer<typeof plantRule>

/** The two measurements of a plant: every reading by itself, and energy with a field for each of its numbers. */
const PLANT_RULES = [
  {
    metrics: ['power_kw', 'energy_kwh', 'cost'],
    measurement: 'energy_consumption',
    tags: { device_id: '%{resource.attributes.device.id}' },
    field: '%{metric.name}',
  },
  {
    measurement: 'device_metrics',
    tags: { device_id: '%{resource.attributes.device.id}', metric_name: '%{metric.name}', unit: '%{metric.unit}' },
    field: 'value',
  },
]

export const config = object(
  {
    endpoint: string('endpoint', {
      required: true,
      doc: 'URL of the server. Without a path the one of its API is added: `/api/v2/write`, `/write` or `/api/v3/write_lp`.',
    }),
    org: string('org', { default: '', doc: 'Organization (v2).' }),
    bucket: string('bucket', { default: '', doc: 'Bucket (v2).' }),
    token: secret('token', { optional: true, doc: 'Token (v2 and v3).' }),
    v1: group(
      'v1_compatibility',
      object({
        enabled: bool('enabled', { default: false, doc: 'Whether InfluxDB 1 is spoken: `/write`.' }),
        db: string('db', { default: '', doc: 'Database.' }),
        username: string('username', { default: '', doc: 'User; empty: none.' }),
        password: secret('password', { optional: true, doc: 'Password of the user.' }),
        retentionPolicy: string('retention_policy', {
          default: '',
          doc: "Retention policy; empty: the database's own.",
        }),
        create: bool('create_database', {
          default: false,
          doc: 'Whether the database is created at the start where it is not there.',
        }),
        retentionDuration: string('retention_duration', {
          default: '',
          doc: 'With create_database: how long it keeps what is written, for example `30d`, in a policy of the name retention_policy. Empty: for ever.',
        }),
      }),
      { doc: 'InfluxDB 1, and what speaks like it.' },
    ),
    v3: group(
      'v3',
      object({
        enabled: bool('enabled', { default: false, doc: 'Whether InfluxDB 3 is spoken: `/api/v3/write_lp`.' }),
        db: string('db', { default: '', doc: 'Database; it is created by the first line.' }),
        noSync: bool('no_sync', {
          default: false,
          doc: 'Whether the server may answer before its log has the lines: faster, and lost with the server.',
        }),
      }),
      { doc: 'InfluxDB 3.' },
    ),
    precision: choice('precision', {
      default: 'ns',
      of: { ns: 'Nanoseconds.', us: 'Microseconds.', ms: 'Milliseconds.', s: 'Seconds.' },
      doc: 'Unit of the times; what is finer is cut off.',
    }),
    schema: choice('schema', {
      default: 'otel',
      of: {
        otel: 'As metrics_schema says.',
        plant: 'As plant_rules say; values are always floats.',
      },
      doc: 'How metrics are written.',
    }),
    metricsSchema: choice('metrics_schema', {
      default: 'telegraf-prometheus-v1',
      of: {
        'telegraf-prometheus-v1': 'The metric is the measurement.',
        'telegraf-prometheus-v2': 'The measurement is `prometheus`, the metric a field.',
        'otel-v1': 'The measurement is name, unit and type. Sums and histograms only.',
      },
      doc: 'How metrics are written with `schema: otel`.',
    }),
    plantRules: list('plant_rules', plantRule, {
      default: PLANT_RULES,
      doc: 'With `schema: plant`: measurement, tags and field of a metric. The first rule that its name fits counts.',
    }),
    spanDimensions: strings('span_dimensions', {
      default: ['service.name', 'span.name'],
      doc: 'Attributes of resource, scope or span that are tags of its line.',
    }),
    logRecordDimensions: strings('log_record_dimensions', {
      default: ['service.name'],
      doc: 'Attributes of resource, scope or record that are tags of its line.',
    }),
    payloadMaxLines: int('payload_max_lines', { default: 10_000, min: 1, doc: 'Lines in one request at most.' }),
    payloadMaxBytes: byteSize('payload_max_bytes', {
      default: 10_000_000,
      min: '1KiB',
      doc: 'Bytes, before they are packed, after which a request is sent.',
    }),
    maxSeries: int('max_series', {
      default: 0,
      min: 0,
      doc: 'Different series (measurement and tags) of metrics at most, for each start; lines of further ones are dropped and counted. 0: no bound.',
    }),
    ...httpClientFields,
    compression: choice('compression', {
      default: 'none',
      of: { gzip: 'Understood by all versions.', none: 'As it is.', '': 'The same as `none`.' },
      doc: 'How requests are packed.',
    }),
    timeoutMs: duration('timeout', { default: '5s', min: '0s', doc: 'How long one try may take. 0: no limit.' }),
    queue: queueField,
    retry: retryField,
  },
  {
    check(value, problem) {
      checkHttpClient(value, problem)
      if (!isHttpUrl(value.endpoint))
        problem(
          'endpoint',
          `"${value.endpoint}" is not an http or https URL`,
          'write one, for example http://influx:8086',
        )
      if (value.v1.enabled && value.v3.enabled)
        problem('v3.enabled', 'v1_compatibility and v3 are both enabled', 'keep one of them')
      if (value.v1.enabled && value.v1.db === '')
        problem('v1_compatibility.db', 'is empty', 'write the name of the database')
      if (!/^(?:(?:\d+(?:u|ms|s|m|h|d|w))+|INF)?$/.test(value.v1.retentionDuration))
        problem(
          'v1_compatibility.retention_duration',
          `"${value.v1.retentionDuration}" is no duration of InfluxDB`,
          'write for example 30d, 12w or INF',
        )
      if (value.v3.enabled && value.v3.db === '') problem('v3.db', 'is empty', 'write the name of the database')
      for (const [key, names] of [
        ['span_dimensions', value.spanDimensions],
        ['log_record_dimensions', value.logRecordDimensions],
      ] as const) {
        const twice = names.find((name, i) => names.indexOf(name) !== i)
        if (twice !== undefined) problem(key, `"${twice}" stands there twice`, 'remove one of them')
      }
      if (value.schema === 'plant' && value.plantRules.length === 0)
        problem('plant_rules', 'there is no rule', 'remove the key to have the usual ones')
    },
  },
)

export type InfluxConfig = Infer<typeof config>
