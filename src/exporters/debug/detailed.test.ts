import assert from 'node:assert/strict'
import { test } from 'node:test'
import { IDS, LOGS, METRICS, printed, SPANS, START } from '../../../test/support/debug-requests.ts'

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
