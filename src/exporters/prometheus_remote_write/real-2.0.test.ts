// What only remote write 2.0 carries, asked back from a real Prometheus 3.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import type { Store } from '../../../test/support/influxdb.ts'
import { findPrometheus3 } from '../../../test/support/prometheus.ts'
import { askProm, prometheusStore, storedSamples } from '../../../test/support/remote-write.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'

const { command, skip } = findPrometheus3()

// A time of today: stores refuse what is older than their newest block.
const NOW = Math.floor(Date.now() / 1000)
const ours = (seconds: number): number => NOW - 60 + seconds
const at = (seconds: number): string => `${ours(seconds)}000000000`
const times = (seconds: number): object => ({ startTimeUnixNano: at(0), timeUnixNano: at(seconds) })
const CUMULATIVE = { aggregationTemporality: 2 }

const request = (...metrics: object[]): object => ({
  resourceMetrics: [
    {
      resource: { attributes: [{ key: 'service.name', value: { stringValue: 'press' } }] },
      scopeMetrics: [{ metrics }],
    },
  ],
})
const parts = (point: object): object => ({
  name: 'parts',
  description: 'Parts made.',
  unit: '{part}',
  sum: { ...CUMULATIVE, isMonotonic: true, dataPoints: [{ asInt: '7', ...point }] },
})
const cycle = (...points: object[]): object => ({
  name: 'cycle',
  unit: 's',
  histogram: {
    ...CUMULATIVE,
    dataPoints: points.map((point) => ({
      count: '6',
      sum: 2.5,
      bucketCounts: ['4', '2'],
      explicitBounds: [1],
      ...point,
    })),
  },
})
const force = (point: object): object => ({
  name: 'force',
  unit: 'N',
  exponentialHistogram: { ...CUMULATIVE, dataPoints: [{ count: '3', sum: 5.5, scale: 0, ...point }] },
})
const gauge = (name: string, seconds: number, asDouble = 1): object => ({
  name,
  unit: 'Cel',
  gauge: { dataPoints: [{ timeUnixNano: at(seconds), asDouble }] },
})
const exemplar = (seconds: number, asDouble: number, trace: string): object => ({
  timeUnixNano: at(seconds),
  asDouble,
  traceId: trace.repeat(16),
  spanId: 'cd'.repeat(8),
})

async function writer(t: TestContext, features: readonly string[] = [], config: object = {}) {
  const store = await prometheusStore(t, command, features)
  const { push, metric, logs } = await exporterHarness(t, factory, {
    endpoint: `${store.url}/api/v1/write`,
    protobuf_message: 'io.prometheus.write.v2.Request',
    remote_write_queue: { enabled: false },
    target_info: { enabled: false },
    ...config,
  })
  const write = async (...metrics: object[]): Promise<Fate> => {
    const fate = push('metrics', request(...metrics))
    await until(() => fate.delivered || fate.refused !== undefined)
    return fate
  }
  return { store, write, metric, logs }
}

/** A number of Prometheus's own. */
async function own(store: Store, name: string, label = ''): Promise<number> {
  const lines = (await (await fetch(`${store.url}/metrics`)).text()).split('\n')
  return lines
    .filter((line) => line.startsWith(name) && line.includes(label))
    .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0)
}

test('since when counters, histograms and summaries count, their types and units are known to the store', {
  skip,
}, async (t) => {
  const { store, write } = await writer(t, [
    'created-timestamp-zero-ingestion',
    'type-and-unit-labels',
    'metadata-wal-records',
  ])
  const latency = {
    name: 'latency',
    unit: 'ms',
    summary: { dataPoints: [{ ...times(3), count: '3', sum: 30, quantileValues: [{ quantile: 0.5, value: 9 }] }] },
  }
  const fate = await write(gauge('oil', 3, 61.5), parts(times(3)), cycle(times(3)), latency)
  assert.equal(fate.refused, undefined)
  const since = `0@${ours(0)}`
  const histogram = '__type__=histogram,__unit__=seconds,job=press'
  const summary = '__type__=summary,__unit__=milliseconds,job=press'
  assert.deepEqual(await storedSamples(store, '{job="press"}', NOW), [
    `cycle_seconds_bucket{${histogram},le=+Inf}: ${since} 6@${ours(3)}`,
    `cycle_seconds_bucket{${histogram},le=1}: ${since} 4@${ours(3)}`,
    `cycle_seconds_count{${histogram}}: ${since} 6@${ours(3)}`,
    `cycle_seconds_sum{${histogram}}: ${since} 2.5@${ours(3)}`,
    `latency_milliseconds_count{${summary}}: ${since} 3@${ours(3)}`,
    `latency_milliseconds_sum{${summary}}: ${since} 30@${ours(3)}`,
    `latency_milliseconds{${summary},quantile=0.5}: ${since} 9@${ours(3)}`,
    `oil_celsius{__type__=gauge,__unit__=celsius,job=press}: 61.5@${ours(3)}`,
    `parts_total{__type__=counter,job=press}: ${since} 7@${ours(3)}`,
  ])
  assert.equal(await own(store, 'prometheus_api_remote_write_without_metadata_appended_samples_total'), 0)
})

