import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../test/support/fake-clock.ts'
import { batchOf } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import type { Signal } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { LineEncoder } from './encoder.ts'

const T = '1700000000123456789'
const START = '1700000000000000000'

function linesOf(signal: Signal, request: object, own: object = {}): { lines: string[]; dropped: object } {
  const encoder = new LineEncoder(parseConfig(config, { endpoint: 'http://localhost:8086', ...own }), new FakeClock())
  const { payloads, dropped } = encoder.encode(batchOf(signal, request))
  const lines = payloads.flatMap(({ bytes, ends }) =>
    [...ends].map((end, i) => Buffer.from(bytes.subarray(i === 0 ? 0 : ends[i - 1]!, end - 1)).toString()),
  )
  return { lines, dropped: Object.fromEntries(dropped) }
}

const attribute = ([key, value]: [string, unknown]): object => ({
  key,
  value:
    typeof value === 'string'
      ? { stringValue: value }
      : typeof value === 'boolean'
        ? { boolValue: value }
        : Number.isInteger(value)
          ? { intValue: String(value) }
          : { doubleValue: value },
})
const attributes = (of: object): object[] => Object.entries(of).map(attribute)

const metricsOf = (resource: object, metrics: object[], scope: object = {}): object => ({
  resourceMetrics: [{ resource: { attributes: attributes(resource) }, scopeMetrics: [{ scope, metrics }] }],
})
const gauge = (name: string, point: object, unit = ''): object => ({
  name,
  unit,
  gauge: { dataPoints: [{ timeUnixNano: T, ...point }] },
})
const PLANT = { schema: 'plant', precision: 'ms' }

test('plant: a reading is device_metrics with device, metric and unit as tags, and a float whatever it was', () => {
  const { lines } = linesOf(
    'metrics',
    metricsOf({ 'device.id': 'CNC 01', 'manufacturing.line': 'L1' }, [
      gauge('spindle.temperature', { asDouble: 71.5 }, 'Cel'),
      gauge('parts', { asInt: '42', attributes: attributes({ 'data.quality': 'good' }) }),
    ]),
    PLANT,
  )
  assert.deepEqual(lines, [
    'device_metrics,device_id=CNC\\ 01,metric_name=spindle.temperature,unit=Cel value=71.5 1700000000123',
    'device_metrics,device_id=CNC\\ 01,metric_name=parts value=42 1700000000123',
  ])
})

test('plant: what an energy meter says at one time is one line of energy_consumption', () => {
  const { lines } = linesOf(
    'metrics',
    metricsOf({ 'device.id': 'EM1' }, [
      gauge('power_kw', { asDouble: 3.25 }),
      gauge('energy_kwh', { asInt: '18' }),
      gauge('cost', { asDouble: 4.5 }),
      gauge('power_kw', { asDouble: 3.5, timeUnixNano: '1700000001123456789' }),
      gauge('temperature', { asDouble: 21.5 }),
    ]),
    PLANT,
  )
  assert.deepEqual(lines, [
    'energy_consumption,device_id=EM1 power_kw=3.25,energy_kwh=18,cost=4.5 1700000000123',
    'energy_consumption,device_id=EM1 power_kw=3.5 1700000001123',
    'device_metrics,device_id=EM1,metric_name=temperature value=21.5 1700000000123',
  ])
})

test('plant: rules of the file give measurement, tags and field; the first that fits counts', () => {
  const { lines, dropped } = linesOf(
    'metrics',
    metricsOf(
      { 'device.id': 'R7', line: 'A' },
      [
        gauge('axis.load', { asDouble: 0.5, attributes: attributes({ axis: 3 }) }, '1'),
        gauge('other', { asDouble: 1 }),
        {
          name: 'axis.cycle',
          histogram: {
            aggregationTemporality: 2,
            dataPoints: [
              { timeUnixNano: T, count: '4', sum: 10, bucketCounts: ['1', '3'], explicitBounds: [2], min: 1, max: 5 },
            ],
          },
        },
      ],
      { name: 'robots' },
    ),
    {
      schema: 'plant',
      plant_rules: [
        {
          metrics: ['axis.*'],
          measurement: '%{scope.name}_%{resource.attributes.line}',
          tags: {
            unit: '%{metric.unit}',
            device: '%{resource.attributes.device.id:-none}',
            a: '%{attributes.axis:-all}',
          },
          field: '%{metric.name}',
        },
      ],
    },
  )
  assert.deepEqual(lines, [
    `robots_A,a=3,device=R7,unit=1 axis.load=0.5 ${T}`,
    `robots_A,a=all,device=R7 axis.cycle_count=4,axis.cycle_sum=10,axis.cycle_min=1,axis.cycle_max=5 ${T}`,
  ])
  assert.deepEqual(dropped, { no_rule: 1 })
})

