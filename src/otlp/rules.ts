// What the structural check asks of each field, made once from the field tables.

import { type Field, MESSAGES, type MessageTable } from './fields.ts'
import type { Signal } from './signal.ts'

/** What to do with the contents of a field whose wire type is the expected one. */
export const ASK = {
  NOTHING: 0,
  /** Valid UTF-8. */
  TEXT: 1,
  /** So many bytes or none: Rule.idBytes. */
  ID: 2,
  /** A message: Rule.child. */
  MESSAGE: 3,
  PACKED_VARINT: 4,
  PACKED_FIXED32: 5,
  PACKED_FIXED64: 6,
} as const

/** How a message is walked: most by the generic loop, a few by functions of their own. */
export const WALK = { GENERIC: 0, ATTRIBUTE: 1, RECORD: 2, METRIC: 3 } as const

export interface Rule {
  /** Full name of the message. */
  readonly message: string
  /** Field names by number, for what a sender is told. */
  readonly names: readonly string[]
  /** Expected wire type by field number, 255 where there is no field. */
  readonly wireType: Uint8Array
  readonly ask: Uint8Array
  readonly idBytes: Uint8Array
  readonly child: readonly (Rule | undefined)[]
  readonly walk: number
  /** Counts as an item: a span, a data point, a log record, a profile's sample. */
  readonly isItem: boolean
  /** Tag of the field that holds attributes, when its number is below 16; else -1. */
  readonly attributesTag: number
}

const KEY_VALUE_NAME = 'opentelemetry.proto.common.v1.KeyValue'
const ITEMS: ReadonlySet<string> = new Set([
  'opentelemetry.proto.trace.v1.Span',
  'opentelemetry.proto.logs.v1.LogRecord',
  'opentelemetry.proto.metrics.v1.NumberDataPoint',
  'opentelemetry.proto.metrics.v1.HistogramDataPoint',
  'opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint',
  'opentelemetry.proto.metrics.v1.SummaryDataPoint',
  'opentelemetry.proto.profiles.v1development.Sample',
])

type Writable<T> = { -readonly [K in keyof T]: T[K] }

function ask(field: Field): number {
  if (field.kind === 'message') return ASK.MESSAGE
  if (field.kind === 'string') return ASK.TEXT
  if (field.idBytes !== undefined) return ASK.ID
  if (!field.packed) return ASK.NOTHING
  return field.wireType === 0 ? ASK.PACKED_VARINT : field.wireType === 1 ? ASK.PACKED_FIXED64 : ASK.PACKED_FIXED32
}

// Messages hold one another in circles (a value holds lists of values), so a rule is known before it is complete.
function rule(message: string, made: Map<string, Rule>): Rule {
  const known = made.get(message)
  if (known !== undefined) return known
  const table: MessageTable = MESSAGES[message]!
  const size = table.wireType.length
  const attributes = table.fields.find((field) => field.type === KEY_VALUE_NAME && field.number < 16)
  const child: (Rule | undefined)[] = new Array(size).fill(undefined)
  const fresh: Writable<Rule> = {
    message,
    names: Array.from({ length: size }, (_, number) => table.fields.find((f) => f.number === number)?.name ?? ''),
    wireType: table.wireType,
    ask: new Uint8Array(size),
    idBytes: new Uint8Array(size),
    child,
    walk: WALK.GENERIC,
    isItem: ITEMS.has(message),
    attributesTag: attributes === undefined ? -1 : attributes.number * 8 + 2,
  }
  if (message === KEY_VALUE_NAME) fresh.walk = WALK.ATTRIBUTE
  else if (message === 'opentelemetry.proto.metrics.v1.Metric') fresh.walk = WALK.METRIC
  else if (fresh.isItem) fresh.walk = WALK.RECORD
  made.set(message, fresh)
  for (const field of table.fields) {
    fresh.ask[field.number] = ask(field)
    fresh.idBytes[field.number] = field.idBytes ?? 0
    if (field.kind === 'message') child[field.number] = rule(field.type!, made)
  }
  return fresh
}

/** The rule of each signal's request, and through it of every message inside. */
export const REQUEST_RULES: Readonly<Record<Signal, Rule>> = {
  traces: rule('opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest', new Map()),
  metrics: rule('opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest', new Map()),
  logs: rule('opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest', new Map()),
  profiles: rule('opentelemetry.proto.collector.profiles.v1development.ExportProfilesServiceRequest', new Map()),
}
