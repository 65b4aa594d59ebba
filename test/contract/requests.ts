// One small request of each signal that carries an unknown field at every level, each recognisable by its text.

import type { Signal } from '../../src/otlp/signal.ts'

type Bytes = readonly number[]

const text = (value: string): Bytes => [...Buffer.from(value)]
const field = (number: number, body: Bytes): Bytes => [...varint(number * 8 + 2), ...varint(body.length), ...body]
const fixed64 = (number: number, value: number): Bytes => [...varint(number * 8 + 1), value, 0, 0, 0, 0, 0, 0, 0]
const UNKNOWN_FIELD = 1_999

function varint(value: number): Bytes {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 128) return [...bytes, rest]
    bytes.push((rest & 127) | 128)
  }
}

/** A message of these fields with an unknown one that holds `mark`. */
const marked = (mark: string, ...fields: Bytes[]): Bytes => [...fields.flat(), ...field(UNKNOWN_FIELD, text(mark))]
const attribute = (key: string, value: string, mark: string): Bytes =>
  marked(mark, field(1, text(key)), field(2, marked(`${mark}-value`, field(1, text(value)))))
const resource = field(
  1,
  marked('at-resource', field(1, attribute('service.name', 'press-4', 'at-resource-attribute'))),
)
const scope = field(1, marked('at-scope', field(1, text('contract')), field(2, text('1.0'))))
const TRACE_ID = field(
  1,
  Array.from({ length: 16 }, (_, i) => i + 1),
)

const envelope = (item: Bytes): Bytes =>
  marked(
    'at-request',
    field(1, marked('at-resource-items', resource, field(2, marked('at-scope-items', scope, field(2, item))))),
  )

const SPAN = marked(
  'at-item',
  TRACE_ID,
  field(2, [1, 2, 3, 4, 5, 6, 7, 8]),
  field(5, text('weld')),
  fixed64(7, 1),
  fixed64(8, 2),
  field(9, attribute('seam', '7', 'at-attribute')),
)
const POINT = marked('at-point', fixed64(3, 1), fixed64(4, 0), field(7, attribute('seam', '7', 'at-attribute')))
const METRIC = marked('at-item', field(1, text('temperature')), field(5, marked('at-gauge', field(1, POINT))))
const LOG = marked(
  'at-item',
  fixed64(1, 1),
  field(5, field(1, text('door opened'))),
  field(6, attribute('seam', '7', 'at-attribute')),
)
const PROFILE = marked(
  'at-item',
  field(2, marked('at-sample')),
  field(
    7,
    Array.from({ length: 16 }, (_, i) => i + 1),
  ),
)

const REQUESTS: Record<Signal, Bytes> = {
  traces: envelope(SPAN),
  metrics: envelope(METRIC),
  logs: envelope(LOG),
  profiles: envelope(PROFILE),
}

export const requestWithUnknownFields = (signal: Signal): Uint8Array => Uint8Array.from(REQUESTS[signal])

const COMMON = [
  'at-request',
  'at-resource-items',
  'at-resource',
  'at-scope-items',
  'at-scope',
  'at-item',
  'at-resource-attribute',
]

export const UNKNOWN_MARKS: Record<Signal, readonly string[]> = {
  traces: [...COMMON, 'at-attribute', 'at-attribute-value'],
  metrics: [...COMMON, 'at-attribute', 'at-attribute-value', 'at-gauge', 'at-point'],
  logs: [...COMMON, 'at-attribute', 'at-attribute-value'],
  profiles: [...COMMON, 'at-sample'],
}
