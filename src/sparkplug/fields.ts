// Generated from proto/ by scripts/generate-fields.ts: `npm run fields`. Do not edit.
//
// One table per message: field numbers by name, the wire type expected at each number, and what JSON and other readers
// of whole messages need to know of each field. Hot code compares `SPAN.wireType[number]` and `SPAN.TRACE_ID`.

import type { EnumTable, MessageTable } from '../otlp/fields.ts'

export const DATA_TYPE = {
  name: 'org.eclipse.tahu.protobuf.DataType',
  values: {
    Unknown: 0,
    Int8: 1,
    Int16: 2,
    Int32: 3,
    Int64: 4,
    UInt8: 5,
    UInt16: 6,
    UInt32: 7,
    UInt64: 8,
    Float: 9,
    Double: 10,
    Boolean: 11,
    String: 12,
    DateTime: 13,
    Text: 14,
    UUID: 15,
    DataSet: 16,
    Bytes: 17,
    File: 18,
    Template: 19,
    PropertySet: 20,
    PropertySetList: 21,
    Int8Array: 22,
    Int16Array: 23,
    Int32Array: 24,
    Int64Array: 25,
    UInt8Array: 26,
    UInt16Array: 27,
    UInt32Array: 28,
    UInt64Array: 29,
    FloatArray: 30,
    DoubleArray: 31,
    BooleanArray: 32,
    StringArray: 33,
    DateTimeArray: 34,
  },
} as const

