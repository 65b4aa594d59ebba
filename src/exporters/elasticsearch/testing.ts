// One request of each signal, as OTLP/JSON, that tests send and look for.

const RESOURCE = {
  attributes: [
    { key: 'service.name', value: { stringValue: 'press' } },
    { key: 'host.name', value: { stringValue: 'edge-1' } },
  ],
}
const IDS = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '0102030405060708' }
const TIME = '1767225600000000005'

export const LOGS = {
  resourceLogs: [
    {
      resource: RESOURCE,
      schemaUrl: 'https://r',
      scopeLogs: [
        {
          scope: { name: 'line', version: '2', attributes: [{ key: 'line', value: { intValue: 3 } }] },
          logRecords: [
            {
              ...IDS,
              timeUnixNano: TIME,
              observedTimeUnixNano: '1767225600123456789',
              severityNumber: 9,
              severityText: 'INFO',
              eventName: 'part.finished',
              body: { stringValue: 'part "7"\n finished, 21 °C' },
              attributes: [
                { key: 'part.number', value: { intValue: '9007199254740991' } },
                { key: 'ratio', value: { doubleValue: 1 } },
                { key: 'ok', value: { boolValue: true } },
                { key: 'raw', value: { bytesValue: 'AP8=' } },
                { key: 'geo.location.lat', value: { doubleValue: 48.25 } },
                { key: 'geo.location.lon', value: { doubleValue: 11.5 } },
                { key: 'list', value: { arrayValue: { values: [{ stringValue: 'one' }, { stringValue: 'two' }] } } },
              ],
            },
            {
              timeUnixNano: TIME,
              body: {
                kvlistValue: {
                  values: [
                    { key: 'order', value: { stringValue: 'A-1' } },
                    {
                      key: 'steps',
                      value: {
                        arrayValue: { values: [{ kvlistValue: { values: [{ key: 'n', value: { intValue: 1 } }] } }] },
                      },
                    },
                  ],
                },
              },
            },
          ],
        },
      ],
    },
  ],
}

export const SPANS = {
  resourceSpans: [
    {
      resource: RESOURCE,
      scopeSpans: [
        {
          scope: { name: 'line' },
          spans: [
            {
              ...IDS,
              parentSpanId: '1112131415161718',
              traceState: 'a=b',
              name: 'cut',
              kind: 2,
              startTimeUnixNano: TIME,
              endTimeUnixNano: '1767225600002000005',
              attributes: [{ key: 'device.id', value: { stringValue: 'm-1' } }],
              droppedEventsCount: 2,
              events: [
                {
                  timeUnixNano: '1767225600000000006',
                  name: 'jam',
                  attributes: [{ key: 'depth', value: { intValue: 2 } }],
                },
              ],
              links: [
                {
                  traceId: '2'.repeat(32),
                  spanId: '3'.repeat(16),
                  attributes: [{ key: 'why', value: { stringValue: 'batch' } }],
                },
              ],
              status: { code: 2, message: 'jammed' },
            },
          ],
        },
      ],
    },
  ],
}

const point = (value: object, device = 'm-1') => ({
  timeUnixNano: TIME,
  startTimeUnixNano: '1767225500000000000',
  attributes: [{ key: 'device.id', value: { stringValue: device } }],
  ...value,
})
const DELTA = { aggregationTemporality: 1 }
const CUMULATIVE = { aggregationTemporality: 2 }

/** Eight points, of which one has no value that a document can hold: three documents. */
export const METRICS = {
  resourceMetrics: [
    {
      resource: RESOURCE,
      scopeMetrics: [
        {
          scope: { name: 'line' },
          metrics: [
            {
              name: 'temperature',
              unit: '1',
              gauge: { dataPoints: [point({ asDouble: 21 }), point({ asDouble: 22 }), point({ asDouble: 23 }, 'm-2')] },
            },
            {
              name: 'parts',
              unit: '1',
              sum: { ...CUMULATIVE, isMonotonic: true, dataPoints: [point({ asInt: '7' })] },
            },
            {
              name: 'cycle',
              unit: '1',
              histogram: {
                ...DELTA,
                dataPoints: [point({ count: '3', sum: 4, bucketCounts: ['1', '2', '0'], explicitBounds: [1, 2] })],
              },
            },
            {
              name: 'spread',
              unit: '1',
              exponentialHistogram: {
                ...DELTA,
                dataPoints: [
                  point({ count: '3', sum: 4, zeroCount: '1', positive: { offset: 0, bucketCounts: ['1', '1'] } }),
                ],
              },
            },
            { name: 'load', unit: '1', summary: { dataPoints: [point({ count: '3', sum: 4 })] } },
            { name: 'broken', unit: '1', gauge: { dataPoints: [point({ asDouble: 'NaN' })] } },
          ],
        },
      ],
    },
  ],
}

type Texts = Readonly<Record<string, string>>

/** A copy whose resource, and whose scopes, have these as well. */
export function withAttributes<R extends object>(request: R, ofResource: Texts, ofScope: Texts = {}): R {
  const copy = structuredClone(request)
  // biome-ignore lint/suspicious/noExplicitAny: whatever a document or an answer holds
  for (const resource of Object.values(copy).flat() as Record<string, any>[]) {
    resource.resource.attributes.push(...encoded(ofResource))
    for (const [key, scopes] of Object.entries(resource))
      if (key.startsWith('scope'))
        for (const { scope } of scopes) scope.attributes = [...(scope.attributes ?? []), ...encoded(ofScope)]
  }
  return copy
}

const encoded = (texts: Texts) => Object.entries(texts).map(([key, stringValue]) => ({ key, value: { stringValue } }))