test('plant: with other_attributes: tags, points that differ in an attribute stay apart', () => {
  const { lines } = linesOf(
    'metrics',
    metricsOf({}, [gauge('t', { asDouble: 1, attributes: attributes({ b: 'x,y', a: 1.5 }) })]),
    { schema: 'plant', plant_rules: [{ measurement: 'm', other_attributes: 'tags' }] },
  )
  assert.deepEqual(lines, [`m,a=1.5,b=x\\,y value=1 ${T}`])
})

const ALL_KINDS = metricsOf(
  { 'service.name': 'shop', host: 'h1' },
  [
    gauge('temp', { asDouble: 87.5, startTimeUnixNano: START, attributes: attributes({ host: 'own', foo: 'bar' }) }),
    {
      name: 'requests',
      unit: '1',
      sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [{ timeUnixNano: T, asInt: '1027' }] },
    },
    {
      name: 'stock',
      unit: '1',
      sum: { aggregationTemporality: 1, isMonotonic: true, dataPoints: [{ timeUnixNano: T, asDouble: -1.5 }] },
    },
    {
      name: 'latency',
      unit: 's',
      histogram: {
        aggregationTemporality: 2,
        dataPoints: [
          { timeUnixNano: T, count: '6', sum: 1.5, bucketCounts: ['1', '2', '3'], explicitBounds: [0.05, 1e-7] },
        ],
      },
    },
    {
      name: 'rpc',
      summary: {
        dataPoints: [{ timeUnixNano: T, count: '2', sum: 3, quantileValues: [{ quantile: 0.99, value: 2.5 }] }],
      },
    },
    {
      name: 'wide',
      exponentialHistogram: { aggregationTemporality: 2, dataPoints: [{ timeUnixNano: T, count: '1', scale: 0 }] },
    },
  ],
  { name: 'lib', version: '2', attributes: attributes({ team: 'a b' }) },
)
const TAGS = ',host=h1,otel.library.name=lib,otel.library.version=2'

test('telegraf-prometheus-v1: the metric is the measurement, and of a tag that several have the innermost counts', () => {
  const { lines, dropped } = linesOf('metrics', ALL_KINDS)
  const tags = `${TAGS},service.name=shop,team=a\\ b`
  assert.deepEqual(lines, [
    `temp,foo=bar${tags.replace('h1', 'own')} gauge=87.5,start_time_unix_nano=${START}i ${T}`,
    `requests${tags} counter=1027i ${T}`,
    `stock${tags} gauge=-1.5 ${T}`,
    `latency${tags} count=6,sum=1.5,0.05=1,0.0000001=3,+Inf=6 ${T}`,
    `rpc${tags} count=2,sum=3,0.99=2.5 ${T}`,
  ])
  assert.deepEqual(dropped, { unsupported_type: 1 })
})

test('telegraf-prometheus-v2: the metric is the field, bounds and quantiles are tags in their place', () => {
  const { lines } = linesOf('metrics', ALL_KINDS, { metrics_schema: 'telegraf-prometheus-v2' })
  const rest = ',service.name=shop,team=a\\ b'
  assert.deepEqual(lines, [
    `prometheus,foo=bar${TAGS.replace('h1', 'own')}${rest} temp=87.5,start_time_unix_nano=${START}i ${T}`,
    `prometheus${TAGS}${rest} requests=1027i ${T}`,
    `prometheus${TAGS}${rest} stock=-1.5 ${T}`,
    `prometheus${TAGS}${rest} latency_count=6,latency_sum=1.5 ${T}`,
    `prometheus,host=h1,le=0.05,otel.library.name=lib,otel.library.version=2${rest} latency_bucket=1 ${T}`,
    `prometheus,host=h1,le=0.0000001,otel.library.name=lib,otel.library.version=2${rest} latency_bucket=3 ${T}`,
    `prometheus,host=h1,le=+Inf,otel.library.name=lib,otel.library.version=2${rest} latency_bucket=6 ${T}`,
    `prometheus${TAGS}${rest} rpc_count=2,rpc_sum=3 ${T}`,
    `prometheus${TAGS},quantile=0.99${rest} rpc=2.5 ${T}`,
  ])
})

test('otel-v1: temporality, monotony and type are in the name of the field', () => {
  const { lines, dropped } = linesOf('metrics', ALL_KINDS, { metrics_schema: 'otel-v1' })
  const tags = `${TAGS},service.name=shop,team=a\\ b`
  assert.deepEqual(lines, [
    `requests_1_sum${tags} value_cumulative_monotonic_int=1027i ${T}`,
    `stock_1_sum${tags} value_delta_monotonic_double=-1.5 ${T}`,
    `latency_s_histogram${tags} count=6u,sum=1.5,cumulative_0.05=1u,cumulative_0.0000001=2u ${T}`,
  ])
  assert.deepEqual(dropped, { unsupported_type: 3 })
})

