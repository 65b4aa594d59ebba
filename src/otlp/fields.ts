// Generated from proto/ by scripts/generate-fields.ts: `npm run fields`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares `SPAN.wireType[number]` and `SPAN.TRACE_ID`.

export type FieldKind =
  | 'double'
  | 'float'
  | 'int32'
  | 'int64'
  | 'uint32'
  | 'uint64'
  | 'sint32'
  | 'sint64'
  | 'fixed32'
  | 'fixed64'
  | 'sfixed32'
  | 'sfixed64'
  | 'bool'
  | 'string'
  | 'bytes'
  | 'enum'
  | 'message'

export interface Field {
  readonly number: number
  /** As in the .proto file, for example `trace_id`. */
  readonly name: string
  /** As in JSON, for example `traceId`. */
  readonly json: string
  readonly kind: FieldKind
  /** The wire type of one value; the table's wireType says 2 where values come packed. */
  readonly wireType: number
  /** Full name of the message or enum. */
  readonly type?: string
  readonly repeated?: true
  /** Repeated scalars: written packed, to be understood both ways. */
  readonly packed?: true
  /** Has presence of its own: a zero that was set is told from one that was not. */
  readonly optional?: true
  readonly oneof?: string
  /** Bytes that are hexadecimal in JSON, with the length they have where they are not empty. */
  readonly idBytes?: number
}

export interface MessageTable {
  /** Full name, for example `opentelemetry.proto.trace.v1.Span`. */
  readonly message: string
  /** By field number; 255 where there is no field. */
  readonly wireType: Uint8Array
  /** Ascending by number. */
  readonly fields: readonly Field[]
}

export interface EnumTable {
  readonly name: string
  readonly values: Readonly<Record<string, number>>
}

export const LOG_RECORD_FLAGS = {
  name: 'opentelemetry.proto.logs.v1.LogRecordFlags',
  values: {
    LOG_RECORD_FLAGS_DO_NOT_USE: 0,
    LOG_RECORD_FLAGS_TRACE_FLAGS_MASK: 255,
  },
} as const

export const SEVERITY_NUMBER = {
  name: 'opentelemetry.proto.logs.v1.SeverityNumber',
  values: {
    SEVERITY_NUMBER_UNSPECIFIED: 0,
    SEVERITY_NUMBER_TRACE: 1,
    SEVERITY_NUMBER_TRACE2: 2,
    SEVERITY_NUMBER_TRACE3: 3,
    SEVERITY_NUMBER_TRACE4: 4,
    SEVERITY_NUMBER_DEBUG: 5,
    SEVERITY_NUMBER_DEBUG2: 6,
    SEVERITY_NUMBER_DEBUG3: 7,
    SEVERITY_NUMBER_DEBUG4: 8,
    SEVERITY_NUMBER_INFO: 9,
    SEVERITY_NUMBER_INFO2: 10,
    SEVERITY_NUMBER_INFO3: 11,
    SEVERITY_NUMBER_INFO4: 12,
    SEVERITY_NUMBER_WARN: 13,
    SEVERITY_NUMBER_WARN2: 14,
    SEVERITY_NUMBER_WARN3: 15,
    SEVERITY_NUMBER_WARN4: 16,
    SEVERITY_NUMBER_ERROR: 17,
    SEVERITY_NUMBER_ERROR2: 18,
    SEVERITY_NUMBER_ERROR3: 19,
    SEVERITY_NUMBER_ERROR4: 20,
    SEVERITY_NUMBER_FATAL: 21,
    SEVERITY_NUMBER_FATAL2: 22,
    SEVERITY_NUMBER_FATAL3: 23,
    SEVERITY_NUMBER_FATAL4: 24,
  },
} as const

export const AGGREGATION_TEMPORALITY = {
  name: 'opentelemetry.proto.metrics.v1.AggregationTemporality',
  values: {
    AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
    AGGREGATION_TEMPORALITY_DELTA: 1,
    AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
  },
} as const

export const DATA_POINT_FLAGS = {
  name: 'opentelemetry.proto.metrics.v1.DataPointFlags',
  values: {
    DATA_POINT_FLAGS_DO_NOT_USE: 0,
    DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK: 1,
  },
} as const

export const SPAN_KIND = {
  name: 'opentelemetry.proto.trace.v1.Span.SpanKind',
  values: {
    SPAN_KIND_UNSPECIFIED: 0,
    SPAN_KIND_INTERNAL: 1,
    SPAN_KIND_SERVER: 2,
    SPAN_KIND_CLIENT: 3,
    SPAN_KIND_PRODUCER: 4,
    SPAN_KIND_CONSUMER: 5,
  },
} as const

export const SPAN_FLAGS = {
  name: 'opentelemetry.proto.trace.v1.SpanFlags',
  values: {
    SPAN_FLAGS_DO_NOT_USE: 0,
    SPAN_FLAGS_TRACE_FLAGS_MASK: 255,
    SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK: 256,
    SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK: 512,
  },
} as const

export const STATUS_CODE = {
  name: 'opentelemetry.proto.trace.v1.Status.StatusCode',
  values: {
    STATUS_CODE_UNSET: 0,
    STATUS_CODE_OK: 1,
    STATUS_CODE_ERROR: 2,
  },
} as const

