// OTLP bytes to line protocol: what the influxdb exporter adds to the way of a batch, beside the request itself.

import { parseConfig } from '../../src/config/testing.ts'
import { Delivery } from '../../src/delivery/delivery.ts'
import { config } from '../../src/exporters/influxdb/config.ts'
import { LineEncoder } from '../../src/exporters/influxdb/encoder.ts'
import { systemClock } from '../../src/graph/clock.ts'
import { Batch } from '../../src/otlp/batch.ts'
import { jsonToBytes } from '../../src/otlp/json/index.ts'
import { payload, type Signal } from '../rig/payloads.ts'
import { seriesRequests } from '../rig/series.ts'
import { bench } from './harness.ts'

interface State {
  readonly batches: readonly Batch[]
  readonly encoder: LineEncoder
  next: number
}

const ITEMS = 1000
const MANY_SERIES = 100_000

const state = (signal: Signal, requests: readonly Uint8Array[], own: object): State => ({
  batches: requests.map((request) => new Batch(signal, [request], ITEMS, Delivery.none())),
  encoder: new LineEncoder(parseConfig(config, { endpoint: 'http://localhost:8086', ...own }), systemClock),
  next: 0,
})

/** Three tags of the metric, one of the point. */
const RULE = {
  measurement: 'device_metrics',
  tags: {
    device_id: '%{resource.attributes.service.name}',
    metric_name: '%{metric.name}',
    unit: '%{metric.unit}',
    by: '%{attributes.url.path}',
  },
}
const PLANT = { schema: 'plant', precision: 'ms' }

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

function run(state: State): number {
  const { batches, encoder } = state
  const batch = batches[state.next++ % batches.length]!
  return encoder.encode(batch).payloads[0]!.bytes.length
}
const bytes = ({ batches }: State): number => batches[0]!.byteLength

const points = (attributes: number): Uint8Array => payload({ signal: 'metrics', items: ITEMS, attributes })

export default [
  bench({
    name: `lines/plant-readings-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup: () => state('metrics', [readings()], PLANT),
    run,
  }),
  bench({
    name: `lines/plant-attributes-${ITEMS}`,
    items: ITEMS,
    bytes,
    setup: () => state('metrics', [points(4)], { ...PLANT, plant_rules: [RULE] }),
    run,
  }),
  bench({
    name: `lines/plant-${MANY_SERIES}-series`,
    items: ITEMS,
    bytes,
    setup: () =>
      state('metrics', seriesRequests(MANY_SERIES, ITEMS), {
        ...PLANT,
        plant_rules: [{ ...RULE, tags: { ...RULE.tags, by: '%{attributes.sensor.id}' } }],
      }),
    run,
  }),
  ...(['telegraf-prometheus-v1', 'telegraf-prometheus-v2'] as const).flatMap((metrics_schema) =>
    [4, 10].map((attributes) =>
      bench({
        name: `lines/${metrics_schema}-${attributes}-attributes-${ITEMS}`,
        items: ITEMS,
        bytes,
        setup: () => state('metrics', [points(attributes)], { metrics_schema }),
        run,
      }),
    ),
  ),
  ...(['traces', 'logs'] as const).map((signal) =>
    bench({
      name: `lines/${signal}-${ITEMS}`,
      items: ITEMS,
      bytes,
      setup: () => state(signal, [payload({ signal, items: ITEMS })], {}),
      run,
    }),
  ),
]
