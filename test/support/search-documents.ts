// What the elasticsearch exporter makes of a request, without any server.

import assert from 'node:assert/strict'
import type { MappingMode } from '../../src/exporters/elasticsearch/config.ts'
import { Encoder, type EncoderOptions } from '../../src/exporters/elasticsearch/encoder.ts'
import { batchOf } from './harness.ts'

/** Lines of the bodies, parsed. */
export function encode(
  signal: EncoderOptions['signal'],
  request: object | Uint8Array,
  options: { mode?: MappingMode; index?: string; maxBytes?: number; unfit?: string[] } = {},
  // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
): { readonly lines: any[]; readonly bodies: number } {
  const { mode = 'otel', index = '', maxBytes = 0, unfit = [] } = options
  const encoder = new Encoder(
    { signal, mode, allowedModes: new Set(), index, takesIds: false, takesPipelines: false, maxBytes },
    (items, why) => unfit.push(`${items} ${why}`),
  )
  const { bodies } = encoder.encode(batchOf(signal, request), 0, '', true)
  const text = bodies.map(({ bytes }) => Buffer.from(bytes).toString()).join('')
  const lines = text === '' ? [] : text.trimEnd().split('\n')
  for (const body of bodies) assert.equal(body.starts.at(-1), body.bytes.length)
  return { lines: lines.map((line) => JSON.parse(line)), bodies: bodies.length }
}
