import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../test/support/fake-clock.ts'
import { exporterMetrics, observeQueue } from './exporter-metrics.ts'
import { type ExpositionOptions, toExposition } from './exposition.ts'
import { MeterRegistry, type MetricsLevel } from './meter-registry.ts'
import { observeHeap, observeProcess } from './process-metrics.ts'
import { processorMetrics } from './processor-metrics.ts'
import { receiverMetrics } from './receiver-metrics.ts'
import { mergeSnapshots, ShardTotals, type Snapshot } from './snapshot.ts'

const RESOURCE = { 'service.name': 'millrace', 'service.instance.id': 'i-1', 'service.version': '0.1.0' }

async function lines(snapshot: Snapshot, options: Partial<ExpositionOptions> = {}): Promise<string[]> {
  const text = await toExposition(snapshot, { resource: RESOURCE, version: '0.1.0', ...options })
  return text.split('\n').filter((line) => line !== '')
}

async function series(registry: MeterRegistry, options: Partial<ExpositionOptions> = {}): Promise<string[]> {
  return (await lines(registry.snapshot(), options)).filter((line) => line.startsWith('otelcol_'))
}

test('a receiver counts under the names and labels that plants have on their dashboards', async () => {
  const registry = new MeterRegistry('normal')
  const metrics = receiverMetrics(registry.component('receiver', 'otlp'), 'traces', 'grpc')
  metrics.accepted.add(7)
  assert.deepEqual(await lines(registry.snapshot()), [
    '# HELP otelcol_receiver_accepted_spans Number of spans that the pipeline accepted. [Alpha]',
    '# TYPE otelcol_receiver_accepted_spans counter',
    'otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"} 7',
    '# HELP otelcol_receiver_refused_spans Number of spans that the pipeline refused. [Alpha]',
    '# TYPE otelcol_receiver_refused_spans counter',
    'otelcol_receiver_refused_spans{receiver="otlp",transport="grpc"} 0',
    '# HELP otelcol_receiver_failed_spans Number of spans that the receiver could not handle because of an error of its own. [Alpha]',
    '# TYPE otelcol_receiver_failed_spans counter',
    'otelcol_receiver_failed_spans{receiver="otlp",transport="grpc"} 0',
    '# HELP promhttp_metric_handler_errors_total Scrapes of this page that failed, by what failed.',
    '# TYPE promhttp_metric_handler_errors_total counter',
    'promhttp_metric_handler_errors_total{cause="encoding"} 0',
    'promhttp_metric_handler_errors_total{cause="gathering"} 0',
    '# HELP target_info Target metadata',
    '# TYPE target_info gauge',
    'target_info{service_instance_id="i-1",service_name="millrace",service_version="0.1.0"} 1',
  ])
})

test("processors, exporters and queues count under the Collector's names for each signal", async () => {
  const registry = new MeterRegistry('normal')
  processorMetrics(registry.component('processor', 'attributes/2'), 'logs').incoming.add(3)
  const exporter = registry.component('exporter', 'otlp')
  const metrics = exporterMetrics(exporter, 'metrics', { 'server.address': 'db', 'server.port': '4317' })
  metrics.sent.add(5)
  observeQueue(exporter, 'metrics', 'requests', { size: () => 2, capacity: () => 1000, inFlight: () => 1 })
  assert.deepEqual(
    (await series(registry)).sort(),
    [
      'otelcol_processor_incoming_items{otel_signal="logs",processor="attributes/2"} 3',
      'otelcol_processor_outgoing_items{otel_signal="logs",processor="attributes/2"} 0',
      'otelcol_exporter_sent_metric_points{exporter="otlp",server_address="db",server_port="4317"} 5',
      'otelcol_exporter_enqueue_failed_metric_points{exporter="otlp"} 0',
      'otelcol_exporter_queue_size{data_type="metrics",exporter="otlp"} 2',
      'otelcol_exporter_queue_capacity{data_type="metrics",exporter="otlp"} 1000',
      'otelcol_exporter_in_flight_requests{data_type="metrics",exporter="otlp"} 1',
    ].sort(),
  )
})

test('failed sends appear with the first failure, and tell their reason at level detailed alone', async () => {
  const failing = async (level: MetricsLevel, items: number): Promise<string[]> => {
    const registry = new MeterRegistry(level)
    const metrics = exporterMetrics(registry.component('exporter', 'otlp'), 'traces')
    if (items > 0) {
      metrics.failed(items, 'Unavailable', false)
      metrics.failed(items, 'Shutdown', true)
    }
    return (await series(registry)).filter((line) => line.includes('send_failed'))
  }
  assert.deepEqual(await failing('normal', 0), [])
  assert.deepEqual(await failing('normal', 4), ['otelcol_exporter_send_failed_spans{exporter="otlp"} 8'])
  assert.deepEqual(await failing('detailed', 4), [
    'otelcol_exporter_send_failed_spans{error_permanent="false",error_type="Unavailable",exporter="otlp"} 4',
    'otelcol_exporter_send_failed_spans{error_permanent="true",error_type="Shutdown",exporter="otlp"} 4',
  ])
})

