// OTLP bytes to line protocol: what the influxdb exporter adds to the way of a batch, beside the request itself.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { config } from '../../src/exporters/influxdb/config.ts'
import { LineEncoder } from '../../src/exporters/influxdb/encoder.ts'
import { systemClock } from '../../src/graph/clock.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { payload, type Signal } from '../rig/payloads.ts'
import { bench } from './harness.ts'

interface State {
  readonly batch: Batch
  readonly encoder: LineEncoder
}

const ITEMS = 1000

const state = (signal: Signal, request: Uint8Array, own: object): State => ({
  batch: new Batch(signal, [request], ITEMS, Delivery.none()),
  encoder: new LineEncoder(parseConfig(config, { endpoint: 'http://localhost:8086', ...own }), systemClock),
})

/** As devices send them: five readings of each, with a name and a unit of their own. */
function readings(): Uint8Array {
  const device = (n: number): object => ({
    resource: { attributes: [{ key: 'device.id', value: { stringValue: `cnc-${n}` } }] },
    scopeMetrics: [
      {
        metrics: ['temperature', 'vibration', 'spindle.speed', 'power', 'parts'].map((name, i) => ({
          name,
          unit: ['Cel', 'mm/s', '{revolution}/min', 'kW', '{piece}'][i],
          gauge: { dataPoints: [{ timeUnixNano: '1700000000123456789', asDouble: n + i * 1.37 }] },
        })),
      },
    ],
  })
  const resourceMetrics = Array.from({ length: ITEMS / 5 }, (_, n) => device(n))
  return jsonToBytes('metrics', JSON.stringify({ resourceMetrics }))
}

const run = ({ batch, encoder }: State): number => encoder.encode(batch).payloads[0]!.bytes.length
const bytes = ({ batch }: State): number => batch.byteLength

export default [
  bench({
    name: `lines/plant-readings-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup: () => state('metrics', readings(), { schema: 'plant', precision: 'ms' }),
    run,
  }),
  ...(['telegraf-prometheus-v1', 'telegraf-prometheus-v2'] as const).map((metrics_schema) =>
    bench({
      name: `lines/${metrics_schema}-${ITEMS}`,
      items: ITEMS,
      bytes,
      setup: () => state('metrics', payload({ signal: 'metrics', items: ITEMS }), { metrics_schema }),
      run,
    }),
  ),
  ...(['traces', 'logs'] as const).map((signal) =>
    bench({
      name: `lines/${signal}-${ITEMS}`,
      items: ITEMS,
      bytes,
      setup: () => state(signal, payload({ signal, items: ITEMS }), {}),
      run,
    }),
  ),
]
