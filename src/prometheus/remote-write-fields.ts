// Generated from proto/ by scripts/generate-fields.ts: `npm run fields`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares `SPAN.wireType[number]` and `SPAN.TRACE_ID`.

import type { EnumTable, MessageTable } from '../otlp/fields.ts'

export const V2_HISTOGRAM_RESET_HINT = {
  name: 'io.prometheus.write.v2.Histogram.ResetHint',
  values: {
    RESET_HINT_UNSPECIFIED: 0,
    RESET_HINT_YES: 1,
    RESET_HINT_NO: 2,
    RESET_HINT_GAUGE: 3,
  },
} as const

export const V2_METADATA_METRIC_TYPE = {
  name: 'io.prometheus.write.v2.Metadata.MetricType',
  values: {
    METRIC_TYPE_UNSPECIFIED: 0,
    METRIC_TYPE_COUNTER: 1,
    METRIC_TYPE_GAUGE: 2,
    METRIC_TYPE_HISTOGRAM: 3,
    METRIC_TYPE_GAUGEHISTOGRAM: 4,
    METRIC_TYPE_SUMMARY: 5,
    METRIC_TYPE_INFO: 6,
    METRIC_TYPE_STATESET: 7,
  },
} as const

export const HISTOGRAM_RESET_HINT = {
  name: 'prometheus.Histogram.ResetHint',
  values: {
    UNKNOWN: 0,
    YES: 1,
    NO: 2,
    GAUGE: 3,
  },
} as const

export const METRIC_METADATA_METRIC_TYPE = {
  name: 'prometheus.MetricMetadata.MetricType',
  values: {
    UNKNOWN: 0,
    COUNTER: 1,
    GAUGE: 2,
    HISTOGRAM: 3,
    GAUGEHISTOGRAM: 4,
    SUMMARY: 5,
    INFO: 6,
    STATESET: 7,
  },
} as const