test('exemplars of a trace are lines of their own, with its ids and their attributes', () => {
  const ids = { traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8) }
  const { lines } = linesOf(
    'metrics',
    metricsOf({}, [
      gauge('t', {
        asDouble: 1,
        exemplars: [
          { timeUnixNano: START, asDouble: 0.5, ...ids },
          { timeUnixNano: START, asInt: '7', filteredAttributes: attributes({ tool: 't 4' }), ...ids },
          { timeUnixNano: START, asDouble: 2 },
        ],
      }),
    ]),
  )
  assert.deepEqual(lines, [
    `t gauge=1 ${T}`,
    `t_exemplar,span_id=${ids.spanId},trace_id=${ids.traceId} gauge=0.5 ${START}`,
    `t_exemplar,span_id=${ids.spanId},tool=t\\ 4,trace_id=${ids.traceId} gauge=7i ${START}`,
  ])
})

test('telegraf-prometheus-v2: the bound of a bucket stands in place of an attribute `le`', () => {
  const histogram = {
    aggregationTemporality: 2,
    dataPoints: [
      {
        timeUnixNano: T,
        startTimeUnixNano: START,
        attributes: attributes({ le: 'own', m: 'x' }),
        count: '3',
        bucketCounts: ['1', '2'],
        explicitBounds: [5],
      },
    ],
  }
  const request = metricsOf({ a: 'y' }, [{ name: 'h', histogram }])
  const { lines } = linesOf('metrics', request, { metrics_schema: 'telegraf-prometheus-v2' })
  assert.deepEqual(lines, [
    `prometheus,a=y,le=own,m=x h_count=3,start_time_unix_nano=${START}i ${T}`,
    `prometheus,a=y,le=5,m=x h_bucket=1 ${T}`,
    `prometheus,a=y,le=+Inf,m=x h_bucket=3 ${T}`,
  ])
})

test('a histogram whose buckets do not fit its bounds is dropped, and counted', () => {
  const point = { timeUnixNano: T, count: '3', bucketCounts: ['1', '2', '3'], explicitBounds: [5] }
  const request = metricsOf({}, [{ name: 'h', histogram: { aggregationTemporality: 2, dataPoints: [point] } }])
  assert.deepEqual(linesOf('metrics', request), { lines: [], dropped: { buckets: 1 } })
})

test('a dimension of one scope is none of the next; one that replaces that of the resource is an attribute as well', () => {
  const span = { ...SPAN, events: [], links: [], attributes: [] }
  const scopeSpans = [
    { scope: { attributes: attributes({ station: 4, 'service.name': 'own' }) }, spans: [span] },
    { spans: [span] },
  ]
  const resource = { attributes: attributes({ 'service.name': 'mes' }) }
  const { lines } = linesOf(
    'traces',
    { resourceSpans: [{ resource, scopeSpans }] },
    { span_dimensions: ['service.name', 'station'] },
  )
  assert.match(
    lines[0]!,
    /^spans,service\.name=own,span_id=\w+,station=4,trace_id=\w+ attributes="{\\"service\.name\\":\\"own\\"}",/,
  )
  assert.match(lines[1]!, /^spans,service\.name=mes,span_id=\w+,trace_id=\w+ trace_state=/)
})

test('what has no value is left out, and what cannot be said is counted', () => {
  const request = metricsOf({}, [
    gauge('gone', { flags: 1, asDouble: 1 }),
    gauge('empty', {}),
    gauge('nan', { asDouble: 'NaN' }),
    gauge('timeless', { asDouble: 1, timeUnixNano: '0' }),
    gauge('big', { asInt: '9223372036854775807' }),
  ])
  const { lines, dropped } = linesOf('metrics', request)
  assert.deepEqual(lines, [`big gauge=9223372036854775807i ${T}`])
  assert.deepEqual(dropped, { not_a_number: 1, no_time: 1 })
})

const SPAN = {
  traceId: '0af7651916cd43dd8448eb211c80319c',
  spanId: 'b7ad6b7169203331',
  parentSpanId: '00f067aa0ba902b7',
  traceState: 'a=1',
  name: 'weld "x"',
  kind: 2,
  startTimeUnixNano: START,
  endTimeUnixNano: T,
  attributes: attributes({ station: 4, host: 'own', ok: true }),
  status: { code: 2, message: 'no gas' },
  droppedLinksCount: 1,
  events: [{ timeUnixNano: T, name: 'retry', attributes: attributes({ n: 1 }) }],
  links: [{ traceId: '1'.repeat(32), spanId: '2'.repeat(16), attributes: attributes({ why: 'order' }) }],
}

