// What documents of the modes none, raw and ecs have in common: attributes with their own keys, and where they go.

import type { AttributeMap } from '../../otlp/attribute.ts'
import { LOG_RECORD } from '../../otlp/fields.ts'
import type { LogView } from '../../otlp/log.ts'
import type { FieldIndex } from '../../wire/field-index.ts'
import type { FlatFields } from './flat-fields.ts'
import { isSet, isZero } from './otel-documents.ts'
import type { Target } from './routing.ts'
import type { SpecialAttributes } from './special-attributes.ts'

export function addAttributes(fields: FlatFields, prefix: string, map: AttributeMap, special: SpecialAttributes): void {
  for (let i = 0; i < map.count; i++) if (!special.isHidden(i)) fields.entry(prefix, map, i)
}

/** Below `prefix`, with its dot. */
export function addDataStream(fields: FlatFields, prefix: string, { dataStream }: Target): void {
  if (dataStream === undefined) return
  fields.string(`${prefix}data_stream.type`, dataStream.type)
  fields.string(`${prefix}data_stream.dataset`, dataStream.dataset)
  fields.string(`${prefix}data_stream.namespace`, dataStream.namespace)
}

/** The record's own time, or the one at which it was seen. */
export const logTime = (log: LogView): number =>
  isSet(log, LOG_RECORD.TIME_UNIX_NANO) ? LOG_RECORD.TIME_UNIX_NANO : LOG_RECORD.OBSERVED_TIME_UNIX_NANO

/** An id of `length` bytes at `at`; empty where it is absent. */
export const hexText = ({ bytes }: FieldIndex, at: number, length: number): string =>
  at === 0 || isZero(bytes, at, length) ? '' : Buffer.from(bytes.subarray(at, at + length)).toString('hex')
