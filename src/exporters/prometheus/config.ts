// The keys of the prometheus exporter (reference/otelcol-core.md 4.4).

import {
  bool,
  choice,
  duration,
  group,
  type Infer,
  ignored,
  int,
  map,
  object,
  section,
  string,
  strings,
} from '../../config/schema.ts'
import { checkHttpServer, httpServerFields } from '../../net/http/server-config.ts'
import { endpointField } from '../../net/listen.ts'
import { TRANSLATION_WORDS } from '../../prometheus/names.ts'

export const config = object(
  {
    ...httpServerFields,
    endpoint: endpointField('localhost:8889'),
    namespace: string('namespace', { default: '', doc: 'Stands before the name of every metric, with `_` between.' }),
    constLabels: map('const_labels', string.of(), {
      default: {},
      doc: 'Labels of every series; target_info has them not.',
    }),
    sendTimestamps: bool('send_timestamps', {
      default: false,
      doc: "Whether samples carry the time of their points; without it they get the scrape's.",
    }),
    metricExpirationMs: duration('metric_expiration', {
      default: '5m',
      min: '0s',
      doc: 'How long a series is shown after its last point came.',
    }),
    enableOpenMetrics: bool('enable_open_metrics', {
      default: false,
      doc: 'Whether those who ask for OpenMetrics get it, and exemplars with it.',
    }),
    translationStrategy: choice('translation_strategy', {
      default: 'UnderscoreEscapingWithSuffixes',
      of: TRANSLATION_WORDS,
      doc: 'How names of metrics and labels are made.',
    }),
    addMetricSuffixes: ignored('add_metric_suffixes', {
      doc: 'Read for compatibility: the Collector takes no notice of it any more. Write translation_strategy.',
    }),
    withoutScopeInfo: bool('without_scope_info', {
      default: false,
      doc: 'Whether otel_scope_name, otel_scope_version, otel_scope_schema_url and labels of scope attributes are left out.',
    }),
    resourceToTelemetryConversion: group(
      'resource_to_telemetry_conversion',
      object({
        enabled: bool('enabled', { default: false, doc: 'Whether every resource attribute is a label of its series.' }),
        excludeServiceAttributes: bool('exclude_service_attributes', {
          default: false,
          doc: 'Without service.name, service.namespace and service.instance.id, which are job and instance.',
        }),
      }),
      { doc: 'Resource attributes as labels; otherwise they stand in target_info.' },
    ),
    resourceConstantLabels: section(
      'resource_constant_labels',
      object({
        included: strings('included', {
          default: [],
          doc: 'Resource attributes that are labels; `*` stands for any letters, `?` for one. Empty: all.',
        }),
        excluded: strings('excluded', { default: [], doc: 'Resource attributes that are not.' }),
      }),
      {
        optional: 'none',
        doc: 'Resource attributes as labels, by name: instead of resource_to_telemetry_conversion.',
      },
    ),
    maxSeries: int('max_series', {
      default: 0,
      min: 0,
      doc: 'Series held at a time; points of further ones are dropped and counted. 0: no bound.',
    }),
    sendingQueue: ignored('sending_queue', {
      doc: 'Read for compatibility: points are taken at once, so that nothing ever waits.',
    }),
  },
  {
    check: (value, problem) => {
      checkHttpServer(value, problem)
      if (value.resourceConstantLabels !== undefined && value.resourceToTelemetryConversion.enabled)
        problem(
          'resource_constant_labels',
          'stands beside resource_to_telemetry_conversion, which says the same in another way',
          'remove one of the two',
        )
    },
  },
)

export type PrometheusConfig = Infer<typeof config>