export const PAYLOAD = {
  TIMESTAMP: 1,
  METRICS: 2,
  SEQ: 3,
  UUID: 4,
  BODY: 5,
  message: 'org.eclipse.tahu.protobuf.Payload',
  wireType: Uint8Array.of(255, 0, 2, 0, 2, 2),
  fields: [
    { number: 1, name: 'timestamp', json: 'timestamp', kind: 'uint64', wireType: 0 },
    {
      number: 2,
      name: 'metrics',
      json: 'metrics',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Metric',
      repeated: true,
    },
    { number: 3, name: 'seq', json: 'seq', kind: 'uint64', wireType: 0 },
    { number: 4, name: 'uuid', json: 'uuid', kind: 'string', wireType: 2 },
    { number: 5, name: 'body', json: 'body', kind: 'bytes', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_DATA_SET = {
  NUM_OF_COLUMNS: 1,
  COLUMNS: 2,
  TYPES: 3,
  ROWS: 4,
  message: 'org.eclipse.tahu.protobuf.Payload.DataSet',
  wireType: Uint8Array.of(255, 0, 2, 2, 2),
  fields: [
    { number: 1, name: 'num_of_columns', json: 'numOfColumns', kind: 'uint64', wireType: 0 },
    { number: 2, name: 'columns', json: 'columns', kind: 'string', wireType: 2, repeated: true },
    { number: 3, name: 'types', json: 'types', kind: 'uint32', wireType: 0, repeated: true, packed: true },
    {
      number: 4,
      name: 'rows',
      json: 'rows',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.DataSet.Row',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_DATA_SET_VALUE = {
  INT_VALUE: 1,
  LONG_VALUE: 2,
  FLOAT_VALUE: 3,
  DOUBLE_VALUE: 4,
  BOOLEAN_VALUE: 5,
  STRING_VALUE: 6,
  EXTENSION_VALUE: 7,
  message: 'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue',
  wireType: Uint8Array.of(255, 0, 0, 5, 1, 0, 2, 2),
  fields: [
    { number: 1, name: 'int_value', json: 'intValue', kind: 'uint32', wireType: 0, oneof: 'value' },
    { number: 2, name: 'long_value', json: 'longValue', kind: 'uint64', wireType: 0, oneof: 'value' },
    { number: 3, name: 'float_value', json: 'floatValue', kind: 'float', wireType: 5, oneof: 'value' },
    { number: 4, name: 'double_value', json: 'doubleValue', kind: 'double', wireType: 1, oneof: 'value' },
    { number: 5, name: 'boolean_value', json: 'booleanValue', kind: 'bool', wireType: 0, oneof: 'value' },
    { number: 6, name: 'string_value', json: 'stringValue', kind: 'string', wireType: 2, oneof: 'value' },
    {
      number: 7,
      name: 'extension_value',
      json: 'extensionValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue.DataSetValueExtension',
      oneof: 'value',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_DATA_SET_VALUE_EXTENSION = {
  message: 'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue.DataSetValueExtension',
  wireType: Uint8Array.of(255),
  fields: [],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_DATA_SET_ROW = {
  ELEMENTS: 1,
  message: 'org.eclipse.tahu.protobuf.Payload.DataSet.Row',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'elements',
      json: 'elements',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_META_DATA = {
  IS_MULTI_PART: 1,
  CONTENT_TYPE: 2,
  SIZE: 3,
  SEQ: 4,
  FILE_NAME: 5,
  FILE_TYPE: 6,
  MD5: 7,
  DESCRIPTION: 8,
  message: 'org.eclipse.tahu.protobuf.Payload.MetaData',
  wireType: Uint8Array.of(255, 0, 2, 0, 0, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'is_multi_part', json: 'isMultiPart', kind: 'bool', wireType: 0 },
    { number: 2, name: 'content_type', json: 'contentType', kind: 'string', wireType: 2 },
    { number: 3, name: 'size', json: 'size', kind: 'uint64', wireType: 0 },
    { number: 4, name: 'seq', json: 'seq', kind: 'uint64', wireType: 0 },
    { number: 5, name: 'file_name', json: 'fileName', kind: 'string', wireType: 2 },
    { number: 6, name: 'file_type', json: 'fileType', kind: 'string', wireType: 2 },
    { number: 7, name: 'md5', json: 'md5', kind: 'string', wireType: 2 },
    { number: 8, name: 'description', json: 'description', kind: 'string', wireType: 2 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_METRIC = {
  NAME: 1,
  ALIAS: 2,
  TIMESTAMP: 3,
  DATATYPE: 4,
  IS_HISTORICAL: 5,
  IS_TRANSIENT: 6,
  IS_NULL: 7,
  METADATA: 8,
  PROPERTIES: 9,
  INT_VALUE: 10,
  LONG_VALUE: 11,
  FLOAT_VALUE: 12,
  DOUBLE_VALUE: 13,
  BOOLEAN_VALUE: 14,
  STRING_VALUE: 15,
  BYTES_VALUE: 16,
  DATASET_VALUE: 17,
  TEMPLATE_VALUE: 18,
  EXTENSION_VALUE: 19,
  message: 'org.eclipse.tahu.protobuf.Payload.Metric',
  wireType: Uint8Array.of(255, 2, 0, 0, 0, 0, 0, 0, 2, 2, 0, 0, 5, 1, 0, 2, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'alias', json: 'alias', kind: 'uint64', wireType: 0 },
    { number: 3, name: 'timestamp', json: 'timestamp', kind: 'uint64', wireType: 0 },
    { number: 4, name: 'datatype', json: 'datatype', kind: 'uint32', wireType: 0 },
    { number: 5, name: 'is_historical', json: 'isHistorical', kind: 'bool', wireType: 0 },
    { number: 6, name: 'is_transient', json: 'isTransient', kind: 'bool', wireType: 0 },
    { number: 7, name: 'is_null', json: 'isNull', kind: 'bool', wireType: 0 },
    {
      number: 8,
      name: 'metadata',
      json: 'metadata',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.MetaData',
    },
    {
      number: 9,
      name: 'properties',
      json: 'properties',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertySet',
    },
    { number: 10, name: 'int_value', json: 'intValue', kind: 'uint32', wireType: 0, oneof: 'value' },
    { number: 11, name: 'long_value', json: 'longValue', kind: 'uint64', wireType: 0, oneof: 'value' },
    { number: 12, name: 'float_value', json: 'floatValue', kind: 'float', wireType: 5, oneof: 'value' },
    { number: 13, name: 'double_value', json: 'doubleValue', kind: 'double', wireType: 1, oneof: 'value' },
    { number: 14, name: 'boolean_value', json: 'booleanValue', kind: 'bool', wireType: 0, oneof: 'value' },
    { number: 15, name: 'string_value', json: 'stringValue', kind: 'string', wireType: 2, oneof: 'value' },
    { number: 16, name: 'bytes_value', json: 'bytesValue', kind: 'bytes', wireType: 2, oneof: 'value' },
    {
      number: 17,
      name: 'dataset_value',
      json: 'datasetValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.DataSet',
      oneof: 'value',
    },
    {
      number: 18,
      name: 'template_value',
      json: 'templateValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Template',
      oneof: 'value',
    },
    {
      number: 19,
      name: 'extension_value',
      json: 'extensionValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Metric.MetricValueExtension',
      oneof: 'value',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_METRIC_VALUE_EXTENSION = {
  message: 'org.eclipse.tahu.protobuf.Payload.Metric.MetricValueExtension',
  wireType: Uint8Array.of(255),
  fields: [],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_PROPERTY_SET = {
  KEYS: 1,
  VALUES: 2,
  message: 'org.eclipse.tahu.protobuf.Payload.PropertySet',
  wireType: Uint8Array.of(255, 2, 2),
  fields: [
    { number: 1, name: 'keys', json: 'keys', kind: 'string', wireType: 2, repeated: true },
    {
      number: 2,
      name: 'values',
      json: 'values',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertyValue',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_PROPERTY_SET_LIST = {
  PROPERTYSET: 1,
  message: 'org.eclipse.tahu.protobuf.Payload.PropertySetList',
  wireType: Uint8Array.of(255, 2),
  fields: [
    {
      number: 1,
      name: 'propertyset',
      json: 'propertyset',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertySet',
      repeated: true,
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_PROPERTY_VALUE = {
  TYPE: 1,
  IS_NULL: 2,
  INT_VALUE: 3,
  LONG_VALUE: 4,
  FLOAT_VALUE: 5,
  DOUBLE_VALUE: 6,
  BOOLEAN_VALUE: 7,
  STRING_VALUE: 8,
  PROPERTYSET_VALUE: 9,
  PROPERTYSETS_VALUE: 10,
  EXTENSION_VALUE: 11,
  message: 'org.eclipse.tahu.protobuf.Payload.PropertyValue',
  wireType: Uint8Array.of(255, 0, 0, 0, 0, 5, 1, 0, 2, 2, 2, 2),
  fields: [
    { number: 1, name: 'type', json: 'type', kind: 'uint32', wireType: 0 },
    { number: 2, name: 'is_null', json: 'isNull', kind: 'bool', wireType: 0 },
    { number: 3, name: 'int_value', json: 'intValue', kind: 'uint32', wireType: 0, oneof: 'value' },
    { number: 4, name: 'long_value', json: 'longValue', kind: 'uint64', wireType: 0, oneof: 'value' },
    { number: 5, name: 'float_value', json: 'floatValue', kind: 'float', wireType: 5, oneof: 'value' },
    { number: 6, name: 'double_value', json: 'doubleValue', kind: 'double', wireType: 1, oneof: 'value' },
    { number: 7, name: 'boolean_value', json: 'booleanValue', kind: 'bool', wireType: 0, oneof: 'value' },
    { number: 8, name: 'string_value', json: 'stringValue', kind: 'string', wireType: 2, oneof: 'value' },
    {
      number: 9,
      name: 'propertyset_value',
      json: 'propertysetValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertySet',
      oneof: 'value',
    },
    {
      number: 10,
      name: 'propertysets_value',
      json: 'propertysetsValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertySetList',
      oneof: 'value',
    },
    {
      number: 11,
      name: 'extension_value',
      json: 'extensionValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.PropertyValue.PropertyValueExtension',
      oneof: 'value',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_PROPERTY_VALUE_EXTENSION = {
  message: 'org.eclipse.tahu.protobuf.Payload.PropertyValue.PropertyValueExtension',
  wireType: Uint8Array.of(255),
  fields: [],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_TEMPLATE = {
  VERSION: 1,
  METRICS: 2,
  PARAMETERS: 3,
  TEMPLATE_REF: 4,
  IS_DEFINITION: 5,
  message: 'org.eclipse.tahu.protobuf.Payload.Template',
  wireType: Uint8Array.of(255, 2, 2, 2, 2, 0),
  fields: [
    { number: 1, name: 'version', json: 'version', kind: 'string', wireType: 2 },
    {
      number: 2,
      name: 'metrics',
      json: 'metrics',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Metric',
      repeated: true,
    },
    {
      number: 3,
      name: 'parameters',
      json: 'parameters',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Template.Parameter',
      repeated: true,
    },
    { number: 4, name: 'template_ref', json: 'templateRef', kind: 'string', wireType: 2 },
    { number: 5, name: 'is_definition', json: 'isDefinition', kind: 'bool', wireType: 0 },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_TEMPLATE_PARAMETER = {
  NAME: 1,
  TYPE: 2,
  INT_VALUE: 3,
  LONG_VALUE: 4,
  FLOAT_VALUE: 5,
  DOUBLE_VALUE: 6,
  BOOLEAN_VALUE: 7,
  STRING_VALUE: 8,
  EXTENSION_VALUE: 9,
  message: 'org.eclipse.tahu.protobuf.Payload.Template.Parameter',
  wireType: Uint8Array.of(255, 2, 0, 0, 0, 5, 1, 0, 2, 2),
  fields: [
    { number: 1, name: 'name', json: 'name', kind: 'string', wireType: 2 },
    { number: 2, name: 'type', json: 'type', kind: 'uint32', wireType: 0 },
    { number: 3, name: 'int_value', json: 'intValue', kind: 'uint32', wireType: 0, oneof: 'value' },
    { number: 4, name: 'long_value', json: 'longValue', kind: 'uint64', wireType: 0, oneof: 'value' },
    { number: 5, name: 'float_value', json: 'floatValue', kind: 'float', wireType: 5, oneof: 'value' },
    { number: 6, name: 'double_value', json: 'doubleValue', kind: 'double', wireType: 1, oneof: 'value' },
    { number: 7, name: 'boolean_value', json: 'booleanValue', kind: 'bool', wireType: 0, oneof: 'value' },
    { number: 8, name: 'string_value', json: 'stringValue', kind: 'string', wireType: 2, oneof: 'value' },
    {
      number: 9,
      name: 'extension_value',
      json: 'extensionValue',
      kind: 'message',
      wireType: 2,
      type: 'org.eclipse.tahu.protobuf.Payload.Template.Parameter.ParameterValueExtension',
      oneof: 'value',
    },
  ],
} as const satisfies MessageTable & Record<string, unknown>

export const PAYLOAD_TEMPLATE_PARAMETER_VALUE_EXTENSION = {
  message: 'org.eclipse.tahu.protobuf.Payload.Template.Parameter.ParameterValueExtension',
  wireType: Uint8Array.of(255),
  fields: [],
} as const satisfies MessageTable & Record<string, unknown>

/** Every message by its full name. */
export const MESSAGES: Readonly<Record<string, MessageTable>> = {
  'org.eclipse.tahu.protobuf.Payload': PAYLOAD,
  'org.eclipse.tahu.protobuf.Payload.DataSet': PAYLOAD_DATA_SET,
  'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue': PAYLOAD_DATA_SET_VALUE,
  'org.eclipse.tahu.protobuf.Payload.DataSet.DataSetValue.DataSetValueExtension': PAYLOAD_DATA_SET_VALUE_EXTENSION,
  'org.eclipse.tahu.protobuf.Payload.DataSet.Row': PAYLOAD_DATA_SET_ROW,
  'org.eclipse.tahu.protobuf.Payload.MetaData': PAYLOAD_META_DATA,
  'org.eclipse.tahu.protobuf.Payload.Metric': PAYLOAD_METRIC,
  'org.eclipse.tahu.protobuf.Payload.Metric.MetricValueExtension': PAYLOAD_METRIC_VALUE_EXTENSION,
  'org.eclipse.tahu.protobuf.Payload.PropertySet': PAYLOAD_PROPERTY_SET,
  'org.eclipse.tahu.protobuf.Payload.PropertySetList': PAYLOAD_PROPERTY_SET_LIST,
  'org.eclipse.tahu.protobuf.Payload.PropertyValue': PAYLOAD_PROPERTY_VALUE,
  'org.eclipse.tahu.protobuf.Payload.PropertyValue.PropertyValueExtension': PAYLOAD_PROPERTY_VALUE_EXTENSION,
  'org.eclipse.tahu.protobuf.Payload.Template': PAYLOAD_TEMPLATE,
  'org.eclipse.tahu.protobuf.Payload.Template.Parameter': PAYLOAD_TEMPLATE_PARAMETER,
  'org.eclipse.tahu.protobuf.Payload.Template.Parameter.ParameterValueExtension':
    PAYLOAD_TEMPLATE_PARAMETER_VALUE_EXTENSION,
}

/** Every enum by its full name. */
export const ENUMS: Readonly<Record<string, EnumTable>> = {
  'org.eclipse.tahu.protobuf.DataType': DATA_TYPE,
}