test('a level hides the instruments of the levels above it, and none hides all', () => {
  const names = (level: MetricsLevel): string[] => {
    const registry = new MeterRegistry(level)
    const meter = registry.meter()
    for (const from of ['basic', 'normal', 'detailed'] as const) {
      meter.counter(`counter_${from}`, '1', 'Words.', { level: from }).add(1)
      meter.gauge(`gauge_${from}`, '1', 'Words.', { level: from }).set(1)
      meter.observe(`observed_${from}`, '1', 'Words.', () => 1, { level: from })
      meter.histogram(`histogram_${from}`, '1', 'Words.', [1], { level: from }).record(1)
    }
    return registry.snapshot().metrics.map((metric) => metric.name)
  }
  assert.deepEqual(names('none'), [])
  assert.deepEqual(names('basic'), ['counter_basic', 'gauge_basic', 'observed_basic', 'histogram_basic'])
  assert.equal(names('normal').length, 8)
  assert.equal(names('detailed').length, 12)
})

test('a histogram shows cumulative buckets with their upper bounds included', async () => {
  const registry = new MeterRegistry('normal')
  const histogram = registry
    .component('processor', 'batch')
    .histogram('processor_batch_batch_send_size', '{unit}', 'Items per batch.', [10, 25])
  for (const value of [1, 10, 11, 4000]) histogram.record(value)
  assert.deepEqual(await series(registry), [
    'otelcol_processor_batch_batch_send_size_bucket{processor="batch",le="10"} 2',
    'otelcol_processor_batch_batch_send_size_bucket{processor="batch",le="25"} 3',
    'otelcol_processor_batch_batch_send_size_bucket{processor="batch",le="+Inf"} 4',
    'otelcol_processor_batch_batch_send_size_sum{processor="batch"} 4022',
    'otelcol_processor_batch_batch_send_size_count{processor="batch"} 4',
  ])
})

test('label values and help are escaped, label names get the letters that Prometheus knows', async () => {
  const registry = new MeterRegistry('normal')
  registry
    .meter({ 'a.b-c': 'quote " backslash \\ line\nend', '1st': 'ä' })
    .counter('odd.name', '1', 'Two\nlines \\ here.')
    .add(1)
  assert.deepEqual((await lines(registry.snapshot())).slice(0, 3), [
    '# HELP otelcol_odd_name Two\\nlines \\\\ here. [Alpha]',
    '# TYPE otelcol_odd_name counter',
    'otelcol_odd_name{key_1st="ä",a_b_c="quote \\" backslash \\\\ line\\nend"} 1',
  ])
})

test('a reader may ask for suffixes, scope labels and resource labels', async () => {
  const registry = new MeterRegistry('normal')
  const meter = registry.meter()
  meter.observe('process_cpu_seconds', 's', 'Words.', () => 1.5, { monotonic: true })
  meter.counter('exporter_sent_spans', '{span}', 'Words.').add(1)
  meter.gauge('process_memory_rss', 'By', 'Words.').set(9)
  const withAll = { withoutUnits: false, withoutTypeSuffix: false }
  assert.deepEqual(await series(registry, withAll), [
    'otelcol_process_cpu_seconds_total 1.5',
    'otelcol_exporter_sent_spans_total 1',
    'otelcol_process_memory_rss_bytes 9',
  ])
  const labels = await series(registry, { withoutScopeInfo: false, constantLabels: { 'service.name': 'mill' } })
  assert.equal(
    labels[1],
    'otelcol_exporter_sent_spans{service_name="mill",otel_scope_name="millrace",otel_scope_schema_url="",otel_scope_version="0.1.0"} 1',
  )
})

