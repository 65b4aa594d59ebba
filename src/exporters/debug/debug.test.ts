import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { exporterHarness } from '../../../test/support/harness.ts'
import { parseConfig } from '../../config/testing.ts'
import { jsonToBytes } from '../../otlp/json/index.ts'
import type { Signal } from '../../otlp/signal.ts'
import { config } from './config.ts'
import { factory } from './factory.ts'
import { fixed, shortest, timestamp } from './go-text.ts'

const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'press-4' } }] }
const scope = { name: 'plc', version: '1.2' }
const START = '1581452772000000321'
const END = '1581452773000000789'
const IDS = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '1112131415161718' }

/** What the exporter prints of a request: the second message, after the counts. */
async function printed(t: TestContext, signal: Signal, request: object, verbosity: string): Promise<string[]> {
  const { push, logs } = await exporterHarness(t, factory, { verbosity }, { signals: [signal] })
  const fate = push(signal, request)
  assert.ok(fate.delivered)
  return logs.map((line) => line.message)
}

const SPANS = {
  resourceSpans: [
    {
      resource: {
        ...resource,
        entityRefs: [{ type: 'service', schemaUrl: 'https://example.org/1', idKeys: ['service.name'] }],
      },
      schemaUrl: 'https://example.org/resource',
      scopeSpans: [
        {
          scope: { ...scope, attributes: [{ key: 'line', value: { intValue: '3' } }] },
          spans: [
            {
              ...IDS,
              name: 'weld',
              kind: 2,
              traceState: 'ot=th:0',
              startTimeUnixNano: START,
              endTimeUnixNano: END,
              status: { code: 2, message: 'sensor silent' },
              droppedAttributesCount: 1,
              attributes: [
                { key: 'seam', value: { doubleValue: 7.5 } },
                { key: 'ok', value: { boolValue: false } },
                { key: 'none', value: {} },
                { key: 'raw', value: { bytesValue: 'AQID' } },
                {
                  key: 'tags',
                  value: { arrayValue: { values: [{ stringValue: '<a>' }, { intValue: '9007199254740993' }] } },
                },
                {
                  key: 'map',
                  value: {
                    kvlistValue: {
                      values: [
                        { key: 'b', value: { boolValue: true } },
                        { key: 'a', value: {} },
                      ],
                    },
                  },
                },
              ],
              events: [
                {
                  name: 'arc',
                  timeUnixNano: '1581452773000000000',
                  attributes: [{ key: 'volt', value: { intValue: '24' } }],
                },
              ],
              links: [{ ...IDS, traceState: 'a=b', droppedAttributesCount: 4 }],
            },
          ],
        },
      ],
    },
  ],
}

test('basic prints one line with the counts', async (t) => {
  const { push, logs, metric } = await exporterHarness(t, factory, {}, { signals: ['traces', 'metrics', 'logs'] })
  push('traces', SPANS)
  push('metrics', {
    resourceMetrics: [
      {
        scopeMetrics: [
          { metrics: [{ name: 'a', gauge: { dataPoints: [{ asInt: 1 }, { asInt: 2 }] } }, { name: 'b' }] },
        ],
      },
    ],
  })
  push('logs', { resourceLogs: [{ scopeLogs: [{ logRecords: [{}, {}, {}] }] }, {}] })
  assert.deepEqual(
    logs.map(({ level, message, fields }) => ({ level, message, fields })),
    [
      { level: 'info', message: 'Traces', fields: { 'resource spans': 1, spans: 1 } },
      { level: 'info', message: 'Metrics', fields: { 'resource metrics': 1, metrics: 2, 'data points': 2 } },
      { level: 'info', message: 'Logs', fields: { 'resource logs': 2, 'log records': 3 } },
    ],
  )
  assert.equal(metric('exporter_sent_log_records'), 3)
})

test('normal prints a line per span, under its resource and scope', async (t) => {
  assert.deepEqual(await printed(t, 'traces', SPANS, 'normal'), [
    'Traces',
    `ResourceTraces #0 [https://example.org/resource] service.name=press-4
ScopeTraces #0 plc@1.2 line=3
weld 0102030405060708090a0b0c0d0e0f10 1112131415161718 seam=7.5 ok=false none= raw=AQID tags=["\\u003ca\\u003e",9007199254740993] map={"a":null,"b":true}
`,
  ])
})