test('a span is a line of spans; its events are logs, its links span-links; what is no tag is one JSON field', () => {
  const request = {
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': 'mes', host: 'h1' }) },
        scopeSpans: [{ scope: { attributes: attributes({ lib: 'x' }) }, spans: [SPAN, { ...SPAN, spanId: '' }] }],
      },
    ],
  }
  const { lines, dropped } = linesOf('traces', request, { span_dimensions: ['service.name', 'station'] })
  const ids = `span_id=${SPAN.spanId}`
  assert.deepEqual(lines, [
    `spans,service.name=mes,${ids},station=4,trace_id=${SPAN.traceId} ` +
      'attributes="{\\"lib\\":\\"x\\",\\"host\\":\\"own\\",\\"ok\\":true}",trace_state="a=1",' +
      'parent_span_id="00f067aa0ba902b7",span.name="weld \\"x\\"",span.kind="Server",' +
      `end_time_unix_nano=${T}i,duration_nano=123456789i,otel.status_code="Error",otel.status_description="no gas",` +
      `dropped_links_count=1u ${START}`,
    `logs,${ids},trace_id=${SPAN.traceId} event.name="retry",attributes="{\\"n\\":1}" ${T}`,
    `span-links,linked_span_id=${'2'.repeat(16)},linked_trace_id=${'1'.repeat(32)},${ids},trace_id=${SPAN.traceId} ` +
      `attributes="{\\"why\\":\\"order\\"}" ${START}`,
  ])
  assert.deepEqual(dropped, { no_id: 1 })
})

test('a field whose key a tag has is left out, and counted as a dropped attribute', () => {
  const span = { ...SPAN, events: [], links: [], attributes: attributes({ 'span.name': 'tagged' }) }
  const { lines } = linesOf('traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  assert.equal(lines.length, 1)
  assert.match(lines[0]!, /^spans,span\.name=tagged,span_id=/)
  assert.ok(!lines[0]!.includes('span.name="'))
  assert.match(lines[0]!, /dropped_attributes_count=1u/)
})

test('a log record is a line of logs, at its own time, else when it was observed, else now', () => {
  const record = { timeUnixNano: T, severityNumber: 17, severityText: 'ERROR', body: { stringValue: 'door\nopen' } }
  const request = {
    resourceLogs: [
      {
        resource: { attributes: attributes({ 'service.name': 'plc 1', site: 'S' }) },
        scopeLogs: [
          {
            logRecords: [
              { ...record, traceId: SPAN.traceId, spanId: SPAN.spanId, attributes: attributes({ code: 7 }) },
              { body: { arrayValue: { values: [{ intValue: '1' }] } }, observedTimeUnixNano: START },
              { severityText: 'INFO' },
            ],
          },
        ],
      },
    ],
  }
  const { lines } = linesOf('logs', request)
  const now = String(BigInt(new FakeClock().now()) * 1_000_000n)
  assert.deepEqual(lines, [
    `logs,service.name=plc\\ 1,span_id=${SPAN.spanId},trace_id=${SPAN.traceId} ` +
      `attributes="{\\"site\\":\\"S\\",\\"code\\":7}",body="door\nopen",severity_number=17i,severity_text="ERROR" ${T}`,
    `logs,service.name=plc\\ 1 attributes="{\\"site\\":\\"S\\"}",body="[1]",observed_time_unix_nano=${START}i ${START}`,
    `logs,service.name=plc\\ 1 attributes="{\\"site\\":\\"S\\"}",body="",severity_text="INFO" ${now}`,
  ])
})

test('a batch is split where a request would hold too many lines or bytes', () => {
  const metrics = Array.from({ length: 7 }, (_, i) => gauge(`m${i}`, { asInt: String(i) }))
  const encoder = new LineEncoder(
    parseConfig(config, { endpoint: 'http://localhost:8086', payload_max_lines: 3 }),
    new FakeClock(),
  )
  const { payloads } = encoder.encode(batchOf('metrics', metricsOf({}, metrics)))
  assert.deepEqual(
    payloads.map(({ ends }) => ends.length),
    [3, 3, 1],
  )
})

test('with max_series, points of a further series are dropped and counted, those of known ones go on', () => {
  const request = metricsOf(
    {},
    ['a', 'b', 'a', 'c', 'b'].map((name) => gauge(name, { asInt: '1' })),
  )
  for (const own of [{}, PLANT]) {
    const { lines, dropped } = linesOf('metrics', request, { ...own, max_series: 2 })
    assert.equal(lines.length, 4)
    assert.deepEqual(dropped, { max_series: 1 })
  }
})
