// Generated from proto/ by scripts/generate-fields.ts: `npm run fields`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares `SPAN.wireType[number]` and `SPAN.TRACE_ID`.

import type { EnumTable, MessageTable } from '../otlp/fields.ts'

export const JAEGER_SPAN_REF_TYPE = {
  name: 'jaeger.api_v2.SpanRefType',
  values: {
    CHILD_OF: 0,
    FOLLOWS_FROM: 1,
  },
} as const

export const JAEGER_VALUE_TYPE = {
  name: 'jaeger.api_v2.ValueType',
  values: {
    STRING: 0,
    BOOL: 1,
    INT64: 2,
    FLOAT64: 3,
    BINARY: 4,
  },
} as const

export const JAEGER_BATCH = {
  SPANS: 1,
  PROCESS: 2,
  message: 'jaeger.api_v2.Batch',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    {
      number: 1,
      name: 'spans',
      json: 'spans',
      kind: 'message',
      wireType: 2,
      type: 'jaeger.api_v2.Span',
      repeated: true,
    },
    { number: 2, name: 'process', json: 'process', kind: 'message', wireType: 2, type: 'jaeger.api_v2.Process' },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_KEY_VALUE = {
  KEY: 1,
  V_TYPE: 2,
  V_STR: 3,
  V_BOOL: 4,
  V_INT64: 5,
  V_FLOAT64: 6,
  V_BINARY: 7,
  message: 'jaeger.api_v2.KeyValue',
  wireType: Uint8Array.of(255, 2, 0, 2, 0, 0, 1, 2),
  fields: [
    { number: 1, name: 'key', json: 'key', kind: 'string', wireType: 2 },
    { number: 2, name: 'v_type', json: 'vType', kind: 'enum', wireType: 0, type: 'jaeger.api_v2.ValueType' },
    { number: 3, name: 'v_str', json: 'vStr', kind: 'string', wireType: 2 },
    { number: 4, name: 'v_bool', json: 'vBool', kind: 'bool', wireType: 0 },
    { number: 5, name: 'v_int64', json: 'vInt64', kind: 'int64', wireType: 0 },
    { number: 6, name: 'v_float64', json: 'vFloat64', kind: 'double', wireType: 1 },
    { number: 7, name: 'v_binary', json: 'vBinary', kind: 'bytes', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_LOG = {
  TIMESTAMP: 1,
  FIELDS: 2,
  message: 'jaeger.api_v2.Log',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    {
      number: 1,
      name: 'timestamp',
      json: 'timestamp',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
    {
      number: 2,
      name: 'fields',
      json: 'fields',
      kind: 'message',
      wireType: 2,
      type: 'jaeger.api_v2.KeyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_POST_SPANS_REQUEST = {
  BATCH: 1,
  message: 'jaeger.api_v2.PostSpansRequest',
  wireType: Uint8Array.of(255, 2),
  fields: [{ number: 1, name: 'batch', json: 'batch', kind: 'message', wireType: 2, type: 'jaeger.api_v2.Batch' }],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_POST_SPANS_RESPONSE = {
  message: 'jaeger.api_v2.PostSpansResponse',
  wireType: Uint8Array.of(255),
  fields: [],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_PROCESS = {
  SERVICE_NAME: 1,
  TAGS: 2,
  message: 'jaeger.api_v2.Process',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'service_name', json: 'serviceName', kind: 'string', wireType: 2 },
    {
      number: 2,
      name: 'tags',
      json: 'tags',
      kind: 'message',
      wireType: 2,
      type: 'jaeger.api_v2.KeyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_SPAN = {
  TRACE_ID: 1,
  SPAN_ID: 2,
  OPERATION_NAME: 3,
  REFERENCES: 4,
  FLAGS: 5,
  START_TIME: 6,
  DURATION: 7,
  TAGS: 8,
  LOGS: 9,
  PROCESS: 10,
  PROCESS_ID: 11,
  WARNINGS: 12,
  message: 'jaeger.api_v2.Span',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 0, 2, 2, 2, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2 },
    { number: 2, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2 },
    { number: 3, name: 'operation_name', json: 'operationName', kind: 'string', wireType: 2 },
    {
      number: 4,
      name: 'references',
      json: 'references',
      kind: 'message',
      wireType: 2,
      type: 'jaeger.api_v2.SpanRef',
      repeated: true,
    },
    { number: 5, name: 'flags', json: 'flags', kind: 'uint32', wireType: 0 },
    {
      number: 6,
      name: 'start_time',
      json: 'startTime',
      kind: 'message',
      wireType: 2,
      type: 'google.protobuf.Timestamp',
    },
    { number: 7, name: 'duration', json: 'duration', kind: 'message', wireType: 2, type: 'google.protobuf.Duration' },
    {
      number: 8,
      name: 'tags',
      json: 'tags',
      kind: 'message',
      wireType: 2,
      type: 'jaeger.api_v2.KeyValue',
      repeated: true,
    },
    { number: 9, name: 'logs', json: 'logs', kind: 'message', wireType: 2, type: 'jaeger.api_v2.Log', repeated: true },
    { number: 10, name: 'process', json: 'process', kind: 'message', wireType: 2, type: 'jaeger.api_v2.Process' },
    { number: 11, name: 'process_id', json: 'processId', kind: 'string', wireType: 2 },
    { number: 12, name: 'warnings', json: 'warnings', kind: 'string', wireType: 2, repeated: true },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const JAEGER_SPAN_REF = {
  TRACE_ID: 1,
  SPAN_ID: 2,
  REF_TYPE: 3,
  message: 'jaeger.api_v2.SpanRef',
  wireType: Uint8Array.of(255, 2, 2, 0),
  fields: [
    { number: 1, name: 'trace_id', json: 'traceId', kind: 'bytes', wireType: 2 },
    { number: 2, name: 'span_id', json: 'spanId', kind: 'bytes', wireType: 2 },
    { number: 3, name: 'ref_type', json: 'refType', kind: 'enum', wireType: 0, type: 'jaeger.api_v2.SpanRefType' },
  ],
} as const satisfies MessageTable & Record<string, unknown>

/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {
  'jaeger.api_v2.Batch': JAEGER_BATCH,
  'jaeger.api_v2.KeyValue': JAEGER_KEY_VALUE,
  'jaeger.api_v2.Log': JAEGER_LOG,
  'jaeger.api_v2.PostSpansRequest': JAEGER_POST_SPANS_REQUEST,
  'jaeger.api_v2.PostSpansResponse': JAEGER_POST_SPANS_RESPONSE,
  'jaeger.api_v2.Process': JAEGER_PROCESS,
  'jaeger.api_v2.Span': JAEGER_SPAN,
  'jaeger.api_v2.SpanRef': JAEGER_SPAN_REF,
}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {
  'jaeger.api_v2.SpanRefType': JAEGER_SPAN_REF_TYPE,
  'jaeger.api_v2.ValueType': JAEGER_VALUE_TYPE,
}