test('detailed prints every field of a span', async (t) => {
  assert.deepEqual(await printed(t, 'traces', SPANS, 'detailed'), [
    'Traces',
    `ResourceSpans #0
Resource SchemaURL: https://example.org/resource
Resource attributes:
     -> service.name: Str(press-4)
Resource entity refs:
     -> Entity ref #0:
          -> Type: service
          -> Schema URL: https://example.org/1
          -> ID keys:
               -> service.name
ScopeSpans #0
ScopeSpans SchemaURL:${' '}
InstrumentationScope plc 1.2
InstrumentationScope attributes:
     -> line: Int(3)
Span #0
    Trace ID       : 0102030405060708090a0b0c0d0e0f10
    Parent ID      :${' '}
    ID             : 1112131415161718
    Name           : weld
    Kind           : Server
    TraceState     : ot=th:0
    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC
    End time       : 2020-02-11 20:26:13.000000789 +0000 UTC
    Status code    : Error
    Status message : sensor silent
    DroppedAttributesCount: 1
    DroppedEventsCount: 0
    DroppedLinksCount: 0
Attributes:
     -> seam: Double(7.5)
     -> ok: Bool(false)
     -> none: Empty()
     -> raw: Bytes(AQID)
     -> tags: Slice(["\\u003ca\\u003e",9007199254740993])
     -> map: Map({"a":null,"b":true})
Events:
SpanEvent #0
     -> Name: arc
     -> Timestamp: 2020-02-11 20:26:13 +0000 UTC
     -> DroppedAttributesCount: 0
     -> Attributes::
          -> volt: Int(24)
Links:
SpanLink #0
     -> Trace ID: 0102030405060708090a0b0c0d0e0f10
     -> ID: 1112131415161718
     -> TraceState: a=b
     -> DroppedAttributesCount: 4
`,
  ])
})

const LOGS = {
  resourceLogs: [
    {
      scopeLogs: [
        {
          logRecords: [
            {
              ...IDS,
              timeUnixNano: END,
              severityNumber: 10,
              severityText: 'INFO',
              eventName: 'door.opened',
              body: { stringValue: 'opened\nby hand' },
              attributes: [{ key: 'door', value: { intValue: 4 } }],
              flags: 1,
            },
            {},
          ],
        },
      ],
    },
  ],
}

test('normal and detailed print log records', async (t) => {
  assert.equal(
    (await printed(t, 'logs', LOGS, 'normal'))[1],
    'ResourceLog #0\nScopeLog #0\nopened\nby hand door=4\n \n',
  )
  assert.equal(
    (await printed(t, 'logs', LOGS, 'detailed'))[1],
    `ResourceLog #0
Resource SchemaURL:${' '}
ScopeLogs #0
ScopeLogs SchemaURL:${' '}
InstrumentationScope ${' '}
LogRecord #0
ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 2020-02-11 20:26:13.000000789 +0000 UTC
SeverityText: INFO
SeverityNumber: Info2(10)
EventName: door.opened
Body: Str(opened
by hand)
Attributes:
     -> door: Int(4)
Trace ID: 0102030405060708090a0b0c0d0e0f10
Span ID: 1112131415161718
Flags: 1
LogRecord #1
ObservedTimestamp: 1970-01-01 00:00:00 +0000 UTC
Timestamp: 1970-01-01 00:00:00 +0000 UTC
SeverityText:${' '}
SeverityNumber: Unspecified(0)
Body: Empty()
Trace ID:${' '}
Span ID:${' '}
Flags: 0
`,
  )
})

const point = { attributes: [{ key: 'cpu', value: { stringValue: '0' } }], startTimeUnixNano: START, timeUnixNano: END }
const METRICS = {
  resourceMetrics: [
    {
      resource,
      scopeMetrics: [
        {
          scope,
          metrics: [
            {
              name: 'temperature',
              unit: 'Cel',
              metadata: [{ key: 'from', value: { stringValue: 'opc' } }],
              gauge: { dataPoints: [{ ...point, asDouble: 78.9 }] },
            },
            {
              name: 'parts',
              sum: {
                dataPoints: [{ ...point, asInt: '9007199254740993' }],
                isMonotonic: true,
                aggregationTemporality: 2,
              },
            },
            {
              name: 'cycle',
              histogram: {
                aggregationTemporality: 1,
                dataPoints: [
                  {
                    ...point,
                    count: '3',
                    sum: 99.573,
                    min: 0.017,
                    bucketCounts: ['1', '0', '2'],
                    explicitBounds: [0.125, 1],
                    exemplars: [
                      {
                        ...IDS,
                        timeUnixNano: END,
                        asDouble: 15,
                        filteredAttributes: [{ key: 'x', value: { stringValue: 'y' } }],
                      },
                    ],
                  },
                ],
              },
            },
            {
              name: 'exponential',
              exponentialHistogram: {
                dataPoints: [
                  {
                    ...point,
                    count: '5',
                    scale: 1,
                    zeroCount: '1',
                    positive: { offset: 1, bucketCounts: ['1', '1'] },
                    negative: { offset: -1, bucketCounts: ['1', '1'] },
                  },
                ],
              },
            },
            {
              name: 'summary',
              summary: {
                dataPoints: [{ ...point, count: '1', sum: 15, quantileValues: [{ quantile: 0.01, value: 15 }] }],
              },
            },
          ],
        },
      ],
    },
  ],
}