test('a native histogram begins with nothing at its start, and is whole', { skip }, async (t) => {
  const { store, write } = await writer(t, ['created-timestamp-zero-ingestion'])
  const buckets = { zeroCount: '1', positive: { offset: -1, bucketCounts: ['1', '1'] } }
  const fate = await write(force({ ...times(3), ...buckets }))
  assert.equal(fate.refused, undefined)
  const { result } = await askProm(store, 'query', { query: 'force_N[1h]', time: String(NOW) })
  const [begin, whole] = result[0].histograms
  assert.deepEqual(begin, [ours(0), { count: '0', sum: '0' }])
  assert.equal(whole[0], ours(3))
  assert.deepEqual([whole[1].count, whole[1].sum], ['3', '5.5'])
  assert.deepEqual(
    whole[1].buckets.map(([, from, to, count]: string[]) => [Number(from), Number(to), count]),
    [
      [-1e-128, 1e-128, '1'],
      [0.5, 1, '1'],
      [1, 2, '1'],
    ],
  )
})

test('several exemplars of a series are taken, whatever order they came in', { skip }, async (t) => {
  const { store, write, metric } = await writer(t)
  const exemplars = [exemplar(2, 0.5, 'ab'), exemplar(1, 0.25, 'cd'), exemplar(2, 0.125, 'ef'), exemplar(3, 2, '12')]
  const point = { ...times(3), exemplars }
  const positive = { offset: -1, bucketCounts: ['1', '2'] }
  const fate = await write(parts(point), cycle(point), force({ ...point, positive }))
  assert.equal(fate.refused, undefined)
  const range = { start: String(ours(0)), end: String(NOW) }
  const found = await askProm(store, 'query_exemplars', { query: '{job="press"}', ...range })
  const told = Object.fromEntries(
    found.map(({ seriesLabels, exemplars: all }: Exemplars) => [
      `${seriesLabels.__name__} ${seriesLabels.le ?? ''}`.trim(),
      all.map(({ labels, value, timestamp }) => [labels.trace_id?.slice(0, 2), Number(value), timestamp - ours(0)]),
    ]),
  )
  const [low, other] = [
    [
      ['cd', 0.25, 1],
      ['ef', 0.125, 2],
      ['ab', 0.5, 2],
    ],
    [['12', 2, 3]],
  ]
  assert.deepEqual(told, {
    parts_total: [...low, ...other],
    'cycle_seconds_bucket 1': low,
    'cycle_seconds_bucket +Inf': other,
    force_N: [...low, ...other],
  })
  assert.equal(metric('exporter_rejected_metric_points'), undefined)
  assert.equal(await own(store, 'prometheus_http_requests_total', 'code="400",handler="/api/v1/write"'), 0)
})

interface Exemplars {
  readonly seriesLabels: { readonly __name__: string; readonly le?: string }
  readonly exemplars: readonly { labels: { trace_id?: string }; value: string; timestamp: number }[]
}

test('of a request of which a part is too late the rest is written: what was not is counted, and nothing is sent again', {
  skip,
}, async (t) => {
  const { store, write, metric } = await writer(t)
  await write(gauge('a', 10), gauge('b', 10), gauge('c', 10))
  const late = [gauge('a', 2), gauge('b', 2), gauge('c', 2)]
  const fate = await write(...late, cycle(times(3), times(4), times(5)), force({ ...times(3), zeroCount: '3' }))
  assert.equal(fate.delivered, true)
  assert.equal(metric('exporter_rejected_metric_points'), 3)
  assert.equal(await own(store, 'prometheus_http_requests_total', 'code="400",handler="/api/v1/write"'), 1)
  assert.equal((await storedSamples(store, 'cycle_seconds_count', NOW)).length, 1)
  assert.equal((await storedSamples(store, 'force_N', NOW)).length, 1)
})

test('an exemplar that the store finds too late costs no point', { skip }, async (t) => {
  const { write, metric, logs } = await writer(t)
  await write(parts({ ...times(3), exemplars: [exemplar(3, 1, 'ab')] }))
  const fate = await write(parts({ ...times(4), exemplars: [exemplar(1, 1, 'cd')] }))
  assert.equal(fate.delivered, true)
  assert.equal(metric('exporter_rejected_metric_points'), undefined)
  const told = logs.filter(({ message }) => message.includes('exemplars'))
  assert.equal(told.length, 1)
  assert.match(String(told[0]!.fields.error), /out of order exemplar/)
})

test('names that stay as they are can be asked for', { skip }, async (t) => {
  const { store, write } = await writer(t, [], { translation_strategy: 'NoTranslation' })
  const attributes = [{ key: 'zone.näme', value: { stringValue: 'a' } }]
  const metric = {
    name: 'öl.temperature',
    gauge: { dataPoints: [{ timeUnixNano: at(3), asDouble: 61.5, attributes }] },
  }
  assert.equal((await write(metric)).refused, undefined)
  assert.deepEqual(await storedSamples(store, '{"öl.temperature", "zone.näme"="a"}', NOW), [
    `öl.temperature{job=press,zone.näme=a}: 61.5@${ours(3)}`,
  ])
})
