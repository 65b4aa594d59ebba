// OTLP bytes to bulk requests: what the elasticsearch exporter adds to the way of a batch, beside the request itself.

import { Delivery } from '../../src/delivery/delivery.ts'
import type { MappingMode } from '../../src/exporters/elasticsearch/config.ts'
import { Encoder } from '../../src/exporters/elasticsearch/encoder.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { payload, type Signal } from '../rig/payloads.ts'
import { bench } from './harness.ts'

interface State {
  readonly batch: Batch
  readonly encoder: Encoder
}

const ITEMS = 1000

function state(signal: Signal, mode: MappingMode): State {
  const options = {
    signal,
    mode,
    allowedModes: new Set([mode]),
    index: '',
    takesIds: false,
    takesPipelines: false,
    maxBytes: 5_000_000,
  }
  return {
    batch: new Batch(signal, [payload({ signal, items: ITEMS })], ITEMS, Delivery.none()),
    encoder: new Encoder(options, () => {}),
  }
}

const encode = ({ batch, encoder }: State): Uint8Array => encoder.encode(batch, 0, '', true).bodies[0]!.bytes
const bytes = ({ batch }: State): number => batch.byteLength

const documents = (signal: Signal, mode: MappingMode) =>
  bench({
    name: `documents/${mode}-${signal}-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup: () => state(signal, mode),
    run: (made) => encode(made).length,
  })

export default [
  documents('logs', 'otel'),
  documents('traces', 'otel'),
  documents('metrics', 'otel'),
  documents('logs', 'ecs'),
  documents('logs', 'none'),
]