test('normal prints a line per data point', async (t) => {
  assert.equal(
    (await printed(t, 'metrics', METRICS, 'normal'))[1],
    `ResourceMetrics #0 service.name=press-4
ScopeMetrics #0 plc@1.2
temperature{cpu=0} 78.9
parts{cpu=0} 9007199254740993
cycle{cpu=0} count=3 sum=99.573 min=0.017 le0.125=1 le1=0 2
exponential{cpu=0} count=5 le0.7071067811865475=1 le1=1 le1.4142135623730951=1 le2.0000000000000004=1 zero_count0=1
summary{cpu=0} count=1 sum=15.000000 q0.01=15
`,
  )
})

test('detailed prints every field of every kind of metric', async (t) => {
  const times =
    'StartTimestamp: 2020-02-11 20:26:12.000000321 +0000 UTC\nTimestamp: 2020-02-11 20:26:13.000000789 +0000 UTC'
  const attributes = 'Data point attributes:\n     -> cpu: Str(0)'
  assert.equal(
    (await printed(t, 'metrics', METRICS, 'detailed'))[1],
    `ResourceMetrics #0
Resource SchemaURL:${' '}
Resource attributes:
     -> service.name: Str(press-4)
ScopeMetrics #0
ScopeMetrics SchemaURL:${' '}
InstrumentationScope plc 1.2
Metric #0
Descriptor:
     -> Name: temperature
     -> Description:${' '}
     -> Unit: Cel
     -> DataType: Gauge
     -> Metadata:
          -> from: Str(opc)
NumberDataPoints #0
${attributes}
${times}
Value: 78.900000
Metric #1
Descriptor:
     -> Name: parts
     -> Description:${' '}
     -> Unit:${' '}
     -> DataType: Sum
     -> IsMonotonic: true
     -> AggregationTemporality: Cumulative
NumberDataPoints #0
${attributes}
${times}
Value: 9007199254740993
Metric #2
Descriptor:
     -> Name: cycle
     -> Description:${' '}
     -> Unit:${' '}
     -> DataType: Histogram
     -> AggregationTemporality: Delta
HistogramDataPoints #0
${attributes}
${times}
Count: 3
Sum: 99.573000
Min: 0.017000
ExplicitBounds #0: 0.125000
ExplicitBounds #1: 1.000000
Buckets #0, Count: 1
Buckets #1, Count: 0
Buckets #2, Count: 2
Exemplars:
Exemplar #0
     -> Trace ID: 0102030405060708090a0b0c0d0e0f10
     -> Span ID: 1112131415161718
     -> Timestamp: 2020-02-11 20:26:13.000000789 +0000 UTC
     -> Value: 15.000000
     -> FilteredAttributes:
          -> x: Str(y)
Metric #3
Descriptor:
     -> Name: exponential
     -> Description:${' '}
     -> Unit:${' '}
     -> DataType: ExponentialHistogram
     -> AggregationTemporality: Unspecified
ExponentialHistogramDataPoints #0
${attributes}
${times}
Count: 5
Bucket [-1.414214, -1.000000), Count: 1
Bucket [-1.000000, -0.707107), Count: 1
Bucket [0, 0], Count: 1
Bucket (1.414214, 2.000000], Count: 1
Bucket (2.000000, 2.828427], Count: 1
Metric #4
Descriptor:
     -> Name: summary
     -> Description:${' '}
     -> Unit:${' '}
     -> DataType: Summary
SummaryDataPoints #0
${attributes}
${times}
Count: 1
Sum: 15.000000
QuantileValue #0: Quantile 0.010000, Value 15.000000
`,
  )
})