test('snapshots of shards add up by name and labels, gauges too unless they are marked', () => {
  const shard = (value: number): Snapshot => {
    const registry = new MeterRegistry('normal')
    const meter = registry.component('receiver', 'otlp')
    meter.counter('c', '1', 'Words.').add(value)
    meter.gauge('g', '1', 'Words.').set(value)
    meter.gauge('m', '1', 'Words.', { merge: 'max' }).set(-value)
    meter.gauge('n', '1', 'Words.', { merge: 'min' }).set(value)
    meter.histogram('h', '1', 'Words.', [5]).record(value)
    if (value > 5) meter.counter('c', '1', 'Words.', { labels: { only: 'here' } }).add(1)
    return structuredClone(registry.snapshot())
  }
  const merged = mergeSnapshots([shard(3), shard(8)])
  assert.deepEqual(
    merged.metrics.map(({ name, series }) => [name, series]),
    [
      [
        'c',
        [
          { labels: { receiver: 'otlp', only: 'here' }, value: 1 },
          { labels: { receiver: 'otlp' }, value: 11 },
        ],
      ],
      ['g', [{ labels: { receiver: 'otlp' }, value: 11 }]],
      ['h', [{ labels: { receiver: 'otlp' }, value: 11, counts: [1, 1] }]],
      ['m', [{ labels: { receiver: 'otlp' }, value: -3 }]],
      ['n', [{ labels: { receiver: 'otlp' }, value: 3 }]],
    ],
  )
})

test('counters do not fall when a shard dies and starts again', () => {
  const counted = (value: number, gauge: number): Snapshot => {
    const registry = new MeterRegistry('normal')
    registry.meter().counter('c', '1', 'Words.').add(value)
    registry.meter().gauge('g', '1', 'Words.').set(gauge)
    return registry.snapshot()
  }
  const totals = new ShardTotals()
  const values = (): (number | undefined)[] =>
    mergeSnapshots(totals.snapshots()).metrics.map((metric) => metric.series[0]?.value)
  totals.update(0, counted(10, 4))
  totals.update(1, counted(5, 1))
  const last = counted(12, 4)
  totals.died(0, last)
  totals.died(0)
  totals.update(0, last) // a supervisor that has heard nothing newer
  assert.deepEqual(values(), [17, 1])
  totals.update(0, counted(2, 3))
  assert.deepEqual(values(), [19, 4])
  totals.died(0)
  assert.deepEqual(values(), [19, 1])
})

test('the same name and labels are one counter, and two components that set one gauge add up', () => {
  const registry = new MeterRegistry('normal')
  const meter = registry.component('processor', 'batch')
  assert.equal(meter.counter('c', '1', 'Words.'), meter.counter('c', '1', 'Words.'))
  meter.gauge('g', '1', 'Words.').set(2)
  meter.gauge('g', '1', 'Words.').set(3)
  meter.observe('g', '1', 'Words.', () => 4)
  meter.observe('g', '1', 'Words.', () => {
    throw new Error('cannot tell')
  })
  assert.deepEqual(
    registry.snapshot().metrics.map((metric) => metric.series[0]?.value),
    [0, 9],
  )
  assert.throws(() => meter.gauge('c', '1', 'Words.'), /invariant: metric c is declared as counter/)
})

test('the process shows its time and memory, every thread its heap', () => {
  const registry = new MeterRegistry('normal')
  const clock = new FakeClock()
  observeProcess(registry.meter(), clock)
  observeHeap(registry.meter())
  clock.advance(90_000)
  const { metrics } = registry.snapshot()
  const value = (name: string): number => metrics.find((metric) => metric.name === name)?.series[0]?.value ?? Number.NaN
  assert.equal(value('process_uptime'), 90)
  assert.ok(value('process_cpu_seconds') > 0)
  assert.ok(value('process_memory_rss') > 1e7)
  assert.ok(value('process_runtime_total_sys_memory_bytes') >= value('process_runtime_heap_alloc_bytes'))
  assert.ok(value('process_runtime_total_alloc_bytes') > 1e6)
  assert.deepEqual(
    metrics.filter((metric) => metric.type === 'counter').map((metric) => metric.name),
    ['process_uptime', 'process_cpu_seconds', 'process_runtime_total_alloc_bytes'],
  )
})

test('a meter that is retired shows no gauges any more and counts on; one that is released leaves what others count', () => {
  const registry = new MeterRegistry('normal')
  const values = (): Record<string, number> =>
    Object.fromEntries(registry.snapshot().metrics.map(({ name, series }) => [name, series[0]!.value]))
  const make = () => {
    const meter = registry.component('exporter', 'otlp')
    const counter = meter.counter('sent', '{x}', 'Sent.')
    meter.observe('capacity', '{x}', 'Capacity.', () => 5)
    meter.gauge('level', '{x}', 'Level.').set(3)
    return { meter, counter }
  }
  const old = make()
  old.counter.add(1)
  const next = make()
  assert.deepEqual(values(), { sent: 1, capacity: 10, level: 6 })
  old.meter.retire()
  old.counter.add(1)
  next.counter.add(1)
  assert.deepEqual(values(), { sent: 3, capacity: 5, level: 3 })
  old.meter.release()
  assert.deepEqual(values(), { sent: 3, capacity: 5, level: 3 })
  next.meter.release()
  assert.deepEqual(values(), {})
})
