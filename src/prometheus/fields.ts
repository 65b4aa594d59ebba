// Generated from proto/ by scripts/generate-fields.ts: `npm run fields`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares `SPAN.wireType[number]` and `SPAN.TRACE_ID`.

import type { EnumTable, MessageTable } from '../otlp/fields.ts'

export const METRIC_TYPE = {
  name: 'io.prometheus.client.MetricType',
  values: {
    COUNTER: 0,
    GAUGE: 1,
    SUMMARY: 2,
    UNTYPED: 3,
    HISTOGRAM: 4,
    GAUGE_HISTOGRAM: 5,
  },
} as const

export const BUCKET = {
  CUMULATIVE_COUNT: 1,
  UPPER_BOUND: 2,
  EXEMPLAR: 3,
  CUMULATIVE_COUNT_FLOAT: 4,
  message: 'io.prometheus.client.Bucket',
  wireType: Uint8Array.of(255, 0, 1, 2, 1),
  fields: [
    { number: 1, name: 'cumulative_count', json: 'cumulativeCount', kind: 'uint64', wireType: 0 },
    { number: 2, name: 'upper_bound', json: 'upperBound', kind: 'double', wireType: 1 },
    {
      number: 3,
      name: 'exemplar',
      json: 'exemplar',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Exemplar',
    },
    { number: 4, name: 'cumulative_count_float', json: 'cumulativeCountFloat', kind: 'double', wireType: 1 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const BUCKET_SPAN = {
  OFFSET: 1,
  LENGTH: 2,
  message: 'io.prometheus.client.BucketSpan',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'offset', json: 'offset', kind: 'sint32', wireType: 0 },
    { number: 2, name: 'length', json: 'length', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const COUNTER = {
  VALUE: 1,
  EXEMPLAR: 2,
  START_TIMESTAMP: 3,
  message: 'io.prometheus.client.Counter',
  wireType: Uint8Array.of(255, 1, 2, 2),
  fields: [
    { number: 1, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    {
      number: 2,
      name: 'exemplar',
      json: 'exemplar',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Exemplar',
    },
    {
      number: 3,
      name: 'start_timestamp',
      json: 'startTimestamp',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXEMPLAR = {
  LABEL: 1,
  VALUE: 2,
  TIMESTAMP: 3,
  message: 'io.prometheus.client.Exemplar',
  wireType: Uint8Array.of(255, 2, 1, 2),
  fields: [
    {
      number: 1,
      name: 'label',
      json: 'label',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.LabelPair',
      repeated: true,
    },
    { number: 2, name: 'value', json: 'value', kind: 'double', wireType: 1 },
    {
      number: 3,
      name: 'timestamp',
      json: 'timestamp',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const GAUGE = {
  VALUE: 1,
  message: 'io.prometheus.client.Gauge',
  wireType: Uint8Array.of(255, 1),
  fields: [{ number: 1, name: 'value', json: 'value', kind: 'double', wireType: 1 }],
} as const satisfies MessageTable & Record<string, unknown>

export const HISTOGRAM = {
  SAMPLE_COUNT: 1,
  SAMPLE_SUM: 2,
  BUCKET: 3,
  SAMPLE_COUNT_FLOAT: 4,
  SCHEMA: 5,
  ZERO_THRESHOLD: 6,
  ZERO_COUNT: 7,
  ZERO_COUNT_FLOAT: 8,
  NEGATIVE_SPAN: 9,
  NEGATIVE_DELTA: 10,
  NEGATIVE_COUNT: 11,
  POSITIVE_SPAN: 12,
  POSITIVE_DELTA: 13,
  POSITIVE_COUNT: 14,
  START_TIMESTAMP: 15,
  EXEMPLARS: 16,
  message: 'io.prometheus.client.Histogram',
  wireType: Uint8Array.of(255, 0, 1, 2, 1, 0, 1, 0, 1, 2, 2, 2, 2, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'sample_count', json: 'sampleCount', kind: 'uint64', wireType: 0 },
    { number: 2, name: 'sample_sum', json: 'sampleSum', kind: 'double', wireType: 1 },
    {
      number: 3,
      name: 'bucket',
      json: 'bucket',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Bucket',
      repeated: true,
    },
    { number: 4, name: 'sample_count_float', json: 'sampleCountFloat', kind: 'double', wireType: 1 },
    { number: 5, name: 'schema', json: 'schema', kind: 'sint32', wireType: 0 },
    { number: 6, name: 'zero_threshold', json: 'zeroThreshold', kind: 'double', wireType: 1 },
    { number: 7, name: 'zero_count', json: 'zeroCount', kind: 'uint64', wireType: 0 },
    { number: 8, name: 'zero_count_float', json: 'zeroCountFloat', kind: 'double', wireType: 1 },
    {
      number: 9,
      name: 'negative_span',
      json: 'negativeSpan',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.BucketSpan',
      repeated: true,
    },
    {
      number: 10,
      name: 'negative_delta',
      json: 'negativeDelta',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 11,
      name: 'negative_count',
      json: 'negativeCount',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 12,
      name: 'positive_span',
      json: 'positiveSpan',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.BucketSpan',
      repeated: true,
    },
    {
      number: 13,
      name: 'positive_delta',
      json: 'positiveDelta',
      kind: 'sint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    {
      number: 14,
      name: 'positive_count',
      json: 'positiveCount',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 15,
      name: 'start_timestamp',
      json: 'startTimestamp',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
    {
      number: 16,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Exemplar',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LABEL_PAIR = {
  NAME: 1,
  VALUE: 2,
  message: 'io.prometheus.client.LabelPair',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'value', json: 'value', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const METRIC = {
  LABEL: 1,
  GAUGE: 2,
  COUNTER: 3,
  SUMMARY: 4,
  UNTYPED: 5,
  TIMESTAMP_MS: 6,
  HISTOGRAM: 7,
  message: 'io.prometheus.client.Metric',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 2, 0, 2),
  fields: [
    {
      number: 1,
      name: 'label',
      json: 'label',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.LabelPair',
      repeated: true,
    },
    { number: 2, name: 'gauge', json: 'gauge', kind: 'message', wireType: 2, type: 'io.prometheus.client.Gauge' },
    { number: 3, name: 'counter', json: 'counter', kind: 'message', wireType: 2, type: 'io.prometheus.client.Counter' },
    { number: 4, name: 'summary', json: 'summary', kind: 'message', wireType: 2, type: 'io.prometheus.client.Summary' },
    { number: 5, name: 'untyped', json: 'untyped', kind: 'message', wireType: 2, type: 'io.prometheus.client.Untyped' },
    { number: 6, name: 'timestamp_ms', json: 'timestampMs', kind: 'int64', wireType: 0 },
    {
      number: 7,
      name: 'histogram',
      json: 'histogram',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Histogram',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const METRIC_FAMILY = {
  NAME: 1,
  HELP: 2,
  TYPE: 3,
  METRIC: 4,
  UNIT: 5,
  message: 'io.prometheus.client.MetricFamily',
  wireType: Uint8Array.of(255, 2, 2, 0, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'help', json: 'help', kind: 'string', wireType: 2 },
    { number: 3, name: 'type', json: 'type', kind: 'enum', wireType: 0, type: 'io.prometheus.client.MetricType' },
    {
      number: 4,
      name: 'metric',
      json: 'metric',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Metric',
      repeated: true,
    },
    { number: 5, name: 'unit', json: 'unit', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const QUANTILE = {
  QUANTILE: 1,
  VALUE: 2,
  message: 'io.prometheus.client.Quantile',
  wireType: Uint8Array.of(255, 1, 1),
  fields: [
    { number: 1, name: 'quantile', json: 'quantile', kind: 'double', wireType: 1 },
    { number: 2, name: 'value', json: 'value', kind: 'double', wireType: 1 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SUMMARY = {
  SAMPLE_COUNT: 1,
  SAMPLE_SUM: 2,
  QUANTILE: 3,
  START_TIMESTAMP: 4,
  message: 'io.prometheus.client.Summary',
  wireType: Uint8Array.of(255, 0, 1, 2, 2),
  fields: [
    { number: 1, name: 'sample_count', json: 'sampleCount', kind: 'uint64', wireType: 0 },
    { number: 2, name: 'sample_sum', json: 'sampleSum', kind: 'double', wireType: 1 },
    {
      number: 3,
      name: 'quantile',
      json: 'quantile',
      kind: 'message',
      wireType: 2,
      type: 'io.prometheus.client.Quantile',
      repeated: true,
    },
    {
      number: 4,
      name: 'start_timestamp',
      json: 'startTimestamp',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const UNTYPED = {
  VALUE: 1,
  message: 'io.prometheus.client.Untyped',
  wireType: Uint8Array.of(255, 1),
  fields: [{ number: 1, name: 'value', json: 'value', kind: 'double', wireType: 1 }],
} as const satisfies MessageTable & Record<string, unknown>

/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {
  'io.prometheus.client.Bucket': BUCKET,
  'io.prometheus.client.BucketSpan': BUCKET_SPAN,
  'io.prometheus.client.Counter': COUNTER,
  'io.prometheus.client.Exemplar': EXEMPLAR,
  'io.prometheus.client.Gauge': GAUGE,
  'io.prometheus.client.Histogram': HISTOGRAM,
  'io.prometheus.client.LabelPair': LABEL_PAIR,
  'io.prometheus.client.Metric': METRIC,
  'io.prometheus.client.MetricFamily': METRIC_FAMILY,
  'io.prometheus.client.Quantile': QUANTILE,
  'io.prometheus.client.Summary': SUMMARY,
  'io.prometheus.client.Untyped': UNTYPED,
}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {
  'io.prometheus.client.MetricType': METRIC_TYPE,
}
