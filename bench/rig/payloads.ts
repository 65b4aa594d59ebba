// The inputs of the bench: encoded requests as services send them, the same ones in every run.
// A span has ten attributes and about 430 bytes; so have points and records, somewhat fewer.

import { RequestGenerator } from '../../src/send/generate.ts'

export type Signal = 'traces' | 'metrics' | 'logs'

export interface PayloadOptions {
  readonly signal?: Signal
  /** Spans, data points or log records in each request. */
  readonly items: number
  /** How many different requests. */
  readonly count?: number
  readonly attributes?: number
  readonly seed?: number
}

/** Of each item, unless a case says otherwise. */
export const ATTRIBUTES = 10

/** Values of the tenth attribute, and of the fourth, as they stand in protobuf and in JSON: numbered.ts writes over them. */
export const NUMBERED_VALUES = [/operator-\d{4}/g, /\/orders\/\d{6}/g] as const

// Any fixed moment will do: 2026-01-01.
const SENT_AT_MS = 1_767_225_600_000

export function payloads({
  signal = 'traces',
  items,
  count = 1,
  attributes = ATTRIBUTES,
  seed = 1,
}: PayloadOptions): Uint8Array<ArrayBuffer>[] {
  const generator = new RequestGenerator({ signal, itemsPerRequest: items, attributes, service: 'orders', seed })
  return Array.from({ length: count }, (_, index) => generator.next(SENT_AT_MS + index * 5))
}

/** One request. */
export const payload = (options: PayloadOptions): Uint8Array<ArrayBuffer> => payloads(options)[0]!
