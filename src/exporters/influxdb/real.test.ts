// Known telemetry in, asked back from real servers, value by value.
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { exporterHarness, type Fate } from '../../../test/support/harness.ts'
import {
  INFLUXDB_1,
  influxdb1,
  influxQl,
  type Store,
  showAtOnce,
  VICTORIA_METRICS,
  victoriaMetrics,
} from '../../../test/support/influxdb.ts'
import { packageMissing } from '../../../test/support/server-process.ts'
import { until } from '../../../test/support/until.ts'
import type { Signal } from '../../otlp/signal.ts'
import { factory } from './factory.ts'

const NO_INFLUXDB = packageMissing(...INFLUXDB_1)
const NO_VICTORIA = packageMissing(...VICTORIA_METRICS)
const DIRECT = { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }
const DB = 'plant'

// A time of today: stores sort by shards of a week.
const NOW = BigInt(Math.floor(Date.now() / 1000)) * 1_000_000_000n
const at = (nanos: number): string => String(NOW + BigInt(nanos))

async function writer(t: TestContext, store: Store, config: object = {}) {
  const { push, metric, logs } = await exporterHarness(t, factory, {
    endpoint: store.url,
    v1_compatibility: { enabled: true, db: DB, create_database: true },
    ...DIRECT,
    ...config,
  })
  return {
    metric,
    logs,
    async write(signal: Signal, request: object): Promise<Fate> {
      const fate = push(signal, request)
      await until(() => fate.delivered || fate.refused !== undefined)
      return fate
    },
  }
}

const text = (key: string, stringValue: string): object => ({ key, value: { stringValue } })
const gauge = (name: string, point: object, unit = ''): object => ({ name, unit, gauge: { dataPoints: [point] } })
const ofDevice = (device: string, metrics: object[]): object => ({
  resourceMetrics: [{ resource: { attributes: [text('device.id', device)] }, scopeMetrics: [{ metrics }] }],
})

test('a plant’s readings come back from InfluxDB 1 as the measurements of the plant', {
  skip: NO_INFLUXDB,
}, async (t) => {
  const store = await influxdb1(t)
  const { write } = await writer(t, store, { schema: 'plant' })
  const odd = 'CNC 1, "left" = \\ ü'
  const fate = await write('metrics', {
    resourceMetrics: [
      ...(
        ofDevice(odd, [
          gauge('temperature', { timeUnixNano: at(1), asDouble: 71.25 }, 'Cel'),
          gauge('parts', { timeUnixNano: at(2), asInt: '7' }, '{piece}'),
          gauge('tiny', { timeUnixNano: at(3), asDouble: -1.5e-12 }),
        ]) as { resourceMetrics: object[] }
      ).resourceMetrics,
      ...(
        ofDevice('EM1', [
          gauge('power_kw', { timeUnixNano: at(4), asDouble: 3.5 }),
          gauge('energy_kwh', { timeUnixNano: at(4), asInt: '18' }),
          gauge('cost', { timeUnixNano: at(4), asDouble: 4.5 }),
        ]) as { resourceMetrics: object[] }
      ).resourceMetrics,
    ],
  })
  assert.equal(fate.delivered, true)
  const readings = 'SELECT time, value, device_id, metric_name, unit FROM device_metrics ORDER BY time'
  assert.deepEqual(await influxQl(store, DB, readings), [
    ['time', 'value', 'device_id', 'metric_name', 'unit'],
    [at(1), 71.25, odd, 'temperature', 'Cel'],
    [at(2), 7, odd, 'parts', '{piece}'],
    [at(3), -1.5e-12, odd, 'tiny', null],
  ])
  // As the energy service of a plant asks for it.
  const energy = `SELECT SUM(energy_kwh), MAX(power_kw), MEAN(power_kw), SUM(cost) FROM energy_consumption WHERE device_id = 'EM1'`
  assert.deepEqual((await influxQl(store, DB, energy))[1]!.slice(1), [18, 3.5, 3.5, 4.5])
})

test('metrics, spans and logs come back from InfluxDB 1 as the Collector writes them', {
  skip: NO_INFLUXDB,
}, async (t) => {
  const store = await influxdb1(t)
  const { write } = await writer(t, store)
  await write('metrics', {
    resourceMetrics: [
      {
        resource: { attributes: [text('host', 'h1')] },
        scopeMetrics: [
          {
            metrics: [
              {
                name: 'parts',
                sum: {
                  aggregationTemporality: 2,
                  isMonotonic: true,
                  dataPoints: [{ timeUnixNano: at(1), asInt: '9007199254740995' }],
                },
              },
              {
                name: 'cycle',
                histogram: {
                  aggregationTemporality: 2,
                  dataPoints: [
                    { timeUnixNano: at(2), count: '6', sum: 1.5, bucketCounts: ['1', '5'], explicitBounds: [0.5] },
                  ],
                },
              },
            ],
          },
        ],
      },
    ],
  })
  const parts = await influxQl(store, DB, 'SELECT counter, host FROM parts')
  assert.deepEqual(parts[1], [at(1), '9007199254740995', 'h1'])
  const cycle = await influxQl(store, DB, 'SELECT count, "sum", "0.5", "+Inf" FROM cycle')
  assert.deepEqual(cycle[1], [at(2), 6, 1.5, 1, 6])
  const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }
  await write('traces', {
    resourceSpans: [
      {
        resource: { attributes: [text('service.name', 'mes')] },
        scopeSpans: [
          {
            spans: [
              {
                ...ids,
                name: 'say "hi" \\',
                startTimeUnixNano: at(10),
                endTimeUnixNano: at(2_000_010),
                attributes: [text('note', 'two\nlines, "quoted" \\')],
              },
            ],
          },
        ],
      },
    ],
  })
  const spans = await influxQl(
    store,
    DB,
    'SELECT "span.name", duration_nano, attributes, "service.name", trace_id FROM spans',
  )
  const [time, name, duration, attributes, service, trace] = spans[1]!
  assert.deepEqual([time, name, duration, service, trace], [at(10), 'say "hi" \\', 2_000_000, 'mes', ids.traceId])
  assert.deepEqual(JSON.parse(String(attributes)), { note: 'two\nlines, "quoted" \\' })
  const record = { timeUnixNano: at(20), severityNumber: 17, severityText: 'ERROR', body: { stringValue: 'jam' } }
  await write('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [record] }] }] })
  const logs = await influxQl(store, DB, 'SELECT body, severity_number, severity_text FROM logs')
  assert.deepEqual(logs[1], [at(20), 'jam', 17, 'ERROR'])
})