test('profiles are printed with the attributes that their dictionary holds', async (t) => {
  const request = {
    dictionary: {
      stringTable: ['', 'cpu'],
      attributeTable: [{}, { keyStrindex: 1, value: { intValue: '2' } }],
      locationTable: [{ address: '18446744073709551615', lines: [{ functionIndex: 1, line: '7' }] }],
    },
    resourceProfiles: [
      {
        scopeProfiles: [
          {
            profiles: [
              {
                profileId: IDS.traceId,
                timeUnixNano: START,
                durationNano: '1000',
                attributeIndices: [1],
                samples: [{ values: ['4', '-5'], attributeIndices: [1] }],
              },
            ],
          },
        ],
      },
    ],
  }
  assert.equal(
    (await printed(t, 'profiles', request, 'normal'))[1],
    'ResourceProfiles #0\nScopeProfiles #0\n0102030405060708090a0b0c0d0e0f10 samples=1 cpu=2\n',
  )
  assert.equal(
    (await printed(t, 'profiles', request, 'detailed'))[1],
    `Location #0
    Mapping index: 0
    Address: 18446744073709551615
    Line #0
        Function index: 1
        Line: 7
        Column: 0
    Attributes: []
Attribute table:
     -> Key: Int(0)
     -> Value: Empty()
     -> unit: Int(0)
     -> Key: Int(1)
     -> Value: Int(2)
     -> unit: Int(0)
String table:
   ${' '}
    cpu
ResourceProfiles #0
Resource SchemaURL:${' '}
ScopeProfiles #0
ScopeProfiles SchemaURL:${' '}
InstrumentationScope ${' '}
Profile #0
    Profile ID     : 0102030405060708090a0b0c0d0e0f10
    Start time     : 2020-02-11 20:26:12.000000321 +0000 UTC
    DurationNano   : 1000
    Dropped attributes count: 0
    Sample #0
        Values: [4 -5]
        Attributes:
             -> cpu: 2
`,
  )
})

test('of messages with the same text, the first of each second and then every so many are printed', async (t) => {
  const { push, logs, clock } = await exporterHarness(
    t,
    factory,
    { sampling_initial: 2, sampling_thereafter: 3 },
    { signals: ['logs'] },
  )
  const bytes = jsonToBytes('logs', JSON.stringify(LOGS))
  for (let i = 0; i < 8; i++) assert.ok(push('logs', bytes).delivered)
  assert.equal(logs.length, 4) // 1, 2, 5, 8
  clock.advance(1000)
  push('logs', bytes)
  assert.equal(logs.length, 5)
})

test('without the internal logger the text goes to the files named, without time and level', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-debug-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'out.txt')
  const { push, logs } = await exporterHarness(
    t,
    factory,
    { verbosity: 'normal', use_internal_logger: false, output_paths: [path] },
    { signals: ['logs'] },
  )
  push('logs', LOGS)
  assert.equal(
    readFileSync(path, 'utf8'),
    'Logs\t{"resource logs": 1, "log records": 2}\nResourceLog #0\nScopeLog #0\nopened\nby hand door=4\n \n\n',
  )
  assert.deepEqual(logs, [])
})

test('verbosity is read in any case, and output paths must not be an empty list', () => {
  assert.equal(parseConfig(config, { verbosity: 'Detailed' }).verbosity, 'detailed')
  assert.throws(() => parseConfig(config, { verbosity: 'none' }), /verbosity/)
  assert.throws(() => parseConfig(config, { use_internal_logger: false, output_paths: [] }), /empty list/)
})

test('numbers and times look as Go prints them', () => {
  const numbers = [1e6, 123456, 1234567, 99999999, 1e21, 1e-4, 1e-5, 0.00012345, 0, -0, 1.5, Number.NaN, -Infinity]
  assert.deepEqual(
    numbers.map((value) => `${shortest(value)} ${fixed(value)}`),
    [
      '1e+06 1000000.000000',
      '123456 123456.000000',
      '1.234567e+06 1234567.000000',
      '9.9999999e+07 99999999.000000',
      '1e+21 1000000000000000000000.000000',
      '0.0001 0.000100',
      '1e-05 0.000010',
      '0.00012345 0.000123',
      '0 0.000000',
      '-0 -0.000000',
      '1.5 1.500000',
      'NaN NaN',
      '-Inf -Inf',
    ],
  )
  assert.equal(fixed(1 / 128), '0.007812')
  assert.equal(fixed(-3 / 128), '-0.023438')
  assert.equal(timestamp('18446744073709551615'), '1969-12-31 23:59:59.999999999 +0000 UTC')
  assert.equal(timestamp('1500000000'), '1970-01-01 00:00:01.5 +0000 UTC')
})

test('output paths that have no effect give one warning', async (t) => {
  const { logs } = await exporterHarness(t, factory, { output_paths: ['stdout'] })
  assert.deepEqual(
    logs.map(({ level, message }) => ({ level, message })),
    [{ level: 'warn', message: 'output_paths has no effect: write use_internal_logger: false as well' }],
  )
})
