// What all ways to write telemetry as lines have in common.

import type { Walk } from '../../otlp/walk.ts'
import type { LineWriter } from './lines.ts'

/** Why a record or data point became no line; the words stand in the log and in a metric's label. */
export const DROP_REASONS = {
  not_a_number: 'its value is NaN or infinite, which line protocol cannot say',
  no_time: 'it has no time',
  no_id: 'it has no trace id or span id',
  no_field: 'it holds nothing that could be a field',
  no_measurement: 'the rule names no measurement for it',
  no_rule: 'no rule is for its name',
  unsupported_type: 'the schema has no place for its kind of metric',
  buckets: 'it has more or fewer buckets than its bounds make',
  max_series: 'it would begin a further series, and max_series are there',
} as const
export type DropReason = keyof typeof DROP_REASONS

/** `nothing`: there was no value to write, as its sender wanted. */
export type Outcome = 'written' | 'nothing' | DropReason

export interface LineSchema {
  /** Before each batch. */
  begin(): void
  enterResource(walk: Walk): void
  enterScope(walk: Walk): void
  /** The current span, log record or data point as lines. What is not written leaves the writer as it was. */
  write(walk: Walk, writer: LineWriter): Outcome
}

/** Field numbers that points of all kinds have in common. */
export const POINT = { START: 2, TIME: 3 } as const

export const NO_RECORDED_VALUE = 1