export const ANY = {
  TYPE_URL: 1,
  VALUE: 2,
  message: 'google.protobuf.Any',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'type_url', json: 'typeUrl', kind: 'string', wireType: 2 },
    { number: 2, name: 'value', json: 'value', kind: 'bytes', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const DURATION = {
  SECONDS: 1,
  NANOS: 2,
  message: 'google.protobuf.Duration',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'seconds', json: 'seconds', kind: 'int64', wireType: 0 },
    { number: 2, name: 'nanos', json: 'nanos', kind: 'int32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const TIMESTAMP = {
  SECONDS: 1,
  NANOS: 2,
  message: 'google.protobuf.Timestamp',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'seconds', json: 'seconds', kind: 'int64', wireType: 0 },
    { number: 2, name: 'nanos', json: 'nanos', kind: 'int32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RETRY_INFO = {
  RETRY_DELAY: 1,
  message: 'google.rpc.RetryInfo',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'retry_delay',
      json: 'retryDelay',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Duration',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RPC_STATUS = {
  CODE: 1,
  MESSAGE: 2,
  DETAILS: 3,
  message: 'google.rpc.Status',
  wireType: Uint8Array.of(255, 0, 2, 2),
  fields: [
    { number: 1, name: 'code', json: 'code', kind: 'int32', wireType: 0 },
    { number: 2, name: 'message', json: 'message', kind: 'string', wireType: 2 },
    {
      number: 3,
      name: 'details',
      json: 'details',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Any',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_LOGS_PARTIAL_SUCCESS = {
  REJECTED_LOG_RECORDS: 1,
  ERROR_MESSAGE: 2,
  message: 'opentelemetry.proto.collector.logs.v1.ExportLogsPartialSuccess',
  wireType: Uint8Array.of(255, 0, 2),
  fields: [
    { number: 1, name: 'rejected_log_records', json: 'rejectedLogRecords', kind: 'int64', wireType: 0 },
    { number: 2, name: 'error_message', json: 'errorMessage', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_LOGS_SERVICE_REQUEST = {
  RESOURCE_LOGS: 1,
  message: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_logs',
      json: 'resourceLogs',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.logs.v1.ResourceLogs',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_LOGS_SERVICE_RESPONSE = {
  PARTIAL_SUCCESS: 1,
  message: 'opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'partial_success',
      json: 'partialSuccess',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.collector.logs.v1.ExportLogsPartialSuccess',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_METRICS_PARTIAL_SUCCESS = {
  REJECTED_DATA_POINTS: 1,
  ERROR_MESSAGE: 2,
  message: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess',
  wireType: Uint8Array.of(255, 0, 2),
  fields: [
    { number: 1, name: 'rejected_data_points', json: 'rejectedDataPoints', kind: 'int64', wireType: 0 },
    { number: 2, name: 'error_message', json: 'errorMessage', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_METRICS_SERVICE_REQUEST = {
  RESOURCE_METRICS: 1,
  message: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_metrics',
      json: 'resourceMetrics',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ResourceMetrics',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_METRICS_SERVICE_RESPONSE = {
  PARTIAL_SUCCESS: 1,
  message: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'partial_success',
      json: 'partialSuccess',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_PROFILES_PARTIAL_SUCCESS = {
  REJECTED_PROFILES: 1,
  ERROR_MESSAGE: 2,
  message: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesPartialSuccess',
  wireType: Uint8Array.of(255, 0, 2),
  fields: [
    { number: 1, name: 'rejected_profiles', json: 'rejectedProfiles', kind: 'int64', wireType: 0 },
    { number: 2, name: 'error_message', json: 'errorMessage', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_PROFILES_SERVICE_REQUEST = {
  RESOURCE_PROFILES: 1,
  DICTIONARY: 2,
  message: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource_profiles',
      json: 'resourceProfiles',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ResourceProfiles',
      repeated: true,
    },
    {
      number: 2,
      name: 'dictionary',
      json: 'dictionary',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ProfilesDictionary',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_PROFILES_SERVICE_RESPONSE = {
  PARTIAL_SUCCESS: 1,
  message: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceResponse',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'partial_success',
      json: 'partialSuccess',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.collector.profiles.v1development.ExportProfilesPartialSuccess',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_TRACE_PARTIAL_SUCCESS = {
  REJECTED_SPANS: 1,
  ERROR_MESSAGE: 2,
  message: 'opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess',
  wireType: Uint8Array.of(255, 0, 2),
  fields: [
    { number: 1, name: 'rejected_spans', json: 'rejectedSpans', kind: 'int64', wireType: 0 },
    { number: 2, name: 'error_message', json: 'errorMessage', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_TRACE_SERVICE_REQUEST = {
  RESOURCE_SPANS: 1,
  message: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_spans',
      json: 'resourceSpans',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.ResourceSpans',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPORT_TRACE_SERVICE_RESPONSE = {
  PARTIAL_SUCCESS: 1,
  message: 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'partial_success',
      json: 'partialSuccess',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const ANY_VALUE = {
  STRING_VALUE: 1,
  BOOL_VALUE: 2,
  INT_VALUE: 3,
  DOUBLE_VALUE: 4,
  ARRAY_VALUE: 5,
  KVLIST_VALUE: 6,
  BYTES_VALUE: 7,
  STRING_VALUE_STRINDEX: 8,
  message: 'opentelemetry.proto.common.v1.AnyValue',
  wireType: Uint8Array.of(255, 2, 0, 0, 1, 2, 2, 2, 0),
  fields: [
    { number: 1, name: 'string_value', json: 'stringValue', kind: 'string', wireType: 2, oneof: 'value' },
    { number: 2, name: 'bool_value', json: 'boolValue', kind: 'bool', wireType: 0, oneof: 'value' },
    { number: 3, name: 'int_value', json: 'intValue', kind: 'int64', wireType: 0, oneof: 'value' },
    { number: 4, name: 'double_value', json: 'doubleValue', kind: 'double', wireType: 1, oneof: 'value' },
    {
      number: 5,
      name: 'array_value',
      json: 'arrayValue',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.ArrayValue',
      oneof: 'value',
    },
    {
      number: 6,
      name: 'kvlist_value',
      json: 'kvlistValue',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValueList',
      oneof: 'value',
    },
    { number: 7, name: 'bytes_value', json: 'bytesValue', kind: 'bytes', wireType: 2, oneof: 'value' },
    {
      number: 8,
      name: 'string_value_strindex',
      json: 'stringValueStrindex',
      kind: 'int32',
      wireType: 0,
      oneof: 'value',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const ARRAY_VALUE = {
  VALUES: 1,
  message: 'opentelemetry.proto.common.v1.ArrayValue',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'values',
      json: 'values',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.AnyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const ENTITY_REF = {
  SCHEMA_URL: 1,
  TYPE: 2,
  ID_KEYS: 3,
  DESCRIPTION_KEYS: 4,
  message: 'opentelemetry.proto.common.v1.EntityRef',
  wireType: Uint8Array.of(255, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
    { number: 2, name: 'type', json: 'type', kind: 'string', wireType: 2 },
    { number: 3, name: 'id_keys', json: 'idKeys', kind: 'string', wireType: 2, repeated: true },
    { number: 4, name: 'description_keys', json: 'descriptionKeys', kind: 'string', wireType: 2, repeated: true },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const INSTRUMENTATION_SCOPE = {
  NAME: 1,
  VERSION: 2,
  ATTRIBUTES: 3,
  DROPPED_ATTRIBUTES_COUNT: 4,
  message: 'opentelemetry.proto.common.v1.InstrumentationScope',
  wireType: Uint8Array.of(255, 2, 2, 2, 0),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'version', json: 'version', kind: 'string', wireType: 2 },
    {
      number: 3,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 4, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const KEY_VALUE = {
  KEY: 1,
  VALUE: 2,
  KEY_STRINDEX: 3,
  message: 'opentelemetry.proto.common.v1.KeyValue',
  wireType: Uint8Array.of(255, 2, 2, 0),
  fields: [
    { number: 1, name: 'key', json: 'key', kind: 'string', wireType: 2 },
    {
      number: 2,
      name: 'value',
      json: 'value',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.AnyValue',
    },
    { number: 3, name: 'key_strindex', json: 'keyStrindex', kind: 'int32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const KEY_VALUE_LIST = {
  VALUES: 1,
  message: 'opentelemetry.proto.common.v1.KeyValueList',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'values',
      json: 'values',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LOG_RECORD = {
  TIME_UNIX_NANO: 1,
  SEVERITY_NUMBER: 2,
  SEVERITY_TEXT: 3,
  BODY: 5,
  ATTRIBUTES: 6,
  DROPPED_ATTRIBUTES_COUNT: 7,
  FLAGS: 8,
  TRACE_ID: 9,
  SPAN_ID: 10,
  OBSERVED_TIME_UNIX_NANO: 11,
  EVENT_NAME: 12,
  message: 'opentelemetry.proto.logs.v1.LogRecord',
  wireType: Uint8Array.of(255, 1, 0, 2, 255, 2, 2, 0, 5, 2, 2, 1, 2),
  fields: [
    { number: 1, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    {
      number: 2,
      name: 'severity_number',
      json: 'severityNumber',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.logs.v1.SeverityNumber',
    },
    { number: 3, name: 'severity_text', json: 'severityText', kind: 'string', wireType: 2 },
    {
      number: 5,
      name: 'body',
      json: 'body',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.AnyValue',
    },
    {
      number: 6,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 7, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
    { number: 8, name: 'flags', json: 'flags', kind: 'fixed32', wireType: 5 },
    { number: 9, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 10, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2, idBytes: 8 },
    { number: 11, name: 'observed_time_unix_nano', json: 'observedTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 12, name: 'event_name', json: 'eventName', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LOGS_DATA = {
  RESOURCE_LOGS: 1,
  message: 'opentelemetry.proto.logs.v1.LogsData',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_logs',
      json: 'resourceLogs',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.logs.v1.ResourceLogs',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RESOURCE_LOGS = {
  RESOURCE: 1,
  SCOPE_LOGS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.logs.v1.ResourceLogs',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource',
      json: 'resource',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.resource.v1.Resource',
    },
    {
      number: 2,
      name: 'scope_logs',
      json: 'scopeLogs',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.logs.v1.ScopeLogs',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SCOPE_LOGS = {
  SCOPE: 1,
  LOG_RECORDS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.logs.v1.ScopeLogs',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'scope',
      json: 'scope',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.InstrumentationScope',
    },
    {
      number: 2,
      name: 'log_records',
      json: 'logRecords',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.logs.v1.LogRecord',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXEMPLAR = {
  TIME_UNIX_NANO: 2,
  AS_DOUBLE: 3,
  SPAN_ID: 4,
  TRACE_ID: 5,
  AS_INT: 6,
  FILTERED_ATTRIBUTES: 7,
  message: 'opentelemetry.proto.metrics.v1.Exemplar',
  wireType: Uint8Array.of(255, 255, 1, 1, 2, 2, 1, 2),
  fields: [
    { number: 2, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 3, name: 'as_double', json: 'asDouble', kind: 'double', wireType: 1, oneof: 'value' },
    { number: 4, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2, idBytes: 8 },
    { number: 5, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 6, name: 'as_int', json: 'asInt', kind: 'sfixed64', wireType: 1, oneof: 'value' },
    {
      number: 7,
      name: 'filtered_attributes',
      json: 'filteredAttributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPONENTIAL_HISTOGRAM = {
  DATA_POINTS: 1,
  AGGREGATION_TEMPORALITY: 2,
  message: 'opentelemetry.proto.metrics.v1.ExponentialHistogram',
  wireType: Uint8Array.of(255, 2, 0),
  fields: [
    {
      number: 1,
      name: 'data_points',
      json: 'dataPoints',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint',
      repeated: true,
    },
    {
      number: 2,
      name: 'aggregation_temporality',
      json: 'aggregationTemporality',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.metrics.v1.AggregationTemporality',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPONENTIAL_HISTOGRAM_DATA_POINT = {
  ATTRIBUTES: 1,
  START_TIME_UNIX_NANO: 2,
  TIME_UNIX_NANO: 3,
  COUNT: 4,
  SUM: 5,
  SCALE: 6,
  ZERO_COUNT: 7,
  POSITIVE: 8,
  NEGATIVE: 9,
  FLAGS: 10,
  EXEMPLARS: 11,
  MIN: 12,
  MAX: 13,
  ZERO_THRESHOLD: 14,
  message: 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint',
  wireType: Uint8Array.of(255, 2, 1, 1, 1, 1, 0, 1, 2, 2, 0, 2, 1, 1, 1),
  fields: [
    {
      number: 1,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 2, name: 'start_time_unix_nano', json: 'startTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 3, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 4, name: 'count', json: 'count', kind: 'fixed64', wireType: 1 },
    { number: 5, name: 'sum', json: 'sum', kind: 'double', wireType: 1, optional: true },
    { number: 6, name: 'scale', json: 'scale', kind: 'sint32', wireType: 0 },
    { number: 7, name: 'zero_count', json: 'zeroCount', kind: 'fixed64', wireType: 1 },
    {
      number: 8,
      name: 'positive',
      json: 'positive',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets',
    },
    {
      number: 9,
      name: 'negative',
      json: 'negative',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets',
    },
    { number: 10, name: 'flags', json: 'flags', kind: 'uint32', wireType: 0 },
    {
      number: 11,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Exemplar',
      repeated: true,
    },
    { number: 12, name: 'min', json: 'min', kind: 'double', wireType: 1, optional: true },
    { number: 13, name: 'max', json: 'max', kind: 'double', wireType: 1, optional: true },
    { number: 14, name: 'zero_threshold', json: 'zeroThreshold', kind: 'double', wireType: 1 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS = {
  OFFSET: 1,
  BUCKET_COUNTS: 2,
  message: 'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets',
  wireType: Uint8Array.of(255, 0, 2),
  fields: [
    { number: 1, name: 'offset', json: 'offset', kind: 'sint32', wireType: 0 },
    {
      number: 2,
      name: 'bucket_counts',
      json: 'bucketCounts',
      kind: 'uint64',
      wireType: 0,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const GAUGE = {
  DATA_POINTS: 1,
  message: 'opentelemetry.proto.metrics.v1.Gauge',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'data_points',
      json: 'dataPoints',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.NumberDataPoint',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const HISTOGRAM = {
  DATA_POINTS: 1,
  AGGREGATION_TEMPORALITY: 2,
  message: 'opentelemetry.proto.metrics.v1.Histogram',
  wireType: Uint8Array.of(255, 2, 0),
  fields: [
    {
      number: 1,
      name: 'data_points',
      json: 'dataPoints',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.HistogramDataPoint',
      repeated: true,
    },
    {
      number: 2,
      name: 'aggregation_temporality',
      json: 'aggregationTemporality',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.metrics.v1.AggregationTemporality',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const HISTOGRAM_DATA_POINT = {
  START_TIME_UNIX_NANO: 2,
  TIME_UNIX_NANO: 3,
  COUNT: 4,
  SUM: 5,
  BUCKET_COUNTS: 6,
  EXPLICIT_BOUNDS: 7,
  EXEMPLARS: 8,
  ATTRIBUTES: 9,
  FLAGS: 10,
  MIN: 11,
  MAX: 12,
  message: 'opentelemetry.proto.metrics.v1.HistogramDataPoint',
  wireType: Uint8Array.of(255, 255, 1, 1, 1, 1, 2, 2, 2, 2, 0, 1, 1),
  fields: [
    { number: 2, name: 'start_time_unix_nano', json: 'startTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 3, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 4, name: 'count', json: 'count', kind: 'fixed64', wireType: 1 },
    { number: 5, name: 'sum', json: 'sum', kind: 'double', wireType: 1, optional: true },
    {
      number: 6,
      name: 'bucket_counts',
      json: 'bucketCounts',
      kind: 'fixed64',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 7,
      name: 'explicit_bounds',
      json: 'explicitBounds',
      kind: 'double',
      wireType: 1,
      repeated: true,
      packed: true,
    },
    {
      number: 8,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Exemplar',
      repeated: true,
    },
    {
      number: 9,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 10, name: 'flags', json: 'flags', kind: 'uint32', wireType: 0 },
    { number: 11, name: 'min', json: 'min', kind: 'double', wireType: 1, optional: true },
    { number: 12, name: 'max', json: 'max', kind: 'double', wireType: 1, optional: true },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const METRIC = {
  NAME: 1,
  DESCRIPTION: 2,
  UNIT: 3,
  GAUGE: 5,
  SUM: 7,
  HISTOGRAM: 9,
  EXPONENTIAL_HISTOGRAM: 10,
  SUMMARY: 11,
  METADATA: 12,
  message: 'opentelemetry.proto.metrics.v1.Metric',
  wireType: Uint8Array.of(255, 2, 2, 2, 255, 2, 255, 2, 255, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'description', json: 'description', kind: 'string', wireType: 2 },
    { number: 3, name: 'unit', json: 'unit', kind: 'string', wireType: 2 },
    {
      number: 5,
      name: 'gauge',
      json: 'gauge',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Gauge',
      oneof: 'data',
    },
    {
      number: 7,
      name: 'sum',
      json: 'sum',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Sum',
      oneof: 'data',
    },
    {
      number: 9,
      name: 'histogram',
      json: 'histogram',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Histogram',
      oneof: 'data',
    },
    {
      number: 10,
      name: 'exponential_histogram',
      json: 'exponentialHistogram',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ExponentialHistogram',
      oneof: 'data',
    },
    {
      number: 11,
      name: 'summary',
      json: 'summary',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Summary',
      oneof: 'data',
    },
    {
      number: 12,
      name: 'metadata',
      json: 'metadata',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const METRICS_DATA = {
  RESOURCE_METRICS: 1,
  message: 'opentelemetry.proto.metrics.v1.MetricsData',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_metrics',
      json: 'resourceMetrics',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ResourceMetrics',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const NUMBER_DATA_POINT = {
  START_TIME_UNIX_NANO: 2,
  TIME_UNIX_NANO: 3,
  AS_DOUBLE: 4,
  EXEMPLARS: 5,
  AS_INT: 6,
  ATTRIBUTES: 7,
  FLAGS: 8,
  message: 'opentelemetry.proto.metrics.v1.NumberDataPoint',
  wireType: Uint8Array.of(255, 255, 1, 1, 1, 2, 1, 2, 0),
  fields: [
    { number: 2, name: 'start_time_unix_nano', json: 'startTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 3, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 4, name: 'as_double', json: 'asDouble', kind: 'double', wireType: 1, oneof: 'value' },
    {
      number: 5,
      name: 'exemplars',
      json: 'exemplars',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Exemplar',
      repeated: true,
    },
    { number: 6, name: 'as_int', json: 'asInt', kind: 'sfixed64', wireType: 1, oneof: 'value' },
    {
      number: 7,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 8, name: 'flags', json: 'flags', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RESOURCE_METRICS = {
  RESOURCE: 1,
  SCOPE_METRICS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.metrics.v1.ResourceMetrics',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource',
      json: 'resource',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.resource.v1.Resource',
    },
    {
      number: 2,
      name: 'scope_metrics',
      json: 'scopeMetrics',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.ScopeMetrics',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SCOPE_METRICS = {
  SCOPE: 1,
  METRICS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.metrics.v1.ScopeMetrics',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'scope',
      json: 'scope',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.InstrumentationScope',
    },
    {
      number: 2,
      name: 'metrics',
      json: 'metrics',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.Metric',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SUM = {
  DATA_POINTS: 1,
  AGGREGATION_TEMPORALITY: 2,
  IS_MONOTONIC: 3,
  message: 'opentelemetry.proto.metrics.v1.Sum',
  wireType: Uint8Array.of(255, 2, 0, 0),
  fields: [
    {
      number: 1,
      name: 'data_points',
      json: 'dataPoints',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.NumberDataPoint',
      repeated: true,
    },
    {
      number: 2,
      name: 'aggregation_temporality',
      json: 'aggregationTemporality',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.metrics.v1.AggregationTemporality',
    },
    { number: 3, name: 'is_monotonic', json: 'isMonotonic', kind: 'bool', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SUMMARY = {
  DATA_POINTS: 1,
  message: 'opentelemetry.proto.metrics.v1.Summary',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'data_points',
      json: 'dataPoints',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.SummaryDataPoint',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SUMMARY_DATA_POINT = {
  START_TIME_UNIX_NANO: 2,
  TIME_UNIX_NANO: 3,
  COUNT: 4,
  SUM: 5,
  QUANTILE_VALUES: 6,
  ATTRIBUTES: 7,
  FLAGS: 8,
  message: 'opentelemetry.proto.metrics.v1.SummaryDataPoint',
  wireType: Uint8Array.of(255, 255, 1, 1, 1, 1, 2, 2, 0),
  fields: [
    { number: 2, name: 'start_time_unix_nano', json: 'startTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 3, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 4, name: 'count', json: 'count', kind: 'fixed64', wireType: 1 },
    { number: 5, name: 'sum', json: 'sum', kind: 'double', wireType: 1 },
    {
      number: 6,
      name: 'quantile_values',
      json: 'quantileValues',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.metrics.v1.SummaryDataPoint.ValueAtQuantile',
      repeated: true,
    },
    {
      number: 7,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 8, name: 'flags', json: 'flags', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SUMMARY_DATA_POINT_VALUE_AT_QUANTILE = {
  QUANTILE: 1,
  VALUE: 2,
  message: 'opentelemetry.proto.metrics.v1.SummaryDataPoint.ValueAtQuantile',
  wireType: Uint8Array.of(255, 1, 1),
  fields: [
    { number: 1, name: 'quantile', json: 'quantile', kind: 'double', wireType: 1 },
    { number: 2, name: 'value', json: 'value', kind: 'double', wireType: 1 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const FUNCTION = {
  NAME_STRINDEX: 1,
  SYSTEM_NAME_STRINDEX: 2,
  FILENAME_STRINDEX: 3,
  START_LINE: 4,
  message: 'opentelemetry.proto.profiles.v1development.Function',
  wireType: Uint8Array.of(255, 0, 0, 0, 0),
  fields: [
    { number: 1, name: 'name_strindex', json: 'nameStrindex', kind: 'int32', wireType: 0 },
    { number: 2, name: 'system_name_strindex', json: 'systemNameStrindex', kind: 'int32', wireType: 0 },
    { number: 3, name: 'filename_strindex', json: 'filenameStrindex', kind: 'int32', wireType: 0 },
    { number: 4, name: 'start_line', json: 'startLine', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const KEY_VALUE_AND_UNIT = {
  KEY_STRINDEX: 1,
  VALUE: 2,
  UNIT_STRINDEX: 3,
  message: 'opentelemetry.proto.profiles.v1development.KeyValueAndUnit',
  wireType: Uint8Array.of(255, 0, 2, 0),
  fields: [
    { number: 1, name: 'key_strindex', json: 'keyStrindex', kind: 'int32', wireType: 0 },
    {
      number: 2,
      name: 'value',
      json: 'value',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.AnyValue',
    },
    { number: 3, name: 'unit_strindex', json: 'unitStrindex', kind: 'int32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LINE = {
  FUNCTION_INDEX: 1,
  LINE: 2,
  COLUMN: 3,
  message: 'opentelemetry.proto.profiles.v1development.Line',
  wireType: Uint8Array.of(255, 0, 0, 0),
  fields: [
    { number: 1, name: 'function_index', json: 'functionIndex', kind: 'int32', wireType: 0 },
    { number: 2, name: 'line', json: 'line', kind: 'int64', wireType: 0 },
    { number: 3, name: 'column', json: 'column', kind: 'int64', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LINK = {
  TRACE_ID: 1,
  SPAN_ID: 2,
  message: 'opentelemetry.proto.profiles.v1development.Link',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 2, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2, idBytes: 8 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const LOCATION = {
  MAPPING_INDEX: 1,
  ADDRESS: 2,
  LINES: 3,
  ATTRIBUTE_INDICES: 4,
  message: 'opentelemetry.proto.profiles.v1development.Location',
  wireType: Uint8Array.of(255, 0, 0, 2, 2),
  fields: [
    { number: 1, name: 'mapping_index', json: 'mappingIndex', kind: 'int32', wireType: 0 },
    { number: 2, name: 'address', json: 'address', kind: 'uint64', wireType: 0 },
    {
      number: 3,
      name: 'lines',
      json: 'lines',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Line',
      repeated: true,
    },
    {
      number: 4,
      name: 'attribute_indices',
      json: 'attributeIndices',
      kind: 'int32',
      wireType: 0,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const MAPPING = {
  MEMORY_START: 1,
  MEMORY_LIMIT: 2,
  FILE_OFFSET: 3,
  FILENAME_STRINDEX: 4,
  ATTRIBUTE_INDICES: 5,
  message: 'opentelemetry.proto.profiles.v1development.Mapping',
  wireType: Uint8Array.of(255, 0, 0, 0, 0, 2),
  fields: [
    { number: 1, name: 'memory_start', json: 'memoryStart', kind: 'uint64', wireType: 0 },
    { number: 2, name: 'memory_limit', json: 'memoryLimit', kind: 'uint64', wireType: 0 },
    { number: 3, name: 'file_offset', json: 'fileOffset', kind: 'uint64', wireType: 0 },
    { number: 4, name: 'filename_strindex', json: 'filenameStrindex', kind: 'int32', wireType: 0 },
    {
      number: 5,
      name: 'attribute_indices',
      json: 'attributeIndices',
      kind: 'int32',
      wireType: 0,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PROFILE = {
  SAMPLE_TYPE: 1,
  SAMPLES: 2,
  TIME_UNIX_NANO: 3,
  DURATION_NANO: 4,
  PERIOD_TYPE: 5,
  PERIOD: 6,
  PROFILE_ID: 7,
  DROPPED_ATTRIBUTES_COUNT: 8,
  ORIGINAL_PAYLOAD_FORMAT: 9,
  ORIGINAL_PAYLOAD: 10,
  ATTRIBUTE_INDICES: 11,
  message: 'opentelemetry.proto.profiles.v1development.Profile',
  wireType: Uint8Array.of(255, 2, 2, 1, 0, 2, 0, 2, 0, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'sample_type',
      json: 'sampleType',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ValueType',
    },
    {
      number: 2,
      name: 'samples',
      json: 'samples',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Sample',
      repeated: true,
    },
    { number: 3, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 4, name: 'duration_nano', json: 'durationNano', kind: 'uint64', wireType: 0 },
    {
      number: 5,
      name: 'period_type',
      json: 'periodType',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ValueType',
    },
    { number: 6, name: 'period', json: 'period', kind: 'int64', wireType: 0 },
    { number: 7, name: 'profile_id', json: 'profileId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 8, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
    { number: 9, name: 'original_payload_format', json: 'originalPayloadFormat', kind: 'string', wireType: 2 },
    { number: 10, name: 'original_payload', json: 'originalPayload', kind: 'bytes', wireType: 2 },
    {
      number: 11,
      name: 'attribute_indices',
      json: 'attributeIndices',
      kind: 'int32',
      wireType: 0,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PROFILES_DATA = {
  RESOURCE_PROFILES: 1,
  DICTIONARY: 2,
  message: 'opentelemetry.proto.profiles.v1development.ProfilesData',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource_profiles',
      json: 'resourceProfiles',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ResourceProfiles',
      repeated: true,
    },
    {
      number: 2,
      name: 'dictionary',
      json: 'dictionary',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ProfilesDictionary',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PROFILES_DICTIONARY = {
  MAPPING_TABLE: 1,
  LOCATION_TABLE: 2,
  FUNCTION_TABLE: 3,
  LINK_TABLE: 4,
  STRING_TABLE: 5,
  ATTRIBUTE_TABLE: 6,
  STACK_TABLE: 7,
  message: 'opentelemetry.proto.profiles.v1development.ProfilesDictionary',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'mapping_table',
      json: 'mappingTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Mapping',
      repeated: true,
    },
    {
      number: 2,
      name: 'location_table',
      json: 'locationTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Location',
      repeated: true,
    },
    {
      number: 3,
      name: 'function_table',
      json: 'functionTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Function',
      repeated: true,
    },
    {
      number: 4,
      name: 'link_table',
      json: 'linkTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Link',
      repeated: true,
    },
    { number: 5, name: 'string_table', json: 'stringTable', kind: 'string', wireType: 2, repeated: true },
    {
      number: 6,
      name: 'attribute_table',
      json: 'attributeTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.KeyValueAndUnit',
      repeated: true,
    },
    {
      number: 7,
      name: 'stack_table',
      json: 'stackTable',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Stack',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RESOURCE_PROFILES = {
  RESOURCE: 1,
  SCOPE_PROFILES: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.profiles.v1development.ResourceProfiles',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource',
      json: 'resource',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.resource.v1.Resource',
    },
    {
      number: 2,
      name: 'scope_profiles',
      json: 'scopeProfiles',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.ScopeProfiles',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SAMPLE = {
  STACK_INDEX: 1,
  ATTRIBUTE_INDICES: 2,
  LINK_INDEX: 3,
  VALUES: 4,
  TIMESTAMPS_UNIX_NANO: 5,
  message: 'opentelemetry.proto.profiles.v1development.Sample',
  wireType: Uint8Array.of(255, 0, 2, 0, 2, 2),
  fields: [
    { number: 1, name: 'stack_index', json: 'stackIndex', kind: 'int32', wireType: 0 },
    {
      number: 2,
      name: 'attribute_indices',
      json: 'attributeIndices',
      kind: 'int32',
      wireType: 0,
      repeated: true,
      packed: true,
    },
    { number: 3, name: 'link_index', json: 'linkIndex', kind: 'int32', wireType: 0 },
    { number: 4, name: 'values', json: 'values', kind: 'int64', wireType: 0, repeated: true, packed: true },
    {
      number: 5,
      name: 'timestamps_unix_nano',
      json: 'timestampsUnixNano',
      kind: 'fixed64',
      wireType: 1,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SCOPE_PROFILES = {
  SCOPE: 1,
  PROFILES: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.profiles.v1development.ScopeProfiles',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'scope',
      json: 'scope',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.InstrumentationScope',
    },
    {
      number: 2,
      name: 'profiles',
      json: 'profiles',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.profiles.v1development.Profile',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const STACK = {
  LOCATION_INDICES: 1,
  message: 'opentelemetry.proto.profiles.v1development.Stack',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'location_indices',
      json: 'locationIndices',
      kind: 'int32',
      wireType: 0,
      repeated: true,
      packed: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const VALUE_TYPE = {
  TYPE_STRINDEX: 1,
  UNIT_STRINDEX: 2,
  message: 'opentelemetry.proto.profiles.v1development.ValueType',
  wireType: Uint8Array.of(255, 0, 0),
  fields: [
    { number: 1, name: 'type_strindex', json: 'typeStrindex', kind: 'int32', wireType: 0 },
    { number: 2, name: 'unit_strindex', json: 'unitStrindex', kind: 'int32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RESOURCE = {
  ATTRIBUTES: 1,
  DROPPED_ATTRIBUTES_COUNT: 2,
  ENTITY_REFS: 3,
  message: 'opentelemetry.proto.resource.v1.Resource',
  wireType: Uint8Array.of(255, 2, 0, 2),
  fields: [
    {
      number: 1,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 2, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
    {
      number: 3,
      name: 'entity_refs',
      json: 'entityRefs',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.EntityRef',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const RESOURCE_SPANS = {
  RESOURCE: 1,
  SCOPE_SPANS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.trace.v1.ResourceSpans',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'resource',
      json: 'resource',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.resource.v1.Resource',
    },
    {
      number: 2,
      name: 'scope_spans',
      json: 'scopeSpans',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.ScopeSpans',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SCOPE_SPANS = {
  SCOPE: 1,
  SPANS: 2,
  SCHEMA_URL: 3,
  message: 'opentelemetry.proto.trace.v1.ScopeSpans',
  wireType: Uint8Array.of(255, 2, 2, 2),
  fields: [
    {
      number: 1,
      name: 'scope',
      json: 'scope',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.InstrumentationScope',
    },
    {
      number: 2,
      name: 'spans',
      json: 'spans',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.Span',
      repeated: true,
    },
    { number: 3, name: 'schema_url', json: 'schemaUrl', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SPAN = {
  TRACE_ID: 1,
  SPAN_ID: 2,
  TRACE_STATE: 3,
  PARENT_SPAN_ID: 4,
  NAME: 5,
  KIND: 6,
  START_TIME_UNIX_NANO: 7,
  END_TIME_UNIX_NANO: 8,
  ATTRIBUTES: 9,
  DROPPED_ATTRIBUTES_COUNT: 10,
  EVENTS: 11,
  DROPPED_EVENTS_COUNT: 12,
  LINKS: 13,
  DROPPED_LINKS_COUNT: 14,
  STATUS: 15,
  FLAGS: 16,
  message: 'opentelemetry.proto.trace.v1.Span',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 2, 0, 1, 1, 2, 0, 2, 0, 2, 0, 2, 5),
  fields: [
    { number: 1, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 2, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2, idBytes: 8 },
    { number: 3, name: 'trace_state', json: 'traceState', kind: 'string', wireType: 2 },
    { number: 4, name: 'parent_span_id', json: 'parentSpanId', kind: 'bytes', wireType: 2, idBytes: 8 },
    { number: 5, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    {
      number: 6,
      name: 'kind',
      json: 'kind',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.trace.v1.Span.SpanKind',
    },
    { number: 7, name: 'start_time_unix_nano', json: 'startTimeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 8, name: 'end_time_unix_nano', json: 'endTimeUnixNano', kind: 'fixed64', wireType: 1 },
    {
      number: 9,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 10, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
    {
      number: 11,
      name: 'events',
      json: 'events',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.Span.Event',
      repeated: true,
    },
    { number: 12, name: 'dropped_events_count', json: 'droppedEventsCount', kind: 'uint32', wireType: 0 },
    {
      number: 13,
      name: 'links',
      json: 'links',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.Span.Link',
      repeated: true,
    },
    { number: 14, name: 'dropped_links_count', json: 'droppedLinksCount', kind: 'uint32', wireType: 0 },
    {
      number: 15,
      name: 'status',
      json: 'status',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.Status',
    },
    { number: 16, name: 'flags', json: 'flags', kind: 'fixed32', wireType: 5 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SPAN_EVENT = {
  TIME_UNIX_NANO: 1,
  NAME: 2,
  ATTRIBUTES: 3,
  DROPPED_ATTRIBUTES_COUNT: 4,
  message: 'opentelemetry.proto.trace.v1.Span.Event',
  wireType: Uint8Array.of(255, 1, 2, 2, 0),
  fields: [
    { number: 1, name: 'time_unix_nano', json: 'timeUnixNano', kind: 'fixed64', wireType: 1 },
    { number: 2, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    {
      number: 3,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 4, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const SPAN_LINK = {
  TRACE_ID: 1,
  SPAN_ID: 2,
  TRACE_STATE: 3,
  ATTRIBUTES: 4,
  DROPPED_ATTRIBUTES_COUNT: 5,
  FLAGS: 6,
  message: 'opentelemetry.proto.trace.v1.Span.Link',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 0, 5),
  fields: [
    { number: 1, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2, idBytes: 16 },
    { number: 2, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2, idBytes: 8 },
    { number: 3, name: 'trace_state', json: 'traceState', kind: 'string', wireType: 2 },
    {
      number: 4,
      name: 'attributes',
      json: 'attributes',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.common.v1.KeyValue',
      repeated: true,
    },
    { number: 5, name: 'dropped_attributes_count', json: 'droppedAttributesCount', kind: 'uint32', wireType: 0 },
    { number: 6, name: 'flags', json: 'flags', kind: 'fixed32', wireType: 5 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const STATUS = {
  MESSAGE: 2,
  CODE: 3,
  message: 'opentelemetry.proto.trace.v1.Status',
  wireType: Uint8Array.of(255, 255, 2, 0),
  fields: [
    { number: 2, name: 'message', json: 'message', kind: 'string', wireType: 2 },
    {
      number: 3,
      name: 'code',
      json: 'code',
      kind: 'enum',
      wireType: 0,
      type: 'opentelemetry.proto.trace.v1.Status.StatusCode',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const TRACES_DATA = {
  RESOURCE_SPANS: 1,
  message: 'opentelemetry.proto.trace.v1.TracesData',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'resource_spans',
      json: 'resourceSpans',
      kind: 'message',
      wireType: 2,
      type: 'opentelemetry.proto.trace.v1.ResourceSpans',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {
  'google.protobuf.Any': ANY,
  'google.protobuf.Duration': DURATION,
  'google.protobuf.Timestamp': TIMESTAMP,
  'google.rpc.RetryInfo': RETRY_INFO,
  'google.rpc.Status': RPC_STATUS,
  'opentelemetry.proto.collector.logs.v1.ExportLogsPartialSuccess': EXPORT_LOGS_PARTIAL_SUCCESS,
  'opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest': EXPORT_LOGS_SERVICE_REQUEST,
  'opentelemetry.proto.collector.logs.v1.ExportLogsServiceResponse': EXPORT_LOGS_SERVICE_RESPONSE,
  'opentelemetry.proto.collector.metrics.v1.ExportMetricsPartialSuccess': EXPORT_METRICS_PARTIAL_SUCCESS,
  'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest': EXPORT_METRICS_SERVICE_REQUEST,
  'opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceResponse': EXPORT_METRICS_SERVICE_RESPONSE,
  'opentelemetry.proto.collector.profiles.v1development.ExportProfilesPartialSuccess': EXPORT_PROFILES_PARTIAL_SUCCESS,
  'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest': EXPORT_PROFILES_SERVICE_REQUEST,
  'opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceResponse':
    EXPORT_PROFILES_SERVICE_RESPONSE,
  'opentelemetry.proto.collector.trace.v1.ExportTracePartialSuccess': EXPORT_TRACE_PARTIAL_SUCCESS,
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest': EXPORT_TRACE_SERVICE_REQUEST,
  'opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse': EXPORT_TRACE_SERVICE_RESPONSE,
  'opentelemetry.proto.common.v1.AnyValue': ANY_VALUE,
  'opentelemetry.proto.common.v1.ArrayValue': ARRAY_VALUE,
  'opentelemetry.proto.common.v1.EntityRef': ENTITY_REF,
  'opentelemetry.proto.common.v1.InstrumentationScope': INSTRUMENTATION_SCOPE,
  'opentelemetry.proto.common.v1.KeyValue': KEY_VALUE,
  'opentelemetry.proto.common.v1.KeyValueList': KEY_VALUE_LIST,
  'opentelemetry.proto.logs.v1.LogRecord': LOG_RECORD,
  'opentelemetry.proto.logs.v1.LogsData': LOGS_DATA,
  'opentelemetry.proto.logs.v1.ResourceLogs': RESOURCE_LOGS,
  'opentelemetry.proto.logs.v1.ScopeLogs': SCOPE_LOGS,
  'opentelemetry.proto.metrics.v1.Exemplar': EXEMPLAR,
  'opentelemetry.proto.metrics.v1.ExponentialHistogram': EXPONENTIAL_HISTOGRAM,
  'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint': EXPONENTIAL_HISTOGRAM_DATA_POINT,
  'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets': EXPONENTIAL_HISTOGRAM_DATA_POINT_BUCKETS,
  'opentelemetry.proto.metrics.v1.Gauge': GAUGE,
  'opentelemetry.proto.metrics.v1.Histogram': HISTOGRAM,
  'opentelemetry.proto.metrics.v1.HistogramDataPoint': HISTOGRAM_DATA_POINT,
  'opentelemetry.proto.metrics.v1.Metric': METRIC,
  'opentelemetry.proto.metrics.v1.MetricsData': METRICS_DATA,
  'opentelemetry.proto.metrics.v1.NumberDataPoint': NUMBER_DATA_POINT,
  'opentelemetry.proto.metrics.v1.ResourceMetrics': RESOURCE_METRICS,
  'opentelemetry.proto.metrics.v1.ScopeMetrics': SCOPE_METRICS,
  'opentelemetry.proto.metrics.v1.Sum': SUM,
  'opentelemetry.proto.metrics.v1.Summary': SUMMARY,
  'opentelemetry.proto.metrics.v1.SummaryDataPoint': SUMMARY_DATA_POINT,
  'opentelemetry.proto.metrics.v1.SummaryDataPoint.ValueAtQuantile': SUMMARY_DATA_POINT_VALUE_AT_QUANTILE,
  'opentelemetry.proto.profiles.v1development.Function': FUNCTION,
  'opentelemetry.proto.profiles.v1development.KeyValueAndUnit': KEY_VALUE_AND_UNIT,
  'opentelemetry.proto.profiles.v1development.Line': LINE,
  'opentelemetry.proto.profiles.v1development.Link': LINK,
  'opentelemetry.proto.profiles.v1development.Location': LOCATION,
  'opentelemetry.proto.profiles.v1development.Mapping': MAPPING,
  'opentelemetry.proto.profiles.v1development.Profile': PROFILE,
  'opentelemetry.proto.profiles.v1development.ProfilesData': PROFILES_DATA,
  'opentelemetry.proto.profiles.v1development.ProfilesDictionary': PROFILES_DICTIONARY,
  'opentelemetry.proto.profiles.v1development.ResourceProfiles': RESOURCE_PROFILES,
  'opentelemetry.proto.profiles.v1development.Sample': SAMPLE,
  'opentelemetry.proto.profiles.v1development.ScopeProfiles': SCOPE_PROFILES,
  'opentelemetry.proto.profiles.v1development.Stack': STACK,
  'opentelemetry.proto.profiles.v1development.ValueType': VALUE_TYPE,
  'opentelemetry.proto.resource.v1.Resource': RESOURCE,
  'opentelemetry.proto.trace.v1.ResourceSpans': RESOURCE_SPANS,
  'opentelemetry.proto.trace.v1.ScopeSpans': SCOPE_SPANS,
  'opentelemetry.proto.trace.v1.Span': SPAN,
  'opentelemetry.proto.trace.v1.Span.Event': SPAN_EVENT,
  'opentelemetry.proto.trace.v1.Span.Link': SPAN_LINK,
  'opentelemetry.proto.trace.v1.Status': STATUS,
  'opentelemetry.proto.trace.v1.TracesData': TRACES_DATA,
}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {
  'opentelemetry.proto.logs.v1.LogRecordFlags': LOG_RECORD_FLAGS,
  'opentelemetry.proto.logs.v1.SeverityNumber': SEVERITY_NUMBER,
  'opentelemetry.proto.metrics.v1.AggregationTemporality': AGGREGATION_TEMPORALITY,
  'opentelemetry.proto.metrics.v1.DataPointFlags': DATA_POINT_FLAGS,
  'opentelemetry.proto.trace.v1.Span.SpanKind': SPAN_KIND,
  'opentelemetry.proto.trace.v1.SpanFlags': SPAN_FLAGS,
  'opentelemetry.proto.trace.v1.Status.StatusCode': STATUS_CODE,
}
