// A request of each signal with all that can be in it, and what the debug exporter prints of one.

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { factory } from '../../src/exporters/debug/factory.ts'
import type { Signal } from '../../src/otlp/signal.ts'
import { exporterHarness } from './harness.ts'

export const resource = { attributes: [{ key: 'service.name', value: { stringValue: 'press-4' } }] }
export const scope = { name: 'plc', version: '1.2' }
export const START = '1581452772000000321'
export const END = '1581452773000000789'
export const IDS = { traceId: '0102030405060708090a0b0c0d0e0f10', spanId: '1112131415161718' }

/** What the exporter prints of a request: the second message, after the counts. */
export async function printed(t: TestContext, signal: Signal, request: object, verbosity: string): Promise<string[]> {
  const { push, logs } = await exporterHarness(t, factory, { verbosity }, { signals: [signal] })
  const fate = push(signal, request)
  assert.ok(fate.delivered)
  return logs.map((line) => line.message)
}

export const SPANS = {
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

export const LOGS = {
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

export const point = {
  attributes: [{ key: 'cpu', value: { stringValue: '0' } }],
  startTimeUnixNano: START,
  timeUnixNano: END,
}
export const METRICS = {
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