test('the database is made with the policy that was asked for, and one that is there is left as it is', {
  skip: NO_INFLUXDB,
}, async (t) => {
  const store = await influxdb1(t)
  const v1 = { enabled: true, db: DB, create_database: true, retention_policy: 'month' }
  const request = ofDevice('d', [gauge('level', { timeUnixNano: at(1), asDouble: 1.5 })])
  const first = await writer(t, store, { v1_compatibility: { ...v1, retention_duration: '30d' } })
  assert.equal((await first.write('metrics', request)).delivered, true)
  const policies = await influxQl(store, DB, 'SHOW RETENTION POLICIES')
  assert.deepEqual(policies[1]!.slice(0, 2), ['month', '720h0m0s'])
  const second = await writer(t, store, { v1_compatibility: { ...v1, retention_duration: '60d' } })
  assert.equal((await second.write('metrics', request)).delivered, true)
  assert.match(JSON.stringify(second.logs), /not as it should be.*retention policy/)
})

test('a field that changes its type is set aside, and the rest of the batch is stored', {
  skip: NO_INFLUXDB,
}, async (t) => {
  const store = await influxdb1(t)
  const { write, metric } = await writer(t, store)
  await write('metrics', ofDevice('d', [gauge('level', { timeUnixNano: at(1), asDouble: 1.5 })]))
  const mixed = [
    gauge('other', { timeUnixNano: at(2), asDouble: 2.5 }),
    gauge('level', { timeUnixNano: at(2), asInt: '2' }),
    gauge('third', { timeUnixNano: at(2), asDouble: 3.5 }),
  ]
  assert.equal((await write('metrics', ofDevice('d', mixed))).delivered, true)
  assert.equal(metric('exporter_rejected_metric_points'), 1)
  for (const [name, value] of [
    ['other', 2.5],
    ['third', 3.5],
  ] as const)
    assert.deepEqual((await influxQl(store, DB, `SELECT gauge FROM ${name}`))[1], [at(2), value])
})

test('wrong credentials are refused for good, with the server’s words', { skip: NO_INFLUXDB }, async (t) => {
  const store = await influxdb1(t, true)
  const admin = new URLSearchParams({ q: `CREATE USER root WITH PASSWORD 'right' WITH ALL PRIVILEGES` })
  assert.equal((await fetch(`${store.url}/query`, { method: 'POST', body: admin })).status, 200)
  const v1 = { enabled: true, db: DB, username: 'root', create_database: true }
  const request = ofDevice('d', [gauge('level', { timeUnixNano: at(1), asDouble: 1.5 })])
  const wrong = await writer(t, store, { v1_compatibility: { ...v1, password: 'wrong' } })
  const { refused } = await wrong.write('metrics', request)
  assert.equal(refused?.retry, 'never')
  assert.match(refused!.message, /authorization failed/)
  const right = await writer(t, store, { v1_compatibility: { ...v1, password: 'right' } })
  assert.equal((await right.write('metrics', request)).delivered, true)
})

test('what speaks InfluxDB 2 stores the same readings', { skip: NO_VICTORIA }, async (t) => {
  const store = await victoriaMetrics(t)
  const { write } = await writer(t, store, {
    v1_compatibility: { enabled: false },
    bucket: 'plant',
    schema: 'plant',
    precision: 'ms',
    compression: 'gzip',
  })
  await write('metrics', ofDevice('CNC 1', [gauge('temperature', { timeUnixNano: at(0), asDouble: 71.25 }, 'Cel')]))
  await showAtOnce(store)
  const query = new URLSearchParams({ query: 'device_metrics_value', time: String(NOW / 1_000_000_000n) })
  let result: { metric: object; value: [number, string] }[] = []
  await until(async () => {
    const answer = (await (await fetch(`${store.url}/api/v1/query?${query}`)).json()) as {
      data: { result: typeof result }
    }
    result = answer.data.result
    return result.length > 0
  })
  const labels = { __name__: 'device_metrics_value', device_id: 'CNC 1', metric_name: 'temperature', unit: 'Cel' }
  assert.deepEqual(result, [{ metric: labels, value: [Number(NOW / 1_000_000_000n), '71.25'] }])
})
