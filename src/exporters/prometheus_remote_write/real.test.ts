// Known points in, asked back from real stores, value by value.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import { type Store, showAtOnce, VICTORIA_METRICS, victoriaMetrics } from '../../../test/support/influxdb.ts'
import { findPrometheus3, PROMETHEUS } from '../../../test/support/prometheus.ts'
import { askProm, prometheusStore, storedSamples } from '../../../test/support/remote-write.ts'
import { packageMissing } from '../../../test/support/server-process.ts'
import { until } from '../../../test/support/until.ts'
import { factory } from './factory.ts'

const PROMETHEUS_3 = findPrometheus3()
const NO_VICTORIA = packageMissing(...VICTORIA_METRICS)

// A time of today: stores refuse what is older than their newest block.
const NOW = Math.floor(Date.now() / 1000)
const at = (seconds: number): string => `${NOW - 60 + seconds}000000000`
const ours = (seconds: number): number => NOW - 60 + seconds
const TRACE = 'ab'.repeat(16)

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } })
const exemplar = { timeUnixNano: at(2), asDouble: 0.3, traceId: TRACE, spanId: 'cd'.repeat(8) }
const request = (metrics: object[]): object => ({
  resourceMetrics: [
    {
      resource: { attributes: [text('service.name', 'press'), text('service.instance.id', 'a1'), text('hall', '7')] },
      scopeMetrics: [{ metrics }],
    },
  ],
})
const gauge = (name: string, ...points: (readonly [seconds: number, value: number])[]): object => ({
  name,
  gauge: { dataPoints: points.map(([seconds, asDouble]) => ({ timeUnixNano: at(seconds), asDouble })) },
})
const all = (tiny: number, huge: number): object =>
  request([
    gauge('temperature', [2, 71.25], [1, tiny], [3, huge]),
    {
      name: 'parts',
      sum: {
        aggregationTemporality: 2,
        isMonotonic: true,
        dataPoints: [
          {
            timeUnixNano: at(2),
            asInt: '9007199254740991',
            attributes: [text('line', 'ü "1"')],
            exemplars: [exemplar],
          },
        ],
      },
    },
    {
      name: 'cycle',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            timeUnixNano: at(2),
            count: '6',
            sum: 2.5,
            bucketCounts: ['1', '3', '2'],
            explicitBounds: [0.25, 1],
            exemplars: [exemplar],
          },
        ],
      },
    },
    {
      name: 'latency',
      summary: {
        dataPoints: [{ timeUnixNano: at(2), count: '3', sum: 30, quantileValues: [{ quantile: 0.5, value: 9 }] }],
      },
    },
  ])
const stored = (tiny: string, huge: string): string[] => [
  `cycle_seconds_bucket{instance=a1,job=press,le=+Inf}: 6@${ours(2)}`,
  `cycle_seconds_bucket{instance=a1,job=press,le=0.25}: 1@${ours(2)}`,
  `cycle_seconds_bucket{instance=a1,job=press,le=1}: 4@${ours(2)}`,
  `cycle_seconds_count{instance=a1,job=press}: 6@${ours(2)}`,
  `cycle_seconds_sum{instance=a1,job=press}: 2.5@${ours(2)}`,
  `latency_count{instance=a1,job=press}: 3@${ours(2)}`,
  `latency_sum{instance=a1,job=press}: 30@${ours(2)}`,
  `latency{instance=a1,job=press,quantile=0.5}: 9@${ours(2)}`,
  `parts_total{instance=a1,job=press,line=ü "1"}: 9007199254740991@${ours(2)}`,
  `target_info{hall=7,instance=a1,job=press}: 1@${ours(3)}`,
  `temperature{instance=a1,job=press}: ${tiny}@${ours(1)} 71.25@${ours(2)} ${huge}@${ours(3)}`,
]
async function writer(t: TestContext, store: Store, config: object = {}) {
  const { push, metric, logs } = await exporterHarness(t, factory, {
    endpoint: `${store.url}/api/v1/write`,
    remote_write_queue: { enabled: false },
    ...config,
  })
  return {
    metric,
    logs,
    async write(body: object): Promise<Fate> {
      const fate = push('metrics', body)
      await until(() => fate.delivered || fate.refused !== undefined)
      return fate
    },
  }
}

interface Exemplars {
  readonly seriesLabels: { readonly __name__: string; readonly le?: string }
  readonly exemplars: readonly { labels: object; value: string; timestamp: number }[]
}

const V2 = { protobuf_message: 'io.prometheus.write.v2.Request' }
const DEBIANS = { program: 'prometheus', skip: packageMissing(...PROMETHEUS) }
const NEWEST = { program: PROMETHEUS_3.command, skip: PROMETHEUS_3.skip }

