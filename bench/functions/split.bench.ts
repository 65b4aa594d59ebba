// Cutting a request of 10,000 spans into batches of 512, spreading it over four shards by trace id, over four endpoints as
// load_balancing does it, and merging.

import { Delivery } from '../../src/delivery/delivery.ts'
import { HashRing } from '../../src/exporters/load_balancing/ring.ts'
import { makeRouting } from '../../src/exporters/load_balancing/routing.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { mergeBatches } from '../../src/otlp/merge.ts'
import { SpanView } from '../../src/otlp/span.ts'
import { splitBatch, splitByKey } from '../../src/otlp/split.ts'
import { payload, payloads } from '../rig/payloads.ts'
import { bench } from './harness.ts'

const ITEMS = 10_000
const bytes = (request: Uint8Array): number => request.length
const setup = (): Uint8Array => payload({ signal: 'traces', items: ITEMS })
const batchOf = (request: Uint8Array, items: number): Batch => new Batch('traces', [request], items, Delivery.none())

const span = new SpanView()
const byTrace = (request: Uint8Array, start: number, end: number): number =>
  request[span.reset(request, start, end).traceIdAt() + 15]! & 3

const ring = new HashRing(['gateway-1:4317', 'gateway-2:4317', 'gateway-3:4317', 'gateway-4:4317'])
const routings = {
  traceID: makeRouting('traces', 'traceID', [], Math.random),
  service: makeRouting('traces', 'service', [], Math.random),
  attributes: makeRouting('traces', 'attributes', ['http.route'], Math.random),
}

export default [
  bench({
    name: 'split/items-10000-by-512',
    items: ITEMS,
    bytes,
    setup,
    run: (request) => splitBatch(batchOf(request, ITEMS), 512).length,
  }),
  bench({
    name: 'split/trace-id-10000-by-4',
    items: ITEMS,
    bytes,
    setup,
    run: (request) => splitByKey(batchOf(request, ITEMS), 4, byTrace).length,
  }),
  ...Object.entries(routings).map(([key, routing]) =>
    bench({
      name: `split/load-balancing-10000-by-${key}`,
      items: ITEMS,
      bytes,
      setup,
      run: (request) => splitByKey(batchOf(request, ITEMS), 4, routing.begin(ring)).length,
    }),
  ),
  bench({
    name: 'merge/100-requests-of-100',
    items: ITEMS,
    bytes: (requests: readonly Uint8Array[]) => requests.reduce((sum, request) => sum + request.length, 0),
    setup: () => payloads({ signal: 'traces', items: 100, count: 100 }),
    run: (requests) => mergeBatches(requests.map((request) => batchOf(request, 100))).items,
  }),
]