export const V2_BUCKET_SPAN = {
  OFFSET: 1,
  LENGTH: 2,
  message: 'io.prometheus.write.v2.BucketSpan',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'offset', json: 'offset', kind: 'sint32', wireType: 0 },
    { number: 2, name: 'length', json: 'length', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_EXEMPLAR = {
  LABELS_REFS: 1,
  VALUE: 2,
  TIMESTAMP: 3,
  message: 'io.prometheus.write.v2.Exemplar',
  wireType: Uint8Array.of(255, 2, 1, 0),
  fields: [
    { number: 1, name: 'labels_refs', json: 'labelsRefs', kind: 'uint32', wireType: 0, repeated: true, packed: true },
    { number: 2, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    { number: 3, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_HISTOGRAM = {
  COUNT_INT: 1,
  COUNT_FLOAT: 2,
  SUM: 3,
  SCHEMA: 4,
  ZERO_THRESHOLD: 5,
  ZERO_COUNT_INT: 6,
  ZERO_COUNT_FLOAT: 7,
  NEGATIVE_SPANS: 8,
  NEGATIVE_DELTAS: 9,
  NEGATIVE_COUNTS: 10,
  POSITIVE_SPANS: 11,
  POSITIVE_DELTAS: 12,
  POSITIVE_COUNTS: 13,
  RESET_HINT: 14,
  TIMESTAMP: 15,
  CUSTOM_VALUES: 16,
  START_TIMESTAMP: 17,
  message: 'io.prometheus.write.v2.Histogram',
  wireType: Uint8Array.of(255, 0, 1, 1, 0, 1, 0, 1, 2, 2, 2, 2, 2, 2, 0, 0, 2, 0),
  fields: [
    { number: 1, name: 'count_int', json: 'countInt', kind: 'uint64', wireType: 0, oneof: 'count' },
    { number: 2, name: 'count_float', json: 'countFloat', kind: 'double', wireType: 1, oneof: 'count' },
    { number: 3, name: 'sum', json: 'sum', kind: 'double', wireType: 1 },
    { number: 4, name: 'schema', json: 'schema', kind: 'sint32', wireType: 0 },
    { number: 5, name: 'zero_threshold', json: 'zeroThreshold', kind: 'double', wireType: 1 },
    { number: 6, name: 'zero_count_int', json: 'zeroCountInt', kind: 'uint64', wireType: 0, oneof: 'zero_count' },
    { number: 7, name: 'zero_count_float', json: 'zeroCountFloat', kind: 'double', wireType: 1, oneof: 'zero_count' },
    {
      number: 8,
      name: 'negative_spans',
      json: 'negativeSpans',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.BucketSpan',
      repeated: true,
    },
    {
      number: 9,
      name: 'negative_deltas',
      json: 'negativeDeltas',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 10,
      name: 'negative_counts',
      json: 'negativeCounts',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 11,
      name: 'positive_spans',
      json: 'positiveSpans',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.BucketSpan',
      repeated: true,
    },
    {
      number: 12,
      name: 'positive_deltas',
      json: 'positiveDeltas',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 13,
      name: 'positive_counts',
      json: 'positiveCounts',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 14,
      name: 'reset_hint',
      json: 'resetHint',
      kind: 'enum',
      wireType: 0,
      type: 'io.prometheus.write.v2.Histogram.ResetHint',
    },
    { number: 15, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
    {
      number: 16,
      name: 'custom_values',
      json: 'customValues',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    { number: 17, name: 'start_timestamp', json: 'startTimestamp', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_METADATA = {
  TYPE: 1,
  HELP_REF: 3,
  UNIT_REF: 4,
  message: 'io.prometheus.write.v2.Metadata',
  wireType: Uint8Array.of(255, 0, 255, 0, 0),
  fields: [
    {
      number: 1,
      name: 'type',
      json: 'type',
      kind: 'enum',
      wireType: 0,
      type: 'io.prometheus.write.v2.Metadata.MetricType',
    },
    { number: 3, name: 'help_ref', json: 'helpRef', kind: 'uint32', wireType: 0 },
    { number: 4, name: 'unit_ref', json: 'unitRef', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_REQUEST = {
  SYMBOLS: 4,
  TIMESERIES: 5,
  message: 'io.prometheus.write.v2.Request',
  wireType: Uint8Array.of(255, 255, 255, 255, 2, 2),
  fields: [
    { number: 4, name: 'symbols', json: 'symbols', kind: 'string', wireType: 2, repeated: true },
    {
      number: 5,
      name: 'timeseries',
      json: 'timeseries',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.TimeSeries',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_SAMPLE = {
  VALUE: 1,
  TIMESTAMP: 2,
  START_TIMESTAMP: 3,
  message: 'io.prometheus.write.v2.Sample',
  wireType: Uint8Array.of(255, 1, 0, 0),
  fields: [
    { number: 1, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    { number: 2, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
    { number: 3, name: 'start_timestamp', json: 'startTimestamp', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const V2_TIME_SERIES = {
  LABELS_REFS: 1,
  SAMPLES: 2,
  HISTOGRAMS: 3,
  EXEMPLARS: 4,
  METADATA: 5,
  message: 'io.prometheus.write.v2.TimeSeries',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'labels_refs', json: 'labelsRefs', kind: 'uint32', wireType: 0, repeated: true, packed: true },
    {
      number: 2,
      name: 'samples',
      json: 'samples',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.Sample',
      repeated: true,
    },
    {
      number: 3,
      name: 'histograms',
      json: 'histograms',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.Histogram',
      repeated: true,
    },
    {
      number: 4,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.Exemplar',
      repeated: true,
    },
    {
      number: 5,
      name: 'metadata',
      json: 'metadata',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.write.v2.Metadata',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const BUCKET_SPAN = {
  OFFSET: 1,
  LENGTH: 2,
  message: 'prometheus.BucketSpan',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'offset', json: 'offset', kind: 'sint32', wireType: 0 },
    { number: 2, name: 'length', json: 'length', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXEMPLAR = {
  LABELS: 1,
  VALUE: 2,
  TIMESTAMP: 3,
  message: 'prometheus.Exemplar',
  wireType: Uint8Array.of(255, 2, 1, 0),
  fields: [
    {
      number: 1,
      name: 'labels',
      json: 'labels',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.Label',
      repeated: true,
    },
    { number: 2, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    { number: 3, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const HISTOGRAM = {
  COUNT_INT: 1,
  COUNT_FLOAT: 2,
  SUM: 3,
  SCHEMA: 4,
  ZERO_THRESHOLD: 5,
  ZERO_COUNT_INT: 6,
  ZERO_COUNT_FLOAT: 7,
  NEGATIVE_SPANS: 8,
  NEGATIVE_DELTAS: 9,
  NEGATIVE_COUNTS: 10,
  POSITIVE_SPANS: 11,
  POSITIVE_DELTAS: 12,
  POSITIVE_COUNTS: 13,
  RESET_HINT: 14,
  TIMESTAMP: 15,
  CUSTOM_VALUES: 16,
  message: 'prometheus.Histogram',
  wireType: Uint8Array.of(255, 0, 1, 1, 0, 1, 0, 1, 2, 2, 2, 2, 2, 2, 0, 0, 2),
  fields: [
    { number: 1, name: 'count_int', json: 'countInt', kind: 'uint64', wireType: 0, oneof: 'count' },
    { number: 2, name: 'count_float', json: 'countFloat', kind: 'double', wireType: 1, oneof: 'count' },
    { number: 3, name: 'sum', json: 'sum', kind: 'double', wireType: 1 },
    { number: 4, name: 'schema', json: 'schema', kind: 'sint32', wireType: 0 },
    { number: 5, name: 'zero_threshold', json: 'zeroThreshold', kind: 'double', wireType: 1 },
    { number: 6, name: 'zero_count_int', json: 'zeroCountInt', kind: 'uint64', wireType: 0, oneof: 'zero_count' },
    { number: 7, name: 'zero_count_float', json: 'zeroCountFloat', kind: 'double', wireType: 1, oneof: 'zero_count' },
    {
      number: 8,
      name: 'negative_spans',
      json: 'negativeSpans',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.BucketSpan',
      repeated: true,
    },
    {
      number: 9,
      name: 'negative_deltas',
      json: 'negativeDeltas',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 10,
      name: 'negative_counts',
      json: 'negativeCounts',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 11,
      name: 'positive_spans',
      json: 'positiveSpans',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.BucketSpan',
      repeated: true,
    },
    {
      number: 12,
      name: 'positive_deltas',
      json: 'positiveDeltas',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 13,
      name: 'positive_counts',
      json: 'positiveCounts',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 14,
      name: 'reset_hint',
      json: 'resetHint',
      kind: 'enum',
      wireType: 0,
      type: 'prometheus.Histogram.ResetHint',
    },
    { number: 15, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
    {
      number: 16,
      name: 'custom_values',
      json: 'customValues',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LABEL = {
  NAME: 1,
  VALUE: 2,
  message: 'prometheus.Label',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'value', json: 'value', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const METRIC_METADATA = {
  TYPE: 1,
  METRIC_FAMILY_NAME: 2,
  HELP: 4,
  UNIT: 5,
  message: 'prometheus.MetricMetadata',
  wireType: Uint8Array.of(255, 0, 2, 255, 2, 2),
  fields: [
    { number: 1, name: 'type', json: 'type', kind: 'enum', wireType: 0, type: 'prometheus.MetricMetadata.MetricType' },
    { number: 2, name: 'metric_family_name', json: 'metricFamilyName', kind: 'string', wireType: 2 },
    { number: 4, name: 'help', json: 'help', kind: 'string', wireType: 2 },
    { number: 5, name: 'unit', json: 'unit', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SAMPLE = {
  VALUE: 1,
  TIMESTAMP: 2,
  message: 'prometheus.Sample',
  wireType: Uint8Array.of(255, 1, 0),
  fields: [
    { number: 1, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    { number: 2, name: 'timestamp', json: 'timestamp', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const TIME_SERIES = {
  LABELS: 1,
  SAMPLES: 2,
  EXEMPLARS: 3,
  HISTOGRAMS: 4,
  message: 'prometheus.TimeSeries',
  wireType: Uint8Array.of(255, 2, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'labels',
      json: 'labels',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.Label',
      repeated: true,
    },
    {
      number: 2,
      name: 'samples',
      json: 'samples',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.Sample',
      repeated: true,
    },
    {
      number: 3,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.Exemplar',
      repeated: true,
    },
    {
      number: 4,
      name: 'histograms',
      json: 'histograms',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.Histogram',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const WRITE_REQUEST = {
  TIMESERIES: 1,
  METADATA: 3,
  message: 'prometheus.WriteRequest',
  wireType: Uint8Array.of(255, 2, 255, 2),
  fields: [
    {
      number: 1,
      name: 'timeseries',
      json: 'timeseries',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.TimeSeries',
      repeated: true,
    },
    {
      number: 3,
      name: 'metadata',
      json: 'metadata',
      kind: 'message',
      wireType: 2,
      type: 'prometheus.MetricMetadata',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {
  'io.prometheus.write.v2.BucketSpan': V2_BUCKET_SPAN,
  'io.prometheus.write.v2.Exemplar': V2_EXEMPLAR,
  'io.prometheus.write.v2.Histogram': V2_HISTOGRAM,
  'io.prometheus.write.v2.Metadata': V2_METADATA,
  'io.prometheus.write.v2.Request': V2_REQUEST,
  'io.prometheus.write.v2.Sample': V2_SAMPLE,
  'io.prometheus.write.v2.TimeSeries': V2_TIME_SERIES,
  'prometheus.BucketSpan': BUCKET_SPAN,
  'prometheus.Exemplar': EXEMPLAR,
  'prometheus.Histogram': HISTOGRAM,
  'prometheus.Label': LABEL,
  'prometheus.MetricMetadata': METRIC_METADATA,
  'prometheus.Sample': SAMPLE,
  'prometheus.TimeSeries': TIME_SERIES,
  'prometheus.WriteRequest': WRITE_REQUEST,
}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {
  'io.prometheus.write.v2.Histogram.ResetHint': V2_HISTOGRAM_RESET_HINT,
  'io.prometheus.write.v2.Metadata.MetricType': V2_METADATA_METRIC_TYPE,
  'prometheus.Histogram.ResetHint': HISTOGRAM_RESET_HINT,
  'prometheus.MetricMetadata.MetricType': METRIC_METADATA_METRIC_TYPE,
}