for (const { name, program, skip, config } of [
  { name: 'Prometheus 2 by remote write 1.0', ...DEBIANS, config: {} },
  { name: 'Prometheus 3 by remote write 1.0', ...NEWEST, config: {} },
  { name: 'Prometheus 3 by remote write 2.0', ...NEWEST, config: V2 },
]) {
  test(`${name}: points of every kind come back as they were`, { skip }, async (t) => {
    const store = await prometheusStore(t, program)
    const { write } = await writer(t, store, { send_metadata: true, ...config })
    assert.equal((await write(all(-1.5e-9, 1e21))).refused, undefined)
    const samples = await storedSamples(store, '{job="press"}', NOW)
    assert.deepEqual(samples, stored('-1.5e-09', '1e+21'))
    const found = await askProm(store, 'query_exemplars', {
      query: '{job="press"}',
      start: at(0).slice(0, 10),
      end: String(NOW),
    })
    const shown = found
      .flatMap(({ seriesLabels, exemplars }: Exemplars) =>
        exemplars.map(({ labels, value, timestamp }) => [
          seriesLabels.__name__,
          seriesLabels.le,
          labels,
          value,
          timestamp,
        ]),
      )
      .sort()
    const labels = { span_id: 'cd'.repeat(8), trace_id: TRACE }
    assert.deepEqual(shown, [
      ['cycle_seconds_bucket', '1', labels, '0.3', ours(2)],
      ['parts_total', undefined, labels, '0.3', ours(2)],
    ])
  })

  test(`${name}: an exponential histogram is a native one`, { skip }, async (t) => {
    const store = await prometheusStore(t, program)
    const { write } = await writer(t, store, config)
    const point = {
      timeUnixNano: at(2),
      count: '9',
      sum: 12.5,
      scale: 0,
      zeroCount: '1',
      positive: { offset: 0, bucketCounts: ['2', '0', '3'] },
      negative: { offset: 1, bucketCounts: ['3'] },
    }
    const native = { name: 'native', exponentialHistogram: { aggregationTemporality: 2, dataPoints: [point] } }
    assert.equal((await write(request([native]))).refused, undefined)
    const { result } = await askProm(store, 'query', { query: 'native', time: String(ours(2)) })
    const [, histogram] = result[0].histogram
    // Bounds: of a bucket below zero both are open at the far end.
    assert.deepEqual([histogram.count, histogram.sum], ['9', '12.5'])
    assert.deepEqual(
      histogram.buckets.map(([, from, to, count]: [number, string, string, string]) => [
        Number(from),
        Number(to),
        count,
      ]),
      [
        [-4, -2, '3'],
        [-1e-128, 1e-128, '1'],
        [1, 2, '2'],
        [4, 8, '3'],
      ],
    )
  })

  test(`${name}: samples that are too late are refused: they alone are set aside, and told once`, {
    skip,
  }, async (t) => {
    const store = await prometheusStore(t, program)
    const { write, metric, logs } = await writer(t, store, config)
    await write(request([gauge('late', [10, 10])]))
    const mixed = [gauge('early', [2, 2]), gauge('late', [2, 2]), gauge('other', [2, 3])]
    for (let i = 0; i < 2; i++) assert.equal((await write(request(mixed))).delivered, true)
    assert.deepEqual(await storedSamples(store, '{__name__=~"early|late|other"}', NOW), [
      `early{instance=a1,job=press}: 2@${ours(2)}`,
      `late{instance=a1,job=press}: 10@${ours(10)}`,
      `other{instance=a1,job=press}: 3@${ours(2)}`,
    ])
    const told = logs.filter(({ message }) => message.includes('does not take samples'))
    assert.equal(told.length, 1)
    assert.match(String(told[0]!.fields.error), /out of order/)
    // The sample, and target_info that came with it again.
    assert.ok(metric('exporter_rejected_metric_points')! >= 2)
  })

  test(`${name}: what ends is stale at once`, { skip }, async (t) => {
    const store = await prometheusStore(t, program)
    const { write } = await writer(t, store, config)
    await write(request([gauge('brief', [1, 1])]))
    await write(request([{ name: 'brief', gauge: { dataPoints: [{ timeUnixNano: at(2), flags: 1 }] } }]))
    const value = async (seconds: number): Promise<unknown[]> =>
      (await askProm(store, 'query', { query: 'brief', time: String(ours(seconds)) })).result
    assert.equal((await value(1)).length, 1)
    assert.deepEqual(await value(2), [])
  })
}

test('points come back from VictoriaMetrics as they were', { skip: NO_VICTORIA }, async (t) => {
  const store = await victoriaMetrics(t)
  const { write } = await writer(t, store)
  // It keeps fifteen digits between the largest and the smallest of a series.
  assert.equal((await write(all(-0.5, 1e5))).refused, undefined)
  await showAtOnce(store)
  let samples: string[] = []
  await until(async () => {
    samples = await storedSamples(store, '{job="press"}', NOW)
    return samples.length >= 11
  })
  assert.deepEqual(samples, stored('-0.5', '100000'))
})
